//! What stands before the records: the data set, and which numbers stood for which instruments when.

use std::io::{self, Read};

use model::{Date, Interval, UnixNanos};

use super::super::bytes::{Window, le, text};
use super::super::error::BinaryError;
use crate::capture::Input;
use crate::error::FeedError;

/// What stands before the records.
#[derive(Default)]
pub(super) struct Header {
    pub(super) metadata: Metadata,
    /// There is something; records may stand alone.
    pub(super) found: bool,
    /// What is wrong with it, but leaves the records readable.
    pub(super) fault: Option<BinaryError>,
}

impl Header {
    fn of(parsed: Result<Metadata, BinaryError>) -> Self {
        let (metadata, fault) = match parsed {
            Ok(metadata) => (metadata, None),
            Err(error) => (Metadata::default(), Some(error)),
        };
        Self { metadata, found: true, fault }
    }
}

/// The newest version that is known.
pub(super) const VERSION_MAX: u8 = 3;
/// Largest header: that of the options of a whole country has some 300 MB.
const HEADER_BYTES_MAX: usize = 1 << 30;

const MAGIC: &[u8] = b"DBN";
/// What DBN was before it was DBN: a frame that zstd passes over, and a zstd frame of records.
const LEGACY: &[u8] = b"DBZ\x01";
const LEGACY_FIXED_BYTES: usize = 96;

/// Kinds of symbols.
const INSTRUMENT_ID: u8 = 0;
const PARENT: u8 = 4;

/// What is said of the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The data set, where it is said.
    pub(super) dataset: Option<String>,
    /// The length of bars whose kind does not tell it.
    pub(super) bars: Option<Interval>,
    /// The names of instruments, each for a time.
    pub(super) names: Vec<Named>,
}

/// The name that a number stood for, from a time up to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) from: UnixNanos,
    pub(super) to: UnixNanos,
}

/// Whether a header begins so. No record does: it would be of a kind that there is not.
pub(super) const fn begins(head: &[u8]) -> bool {
    matches!(head, [b'D', b'B', b'N', 1..=VERSION_MAX])
}

/// Reads what stands before the records, if anything does.
///
/// # Errors
/// The records cannot be read.
pub(super) fn read(window: &mut Window) -> Result<Header, FeedError> {
    let head = window.peek(12)?;
    if head.starts_with(MAGIC) && head.len() >= 8 {
        let (version, len) = (head[3], le::u32(head, 4));
        if version > VERSION_MAX {
            let newest = VERSION_MAX;
            return Err(BinaryError::Version { format: "DBN", version, newest }.into());
        }
        let header = take(window, 8, len)?;
        return Ok(Header::of(parse(&header, version)));
    }
    // Frames that zstd passes over begin with one of sixteen numbers.
    if head.len() == 12 && le::u32(head, 0) & 0xffff_fff0 == 0x184d_2a50 && &head[8..] == LEGACY {
        let len = le::u32(head, 4);
        let header = take(window, 8, len)?;
        let parsed = parse_legacy(&header);
        window.rewrap(|rest| Input::new(rest, None).map_err(io::Error::other))?;
        return Ok(Header::of(parsed));
    }
    Ok(Header::default())
}

fn take(window: &mut Window, before: usize, len: u32) -> Result<Vec<u8>, FeedError> {
    let len = len as usize;
    if len > HEADER_BYTES_MAX {
        let what = "a header";
        return Err(BinaryError::Long { what, len: len as u64, most: HEADER_BYTES_MAX as u64 }.into());
    }
    window.skip(before);
    let mut header = Vec::new();
    // What is claimed is not believed before it is there.
    while header.len() < len {
        let part = window.peek((len - header.len()).min(1 << 16))?;
        if part.is_empty() {
            return Err(BinaryError::Cut("its metadata").into());
        }
        let taken = part.len();
        header.extend_from_slice(part);
        window.skip(taken);
    }
    Ok(header)
}

fn parse(header: &[u8], version: u8) -> Result<Metadata, BinaryError> {
    let mut fields = Fields(header);
    let dataset = fields.text(16)?;
    let bars = bars(fields.u16()?);
    // Start, end and limit, and once how many records there are: nobody here asks for them.
    fields.bytes(8 + 8 + 8 + if version == 1 { 8 } else { 0 })?;
    let (symbols_in, symbols_out, _ts_out) = (fields.u8()?, fields.u8()?, fields.u8()?);
    let symbol_len = if version == 1 { 22 } else { usize::from(fields.u16()?) };
    fields.bytes(if version == 1 { 47 } else { 53 })?;
    let names = names(&mut fields, symbol_len, (symbols_in, symbols_out))?;
    Ok(Metadata { dataset: Some(dataset).filter(|name| !name.is_empty()), bars, names })
}

fn parse_legacy(header: &[u8]) -> Result<Metadata, BinaryError> {
    let mut fields = Fields(header);
    fields.bytes(LEGACY.len())?;
    let dataset = fields.text(16)?;
    let bars = bars(fields.u16()?);
    fields.bytes(8 + 8 + 8 + 8 + 1)?;
    let (symbols_in, symbols_out) = (fields.u8()?, fields.u8()?);
    let packed = header.get(LEGACY_FIXED_BYTES..).unwrap_or_default();
    let mut rest = Vec::new();
    zstd::stream::read::Decoder::new(packed)
        .and_then(|decoder| decoder.take(HEADER_BYTES_MAX as u64).read_to_end(&mut rest))
        .map_err(|_| BinaryError::Metadata("what is packed in it does not read"))?;
    let names = names(&mut Fields(&rest), 22, (symbols_in, symbols_out))?;
    Ok(Metadata { dataset: Some(dataset).filter(|name| !name.is_empty()), bars, names })
}

/// The bars of a schema.
const fn bars(schema: u16) -> Option<Interval> {
    match schema {
        5 => Some(Interval::S1),
        6 => Some(Interval::M1),
        7 => Some(Interval::H1),
        8 | 13 => Some(Interval::D1),
        _ => None,
    }
}

/// The part of variable length: symbols that were asked for, found in part, not found; and what each was when.
fn names(fields: &mut Fields<'_>, len: usize, (from, to): (u8, u8)) -> Result<Vec<Named>, BinaryError> {
    if fields.u32()? != 0 {
        return Err(BinaryError::Metadata("a definition of a schema, which nobody has defined yet"));
    }
    for _lists in 0..3 {
        let count = fields.u32()? as usize;
        fields.bytes(count.saturating_mul(len))?;
    }
    let mut names = Vec::new();
    for _mapping in 0..fields.u32()? {
        let asked = fields.text(len)?;
        for _interval in 0..fields.u32()? {
            let (start, end, meant) = (fields.date()?, fields.date()?, fields.text(len)?);
            let (id, name) = match (from, to) {
                // All that a parent has is a group, also where it has one a day.
                (INSTRUMENT_ID, INSTRUMENT_ID) | (PARENT, _) => continue,
                (INSTRUMENT_ID, _) => (asked.parse(), meant),
                (_, INSTRUMENT_ID) => (meant.parse(), asked.clone()),
                // Between two kinds of names: no number is told.
                _ => continue,
            };
            // A day on which a symbol was nothing has no number.
            if let (Ok(id), false) = (id, name.is_empty()) {
                names.push(Named { id, name, from: start.midnight(), to: end.midnight() });
            }
        }
    }
    Ok(names)
}

/// Takes field after field.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], BinaryError> {
        let cut = BinaryError::Metadata("it ends in the middle of a field");
        let (field, rest) = self.0.split_at_checked(len).ok_or(cut)?;
        self.0 = rest;
        Ok(field)
    }

    fn u8(&mut self) -> Result<u8, BinaryError> {
        Ok(self.bytes(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, BinaryError> {
        Ok(le::u16(self.bytes(2)?, 0))
    }

    fn u32(&mut self) -> Result<u32, BinaryError> {
        Ok(le::u32(self.bytes(4)?, 0))
    }

    fn text(&mut self, len: usize) -> Result<String, BinaryError> {
        let field = text(self.bytes(len)?);
        let text = str::from_utf8(field).map_err(|_| BinaryError::Metadata("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn date(&mut self) -> Result<Date, BinaryError> {
        let date = u64::from(self.u32()?);
        Date::new(date / 10_000, date / 100 % 100, date % 100)
            .map_err(|_| BinaryError::Metadata("a date is none"))
    }
}
