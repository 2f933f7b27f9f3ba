//! One line that says whether two runs gave the same.
//!
//! The digest begins as 32 zero bytes. After each page of [`DIGEST_PAGE`] records, and after the rest of them at
//! the end, it becomes the SHA-256 of itself and the lines of the page, each with its line feed. So it can be gone
//! on with from any page, and two runs that differ say within a page where.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use model::Placed;

use crate::limits::DIGEST_PAGE;

/// Writes a record as a line, without its line feed.
pub type Line = fn(&Placed, &mut Vec<u8>);

/// The digest of the records that it was given.
#[derive(Clone)]
pub struct Digest {
    line: Line,
    records: u64,
    /// What it was after the last full page.
    last: [u8; SHA256_OUTPUT_LEN],
    page: Context,
    bytes: Vec<u8>,
}

impl Digest {
    /// The digest of no record.
    #[must_use]
    pub fn new(line: Line) -> Self {
        let last = [0; SHA256_OUTPUT_LEN];
        Self { line, records: 0, last, page: begin(&last), bytes: Vec::new() }
    }

    /// Takes a record; true where a page is full with it.
    pub fn push(&mut self, record: &Placed) -> bool {
        self.bytes.clear();
        (self.line)(record, &mut self.bytes);
        self.bytes.push(b'\n');
        self.page.update(&self.bytes);
        self.records += 1;
        let full = self.records.is_multiple_of(DIGEST_PAGE);
        if full {
            self.last = self.now();
            self.page = begin(&self.last);
        }
        full
    }

    /// How many records it is of.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The line of the newest record, with its line feed.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest, in hexadecimal.
    #[must_use]
    pub fn value(&self) -> String {
        let value = if self.records.is_multiple_of(DIGEST_PAGE) { self.last } else { self.now() };
        hexadecimal(&value)
    }

    fn now(&self) -> [u8; SHA256_OUTPUT_LEN] {
        let mut value = [0; SHA256_OUTPUT_LEN];
        value.copy_from_slice(self.page.clone().finish().as_ref());
        value
    }
}

fn begin(last: &[u8]) -> Context {
    let mut page = Context::new(&SHA256);
    page.update(last);
    page
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
