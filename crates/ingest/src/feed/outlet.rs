//! Where a feed's ticks leave it: derived, stamped, counted, in batches.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::{Counter, Gauge};
use model::{Body, BookChange, Channel, GapReason, Instrument, Symbol, Tick, UnixNanos};
use tokio::sync::mpsc::Sender;

use super::clock::Clock;
use super::place::{Place, Source};
use super::{BATCH_TICKS_MAX, Batch, FeedSpec};
use crate::derive::{Deriver, Health, Totals};
use crate::error::FeedError;
use crate::metrics as names;
use crate::reader::Spot;

/// The receiver is gone: the feed may end.
#[derive(Debug)]
pub(crate) struct Closed;

pub(crate) struct Outlet {
    name: String,
    suffix: String,
    stale_after: Duration,
    deriver: Deriver,
    clock: Clock,
    sink: Sender<Batch>,
    batch: Batch,
    /// Instruments whose symbol got the suffix.
    renamed: Vec<(Arc<Instrument>, Arc<Instrument>)>,
    heard: Instant,
    /// When the newest tick came.
    newest: Option<UnixNanos>,
    health: Health,
    counts: Counts,
}

impl Drop for Outlet {
    /// A feed that fell over a bug of ours is down, and says so.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.end("the feed failed: see the log", wall_now());
        }
    }
}

/// Counted here, handed to the metrics with each batch.
struct Counts {
    events: [(Counter, u64); Channel::ALL.len()],
    gaps: Counter,
    /// By reason.
    resets: [Counter; GapReason::ALL.len()],
    last: Gauge,
    /// It has said something since that was told.
    heard: bool,
    lag: Gauge,
    /// What the deriver has seen, and how much of it was counted.
    seen: [Counter; SEEN],
    counted: [u64; SEEN],
    offset: Gauge,
    /// What could not be read, by reason.
    faults: BTreeMap<&'static str, Counter>,
}

/// How many numbers [`seen`] has.
const SEEN: usize = 7;

/// The numbers of a deriver's totals that have metrics.
const fn seen(totals: Totals) -> [u64; SEEN] {
    let Totals { late_trades, exact, partial, unknown, crossed, locked, backwards } = totals;
    [late_trades, exact, partial, unknown, crossed, locked, backwards]
}

impl Counts {
    /// What this process says of a feed itself, such as that it is silent, is no sign of its life.
    fn tell_heard(&mut self) {
        if std::mem::take(&mut self.heard) {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.last.set(since.as_secs_f64());
        }
    }
}

impl Outlet {
    /// An outlet that goes on with what was derived before.
    pub(crate) fn resumed(spec: &FeedSpec, sink: Sender<Batch>, deriver: Deriver, health: Health) -> Self {
        let mut outlet = Self::new(spec, sink);
        outlet.counts.counted = seen(deriver.totals());
        (outlet.deriver, outlet.health) = (deriver, health);
        outlet
    }

    pub(crate) fn new(spec: &FeedSpec, sink: Sender<Batch>) -> Self {
        let events = Channel::ALL.map(|channel| {
            (metrics::counter!(names::EVENTS, "feed" => spec.name.clone(), "kind" => channel.as_str()), 0)
        });
        Self {
            name: spec.name.clone(),
            suffix: spec.suffix.clone(),
            stale_after: spec.stale_after,
            deriver: Deriver::new(&spec.name),
            clock: Clock::default(),
            sink,
            batch: Batch::new(),
            renamed: Vec::new(),
            heard: Instant::now(),
            newest: None,
            health: Health::Live,
            counts: Counts {
                events,
                gaps: metrics::counter!(names::GAPS, "feed" => spec.name.clone()),
                resets: GapReason::ALL.map(|reason| {
                    metrics::counter!(names::RESETS, "feed" => spec.name.clone(), "reason" => reason.as_str())
                }),
                last: metrics::gauge!(names::LAST_EVENT, "feed" => spec.name.clone()),
                // One that never says anything is as old as its beginning.
                heard: true,
                lag: metrics::gauge!(names::LAG, "feed" => spec.name.clone()),
                seen: {
                    let feed = || spec.name.clone();
                    let corrections =
                        |result| metrics::counter!(names::CORRECTIONS, "feed" => feed(), "result" => result);
                    let crossed = |kind| metrics::counter!(names::CROSSED, "feed" => feed(), "kind" => kind);
                    [
                        metrics::counter!(names::LATE_TRADES, "feed" => feed()),
                        corrections("exact"),
                        corrections("partial"),
                        corrections("unknown"),
                        crossed("crossed"),
                        crossed("locked"),
                        metrics::counter!(names::BACKWARDS, "feed" => feed()),
                    ]
                },
                counted: [0; SEEN],
                offset: metrics::gauge!(names::CLOCK_OFFSET, "feed" => spec.name.clone()),
                faults: BTreeMap::new(),
            },
        }
    }

    /// Takes a tick. What is full is sent at once.
    pub(crate) fn push(&mut self, tick: Tick) -> Result<(), Closed> {
        self.hear(tick.ts_recv);
        if let Some((sent, recv)) = tick.ts_source.or(tick.ts_event).zip(tick.ts_recv) {
            self.clock.note(sent, recv);
        }
        self.say(tick)
    }

    /// Takes a tick that is no sign of life.
    pub(crate) fn say(&mut self, mut tick: Tick) -> Result<(), Closed> {
        let before = self.batch.len();
        let recv = tick.ts_recv.unwrap_or_else(|| self.untold(tick.ts_event));
        self.newest = self.newest.max(Some(recv));
        tick.ts_recv = Some(recv);
        tick.instrument = self.rename(tick.instrument);
        if let Body::Book(BookChange::Gap(gap)) = &tick.body {
            self.counts.resets[gap.reason as usize].increment(1);
            self.counts.gaps.increment(gap.reason.is_loss().into());
        }
        self.deriver.handle(tick, &mut self.batch);
        for tick in &self.batch[before..] {
            let slot = Channel::ALL.iter().position(|channel| *channel == tick.body.channel());
            self.counts.events[slot.unwrap_or(0)].1 += 1;
        }
        if self.batch.len() >= BATCH_TICKS_MAX { self.flush() } else { Ok(()) }
    }

    /// When a tick came of which nobody knows it: at the venue's time, and not before those that came before it. Files
    /// that do not say are read to the same records each time.
    fn untold(&self, event: Option<UnixNanos>) -> UnixNanos {
        event.max(self.newest).unwrap_or_else(wall_now)
    }

    /// Anything came in, if only a heartbeat: the feed is alive.
    pub(crate) fn hear(&mut self, at: Option<UnixNanos>) {
        self.heard = Instant::now();
        self.counts.heard = true;
        if let Some(at) = at {
            self.deriver.hear(at);
        }
        if self.health == Health::Stale {
            self.health = Health::Live;
            let at = at.unwrap_or_else(wall_now);
            self.deriver.handle_health(Health::Live, "feed events again", at, &mut self.batch);
        }
    }

    /// Time passed without ticks; `feed_now` is the feed's own time.
    pub(crate) fn idle(&mut self, feed_now: UnixNanos) -> Result<(), Closed> {
        self.deriver.handle_time(feed_now, &mut self.batch);
        if self.health == Health::Live && self.heard.elapsed() >= self.stale_after {
            self.health = Health::Stale;
            let reason = format!("no feed event for {} ms", self.stale_after.as_millis());
            tracing::warn!(feed = self.name, "{reason}: its symbols are stale");
            self.deriver.handle_health(Health::Stale, &reason, feed_now, &mut self.batch);
        }
        self.flush()
    }

    /// Time passed, and nobody wonders why nothing comes.
    pub(crate) fn tend(&mut self, feed_now: UnixNanos) -> Result<(), Closed> {
        self.deriver.handle_time(feed_now, &mut self.batch);
        self.flush()
    }

    /// When [`Self::idle`] must be called at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        const LOOK: Duration = Duration::from_millis(250);
        (Instant::now() + LOOK).min(self.heard + self.stale_after.max(LOOK))
    }

    pub(crate) fn announce(
        &mut self,
        instruments: &[Arc<Instrument>],
        reason: &str,
        at: UnixNanos,
    ) -> Result<(), Closed> {
        for instrument in instruments {
            let instrument = self.rename(Arc::clone(instrument));
            self.deriver.announce(&instrument, reason, at, &mut self.batch);
        }
        self.flush()
    }

    /// The feed has ended.
    pub(crate) fn end(&mut self, reason: &str, at: UnixNanos) -> Result<(), Closed> {
        self.health = Health::Down;
        self.deriver.handle_health(Health::Down, reason, at, &mut self.batch);
        self.flush()
    }

    /// Where the feed is; everything before it was sent.
    pub(crate) fn into_place(mut self, source: Source) -> Option<Place> {
        self.flush().ok()?;
        let deriver = std::mem::replace(&mut self.deriver, Deriver::new(&self.name));
        Some(Place { suffix: std::mem::take(&mut self.suffix), deriver, health: self.health, source })
    }

    pub(crate) fn fault(&mut self, file: &Path, spot: Spot, error: &FeedError) {
        let (name, reason) = (&self.name, error.reason());
        let faults = || metrics::counter!(names::ERRORS, "feed" => name.clone(), "reason" => reason);
        self.counts.faults.entry(reason).or_insert_with(faults).increment(1);
        tracing::warn!(feed = self.name, "{} {spot}: {error}", file.display());
    }

    /// Sends what is there.
    pub(crate) fn flush(&mut self) -> Result<(), Closed> {
        self.counts.tell_heard();
        if self.batch.is_empty() {
            return Ok(());
        }
        for (counter, count) in &mut self.counts.events {
            counter.increment(std::mem::take(count));
        }
        let now = seen(self.deriver.totals());
        let before = std::mem::replace(&mut self.counts.counted, now);
        for (counter, (now, before)) in self.counts.seen.iter().zip(now.into_iter().zip(before)) {
            counter.increment(now - before);
        }
        if let Some(offset) = self.clock.offset() {
            let size = Duration::from_nanos(offset.unsigned_abs()).as_secs_f64();
            self.counts.offset.set(if offset < 0 { -size } else { size });
        }
        let times = self.batch.iter().rev().find_map(|tick| tick.ts_recv.zip(tick.ts_event));
        if let Some((recv, event)) = times {
            self.counts.lag.set(Duration::from_nanos(recv.since(event)).as_secs_f64());
        }
        // What a burst derives may go beyond one batch.
        while self.batch.len() > BATCH_TICKS_MAX {
            let rest = self.batch.split_off(BATCH_TICKS_MAX);
            let full = std::mem::replace(&mut self.batch, rest);
            self.sink.blocking_send(full).map_err(|_| Closed)?;
        }
        self.sink.blocking_send(std::mem::take(&mut self.batch)).map_err(|_| Closed)
    }

    fn rename(&mut self, instrument: Arc<Instrument>) -> Arc<Instrument> {
        if self.suffix.is_empty() {
            return instrument;
        }
        if let Some((_, renamed)) = self.renamed.iter().find(|(from, _)| Arc::ptr_eq(from, &instrument)) {
            return Arc::clone(renamed);
        }
        let symbol = suffixed(&instrument.symbol, &self.suffix);
        let aliases = instrument.aliases.iter().map(|alias| suffixed(alias, &self.suffix)).collect();
        let renamed = Arc::new(Instrument { symbol, aliases, ..(*instrument).clone() });
        // One of which more is known by now takes the place of the one before.
        self.renamed.retain(|(from, _)| {
            (&from.venue, &from.venue_symbol) != (&instrument.venue, &instrument.venue_symbol)
        });
        self.renamed.push((instrument, Arc::clone(&renamed)));
        renamed
    }
}

/// A symbol with a suffix, where there is room for it.
#[must_use]
pub fn suffixed(symbol: &Symbol, suffix: &str) -> Symbol {
    Symbol::parse(&format!("{symbol}{suffix}")).unwrap_or_else(|_| symbol.clone())
}

/// The wall clock.
pub(crate) fn wall_now() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::mpsc;

    use super::*;
    use crate::feed::{FeedKind, SimSpec};

    fn spec() -> FeedSpec {
        FeedSpec {
            name: "sim".into(),
            suffix: String::new(),
            stale_after: Duration::ZERO,
            kind: FeedKind::Sim(SimSpec { seed: 1, symbols: 1, rate: 1 }),
        }
    }

    /// Without a time of receipt it is the venue's, and time does not go back.
    #[test]
    fn what_does_not_say_when_it_came() {
        let outlet = |newest: Option<u64>| {
            let mut outlet = Outlet::new(&spec(), mpsc::channel(8).0);
            outlet.newest = newest.map(UnixNanos);
            outlet
        };
        assert_eq!(outlet(None).untold(Some(UnixNanos(5))), UnixNanos(5));
        assert_eq!(outlet(Some(7)).untold(Some(UnixNanos(5))), UnixNanos(7));
        assert_eq!(outlet(Some(7)).untold(None), UnixNanos(7));
        assert!(outlet(None).untold(None) > UnixNanos(1_700_000_000_000_000_000));
    }

    /// What is said of a silent feed does not make it look alive; a heartbeat does.
    #[test]
    fn a_feed_is_as_old_as_what_it_said_last() {
        let spec = spec();
        let (sink, _batches) = mpsc::channel(8);
        let told = Arc::<AtomicU64>::default();
        let mut outlet = Outlet::new(&spec, sink);
        outlet.counts.last = Gauge::from_arc(Arc::clone(&told));
        let asked = || f64::from_bits(told.swap(0, Ordering::Relaxed));
        outlet.flush().unwrap();
        assert!(asked() > 1.7e9, "it has begun");
        outlet.idle(wall_now()).unwrap();
        assert_eq!(outlet.health, Health::Stale);
        outlet.hear(None);
        outlet.flush().unwrap();
        assert!(asked() > 1.7e9, "a heartbeat");
        outlet.idle(wall_now()).unwrap();
        outlet.end("the recording ended", wall_now()).unwrap();
        assert!(asked().abs() < 1.0, "nothing of it was the feed's");
    }
}
