//! One stream of one symbol: its log, its state, its readers.

use std::sync::Arc;
use std::time::Duration;

use model::{Body, Instrument, Seq};

use crate::book::Books;
use crate::candles::Bars;
use crate::event::Event;
use crate::fold::{Each, Newest, Trades};
use crate::ids::{SessionId, Stream, TopicId};
use crate::lane::{Lane, News, Readers};
use crate::limits::LogLimits;
use crate::ring::Bounds;
use crate::session::{Options, Sessions, SubId};

pub(crate) struct Topic {
    pub(crate) id: TopicId,
    pub(crate) instrument: Arc<Instrument>,
    /// The place of its newest event, and that event's in the total order.
    pub(crate) head: Seq,
    pub(crate) position: u64,
    /// How old its newest event was when it was received, in nanoseconds.
    pub(crate) source_lag: u64,
    pub(crate) log: Log,
}

/// What a stream keeps depends on what may become of its events.
pub(crate) enum Log {
    /// Conserved.
    Trades(Lane<Trades>),
    /// Quotes and tickers: the newest counts.
    Newest(Lane<Newest>),
    /// States: each counts.
    Each(Lane<Each>),
    /// The newest of each bar, and every closed one.
    Bars(Box<Bars>),
    /// Merged by price level.
    Books(Box<Books>),
}

impl Topic {
    pub(crate) fn new(id: TopicId, instrument: Arc<Instrument>, limits: &LogLimits) -> Self {
        let bounds = |units| Bounds { events: limits.events, bytes: limits.bytes, units };
        let log = match id.stream {
            Stream::Trades => Log::Trades(Lane::new(bounds(limits.trade_parts))),
            Stream::Quotes | Stream::Ticker => Log::Newest(Lane::new(bounds(0))),
            Stream::Status => Log::Each(Lane::new(bounds(0))),
            Stream::Candles(_) => Log::Bars(Box::new(Bars::new(bounds(0), limits.closed_bars))),
            Stream::Book => Log::Books(Box::new(Books::new(bounds(limits.book_levels)))),
        };
        Self { id, instrument, head: Seq::START, position: 0, source_lag: 0, log }
    }

    /// Takes in the next event and wakes those who read the stream.
    pub(crate) fn push(&mut self, event: &Arc<Event>, sessions: &mut Sessions, now: Duration) {
        self.head = event.seq;
        self.position = event.position;
        self.source_lag = event.ts_recv.since(event.ts_event);
        let news = |urgent| News { position: event.position, now, urgent };
        match (&mut self.log, &event.body) {
            (Log::Trades(lane), _) => {
                let readers = &lane.readers;
                lane.ring.push(Arc::clone(event), |places| readers.places(sessions, places));
                lane.readers.wake(sessions, news(false));
            }
            (Log::Newest(lane), _) => {
                lane.ring.push(Arc::clone(event), |_| ());
                lane.readers.wake(sessions, news(false));
            }
            (Log::Each(lane), _) => {
                lane.ring.push(Arc::clone(event), |_| ());
                lane.readers.wake(sessions, news(true));
            }
            (Log::Bars(bars), _) => {
                let closed = bars.note(event);
                bars.lane.ring.push(Arc::clone(event), |_| ());
                bars.lane.readers.wake(sessions, news(closed));
            }
            (Log::Books(books), Body::Book(change)) => books.push(event, change, sessions, now),
            (Log::Books(_), _) => {}
        }
    }

    /// No trade summary goes beyond here.
    pub(crate) fn seal(&mut self) {
        if let Log::Trades(lane) = &mut self.log {
            lane.ring.seal();
        }
    }

    /// The readers that an option set puts a subscription among.
    fn readers(&mut self, options: &Options) -> &mut Readers {
        match &mut self.log {
            Log::Trades(lane) => &mut lane.readers,
            Log::Newest(lane) => &mut lane.readers,
            Log::Each(lane) => &mut lane.readers,
            Log::Bars(bars) => &mut bars.lane.readers,
            Log::Books(books) => {
                let index = books.open_view(options.depth, options.checksum, self.head);
                &mut books.views[index].lane.readers
            }
        }
    }

    pub(crate) fn join(&mut self, session: SessionId, sub: SubId, options: &Options) -> usize {
        self.readers(options).add(session, sub)
    }

    pub(crate) fn leave(&mut self, place: usize, options: &Options, sessions: &mut Sessions) {
        self.readers(options).remove(place, sessions);
        if let Log::Books(books) = &mut self.log {
            books.views.retain(|view| !view.lane.readers.is_empty());
        }
    }

    pub(crate) fn caught_up(&mut self, place: usize, options: &Options) {
        self.readers(options).caught_up(place);
    }

    /// When its newest event happened, by the venue's clock; the age of what waits needs ours.
    pub(crate) const fn source_lag_ms(&self) -> u64 {
        self.source_lag / 1_000_000
    }
}
