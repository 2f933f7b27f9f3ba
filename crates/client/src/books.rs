//! Order books out of snapshots and updates, held against their checksums.

use std::collections::BTreeMap;

use model::{Book, Channel};
use wire::{Data, RecordBody};

/// The books of a session.
#[derive(Debug, Default)]
pub struct Books {
    books: BTreeMap<String, Book>,
    checked: u64,
}

/// A book is not what the server has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// A change of a book that was never sent.
    #[error("a change of the book of {symbol} came before the book")]
    NoBook {
        /// The symbol.
        symbol: String,
    },
    /// The checksums differ.
    #[error("the book of {symbol} at {sequence} has checksum {ours}, the server's has {theirs}")]
    Checksum {
        /// The symbol.
        symbol: String,
        /// Where.
        sequence: u64,
        /// What we have.
        ours: u32,
        /// What the server has.
        theirs: u32,
    },
}

impl Books {
    /// Takes a snapshot of books; other channels are passed over.
    ///
    /// # Errors
    /// A checksum that came with it does not fit.
    pub fn snapshot(&mut self, data: &Data) -> Result<(), BookError> {
        if data.channel != Channel::Book {
            return Ok(());
        }
        for symbol in &data.empty {
            self.books.remove(symbol);
        }
        self.take(data, true)
    }

    /// Takes updates of books; other channels are passed over.
    ///
    /// # Errors
    /// A change of a book that is not there, or a checksum that does not fit.
    pub fn update(&mut self, data: &Data) -> Result<(), BookError> {
        if data.channel == Channel::Book { self.take(data, false) } else { Ok(()) }
    }

    fn take(&mut self, data: &Data, whole: bool) -> Result<(), BookError> {
        for record in &data.records {
            let RecordBody::Book(levels, notes) = &record.body else { continue };
            let symbol = record.symbol.to_string();
            let book = if whole {
                self.books.insert(symbol.clone(), Book::from_levels(levels));
                self.books.get_mut(&symbol)
            } else {
                self.books.get_mut(&symbol)
            };
            let Some(book) = book else { return Err(BookError::NoBook { symbol }) };
            if !whole {
                book.apply(levels);
            }
            if let Some(theirs) = notes.checksum {
                let ours = book.checksum(usize::MAX);
                self.checked += 1;
                if ours != theirs {
                    return Err(BookError::Checksum { symbol, sequence: record.seq.0, ours, theirs });
                }
            }
        }
        Ok(())
    }

    /// The book of a symbol.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Book> {
        self.books.get(symbol)
    }

    /// How many checksums were compared.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.checked
    }
}
