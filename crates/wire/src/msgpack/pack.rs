//! From JSON to MessagePack.

use std::fmt;

use model::UnixNanos;
use rmp::encode::{self, write_bool, write_f64, write_nil, write_sint, write_str, write_uint};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{TIMES, TIMESTAMP, VERBATIM};

/// A message of ours, as MessagePack. Cost: one pass, and a move of what a map of more than 15 entries has
/// in it.
///
/// # Errors
/// The text is not JSON.
pub fn pack(json: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    // Names and texts are what a message mostly is, and they are as long here.
    let mut out = Vec::with_capacity(json.len());
    let mut from = serde_json::Deserializer::from_slice(json);
    Packer { out: &mut out, reads: Reads::Values }.deserialize(&mut from)?;
    from.end()?;
    Ok(out)
}

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// A text, unless its key says otherwise.
    Values,
    /// A time.
    Time,
    /// Whatever a client sent.
    Verbatim,
}

struct Packer<'a> {
    out: &'a mut Vec<u8>,
    reads: Reads,
}

impl Packer<'_> {
    /// Writes how many entries there are, into the byte that was kept for it and as many more as it takes.
    fn count(&mut self, at: usize, count: usize, small: u8, fits: usize, large: [u8; 2]) {
        if count < fits {
            // Checked: it fits into the low bits of the byte.
            self.out[at] = small | u8::try_from(count).unwrap_or_default();
            return;
        }
        // A message has nothing like 2^32 entries.
        let [short, long] = large;
        let head = u16::try_from(count).map_or_else(
            |_| [&[long], &u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()[..]].concat(),
            |count| [&[short], &count.to_be_bytes()[..]].concat(),
        );
        self.out.splice(at..=at, head);
    }
}

/// Writing to memory does not fail; what cannot be written is an error of the text all the same.
fn done<E: Error>(written: Result<impl Sized, impl fmt::Display>) -> Result<(), E> {
    written.map(|_| ()).map_err(E::custom)
}

impl<'de> DeserializeSeed<'de> for Packer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Packer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        done(write_nil(self.out))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        done(write_bool(self.out, value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        done(write_uint(self.out, value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        done(write_sint(self.out, value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        done(write_f64(self.out, value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match Some(text).filter(|_| self.reads == Reads::Time).and_then(time) {
            Some(time) => {
                write_time(self.out, time);
                Ok(())
            }
            None => done(write_str(self.out, text)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let at = self.out.len();
        self.out.push(0);
        let mut count = 0;
        while items.next_element_seed(Packer { out: self.out, reads: self.reads })?.is_some() {
            count += 1;
        }
        self.count(at, count, 0x90, 16, [0xdc, 0xdd]);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let at = self.out.len();
        self.out.push(0);
        let mut count = 0;
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            done(write_str(self.out, &key))?;
            let reads = match &*key {
                _ if self.reads == Reads::Verbatim => Reads::Verbatim,
                VERBATIM => Reads::Verbatim,
                key if TIMES.contains(&key) => Reads::Time,
                _ => Reads::Values,
            };
            entries.next_value_seed(Packer { out: self.out, reads })?;
            count += 1;
        }
        self.count(at, count, 0x80, 16, [0xde, 0xdf]);
        Ok(())
    }
}

/// The time of a text that says it as all of ours do.
fn time(text: &str) -> Option<UnixNanos> {
    UnixNanos::from_rfc3339(text).ok().filter(|time| time.to_rfc3339() == *text.as_bytes())
}

/// The shortest of the three forms that holds it.
fn write_time(out: &mut Vec<u8>, time: UnixNanos) {
    const SECOND: u64 = 1_000_000_000;
    let (seconds, nanos) = (time.0 / SECOND, time.0 % SECOND);
    // What 64 bits of nanoseconds hold ends in the year 2554; the form of 34 bits of seconds, in 2514.
    let written = match (u32::try_from(seconds), seconds >> 34) {
        (Ok(seconds), _) if nanos == 0 => {
            let head = encode::write_ext_meta(out, 4, TIMESTAMP);
            out.extend_from_slice(&seconds.to_be_bytes());
            head
        }
        (_, 0) => {
            let head = encode::write_ext_meta(out, 8, TIMESTAMP);
            out.extend_from_slice(&(nanos << 34 | seconds).to_be_bytes());
            head
        }
        _ => {
            let head = encode::write_ext_meta(out, 12, TIMESTAMP);
            out.extend_from_slice(&u32::try_from(nanos).unwrap_or_default().to_be_bytes());
            out.extend_from_slice(&seconds.to_be_bytes());
            head
        }
    };
    debug_assert!(written.is_ok(), "a vector takes everything");
}
