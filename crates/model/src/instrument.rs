//! What is traded, and where.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::symbol::Symbol;
use crate::time::UnixNanos;

/// A market that lists instruments; several markets of one exchange are several venues
/// (`binance`, `binance-usdm`, `binance-coinm`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Venue(Arc<str>);

impl Venue {
    /// A venue by its name: lower case, dashes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What sort of thing an instrument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InstrumentKind {
    /// One currency or coin for another, delivered at once.
    Spot,
    /// A future without an end.
    Perp,
    /// A future with an end.
    Future,
    /// An option.
    Option,
    /// A share, or what trades as one.
    Equity,
    /// One currency for another, between banks.
    Fx,
    /// Several instruments in one.
    Spread,
}

impl InstrumentKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Spot, Self::Perp, Self::Future, Self::Option, Self::Equity, Self::Fx, Self::Spread];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Perp => "perp",
            Self::Future => "future",
            Self::Option => "option",
            Self::Equity => "equity",
            Self::Fx => "fx",
            Self::Spread => "spread",
        }
    }
}

/// Decimals as texts, absent or `null` where they are not known: both were written once.
mod step {
    use rust_decimal::Decimal;
    use serde::de::{Deserialize, Deserializer, Error};

    pub(super) use rust_decimal::serde::str_option::serialize;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<Box<str>>::deserialize(deserializer)?;
        text.map(|text| crate::decimal::parse(&text)).transpose().map_err(D::Error::custom)
    }
}

/// What a venue says of an instrument; what it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Smallest step of a price.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "step")]
    pub tick_size: Option<Decimal>,
    /// Smallest step of a size.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "step")]
    pub lot_size: Option<Decimal>,
    /// Decimals of a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_scale: Option<u32>,
    /// What sort of thing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InstrumentKind>,
    /// What is bought and sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Box<str>>,
    /// What it is paid with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<str>>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<UnixNanos>,
}

impl Definition {
    /// What a symbol says itself: `BTC-USD` is a pair of its venue, `BTC-USDT-PERP` and `BTC-USD-240329` are futures.
    #[must_use]
    pub fn of_name(symbol: &Symbol) -> Self {
        let parts: Vec<_> = symbol.as_str().split('-').collect();
        let (&[base, quote], kind) = (match parts.as_slice() {
            pair @ [_, quote] if *quote != "PERP" => (pair, InstrumentKind::Spot),
            [pair @ .., "PERP"] => (pair, InstrumentKind::Perp),
            [pair @ .., end] if end.len() >= 6 && end.bytes().all(|byte| byte.is_ascii_digit()) => {
                (pair, InstrumentKind::Future)
            }
            _ => return Self::default(),
        }) else {
            return Self::default();
        };
        Self { kind: Some(kind), base: Some(base.into()), quote: Some(quote.into()), ..Self::default() }
    }

    /// Takes over what a newer one says.
    pub fn update(&mut self, newer: &Self) {
        fn take<T: Clone>(known: &mut Option<T>, newer: Option<&T>) {
            if newer.is_some() {
                *known = newer.cloned();
            }
        }
        take(&mut self.tick_size, newer.tick_size.as_ref());
        take(&mut self.lot_size, newer.lot_size.as_ref());
        take(&mut self.price_scale, newer.price_scale.as_ref());
        take(&mut self.kind, newer.kind.as_ref());
        take(&mut self.base, newer.base.as_ref());
        take(&mut self.quote, newer.quote.as_ref());
        take(&mut self.expiry, newer.expiry.as_ref());
    }

    /// Decimals of a price, as they are said or as the smallest step has them.
    #[must_use]
    pub fn price_decimals(&self) -> Option<u32> {
        self.price_scale.or_else(|| self.tick_size.map(|step| step.normalize().scale()))
    }
}

/// One tradable thing at one venue. (`venue`, `venue_symbol`) is unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The name in our form.
    pub symbol: Symbol,
    /// Where it trades.
    pub venue: Venue,
    /// The name exactly as the venue writes it.
    pub venue_symbol: Box<str>,
    /// Other names for it that are in use, none of which is its symbol.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Symbol>,
    /// What is known of it.
    #[serde(flatten)]
    pub definition: Definition,
}

impl Instrument {
    /// An instrument of which only the names are known.
    #[must_use]
    pub fn named(symbol: Symbol, venue: Venue, venue_symbol: &str) -> Self {
        Self {
            symbol,
            venue,
            venue_symbol: venue_symbol.into(),
            aliases: Vec::new(),
            definition: Definition::default(),
        }
    }

    /// The names under which others know it: the venue's own, as far as it is of our form, and that with our separators.
    #[must_use]
    pub fn other_names(&self) -> Vec<Symbol> {
        let own = self.venue_symbol.to_ascii_uppercase();
        let dashed = own.replace(['/', '_', ':'], "-");
        let mut names: Vec<_> = [own, dashed].iter().filter_map(|name| Symbol::parse(name).ok()).collect();
        names.dedup();
        names.retain(|name| *name != self.symbol);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_can() {
        let of = |name: &str| {
            let Definition { kind, base, quote, .. } = Definition::of_name(&Symbol::parse(name).unwrap());
            kind.map(|kind| format!("{} {} {}", kind.as_str(), base.unwrap(), quote.unwrap()))
        };
        assert_eq!(of("BTC-USD").as_deref(), Some("spot BTC USD"));
        assert_eq!(of("BTC-USDT-PERP").as_deref(), Some("perp BTC USDT"));
        assert_eq!(of("BTC-USD-240329").as_deref(), Some("future BTC USD"));
        for name in ["AAPL", "BTC-29DEC23-50000-C", "BTC-PERP", "A-B-C"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    /// The venue's own name, as far as it is of our form, and that with our separators.
    #[test]
    fn other_names_are_the_venues() {
        let named = |symbol: &str, venue_symbol: &str| {
            let instrument = Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("v"), venue_symbol);
            instrument.other_names().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(named("BTC-USD", "XBT/USD"), ["XBT/USD", "XBT-USD"]);
        assert_eq!(named("BTC-USDT", "btcusdt"), ["BTCUSDT"]);
        assert_eq!(named("BTC-USD", "BTC-USD"), [""; 0]);
    }

    #[test]
    fn a_newer_definition_keeps_what_it_does_not_say() {
        let mut known = Definition {
            tick_size: Some(Decimal::new(10, 2)),
            kind: Some(InstrumentKind::Spot),
            ..Definition::default()
        };
        assert_eq!(known.price_decimals(), Some(1));
        known.update(&Definition { tick_size: Some(Decimal::new(5, 3)), ..Definition::default() });
        assert_eq!((known.price_decimals(), known.kind), (Some(3), Some(InstrumentKind::Spot)));
        known.update(&Definition { price_scale: Some(8), ..Definition::default() });
        assert_eq!(known.price_decimals(), Some(8));
    }
}
