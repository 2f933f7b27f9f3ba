//! `tickwire normalize`: what a recording says, one record a line.

use std::collections::HashMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ingest::capture::{Input, Progress};
use ingest::{Note, Reader, Step, Unit};
use model::{Body, BookChange, Channel, Instrument, Seq, Tick, Venue};
use wire::{Origin, Stamp, Writer};

use crate::cli::NormalizeArgs;
use crate::commands::recordings::refuse_recordings;
use crate::commands::source::options;
use crate::exit::{Failure, Outcome};

/// Files below this are done before a bar could be read.
const BAR_BYTES_MIN: u64 = 1 << 20;
/// Lines or records between two looks at the bar.
const BAR_STEPS: u64 = 1_000;

pub(crate) fn run(args: &NormalizeArgs) -> Outcome {
    let feed = &args.source.feed;
    let mut reader = ingest::reader(feed, &options(feed, &args.source.how)?).map_err(Failure::usage)?;
    refuse_recordings(&args.files)?;
    let mut printer = Printer {
        out: BufWriter::new(io::stdout().lock()),
        numbers: HashMap::new(),
        known: HashMap::new(),
        named: HashMap::new(),
        line: Vec::new(),
        read: 0,
        corrections: args.corrections,
    };
    let mut faults = 0;
    for path in &args.files {
        faults += file(&mut reader, path, &mut printer)?;
    }
    printer.out.flush()?;
    let unit = reader.spot().unit.as_str();
    let notes = reader.notes();
    // Who reads only definitions has given the right feed.
    let explained = notes.iter().any(|note| matches!(note, Note::NoPlace { .. }));
    if printer.numbers.is_empty() && printer.read > 0 && !explained {
        say(&format!(
            "none of {} {unit}s is a message of {:?}: is --{} the right one?",
            printer.read,
            feed,
            if args.source.how.map.is_some() { "map" } else { "feed" },
        ));
    }
    for note in notes {
        say(&note.to_string());
    }
    if faults == 0 {
        return Ok(());
    }
    say(&format!("{faults} broken {unit}(s) were passed over"));
    Err(Failure::told())
}

/// Prints the records of one file and returns how much of it was broken.
fn file(reader: &mut Reader, path: &Path, printer: &mut Printer<'_>) -> Outcome<u64> {
    let input = Input::open(path).with_context(|| path.display().to_string())?;
    let progress = input.progress();
    let bar = bar(path, &progress);
    reader.open(input);
    let (mut ticks, mut faults) = (Vec::new(), 0);
    loop {
        let step = reader.step(&mut ticks);
        let mut told = ticks.drain(..).peekable();
        while let Some(tick) = told.next() {
            if printer.corrections || !is_preface(&tick, told.peek()) {
                printer.print(&tick)?;
            }
        }
        match step {
            Step::Ticks => {}
            Step::End => break,
            Step::Broken { spot, error } => {
                // A line in which the venue says no is not a broken one.
                faults += u64::from(!error.is_refusal());
                printer.out.flush()?;
                let path = path.display();
                bar.suspend(|| match spot.unit {
                    Unit::Line => say(&format!("{path}:{}: {error}", spot.number)),
                    _ => say(&format!("{path}: {spot}: {error}")),
                });
            }
        }
        if reader.spot().number.is_multiple_of(BAR_STEPS) {
            bar.set_position(progress.bytes());
        }
    }
    bar.finish_and_clear();
    printer.read += reader.spot().number;
    Ok(faults)
}

/// Whether it says why the venue begins a book anew that is right behind it: nothing was lost.
fn is_preface(tick: &Tick, next: Option<&Tick>) -> bool {
    let Body::Book(BookChange::Gap(gap)) = &tick.body else { return false };
    !gap.reason.is_loss() && next.is_some_and(|next| matches!(next.body, Body::Book(BookChange::Snapshot(_))))
}

/// A bar for a person who waits; nothing otherwise.
fn bar(path: &Path, progress: &Progress) -> ProgressBar {
    let total = progress.total().filter(|&total| total >= BAR_BYTES_MIN && io::stderr().is_terminal());
    let Some(total) = total else { return ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(total).with_message(path.display().to_string());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

struct Printer<'a> {
    out: BufWriter<io::StdoutLock<'a>>,
    /// The last sequence of each stream, by instrument.
    numbers: HashMap<(Channel, usize), Seq>,
    /// The number of each instrument, by its address. They are kept, so that no other comes to have one of these.
    known: HashMap<*const Instrument, (usize, Arc<Instrument>)>,
    /// And by venue and name: what is known of one may change, and then it is another value.
    named: HashMap<(Venue, Box<str>), usize>,
    line: Vec<u8>,
    /// Lines or records read.
    read: u64,
    /// Trades that are taken back or said anew are wanted, too.
    corrections: bool,
}

impl Printer<'_> {
    fn instrument(&mut self, instrument: &Arc<Instrument>) -> usize {
        if let Some((number, _)) = self.known.get(&Arc::as_ptr(instrument)) {
            return *number;
        }
        let next = self.named.len();
        let name = (instrument.venue.clone(), instrument.venue_symbol.clone());
        let number = *self.named.entry(name).or_insert(next);
        self.known.insert(Arc::as_ptr(instrument), (number, Arc::clone(instrument)));
        number
    }

    fn print(&mut self, tick: &Tick) -> io::Result<()> {
        if matches!(tick.body, Body::Correction(_)) && !self.corrections {
            return Ok(());
        }
        let key = (tick.body.channel(), self.instrument(&tick.instrument));
        let number = self.numbers.entry(key).or_default();
        *number = number.next();
        let stamp = Stamp {
            symbol: &tick.instrument.symbol,
            seq: *number,
            prev: number.prev(),
            ts_event: tick.ts_event,
            ts_source: tick.ts_source,
            ts_seq: None,
            ts_recv: tick.ts_recv,
        };
        let origin =
            Origin { venue: tick.instrument.venue.as_str(), venue_symbol: &tick.instrument.venue_symbol };
        self.line.clear();
        Writer::with_origin(&mut self.line, origin).body(&stamp, &tick.body);
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }
}

#[expect(clippy::print_stderr, reason = "a command's talk goes to standard error")]
fn say(text: &str) {
    eprintln!("{text}");
}
