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
//! With a conflation interval, what came in it becomes one record, whatever the overflow. A quote, a
//! ticker or a book that has waited longer than the reader likes is not sent: the next one stands for
//! it too.

use std::sync::Arc;
use std::time::Duration;

use model::Seq;

use crate::book::{BookNews, Books, View};
use crate::candles::{Bars, is_closed};
use crate::event::Event;
use crate::fold::{Each, Fold, Newest, Seen, Trades};
use crate::item::{GapCause, Item};
use crate::lane::Lane;
use crate::ledger::Account;
use crate::limits::{SNAPSHOT_BARS, SNAPSHOT_TRADES, TURN_BYTES_MIN};
use crate::options::{Options, Overflow};
use crate::out::{Facts, Out, SUMMARY_BYTES};
use crate::ring::Lack;
use crate::topic::{Log, Topic};

/// What became of a subscription's turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// About how many bytes its items have.
    pub(crate) weight: usize,
    /// Something was merged or dropped because it did not fit.
    pub(crate) slow: bool,
    /// What could not be sent.
    pub(crate) rest: Rest,
}

/// What a turn could not send, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    /// All was sent.
    #[default]
    None,
    /// Something waits for room.
    ForRoom,
    /// Something waits for the end of the conflation interval.
    ForInterval,
    /// Something is too old to be sent, and waits for something newer to stand for it.
    Withheld,
    /// What is lacked has left the log, and the reader asked not to live with that.
    Overrun,
}

/// What a turn may send.
#[derive(Clone, Copy)]
pub(crate) struct Room<'a> {
    /// About so many bytes, where anything may be merged.
    pub(crate) bytes: usize,
    /// Up to this place in the total order, where nothing may.
    pub(crate) until: u64,
    /// Its conflation interval has passed, or it has none.
    pub(crate) due: bool,
    /// What came in before this is too old to be sent.
    pub(crate) fresh_since: Duration,
    /// Quotes that must go before the trades of this turn.
    pub(crate) quotes: &'a [Arc<Event>],
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

/// About how many bytes wait for a reader at `place`, up to a place in the total order.
pub(crate) fn weight(topic: &Topic, place: Seq, until: u64, options: &Options) -> usize {
    match &topic.log {
        Log::Trades(views) => {
            views.get(options.filter.as_ref()).map_or(0, |lane| lane.ring.weight(place, until))
        }
        Log::Newest(views) => {
            views.get(options.filter.as_ref()).map_or(0, |lane| lane.ring.weight(place, until))
        }
        Log::Each(lane) => lane.ring.weight(place, until),
        Log::Bars(bars) => bars.lane.ring.weight(place, until),
        Log::Books(books) => books
            .view(options.depth, options.checksum)
            .map_or(0, |index| books.views[index].lane.ring.weight(place, until)),
    }
}

/// Where the first event that a reader at `place` lacks stands in the total order, of those that are
/// still kept one by one.
pub(crate) fn lacks(topic: &Topic, place: Seq, options: &Options) -> Option<u64> {
    match &topic.log {
        Log::Trades(views) => views.get(options.filter.as_ref())?.ring.next_position(place),
        Log::Newest(views) => views.get(options.filter.as_ref())?.ring.next_position(place),
        Log::Each(lane) => lane.ring.next_position(place),
        Log::Bars(bars) => bars.lane.ring.next_position(place),
        Log::Books(books) => books
            .view(options.depth, options.checksum)
            .and_then(|index| books.views[index].lane.ring.next_position(place)),
    }
}

/// Whether something that a reader of quotes at `place` lacks is not kept one by one any more.
pub(crate) fn is_overrun(topic: &Topic, place: Seq, options: &Options) -> bool {
    let Log::Newest(views) = &topic.log else { return false };
    views.get(options.filter.as_ref()).is_some_and(|lane| lane.ring.whole_weight(place).is_none())
}

/// Whether a state that is asked for again may go before what waits for its interval.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Early {
    /// What waits must go first.
    No,
    /// It may, and what does not wait follows it.
    Ahead,
    /// It may, and all that waits goes on waiting.
    Alone,
}

pub(crate) fn early(topic: &Topic, options: &Options, place: Seq) -> Early {
    match &topic.log {
        Log::Trades(_) | Log::Newest(_) => Early::Alone,
        Log::Bars(_) => Early::Ahead,
        // States do not wait, nor does a gap of a book.
        Log::Each(_) => Early::No,
        Log::Books(books) => {
            let view = books.view(options.depth, options.checksum).map(|index| &books.views[index]);
            let quiet = view.is_some_and(|view| {
                let lack = view.lane.ring.lack(place);
                view.special_after(place).is_none() && lack.lost.is_none() && lack.void.is_none()
            });
            if quiet { Early::Alone } else { Early::No }
        }
    }
}

/// Sends the state of the stream, and notes it in the account.
pub(crate) fn snapshot(
    topic: &mut Topic,
    options: &Options,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = Facts::of(topic);
    let next = lacks(topic, account.stands(), options);
    let mut out = Out::new(&facts, options, account, items);
    let place = out.account.stands();
    if let Some(next) = next {
        // As of right before what the reader lacks.
        out.position = next - 1;
    }
    match &mut topic.log {
        Log::Trades(views) => {
            let count = options.snapshot_limit.unwrap_or(SNAPSHOT_TRADES);
            out.state(newest_until(views.open(options.filter.as_ref()), place, count));
        }
        Log::Bars(bars) => {
            let count = options.snapshot_limit.unwrap_or(SNAPSHOT_BARS);
            out.state(bars.last_until(place, count));
        }
        Log::Newest(views) => {
            let lane = views.open(options.filter.as_ref());
            let known = newest_until(lane, place, 1);
            out.state(if known.is_empty() { newest_until(lane, Seq(u64::MAX), 1) } else { known });
        }
        Log::Each(lane) => {
            let known = newest_until(lane, place, 1);
            out.state(if known.is_empty() { newest_until(lane, Seq(u64::MAX), 1) } else { known });
        }
        Log::Books(books) => {
            let index = books.open_view(options.depth, options.checksum, facts.head);
            let snapshot = books.snapshot(index, facts.head);
            out.book(facts.head, snapshot);
        }
    }
    out.turn
}

fn newest_until<F: Fold<Entry = Seen>>(lane: &Lane<F>, place: Seq, count: usize) -> Vec<Arc<Event>> {
    lane.ring.last_until(place, count).map(|seen| Arc::clone(&seen.event)).collect()
}

/// Sends what waits, as far as there is room.
pub(crate) fn collect(
    topic: &mut Topic,
    options: &Options,
    room: Room<'_>,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = Facts::of(topic);
    let mut out = Out::new(&facts, options, account, items);
    let room = Room { bytes: room.bytes.max(TURN_BYTES_MIN), ..room };
    match &mut topic.log {
        Log::Trades(views) => trades(views.open(options.filter.as_ref()), options, room, &mut out),
        Log::Newest(views) => newest(views.open(options.filter.as_ref()), options, room, &mut out),
        Log::Each(lane) => each(lane, &mut out),
        Log::Bars(bars) => candles(bars, options, room, &mut out),
        Log::Books(books) => book(books, options, room, &mut out),
    }
    out.turn
}

/// Sends the quotes that must go before trades, of a stream whose own turn it is not.
pub(crate) fn before_trades(
    topic: &Topic,
    options: &Options,
    quotes: &[Arc<Event>],
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = Facts::of(topic);
    let mut out = Out::new(&facts, options, account, items);
    out.quotes(quotes, options);
    out.turn
}

fn mode(lack: &Lack, options: &Options, room: Room<'_>) -> Mode {
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

fn trades(lane: &mut Lane<Trades>, options: &Options, room: Room<'_>, out: &mut Out<'_>) {
    let place = out.account.stands();
    let lack = lane.ring.lack(place);
    let mode = mode(&lack, options, room);
    match mode {
        Mode::Singles => lane.ring.entries(&lack).for_each(|seen| out.event(&seen.event)),
        Mode::Slow(Overflow::Disconnect) => oldest(lane, room.until, out),
        Mode::Slow(Overflow::Gap) => drop_all(lane, out),
        Mode::Conflated | Mode::Slow(Overflow::Coalesce) => {
            if let Some((to, cause)) = lack.lost {
                if options.overflow == Overflow::Disconnect {
                    out.turn.rest = Rest::Overrun;
                    return;
                }
                out.gap(to, cause);
            }
            let slow = mode != Mode::Conflated;
            out.turn.slow = slow;
            // Room for the summary first; what is left shows the newest trades one by one.
            let keep = if slow { lane.ring.newest_within(&lack, room.bytes - SUMMARY_BYTES) } else { 0 };
            for fold in lane.ring.folded(&lack, keep) {
                out.fold(fold);
            }
            let newest = lane.ring.entries(&lack).rev().take(keep).cloned().collect::<Vec<_>>();
            newest.iter().rev().for_each(|seen| out.event(&seen.event));
        }
    }
}

fn newest(lane: &mut Lane<Newest>, options: &Options, room: Room<'_>, out: &mut Out<'_>) {
    let place = out.account.stands();
    let lack = lane.ring.lack(place);
    match mode(&lack, options, room) {
        Mode::Singles => {
            for (Seen { event, .. }, arrived) in lane.ring.arrivals(&lack) {
                if arrived >= room.fresh_since || room.quotes.iter().any(|quote| quote.seq == event.seq) {
                    out.event(event);
                }
            }
        }
        Mode::Slow(Overflow::Disconnect) => oldest(lane, room.until, out),
        Mode::Slow(Overflow::Gap) => drop_all(lane, out),
        mode => {
            out.turn.slow = mode != Mode::Conflated;
            out.quotes(room.quotes, options);
            let fresh = lane.ring.newest_arrived().is_some_and(|arrived| arrived >= room.fresh_since);
            let place = out.account.stands();
            if let Some(seen) = lane.ring.newest().filter(|seen| fresh && seen.event.seq > place) {
                out.event(&seen.event);
            }
        }
    }
    if lane.ring.newest().is_some_and(|seen| seen.event.seq > out.account.stands())
        && out.turn.rest == Rest::None
    {
        out.turn.rest = Rest::Withheld;
    }
}

fn drop_all<F: Fold<Entry = Seen>>(lane: &Lane<F>, out: &mut Out<'_>) {
    if let Some(seen) = lane.ring.newest().filter(|seen| seen.event.seq > out.account.stands()) {
        out.dropped(seen.event.seq);
    }
}

fn each(lane: &mut Lane<Each>, out: &mut Out<'_>) {
    let lack = lane.ring.lack(out.account.stands());
    if let Some((to, cause)) = lack.lost {
        out.gap(to, cause);
        out.turn.slow = true;
    }
    lane.ring.entries(&lack).for_each(|seen| out.event(&seen.event));
}

fn candles(bars: &mut Bars, options: &Options, room: Room<'_>, out: &mut Out<'_>) {
    let place = out.account.stands();
    let lack = bars.lane.ring.lack(place);
    match mode(&lack, options, room) {
        Mode::Singles => {
            bars.lane.ring.entries(&lack).for_each(|seen| out.event(&seen.event));
        }
        Mode::Slow(Overflow::Disconnect) => oldest(&mut bars.lane, room.until, out),
        mode => {
            out.turn.slow = mode != Mode::Conflated;
            if place < bars.lost() {
                out.gap(bars.lost(), GapCause::SlowConsumer);
            }
            let lacks = bars.since(out.account.stands());
            // A closed bar does not wait for the interval; an open one behind all of them does.
            let waits = mode == Mode::Conflated && !room.due;
            let urgent = lacks.iter().rposition(|event| is_closed(event)).map_or(0, |last| last + 1);
            let count = if waits { urgent } else { lacks.len() };
            lacks[..count].iter().for_each(|event| out.event(event));
            if count < lacks.len() {
                out.turn.rest = Rest::ForInterval;
            }
        }
    }
}

fn book(books: &mut Books, options: &Options, room: Room<'_>, out: &mut Out<'_>) {
    let place = out.account.stands();
    let Some(index) = books.view(options.depth, options.checksum) else { return };
    let lane = &mut books.views[index].lane;
    let lack = lane.ring.lack(place);
    let mode = mode(&lack, options, room);
    if options.overflow == Overflow::Disconnect
        && (lack.lost.is_some() || (lack.overrun && mode != Mode::Conflated))
    {
        out.turn.rest = Rest::Overrun;
        return;
    }
    let stale = lane.ring.first_arrived(&lack).is_some_and(|arrived| arrived < room.fresh_since);
    if let Mode::Singles | Mode::Slow(Overflow::Disconnect) = mode
        && !stale
    {
        let until = if mode == Mode::Singles { u64::MAX } else { room.until };
        return changes(&mut books.views[index], until, out);
    }
    out.turn.slow = matches!(mode, Mode::Slow(_));
    let fresh = lane.ring.newest_arrived().is_some_and(|arrived| arrived >= room.fresh_since);
    let (special, dropped) = (books.views[index].special_after(place), mode == Mode::Slow(Overflow::Gap));
    if special.is_none() && lack.lost.is_none() && !dropped {
        if !fresh {
            out.turn.rest = Rest::Withheld;
        } else if let Some(record) = books.views[index].merged(place) {
            out.record(&record);
        }
        return;
    }
    // From here on only the whole book makes it good.
    let head = out.topic.head;
    let void = special.and_then(|(_, void)| void).map(|(to, gap)| (to, GapCause::FeedGap(Some(gap))));
    let gap = if dropped { Some((head, GapCause::SlowConsumer)) } else { void.or(lack.void).or(lack.lost) };
    if let Some((to, cause)) = gap {
        out.gap(to, cause);
    }
    if books.is_known() {
        let snapshot = books.snapshot(index, head);
        out.book(head, snapshot);
    }
}

/// The changes of a view one by one, up to a place in the total order.
pub(crate) fn changes(view: &mut View, until: u64, out: &mut Out<'_>) {
    let lack = view.lane.ring.lack(out.account.stands());
    let all = view.lane.ring.entries(&lack).count();
    let count = if until == u64::MAX { all } else { view.lane.ring.count_until(&lack, until) };
    let records: Vec<_> = view.lane.ring.entries(&lack).take(count).cloned().collect();
    for record in records {
        match record.news {
            BookNews::Delta => out.record(&record),
            BookNews::Void(gap) => out.gap_at(record.position, record.seq, GapCause::FeedGap(Some(gap))),
            BookNews::Known(_) => {
                let known = view.known(&record);
                out.known(&record, known);
            }
        }
    }
    if count < all {
        out.turn.rest = Rest::ForRoom;
        view.lane.ring.mark(out.account.stands());
    }
}

/// The oldest events, so that nothing is dropped; unless it is dropped already.
pub(crate) fn oldest<F: Fold<Entry = Seen>>(lane: &mut Lane<F>, until: u64, out: &mut Out<'_>) {
    let lack = lane.ring.lack(out.account.stands());
    if lack.overrun {
        out.turn.rest = Rest::Overrun;
        return;
    }
    let count = lane.ring.count_until(&lack, until);
    lane.ring.entries(&lack).take(count).for_each(|seen| out.event(&seen.event));
    if count < lane.ring.entries(&lack).count() {
        out.turn.rest = Rest::ForRoom;
        lane.ring.mark(out.account.stands());
    }
}
