//! Packets out of a capture file: classic pcap here, pcapng beside it.

use model::UnixNanos;

use super::super::bytes::{Window, array};
use super::super::error::BinaryError;
use super::pcapng::Blocks;
use crate::error::FeedError;

/// Largest packet: four times what the tools for captures take.
pub(super) const PACKET_BYTES_MAX: usize = 1 << 20;

const HEADER_BYTES: usize = 24;
const PACKET_HEADER_BYTES: usize = 16;
const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
pub(super) const SECTION: u32 = 0x0a0d_0d0a;

/// A capture that is read packet by packet.
pub(super) struct Capture {
    window: Window,
    form: Option<Form>,
    /// Bytes of the packet that was handed out last.
    taken: usize,
    number: u64,
}

/// How the packets of a file are written.
enum Form {
    Classic { big: bool, nanos: bool, link: u32 },
    Blocks(Blocks),
}

/// A packet.
pub(super) struct Packet<'a> {
    /// When it was captured.
    pub(super) at: Option<UnixNanos>,
    /// What it begins with: the kind of the network.
    pub(super) link: u32,
    /// What was kept of it.
    pub(super) bytes: &'a [u8],
}

/// Where a packet stands in the window that was looked through for it.
pub(super) struct Found {
    pub(super) at: Option<UnixNanos>,
    pub(super) link: u32,
    pub(super) from: usize,
    pub(super) len: usize,
    /// Bytes up to the next one.
    pub(super) whole: usize,
}

/// Whether a file that begins so is a capture.
pub(crate) fn is_capture(head: &[u8]) -> bool {
    head.len() >= 4 && (classic(array(head, 0)).is_some() || u32::from_be_bytes(array(head, 0)) == SECTION)
}

/// Byte order and fineness of times of a classic capture.
fn classic(magic: [u8; 4]) -> Option<(bool, bool)> {
    [true, false].into_iter().find_map(|big| match number(big, magic) {
        MICROS => Some((big, false)),
        NANOS => Some((big, true)),
        _ => None,
    })
}

/// A number of four bytes, whose highest stands first or last.
#[inline]
pub(super) const fn number(big: bool, bytes: [u8; 4]) -> u32 {
    if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

impl Capture {
    pub(super) const fn new(window: Window) -> Self {
        Self { window, form: None, taken: 0, number: 0 }
    }

    /// Number of the packet that was read last.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Offset of what is read next.
    pub(super) const fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next packet, or `None` at the end of the file.
    ///
    /// # Errors
    /// Nothing can be read from here on.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'_>>, FeedError> {
        self.window.skip(std::mem::take(&mut self.taken));
        if self.form.is_none() {
            if self.window.peek(1)?.is_empty() {
                return Ok(None);
            }
            self.form = Some(self.begin()?);
        }
        let found = match self.form.as_mut() {
            Some(Form::Blocks(blocks)) => blocks.next(&mut self.window)?,
            Some(&mut Form::Classic { big, nanos, link }) => record(&mut self.window, big, nanos, link)?,
            None => None,
        };
        let Some(found) = found else { return Ok(None) };
        self.number += 1;
        self.taken = found.whole;
        let bytes = &self.window.peek(found.whole)?[found.from..found.from + found.len];
        Ok(Some(Packet { at: found.at, link: found.link, bytes }))
    }

    fn begin(&mut self) -> Result<Form, FeedError> {
        let foreign = || FeedError::from(BinaryError::Format("a capture (pcap or pcapng)"));
        let head = self.window.peek(HEADER_BYTES)?;
        let magic = head.first_chunk().copied().ok_or_else(foreign)?;
        if u32::from_be_bytes(magic) == SECTION {
            return Ok(Form::Blocks(Blocks::default()));
        }
        let (big, nanos) = classic(magic).ok_or_else(foreign)?;
        if head.len() < HEADER_BYTES {
            return Err(BinaryError::Cut("its header").into());
        }
        // Above the kind of the network are notes on checksums.
        let link = number(big, array(head, 20)) & 0xffff;
        self.window.skip(HEADER_BYTES);
        Ok(Form::Classic { big, nanos, link })
    }
}

fn record(window: &mut Window, big: bool, nanos: bool, link: u32) -> Result<Option<Found>, FeedError> {
    let head = window.peek(PACKET_HEADER_BYTES)?;
    if head.is_empty() {
        return Ok(None);
    }
    if head.len() < PACKET_HEADER_BYTES {
        return Err(BinaryError::Cut("a packet").into());
    }
    let field = |at| number(big, array(head, at));
    let (seconds, fraction, len) = (field(0), field(4), field(8) as usize);
    if len > PACKET_BYTES_MAX {
        return Err(too_long(len as u64));
    }
    let fraction = if nanos { u64::from(fraction) } else { u64::from(fraction) * 1_000 };
    let whole = PACKET_HEADER_BYTES + len;
    if window.peek(whole)?.len() < whole {
        return Err(BinaryError::Cut("a packet").into());
    }
    let at = Some(UnixNanos(u64::from(seconds) * 1_000_000_000 + fraction));
    Ok(Some(Found { at, link, from: PACKET_HEADER_BYTES, len, whole }))
}

pub(super) fn too_long(len: u64) -> FeedError {
    BinaryError::Long { what: "a packet", len, most: PACKET_BYTES_MAX as u64 }.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::made::{classic, udp};
    use super::*;
    use crate::capture::Input;

    /// A packet's time, kind of network and bytes.
    type Seen = (Option<u64>, u32, Vec<u8>);

    /// The packets of a capture, and the fault that it ends with.
    fn read(bytes: &[u8]) -> (Vec<Seen>, String) {
        let input = Input::new(Box::new(Cursor::new(bytes.to_vec())), None).unwrap();
        let (mut capture, mut packets) = (Capture::new(Window::open(input)), Vec::new());
        loop {
            match capture.next() {
                Ok(Some(packet)) => {
                    packets.push((packet.at.map(|at| at.0), packet.link, packet.bytes.to_vec()));
                }
                Ok(None) => return (packets, String::new()),
                Err(error) => return (packets, error.to_string()),
            }
        }
    }

    const AT: u64 = 1_692_711_000_000_059_094;

    #[test]
    fn classic_captures_of_each_order_and_fineness() {
        let packets = [(AT, udp(b"one")), (AT + 1_000_000_000, vec![])];
        for big in [true, false] {
            for (nanos, at) in [(true, AT), (false, AT / 1_000 * 1_000)] {
                let bytes = classic(big, nanos, 1, &packets);
                assert!(is_capture(&bytes));
                let wanted = vec![(Some(at), 1, packets[0].1.clone()), (Some(at + 1_000_000_000), 1, vec![])];
                assert_eq!(read(&bytes), (wanted, String::new()));
                for cut in 1..bytes.len() {
                    let (packets, fault) = read(&bytes[..cut]);
                    let whole = cut == 24 || cut == 40 + 45;
                    assert_eq!(fault.is_empty(), whole, "{cut} {fault} {}", packets.len());
                }
            }
        }
        assert_eq!(read(b"rubbish").1, "not a capture (pcap or pcapng)");
        let mut long = classic(true, true, 1, &packets);
        long[32..36].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(read(&long).1, "a packet of 4294967295 bytes, at most 1048576 can be");
        assert!(read(b"").0.is_empty());
    }

    fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
        let field = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = field(u32::try_from(body.len() + 12).unwrap());
        [&field(kind)[..], &len, &body, &len].concat()
    }

    /// A section with an interface of its own fineness, and packets of all kinds.
    fn section(big: bool) -> Vec<u8> {
        let (field, half) = if big {
            (u32::to_be_bytes as fn(u32) -> [u8; 4], u16::to_be_bytes as fn(u16) -> [u8; 2])
        } else {
            (u32::to_le_bytes as fn(u32) -> [u8; 4], u16::to_le_bytes as fn(u16) -> [u8; 2])
        };
        let offset = if big { 100_i64.to_be_bytes() } else { 100_i64.to_le_bytes() };
        let options =
            [&half(9)[..], &half(1), &[9, 0, 0, 0], &half(14), &half(8), &offset, &half(0), &half(0)]
                .concat();
        let packet = |interface: u32, at: u64, data: &[u8]| {
            let (high, low) = (u32::try_from(at >> 32).unwrap(), u32::try_from(at & 0xffff_ffff).unwrap());
            let len = field(u32::try_from(data.len()).unwrap());
            [&field(interface)[..], &field(high), &field(low), &len, &len, data].concat()
        };
        let old = packet(0, 7_000_000, b"old");
        let old = [&half(1)[..], &half(0), &old[4..]].concat();
        [
            block(big, SECTION, &[&field(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat()),
            block(big, 1, &[&half(1)[..], &half(0), &field(0), &options].concat()),
            block(big, 1, &[&half(101)[..], &half(0), &field(0)].concat()),
            block(big, 4, &[0; 8]),
            block(big, 6, &packet(0, AT, b"enhanced")),
            block(big, 3, &[&field(6)[..], b"simple"].concat()),
            block(big, 2, &old),
        ]
        .concat()
    }

    #[test]
    fn sections_of_blocks() {
        for big in [true, false] {
            // One section after the other, of either order.
            let bytes = [section(big), section(!big)].concat();
            assert!(is_capture(&bytes));
            let (packets, fault) = read(&bytes);
            let wanted = [
                (Some(AT + 100_000_000_000), 1, b"enhanced".to_vec()),
                (None, 1, b"simple".to_vec()),
                (Some(7_000_000_000), 101, b"old".to_vec()),
            ];
            assert_eq!((packets, fault), ([&wanted[..], &wanted].concat(), String::new()));
            let len = section(big).len();
            for cut in 1..len {
                let (packets, _) = read(&bytes[..cut]);
                assert!(packets.len() < 3);
            }
        }
        let mut stray = section(true);
        let at = stray.len() - 4 - 3 - 1 - 20;
        stray[at..at + 2].copy_from_slice(&[0, 9]);
        assert_eq!(read(&stray).1, "unknown interface 9");
    }
}
