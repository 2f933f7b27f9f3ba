//! Values with a rule: checked where they are read, so that an error knows its line.

use std::time::Duration;

use gateway::Over;
use model::Speed;
use serde::{Deserialize, Deserializer, de};

macro_rules! parsed_text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parse(&text).map(Self).map_err(de::Error::custom)
            }
        }
    };
}

parsed_text! {
    /// A duration such as `"30s"`.
    Time(Duration), |text| {
        humantime::parse_duration(text).map_err(|_| format!("{text:?} is no duration; write it as \"250ms\", \"30s\", \"24h\" or \"7d\""))
    }
}

parsed_text! {
    /// A number of bytes such as `"64KiB"`.
    Bytes(usize), |text| {
        let size: bytesize::ByteSize = text.parse().map_err(|_| format!("{text:?} is no size; write it as \"64KiB\""))?;
        usize::try_from(size.as_u64()).map_err(|_| format!("{text:?} is too large"))
    }
}

parsed_text! {
    /// A replay's speed.
    SpeedText(Speed), |text| text.parse().map_err(|error: model::SpeedError| error.to_string())
}

parsed_text! {
    /// The name of what reads a feed.
    FeedKindName(String), |text| {
        if ingest::FEEDS.contains(&text) {
            return Ok(text.to_owned());
        }
        let hint = wire::closest(text, ingest::FEEDS).map(|near| format!(" Did you mean {near:?}?"));
        Err(format!("unknown feed {text:?}; known are {}.{}", ingest::FEEDS.join(", "), hint.unwrap_or_default()))
    }
}

parsed_text! {
    /// What a live feed subscribes to.
    LiveChannelName(ingest::live::LiveChannel), |text| {
        use ingest::live::LiveChannel::{Book, Quotes, Ticker, Trades};
        let known = [("trades", Trades), ("quotes", Quotes), ("ticker", Ticker), ("book", Book)];
        if let Some((_, channel)) = known.iter().find(|(name, _)| *name == text) {
            return Ok(*channel);
        }
        let hint = wire::closest(text, known.map(|(name, _)| name)).map(|near| format!(" Did you mean {near:?}?"));
        Err(format!("{text:?} is no channel of a live feed: trades, quotes, ticker, book.{}", hint.unwrap_or_default()))
    }
}

/// Symbols: how many, or which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// So many.
    Count(usize),
    /// These.
    Names(Vec<String>),
}

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Symbols;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("how many symbols, or a list of their names")
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Symbols, E> {
                let refused = |_| E::invalid_value(de::Unexpected::Signed(count), &self);
                usize::try_from(count).map(Symbols::Count).map_err(refused)
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Symbols, E> {
                let refused = |_| E::invalid_value(de::Unexpected::Unsigned(count), &self);
                usize::try_from(count).map(Symbols::Count).map_err(refused)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Symbols, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Symbols::Names(names))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

parsed_text! {
    /// How tokens are signed.
    AlgorithmName(gateway::Algorithm), |text| text.parse().map_err(|error: gateway::KeyError| error.to_string())
}

parsed_text! {
    /// Who goes when there is one too many.
    OverName(Over), |text| match text {
        "refuse" => Ok(Over::Refuse),
        "evict" => Ok(Over::Evict),
        _ => Err(format!("{text:?}: \"refuse\" the new one, or \"evict\" the oldest")),
    }
}

impl Default for OverName {
    fn default() -> Self {
        Self(Over::Refuse)
    }
}

parsed_text! {
    /// The hash of a fixed token.
    HashText(gateway::Hash), |text| text.parse().map_err(|error: gateway::HashError| error.to_string())
}

parsed_text! {
    /// Whose subjects share the bounds of a tenant.
    TenantName(Box<str>), |text| {
        gateway::tenant(text).ok_or_else(|| format!("{text:?} is no name for a tenant; 1 to 128 bytes that can be seen are"))
    }
}

parsed_text! {
    /// Something that a token allows.
    ScopeText(gateway::Scope), crate::scopes::parse
}

parsed_text! {
    /// A time such as `"2027-01-01T00:00:00Z"`.
    Moment(model::UnixNanos), |text| {
        model::UnixNanos::from_rfc3339(text).map_err(|_| format!("{text:?} is no time; write it as \"2027-01-01T00:00:00Z\""))
    }
}

parsed_text! {
    /// A day such as `"2013-10-07"`.
    Day(model::Date), |text| {
        model::Date::parse(text).map_err(|_| format!("{text:?} is no day; write it as \"2013-10-07\""))
    }
}

parsed_text! {
    /// What is put behind a symbol.
    Suffix(String), |text| {
        let possible = text.is_empty() || model::Symbol::parse(&format!("A{text}")).is_ok();
        if possible && text.len() <= 16 {
            Ok(text.to_owned())
        } else {
            Err(format!("{text:?} cannot stand in a symbol; letters A-Z, digits and - . _ : / can, 16 at most"))
        }
    }
}

parsed_text! {
    /// Symbols by a pattern.
    PatternText(model::Pattern), |text| {
        model::Pattern::parse(text).map_err(|error| format!("{text:?}: {error}"))
    }
}

parsed_text! {
    /// The name of a feed.
    FeedName(String), |text| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
            Ok(text.to_owned())
        } else {
            Err(format!("{text:?} is no name for a feed; letters, digits and - _ . can be in it, 32 at most"))
        }
    }
}
