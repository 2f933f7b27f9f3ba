//! The replays of a session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use model::UnixNanos;
use serde_json::json;
use store::{At, StoreError};
use tokio::task::{JoinHandle, spawn_blocking};
use wire::{Ack, Change, Control, ErrorCode, ErrorMessage, Place, ReplayOpen, RequestId, Source};

use super::reply::entry_of;
use super::{Ctx, Session};
use crate::limits::{REPLAY_BYTES_PER_TURN, SESSION_REPLAYS_MAX};
use crate::recordings::{Found, Missing};
use crate::replay::{Opened, Replay, Rest, Sink, Start, Tape, Wishes, before, told};

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
    work: JoinHandle<Result<Opened, StoreError>>,
}

impl Session {
    pub(super) fn open_replay(&mut self, id: Option<RequestId>, request: ReplayOpen, ctx: &Ctx<'_>) {
        if let Err(Missing { code, message }) = self.try_open(id.clone(), request, ctx) {
            self.refuse(id, Some("replay_open"), code, &message, None, ctx.now);
        }
    }

    fn try_open(&mut self, id: Option<RequestId>, request: ReplayOpen, ctx: &Ctx<'_>) -> Result<(), Missing> {
        let refused = |code, message: &str| Missing { code, message: message.to_owned() };
        let Some(grant) = self.grant.clone().filter(crate::auth::Grant::may_replay) else {
            return Err(refused(
                ErrorCode::Forbidden,
                "Your token does not cover replays: it lacks the scope replay.",
            ));
        };
        let ReplayOpen { source, channels, symbols, options, client_bytes_per_second } = request;
        let Source::Recording { name, from, to, speed, paused, .. } = source else {
            return Err(refused(ErrorCode::InvalidRequest, "There is no such share."));
        };
        let replays = self.replays.get_or_insert_default();
        if replays.all.len() + replays.opening.len() >= SESSION_REPLAYS_MAX {
            let message = format!("A session may have {SESSION_REPLAYS_MAX} replays. Close one first.");
            return Err(refused(ErrorCode::ReplayLimit, &message));
        }
        let found = ctx.recordings.find(name.as_deref())?;
        let Some(playing) = ctx.recordings.play() else {
            let message = "The server plays as many replays as it can. Try again later.";
            return Err(refused(ErrorCode::ReplayLimit, message));
        };
        let wishes = Arc::new(Wishes {
            channels,
            symbols,
            options,
            client: client_bytes_per_second,
            grant,
            delays: ctx.settings.delays.clone(),
            most: self.limits.symbols,
        });
        replays.count += 1;
        let name = format!("r{}", replays.count);
        let start = Start { name, wishes: Arc::clone(&wishes), speed, paused, playing };
        let (folder, wall) = (found.folder.clone(), ctx.wall);
        let from = from.map(|from| place(from, wall).0);
        let work = spawn_blocking(move || Tape::open(&folder, wishes, from, to, wall));
        replays.opening.push(Opening { id, found, start, work });
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
        let name = name.to_owned();
        let ack = match change {
            Change::Pause => {
                let ack = Control::Ack { id, ack: Ack::ReplayPause { replay: name } };
                return replay.pause(ack.to_json(), now);
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
                let (at, time) = place(to, ctx.wall);
                replay.seek(at, time);
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
    pub(crate) const fn has_replays(&self) -> bool {
        self.replays.is_some()
    }

    /// Begins the replays whose recordings were looked at.
    pub(crate) fn poll_openings(&mut self, cx: &mut Context<'_>, now: Duration) {
        let Some(mut replays) = self.replays.take() else { return };
        let mut at = 0;
        while at < replays.opening.len() {
            let Poll::Ready(done) = Pin::new(&mut replays.opening[at].work).poll(cx) else {
                at += 1;
                continue;
            };
            let Opening { id, found, start, .. } = replays.opening.remove(at);
            match done {
                Ok(Ok(opened)) => {
                    self.ack(id, ack(&start, &found, &opened));
                    replays.all.push(Replay::new(start, opened, now));
                }
                Ok(Err(error)) => {
                    tracing::warn!("a replay does not begin: {error}");
                    let name = found.name.as_str();
                    self.say_refused(
                        id,
                        &format!("The recording {name} does not read: its operator sees why."),
                    );
                }
                Err(_) => {
                    self.say_refused(
                        id,
                        "The recording could not be read because of a fault of this server.",
                    );
                }
            }
        }
        self.replays = Some(replays);
    }

    fn say_refused(&mut self, id: Option<RequestId>, message: &str) {
        let (op, code) = (Some("replay_open".to_owned()), ErrorCode::Unavailable);
        let (message, retryable) = (message.to_owned(), code.retryable());
        self.say(&Control::Error(Box::new(ErrorMessage { id, op, code, message, retryable, details: None })));
    }

    /// Output: what replays have to say, as far as there is room; when there is more.
    pub(crate) fn play(&mut self, cx: &mut Context<'_>, now: Duration, sink: &mut Sink<'_>) -> Rest {
        let Some(replays) = &mut self.replays else { return Rest::Until(None) };
        let mut rest = Rest::Until(None);
        // Each has its share; who comes first changes.
        let share = sink.room.min(REPLAY_BYTES_PER_TURN) / replays.all.len().max(1);
        for replay in &mut replays.all {
            let mut own = Sink { send: &mut *sink.send, room: share.max(1) };
            rest = rest.and(replay.play(cx, now, &mut own));
        }
        replays.all.retain(|replay| !replay.is_over());
        rest
    }

    /// A new token has other scopes: what was begun with the old ones ends.
    pub(super) fn end_replays(&mut self, why: &str) {
        let Some(replays) = &mut self.replays else { return };
        replays.opening.clear();
        replays.all.iter_mut().for_each(|replay| replay.fail(why.to_owned()));
    }
}

/// A place as the store knows it, and what time it is there.
fn place(place: Place, wall: UnixNanos) -> (At, Option<UnixNanos>) {
    match place {
        Place::Position(position) => (At::Position(position), None),
        Place::Time(time) => (before(time), Some(time)),
        Place::Ago(millis) => {
            let time = UnixNanos(wall.0.saturating_sub(millis.saturating_mul(1_000_000)));
            (before(time), Some(time))
        }
    }
}

fn ack(start: &Start, found: &Found, opened: &Opened) -> Ack {
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
        share: None,
    }
}
