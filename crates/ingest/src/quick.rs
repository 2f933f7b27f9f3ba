//! JSON by the shortest way that is right for nearly all that venues send. What it does not take, `serde_json` reads,
//! and says what is wrong with it.
//!
//! Half of the time of a message is the reading of its texts, and most of these are prices and sizes of some bytes: here
//! they are looked through eight bytes at a time, nothing is counted for errors that are not there, and all of it is
//! put into the code that wants it. Escapes, fractions as numbers and whatever is wrong are left to `serde_json`.

mod access;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use access::{Items, Members, Raw};

/// Reads a value out of a text, as [`serde_json::from_str`] does.
///
/// # Errors
/// Those of `serde_json`.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    read(text).map_or_else(|| serde_json::from_str(text), Ok)
}

/// The value, where it can be had the short way.
fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let mut reader = Reader { text, at: 0 };
    let value = T::deserialize(&mut reader).ok()?;
    reader.peek().is_none().then_some(value)
}

/// This is not for the short way.
#[derive(Debug)]
struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("to be read by serde_json")
    }
}

impl std::error::Error for Other {}

impl serde::de::Error for Other {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The name by which `serde_json` asks for a value as it stands there.
const RAW: &str = "$serde_json::private::RawValue";
/// Lists within lists that are passed over here.
const DEPTH_MAX: u32 = 32;
/// So many digits fit 64 bits, whatever they are.
const DIGITS_MAX: usize = 19;

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The high bits of bytes that end a text or make it one for others: quotes, backslashes, control characters. Whatever is
/// behind the first of them counts for nothing.
const fn marks(word: u64) -> u64 {
    let (quote, slash) = (word ^ (ONES * b'"' as u64), word ^ (ONES * b'\\' as u64));
    let zero = (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash);
    (zero | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGHS
}

struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    /// The next byte that says something.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Result<(), Other> {
        if self.peek() != Some(byte) {
            return Err(Other);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another one comes in a list that ends with `end`.
    #[inline]
    fn goes_on(&mut self, end: u8, is_first: &mut bool) -> Result<bool, Other> {
        if self.peek().ok_or(Other)? == end {
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.take(b',')?;
        }
        Ok(true)
    }

    #[inline]
    fn string(&mut self) -> Result<&'de str, Other> {
        self.take(b'"')?;
        let bytes = self.text.as_bytes();
        let (from, mut at) = (self.at, self.at);
        while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
            let found = marks(u64::from_le_bytes(*word));
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'"') {
            return Err(Other);
        }
        self.at = at + 1;
        self.text.get(from..at).ok_or(Other)
    }

    /// A whole number, and whether it is below zero.
    #[inline]
    fn whole(&mut self) -> Result<(u64, bool), Other> {
        let is_negative = self.peek() == Some(b'-');
        self.at += usize::from(is_negative);
        let (from, mut value) = (self.at, 0_u64);
        while let Some(digit @ b'0'..=b'9') = self.next() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let count = self.at - from;
        let leads_with_zero = count > 1 && self.text.as_bytes().get(from) == Some(&b'0');
        let is_more = matches!(self.next(), Some(b'.' | b'e' | b'E'));
        if count == 0 || count > DIGITS_MAX || leads_with_zero || is_more {
            return Err(Other);
        }
        Ok((value, is_negative))
    }

    #[inline]
    fn literal(&mut self, word: &str) -> Result<(), Other> {
        let rest = self.text.as_bytes().get(self.at..).ok_or(Other)?;
        if !rest.starts_with(word.as_bytes()) {
            return Err(Other);
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Other> {
        let from = self.at;
        while self.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from { Err(Other) } else { Ok(()) }
    }

    /// Any number.
    fn number(&mut self) -> Result<(), Other> {
        self.at += usize::from(self.next() == Some(b'-'));
        let (from, starts) = (self.at, self.next());
        self.digits()?;
        if starts == Some(b'0') && self.at > from + 1 {
            return Err(Other);
        }
        if self.next() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.next(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.next(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// Passes over a value.
    fn skip(&mut self, depth: u32) -> Result<(), Other> {
        if depth > DEPTH_MAX {
            return Err(Other);
        }
        let mut is_first = true;
        match self.peek().ok_or(Other)? {
            b'"' => self.string().map(|_| ()),
            b'{' => {
                self.at += 1;
                while self.goes_on(b'}', &mut is_first)? {
                    self.string()?;
                    self.take(b':')?;
                    self.skip(depth + 1)?;
                }
                self.take(b'}')
            }
            b'[' => {
                self.at += 1;
                while self.goes_on(b']', &mut is_first)? {
                    self.skip(depth + 1)?;
                }
                self.take(b']')
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    /// Passes over a value, and gives its text.
    fn raw(&mut self) -> Result<&'de str, Other> {
        self.peek();
        let from = self.at;
        self.skip(0)?;
        self.text.get(from..self.at).ok_or(Other)
    }

    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Other> {
        self.take(b'{')?;
        let value = visitor.visit_map(Members::of(self))?;
        self.take(b'}')?;
        Ok(value)
    }

    #[inline]
    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Other> {
        self.take(b'[')?;
        let value = visitor.visit_seq(Items::of(self))?;
        self.take(b']')?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Other;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        match self.peek().ok_or(Other)? {
            b'"' => visitor.visit_borrowed_str(self.string()?),
            b'{' => self.object(visitor),
            b'[' => self.list(visitor),
            b't' => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.literal("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.literal("null").and_then(|()| visitor.visit_unit()),
            _ => match self.whole()? {
                (value, false) => visitor.visit_u64(value),
                // Nothing has a sign in a float alone.
                (0, true) => Err(Other),
                (value, true) => visitor.visit_i64(0_i64.checked_sub_unsigned(value).ok_or(Other)?),
            },
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        visitor.visit_borrowed_str(self.string()?)
    }

    #[inline]
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        match self.whole()? {
            (value, false) => visitor.visit_u64(value),
            (_, true) => Err(Other),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        if self.peek() == Some(b'n') {
            self.literal("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.list(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Other> {
        self.list(visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Other> {
        self.list(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        self.object(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Other> {
        if name == RAW {
            return visitor.visit_map(Raw::of(self.raw()?));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.skip(0)?;
        visitor.visit_unit()
    }

    /// A choice among kinds is nothing that a venue's messages are read into.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Other> {
        Err(Other)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char string bytes byte_buf unit unit_struct map identifier
    }
}
