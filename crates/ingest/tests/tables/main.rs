//! Files of rows in every form that is promised: a line of a case is a file, what is to be said of it, and what comes.

#![expect(clippy::unwrap_used, reason = "a test")]

mod books;
mod forms;
mod mappings;
mod messages;
mod relatives;
mod rows;
mod vendors;
mod venues;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use ingest::capture::Input;
use ingest::table::shipped;
use ingest::{Map, Options, Step, reader};
use model::{Body, BookChange, Level, Levels, Tick};

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tickwire-tables-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn map(text: &str) -> Map {
    let known = shipped().iter().find(|shipped| shipped.name == text);
    let text = known.map_or(text, |known| known.text).to_owned();
    Map { name: "test".to_owned(), text }
}

fn pairs(levels: &[Level]) -> String {
    levels.iter().map(|level| format!("{}x{}", level.price, level.size)).collect::<Vec<_>>().join(" ")
}

fn sides(Levels { bids, asks }: &Levels) -> String {
    format!("{} / {}", pairs(bids), pairs(asks))
}

fn show(tick: &Tick) -> String {
    let Tick { instrument, ts_event, ts_source: _, ts_recv, body } = tick;
    let mut text = format!("{} {} {}", instrument.venue, instrument.venue_symbol, instrument.symbol);
    for (name, time) in [("", ts_event), ("recv ", ts_recv)] {
        if let Some(time) = time {
            let shown = time.to_string();
            write!(
                text,
                " {name}{}",
                shown.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.')
            )
            .unwrap();
        }
    }
    match body {
        Body::Trade(trade) => {
            write!(text, " {}x{} {}", trade.price, trade.size, trade.side.as_str()).unwrap();
            text + &trade.id.as_ref().map(|id| format!(" #{id}")).unwrap_or_default()
        }
        Body::Quote(quote) => {
            let kind = if quote.derived { "derived" } else { "quote" };
            format!("{text} {kind} {} / {}", pairs(quote.bid.as_slice()), pairs(quote.ask.as_slice()))
        }
        Body::Book(BookChange::Snapshot(levels)) => format!("{text} book {}", sides(levels)),
        Body::Book(BookChange::Delta(levels)) => format!("{text} change {}", sides(levels)),
        Body::Book(BookChange::Gap(gap)) => format!("{text} gap {}", gap.reason.as_str()),
        Body::Status(change) => format!("{text} {} {}", change.state, change.reason),
        other => format!("{text} {other:?}"),
    }
}

/// What is read of files of rows, in their order; faults among it.
fn read_all(options: &Options, files: &[PathBuf]) -> Vec<String> {
    read("csv", options, files)
}

fn read(feed: &str, options: &Options, files: &[PathBuf]) -> Vec<String> {
    let mut reader = reader(feed, options).unwrap();
    let (mut ticks, mut found) = (Vec::new(), Vec::new());
    for file in files {
        reader.open(Input::open(file).unwrap());
        loop {
            let step = reader.step(&mut ticks);
            found.extend(ticks.drain(..).map(|tick| show(&tick)));
            match step {
                Step::Ticks => {}
                Step::End => break,
                Step::Broken { spot, error } => found.push(format!("! {spot}: {error}")),
            }
        }
    }
    found
}

/// What a mapping makes of one file; an empty one: the mapping that its columns tell.
fn check(mapping: &str, name: &str, bytes: impl AsRef<[u8]>, wanted: &[&str]) {
    let folder = Folder::new();
    let options = Options { map: (!mapping.is_empty()).then(|| map(mapping)), ..Options::default() };
    assert_eq!(read_all(&options, &[folder.file(name, bytes)]), wanted, "{name}");
}
