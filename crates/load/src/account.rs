//! What one client got, held to the promise: every sequence comes once, in a record or in a gap, and the
//! ledger says the same. Read from the text without building anything from it, where there is much of it.

use std::collections::HashMap;
use std::ops::AddAssign;

use memchr::memmem;
use serde_json::Value;

use crate::dialect::frame;
use crate::frames::parse;
use crate::tally::Tally;

/// Where the promise was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// What came does not join what came before.
    #[error("{stream} stands at {stands}; what came next begins after {begins}")]
    Hole {
        /// Channel and symbol.
        stream: Box<str>,
        /// Where it stood.
        stands: u64,
        /// Where it should have stood for what came.
        begins: u64,
    },
    /// The parts of a ledger's entry do not add up.
    #[error("a ledger does not close: {entry}")]
    Open {
        /// The entry.
        entry: Value,
    },
    /// The ledger says something else than what came.
    #[error("{name} is {here} here, and in the ledger {entry}")]
    Differs {
        /// What of it.
        name: &'static str,
        /// What came.
        here: u64,
        /// The entry.
        entry: Value,
    },
    /// What came is not of the protocol, or an error.
    #[error("the server said {0}")]
    Said(Box<str>),
    /// An answer over HTTP is not what was asked for.
    #[error("an answer has {what}: {text}")]
    Answer {
        /// What is wrong with it.
        what: &'static str,
        /// Where it is wrong.
        text: Box<str>,
    },
    /// The server hung up.
    #[error("the server hung up")]
    HungUp,
    /// The ledger was asked for and did not come.
    #[error("no ledger came in time")]
    Silence,
}

/// What came of one stream.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    position: Option<u64>,
    records: u64,
    coalesced: u64,
    skipped: u64,
}

/// Records, events folded into them, events named in gaps or replaced by snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records that came.
    pub delivered: u64,
    /// Events folded into them.
    pub coalesced: u64,
    /// Events named in gaps or replaced by snapshots.
    pub skipped: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.coalesced += other.coalesced;
        self.skipped += other.skipped;
    }
}

/// What one client got.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// A frame that came in part.
    inbox: Vec<u8>,
    streams: HashMap<Box<str>, [Stream; CHANNELS.len()]>,
    /// The ledger came: what comes behind it is not in it.
    pub(crate) audited: bool,
}

const CHANNELS: [&str; 6] = ["trades", "quotes", "ticker", "book", "candles", "status"];
const BOOK: usize = 3;

impl Account {
    /// Takes what was read; returns what must be said to it.
    pub(crate) fn take(&mut self, bytes: &[u8], tally: &mut Tally) -> Result<Vec<u8>, Fault> {
        let mut answer = Vec::new();
        if self.inbox.is_empty() {
            let used = self.frames(bytes, tally, &mut answer)?;
            self.inbox.extend_from_slice(&bytes[used..]);
        } else {
            self.inbox.extend_from_slice(bytes);
            let inbox = std::mem::take(&mut self.inbox);
            let used = self.frames(&inbox, tally, &mut answer)?;
            self.inbox = inbox;
            self.inbox.drain(..used);
        }
        Ok(answer)
    }

    /// Takes the whole frames; returns how many bytes they have.
    fn frames(&mut self, bytes: &[u8], tally: &mut Tally, answer: &mut Vec<u8>) -> Result<usize, Fault> {
        let mut used = 0;
        while let Some((head, length)) = parse(&bytes[used..]) {
            let end = usize::try_from(length).ok().map(|length| used + head + length);
            let Some(payload) = end.and_then(|end| bytes.get(used + head..end)) else { break };
            tally.frames += 1;
            match bytes[used] & 0x0F {
                1 => self.message(payload, tally)?,
                PING => answer.extend(frame(PONG, payload)),
                PONG => {}
                _ => return Err(Fault::Said(String::from_utf8_lossy(payload).into())),
            }
            used += head + payload.len();
        }
        Ok(used)
    }

    fn message(&mut self, text: &[u8], tally: &mut Tally) -> Result<(), Fault> {
        if self.audited {
            Ok(())
        } else if let Some(rest) = text.strip_prefix(b"{\"type\":\"update\",\"channel\":\"") {
            self.records(rest, false, tally)
        } else if let Some(rest) = text.strip_prefix(b"{\"type\":\"snapshot\",\"channel\":\"") {
            self.records(rest, true, tally)
        } else {
            self.control(text)
        }
    }

    fn records(&mut self, text: &[u8], whole: bool, tally: &mut Tally) -> Result<(), Fault> {
        let channel = channel(text)?;
        let mut rest = text;
        while let Some(at) = memmem::find(rest, RECORD) {
            let record = &rest[at..];
            let name = until_quote(&record[RECORD.len()..]);
            rest = &record[RECORD.len() + name.len()..];
            let Some(mut digits) = rest.strip_prefix(SEQUENCE) else { continue };
            let sequence = number(&mut digits);
            let before = match digits.strip_prefix(PREVIOUS) {
                Some(mut digits) => number(&mut digits),
                None => sequence.saturating_sub(1),
            };
            let stream = self.stream(name, channel)?;
            let stands = stream.position;
            stream.position = Some(sequence);
            if whole {
                // Only a book's later snapshot stands for what it replaces.
                let replaced = stands.filter(|_| channel == BOOK).map_or(0, |stands| sequence - stands);
                stream.skipped += replaced;
                stream.position = stands.max(Some(sequence));
                continue;
            }
            stream.records += 1;
            stream.coalesced += sequence.saturating_sub(before + 1);
            if let Some(stands) = stands.filter(|stands| *stands != before || sequence <= before) {
                return Err(Fault::Hole { stream: shown(name, channel), stands, begins: before });
            }
            tally.record(record);
        }
        if whole && let Some(at) = memmem::find(text, b"\"symbols\":[\"") {
            let names = &text[at + 12..];
            let names = &names[..memchr::memchr(b']', names).unwrap_or(names.len())];
            for name in names.split(|&byte| byte == b',') {
                let name = name.strip_prefix(b"\"").unwrap_or(name);
                self.stream(until_quote(name), channel)?.position = Some(0);
            }
        }
        Ok(())
    }

    fn stream(&mut self, name: &[u8], channel: usize) -> Result<&mut Stream, Fault> {
        let name = std::str::from_utf8(name).map_err(|_| Fault::Said("a symbol that is no text".into()))?;
        // Most often it is known.
        if !self.streams.contains_key(name) {
            self.streams.insert(name.into(), Default::default());
        }
        let streams = self.streams.get_mut(name).expect("it is there");
        Ok(&mut streams[channel])
    }

    fn control(&mut self, text: &[u8]) -> Result<(), Fault> {
        let said = || Fault::Said(String::from_utf8_lossy(text).into());
        let message: Value = serde_json::from_slice(text).map_err(|_| said())?;
        match message["type"].as_str() {
            Some("error") | None => Err(said()),
            Some("gap") => self.gap(&message),
            Some("ack") if message["op"] == "ledger" => {
                self.audited = true;
                self.audit(&message["subscriptions"])
            }
            _ => Ok(()),
        }
    }

    fn gap(&mut self, gap: &Value) -> Result<(), Fault> {
        let (Some(from), Some(to)) = (gap["from_sequence"].as_u64(), gap["to_sequence"].as_u64()) else {
            return Ok(());
        };
        let channel = channel(gap["channel"].as_str().unwrap_or_default().as_bytes())?;
        let name = gap["symbol"].as_str().unwrap_or_default().as_bytes();
        let stream = self.stream(name, channel)?;
        let stands = stream.position.unwrap_or(from - 1);
        stream.skipped += to.saturating_sub(stands);
        stream.position = Some(to.max(stands));
        if from != stands + 1 {
            return Err(Fault::Hole { stream: shown(name, channel), stands, begins: from - 1 });
        }
        Ok(())
    }

    /// Holds a ledger to what came: it closes, and says the same.
    fn audit(&self, ledger: &Value) -> Result<(), Fault> {
        for entry in ledger.as_array().into_iter().flatten() {
            let of = |name: &str| entry[name].as_u64().unwrap_or(0);
            if of("published") != of("delivered") + of("coalesced") + of("skipped") + of("pending") {
                return Err(Fault::Open { entry: entry.clone() });
            }
            let channel = channel(entry["channel"].as_str().unwrap_or_default().as_bytes())?;
            let streams = entry["symbol"].as_str().and_then(|symbol| self.streams.get(symbol));
            let stream = streams.map(|streams| streams[channel]).unwrap_or_default();
            let here = [
                ("delivered", stream.records),
                ("coalesced", stream.coalesced),
                ("skipped", stream.skipped),
                // A stream whose snapshot waits stands nowhere.
                ("last_sequence", stream.position.unwrap_or_else(|| of("last_sequence"))),
            ];
            if let Some(&(name, here)) = here.iter().find(|(name, here)| of(name) != *here) {
                return Err(Fault::Differs { name, here, entry: entry.clone() });
            }
        }
        Ok(())
    }

    pub(crate) fn totals(&self) -> Totals {
        self.streams.values().flatten().fold(Totals::default(), |sum, stream| Totals {
            delivered: sum.delivered + stream.records,
            coalesced: sum.coalesced + stream.coalesced,
            skipped: sum.skipped + stream.skipped,
        })
    }
}

const PING: u8 = 9;
const PONG: u8 = 10;
/// A record begins with it.
const RECORD: &[u8] = b"{\"symbol\":\"";
const SEQUENCE: &[u8] = b"\",\"sequence\":";
const PREVIOUS: &[u8] = b",\"prev_sequence\":";

fn channel(text: &[u8]) -> Result<usize, Fault> {
    let found = CHANNELS.iter().position(|name| text.starts_with(name.as_bytes()));
    found.ok_or_else(|| Fault::Said("something of an unknown channel".into()))
}

fn shown(name: &[u8], channel: usize) -> Box<str> {
    format!("{} of {}", CHANNELS[channel], String::from_utf8_lossy(name)).into()
}

fn until_quote(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(b'"', text).unwrap_or(text.len())]
}

/// Reads the digits at the front and takes them away.
pub(crate) fn number(text: &mut &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits]
        .iter()
        .fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    *text = &text[digits..];
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;

    const SNAPSHOT: &str = r#"{"type":"snapshot","channel":"book","cursor":"e:1","data":[{"symbol":"A","sequence":7,"bids":[]}]}"#;
    const UPDATE: &str = r#"{"type":"update","channel":"book","cursor":"e:2","data":[{"symbol":"A","sequence":8,"bids":[]},{"symbol":"A","sequence":12,"prev_sequence":8,"coalesced":3,"bids":[]}]}"#;
    const GAP: &str = r#"{"type":"gap","channel":"book","symbol":"A","from_sequence":13,"to_sequence":20,"count":8,"reason":"slow_consumer","cursor":"e:3"}"#;
    const AGAIN: &str = r#"{"type":"snapshot","channel":"book","cursor":"e:4","data":[{"symbol":"A","sequence":22,"bids":[]}]}"#;
    const EMPTY: &str =
        r#"{"type":"snapshot","channel":"trades","cursor":"e:1","data":[],"symbols":["A","B"]}"#;
    const LEDGER: &str = r#"{"type":"ack","op":"ledger","subscriptions":[{"channel":"book","symbol":"A","published":17,"delivered":2,"coalesced":3,"skipped":10,"pending":2,"last_sequence":22},{"channel":"trades","symbol":"B","published":1,"delivered":0,"coalesced":0,"skipped":0,"pending":1,"last_sequence":0}]}"#;

    fn server_frame(text: &str) -> Vec<u8> {
        let mut frame = vec![0x81];
        if text.len() < 126 {
            frame.push(u8::try_from(text.len()).unwrap());
        } else {
            frame.push(126);
            frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        }
        frame.extend(text.as_bytes());
        frame
    }

    fn told(texts: &[&str], chunk: usize) -> Result<Account, Fault> {
        let (mut account, mut tally) = (Account::default(), Tally::new(Stamp::Received, 0));
        let stream: Vec<u8> = texts.iter().flat_map(|text| server_frame(text)).collect();
        for chunk in stream.chunks(chunk) {
            account.take(chunk, &mut tally)?;
        }
        Ok(account)
    }

    #[test]
    fn an_account_that_is_right_closes_however_it_is_cut() {
        for chunk in [1, 2, 3, 50, 10_000] {
            let account = told(&[SNAPSHOT, EMPTY, UPDATE, GAP, AGAIN, LEDGER], chunk).unwrap();
            assert_eq!(account.totals(), Totals { delivered: 2, coalesced: 3, skipped: 10 }, "{chunk}");
            assert!(account.audited);
        }
    }

    #[test]
    fn a_hole_and_a_ledger_that_is_wrong_are_found() {
        let hole = told(&[SNAPSHOT, UPDATE, UPDATE], 100).unwrap_err();
        assert_eq!(hole.to_string(), "book of A stands at 12; what came next begins after 7");
        assert!(matches!(told(&[SNAPSHOT, GAP], 100), Err(Fault::Hole { stands: 7, begins: 12, .. })));
        assert!(matches!(told(&[EMPTY, SNAPSHOT, LEDGER], 9), Err(Fault::Differs { name: "delivered", .. })));
        let open = LEDGER.replace("17", "18");
        let open = told(&[SNAPSHOT, UPDATE, GAP, AGAIN, &open], 100).unwrap_err();
        assert!(matches!(open, Fault::Open { .. }), "{open}");
        let error = r#"{"type":"error","code":"internal"}"#;
        assert_eq!(told(&[error], 100).unwrap_err().to_string(), format!("the server said {error}"));
    }

    #[test]
    fn a_ping_is_answered() {
        let mut account = Account::default();
        let answer = account.take(&[0x89, 1, b'x'], &mut Tally::new(Stamp::Received, 0));
        assert_eq!(answer.unwrap(), [0x8A, 0x81, 0, 0, 0, 0, b'x']);
    }
}
