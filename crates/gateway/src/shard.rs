//! A shard: the sessions of one core, their subscriptions, and the loop that serves them.
//!
//! Events come in and are drained straight into the sockets of the sessions that wait for them. A
//! session is looked at again when its socket wakes it: something came in, or a full socket has
//! room. One task does all of it, so there is no lock and no hop between an event and its socket.

mod core;
mod member;
mod orders;
mod reads;
#[cfg(test)]
pub(crate) mod tests;
mod wanted;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use fanout::{Event, Kept, SessionId, SymbolId};
use tokio::sync::{mpsc, watch};
use tokio::time::Sleep;
use wire::Epoch;

use crate::alerts::Alerts;
use crate::asked::Origin;
use crate::auth::Grant;
use crate::clock;
use crate::drain::departure;
use crate::hub::Pump;
use crate::limits::EVENTS_PER_ROUND;
use crate::metrics::ShardMetrics;
use crate::queue;
use crate::recordings::Recordings;
use crate::roster::{Roster, Seat};
use crate::settings::Settings;
use crate::socket::{Slot, Socket};
use crate::vitals::Beat;
use crate::wakes::Wakes;
pub(crate) use core::Core;
use member::{Member, Verdict};

pub(crate) use orders::{Change, Estate, Order, Report};
pub(crate) use reads::{Piece, Read, Reading, Reads};
pub(crate) use wanted::{Sort, Tallies, Wanted};

/// Somebody comes in.
pub(crate) struct Arrival {
    pub(crate) socket: Box<dyn Socket>,
    pub(crate) pass: Option<Pass>,
    pub(crate) name: String,
    /// Where it comes from, and by which request.
    pub(crate) origin: Origin,
    /// Counts the connection until it is dropped, where the session has it to itself.
    pub(crate) slot: Option<Slot>,
}

/// What lets somebody in.
pub(crate) struct Pass {
    pub(crate) grant: Grant,
    /// Its place among the sessions of its subject, where these are bounded.
    pub(crate) seat: Option<Seat>,
}

pub(crate) struct Shard {
    core: Core,
    /// By session. On their own, because a list of large things has as much room again when it grows.
    members: Vec<Option<Box<Member>>>,
    intake: Intake,
    arrivals: mpsc::Receiver<Arrival>,
    orders: mpsc::Receiver<Order>,
    reads: mpsc::Receiver<Read>,
    /// Over when the server goes away.
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    leaving: bool,
    /// The editions of keys and roster that all members were held against.
    editions: (u32, u32),
    /// No member is due before.
    due: Duration,
    /// When the timers and the metrics are looked at.
    look_due: Duration,
    /// When those with full sockets are looked at.
    full_due: Duration,
    /// Told when the first client has subscribed to something.
    subscribed: watch::Sender<bool>,
    wakes: Arc<Wakes>,
    sleep: Pin<Box<Sleep>>,
    /// Reused between turns.
    ready: Vec<SessionId>,
    woken: Vec<usize>,
    metrics: ShardMetrics,
    beat: Beat,
}

/// Who comes in, and what is asked of the shard.
pub(crate) struct Doors {
    pub(crate) arrivals: mpsc::Receiver<Arrival>,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) reads: mpsc::Receiver<Read>,
}

/// What all shards share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) settings: Arc<Settings>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) recordings: Recordings,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) epoch: Epoch,
}

/// Where a shard's events come from. The queue goes before the pump: who waits for room in it hears of that.
pub(crate) struct Intake {
    pub(crate) events: queue::Receiver,
    pub(crate) pump: Pump,
}

/// Rounds of work before other tasks have their turn.
const ROUNDS_MAX: usize = 32;
/// How long these may take, but for the last: handshakes wait on the same thread, and so does what the kernel says of
/// sockets. Short rounds are worth more than a turn of the runtime, long ones are not.
const TURN: Duration = Duration::from_millis(2);
/// Members whose memory is fetched together. What the kernel does for one socket drives the next
/// member out of the near caches; fetched one by one, each waits for memory several times.
const WARMED: usize = 16;
/// Sessions that are served before the shard looks for news: where many wait, the later ones get what came
/// while the earlier ones were served, and not a round later.
const SERVED_PER_LOOK: usize = 8 * WARMED;
/// Those who come in in a round: whoever is there has a turn between them.
const ARRIVALS_PER_ROUND: usize = 64;
/// Those who come in while the server leaves come back as if they were one of so many.
const LATE: usize = 100;
/// Nothing waits longer than this for a look at the timers and the metrics.
const LOOK: Duration = Duration::from_millis(50);
/// Who reads nothing is known so much later at most: each look costs as much as the client has streams.
const LOOK_AT_FULL: Duration = Duration::from_millis(500);

impl Shard {
    pub(crate) fn new(
        surroundings: Surroundings,
        intake: Intake,
        doors: Doors,
        mut shutdown: watch::Receiver<bool>,
        subscribed: watch::Sender<bool>,
    ) -> Self {
        Self {
            core: Core::new(surroundings),
            members: Vec::new(),
            intake,
            arrivals: doors.arrivals,
            orders: doors.orders,
            reads: doors.reads,
            // Kept from poll to poll: what is dropped wakes nobody.
            shutdown: Box::pin(async move {
                if shutdown.wait_for(|leaving| *leaving).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }),
            leaving: false,
            editions: (0, 0),
            due: Duration::MAX,
            look_due: Duration::ZERO,
            full_due: Duration::ZERO,
            subscribed,
            wakes: Arc::default(),
            sleep: Box::pin(tokio::time::sleep(LOOK)),
            ready: Vec::new(),
            woken: Vec::new(),
            metrics: ShardMetrics::default(),
            beat: Beat::default(),
        }
    }

    /// Tells whether this goes on.
    pub(crate) fn beat(&self) -> Beat {
        self.beat.clone()
    }

    /// Goes on with what another process has kept, before anything else.
    pub(crate) fn restore(&mut self, estate: &[Kept<Arc<Event>>]) {
        let now = clock::now();
        for kept in estate {
            self.core.fanout.restore(kept, now);
        }
    }

    /// Serves until the server has shut down and the last session is gone.
    pub(crate) async fn run(mut self) {
        // The shard shares its thread by itself; a budget of the runtime would make sockets look full.
        tokio::task::unconstrained(std::future::poll_fn(move |cx| self.poll(cx))).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wakes.register(cx.waker());
        self.core.look();
        let over = self.core.now + TURN;
        for _ in 0..ROUNDS_MAX {
            let mut busy = self.poll_arrivals(cx);
            busy |= self.poll_orders(cx);
            busy |= self.poll_reads(cx);
            busy |= self.poll_events(cx);
            busy |= self.serve_ready(cx);
            busy |= self.serve_woken();
            self.poll_timers(cx);
            self.poll_shutdown(cx);
            if self.leaving && self.members.iter().all(Option::is_none) {
                self.metrics.publish(self.core.fanout.stats(), self.core.stalled);
                self.beat.end();
                return Poll::Ready(());
            }
            if !busy {
                return Poll::Pending;
            }
            self.core.look();
            if self.core.now >= over {
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_arrivals(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        for _ in 0..ARRIVALS_PER_ROUND {
            let Poll::Ready(Some(arrival)) = self.arrivals.poll_recv(cx) else { break };
            busy = true;
            let mut member = Member::new(arrival, &mut self.core, &self.wakes);
            let key = member.key();
            if self.leaving {
                member.shut_down(departure(Duration::ZERO, key % LATE, LATE), &mut self.core);
            }
            if self.members.len() <= key {
                self.members.resize_with(key + 1, || None);
            }
            // What has become of its key or its seat meanwhile, nobody has told it.
            member.tick(&mut self.core);
            self.metrics.opened(member.socket.door());
            self.members[key] = Some(Box::new(member));
            self.serve(key, true);
        }
        busy
    }

    fn poll_orders(&mut self, cx: &mut Context<'_>) -> bool {
        // One a round: it may take as long as a round does.
        let Poll::Ready(Some(order)) = self.orders.poll_recv(cx) else { return false };
        let members = self.members.iter_mut().flatten().map(Box::as_mut);
        if let Some(changed) = order.obey(members, &mut self.core) {
            self.serve(changed, false);
        }
        true
    }

    /// All that has come in, up to a bound: who is behind gets more at a time, so that a backlog makes
    /// writes larger and not later.
    fn poll_events(&mut self, cx: &mut Context<'_>) -> bool {
        let pumped = self.intake.pump.try_pump();
        let mut published = self.publish(cx);
        if published == 0 && !pumped {
            self.intake.pump.pump();
            published = self.publish(cx);
        }
        published > 0
    }

    fn publish(&mut self, cx: &mut Context<'_>) -> usize {
        let now = self.core.now;
        let mut published = 0;
        while published < EVENTS_PER_ROUND
            && let Poll::Ready(Some(events)) = self.intake.events.poll_recv(cx)
        {
            published += events.len();
            for event in events.iter() {
                if let Some(tracks) = &mut self.core.tracks {
                    tracks.publish(event, now);
                }
                if let Some(symbol) = self.core.fanout.publish(event, now) {
                    self.tell_listed(symbol);
                }
            }
        }
        published
    }

    fn tell_listed(&mut self, symbol: SymbolId) {
        for key in 0..self.members.len() {
            if let Some(member) = &mut self.members[key] {
                member.session.handle_listed(symbol, &mut self.core.ctx());
            }
        }
    }

    fn serve_ready(&mut self, cx: &mut Context<'_>) -> bool {
        self.core.fanout.handle_timeout(self.core.now);
        let mut ready = std::mem::take(&mut self.ready);
        self.core.fanout.take_ready(&mut ready);
        let busy = !ready.is_empty();
        for (served, some) in (0..).step_by(WARMED).zip(ready.chunks(WARMED)) {
            // What they waited for is told from when it is their turn.
            self.core.look();
            if served > 0 && served % SERVED_PER_LOOK == 0 {
                self.poll_events(cx);
            }
            for session in some {
                if let Some(Some(member)) = self.members.get(session.index()) {
                    member.warm();
                }
                self.core.fanout.warm(*session);
            }
            for session in some {
                self.serve(session.index(), false);
            }
        }
        ready.clear();
        self.ready = ready;
        busy
    }

    fn serve_woken(&mut self) -> bool {
        let mut woken = std::mem::take(&mut self.woken);
        self.wakes.take(&mut woken);
        let busy = !woken.is_empty();
        for key in woken.drain(..) {
            self.serve(key, true);
        }
        self.woken = woken;
        busy
    }

    /// Looks at a session: reads where its socket said so, writes what it can take.
    fn serve(&mut self, key: usize, read: bool) {
        let Some(Some(member)) = self.members.get_mut(key) else { return };
        if read {
            // What a client is told of its round trip is of this moment.
            self.core.look();
            member.read(&mut self.core, &self.metrics);
            if !*self.subscribed.borrow() && self.core.fanout.subscription_count(member.session.id) > 0 {
                self.subscribed.send_replace(true);
            }
        }
        let verdict = member.write(&mut self.core, &mut self.metrics, !read);
        self.due = self.due.min(member.due());
        if verdict == Verdict::Over {
            self.part(key);
        }
    }

    fn part(&mut self, key: usize) {
        if let Some(member) = self.members.get_mut(key).and_then(Option::take) {
            member.part(&mut self.core, &mut self.metrics);
        }
    }

    fn poll_timers(&mut self, cx: &mut Context<'_>) {
        // By the clock: the runtime's own timers stand still while a shard leaves it no time.
        if self.look_due <= self.core.now {
            let before = self.editions;
            self.editions = (self.core.settings.keys.edition(), self.core.roster.edition());
            let (others, evicted) = (self.editions.0 != before.0, self.editions.1 != before.1);
            if others || evicted || self.due <= self.core.now {
                self.look_at_all(others, evicted);
            }
            self.look_at_full();
            self.metrics.publish(self.core.fanout.stats(), self.core.stalled);
            self.beat.turn();
            self.look_due = self.core.now + LOOK;
        }
        self.keep_appointments();
        // Conflation intervals end between two looks, and records of replays become due.
        let appointed = self.core.appointments.first().map(|&(due, _)| due);
        let due = [self.core.fanout.poll_timeout(), appointed].into_iter().flatten().min();
        let due = due.map_or(self.look_due, |due| due.min(self.look_due));
        let (due, set) = (tokio::time::Instant::from(clock::instant(due)), self.sleep.deadline());
        if due < set || set <= tokio::time::Instant::from(clock::instant(self.core.now)) {
            self.sleep.as_mut().reset(due);
        }
        if self.sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Looks at the members whose moment has come.
    fn keep_appointments(&mut self) {
        while let Some(&(due, key)) = self.core.appointments.first()
            && due <= self.core.now
        {
            self.core.appointments.pop_first();
            if let Some(Some(member)) = self.members.get_mut(key) {
                member.keep_appointment();
            }
            self.serve(key, false);
        }
    }

    /// Looks now and then who reads nothing.
    fn look_at_full(&mut self) {
        if self.core.now < self.full_due {
            return;
        }
        self.full_due = self.core.now + LOOK_AT_FULL;
        let mut full = std::mem::take(&mut self.core.full);
        full.retain(|&key| match self.members.get_mut(key) {
            Some(Some(member)) => member.look_whether_stalled(&mut self.core),
            _ => false,
        });
        self.core.full = full;
    }

    /// Time passed for whoever is due, for all where the keys are others, and for those who lost their seats.
    fn look_at_all(&mut self, others: bool, evicted: bool) {
        let now = self.core.now;
        self.due = Duration::MAX;
        for key in 0..self.members.len() {
            let Some(member) = &mut self.members[key] else { continue };
            if others || member.due() <= now || evicted && member.session.has_lost_seat() {
                member.tick(&mut self.core);
                self.serve(key, false);
            } else {
                self.due = self.due.min(member.due());
            }
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if !self.leaving && self.shutdown.as_mut().poll(cx).is_ready() {
            self.leaving = true;
            let window = self.core.settings.drain;
            let count = self.members.iter().flatten().count();
            let mut departures = (0..count).map(|n| departure(window, n, count));
            for key in 0..self.members.len() {
                if let Some(member) = &mut self.members[key]
                    && let Some(leaves) = departures.next()
                {
                    member.shut_down(leaves, &mut self.core);
                    self.serve(key, false);
                }
            }
        }
    }
}
