//! The book checksum: CRC-32 as Kraken WebSocket v2 defines it.
//!
//! Source: Kraken's guide "Book checksum (WebSocket v2)". For the ten best asks, then the ten best
//! bids, best first: price, then size, each as the exact decimal text without its dot and without
//! leading zeros, all joined, CRC-32 (ISO-HDLC) over the bytes.

use rust_decimal::Decimal;

use crate::book::Level;
use crate::decimal;
use crate::limits::CHECKSUM_LEVELS;

/// The checksum of the best levels, best first; more than ten a side are ignored.
#[must_use]
pub fn kraken_checksum(asks: impl Iterator<Item = Level>, bids: impl Iterator<Item = Level>) -> u32 {
    let mut text = Vec::with_capacity(2 * CHECKSUM_LEVELS * 24);
    for level in asks.take(CHECKSUM_LEVELS).chain(bids.take(CHECKSUM_LEVELS)) {
        push_digits(&mut text, level.price.value());
        push_digits(&mut text, level.size.value());
    }
    crc32fast::hash(&text)
}

/// Appends the digits of a value at its scale, without sign, dot and leading zeros: its mantissa.
/// Zero has no digits left.
pub fn push_digits(text: &mut Vec<u8>, value: Decimal) {
    let mantissa = value.mantissa();
    if mantissa != 0 {
        text.extend_from_slice(decimal::shown(mantissa, &mut itoa::Buffer::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, BookSide};
    use crate::numbers::{Price, Size};

    /// The worked example of Kraken's guide.
    #[test]
    fn agrees_with_the_guide() {
        let asks = "45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 \
                    45290.2 0.15890660 45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 \
                    45297.5 0.09945542 45299.5 0.18772827";
        let bids = "45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000 \
                    45280.3 1.54592586 45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 \
                    45277.3 1.54602737 45276.6 0.15445238";
        let mut book = Book::default();
        for (side, text) in [(BookSide::Ask, asks), (BookSide::Bid, bids)] {
            let words: Vec<_> = text.split_whitespace().collect();
            for pair in words.chunks(2) {
                let level =
                    Level { price: Price::parse(pair[0]).unwrap(), size: Size::parse(pair[1]).unwrap() };
                book.set(side, level);
            }
        }
        assert_eq!(book.checksum(10), 3_310_070_434);
        // Deeper levels do not count, a smaller depth does.
        book.set(
            BookSide::Ask,
            Level { price: Price::parse("50000.0").unwrap(), size: Size::parse("1").unwrap() },
        );
        assert_eq!(book.checksum(25), 3_310_070_434);
        assert_ne!(book.checksum(5), 3_310_070_434);
    }
}
