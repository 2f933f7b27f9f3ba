//! Views: which fields of records a subscription wants.

use model::Channel;

/// Fields that a record need not have, by channel. `symbol`, `sequence`, `prev_sequence`,
/// `coalesced`, `summary` and `correction` always stand: without them nothing could be accounted for.
const TRADES: &[&str] = &[
    "trade_id",
    "price",
    "size",
    "side",
    "trades",
    "open",
    "high",
    "low",
    "volume",
    "notional",
    "buy_volume",
    "sell_volume",
    "first_ts_event",
    "original_sequence",
    "original_price",
    "original_size",
    "original_side",
    "original_ts_event",
    "new_trade_id",
    "ts_event",
    "ts_recv",
];
const QUOTES: &[&str] = &[
    "derived",
    "bid_price",
    "bid_size",
    "ask_price",
    "ask_size",
    "bid_source",
    "ask_source",
    "crossed",
    "locked",
    "ts_event",
    "ts_recv",
];
const TICKER: &[&str] = &[
    "last_price",
    "last_size",
    "bid_price",
    "bid_size",
    "ask_price",
    "ask_size",
    "open",
    "high",
    "low",
    "volume",
    "change",
    "change_percent",
    "window",
    "ts_event",
    "ts_recv",
];
const BOOK: &[&str] = &["ts_event", "ts_recv", "depth", "bids", "asks", "crossed", "locked", "checksum"];
const CANDLES: &[&str] =
    &["open", "high", "low", "close", "volume", "trades", "closed", "corrected", "ts_event", "ts_recv"];
const STATUS: &[&str] = &["state", "reason", "feed", "since", "ts_event", "ts_recv"];

/// Fields that stand only in records of those who name them.
const ASKED_FOR: &[&str] = &["ts_source", "ts_seq"];

/// The lists, in one order.
const LISTS: [&[&str]; 7] = [TRADES, QUOTES, TICKER, BOOK, CANDLES, STATUS, ASKED_FOR];

/// All of them, each once: a view is a set of their places here.
fn known() -> impl Iterator<Item = &'static str> {
    LISTS.into_iter().enumerate().flat_map(|(list, names)| {
        let is_new = move |name: &&&str| !LISTS[..list].iter().any(|before| before.contains(*name));
        names.iter().filter(is_new).copied()
    })
}

fn place(name: &str) -> Option<usize> {
    known().position(|known| known == name)
}

/// Fields that stand in every record where they apply.
const ALWAYS: [&str; 8] =
    ["symbol", "sequence", "prev_sequence", "coalesced", "summary", "correction", "interval", "start"];

/// A set of fields; the empty one stands for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct View(u64);

impl View {
    /// All fields.
    pub const ALL: Self = Self(0);

    /// The set as a number, for those who only pass it on.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set that [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Adds a field; false where no record has one of that name.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        if let Some(place) = place(name) {
            self.0 |= 1 << place;
            return true;
        }
        // What always stands still makes the set one that was asked for.
        self.0 |= NONE;
        ALWAYS.contains(&name)
    }

    /// Whether a record is to have a field.
    pub(crate) fn wants(self, name: &str) -> bool {
        let is_in = |place: usize| self.0 & (1 << place) != 0;
        self == Self::ALL || ALWAYS.contains(&name) || place(name).is_none_or(is_in)
    }

    /// Whether a record is to have a field that stands only where it is named.
    pub(crate) fn names_it(self, name: &str) -> bool {
        place(name).is_some_and(|place| self.0 & (1 << place) != 0)
    }

    /// The names in it, in the order of the records; empty for all. Where nothing is wanted but what
    /// always stands, `sequence` stands for that.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let wanted = known().enumerate().filter(move |(place, _)| self.0 & (1 << place) != 0);
        wanted.map(|(_, name)| name).chain((self.0 == NONE).then_some("sequence"))
    }
}

/// A set that holds nothing but what always stands.
const NONE: u64 = 1 << 63;

/// The fields that records of a channel may have.
pub(crate) fn fields_of(channel: Channel) -> impl Iterator<Item = &'static str> {
    let own = match channel {
        Channel::Trades => TRADES,
        Channel::Quotes => QUOTES,
        Channel::Ticker => TICKER,
        Channel::Book => BOOK,
        Channel::Candles => CANDLES,
        Channel::Status => STATUS,
    };
    own.iter().copied().chain(ASKED_FOR.iter().copied()).chain(ALWAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_channel_has_a_place() {
        for channel in Channel::ALL {
            for name in fields_of(channel) {
                let mut view = View::ALL;
                assert!(view.add(name), "{name}");
                assert!(view.wants(name), "{name}");
                assert!(!view.wants("price") || name == "price", "{name}");
                assert_eq!(View::from_bits(view.bits()), view);
            }
        }
        assert!(known().count() < 63, "a set has room for all of them");
        let mut view = View::ALL;
        assert!(!view.add("prize"));
        // What `list` says of a view makes the same view.
        for names in [&["symbol"][..], &["price", "size"], &["start", "close"]] {
            let mut view = View::ALL;
            assert!(names.iter().all(|name| view.add(name)));
            let mut again = View::ALL;
            assert!(view.names().all(|name| again.add(name)));
            assert!(fields_of(Channel::Trades).all(|name| view.wants(name) == again.wants(name)));
            assert_ne!(again, View::ALL);
        }
    }
}
