//! Packets out of the blocks of pcapng: sections, interfaces with clocks of their own, three kinds of packets.

use model::UnixNanos;

use super::super::bytes::{Window, array};
use super::super::error::BinaryError;
use super::capture::{Found, PACKET_BYTES_MAX, SECTION, number, too_long};
use crate::error::FeedError;

/// Largest block that is no packet: lists of names can be long.
const BLOCK_BYTES_MAX: usize = 1 << 24;
/// Interfaces of a section.
const INTERFACES_MAX: usize = 4_096;

const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Options of an interface.
const FINENESS: u16 = 9;
const OFFSET: u16 = 14;

/// Where in the blocks the reading is.
#[derive(Default)]
pub(super) struct Blocks {
    big: bool,
    interfaces: Vec<Interface>,
}

/// Where packets came in, and how it tells the time.
struct Interface {
    link: u32,
    /// Units of time in a second.
    units: u128,
    /// Added to every time, in seconds.
    offset: i64,
}

impl Blocks {
    pub(super) fn next(&mut self, window: &mut Window) -> Result<Option<Found>, FeedError> {
        loop {
            let head = window.peek(12)?;
            if head.is_empty() {
                return Ok(None);
            }
            if head.len() < 12 {
                return Err(BinaryError::Cut("a block").into());
            }
            if u32::from_be_bytes(array(head, 0)) == SECTION {
                // Only here the byte order is told.
                self.big = match number(true, array(head, 8)) {
                    BYTE_ORDER => true,
                    order if order.swap_bytes() == BYTE_ORDER => false,
                    _ => return Err(BinaryError::Format("a section of a capture").into()),
                };
                self.interfaces.clear();
            }
            let (kind, whole) = (number(self.big, array(head, 0)), number(self.big, array(head, 4)) as usize);
            if whole < 12 || !whole.is_multiple_of(4) {
                return Err(BinaryError::Short { what: "a block", len: whole, least: 12 }.into());
            }
            if whole > BLOCK_BYTES_MAX {
                let (len, most) = (whole as u64, BLOCK_BYTES_MAX as u64);
                return Err(BinaryError::Long { what: "a block", len, most }.into());
            }
            let block = window.peek(whole)?;
            if block.len() < whole {
                return Err(BinaryError::Cut("a block").into());
            }
            // Between its head and the length that stands behind it again.
            let body = &block[8..whole - 4];
            let found = match kind {
                INTERFACE => {
                    self.interface(body)?;
                    None
                }
                PACKET | OLD_PACKET | SIMPLE_PACKET => self.packet(kind, body, whole)?,
                _ => None,
            };
            if found.is_some() {
                return Ok(found);
            }
            window.skip(whole);
        }
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), FeedError> {
        if body.len() < 8 || self.interfaces.len() >= INTERFACES_MAX {
            return Err(BinaryError::Short { what: "an interface", len: body.len(), least: 8 }.into());
        }
        let mut interface = Interface { link: u32::from(self.half(body, 0)), units: 1_000_000, offset: 0 };
        let mut options = &body[8..];
        while let [_, _, _, _, rest @ ..] = options {
            let (option, len) = (self.half(options, 0), usize::from(self.half(options, 2)));
            let Some(value) = rest.get(..len) else { break };
            match (option, value) {
                (0, _) => break,
                (FINENESS, &[fineness, ..]) => {
                    let exponent = u32::from(fineness & 0x7f);
                    let units = if fineness & 0x80 == 0 { 10_u128 } else { 2 }.checked_pow(exponent);
                    interface.units = units
                        .filter(|&units| units <= 1 << 64)
                        .ok_or(BinaryError::Code { what: "fineness of times", code: fineness.into() })?;
                }
                (OFFSET, value) if value.len() >= 8 => {
                    let bytes = array(value, 0);
                    interface.offset =
                        if self.big { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
                }
                _ => {}
            }
            options = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(&self, kind: u32, body: &[u8], whole: usize) -> Result<Option<Found>, FeedError> {
        let field = |at: usize| body.get(at..at + 4).map(|bytes| number(self.big, array(bytes, 0)));
        let cut = || FeedError::from(BinaryError::Cut("a block"));
        let (interface, time, len, from) = if kind == SIMPLE_PACKET {
            // It says only how long it was, not how much of it was kept.
            let len = field(0).ok_or_else(cut)? as usize;
            (0, None, len.min(body.len() - 4), 4)
        } else {
            let (Some(first), Some(high), Some(low), Some(len)) = (field(0), field(4), field(8), field(12))
            else {
                return Err(cut());
            };
            let interface = if kind == OLD_PACKET { u32::from(self.half(body, 0)) } else { first };
            (interface as usize, Some((high, low)), len as usize, 20)
        };
        if len > PACKET_BYTES_MAX {
            return Err(too_long(len as u64));
        }
        if body.len() < from + len {
            return Err(cut());
        }
        let Some(of) = self.interfaces.get(interface) else {
            let code = u32::try_from(interface).unwrap_or(u32::MAX);
            return Err(BinaryError::Code { what: "interface", code }.into());
        };
        let at = time.and_then(|(high, low)| {
            let units = u128::from(high) << 32 | u128::from(low);
            let nanos = units.checked_mul(1_000_000_000)? / of.units;
            let nanos = i128::try_from(nanos).ok()? + i128::from(of.offset) * 1_000_000_000;
            u64::try_from(nanos).ok().map(UnixNanos)
        });
        Ok(Some(Found { at, link: of.link, from: 8 + from, len, whole }))
    }

    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let bytes = array(bytes, at);
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }
}
