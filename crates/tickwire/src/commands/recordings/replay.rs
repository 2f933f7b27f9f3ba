//! `tickwire replay`: a recording read out, at any speed.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use model::{Body, Placed, UnixNanos};
use store::{At, Damage, Digest, Manifest, Reader, Recording, Span, State};

use super::{open, say};
use crate::cli::ReplayArgs;
use crate::exit::Outcome;

/// Blocks that are read ahead.
const BLOCKS_AHEAD: usize = 2;
/// How often the end of a recording is looked at for more.
const LOOK: Duration = Duration::from_millis(100);
/// Who waits less than this does not sleep: the call takes longer.
const SLEEP_MIN: Duration = Duration::from_micros(60);

pub(crate) fn run(args: &ReplayArgs) -> Outcome {
    // Said before it is looked at: nothing comes after that.
    let ended = || {
        !args.follow
            || Manifest::read(&args.recording).is_ok_and(|told| told.is_some_and(|told| told.is_final()))
    };
    let mut last = ended();
    let recording = open(&args.recording)?;
    let mut player = Player::new(args, recording.span());
    let mut damages = Vec::new();
    let (state, mut reader) = match args.from {
        None => (State::default(), recording.read()?),
        Some(from) => recording.seek(At::Time(UnixNanos(from.0.saturating_sub(1))), &mut damages)?,
    };
    let state = if state.position() == 0 { recording.beginning()? } else { state };
    // The reader holds what it has yet to read; what it has read may go.
    drop(recording);
    for record in state.to_records().iter().filter(|_| args.snapshot) {
        if player.stands(record) {
            player.line(record)?;
        }
    }
    let mut look = LOOK;
    loop {
        for next in ahead(reader) {
            match next {
                Ok(records) => {
                    if !player.play(&records)? {
                        return player.finish(&damages);
                    }
                }
                // The end of one that goes on may be in the middle of a block.
                Err(damage) if args.follow && (damage.is_torn_end() || damages.contains(&damage)) => {}
                Err(damage) => damages.push(damage),
            }
        }
        if last {
            return player.finish(&damages);
        }
        player.out.flush()?;
        thread::sleep(look);
        let began = Instant::now();
        last = ended();
        let recording = Recording::open(&args.recording)?;
        // Whoever looks must not do little else.
        look = LOOK.max(4 * began.elapsed());
        reader = recording.read_after(player.position)?;
    }
}

/// Reads in a thread of its own, so that who keeps time does not wait for a disk.
fn ahead(reader: Reader) -> Receiver<Result<Vec<Placed>, Damage>> {
    let (sink, blocks) = sync_channel(BLOCKS_AHEAD);
    // Where nobody takes what it reads, it ends.
    thread::spawn(move || reader.into_iter().try_for_each(|next| sink.send(next)));
    blocks
}

struct Player<'a> {
    args: &'a ReplayArgs,
    span: Option<Span>,
    out: BufWriter<StdoutLock<'static>>,
    digest: Digest,
    /// The latest time of receipt so far.
    clock: UnixNanos,
    position: u64,
    /// When it began, and the clock then.
    began: Option<(Instant, UnixNanos)>,
    /// The longest that a record was late.
    late: Duration,
}

impl<'a> Player<'a> {
    fn new(args: &'a ReplayArgs, span: Option<Span>) -> Self {
        Self {
            args,
            span,
            out: BufWriter::with_capacity(1 << 18, io::stdout().lock()),
            digest: Digest::new(wire::line),
            clock: UnixNanos(0),
            position: 0,
            began: None,
            late: Duration::ZERO,
        }
    }

    /// Plays records as they are due; false where the end has come.
    fn play(&mut self, records: &[Placed]) -> io::Result<bool> {
        for record in records {
            self.clock = self.clock.max(record.ts_recv);
            self.position = record.position;
            if self.args.to.is_some_and(|to| self.clock >= to) {
                return Ok(false);
            }
            if self.wants(record) {
                self.wait()?;
                self.print(record)?;
            }
        }
        Ok(true)
    }

    /// Whether it says how things stand, and not what was before.
    fn stands(&self, record: &Placed) -> bool {
        let past = match &record.body {
            Body::Trade(_) | Body::OldTrade(_) | Body::Correction(_) => true,
            Body::Candle(bar) => bar.closed,
            _ => false,
        };
        !past && self.wants(record)
    }

    /// Prints a record that is not of the replay.
    fn line(&mut self, record: &Placed) -> io::Result<()> {
        let mut line = Vec::new();
        wire::line(record, &mut line);
        line.push(b'\n');
        if self.args.digest { Ok(()) } else { self.out.write_all(&line) }
    }

    fn wants(&self, record: &Placed) -> bool {
        let ReplayArgs { channels, symbols, .. } = self.args;
        (channels.is_empty() || channels.contains(&record.body.channel()))
            && (symbols.is_empty() || symbols.iter().any(|wanted| wanted.matches(&record.instrument.symbol)))
    }

    /// Waits until the clock's time has come.
    fn wait(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let (began, first) = *self.began.get_or_insert((now, self.clock));
        let due = began + self.args.speed.played(self.clock.since(first));
        if let Some(wait) = due.checked_duration_since(now).filter(|wait| *wait > SLEEP_MIN) {
            self.out.flush()?;
            thread::sleep(wait);
        }
        if self.args.speed != model::Speed::MAX {
            self.late = self.late.max(Instant::now().saturating_duration_since(due));
        }
        Ok(())
    }

    fn print(&mut self, record: &Placed) -> io::Result<()> {
        self.digest.push(record);
        if self.args.digest { Ok(()) } else { self.out.write_all(self.digest.line()) }
    }

    fn finish(mut self, damages: &[Damage]) -> Outcome {
        if self.args.digest {
            writeln!(self.out, "{}", self.digest.value())?;
        }
        self.out.flush()?;
        let late =
            if self.late.is_zero() { String::new() } else { format!(", at most {:.1?} late", self.late) };
        say(&format!("{} records{late}; digest {}", self.digest.records(), self.digest.value()));
        let span = self.span.filter(|_| self.digest.records() == 0);
        if let Some(Span { from, to, .. }) = span {
            say(&format!("nothing fits what was asked for; the recording goes from {from} to {to}"));
        }
        super::told(&self.args.recording, damages)
    }
}
