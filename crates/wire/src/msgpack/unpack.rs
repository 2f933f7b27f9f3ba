//! From MessagePack to JSON: what clients send.

use std::fmt::Write;

use model::UnixNanos;
use rmp::Marker;
use rmp::decode::read_marker;

use super::TIMESTAMP;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// They end in the middle.
    #[error("it ends at byte {0}, in the middle of a value")]
    Cut(usize),
    /// There is more behind the value.
    #[error("something follows the message, at byte {0}")]
    Rest(usize),
    /// A text is not UTF-8.
    #[error("the text at byte {0} is not UTF-8")]
    NotUtf8(usize),
    /// A key is not a text.
    #[error("the key at byte {0} is not a text")]
    Key(usize),
    /// Bytes, an extension, or a number that JSON does not have.
    #[error("the value at byte {0} is of a kind that no message has")]
    Kind(usize),
    /// Maps and lists stand deeper in each other than any message has them.
    #[error("it is nested deeper than {DEPTH_MAX}")]
    Deep,
}

/// Maps and lists in each other: half of what JSON may have here, as an answer may hold it deeper.
const DEPTH_MAX: usize = 64;

/// A client's message as JSON text; a timestamp becomes a text of nine digits. Cost: one pass; nothing is
/// kept for what a header promises.
///
/// # Errors
/// See [`UnpackError`]; positions count from 0.
pub fn unpack(bytes: &[u8]) -> Result<String, UnpackError> {
    let mut unpacker = Unpacker { all: bytes, rest: bytes, out: String::with_capacity(bytes.len()) };
    unpacker.value(0)?;
    match unpacker.rest {
        [] => Ok(unpacker.out),
        _ => Err(UnpackError::Rest(unpacker.at())),
    }
}

struct Unpacker<'a> {
    all: &'a [u8],
    rest: &'a [u8],
    out: String,
}

impl<'a> Unpacker<'a> {
    fn at(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], UnpackError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(UnpackError::Cut(self.all.len()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], UnpackError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| UnpackError::Cut(self.all.len()))
    }

    fn length(&mut self, bytes: usize) -> Result<usize, UnpackError> {
        let big_endian = self.take(bytes)?.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        usize::try_from(big_endian).map_err(|_| UnpackError::Cut(self.all.len()))
    }

    fn value(&mut self, depth: usize) -> Result<(), UnpackError> {
        if depth > DEPTH_MAX {
            return Err(UnpackError::Deep);
        }
        let at = self.at();
        let marker = read_marker(&mut self.rest).map_err(|_| UnpackError::Cut(self.all.len()))?;
        match marker {
            Marker::Null => self.out.push_str("null"),
            Marker::False => self.out.push_str("false"),
            Marker::True => self.out.push_str("true"),
            Marker::FixPos(value) => self.write(value),
            Marker::FixNeg(value) => self.write(value),
            Marker::U8 => self.integer(u8::from_be_bytes)?,
            Marker::U16 => self.integer(u16::from_be_bytes)?,
            Marker::U32 => self.integer(u32::from_be_bytes)?,
            Marker::U64 => self.integer(u64::from_be_bytes)?,
            Marker::I8 => self.integer(i8::from_be_bytes)?,
            Marker::I16 => self.integer(i16::from_be_bytes)?,
            Marker::I32 => self.integer(i32::from_be_bytes)?,
            Marker::I64 => self.integer(i64::from_be_bytes)?,
            Marker::F32 => {
                let value = f32::from_be_bytes(self.number()?);
                self.float(f64::from(value), at)?;
            }
            Marker::F64 => {
                let value = f64::from_be_bytes(self.number()?);
                self.float(value, at)?;
            }
            Marker::FixArray(count) => self.list(usize::from(count), depth)?,
            Marker::Array16 => {
                let count = self.length(2)?;
                self.list(count, depth)?;
            }
            Marker::Array32 => {
                let count = self.length(4)?;
                self.list(count, depth)?;
            }
            Marker::FixMap(count) => self.map(usize::from(count), depth)?,
            Marker::Map16 => {
                let count = self.length(2)?;
                self.map(count, depth)?;
            }
            Marker::Map32 => {
                let count = self.length(4)?;
                self.map(count, depth)?;
            }
            Marker::FixExt4 => self.time(4, at)?,
            Marker::FixExt8 => self.time(8, at)?,
            Marker::Ext8 => {
                let length = self.length(1)?;
                self.time(length, at)?;
            }
            other => match self.text_length(other)? {
                Some(length) => self.text(length, at)?,
                None => return Err(UnpackError::Kind(at)),
            },
        }
        Ok(())
    }

    /// The length of a text, if that is what begins with a marker.
    fn text_length(&mut self, marker: Marker) -> Result<Option<usize>, UnpackError> {
        Ok(Some(match marker {
            Marker::FixStr(length) => usize::from(length),
            Marker::Str8 => self.length(1)?,
            Marker::Str16 => self.length(2)?,
            Marker::Str32 => self.length(4)?,
            _ => return Ok(None),
        }))
    }

    fn write(&mut self, value: impl std::fmt::Display) {
        let written = write!(self.out, "{value}");
        debug_assert!(written.is_ok(), "a string takes everything");
    }

    fn integer<const N: usize, T: std::fmt::Display>(
        &mut self,
        of: impl Fn([u8; N]) -> T,
    ) -> Result<(), UnpackError> {
        let value = of(self.number()?);
        self.write(value);
        Ok(())
    }

    fn float(&mut self, value: f64, at: usize) -> Result<(), UnpackError> {
        let number = serde_json::Number::from_f64(value).ok_or(UnpackError::Kind(at))?;
        self.write(number);
        Ok(())
    }

    fn text(&mut self, length: usize, at: usize) -> Result<(), UnpackError> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| UnpackError::NotUtf8(at))?;
        self.write(serde_json::Value::from(text));
        Ok(())
    }

    fn time(&mut self, length: usize, at: usize) -> Result<(), UnpackError> {
        let kind = i8::from_be_bytes(self.number()?);
        let bytes = self.take(length)?;
        let time = Some(bytes).filter(|_| kind == TIMESTAMP).and_then(time).ok_or(UnpackError::Kind(at))?;
        self.write(format_args!("\"{time}\""));
        Ok(())
    }

    fn list(&mut self, count: usize, depth: usize) -> Result<(), UnpackError> {
        self.out.push('[');
        for item in 0..count {
            self.comma(item);
            self.value(depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, count: usize, depth: usize) -> Result<(), UnpackError> {
        self.out.push('{');
        for entry in 0..count {
            self.comma(entry);
            let at = self.at();
            let marker = read_marker(&mut self.rest).map_err(|_| UnpackError::Cut(self.all.len()))?;
            let length = self.text_length(marker)?.ok_or(UnpackError::Key(at))?;
            self.text(length, at)?;
            self.out.push(':');
            self.value(depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn comma(&mut self, before: usize) {
        if before > 0 {
            self.out.push(',');
        }
    }
}

/// The time of a timestamp, in any of its three forms, where nanoseconds since 1970 hold it.
fn time(bytes: &[u8]) -> Option<UnixNanos> {
    const SECOND: u64 = 1_000_000_000;
    let (seconds, nanos) = match *bytes {
        [a, b, c, d] => (u64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [_, _, _, _, _, _, _, _] => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            (both & ((1 << 34) - 1), both >> 34)
        }
        _ => {
            let (nanos, seconds) = bytes.split_first_chunk()?;
            (
                u64::try_from(i64::from_be_bytes(seconds.try_into().ok()?)).ok()?,
                u32::from_be_bytes(*nanos).into(),
            )
        }
    };
    (nanos < SECOND).then_some(())?;
    seconds.checked_mul(SECOND)?.checked_add(nanos).map(UnixNanos)
}
