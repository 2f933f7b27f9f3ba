//! The checksum of books that several venues share: bid and ask in turn, best first, parts joined by colons.

use model::{Book, BookSide, Level, decimal};

/// Levels a side that are covered.
const LEVELS: usize = 25;

/// CRC-32 as a signed number, over `price:size` as the venue wrote them.
pub(super) fn of_texts(book: &Book) -> i32 {
    of(book, |text, _, Level { price, size }| {
        decimal::push(text, price.value());
        text.push(b':');
        decimal::push(text, size.value());
    })
}

/// The same with levels that are written by `put`.
pub(super) fn of(book: &Book, put: impl Fn(&mut Vec<u8>, BookSide, Level)) -> i32 {
    let mut text = Vec::with_capacity(LEVELS * 2 * 24);
    let (mut bids, mut asks) = (book.iter(BookSide::Bid), book.iter(BookSide::Ask));
    for _ in 0..LEVELS {
        for (side, level) in [(BookSide::Bid, bids.next()), (BookSide::Ask, asks.next())] {
            if let Some(level) = level {
                if !text.is_empty() {
                    text.push(b':');
                }
                put(&mut text, side, level);
            }
        }
    }
    crc32fast::hash(&text).cast_signed()
}
