//! IEX-TP: the sessions and numbers of messages in datagrams, channel by channel.

use model::{Tick, UnixNanos};

use super::super::bytes::{le, le::u16};
use super::super::error::BinaryError;
use super::super::net::{Arrived, Block, Faults, Protocol, Stream, Target};
use super::market::Market;
use crate::note::Note;

const HEADER_BYTES: usize = 40;
const VERSION: u8 = 1;
/// What the messages are: TOPS 1.5 and 1.6, DEEP 1.0, DEEP+ 1.0.
const PROTOCOLS: [u16; 4] = [0x8002, 0x8003, 0x8004, 0x8005];
/// Channels of a protocol are few: one each is known.
const CHANNELS_MAX: usize = 64;
/// Groups of receivers that are remembered.
const GROUPS_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Transport {
    channels: Vec<Channel>,
    /// Where segments came.
    groups: Vec<Target>,
    market: Market,
    /// Datagrams of something else.
    foreign: u64,
}

struct Channel {
    /// Protocol and number.
    key: (u16, u32),
    session: u32,
    stream: Stream,
    /// Of the newest segment with messages: when it was sent.
    sent: u64,
}

/// What stands before the messages of a datagram.
struct Header {
    key: (u16, u32),
    session: u32,
    len: usize,
    count: u16,
    first: u64,
    sent: u64,
}

impl Protocol for Transport {
    fn handle(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Tick>, faults: &mut Faults) {
        let &Arrived { to, payload, lacks, at, packet } = arrived;
        let (header, messages) = match header(payload) {
            Ok(read) => read,
            Err(_) if !self.groups.contains(&to) && !is_newer(payload) => {
                self.foreign += 1;
                return;
            }
            Err(error) => return faults.push(packet, error),
        };
        if !self.groups.contains(&to) && self.groups.len() < GROUPS_MAX {
            self.groups.push(to);
        }
        if lacks > 0 {
            faults.push(packet, BinaryError::Lacks(lacks));
        }
        if messages.len() != header.len {
            let (len, least) = (messages.len(), header.len);
            faults.push(packet, BinaryError::Short { what: "a segment", len, least });
        }
        let Some(channel) = channel(&mut self.channels, &header) else {
            let code = header.key.1;
            return faults.push(packet, BinaryError::Code { what: "channel", code });
        };
        // A session is a day; a feed that was started again within one counts from the begin again.
        let again = header.first == 1 && header.count > 0 && header.sent > channel.sent && channel.sent > 0;
        if channel.session != header.session || again {
            channel.session = header.session;
            channel.stream.finish(&mut self.market, out, faults);
            channel.stream.restart();
            self.market.restart(at, out);
        }
        if header.count > 0 {
            channel.sent = channel.sent.max(header.sent);
        }
        let block = Block { first: header.first, count: header.count.into(), messages, at, packet };
        channel.stream.receive(block, &mut self.market, out, faults);
    }

    fn finish(&mut self, out: &mut Vec<Tick>, faults: &mut Faults) {
        for channel in &mut self.channels {
            channel.stream.finish(&mut self.market, out, faults);
        }
        self.market.finish(out);
    }
}

impl Transport {
    /// What is to be said of what was read so far.
    pub(super) fn notes(&self) -> Vec<Note> {
        [Note::Foreign(self.foreign), Note::Lost(self.market.lost)]
            .into_iter()
            .filter(|note| !note.is_nothing())
            .collect()
    }
}

/// Whether it is a segment all the same, of a version or a protocol that is not known: those of IEX have a high
/// number, nothing stands where nothing should, and the length is right.
fn is_newer(payload: &[u8]) -> bool {
    payload
        .split_at_checked(HEADER_BYTES)
        .is_some_and(|(head, messages)| head[1] == 0 && head[3] == 0x80 && header_len(head) == messages.len())
}

fn channel<'a>(channels: &'a mut Vec<Channel>, header: &Header) -> Option<&'a mut Channel> {
    let known = channels.iter().position(|channel| channel.key == header.key);
    let at = match known {
        Some(at) => at,
        None if channels.len() >= CHANNELS_MAX => return None,
        None => {
            let (key, session) = (header.key, header.session);
            channels.push(Channel { key, session, stream: Stream::new(false), sent: 0 });
            channels.len() - 1
        }
    };
    Some(&mut channels[at])
}

fn header(payload: &[u8]) -> Result<(Header, &[u8]), BinaryError> {
    let Some((head, messages)) = payload.split_at_checked(HEADER_BYTES) else {
        return Err(BinaryError::Short { what: "a segment", len: payload.len(), least: HEADER_BYTES });
    };
    if head[0] != VERSION {
        return Err(BinaryError::Code { what: "version of IEX-TP", code: head[0].into() });
    }
    let protocol = u16(head, 2);
    if !PROTOCOLS.contains(&protocol) {
        return Err(BinaryError::Code { what: "protocol", code: protocol.into() });
    }
    let header = Header {
        key: (protocol, le::u32(head, 4)),
        session: le::u32(head, 8),
        len: usize::from(u16(head, 12)),
        count: u16(head, 14),
        first: le::u64(head, 24),
        sent: UnixNanos(le::u64(head, 32)).0,
    };
    Ok((header, &messages[..messages.len().min(header_len(head))]))
}

fn header_len(head: &[u8]) -> usize {
    usize::from(u16(head, 12))
}
