//! Twins: the streams of a symbol once more, later.
//!
//! What somebody may have with a delay only is published again when that has passed, in streams of its own. To the
//! fan-out these are streams like any other: logs, places and accounts need nothing more. A symbol and its twins
//! are numbered in a row, and a twin has no name: who looks for one by name finds the symbol.

use crate::ids::SymbolId;

/// How many twins each symbol has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Twins(u32);

impl Twins {
    pub(crate) fn new(count: usize) -> Self {
        Self(u32::try_from(count).expect("each twin is a setting, and those are few"))
    }

    /// The numbers that a symbol and its twins take together.
    pub(crate) const fn stride(self) -> usize {
        self.0 as usize + 1
    }

    /// The symbol that is listed as number `listed`.
    pub(crate) fn symbol(self, listed: usize) -> SymbolId {
        SymbolId(u32::try_from(listed * self.stride()).expect("fewer than 2^32 symbols fit in memory"))
    }

    /// As which number a symbol, or the one it is a twin of, is listed.
    pub(crate) const fn listed(self, symbol: SymbolId) -> usize {
        symbol.index() / self.stride()
    }

    /// Which twin of its symbol it is; 0 = it is no twin.
    pub(crate) const fn number(self, symbol: SymbolId) -> usize {
        symbol.index() % self.stride()
    }

    /// Twin number `number` of a symbol, or of the one it is a twin of; 0 = that one itself.
    pub(crate) fn twin(self, symbol: SymbolId, number: usize) -> SymbolId {
        assert!(number < self.stride(), "the next number is another symbol's");
        SymbolId(self.symbol(self.listed(symbol)).0 + u32::try_from(number).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_and_its_twins_are_numbered_in_a_row() {
        let twins = Twins::new(2);
        let second = twins.symbol(1);
        let of_second = [0, 1, 2].map(|number| twins.twin(second, number));
        assert_eq!(of_second.map(SymbolId::index), [3, 4, 5]);
        assert_eq!(
            of_second.map(|symbol| (twins.listed(symbol), twins.number(symbol))),
            [(1, 0), (1, 1), (1, 2)]
        );
        assert_eq!(twins.twin(of_second[2], 0), second);
        let none = Twins::default();
        assert_eq!((none.symbol(7).index(), none.number(none.symbol(7))), (7, 0));
    }
}
