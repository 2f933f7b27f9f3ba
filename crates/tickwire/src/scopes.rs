//! Scopes as people write them: one that allows nothing is a slip, and what was meant is said.

use gateway::Scope;
use model::{Channel, Symbol};
use wire::closest;

/// The scopes that are no streams.
const OTHERS: [&str; 2] = ["replay", "admin"];

/// A scope that can allow something; otherwise why it cannot, and what was probably meant.
pub(crate) fn parse(text: &str) -> Result<Scope, String> {
    match Scope::parse(text).map_err(|error| format!("{text:?}: {error}"))? {
        Scope::Other(other) if OTHERS.contains(&&*other) => Ok(Scope::Other(other)),
        Scope::Other(other) => Err(unknown(&other)),
        Scope::Stream { symbols, channel, bounds } => match slip(symbols.as_str()) {
            Some(slip) => Err(format!("{text:?} matches nothing: {slip}")),
            None => Ok(Scope::Stream { symbols, channel, bounds }),
        },
    }
}

fn unknown(text: &str) -> String {
    let word = text.split(':').next().unwrap_or(text);
    let near = closest(word, ["stream"].into_iter().chain(OTHERS));
    let hint = match (near, text.split_once(':')) {
        (Some("stream"), Some((_, rest))) => format!("; did you mean \"stream:{rest}\"?"),
        (Some("stream"), None) => "; did you mean \"stream:*\"?".to_owned(),
        (Some(near), _) => format!("; did you mean {near:?}?"),
        (None, _) => String::new(),
    };
    format!("{text:?} means nothing{hint} stream:PATTERN, stream:PATTERN/CHANNEL, replay and admin do")
}

/// Why no symbol is like that.
fn slip(pattern: &str) -> Option<String> {
    if let Some((first, rest)) = pattern.split_once(',') {
        return Some(format!(
            "no symbol has a comma in it; give several, \"stream:{}\" and \"stream:{}\"",
            first.trim(),
            rest.trim()
        ));
    }
    // Whatever stands for any text may be a letter.
    let like = pattern.replace('*', "A");
    if like.len() <= 64 && Symbol::parse(&like).is_ok() || pattern.len() > 64 {
        return None;
    }
    if let Some((symbols, name)) = pattern.rsplit_once('/')
        && let Some(near) = closest(name, Channel::ALL.map(Channel::as_str))
    {
        return Some(format!("there is no channel {name:?}; did you mean \"stream:{symbols}/{near}\"?"));
    }
    let upper = like.to_ascii_uppercase();
    if Symbol::parse(&upper).is_ok() {
        return Some(format!(
            "symbols are in capitals; did you mean \"stream:{}\"?",
            pattern.to_ascii_uppercase()
        ));
    }
    Some("symbols have A-Z, 0-9 and - . _ : / in them, and begin with a letter or a digit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_match_is_taken() {
        for text in [
            "stream:*",
            "stream:BTC-*",
            "stream:*-USD/trades",
            "stream:BTC/USD",
            "stream:BTC/USD/book?depth=10",
            "replay",
            "admin",
            "stream:*:PERP",
            "stream:-*",
        ] {
            let parsed = parse(text);
            assert_eq!(parsed.is_ok(), text != "stream:-*", "{text}: {parsed:?}");
        }
    }

    #[test]
    fn what_cannot_is_refused_with_what_was_meant() {
        for (text, meant) in [
            ("stream:BTC-*,ETH-*", "\"stream:BTC-*\" and \"stream:ETH-*\""),
            ("stream:BTC-USD, ETH-USD", "\"stream:BTC-USD\" and \"stream:ETH-USD\""),
            ("replays", "did you mean \"replay\"?"),
            ("Replay", "did you mean \"replay\"?"),
            ("replay:*", "did you mean \"replay\"?"),
            ("admim", "did you mean \"admin\"?"),
            ("streams:*", "did you mean \"stream:*\"?"),
            ("stream:btc-usd", "did you mean \"stream:BTC-USD\"?"),
            ("stream:BTC-*/trade", "did you mean \"stream:BTC-*/trades\"?"),
            ("stream:BTC USD", "symbols have A-Z"),
            ("everything", "means nothing"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(meant), "{text}: {refused}");
        }
    }
}
