//! The delay line: what was sequenced, until it is sequenced once more in the twins of its symbol.
//!
//! One line serves all delays: the longest takes out what the others have repeated before. It keeps ticks and not
//! events, whose encodings would stay with them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use fanout::{Event, Sequencer, SymbolId};
use metrics::Gauge;
use model::{Body, Tick};
use tokio::time::Sleep;

use super::declared::Delays;
use super::missed::Missed;
use crate::clock;
use crate::limits::DUE_PER_LOOK;
use crate::metrics::{DELAYED, DELAYED_MISSED, REPEATED};

pub(crate) struct Line {
    delays: Delays,
    /// Oldest first.
    waiting: VecDeque<Together>,
    /// By delay but for the longest: how many of them it has repeated already.
    ahead: Vec<usize>,
    /// How many ticks wait.
    held: usize,
    /// As many may.
    most: usize,
    missed: Missed,
    /// That some are missed was logged.
    told: bool,
    /// Wakes the hub when something is due and nothing comes.
    sleep: Option<Pin<Box<Sleep>>>,
    gauge: Gauge,
}

/// What was sequenced at one time.
struct Together {
    at: Duration,
    ticks: Vec<Held>,
}

/// A tick that waits.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) symbol: SymbolId,
    pub(super) tick: Tick,
}

impl Held {
    pub(super) fn of(event: &Event) -> Self {
        let tick = Tick {
            instrument: Arc::clone(&event.instrument),
            ts_event: Some(event.ts_event),
            ts_source: event.ts_source,
            ts_recv: Some(event.ts_recv),
            body: event.body.clone(),
        };
        Self { symbol: event.topic.symbol, tick }
    }
}

impl Line {
    /// A line for these delays, in which up to `most` ticks wait.
    pub(crate) fn new(delays: Delays, most: usize) -> Self {
        Self {
            ahead: vec![0; delays.count().saturating_sub(1)],
            delays,
            waiting: VecDeque::new(),
            held: 0,
            most,
            missed: Missed::default(),
            told: false,
            sleep: None,
            gauge: metrics::gauge!(DELAYED),
        }
    }

    /// How many twins each symbol has.
    pub(crate) fn twins(&self) -> usize {
        self.delays.count()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Input: what was sequenced `now`. What there is no room for is missed until an eighth of the line is free
    /// again: nothing goes out early to make room, that would be giving away what others pay for.
    pub(crate) fn take_in(&mut self, events: &[Arc<Event>], now: Duration) {
        if events.is_empty() {
            return;
        }
        if self.missed.is_going_on() && self.held + self.most / 8 <= self.most {
            let rest = self.missed.end();
            self.wait(rest, now);
        }
        let mut ticks = Vec::with_capacity(events.len());
        for event in events {
            self.missed.note_state(event);
            // There are few of them, and nothing stands for them.
            let is_status = matches!(event.body, Body::Status(_));
            let room = if is_status { self.most + self.most / 8 } else { self.most };
            let fits = self.held + ticks.len() < room;
            if fits && (is_status || !self.missed.is_going_on()) {
                let mut held = Held::of(event);
                if self.told
                    && let Body::Correction(correction) = &mut held.tick.body
                {
                    // Trades before it may be missing here: where the one it is about stands is not known.
                    correction.original.iter_mut().for_each(|original| original.back = None);
                }
                ticks.push(held);
            } else {
                self.miss(event, &mut ticks);
            }
        }
        self.wait(ticks, now);
    }

    fn miss(&mut self, event: &Event, ticks: &mut Vec<Held>) {
        metrics::counter!(DELAYED_MISSED).increment(1);
        if !std::mem::replace(&mut self.told, true) {
            let most = self.most;
            tracing::error!(
                "more than {most} updates are delayed ([limits] delayed_events): some are missed"
            );
        }
        ticks.extend(self.missed.note(event));
    }

    fn wait(&mut self, ticks: Vec<Held>, at: Duration) {
        if ticks.is_empty() {
            return;
        }
        self.held += ticks.len();
        self.waiting.push_back(Together { at, ticks });
    }

    /// Output: what is due by `now`, at most about [`DUE_PER_LOOK`], sequenced once more in the order of time.
    pub(crate) fn due(&mut self, now: Duration, sequencer: &mut Sequencer) -> Vec<Arc<Event>> {
        let mut events = Vec::new();
        while events.len() < DUE_PER_LOOK
            && let Some((due, twin)) = self.next()
            && due <= now
        {
            self.repeat(twin, |held, twin| events.push(sequencer.repeat(held.symbol, twin, held.tick)));
        }
        if !events.is_empty() {
            metrics::counter!(REPEATED).increment(events.len() as u64);
        }
        events
    }

    /// What one twin repeats next. The last one takes it out of the line.
    fn repeat(&mut self, twin: usize, mut take: impl FnMut(Held, usize)) {
        if let Some(ahead) = self.ahead.get_mut(twin - 1) {
            let ticks = &self.waiting[*ahead].ticks;
            for held in ticks {
                take(held.clone(), twin);
            }
            *ahead += 1;
        } else if let Some(Together { ticks, .. }) = self.waiting.pop_front() {
            // Shorter delays have repeated it.
            self.ahead.iter_mut().for_each(|ahead| *ahead -= 1);
            self.held -= ticks.len();
            for held in ticks {
                take(held, twin);
            }
        }
    }

    /// When something is due next, and in which twin.
    fn next(&self) -> Option<(Duration, usize)> {
        let places = self.ahead.iter().copied().chain([0]);
        let delays = self.delays.all().iter().zip(1..);
        let due = |(place, (&delay, twin)): (usize, (&Duration, usize))| {
            self.waiting.get(place).map(|together| (together.at + delay, twin))
        };
        places.zip(delays).filter_map(due).min()
    }

    /// Output: when [`Self::due`] has something to give.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        self.next().map(|(due, _)| due)
    }

    /// Wakes `waker` when something is due. Whoever pumps sets the alarm: it is the hub's task that it wakes.
    pub(crate) fn set_alarm(&mut self, waker: &Waker) {
        self.gauge.set(f64::from(u32::try_from(self.held).unwrap_or(u32::MAX)));
        let Some(due) = self.poll_timeout() else { return };
        let due = tokio::time::Instant::from(clock::instant(due));
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        // One that rings early harms nobody: whoever hears it sets the next one.
        if sleep.is_elapsed() || due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        if sleep.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            waker.wake_by_ref();
        }
    }
}
