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
    "databento-mbp-1",
    "databento-mbp-10",
    "databento-trades",
    "dukascopy",
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
    "trades-maker",
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

/// The mapping that knows most of a file's columns by name, and lacks none. One for any trades or quotes
/// gives way to one for a certain kind of file.
pub(super) fn by_names(names: &Names) -> Result<Mapping, TableError> {
    if names.0.is_empty() {
        return Err(TableError::Nameless);
    }
    let fits = |shipped: &Shipped| {
        let mapping = shipped.mapping();
        let known = mapping.written.fits(names)?;
        Some(((known, !GENERAL.contains(&shipped.name)), shipped.name, mapping))
    };
    let told = ALL.iter().filter(|shipped| !ASKED_FOR.contains(&shipped.name));
    let mut fitting: Vec<_> = told.filter_map(fits).collect();
    let best = fitting.iter().map(|(rank, ..)| *rank).max();
    fitting.retain(|(rank, ..)| Some(*rank) == best);
    match fitting.pop() {
        None => Err(TableError::Unknown { names: names.list() }),
        Some((_, _, mapping)) if fitting.is_empty() => Ok(mapping),
        Some((_, last, _)) => {
            let names = fitting.iter().map(|(_, name, _)| *name).chain([last]);
            Err(TableError::Several { names: names.collect::<Vec<_>>().join(", ") })
        }
    }
}

/// Those for any file whose columns have usual names.
const GENERAL: [&str; 3] = ["quotes", "trades", "trades-maker"];

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
