//! How the venues' names of instruments become ours.

use std::fmt::Write as _;

use serde::Deserialize;

use super::column::Words;
use super::stem;
use crate::venue::names;

/// How the venue's name of an instrument becomes ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// In capitals: `AAPL`.
    #[default]
    Plain,
    /// Two assets: `BTCUSDT`, `xbt/usd` and `XRP_ETH` are `BTC-USDT`, `BTC-USD` and `XRP-ETH`.
    Pair,
    /// Two currencies of three letters: `EURUSD` is `EUR-USD`; anything else is plain.
    Currencies,
    /// Derivatives of two assets: `BTCUSDT` is `BTC-USDT-PERP`.
    Derivative,
}

/// The form of the symbols of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forms {
    pub(super) usual: Form,
    pub(super) of_venues: Vec<FormTable>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormTable {
    venues: Words,
    form: Form,
}

impl Forms {
    pub(super) fn at(&self, venue: &str) -> Form {
        let own = self.of_venues.iter().find(|table| table.venues.has(venue.as_bytes()));
        own.map_or(self.usual, |table| table.form)
    }
}

impl Form {
    /// Our name for what the venue calls `name`.
    pub(super) fn of(self, name: &str) -> String {
        let capitals = name.trim().to_ascii_uppercase();
        match self {
            Self::Derivative => names::derivative(&capitals),
            Self::Pair => pair(&capitals),
            Self::Currencies
                if capitals.len() == 6 && capitals.bytes().all(|byte| byte.is_ascii_uppercase()) =>
            {
                format!("{}-{}", &capitals[..3], &capitals[3..])
            }
            Self::Plain | Self::Currencies => plain(&capitals),
        }
    }
}

/// Whether a short name is a ticker rather than a pair, where no venue of coins says otherwise: `METH` is a fund,
/// and not something in ETH.
pub(super) fn is_ticker(venue: &str, name: &str) -> bool {
    let name = name.trim();
    let is_short = name.len() <= 5 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_short && !name.to_ascii_uppercase().ends_with("USD") && !stem::is_of_coins(venue)
}

fn plain(capitals: &str) -> String {
    capitals.replace('/', "-")
}

/// A name in which nothing is that symbols cannot have: spaces are `-`, other characters their number, as in
/// `ES_3DF` for `ES=F` and `X_5EGSPC` for `^GSPC`. No two names become one by it.
pub(super) fn safe(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let fits = |c: char| is_plain(c) || matches!(c, '-' | '.' | '_' | ':' | '/');
    if name.chars().all(fits) && name.chars().next().is_none_or(is_plain) {
        return name.to_owned();
    }
    let mut text = String::new();
    for word in name.split_ascii_whitespace() {
        if !text.is_empty() {
            text.push('-');
        }
        for c in word.chars() {
            match c {
                c if fits(c) => text.push(c),
                c if c.is_ascii() => {
                    write!(text, "_{:02X}", u32::from(c)).expect("a text takes what is written");
                }
                c => {
                    write!(text, "_U{:04X}", u32::from(c)).expect("a text takes what is written");
                }
            }
        }
    }
    if text.chars().next().is_none_or(is_plain) { text } else { format!("X{text}") }
}

fn pair(capitals: &str) -> String {
    // `BTC/USDT:USDT` is settled in what stands behind the colon, until the date, if there is one.
    let (pair, settled) =
        capitals.split_once(':').map_or((capitals, None), |(pair, kind)| (pair, Some(kind)));
    let parts = pair.replace(['/', '_'], "-");
    let ours = if parts.contains('-') {
        parts.split('-').map(|part| alias(part).unwrap_or(part)).collect::<Vec<_>>().join("-")
    } else {
        let head = pair.get(..3).and_then(|head| Some((alias(head)?, &pair[3..])));
        names::spot(&head.map_or_else(|| pair.to_owned(), |(alias, quote)| format!("{alias}{quote}")))
    };
    match settled {
        None => ours,
        Some(kind) => format!("{ours}-{}", kind.split_once('-').map_or("PERP", |(_, date)| date)),
    }
}

/// Our name for an asset that some venues call otherwise.
fn alias(asset: &str) -> Option<&'static str> {
    match asset {
        "XBT" => Some("BTC"),
        "XDG" => Some("DOGE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::Symbol;

    use super::*;

    #[test]
    fn our_names() {
        for (form, name, ours) in [
            (Form::Plain, "aapl", "AAPL"),
            (Form::Plain, "brk/b", "BRK-B"),
            (Form::Pair, "LTCUSDT", "LTC-USDT"),
            (Form::Pair, "xrpeth", "XRP-ETH"),
            (Form::Pair, "XRP_ETH", "XRP-ETH"),
            (Form::Pair, "XRP/ETH", "XRP-ETH"),
            (Form::Pair, "XBTUSD", "BTC-USD"),
            (Form::Pair, "btc-usd", "BTC-USD"),
            (Form::Pair, "BTC/USDT:USDT", "BTC-USDT-PERP"),
            (Form::Pair, "BTC/USDT:USDT-251226", "BTC-USDT-251226"),
            (Form::Currencies, "EURUSD", "EUR-USD"),
            (Form::Currencies, "EUR/USD", "EUR-USD"),
            (Form::Currencies, "usdjpy", "USD-JPY"),
            (Form::Currencies, "USA500IDXUSD", "USA500IDXUSD"),
            (Form::Derivative, "BTCUSDT", "BTC-USDT-PERP"),
        ] {
            assert_eq!(form.of(name), ours, "{name}");
        }
    }

    #[test]
    fn names_are_made_safe() {
        for (name, ours) in [
            ("BTC-USD", "BTC-USD"),
            ("BRK.B", "BRK.B"),
            ("ES=F", "ES_3DF"),
            ("^GSPC", "X_5EGSPC"),
            (".BXBT", "X.BXBT"),
            ("SPY   240119C00400000", "SPY-240119C00400000"),
            ("币-USDT", "X_U5E01-USDT"),
            ("", ""),
        ] {
            assert_eq!(safe(name), ours, "{name}");
            assert!(name.is_empty() || Symbol::parse(ours).is_ok(), "{ours}");
        }
        for (venue, name, wanted) in [
            ("csv", "METH", true),
            ("nasdaq", "SPDOT", true),
            ("csv", "OPUSD", false),
            ("csv", "LTCBTC", false),
            ("binance", "OPBTC", false),
            ("binance-futures", "OPBTC", false),
        ] {
            assert_eq!(is_ticker(venue, name), wanted, "{venue} {name}");
        }
    }
}
