//! The mappings that come with the program.

use super::TableError;
use super::column::Names;
use super::mapping::Mapping;

/// A mapping that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What `--map` calls it.
    pub name: &'static str,
    /// It, as it is written.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// The mappings that come with the program, by name.
        const ALL: &[Shipped] = &[
            $(Shipped { name: $name, text: include_str!(concat!("shipped/", $name, ".toml")) }),*
        ];
    };
}

shipped![
    "binance-aggtrades",
    "binance-coinm-aggtrades",
    "binance-coinm-trades",
    "binance-trades",
    "binance-usdm-aggtrades",
    "binance-usdm-bookticker",
    "binance-usdm-trades",
    "bitmex-quotes",
    "bitmex-trades",
    "bitstamp-trades",
    "bybit-trades",
    "ccxt",
    "databento-bbo",
    "databento-mbo",
    "databento-mbp-1",
    "databento-mbp-10",
    "databento-trades",
    "dukascopy",
    "dukascopy-csv",
    "histdata",
    "kaiko-trades",
    "kraken-trades",
    "lean-crypto-quote",
    "lean-crypto-trade",
    "lean-equity-quote",
    "lean-equity-trade",
    "lean-forex-quote",
    "lobster",
    "lobster-orders",
    "polygon-quotes",
    "polygon-trades",
    "quotes",
    "tardis-book",
    "tardis-book-snapshot",
    "tardis-quotes",
    "tardis-trades",
    "trades",
    "truefx",
];

/// The mappings that come with the program.
#[must_use]
pub const fn shipped() -> &'static [Shipped] {
    ALL
}

/// The names of the mappings that come with the program, for messages.
#[must_use]
pub fn known() -> String {
    ALL.iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ")
}

impl Shipped {
    /// What it says.
    ///
    /// # Panics
    /// Never: tests read them all.
    #[must_use]
    pub fn mapping(&self) -> Mapping {
        toml::from_str(self.text).expect("what comes with the program can be read")
    }

    /// What it is for, in one line.
    #[must_use]
    pub fn about(&self) -> String {
        self.mapping().written.about.unwrap_or_default()
    }
}

/// The mapping of this name, where there is one.
pub(super) fn named(name: &str) -> Option<Mapping> {
    ALL.iter().find(|shipped| shipped.name == name).map(Shipped::mapping)
}

/// The mapping that knows most of a file's columns by name, and lacks none. One for any trades or quotes
/// gives way to one for a certain kind of file.
pub(super) fn by_names(names: &Names) -> Result<Mapping, TableError> {
    if names.0.is_empty() {
        return Err(TableError::Nameless);
    }
    let foreign = foreign(names);
    let fits = |shipped: &Shipped| {
        if GENERAL.contains(&shipped.name) && foreign.is_some() {
            return None;
        }
        let mapping = shipped.mapping();
        let known = mapping.written.fits(names)?;
        Some(((known, !GENERAL.contains(&shipped.name)), shipped.name, mapping))
    };
    let told = ALL.iter().filter(|shipped| !ASKED_FOR.contains(&shipped.name));
    let mut fitting: Vec<_> = told.filter_map(fits).collect();
    let best = fitting.iter().map(|(rank, ..)| *rank).max();
    fitting.retain(|(rank, ..)| Some(*rank) == best);
    match fitting.pop() {
        None => Err(match foreign {
            Some(column) => TableError::NoTrades { column: column.to_owned(), names: names.list() },
            None => TableError::Unknown { names: names.list() },
        }),
        Some((_, _, mapping)) if fitting.is_empty() => Ok(mapping),
        Some((_, last, _)) => {
            let names = fitting.iter().map(|(_, name, _)| *name).chain([last]);
            Err(TableError::Several { names: names.collect::<Vec<_>>().join(", ") })
        }
    }
}

/// Those for any file whose columns have usual names.
const GENERAL: [&str; 2] = ["quotes", "trades"];

/// Columns of files whose rows have a price and a size, too, and are levels, orders, statistics or bars.
const FOREIGN: [&str; 22] = [
    "is_snapshot",
    "snapshot",
    "stat_type",
    "rtype",
    "bid_px_00",
    "ask_px_00",
    "depth",
    "level",
    "action",
    "event_type",
    "update_type",
    "change_type",
    "msg_type",
    "message_type",
    "order_type_id",
    "book_side",
    "bids",
    "asks",
    "percentage",
    "open",
    "num_orders",
    "order_count",
];

/// The column that says that the rows are neither trades nor quotes, as files of any kind have them.
fn foreign(names: &Names) -> Option<&str> {
    let has = |name| names.find(name).map(|at| &*names.0[at]);
    let found = FOREIGN.iter().find_map(|name| has(name));
    let trade_id = ["trade_id", "exec_id", "execution_id", "fill_id", "tid", "match_id"]
        .iter()
        .find_map(|name| has(name));
    // What happens to orders; executions of one's own have an id besides.
    let order = has("order_id").filter(|_| trade_id.is_none());
    // Kaiko's levels of books, which have nothing that trades do not have.
    let level = has("type")
        .filter(|_| names.0.len() == 4 && ["date", "price", "amount"].iter().all(|name| has(name).is_some()));
    found.or(order).or(level)
}

/// Those whose columns have names that others have, too: they are meant where somebody says so.
const ASKED_FOR: [&str; 2] = ["ccxt", "truefx"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_can_be_read() {
        for shipped in ALL {
            let mapping: Result<Mapping, _> = toml::from_str(shipped.text);
            let mapping = mapping.unwrap_or_else(|error| panic!("{}: {error}", shipped.name));
            assert!(mapping.written.about.is_some_and(|about| about.len() < 100), "{}", shipped.name);
        }
    }

    #[test]
    fn they_are_in_the_order_of_their_names() {
        let names: Vec<_> = ALL.iter().map(|shipped| shipped.name).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
