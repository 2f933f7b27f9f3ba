//! The page at `/`: the trading page, where the program was built with it, else a plain one without a script.

mod files;
mod plain;
mod tags;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower_http::services::ServeDir;
use tower_http::services::fs::Backend;

pub use files::Asset;

use crate::problem::{HttpCode, Problem};
use crate::routes::App;
use files::Assets;
use tags::{Tags, has};

/// What is served at `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// A plain page that tells what runs here.
    #[default]
    Plain,
    /// The trading page, as it was built into the program.
    Built(&'static [Asset]),
    /// The trading page from a folder, as it is there at the moment: for whoever works on it.
    Folder(PathBuf),
}

/// What the trading page may do: nothing but what comes from here. Whoever frames it sees nothing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";
/// Files whose names tell what is in them.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// One that many pages load.
const SHORT: &str = "public, max-age=600";
/// The element for other people's pages, which they may load from here.
const ELEMENT: &str = "/ticker.js";

/// What may be done with a file.
const ALLOWED: &str = "GET, HEAD, OPTIONS";

/// The routes of the page. What is not there either is answered by `nothing`.
pub(crate) fn router(page: &Page) -> Router<Arc<App>> {
    match page {
        Page::Plain => Router::new().route("/", get(plain)).fallback(nothing),
        Page::Built(assets) => built(assets),
        Page::Folder(folder) => files(ServeDir::new(folder), Tags::default()),
    }
}

fn built<S: Clone + Send + Sync + 'static>(assets: &'static [Asset]) -> Router<S> {
    files(ServeDir::with_backend("", Assets(assets)), Tags::of(assets))
}

fn files<S: Clone + Send + Sync + 'static, B: Backend>(
    folder: ServeDir<tower_http::services::fs::DefaultServeDirFallback, B>,
    tags: Tags,
) -> Router<S> {
    let folder = folder.precompressed_br().precompressed_gzip().redirect_to_trailing_slash(false);
    Router::new().fallback_service(folder).layer(from_fn_with_state(Arc::new(tags), rules))
}

/// Says how a file may be used and kept; what is no file is a problem like any other.
async fn rules(State(tags): State<Arc<Tags>>, mut request: Request, next: Next) -> Response {
    let (path, asked) = (request.uri().path().to_owned(), request.headers().clone());
    let method = request.method().clone();
    let reads = matches!(method, Method::GET | Method::HEAD);
    // Files are small and sent whole: their tags are ours, and parts of them would be without.
    for name in [header::RANGE, header::IF_RANGE, header::IF_MATCH] {
        request.headers_mut().remove(name);
    }
    if !reads {
        // Whether it is there at all.
        *request.method_mut() = Method::HEAD;
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return nothing().await.into_response();
    }
    if method == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOWED)]).into_response();
    }
    if !reads {
        let problem = Problem::http(HttpCode::MethodNotAllowed, "Ask with GET.");
        return problem.header(header::ALLOW, ALLOWED).into_response();
    }
    if let Some(tag) = tags.find(&path, response.headers()).filter(|_| response.status() == StatusCode::OK) {
        if has(&asked, tag) {
            let vary = response.headers_mut().remove(header::VARY);
            response = StatusCode::NOT_MODIFIED.into_response();
            response.headers_mut().extend(vary.map(|vary| (header::VARY, vary)));
        }
        response.headers_mut().insert(header::ETAG, tag.clone());
    }
    let headers = response.headers_mut();
    headers.remove(header::ACCEPT_RANGES);
    let cache = match path.as_str() {
        ELEMENT => SHORT,
        path if path.starts_with("/assets/") => IMMUTABLE,
        _ => "no-cache",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if path == ELEMENT {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    response
}

async fn plain(State(app): State<Arc<App>>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let states = app.feeds.states().into_iter();
    let feeds: Vec<_> = states.map(|(feed, state)| (feed.to_string(), state.to_string())).collect();
    let facts = plain::Facts {
        symbols: app.catalogue.len(),
        feeds: &feeds,
        secure: app.settings.tls.is_some(),
        host,
    };
    let policy = [(header::CONTENT_SECURITY_POLICY, plain::POLICY)];
    (policy, Html(plain::render(&facts))).into_response()
}

async fn nothing() -> Problem {
    let detail = "There is nothing here. The stream is at /v1/stream; over plain HTTP there are /v1/events, /v1/poll, /v1/snapshot, /v1/history, /v1/candles, /v1/symbols, /v1/recordings, and for Socket.IO /socket.io/; the echo service is at /echo.";
    Problem::http(HttpCode::NotFound, detail)
}
