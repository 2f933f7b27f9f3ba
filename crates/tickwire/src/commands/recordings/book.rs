//! `tickwire book`: what the book was at an instant.

use std::io::{self, Write};

use anyhow::anyhow;
use model::UnixNanos;
use store::At;
use wire::{BookNotes, Origin, Stamp, Writer};

use super::{open, told};
use crate::cli::BookArgs;
use crate::exit::Outcome;

pub(crate) fn run(args: &BookArgs) -> Outcome {
    let recording = open(&args.recording)?;
    let at = At::Time(args.at.unwrap_or(UnixNanos(u64::MAX)));
    let mut damages = Vec::new();
    let (state, _) = recording.seek(at, &mut damages)?;
    // A book as of before damage may have missed something.
    let outcome = told(&args.recording, &damages);
    let Some((book, newest)) = state.book(&args.symbol) else {
        let why = if state.instruments().iter().any(|known| known.symbol == args.symbol) {
            "has no book at that time: none had come, or its updates were lost"
        } else {
            "is not in the recording at that time"
        };
        return Err(anyhow!("{} {why}", args.symbol).into());
    };
    let stamp = Stamp {
        symbol: &args.symbol,
        seq: newest.seq,
        prev: newest.seq.prev(),
        ts_event: Some(newest.ts_event),
        ts_source: newest.ts_source,
        ts_seq: None,
        ts_recv: Some(newest.ts_recv),
    };
    let instrument = &newest.instrument;
    let origin = Origin { venue: instrument.venue.as_str(), venue_symbol: &instrument.venue_symbol };
    let depth = if args.depth == 0 { usize::MAX } else { args.depth };
    let notes = BookNotes {
        snapshot: true,
        depth: Some(args.depth),
        checksum: Some(book.checksum(depth)),
        crossed: book.is_crossed(),
        locked: book.is_locked(),
    };
    let levels = book.top(depth);
    let mut line = Vec::new();
    Writer::with_origin(&mut line, origin).book(&stamp, &levels, notes);
    line.push(b'\n');
    io::stdout().lock().write_all(&line)?;
    outcome
}
