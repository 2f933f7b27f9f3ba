//! The page at `/`: what runs here, and where. No script, nothing from elsewhere.

use std::fmt::Write;

/// What the page tells.
pub(crate) struct Facts<'a> {
    pub(crate) symbols: usize,
    pub(crate) feeds: &'a [(String, String)],
    pub(crate) secure: bool,
    pub(crate) host: &'a str,
}

/// The page.
pub(crate) fn render(facts: &Facts<'_>) -> String {
    let (ws, http) = if facts.secure { ("wss", "https") } else { ("ws", "http") };
    let host = escape(facts.host);
    let mut feeds = String::new();
    for (feed, state) in facts.feeds {
        // Writing to memory does not fail.
        let _ = write!(feeds, "<tr><td>{}</td><td>{}</td></tr>", escape(feed), escape(state));
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tickwire</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style>\
         <main><h1>Tickwire</h1><p>Live market data over WebSocket. Version {version}.</p>\
         <h2>Connect</h2><dl>\
         <dt>Stream</dt><dd><code>{ws}://{host}/v1/stream</code> (protocol <code>tickwire.v1</code>, with a token)</dd>\
         <dt>Events</dt><dd><code>{http}://{host}/v1/events</code> (server-sent; also <code>/v1/poll</code>, <code>/v1/snapshot</code>, <code>/v1/symbols</code>)</dd>\
         <dt>For machines</dt><dd><code>{http}://{host}/v1/asyncapi.json</code>, <code>/v1/openapi.json</code></dd>\
         <dt>Echo</dt><dd><code>{ws}://{host}/echo</code> (sends back what it gets)</dd>\
         <dt>This page</dt><dd><code>{http}://{host}/</code></dd></dl>\
         <h2>Feeds</h2><p>{symbols} symbols listed.</p>\
         <table><thead><tr><th scope=\"col\">Feed</th><th scope=\"col\">State</th></tr></thead><tbody>{feeds}</tbody></table>\
         <p>Metrics and health are on the admin port.</p>\
         <h2>The trading page</h2><p>This program was built without it: Node was not there. With Node 20 or newer \
         <code>cargo xtask demo</code> builds the page and a program that has it; a page that is built already \
         comes by <code>--page dashboards/web/dist</code>.</p></main></html>",
        version = env!("CARGO_PKG_VERSION"),
        symbols = facts.symbols,
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1b1f24;background:#fff}\
main{max-width:44rem;margin:3rem auto;padding:0 1rem}h1{margin:0 0 .5rem}dt{font-weight:600}\
dd{margin:0 0 .5rem}code{background:#f0f2f5;padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}\
table{border-collapse:collapse}th,td{text-align:left;padding:.25rem 1.5rem .25rem 0}\
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#14171b}code{background:#23272e}}";

/// The policy of a page that needs nothing but its own style.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_is_text_only() {
        let host = "\"><script>alert(1)</script>";
        let page =
            render(&Facts { symbols: 3, feeds: &[("sim".into(), "open".into())], secure: false, host });
        assert!(!page.contains("<script"));
        assert!(page.contains("cargo xtask demo"), "how to get the other one");
        assert!(page.contains("3 symbols listed") && page.contains("<td>sim</td><td>open</td>"));
    }
}
