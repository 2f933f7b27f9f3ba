//! What time does to a session.

use std::sync::Arc;
use std::time::Duration;

use model::UnixNanos;
use wire::{CloseCode, Control, ErrorCode, Heartbeat, TokenExpiring};

use super::requests::auth_deadline;
use super::{Ctx, Ping, Session};
use crate::limits::EXPIRY_NOTICE;

/// How often it is seen whether a key has been found.
const PENDING_LOOK: Duration = Duration::from_millis(20);

impl Session {
    /// Input: time passed. Call at [`Self::poll_timeout`] or later; `idle` tells whether the socket
    /// could take something. False where the client is taken for gone.
    pub(crate) fn handle_timeout(&mut self, idle: bool, ctx: &mut Ctx<'_>) -> bool {
        let limits = Arc::clone(&self.limits);
        if ctx.now >= self.heard + limits.ping + limits.silence {
            return false;
        }
        if self.closing.is_some() {
            return true;
        }
        self.settle(ctx);
        if self.grant.is_none()
            && self.pending.is_none()
            && ctx.now >= auth_deadline(self.opened, limits.auth_timeout)
        {
            let message = "No token came in time. Connect again and send auth at once.";
            self.fail(ErrorCode::AuthTimeout, message, None);
        }
        self.check_expiry(ctx);
        self.check_keys(ctx);
        self.check_seat(ctx);
        self.check_leave(ctx);
        if self.ping == Ping::Idle && ctx.now >= self.heard + limits.ping {
            self.ping = Ping::Due;
        }
        if idle && self.closing.is_none() && ctx.now >= self.sent + limits.heartbeat {
            // All that was drained is with the kernel, so the client stands where the fan-out says.
            self.cursor = ctx.fanout.cursor(self.id);
            let (cursor, ts_sent) = (self.cursor(ctx).to_string(), ctx.wall.to_string());
            self.say(&Control::Heartbeat(Heartbeat { cursor, ts_sent }));
        }
        true
    }

    /// Whether the keys have become others, and the grant is none any more.
    fn check_keys(&mut self, ctx: &Ctx<'_>) {
        let edition = ctx.settings.keys.edition();
        if std::mem::replace(&mut self.edition, edition) == edition {
            return;
        }
        if self.grant.as_ref().is_some_and(|grant| !ctx.settings.keys.honours(grant)) {
            let message = "The token was revoked, or its key is not in force any more. Get a new one.";
            self.fail(ErrorCode::TokenRevoked, message, None);
        }
    }

    /// Whether a newer session of the subject has taken this one's place.
    pub(crate) fn has_lost_seat(&self) -> bool {
        self.seat.as_ref().is_some_and(crate::roster::Seat::is_lost)
    }

    fn check_seat(&mut self, ctx: &Ctx<'_>) {
        if self.has_lost_seat() {
            let most = ctx.settings.limits.now().subject_connections.unwrap_or_default();
            let message = format!("A newer session has taken this one's place: {most} at a time.");
            self.fail(ErrorCode::ConnectionLimit, &message, None);
        }
    }

    pub(super) fn check_leave(&mut self, ctx: &Ctx<'_>) {
        if self.leaves.is_some_and(|leaves| ctx.now >= leaves) {
            self.close(CloseCode::Restart, "shutdown");
        }
    }

    fn check_expiry(&mut self, ctx: &Ctx<'_>) {
        let Some(grant) = &self.grant else { return };
        let expires_at = grant.expires_at;
        if ctx.wall >= grant.ends_at {
            let message = format!("The token expired at {expires_at}. Get a new one and connect again.");
            self.fail(ErrorCode::TokenExpired, &message, None);
        } else if !self.expiry_told && expires_at.since(ctx.wall) <= nanos(EXPIRY_NOTICE) {
            self.expiry_told = true;
            let expires_in_ms = expires_at.since(ctx.wall) / 1_000_000;
            let expires_at = expires_at.to_string();
            self.say(&Control::TokenExpiring(TokenExpiring { expires_at, expires_in_ms }));
        }
    }

    /// Output: when [`Self::handle_timeout`] has work to do. A blocked socket needs no heartbeat.
    pub(crate) fn poll_timeout(&self, idle: bool, ctx: &Ctx<'_>) -> Duration {
        let limits = &self.limits;
        let mut next = self.heard + limits.ping + limits.silence;
        if self.ping == Ping::Idle {
            next = next.min(self.heard + limits.ping);
        }
        if idle {
            next = next.min(self.sent + limits.heartbeat);
        }
        if self.pending.is_some() {
            next = next.min(ctx.now + PENDING_LOOK);
        }
        for due in [self.leaves, self.alerts_due()].into_iter().flatten() {
            next = next.min(due);
        }
        match &self.grant {
            None => next.min(auth_deadline(self.opened, limits.auth_timeout)),
            Some(grant) => {
                let notice = if self.expiry_told { 0 } else { nanos(EXPIRY_NOTICE) };
                let at = UnixNanos(grant.ends_at.0.saturating_sub(notice));
                next.min(ctx.now + Duration::from_nanos(at.since(ctx.wall)))
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
