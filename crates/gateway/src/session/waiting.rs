//! Requests that cannot be answered yet. What comes after one waits, too.

use std::time::Duration;

use wire::{RequestId, Subscribe};

use super::{Ctx, Session};
use crate::auth::Awaited;
use crate::limits::EARLY_WAIT;

/// A request that waits, and until when at the latest.
pub(super) struct Waiting {
    id: Option<RequestId>,
    until: Duration,
    what: What,
}

enum What {
    /// A token, for its key to be fetched.
    Token { token: String, awaited: Awaited },
    /// A subscription, for this shard to come as far as its cursor.
    Cursor { request: Subscribe, position: u64 },
}

impl Session {
    /// Checks a token, or waits until its key was looked for.
    pub(super) fn authenticate(&mut self, id: Option<RequestId>, token: &str, ctx: &mut Ctx<'_>) {
        let keys = &ctx.settings.keys;
        let checked = keys.check(token, ctx.wall);
        let Some(awaited) = keys.awaited(&checked, token) else { return self.judge(id, checked, ctx) };
        let (until, what) = (ctx.now + awaited.wait, What::Token { token: token.to_owned(), awaited });
        self.pending = Some(Box::new(Waiting { id, until, what }));
        self.settle(ctx);
    }

    /// Subscribes, or waits until this shard has come as far as the cursor: what the client has from another shard,
    /// or another process, must not come twice.
    pub(super) fn subscribe_in_time(&mut self, id: Option<RequestId>, request: Subscribe, ctx: &mut Ctx<'_>) {
        let ahead = request.resume.as_ref().filter(|cursor| cursor.epoch == *ctx.epoch);
        match ahead.map(|cursor| cursor.position).filter(|&position| position > ctx.fanout.position()) {
            None => self.subscribe(id, request, ctx),
            Some(position) => {
                let (until, what) = (ctx.now + EARLY_WAIT, What::Cursor { request, position });
                self.pending = Some(Box::new(Waiting { id, until, what }));
            }
        }
    }

    /// Whether a request waits.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Answers the request that waits, if it need not any more.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>) {
        let keys = &ctx.settings.keys;
        let is_time = |waiting: &mut Box<Waiting>| {
            ctx.now >= waiting.until
                || match &waiting.what {
                    What::Token { awaited, .. } => keys.has_looked(*awaited),
                    What::Cursor { position, .. } => *position <= ctx.fanout.position(),
                }
        };
        let Some(waiting) = self.pending.take_if(is_time) else { return };
        let Waiting { id, what, .. } = *waiting;
        match what {
            What::Token { token, awaited } => {
                let checked = keys.settle(&token, awaited, ctx.wall);
                self.judge(id, checked, ctx);
            }
            What::Cursor { request, .. } => self.subscribe(id, request, ctx),
        }
    }
}
