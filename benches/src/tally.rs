//! What one subscriber got, counted from the text without building anything from it: the bench
//! must not be what is slow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{bail, ensure};
use memchr::memmem;
use serde_json::Value;

/// Streams of a subscriber of one symbol.
pub(crate) const CHANNELS: [&str; 3] = ["trades", "quotes", "book"];

/// One message in so many has its age measured.
const AGE_EVERY: u64 = 64;

#[derive(Default)]
struct Stream {
    position: Option<u64>,
    records: u64,
    coalesced: u64,
    skipped: u64,
}

#[derive(Default)]
pub(crate) struct Tally {
    streams: [Stream; 3],
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// Age of data when it was read, in microseconds.
    pub(crate) ages: Vec<u32>,
    /// The ledger that was asked for.
    pub(crate) ledger: Option<Value>,
}

impl Tally {
    /// Takes a text message.
    pub(crate) fn take(&mut self, text: &[u8]) -> anyhow::Result<()> {
        self.messages += 1;
        self.bytes += text.len() as u64;
        if let Some(rest) = text.strip_prefix(b"{\"type\":\"update\",\"channel\":\"") {
            self.records(rest, false)?;
            if self.messages.is_multiple_of(AGE_EVERY) {
                self.ages.extend(age(rest));
            }
        } else if let Some(rest) = text.strip_prefix(b"{\"type\":\"snapshot\",\"channel\":\"") {
            self.records(rest, true)?;
        } else {
            self.control(text)?;
        }
        Ok(())
    }

    /// Records, those coalesced away, those skipped.
    pub(crate) fn totals(&self) -> [u64; 3] {
        let sum = |of: fn(&Stream) -> u64| self.streams.iter().map(of).sum();
        [sum(|stream| stream.records), sum(|stream| stream.coalesced), sum(|stream| stream.skipped)]
    }

    fn records(&mut self, text: &[u8], whole: bool) -> anyhow::Result<()> {
        let stream = &mut self.streams[channel(text)?];
        let mut rest = text;
        while let Some(at) = memmem::find(rest, b"\"sequence\":") {
            rest = &rest[at + 11..];
            let sequence = number(&mut rest);
            let before = if let Some(mut after) = rest.strip_prefix(b",\"prev_sequence\":") {
                number(&mut after)
            } else {
                sequence - 1
            };
            if !whole {
                ensure!(
                    stream.position == Some(before),
                    "after {:?} came {sequence}, which follows {before}",
                    stream.position
                );
                stream.records += 1;
                stream.coalesced += sequence - before - 1;
            }
            stream.position = Some(sequence);
        }
        if stream.position.is_none() && whole {
            stream.position = Some(0);
        }
        Ok(())
    }

    fn control(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let message: Value = serde_json::from_slice(text)?;
        match message["type"].as_str() {
            Some("ack") if message["op"] == "ledger" => self.ledger = Some(message),
            Some("welcome" | "ack" | "heartbeat" | "notice") => {}
            _ => bail!("{message}"),
        }
        Ok(())
    }

    /// Holds the ledger to what was got: it closes, and says the same.
    pub(crate) fn audit(&self) -> anyhow::Result<()> {
        let Some(ledger) = &self.ledger else { bail!("no ledger came") };
        let entries = ledger["subscriptions"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(entries.len() == CHANNELS.len(), "{} streams", entries.len());
        for entry in entries {
            let of = |name: &str| entry[name].as_u64().unwrap_or(u64::MAX);
            let parts = of("delivered") + of("coalesced") + of("skipped") + of("pending");
            ensure!(of("published") == parts, "a ledger does not close: {entry}");
            let stream = &self.streams[channel(entry["channel"].as_str().unwrap_or_default().as_bytes())?];
            ensure!(of("delivered") == stream.records, "{} records came: {entry}", stream.records);
            ensure!(of("coalesced") == stream.coalesced, "{} were coalesced: {entry}", stream.coalesced);
            ensure!(Some(of("last_sequence")) == stream.position, "at {:?}: {entry}", stream.position);
        }
        Ok(())
    }
}

fn channel(text: &[u8]) -> anyhow::Result<usize> {
    let found = CHANNELS.iter().position(|name| text.starts_with(name.as_bytes()));
    found.ok_or_else(|| anyhow::anyhow!("unknown channel"))
}

/// Reads the digits at the front and takes them away.
fn number(text: &mut &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    *text = &text[digits..];
    value
}

/// How old the last record is, in microseconds, by its `ts_recv`.
fn age(text: &[u8]) -> Option<u32> {
    let at = memmem::rfind(text, b"\"ts_recv\":\"")?;
    // 2026-11-20T14:30:00.123456789Z: within an hour the minutes suffice.
    let time = text.get(at + 11..at + 41)?;
    let field = |from: usize, to: usize| {
        let mut digits = &time[from..to];
        number(&mut digits)
    };
    let recv = (field(14, 16) * 60 + field(17, 19)) * 1_000_000 + field(20, 26);
    let hour = Duration::from_secs(3_600).as_micros();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_micros() % hour;
    u32::try_from((now + hour - u128::from(recv)) % hour).ok()
}
