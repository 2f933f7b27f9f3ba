//! The coalescing (conflation) policy: what a subscription is sent of all that waits for it.
//!
//! | stream | it fits | it does not, `coalesce` | `gap` | `disconnect` |
//! |---|---|---|---|---|
//! | trades | every trade | a summary, then the newest that fit | a gap | what fits, the rest later |
//! | quotes, ticker | every event | the newest | a gap | what fits |
//! | candles | every event | every closed bar, the newest open one | as `coalesce` | what fits |
//! | book | every change | one merged change | a gap and a snapshot | what fits |
//! | status | every event | every event | every event | every event |
//!
//! With a conflation interval, what came in it becomes one record, whatever the overflow.

use std::sync::Arc;

use model::Seq;

use crate::book::{BookNews, BookRecord, Books};
use crate::candles::Bars;
use crate::event::{Encoded, Event, book_weight};
use crate::fold::{Each, Fold, Newest, SummaryRecord, Trades};
use crate::item::{GapCause, Item, Kind, Snapshot};
use crate::lane::Lane;
use crate::ledger::Account;
use crate::limits::{SNAPSHOT_BARS, SNAPSHOT_TRADES, TURN_BYTES_MIN};
use crate::session::{Options, Overflow};
use crate::topic::{Log, Topic};

/// What became of a subscription's turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// About how many bytes its items have.
    pub(crate) weight: usize,
    /// Something was merged or dropped because it did not fit.
    pub(crate) slow: bool,
    /// Something still waits.
    pub(crate) left: bool,
    /// What it lacks has left the log, and it asked not to live with that.
    pub(crate) overrun: bool,
}

/// What a turn may send.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// About so many bytes, where anything may be merged.
    pub(crate) bytes: usize,
    /// Up to this place in the total order, where nothing may.
    pub(crate) until: u64,
}

/// How a turn is to be served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Event by event.
    Singles,
    /// Merged: a conflation interval has passed.
    Conflated,
    /// Merged or dropped: the reader is slow.
    Slow(Overflow),
}

/// Where a turn's items go, with the account they are entered into.
struct Out<'a> {
    topic: &'a Facts,
    account: &'a mut Account,
    stamp: bool,
    items: &'a mut Vec<Item>,
    turn: Turn,
}

/// What of a topic every item says.
struct Facts {
    id: crate::ids::TopicId,
    instrument: Arc<model::Instrument>,
    head: Seq,
    position: u64,
}

/// About how many bytes wait for a reader at `place`, up to a place in the total order.
pub(crate) fn weight(topic: &Topic, place: Seq, until: u64, options: &Options) -> usize {
    match &topic.log {
        Log::Trades(lane) => lane.ring.weight(place, until),
        Log::Newest(lane) => lane.ring.weight(place, until),
        Log::Each(lane) => lane.ring.weight(place, until),
        Log::Bars(bars) => bars.lane.ring.weight(place, until),
        Log::Books(books) => books
            .view(options.depth, options.checksum)
            .map_or(0, |index| books.views[index].lane.ring.weight(place, until)),
    }
}

/// Sends the state of the stream, and notes it in the account.
pub(crate) fn snapshot(
    topic: &mut Topic,
    options: &Options,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = facts(topic);
    let mut out = Out { topic: &facts, account, stamp: options.stamp, items, turn: Turn::default() };
    let place = out.account.place;
    match &mut topic.log {
        Log::Trades(lane) => {
            let count = options.snapshot_limit.unwrap_or(SNAPSHOT_TRADES);
            out.state(lane.ring.last_until(place, count).cloned().collect());
        }
        Log::Bars(bars) => {
            let count = options.snapshot_limit.unwrap_or(SNAPSHOT_BARS);
            out.state(bars.last_until(place, count));
        }
        Log::Newest(lane) => {
            out.newest(lane.ring.last_until(place, 1).next().or(lane.ring.newest()));
        }
        Log::Each(lane) => {
            out.newest(lane.ring.last_until(place, 1).next().or(lane.ring.newest()));
        }
        Log::Books(books) => {
            let index = books.open_view(options.depth, options.checksum, facts.head);
            let snapshot = books.snapshot(index, facts.head);
            out.book(facts.head, snapshot);
        }
    }
    out.turn
}

/// Sends what waits, as far as there is room.
pub(crate) fn collect(
    topic: &mut Topic,
    options: &Options,
    room: Room,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = facts(topic);
    let mut out = Out { topic: &facts, account, stamp: options.stamp, items, turn: Turn::default() };
    let room = Room { bytes: room.bytes.max(TURN_BYTES_MIN), ..room };
    match &mut topic.log {
        Log::Trades(lane) => trades(lane, options, room, &mut out),
        Log::Newest(lane) => newest(lane, options, room, &mut out),
        Log::Each(lane) => each(lane, &mut out),
        Log::Bars(bars) => candles(bars, options, room, &mut out),
        Log::Books(books) => book(books, options, room, &mut out),
    }
    out.turn
}

fn facts(topic: &Topic) -> Facts {
    Facts {
        id: topic.id,
        instrument: Arc::clone(&topic.instrument),
        head: topic.head,
        position: topic.position,
    }
}

fn mode<F: Fold>(lane: &Lane<F>, place: Seq, options: &Options, room: Room) -> Mode {
    let lack = lane.ring.lack(place);
    if !options.conflate.is_zero() {
        Mode::Conflated
    } else if options.overflow == Overflow::Disconnect {
        // What is lossless goes as far as its horizon, which may be all the way.
        if room.until == u64::MAX && !lack.overrun { Mode::Singles } else { Mode::Slow(Overflow::Disconnect) }
    } else if lack.weight <= room.bytes && !lack.overrun {
        Mode::Singles
    } else {
        Mode::Slow(options.overflow)
    }
}

fn trades(lane: &mut Lane<Trades>, options: &Options, room: Room, out: &mut Out<'_>) {
    let place = out.account.place;
    let mode = mode(lane, place, options, room);
    let lack = lane.ring.lack(place);
    match mode {
        Mode::Singles => lane.ring.entries(&lack).for_each(|event| out.event(event)),
        Mode::Slow(Overflow::Disconnect) => oldest(lane, room.until, out),
        Mode::Slow(Overflow::Gap) => out.dropped(out.topic.head),
        Mode::Conflated | Mode::Slow(Overflow::Coalesce) => {
            if let Some((to, cause)) = lack.lost {
                if options.overflow == Overflow::Disconnect {
                    out.turn.overrun = true;
                    return;
                }
                out.gap(to, cause, FIRST);
            }
            let slow = mode != Mode::Conflated;
            out.turn.slow = slow;
            // Room for the summary first; what is left shows the newest trades one by one.
            let keep = if slow { lane.ring.newest_within(&lack, room.bytes - SUMMARY_BYTES) } else { 0 };
            for fold in lane.ring.folded(&lack, keep) {
                out.fold(fold);
            }
            let newest = lane.ring.entries(&lack).rev().take(keep).cloned().collect::<Vec<_>>();
            newest.iter().rev().for_each(|event| out.event(event));
        }
    }
}

/// About how many bytes a trade summary has as JSON.
const SUMMARY_BYTES: usize = 520;

fn newest(lane: &mut Lane<Newest>, options: &Options, room: Room, out: &mut Out<'_>) {
    let place = out.account.place;
    match mode(lane, place, options, room) {
        Mode::Singles => {
            let lack = lane.ring.lack(place);
            lane.ring.entries(&lack).for_each(|event| out.event(event));
        }
        Mode::Slow(Overflow::Disconnect) => oldest(lane, room.until, out),
        Mode::Slow(Overflow::Gap) => out.dropped(out.topic.head),
        mode => {
            out.turn.slow = mode != Mode::Conflated;
            if let Some(event) = lane.ring.newest() {
                out.event(event);
            }
        }
    }
}

fn each(lane: &mut Lane<Each>, out: &mut Out<'_>) {
    let lack = lane.ring.lack(out.account.place);
    if let Some((to, cause)) = lack.lost {
        out.gap(to, cause, FIRST);
        out.turn.slow = true;
    }
    lane.ring.entries(&lack).for_each(|event| out.event(event));
}

fn candles(bars: &mut Bars, options: &Options, room: Room, out: &mut Out<'_>) {
    let place = out.account.place;
    match mode(&bars.lane, place, options, room) {
        Mode::Singles => {
            let lack = bars.lane.ring.lack(place);
            bars.lane.ring.entries(&lack).for_each(|event| out.event(event));
        }
        Mode::Slow(Overflow::Disconnect) => oldest(&mut bars.lane, room.until, out),
        mode => {
            out.turn.slow = mode != Mode::Conflated;
            if place < bars.lost() {
                out.gap(bars.lost(), GapCause::SlowConsumer, FIRST);
            }
            for event in bars.since(out.account.place) {
                out.event(&event);
            }
        }
    }
}

fn book(books: &mut Books, options: &Options, room: Room, out: &mut Out<'_>) {
    let place = out.account.place;
    let Some(index) = books.view(options.depth, options.checksum) else { return };
    let lane = &mut books.views[index].lane;
    let lack = lane.ring.lack(place);
    let mode = mode(lane, place, options, room);
    if options.overflow == Overflow::Disconnect
        && (lack.lost.is_some() || (lack.overrun && mode != Mode::Conflated))
    {
        out.turn.overrun = true;
        return;
    }
    if let Mode::Singles | Mode::Slow(Overflow::Disconnect) = mode {
        let all = lane.ring.entries(&lack).count();
        let count = if mode == Mode::Singles { all } else { lane.ring.count_until(&lack, room.until) };
        let records: Vec<_> = lane.ring.entries(&lack).take(count).cloned().collect();
        for record in records {
            match record.news {
                BookNews::Delta => out.record(&record),
                BookNews::Void => out.gap(record.seq, GapCause::FeedGap, record.position),
                BookNews::Known => {
                    let known = books.views[index].known(&record);
                    out.known(&record, known);
                }
            }
        }
        out.turn.left = count < all;
        if out.turn.left {
            books.views[index].lane.ring.mark(out.account.place);
        }
        return;
    }
    out.turn.slow = mode != Mode::Conflated;
    let (special, dropped) = (books.views[index].special_after(place), mode == Mode::Slow(Overflow::Gap));
    if special.is_none() && lack.lost.is_none() && !dropped {
        if let Some(record) = books.views[index].merged(place) {
            out.record(&record);
        }
        return;
    }
    // From here on only the whole book makes it good.
    let head = out.topic.head;
    let gap = match (special.and_then(|(_, void)| void).or(lack.void), lack.lost) {
        _ if dropped => Some((head, GapCause::SlowConsumer)),
        (Some(void), _) => Some((void, GapCause::FeedGap)),
        (None, lost) => lost,
    };
    if let Some((to, cause)) = gap {
        out.gap(to, cause, out.topic.position);
    }
    if books.is_known() {
        let snapshot = books.snapshot(index, head);
        out.book(head, snapshot);
    }
}

/// The oldest events, so that nothing is dropped; unless it is dropped already.
fn oldest<F: Fold<Entry = Event>>(lane: &mut Lane<F>, until: u64, out: &mut Out<'_>) {
    let lack = lane.ring.lack(out.account.place);
    if lack.overrun {
        out.turn.overrun = true;
        return;
    }
    let count = lane.ring.count_until(&lack, until);
    lane.ring.entries(&lack).take(count).for_each(|event| out.event(event));
    out.turn.left = count < lane.ring.entries(&lack).count();
    if out.turn.left {
        lane.ring.mark(out.account.place);
    }
}

impl Out<'_> {
    fn event(&mut self, event: &Arc<Event>) {
        let prev = self.account.place;
        self.account.record(event.seq);
        self.push(event.position, event.weight(), Kind::Event { event: Arc::clone(event), prev });
    }

    fn fold(&mut self, fold: Trades) {
        let Some(summary) = fold.summary else { return self.event(&fold.last) };
        let prev = self.account.place;
        let (seq, position) = (fold.last.seq, fold.last.position);
        let record = SummaryRecord { last: fold.last, prev, summary, encoded: Encoded::default() };
        self.account.record(seq);
        self.push(position, SUMMARY_BYTES, Kind::Summary { record: Arc::new(record), prev });
    }

    fn record(&mut self, record: &Arc<BookRecord>) {
        let prev = self.account.place;
        self.account.record(record.seq);
        let weight = book_weight(record.levels.len());
        self.push(record.position, weight, Kind::Book { record: Arc::clone(record), prev });
    }

    fn known(&mut self, record: &BookRecord, known: Arc<crate::book::BookSnapshot>) {
        let weight = book_weight(known.levels.len());
        self.account.snapshot(record.seq);
        self.push(record.position, weight, Kind::Snapshot(Snapshot::Book(known)));
    }

    fn gap(&mut self, to: Seq, cause: GapCause, position: u64) {
        let from = self.account.place.next();
        self.account.gap(to);
        self.push(position, GAP_BYTES, Kind::Gap { from, to, cause });
    }

    /// All that waits is dropped.
    fn dropped(&mut self, to: Seq) {
        self.turn.slow = true;
        self.gap(to, GapCause::SlowConsumer, self.topic.position);
    }

    fn state(&mut self, events: Vec<Arc<Event>>) {
        let weight = events.iter().map(|event| event.weight()).sum();
        let (seq, position) = events.last().map_or((Seq::START, FIRST), |event| (event.seq, event.position));
        self.account.snapshot(seq);
        let snapshot = if events.is_empty() { Snapshot::Empty } else { Snapshot::Events(events) };
        self.push(position, weight, Kind::Snapshot(snapshot));
    }

    fn newest(&mut self, event: Option<&Arc<Event>>) {
        self.state(event.cloned().into_iter().collect());
    }

    fn book(&mut self, head: Seq, snapshot: Snapshot) {
        let weight = match &snapshot {
            Snapshot::Book(book) => book_weight(book.levels.len()),
            _ => GAP_BYTES,
        };
        if let Snapshot::Book(_) = snapshot {
            self.account.snapshot(head);
        }
        self.push(self.topic.position, weight, Kind::Snapshot(snapshot));
    }

    fn push(&mut self, position: u64, weight: usize, kind: Kind) {
        self.turn.weight += weight;
        self.items.push(Item {
            topic: self.topic.id,
            instrument: Arc::clone(&self.topic.instrument),
            position,
            stamp: self.stamp,
            kind,
        });
    }
}

/// About how many bytes a gap message has.
const GAP_BYTES: usize = 260;
/// The place in the total order of what must come before anything else of its stream.
const FIRST: u64 = 0;
