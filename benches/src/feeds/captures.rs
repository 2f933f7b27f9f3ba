//! Captures of venues through our normalisers, beside the handlers of cryptofeed: the same frames, from memory.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use ingest::capture::{Format, Input, Line, Lines};
use ingest::{Link, Normaliser, normaliser};
use model::{Tick, UnixNanos};

use super::{FeedsArgs, TURNS, rival, shown, spent};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/captures.py");

/// What a line of a capture is to a normaliser.
enum Message {
    Connected { conn: String, addr: String },
    Text { conn: String, text: String, at: Option<UnixNanos> },
    Binary { conn: String, bytes: Vec<u8>, at: Option<UnixNanos> },
    Answer { url: String, body: String },
}

struct Capture {
    exchange: String,
    frames: usize,
    messages: Vec<Message>,
}

pub(super) fn run(args: &FeedsArgs) -> anyhow::Result<()> {
    println!(
        "µs a frame; ours looks at every checksum that a venue sends, cryptofeed only where it is told to\n"
    );
    println!(
        "| capture | frames | ours | cryptofeed | × | with checksums | × |\n|---|---|---|---|---|---|---|"
    );
    for file in &args.captures {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let capture = Capture::read(file).with_context(|| file.display().to_string())?;
        let mut plain = tempfile::NamedTempFile::new()?;
        std::io::copy(&mut Input::open(file)?, &mut plain)?;
        plain.flush()?;
        let (mut ours, mut theirs) = (Duration::MAX, [f64::INFINITY; 2]);
        for _ in 0..TURNS {
            ours = ours.min(capture.quickest(args.rounds)?);
            for (best, checked) in theirs.iter_mut().zip([None, Some("checked")]) {
                let Some(python) = &args.python else { break };
                let mut command = Command::new(python);
                command.arg(SCRIPT).arg(args.rounds.to_string()).arg(plain.path()).args(checked);
                *best = best.min(rival::seconds(&mut command, capture.frames)?);
            }
        }
        let (ours, frames) = (ours.as_secs_f64(), capture.frames as f64 / 1e6);
        let [other, checked] =
            theirs.map(|seconds| [seconds / frames, seconds / ours].map(shown).join(" | "));
        println!("| {name} | {} | {} | {other} | {checked} |", capture.frames, shown(ours / frames));
    }
    Ok(())
}

impl Capture {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let mut lines = Lines::new(Input::open(file)?);
        let (mut exchange, mut frames, mut messages) = (String::new(), 0, Vec::new());
        while let Some(line) = lines.next_line()? {
            let message = match Format::Envelope.read(line)? {
                Line::Header { exchange: named } => {
                    exchange = named.into_owned();
                    continue;
                }
                Line::Sent => continue,
                Line::Connected { conn, addr, .. } => {
                    Message::Connected { conn: conn.into(), addr: addr.into() }
                }
                Line::Frame { conn, text, at } => Message::Text { conn: conn.into(), text: text.into(), at },
                Line::Binary { conn, bytes, at } => Message::Binary { conn: conn.into(), bytes, at },
                Line::Answer { url, body, .. } => Message::Answer { url: url.into(), body: body.into() },
            };
            frames += usize::from(matches!(message, Message::Text { .. } | Message::Binary { .. }));
            messages.push(message);
        }
        Ok(Self { exchange, frames, messages })
    }

    /// The normaliser of its venue, whose markets go by longer names.
    fn normaliser(&self) -> anyhow::Result<Box<dyn Normaliser>> {
        let venue = self.exchange.split('_').next().unwrap_or_default().to_ascii_lowercase();
        let feed = if venue == "binance" { "binance-json" } else { &venue };
        normaliser(feed).with_context(|| format!("no feed for captures of {:?}", self.exchange))
    }

    /// The quickest of so many times through all of it.
    fn quickest(&self, rounds: u32) -> anyhow::Result<Duration> {
        let (mut best, mut ticks) = (Duration::MAX, Vec::<Tick>::new());
        // Lists of instruments come before the connections; cryptofeed has read them, too, when its clock starts.
        let is_connection = |message: &Message| matches!(message, Message::Connected { .. });
        let first = self.messages.iter().position(is_connection).unwrap_or(0);
        let (before, messages) = self.messages.split_at(first);
        for _ in 0..rounds {
            let mut normaliser = self.normaliser()?;
            normaliser.handle_header(&self.exchange);
            for message in before {
                handle(&mut *normaliser, message, &mut ticks)?;
            }
            ticks.clear();
            let began = spent();
            for message in messages {
                handle(&mut *normaliser, message, &mut ticks)?;
                black_box(&ticks);
                ticks.clear();
            }
            best = best.min(spent().saturating_sub(began));
        }
        Ok(best)
    }
}

fn handle(normaliser: &mut dyn Normaliser, message: &Message, ticks: &mut Vec<Tick>) -> anyhow::Result<()> {
    let link = |conn, recv| Link { conn, recv };
    match message {
        Message::Connected { conn, addr } => normaliser.handle_connect(&link(conn, None), addr, ticks),
        Message::Text { conn, text, at } => normaliser.handle_frame(&link(conn, *at), text, ticks)?,
        Message::Binary { conn, bytes, at } => normaliser.handle_binary(&link(conn, *at), bytes, ticks)?,
        Message::Answer { url, body } => normaliser.handle_answer(&link("", None), url, body, ticks)?,
    }
    Ok(())
}
