//! One stream of one symbol: its log, its state, its readers.

use std::sync::Arc;
use std::time::Duration;

use model::{Body, Filter, Seq};

use crate::book::Books;
use crate::candles::Bars;
use crate::estate::Kept;
use crate::event::Event;
use crate::fold::{Each, Fold, Newest, Seen, Trades};
use crate::ids::{SessionId, Stream, TopicId};
use crate::lane::{Lane, News, Readers};
use crate::limits::{FILTERS_MAX, LogLimits};
use crate::options::Options;
use crate::ring::{Bounds, Ring};
use crate::session::{Sessions, SubId};
use crate::trail::Trail;
use crate::views::Views;

pub(crate) struct Topic {
    pub(crate) id: TopicId,
    /// The place of its newest event, and that event's in the total order.
    pub(crate) head: Seq,
    pub(crate) position: u64,
    /// How old its newest event was when it was received, in nanoseconds.
    pub(crate) source_lag: u64,
    pub(crate) log: Log,
    trail: Trail,
}

/// What a stream keeps depends on what may become of its events.
pub(crate) enum Log {
    /// Conserved.
    Trades(Views<Trades>),
    /// Quotes and tickers: the newest counts.
    Newest(Views<Newest>),
    /// States: each counts.
    Each(Lane<Each>),
    /// The newest of each bar, and every closed one.
    Bars(Box<Bars>),
    /// Merged by price level.
    Books(Box<Books>),
}

impl Topic {
    pub(crate) fn new(id: TopicId, limits: &LogLimits) -> Self {
        let bounds = |units| Bounds { events: limits.events, bytes: limits.bytes, units };
        let log = match id.stream {
            Stream::Trades => Log::Trades(Views::new(bounds(limits.trade_parts))),
            Stream::Quotes | Stream::Ticker => Log::Newest(Views::new(bounds(0))),
            Stream::Status => Log::Each(Lane::new(bounds(0))),
            Stream::Candles(_) => Log::Bars(Box::new(Bars::new(bounds(0), limits.closed_bars))),
            Stream::Book => Log::Books(Box::new(Books::new(bounds(limits.book_levels)))),
        };
        Self { id, head: Seq::START, position: 0, source_lag: 0, log, trail: Trail::default() }
    }

    /// Takes in the next event and wakes those who read the stream.
    pub(crate) fn push(&mut self, event: &Arc<Event>, sessions: &mut Sessions, now: Duration) {
        self.head = event.seq;
        self.position = event.position;
        self.source_lag = event.ts_recv.since(event.ts_event);
        self.trail.note(event.position, event.seq);
        let news = |urgent| News { position: event.position, now, urgent };
        let seen = Seen { event: Arc::clone(event), prev: event.seq.prev() };
        match (&mut self.log, &event.body) {
            (Log::Trades(views), _) => views.push(event, sessions, news(false)),
            (Log::Newest(views), _) => views.push(event, sessions, news(false)),
            (Log::Each(lane), _) => {
                lane.ring.push(seen, now, |_| ());
                lane.readers.wake(sessions, news(true));
            }
            (Log::Bars(bars), _) => {
                let closed = bars.note(event);
                bars.lane.ring.push(seen, now, |_| ());
                bars.lane.readers.wake(sessions, news(closed));
            }
            (Log::Books(books), Body::Book(change)) => books.push(event, change, sessions, now),
            (Log::Books(_), _) => {}
        }
    }

    /// Begins anew after `floor`: what was known of it before leads nowhere. Nobody lacks any of that.
    pub(crate) fn restart(&mut self, floor: Seq, position: u64) {
        (self.head, self.position) = (floor, position);
        match &mut self.log {
            Log::Trades(views) => views.restart(floor, position),
            Log::Newest(views) => views.restart(floor, position),
            Log::Each(lane) => lane.ring.restart(floor, position),
            Log::Bars(bars) => bars.lane.ring.restart(floor, position),
            Log::Books(books) => books.restart(floor, position),
        }
    }

    /// Begins with what was kept of the stream elsewhere.
    pub(crate) fn restore(&mut self, kept: &Kept<Arc<Event>>, sessions: &mut Sessions, now: Duration) {
        let Some(first) = kept.events.first() else { return };
        let (floor, evicted) = (first.seq.prev(), first.position - 1);
        match &mut self.log {
            _ if floor == Seq::START => {}
            Log::Trades(views) => views.begin_after(floor, evicted),
            Log::Newest(views) => views.begin_after(floor, evicted),
            Log::Each(lane) => lane.ring.begin_after(floor, evicted),
            Log::Bars(bars) => bars.lane.ring.begin_after(floor, evicted),
            Log::Books(_) => {}
        }
        if let Log::Bars(bars) = &mut self.log {
            bars.restore(&kept.closed, kept.lost);
        }
        let before = kept.trail.partition_point(|&(at, _)| at < first.position);
        self.trail.restore(&kept.trail[..before]);
        for event in &kept.events {
            self.push(event, sessions, now);
        }
        if let Log::Books(books) = &mut self.log {
            for view in &kept.views {
                books.open_view(view.depth, view.checksum, view.seen);
            }
            books.prune(now);
        }
    }

    /// Where it stood in the past.
    pub(crate) fn trail(&self) -> Vec<(u64, Seq)> {
        self.trail.marks()
    }

    pub(crate) fn bars(&self) -> Option<&Bars> {
        if let Log::Bars(bars) = &self.log { Some(bars) } else { None }
    }

    pub(crate) fn book(&self) -> Option<&Books> {
        if let Log::Books(books) = &self.log { Some(books) } else { None }
    }

    /// No trade summary goes beyond here.
    pub(crate) fn seal(&mut self) {
        if let Log::Trades(views) = &mut self.log {
            views.seal();
        }
    }

    /// The readers that an option set puts a subscription among.
    fn readers(&mut self, options: &Options) -> &mut Readers {
        match &mut self.log {
            Log::Trades(views) => &mut views.open(options.filter.as_ref()).readers,
            Log::Newest(views) => &mut views.open(options.filter.as_ref()).readers,
            Log::Each(lane) => &mut lane.readers,
            Log::Bars(bars) => &mut bars.lane.readers,
            Log::Books(books) => {
                let index = books.open_view(options.depth, options.checksum, self.head);
                &mut books.views[index].lane.readers
            }
        }
    }

    /// Whether one more filter would be one too many.
    pub(crate) fn refuses(&self, options: &Options) -> bool {
        let Some(filter) = &options.filter else { return false };
        let (known, count) = match &self.log {
            Log::Trades(views) => (views.has(filter), views.filters()),
            Log::Newest(views) => (views.has(filter), views.filters()),
            _ => (true, 0),
        };
        !known && count >= FILTERS_MAX
    }

    /// A subscription will have a filter once it has what waits for it.
    pub(crate) fn reserve(&mut self, filter: Option<&Arc<Filter>>) {
        match (&mut self.log, filter) {
            (Log::Trades(views), Some(filter)) => views.reserve(filter),
            (Log::Newest(views), Some(filter)) => views.reserve(filter),
            _ => {}
        }
    }

    /// It has it now, or will not.
    pub(crate) fn release(&mut self, filter: Option<&Arc<Filter>>) {
        match (&mut self.log, filter) {
            (Log::Trades(views), Some(filter)) => views.release(filter),
            (Log::Newest(views), Some(filter)) => views.release(filter),
            _ => {}
        }
    }

    pub(crate) fn join(&mut self, session: SessionId, sub: SubId, options: &Options) -> usize {
        self.readers(options).add(session, sub)
    }

    pub(crate) fn leave(&mut self, place: usize, options: &Options, sessions: &mut Sessions, now: Duration) {
        self.readers(options).remove(place, sessions);
        match &mut self.log {
            Log::Trades(views) => views.prune(),
            Log::Newest(views) => views.prune(),
            Log::Books(books) => books.prune(now),
            Log::Each(_) | Log::Bars(_) => {}
        }
    }

    /// Reads what draining a reader at `place` of its list will need, to have it near by then.
    pub(crate) fn warm(&self, place: usize) {
        match &self.log {
            Log::Trades(views) => views.get(None).map_or((), |lane| lane.warm(place)),
            Log::Newest(views) => views.get(None).map_or((), |lane| lane.warm(place)),
            Log::Each(lane) => lane.warm(place),
            Log::Bars(bars) => bars.lane.warm(place),
            Log::Books(_) => {}
        }
    }

    pub(crate) fn caught_up(&mut self, place: usize, options: &Options) {
        self.readers(options).caught_up(place);
    }

    pub(crate) fn fell_behind(&mut self, place: usize, options: &Options) {
        self.readers(options).fell_behind(place);
    }

    pub(crate) fn doze(&mut self, place: usize, options: &Options) {
        self.readers(options).doze(place);
    }

    /// Where a reader that begins now stands: at the newest event it can see.
    pub(crate) fn head_of(&self, options: &Options) -> Seq {
        match &self.log {
            Log::Trades(views) => views.head(options.filter.as_ref(), self.head),
            Log::Newest(views) => views.head(options.filter.as_ref(), self.head),
            _ => self.head,
        }
    }

    /// Where a reader stands that has everything up to `position` in the total order, and about how
    /// many bytes it lacks; `None` where something it lacks, or where it stands, is not known any more.
    pub(crate) fn backlog(&mut self, options: &Options, position: u64) -> Option<(Seq, usize)> {
        match &mut self.log {
            Log::Trades(views) => views.backlog(options.filter.as_ref(), position),
            Log::Newest(views) => views.backlog(options.filter.as_ref(), position),
            Log::Each(lane) => backlog(lane, position),
            Log::Bars(bars) => backlog(&bars.lane, position),
            Log::Books(books) => {
                let index = books.view(options.depth, options.checksum)?;
                let view = &books.views[index];
                if view.lane.ring.newest().is_none() {
                    return view.holds_since(position).then_some((view.seen(), 0));
                }
                backlog(&view.lane, position).filter(|_| view.holds_since(position))
            }
        }
    }

    /// Whether the place that a reader had is known even where what it lacks is gone.
    pub(crate) const fn tells_place(&self, options: &Options) -> bool {
        options.filter.is_none() && !matches!(self.log, Log::Books(_))
    }

    /// The log of the stream's events as they are; a book has none.
    pub(crate) fn whole(&self) -> Option<Whole<'_>> {
        match &self.log {
            Log::Trades(views) => Some(Whole::Trades(&views.get(None)?.ring)),
            Log::Newest(views) => Some(Whole::Newest(&views.get(None)?.ring)),
            Log::Each(lane) => Some(Whole::Each(&lane.ring)),
            Log::Bars(bars) => Some(Whole::Newest(&bars.lane.ring)),
            Log::Books(_) => None,
        }
    }

    /// Has the view of a book that goes with these options.
    pub(crate) fn keep_view(&mut self, options: &Options, now: Duration) {
        if let Log::Books(books) = &mut self.log {
            books.open_view(options.depth, options.checksum, self.head);
            books.prune(now);
        }
    }

    /// A reader stopped at `place`: no fold goes across it.
    pub(crate) fn mark(&mut self, options: &Options, place: Seq) {
        match &mut self.log {
            Log::Trades(views) => views.open(options.filter.as_ref()).ring.mark(place),
            Log::Newest(views) => views.open(options.filter.as_ref()).ring.mark(place),
            Log::Each(lane) => lane.ring.mark(place),
            Log::Bars(bars) => bars.lane.ring.mark(place),
            Log::Books(books) => {
                let index = books.open_view(options.depth, options.checksum, self.head);
                books.views[index].lane.ring.mark(place);
            }
        }
    }

    /// The place that a reader had at `position` in the total order, or one before it.
    pub(crate) fn place_before(&self, position: u64) -> Seq {
        self.trail.place_before(position)
    }

    /// When its newest event happened, by the venue's clock; the age of what waits needs ours.
    pub(crate) const fn source_lag_ms(&self) -> u64 {
        self.source_lag / 1_000_000
    }
}

/// A stream's events as they are.
pub(crate) enum Whole<'a> {
    Trades(&'a Ring<Trades>),
    Newest(&'a Ring<Newest>),
    Each(&'a Ring<Each>),
}

impl<'a> Whole<'a> {
    /// About how many bytes a reader at `place` lacks; `None` where something has left the log.
    pub(crate) fn lacks(&self, place: Seq) -> Option<usize> {
        match self {
            Self::Trades(ring) => ring.whole_weight(place),
            Self::Newest(ring) => ring.whole_weight(place),
            Self::Each(ring) => ring.whole_weight(place),
        }
    }

    /// The place before the oldest that is kept.
    pub(crate) fn start(&self) -> Option<Seq> {
        match self {
            Self::Trades(ring) => ring.start(),
            Self::Newest(ring) => ring.start(),
            Self::Each(ring) => ring.start(),
        }
    }

    /// The events after `prev`, up to `to`.
    pub(crate) fn between(&self, prev: Seq, to: Seq) -> Box<dyn Iterator<Item = &'a Arc<Event>> + 'a> {
        match self {
            Self::Trades(ring) => Box::new(ring.between(prev, to).map(|seen| &seen.event)),
            Self::Newest(ring) => Box::new(ring.between(prev, to).map(|seen| &seen.event)),
            Self::Each(ring) => Box::new(ring.between(prev, to).map(|seen| &seen.event)),
        }
    }
}

fn backlog<F: Fold>(lane: &Lane<F>, position: u64) -> Option<(Seq, usize)> {
    let place = lane.ring.place_at(position);
    lane.ring.holds_since(position).then(|| (place, lane.ring.weight(place, u64::MAX)))
}
