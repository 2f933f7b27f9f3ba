//! The replays of a session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fanout::TopicId;
use model::{Speed, UnixNanos};
use serde_json::json;
use store::{At, StoreError};
use tokio::task::{JoinHandle, spawn_blocking};
use wire::{
    Ack, Change, Control, Cursor, ErrorCode, ErrorMessage, Place, Rejected, ReplayOpen, RequestId, Source,
    Subscribe,
};

use super::reply::entry_of;
use super::{Ctx, Session, served};
use crate::auth::Grant;
use crate::limits::{LIVE_LOOKS_MAX, REPLAY_BYTES_PER_TURN, REPLAY_EVENTS_PER_TURN, SESSION_REPLAYS_MAX};
use crate::recordings::{Found, Missing};
use crate::replay::{
    Clock, Opened, Replay, Rest, Role, Sink, Start, Tape, Target, WishKind as Kind, Wishes, before, told,
};

/// The replays of a session, and those that are yet to begin.
#[derive(Default)]
pub(super) struct Replays {
    all: Vec<Replay>,
    opening: Vec<Opening>,
    /// How many there have been.
    count: u32,
}

/// A replay whose recording is being looked at.
struct Opening {
    id: Option<RequestId>,
    found: Found,
    start: Start,
    /// What others say to play by its clock.
    share: Option<String>,
    /// It was asked for by a subscribe.
    rewinds: bool,
    work: JoinHandle<Result<Opened, StoreError>>,
}

impl Session {
    pub(super) fn open_replay(&mut self, id: Option<RequestId>, request: ReplayOpen, ctx: &Ctx<'_>) {
        if let Some(message) = turned(&request.source, ctx.wall) {
            let details = Some(json!({ "field": "from" }));
            return self.refuse(
                id,
                Some("replay_open"),
                ErrorCode::InvalidRequest,
                &message,
                details,
                ctx.now,
            );
        }
        if let Err(Missing { code, message }) = self.try_open(id.clone(), request, false, ctx) {
            self.refuse(id, Some("replay_open"), code, &message, None, ctx.now);
        }
    }

    /// Subscribes with what was recorded since some moment first.
    pub(super) fn rewind(&mut self, id: Option<RequestId>, request: Subscribe, millis: u64, ctx: &Ctx<'_>) {
        let Subscribe { channels, symbols, options, .. } = request;
        let source = Source::Recording {
            name: None,
            from: Some(Place::Ago(millis)),
            to: None,
            speed: Speed::MAX,
            paused: false,
            live: true,
            share: false,
        };
        let open = ReplayOpen { source, channels, symbols, options, client_bytes_per_second: None };
        if let Err(Missing { code, message }) = self.try_open(id.clone(), open, true, ctx) {
            self.refuse(id, Some("subscribe"), code, &message, None, ctx.now);
        }
    }

    fn try_open(
        &mut self,
        id: Option<RequestId>,
        request: ReplayOpen,
        rewinds: bool,
        ctx: &Ctx<'_>,
    ) -> Result<(), Missing> {
        let refused = |code, message: &str| Missing { code, message: message.to_owned() };
        let Some(grant) = self.grant.clone().filter(Grant::may_replay) else {
            let message = "Your token does not cover replays: it lacks the scope replay.";
            return Err(refused(ErrorCode::Forbidden, message));
        };
        let ReplayOpen { source, channels, symbols, options, client_bytes_per_second } = request;
        let replays = self.replays.get_or_insert_default();
        if replays.all.len() + replays.opening.len() >= SESSION_REPLAYS_MAX {
            let message = format!("A session may have {SESSION_REPLAYS_MAX} replays. Close one first.");
            return Err(refused(ErrorCode::ReplayLimit, &message));
        }
        let Sourced { found, from, to, clock, live, role, share } = sourced(source, ctx)?;
        if live && (!found.is_running || client_bytes_per_second.is_some()) {
            let message = "Only the recording that is being made goes on with what happens now, and only for a client \
                           that is there.";
            return Err(refused(ErrorCode::InvalidRequest, message));
        }
        let playing = Arc::new(ctx.recordings.play(&grant)?);
        let wishes = Arc::new(Wishes {
            channels,
            symbols,
            options,
            client: client_bytes_per_second,
            grant,
            delays: ctx.settings.delays.clone(),
            most: self.limits.symbols,
            kind: if live { Kind::Live } else { Kind::Played },
        });
        replays.count += 1;
        let name = format!("r{}", replays.count);
        let start = Start { name, wishes: Arc::clone(&wishes), clock, live, role, playing };
        let (folder, is_running, wall) = (found.folder.clone(), found.is_running, ctx.wall);
        // What is under way keeps its place, whatever becomes of the session.
        let place = Arc::clone(&start.playing);
        let work = spawn_blocking(move || {
            let opened = Tape::open((&folder, is_running), wishes, from, to, wall);
            drop(place);
            opened
        });
        replays.opening.push(Opening { id, found, start, share, rewinds, work });
        Ok(())
    }

    pub(super) fn change_replay(&mut self, id: Option<RequestId>, name: &str, change: Change, ctx: &Ctx<'_>) {
        let now = ctx.now;
        let replays = self.replays.get_or_insert_default();
        let Some(at) = replays.all.iter().position(|replay| replay.name == name) else {
            let names: Vec<_> = replays.all.iter().map(|replay| replay.name.as_str()).collect();
            let known = if names.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            let message = format!("No replay {name} in this session; {known}.");
            let details = Some(json!({ "field": "replay" }));
            return self.refuse(id, Some(change.op()), ErrorCode::InvalidRequest, &message, details, now);
        };
        let replay = &mut replays.all[at];
        if replay.follows() && change != Change::Close {
            let message = format!(
                "{name} plays by the clock of another replay, which only that one's session can set."
            );
            return self.refuse(id, Some(change.op()), ErrorCode::Forbidden, &message, None, now);
        }
        let name = name.to_owned();
        let ack = match change {
            Change::Pause => {
                replay.pause(now);
                Ack::ReplayPause { replay: name }
            }
            Change::Resume => {
                replay.resume(now);
                Ack::ReplayResume { replay: name }
            }
            Change::Step { records } => {
                replay.step(records, now);
                Ack::ReplayStep { replay: name, records }
            }
            Change::Seek { to } => {
                replay.seek(target(to, ctx.wall));
                Ack::ReplaySeek { replay: name }
            }
            Change::Speed { speed } => {
                replay.set_speed(speed, now);
                Ack::ReplaySpeed { replay: name, speed: told(speed) }
            }
            Change::Close => {
                let replay = replays.all.remove(at);
                let (ledgers, fanout) = replay.ledgers();
                let ledger = ledgers.iter().map(|ledger| entry_of(ledger, fanout)).collect();
                Ack::ReplayClose { replay: name, ledger }
            }
        };
        self.ack(id, ack);
    }

    /// Whether there is anything to play.
    pub(crate) fn has_replays(&self) -> bool {
        // What is over has left its number.
        self.replays.as_ref().is_some_and(|replays| !(replays.all.is_empty() && replays.opening.is_empty()))
    }

    /// Begins the replays whose recordings were looked at.
    pub(crate) fn poll_openings(&mut self, cx: &mut Context<'_>, ctx: &Ctx<'_>) {
        let Some(mut replays) = self.replays.take() else { return };
        let mut at = 0;
        while at < replays.opening.len() {
            let Poll::Ready(done) = Pin::new(&mut replays.opening[at].work).poll(cx) else {
                at += 1;
                continue;
            };
            let Opening { id, found, start, share, rewinds, .. } = replays.opening.remove(at);
            match done {
                Ok(Ok(opened)) if start.live && !start.wishes.delay(&opened.symbols).is_zero() => {
                    let message = "Your token gives some of these streams late: they do not go on with what happens now.";
                    self.say_refused(id, rewinds, ErrorCode::Forbidden, message);
                }
                // It would be open for nothing.
                Ok(Ok(Opened { symbols, rejected, .. }))
                    if symbols.is_empty() && !rejected.is_empty() && !rewinds =>
                {
                    self.say_all_rejected(id, &rejected);
                }
                Ok(Ok(opened)) => {
                    let ack = if rewinds {
                        self.rewound(&start, &opened, ctx)
                    } else {
                        ack(&start, &found, &opened, share)
                    };
                    self.ack(id, ack);
                    replays.all.push(Replay::new(start, opened, &self.name, ctx.now));
                }
                Ok(Err(error)) => {
                    tracing::warn!(session = self.name, "a replay does not begin: {error}");
                    let name = found.name.as_str();
                    let message = format!("The recording {name} does not read: its operator sees why.");
                    self.say_refused(id, rewinds, ErrorCode::Unavailable, &message);
                }
                Err(_) => {
                    let message = "The recording could not be read because of a fault of this server.";
                    self.say_refused(id, rewinds, ErrorCode::Unavailable, message);
                }
            }
        }
        self.replays = Some(replays);
    }

    /// The answer to a subscribe that begins with a replay.
    fn rewound(&self, start: &Start, opened: &Opened, ctx: &Ctx<'_>) -> Ack {
        Ack::Subscribe {
            channels: start.wishes.channels.iter().map(ToString::to_string).collect(),
            symbols: opened.symbols.iter().map(ToString::to_string).collect(),
            rejected: opened.rejected.clone(),
            resumed: false,
            streams: Vec::new(),
            narrowed: Vec::new(),
            replay: Some(start.name.clone()),
            cursor: self.cursor(ctx).to_string(),
        }
    }

    fn say_refused(&mut self, id: Option<RequestId>, rewinds: bool, code: ErrorCode, message: &str) {
        let op = Some(if rewinds { "subscribe" } else { "replay_open" }.to_owned());
        let (message, retryable) = (message.to_owned(), code.retryable());
        self.say(&Control::Error(Box::new(ErrorMessage { id, op, code, message, retryable, details: None })));
    }

    /// Nothing of what was asked for can be played.
    fn say_all_rejected(&mut self, id: Option<RequestId>, rejected: &[Rejected]) {
        let Some(Rejected { code, message, .. }) = rejected.first() else { return };
        let more = match rejected.len() - 1 {
            0 => String::new(),
            more => format!(" So it is with {more} more."),
        };
        let (code, message) = (*code, format!("{message}{more}"));
        let (op, details) = (Some("replay_open".to_owned()), Some(json!({ "rejected": rejected })));
        let retryable = code.retryable();
        self.say(&Control::Error(Box::new(ErrorMessage { id, op, code, message, retryable, details })));
    }

    /// Output: what replays have to say, as far as there is room; when there is more.
    pub(crate) fn play(&mut self, cx: &mut Context<'_>, ctx: &mut Ctx<'_>, sink: &mut Sink<'_>) -> Rest {
        let Some(mut replays) = self.replays.take() else { return Rest::Until(None) };
        let mut rest = Rest::Until(None);
        // Each has its share.
        let count = replays.all.len().max(1);
        let (share, events) = (sink.room.min(REPLAY_BYTES_PER_TURN) / count, REPLAY_EVENTS_PER_TURN / count);
        for replay in &mut replays.all {
            let mut own = Sink { send: &mut *sink.send, room: share.max(1), events: events.max(1) };
            rest = rest.and(replay.play(cx, ctx.now, &mut own));
            if replay.wants_live() {
                // Its moment, or its end, is to be seen to.
                rest = rest.and(if self.go_live(replay, ctx, sink) { Rest::More } else { replay.wait() });
            }
        }
        replays.all.retain(|replay| !replay.is_over());
        self.replays = Some(replays);
        rest
    }

    /// Makes subscriptions of what a replay played up to now, where nothing is between; false where it is to be
    /// looked for what was recorded since.
    fn go_live(&mut self, replay: &mut Replay, ctx: &mut Ctx<'_>, sink: &mut Sink<'_>) -> bool {
        let wishes = replay.wishes();
        let (places, position) = replay.places();
        let mut streams = Vec::with_capacity(places.len());
        for (symbol, stream, place) in places {
            let Some(id) = ctx.fanout.symbol(symbol.as_str()) else { continue };
            let topic = TopicId { symbol: id, stream };
            let options = self.within(topic, served(topic, &wishes.options), ctx);
            // Of a book, what comes from here on is kept for who asks in a moment.
            ctx.fanout.keep_view(topic, &options);
            // A stream that the session has already goes on where it is.
            let is_new = !ctx.fanout.is_subscribed(self.id, topic);
            streams.push((topic, options, place, is_new));
        }
        let is_ahead = position > ctx.fanout.position();
        let mut holds =
            |(topic, options, ..): &(TopicId, _, _, _)| ctx.fanout.holds(*topic, options, position);
        let fits = !is_ahead && streams.iter().all(&mut holds);
        if !fits && replay.look_later(ctx.now) < LIVE_LOOKS_MAX {
            return false;
        }
        let cursor = Cursor { epoch: ctx.epoch.clone(), position };
        sink.message(replay.hand_over(cursor.to_string(), ctx.now).into());
        let request = Subscribe {
            channels: wishes.channels.clone(),
            symbols: wishes.symbols.clone(),
            options: wishes.options,
            resume: Some(cursor),
            rewind_ms: None,
        };
        self.subscribe(None, request, ctx);
        for (topic, _, place, is_new) in streams {
            if is_new {
                ctx.fanout.rejoin(self.id, topic, place);
            }
        }
        true
    }

    /// A new token has other scopes: what was begun with the old ones ends.
    pub(super) fn end_replays(&mut self, why: &str) {
        let Some(replays) = &mut self.replays else { return };
        replays.all.iter_mut().for_each(|replay| replay.fail(why.to_owned()));
        for opening in std::mem::take(&mut replays.opening) {
            self.say_refused(opening.id, opening.rewinds, ErrorCode::Forbidden, why);
        }
    }
}

/// What a replay plays, and by which clock.
struct Sourced {
    found: Found,
    from: Option<At>,
    to: Option<UnixNanos>,
    clock: Clock,
    live: bool,
    role: Role,
    share: Option<String>,
}

fn sourced(source: Source, ctx: &Ctx<'_>) -> Result<Sourced, Missing> {
    match source {
        Source::Recording { name, from, to, speed, paused, live, share } => {
            let found = ctx.recordings.find(name.as_deref())?;
            let from = from.map(|from| target(from, ctx.wall).at);
            let clock = Clock::new(speed, !paused, ctx.now, UnixNanos(0));
            let offer = share.then(|| ctx.recordings.shares().offer(found.clone(), to, clock));
            let (share, role) = match offer {
                Some((name, baton)) => (Some(name), Role::Leads(baton)),
                None => (None, Role::Alone),
            };
            Ok(Sourced { found, from, to, clock, live, role, share })
        }
        Source::Shared { share } => {
            let Some(baton) = ctx.recordings.shares().find(&share) else {
                let message = format!("There is no share {share}: its replay is over, or was never shared.");
                return Err(Missing { code: ErrorCode::InvalidRequest, message });
            };
            let (clock, at, seen) = baton.place(ctx.now);
            let (found, to, share) = (baton.found.clone(), baton.to, Some(share));
            let role = Role::Follows(baton, seen);
            Ok(Sourced { found, from: Some(at), to, clock, live: false, role, share })
        }
    }
}

/// Why nothing is between where a replay is to begin and where it is to end.
fn turned(source: &Source, wall: UnixNanos) -> Option<String> {
    let Source::Recording { from: Some(from), to: Some(to), .. } = source else { return None };
    let from = place_of(*from, wall).1.filter(|from| from >= to)?;
    Some(format!("\"from\" ({from}) must be before \"to\" ({to})."))
}

/// A place as the store knows it, and what time it is there.
fn target(place: Place, wall: UnixNanos) -> Target {
    let (at, time) = place_of(place, wall);
    Target { at, time }
}

fn place_of(place: Place, wall: UnixNanos) -> (At, Option<UnixNanos>) {
    match place {
        Place::Position(position) => (At::Position(position), None),
        Place::Time(time) => (before(time), Some(time)),
        Place::Ago(millis) => {
            let time = UnixNanos(wall.0.saturating_sub(millis.saturating_mul(1_000_000)));
            (before(time), Some(time))
        }
    }
}

fn ack(start: &Start, found: &Found, opened: &Opened, share: Option<String>) -> Ack {
    let (from, to) = opened.span;
    Ack::ReplayOpen {
        replay: start.name.clone(),
        recording: found.name.as_str().to_owned(),
        from: from.to_string(),
        to: to.to_string(),
        records: opened.records,
        channels: start.wishes.channels.iter().map(ToString::to_string).collect(),
        symbols: opened.symbols.iter().map(ToString::to_string).collect(),
        rejected: opened.rejected.clone(),
        share,
    }
}
