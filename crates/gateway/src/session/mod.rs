//! A session: what one client may, wants and is owed. A state machine: texts and time go in,
//! messages come out; the socket is the shard's.

mod alerts;
mod late;
mod narrowed;
mod options;
mod pace;
mod replays;
mod reply;
mod requests;
mod subscriptions;
#[cfg(test)]
mod tests;
mod timers;
mod waiting;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Fanout, Notice, SessionId, Stream, TopicId};
use model::{Pattern, UnixNanos};
use wire::{CloseCode, Control, Cursor, Epoch, ErrorCode, NoticeState, Request, RequestError, Welcome};

use crate::alerts::Alerts;
use crate::auth::Grant;
use crate::bucket::Bucket;
use crate::drain::Departure;
use crate::recordings::Recordings;
use crate::roster::{Roster, Seat};
use crate::settings::{Limits, Settings};
use crate::shard::Pass;
use alerts::Attention;
pub(crate) use options::served;
pub(crate) use pace::Pace;
use replays::Replays;
use waiting::Waiting;

/// What a session needs of its surroundings.
pub(crate) struct Ctx<'a> {
    pub(crate) fanout: &'a mut Fanout,
    pub(crate) settings: &'a Settings,
    pub(crate) roster: &'a Arc<Roster>,
    pub(crate) recordings: &'a Recordings,
    pub(crate) alerts: &'a Arc<Alerts>,
    pub(crate) epoch: &'a Epoch,
    pub(crate) now: Duration,
    pub(crate) wall: UnixNanos,
}

impl Ctx<'_> {
    /// How late a stream is served.
    fn delay_of(&self, topic: TopicId) -> Duration {
        self.settings.delays.of(self.fanout.twin_number(topic.symbol))
    }
}

pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Its name in logs and in the welcome.
    pub(crate) name: String,
    grant: Option<Grant>,
    /// Those that held when it began; the welcome has told them.
    limits: Arc<Limits>,
    seat: Option<Seat>,
    opened: Duration,
    /// Patterns, for symbols that are listed later.
    wishes: Vec<Wish>,
    bucket: Bucket,
    pub(crate) pace: Pace,
    /// A token whose key is being looked for.
    pending: Option<Box<Waiting>>,
    /// Most sessions have none.
    attention: Option<Box<Attention>>,
    /// Most sessions have none.
    replays: Option<Box<Replays>>,
    /// Most sessions have none.
    troubles: Option<Box<Troubles>>,
    /// Control messages on their way, ahead of all data.
    control: VecDeque<String>,
    closing: Option<Goodbye>,
    sent: Duration,
    heard: Duration,
    /// A ping frame is to be sent; one was sent and not answered yet.
    ping: Ping,
    expiry_told: bool,
    /// The server goes away, and ends the session then.
    leaves: Option<Duration>,
    /// The edition of the keys that the grant was held against.
    edition: u32,
    /// Where the client stands once it has handled all that was sent.
    cursor: u64,
}

/// What a session has done wrong.
#[derive(Default)]
struct Troubles {
    /// In a row.
    rate_refusals: u32,
    /// In a row.
    bad_tokens: u32,
    offences: VecDeque<Duration>,
}

/// A subscription to a pattern.
#[derive(Clone, Debug, PartialEq)]
struct Wish {
    pattern: Pattern,
    stream: Stream,
    options: wire::Options,
}

/// Why a session is to be closed: the code, and the reason text of the close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Goodbye {
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ping {
    Idle,
    Due,
    Sent,
}

impl Session {
    /// A session begins, with what the handshake's token gave if it brought one.
    pub(crate) fn open(name: String, pass: Option<Pass>, ctx: &mut Ctx<'_>) -> Self {
        let limits = ctx.settings.limits.now();
        let id = ctx.fanout.open_session();
        let (grant, seat) = pass.map_or((None, None), |pass| (Some(pass.grant), pass.seat));
        let mut session = Self {
            id,
            name,
            grant,
            limits: Arc::clone(&limits),
            seat,
            opened: ctx.now,
            wishes: Vec::new(),
            pace: Pace::default(),
            bucket: Bucket::default(),
            pending: None,
            attention: None,
            replays: None,
            troubles: None,
            control: VecDeque::new(),
            closing: None,
            sent: ctx.now,
            heard: ctx.now,
            ping: Ping::Idle,
            expiry_told: false,
            leaves: None,
            // The keys may have become others since the grant was made: the first look at the time tells.
            edition: ctx.settings.keys.edition().wrapping_sub(1),
            cursor: ctx.fanout.cursor(id),
        };
        let authenticated = session.grant.is_some();
        session.say(&Control::Welcome(Box::new(Welcome {
            protocol: wire::PROTOCOL.to_owned(),
            server: concat!("tickwire/", env!("CARGO_PKG_VERSION")).to_owned(),
            session: session.name.clone(),
            epoch: ctx.epoch.as_str().to_owned(),
            authenticated,
            auth_timeout_ms: (!authenticated).then(|| reply::millis(limits.auth_timeout)),
            heartbeat_ms: reply::millis(limits.heartbeat),
            limits: wire::Limits {
                max_connections: limits.subject_connections,
                max_tenant_connections: limits.tenant_connections,
                max_tenant_subscriptions: limits.tenant_subscriptions,
                max_bytes_per_second: limits.subject_bytes_per_second,
                max_tenant_bytes_per_second: limits.tenant_bytes_per_second,
                max_symbols: limits.symbols,
                max_requests_per_second: limits.requests_per_second,
                max_message_bytes: limits.message_bytes,
            },
            ts_sent: ctx.wall.to_string(),
        })));
        session
    }

    /// Input: a text message.
    pub(crate) fn handle_text(&mut self, text: &str, ctx: &mut Ctx<'_>) {
        if self.closing.is_some() {
            return;
        }
        self.hear(ctx.now);
        let per_second = self.limits.requests_per_second;
        match Request::parse(text) {
            Ok(request) => {
                if let Some(wait) = self.bucket.take(per_second, ctx.now) {
                    self.refuse_rate(request.id, &request.op, wait);
                } else {
                    if let Some(troubles) = &mut self.troubles {
                        troubles.rate_refusals = 0;
                    }
                    self.handle(request, ctx);
                }
            }
            Err(error) => self.handle_refused(error, ctx),
        }
    }

    /// Input: a request that is none, and why.
    pub(crate) fn handle_refused(&mut self, error: RequestError, ctx: &Ctx<'_>) {
        if self.closing.is_some() {
            return;
        }
        self.hear(ctx.now);
        // A broken request costs as much as a good one.
        let _ = self.bucket.take(self.limits.requests_per_second, ctx.now);
        self.refuse_request(error, ctx.now);
    }

    /// Input: a message that cannot be read, and why.
    pub(crate) fn handle_unreadable(&mut self, why: &str, ctx: &Ctx<'_>) {
        self.hear(ctx.now);
        self.refuse(None, None, ErrorCode::InvalidJson, why, None, ctx.now);
    }

    /// Input: the client broke the rules of the transport in a way that has an error message.
    pub(crate) fn handle_too_big(&mut self) {
        let limit = self.limits.message_bytes;
        let message = format!("A message may have {limit} bytes at most. Split the request.");
        self.fail(ErrorCode::MessageTooBig, &message, None);
    }

    /// Input: anything came in; the client is alive.
    pub(crate) const fn hear(&mut self, now: Duration) {
        self.heard = now;
        self.ping = Ping::Idle;
    }

    /// Input: something was handed to the socket.
    pub(crate) const fn note_sent(&mut self, now: Duration) {
        self.sent = now;
    }

    /// Input: a stream that must not lose anything fell behind its log.
    pub(crate) fn handle_overrun(&mut self, ctx: &Ctx<'_>) {
        let details = serde_json::json!({
            "ledger": self.ledger(ctx),
            "cursor": self.cursor(ctx).to_string(),
        });
        let message =
            "This session fell behind what is kept, and asked to be cut off rather than to lose anything.";
        self.fail(ErrorCode::SlowConsumer, message, Some(details));
    }

    /// Input: an operator ends the session.
    pub(crate) fn handle_kick(&mut self) {
        self.fail(ErrorCode::Kicked, "An operator has ended this session.", None);
    }

    /// Input: the server goes away. The session is served until it departs.
    pub(crate) fn handle_shutdown(&mut self, leaves: Departure, ctx: &Ctx<'_>) {
        let close_after = u64::try_from(leaves.close_after.as_nanos()).unwrap_or(u64::MAX);
        let draining = wire::Draining {
            reason: "shutdown".to_owned(),
            reconnect_after_ms: reply::millis(leaves.reconnect_after),
            deadline: UnixNanos(ctx.wall.0.saturating_add(close_after)).to_string(),
            cursor: self.cursor(ctx).to_string(),
            ledger: self.ledger(ctx),
        };
        self.say(&Control::Draining(Box::new(draining)));
        self.leaves = Some(ctx.now + leaves.close_after);
        self.check_leave(ctx);
    }

    /// Reads what a flush will need, to have it near by then.
    pub(crate) fn warm(&self) {
        black_box((self.id, self.cursor, self.sent, self.closing.is_some(), self.ping));
        black_box((self.control.len(), self.pace.credit(), self.pace.due()));
    }

    /// Output: the next control message.
    pub(crate) fn pop_control(&mut self) -> Option<String> {
        let next = self.control.pop_front();
        if next.is_none() && self.control.capacity() > 0 {
            // Most sessions say little once they have begun.
            self.control = VecDeque::new();
        }
        next
    }

    /// How many bytes of control messages wait.
    pub(crate) fn control_bytes(&self) -> usize {
        self.control.iter().map(String::len).sum()
    }

    /// Output: whether a ping frame is to be sent; it counts as sent then.
    pub(crate) fn take_ping(&mut self) -> bool {
        let due = self.ping == Ping::Due;
        if due {
            self.ping = Ping::Sent;
        }
        due
    }

    /// Output: why the session is to be closed, once its control messages are out.
    pub(crate) const fn closing(&self) -> Option<Goodbye> {
        self.closing
    }

    /// Brings the pace in line with the session's share of what its subject and its tenant may be sent.
    pub(crate) fn take_share(&mut self, ctx: &Ctx<'_>) {
        if !ctx.roster.has_rates() && !self.pace.is_shared() {
            return;
        }
        let (share, bound) = self.seat.as_ref().map_or((0, ""), Seat::share);
        self.pace.set_share(share, bound, ctx.now);
    }

    /// Tells the tenant's account how many streams the session has now.
    fn settle_streams(&self, ctx: &Ctx<'_>) {
        if let Some(seat) = &self.seat {
            seat.settle(ctx.fanout.subscription_count(self.id));
        }
    }

    /// Whose session it is, where that is known.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.grant.as_ref().map(|grant| grant.subject.as_str())
    }

    /// Whose subject that is, where the token says so.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.grant.as_ref()?.tenant.as_deref()
    }

    /// Where the client stood before the batch that leads to `next`, and from now on stands.
    pub(crate) const fn move_cursor(&mut self, next: u64) -> u64 {
        let before = self.cursor;
        self.cursor = next;
        before
    }

    /// The client goes on from an earlier place.
    fn step_back(&mut self, ctx: &Ctx<'_>) {
        self.cursor = self.cursor.min(ctx.fanout.cursor(self.id));
    }

    /// The message that ends a flush, where flushes need credit.
    pub(crate) fn flushed(&self, more: bool, ctx: &Ctx<'_>) -> Option<String> {
        let credit = self.pace.credit()?;
        let cursor = self.cursor(ctx).to_string();
        Some(Control::Flushed(wire::Flushed { credit, more, cursor }).to_json())
    }

    fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.closing = self.closing.or(Some(Goodbye { code, reason }));
    }

    fn cursor(&self, ctx: &Ctx<'_>) -> Cursor {
        Cursor { epoch: ctx.epoch.clone(), position: self.cursor }
    }
}

/// The message that coalescing because of slowness began or ended.
pub(crate) fn notice(notice: &Notice, state: NoticeState, replay: Option<&str>, wall: UnixNanos) -> String {
    let started = state == NoticeState::Started;
    let since = UnixNanos(wall.0.saturating_sub(notice.millis.saturating_mul(1_000_000)));
    let notice = wire::Notice {
        code: ErrorCode::SlowConsumer,
        state,
        replay: replay.map(str::to_owned),
        message: started
            .then(|| "More waits than this session takes, by its connection or by its pace; it is served as its overflow options say.".to_owned()),
        queued_bytes: started.then_some(notice.queued_bytes as u64),
        coalesced_since: started.then(|| since.to_string()),
        coalesced: (!started).then_some(notice.coalesced),
        skipped: (!started).then_some(notice.skipped),
        duration_ms: (!started).then_some(notice.millis),
    };
    Control::Notice(Box::new(notice)).to_json()
}
