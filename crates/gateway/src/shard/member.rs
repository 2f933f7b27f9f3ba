//! A session and its socket.

mod part;
mod replays;
mod stalls;

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use wire::{CloseCode, NoticeState};

use super::{Arrival, Core};
use crate::asked::Origin;
use crate::clock;
use crate::drain::Departure;
use crate::encode::Place;
use crate::limits::{
    BUDGET_FULL, BUDGET_OPEN, CLOSE_TIMEOUT, CONTROL_BYTES_MAX, GOODBYE_TIMEOUT, LINGER, READS_PER_TURN,
};
use crate::metrics::{BOUNDS, ShardMetrics};
use crate::session::{self, Goodbye, Session};
use crate::socket::{Inbound, Outbox, Slot, Socket};
use crate::wakes::{Handle, Wakes};

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Member {
    pub(super) session: Session,
    pub(super) socket: Box<dyn Socket>,
    outbox: Outbox,
    /// The socket is full: nothing is drained into it before it has room.
    pub(super) full: bool,
    /// It is among those whose sockets are full, and are looked at now and then.
    listed: bool,
    /// It reads nothing, and is counted for that.
    stalled: bool,
    /// It was full, and has not taken everything at once since.
    behind: bool,
    /// All that waited was drained just now.
    drained: bool,
    /// Something may wait for the session's pace.
    waits: bool,
    /// Nothing is read before the socket has taken the answers that wait.
    held: bool,
    /// Nothing is read before a token has been judged.
    pending: bool,
    end: End,
    handle: Handle,
    due: Duration,
    /// When its replays have something to say.
    appointed: Option<Duration>,
    pub(super) opened: Duration,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) origin: Origin,
    _slot: Option<Slot>,
    pub(super) sent_bytes: u64,
    /// An operator looks at it.
    pub(super) trace: bool,
}

/// How far the session is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It goes on.
    Open,
    /// Its close frame is under way, or that of the client is being answered; over at the latest then.
    Closing { reason: &'static str, until: Duration },
    /// There is nobody any more.
    Gone(&'static str),
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoesOn,
    Over,
}

impl Member {
    pub(super) fn new(arrival: Arrival, core: &mut Core, wakes: &Arc<Wakes>) -> Self {
        let session = Session::open(arrival.name, arrival.pass, &mut core.ctx());
        let now = clock::now();
        let (name, request_id) = (&session.name, arrival.origin.asked.as_ref().map(tracing::field::display));
        tracing::debug!(session = name, request_id, door = arrival.socket.door(), "session opened");
        Self {
            handle: wakes.handle(session.id.index()),
            session,
            socket: arrival.socket,
            outbox: Outbox::default(),
            full: false,
            listed: false,
            stalled: false,
            behind: false,
            drained: false,
            waits: false,
            held: false,
            pending: false,
            end: End::Open,
            due: now,
            appointed: None,
            opened: now,
            sent: 0,
            received: 0,
            origin: arrival.origin,
            _slot: arrival.slot,
            sent_bytes: 0,
            trace: false,
        }
    }

    pub(super) const fn key(&self) -> usize {
        self.session.id.index()
    }

    /// Reads what a flush will need, to have it near by then.
    pub(super) fn warm(&self) {
        black_box((self.full, self.end == End::Open, self.outbox.is_empty(), self.due, self.sent));
        self.session.warm();
        self.socket.warm();
    }

    /// Reads what came in, a few messages at a time.
    pub(super) fn read(&mut self, core: &mut Core, metrics: &ShardMetrics) {
        self.handle.rearm();
        let waker = self.handle.waker.clone();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..READS_PER_TURN {
            if let End::Gone(_) = self.end {
                return;
            }
            self.pending = self.session.is_waiting();
            if self.pending {
                return;
            }
            // Who asks for much is answered before it is asked what else there is, and who does not read
            // the answers is not asked.
            let owed = self.session.control_bytes() > CONTROL_BYTES_MAX;
            self.held = owed && self.full;
            if self.held {
                return;
            }
            if owed {
                break;
            }
            let Poll::Ready(inbound) = self.socket.poll_recv(&mut cx, &mut core.scratch) else { return };
            self.received += 1;
            match inbound {
                Inbound::Gone(gone) => self.end = End::Gone(self.reason(gone.reason())),
                Inbound::Closing => self.close_until("client", CLOSE_TIMEOUT),
                Inbound::Alive => self.session.hear(core.now),
                // What comes after the goodbye is not heard any more.
                _ if self.end != End::Open => {}
                Inbound::Text(text) => self.handle_message(Ok(text), core, metrics),
                Inbound::Binary(bytes) => self.handle_message(Err(bytes), core, metrics),
                Inbound::Refused(error) => self.session.handle_refused(*error, &core.ctx()),
                Inbound::Fault(CloseCode::TooBig, _) => {
                    self.session.handle_too_big();
                    self.say_goodbye(LINGER);
                }
                Inbound::Fault(code, fault) => {
                    let rule = fault.map(tracing::field::display);
                    tracing::debug!(session = self.session.name, rule, "a client broke a rule");
                    self.outbox.close(code, "");
                    self.close_until("protocol_error", LINGER);
                }
            }
        }
        // There may be more; others have their turn first.
        waker.wake();
    }

    /// A message, as text or as bytes.
    fn handle_message(&mut self, message: Result<String, Vec<u8>>, core: &mut Core, metrics: &ShardMetrics) {
        let bytes = message.as_ref().map_or_else(Vec::len, String::len);
        metrics.received(bytes);
        if self.trace {
            // Not its text: there may be a token in it.
            tracing::info!(session = self.session.name, bytes, "request");
        }
        match self.socket.encoding().read(message) {
            Ok(text) => self.session.handle_text(&text, &mut core.ctx()),
            Err(why) => self.session.handle_unreadable(&why, &core.ctx()),
        }
    }

    /// Writes what waits, as far as the socket takes it. `idle`: nothing was read, so nothing is to be
    /// answered either.
    pub(super) fn write(&mut self, core: &mut Core, metrics: &mut ShardMetrics, idle: bool) -> Verdict {
        // Nothing is on its way: what there is comes from the fan-out.
        let mut fresh = idle && !self.full && self.end == End::Open && self.outbox.is_empty();
        let was_full = self.full;
        if self.outbox.is_empty() {
            self.outbox = std::mem::take(&mut core.outbox);
        }
        loop {
            if let End::Gone(_) = self.end {
                return Verdict::Over;
            }
            if self.full && self.end == End::Open && self.session.closing().is_some() {
                self.say_goodbye(self.patience());
            }
            if !std::mem::take(&mut fresh) {
                let sent = self.send(core, metrics);
                if let Some(tracks) = &mut core.tracks {
                    tracks.sent(&self.session.name, self.socket.door(), sent.is_pending());
                }
                match sent {
                    Poll::Pending => break,
                    Poll::Ready(false) => return Verdict::Over,
                    Poll::Ready(true) if self.drained => break,
                    Poll::Ready(true) => {}
                }
            }
            if self.end != End::Open || !self.fill(core, metrics) {
                break;
            }
        }
        self.drained = false;
        if self.outbox.is_empty() {
            // Most connections are idle most of the time: its memory is for the next one.
            core.outbox = std::mem::take(&mut self.outbox);
        }
        // What was sent only puts the deadlines off; that is seen when the next one comes.
        if !idle || was_full != self.full || self.waits || self.end != End::Open || self.due <= core.now {
            self.set_due(core);
        }
        Verdict::GoesOn
    }

    /// Sends what is on its way; false where there is nobody any more.
    fn send(&mut self, core: &mut Core, metrics: &ShardMetrics) -> Poll<bool> {
        let mut cx = Context::from_waker(&self.handle.waker);
        match self.socket.poll_send(&mut cx, &mut self.outbox) {
            Poll::Pending => {
                if !self.full {
                    self.session.pace.blocked();
                    metrics.blocked(self.outbox.bytes());
                    self.note_full(core);
                }
                (self.full, self.behind) = (true, true);
                return Poll::Pending;
            }
            Poll::Ready(Err(gone)) => {
                self.end = End::Gone(self.reason(gone.reason()));
                return Poll::Ready(false);
            }
            Poll::Ready(Ok(())) if self.full => {
                // What the kernel took after the socket was full, somebody has read.
                (self.full, self.drained) = (false, false);
                self.note_room(core);
                self.session.hear(core.now);
                if std::mem::take(&mut self.held) {
                    self.handle.waker.wake_by_ref();
                }
            }
            Poll::Ready(Ok(())) => {}
        }
        Poll::Ready(true)
    }

    fn set_due(&mut self, core: &mut Core) {
        self.due = self.session.poll_timeout(!self.full, &core.ctx());
        if let Some(due) = self.session.pace.due().filter(|_| !self.full && self.waits) {
            self.due = self.due.min(due);
        }
        if let End::Closing { until, .. } = self.end {
            self.due = until;
        }
    }

    /// Puts the next messages into the empty outbox; false where there are none.
    fn fill(&mut self, core: &mut Core, metrics: &mut ShardMetrics) -> bool {
        let before = self.outbox.bytes();
        if self.session.has_replays() {
            self.session.poll_openings(&mut Context::from_waker(&self.handle.waker), &core.ctx());
        }
        if self.session.attends() {
            self.session.poll_alerts(&Context::from_waker(&self.handle.waker), &core.ctx());
        }
        while let Some(text) = self.session.pop_control() {
            self.outbox.text(text);
        }
        if self.session.take_ping() {
            self.outbox.ping();
        }
        if self.session.closing().is_some() {
            self.say_goodbye(self.patience());
        } else {
            self.drain(core);
        }
        let added = self.outbox.bytes() - before;
        // A ping frame is no message: it does not stand for a heartbeat.
        if added > 0 {
            self.sent += 1;
            self.sent_bytes += added as u64;
            if self.trace {
                tracing::info!(session = self.session.name, bytes = added, behind = self.behind, "flush");
            }
            metrics.sent(added);
            self.session.note_sent(core.now);
        }
        !self.outbox.is_empty()
    }

    fn drain(&mut self, core: &mut Core) {
        let now = core.now;
        // What waited while the socket was full, or for a pace, waited for the client.
        core.fanout.note_hindered(self.behind || self.waits);
        let most = if self.behind { BUDGET_FULL } else { BUDGET_OPEN };
        self.session.take_share(&core.ctx());
        let budget = self.session.pace.budget(most, now);
        // The fan-out says once that something waits.
        self.waits = budget.is_none();
        let Some(budget) = budget else { return };
        let before_data = self.outbox.bytes();
        // What is live goes first, and leaves room for what is not.
        let plays = self.session.has_replays();
        let live = if plays { budget.div_ceil(2) } else { budget };
        let mut batch = std::mem::take(&mut core.batch);
        core.fanout.drain_into(self.session.id, live, now, &mut batch);
        if batch.overrun {
            self.session.handle_overrun(&core.ctx());
        }
        if let Some(notice) = &batch.started {
            self.outbox.text(session::notice(notice, NoticeState::Started, None, core.wall));
        }
        if let Some(tracks) = &mut core.tracks {
            tracks.note(&batch);
        }
        if !batch.is_empty() {
            let before = self.session.move_cursor(batch.cursor);
            let place = Place { epoch: &core.epoch, before, fanout: &core.fanout, replay: None };
            core.encoder.encode(&batch, &place, |message| self.outbox.message(message));
        } else if !batch.overrun {
            self.session.move_cursor(batch.cursor);
        }
        if let Some(notice) = &batch.ended {
            self.outbox.text(session::notice(notice, NoticeState::Ended, None, core.wall));
        }
        if plays && self.session.closing().is_none() {
            let spent = self.outbox.bytes() - before_data;
            self.play(budget.saturating_sub(spent).max(1), core);
        }
        let added = self.outbox.bytes() - before_data;
        if added > 0 {
            self.session.pace.flushed(added, now);
            if let Some(text) = self.session.flushed(batch.more, &core.ctx()) {
                self.outbox.text(text);
            }
        }
        if !batch.more {
            self.behind = false;
        } else if let Some(limit) = self.session.pace.shared_bound() {
            BOUNDS.count(limit);
        }
        self.waits = batch.more;
        self.drained = !batch.more && self.session.closing().is_none();
        core.batch = batch;
    }

    /// How long a goodbye may take: who reads slowly has much on its way before it.
    fn patience(&self) -> Duration {
        match self.session.closing().map(|goodbye| goodbye.code) {
            Some(CloseCode::SlowConsumer) => GOODBYE_TIMEOUT,
            _ if !self.behind => CLOSE_TIMEOUT,
            _ => GOODBYE_TIMEOUT,
        }
    }

    /// The session is to end: what it has to say, and the close frame.
    fn say_goodbye(&mut self, within: Duration) {
        while let Some(text) = self.session.pop_control() {
            self.outbox.text(text);
        }
        if let Some(Goodbye { code, reason }) = self.session.closing() {
            self.outbox.close(code, reason);
            self.close_until(reason, within);
        }
    }

    fn close_until(&mut self, reason: &'static str, within: Duration) {
        if self.end == End::Open {
            self.end = End::Closing { reason, until: clock::now() + within };
        }
    }

    fn reason(&self, otherwise: &'static str) -> &'static str {
        match self.end {
            End::Open => otherwise,
            End::Closing { reason, .. } | End::Gone(reason) => reason,
        }
    }

    /// When it is to be looked at, whatever happens until then.
    pub(super) const fn due(&self) -> Duration {
        self.due
    }

    /// Time passed.
    pub(super) fn tick(&mut self, core: &mut Core) {
        let now = core.now;
        match self.end {
            End::Open if !self.session.handle_timeout(!self.full, &mut core.ctx()) => {
                self.end = End::Gone("ping_timeout");
            }
            End::Closing { reason, until } if now >= until => self.end = End::Gone(reason),
            _ => {}
        }
        if self.pending && !self.session.is_waiting() {
            // What came after it may be read.
            self.pending = false;
            self.handle.waker.wake_by_ref();
        }
    }

    /// The server goes away.
    pub(super) fn shut_down(&mut self, leaves: Departure, core: &mut Core) {
        self.session.handle_shutdown(leaves, &core.ctx());
        // Its moment may come before anything else that it waits for.
        self.set_due(core);
    }
}
