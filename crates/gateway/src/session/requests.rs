//! What each request does, but for subscriptions.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Channel;
use serde_json::json;
use wire::{
    Ack, CloseCode, Control, ErrorCode, Lag, LedgerEntry, Op, Pong, Request, RequestId, SubscriptionEntry,
};

use super::reply::{entry, millis, op_name};
use super::{Ctx, Session};
use crate::auth::{AuthError, Grant};
use crate::limits::BAD_TOKENS_MAX;
use crate::metrics::ASKED;

impl Session {
    pub(super) fn handle(&mut self, request: Request, ctx: &mut Ctx<'_>) {
        let Request { id, op } = request;
        ASKED.count(op_name(&op));
        if self.grant.is_none() && !matches!(op, Op::Auth(_) | Op::Echo { .. } | Op::Ping { .. }) {
            let message = "Send auth with a token first.";
            return self.refuse(id, Some(op_name(&op)), ErrorCode::Unauthenticated, message, None, ctx.now);
        }
        match op {
            Op::Auth(auth) => self.authenticate(id, &auth.token, ctx),
            Op::Subscribe(subscribe) => self.subscribe_in_time(id, *subscribe, ctx),
            Op::Unsubscribe(unsubscribe) => self.unsubscribe(id, &unsubscribe, ctx),
            Op::Pause(request) => self.pause(id, &request, true, ctx),
            Op::Unpause(request) => self.pause(id, &request, false, ctx),
            Op::Pace(pace) => {
                self.take_share(ctx);
                self.set_pace(id, pace, ctx.now);
            }
            Op::Credit { flushes } => self.add_credit(id, flushes, ctx.now),
            Op::ReplayOpen(open) => self.open_replay(id, *open, ctx),
            Op::Replay { replay, change } => self.change_replay(id, &replay, change, ctx),
            Op::AlertSet(set) => self.set_alert(id, *set, ctx),
            Op::AlertClear { alert } => self.clear_alert(id, alert, ctx),
            Op::AlertList => self.list_alerts(id, ctx),
            Op::List => self.list(id, ctx),
            Op::Ledger => self.account(id, ctx),
            Op::Ping { ts } => {
                let (ts_recv, ts_sent) = (ctx.wall.to_string(), crate::clock::wall().to_string());
                self.say(&Control::Pong(Pong { id, ts, ts_recv, ts_sent }));
            }
            Op::Echo { payload } => self.control.push_back(wire::Echo::to_json(id.as_ref(), &payload)),
        }
    }

    /// Lets the session in or goes on with it, as the token was found to be.
    pub(super) fn judge(
        &mut self,
        id: Option<RequestId>,
        checked: Result<Grant, AuthError>,
        ctx: &mut Ctx<'_>,
    ) {
        let known = self.grant.as_ref().map(|grant| (grant.subject.clone(), grant.tenant.clone()));
        let grant = match (checked, known) {
            (Ok(grant), Some((subject, tenant))) if subject == grant.subject && tenant != grant.tenant => {
                let message = "This session belongs to another tenant. Connect anew for this one.";
                return self.refuse_token(id, ErrorCode::TokenInvalid, message, ctx);
            }
            (Ok(grant), Some((subject, _))) if subject != grant.subject => {
                let message = format!("This session belongs to {subject}. Connect anew for another subject.");
                return self.refuse_token(id, ErrorCode::TokenInvalid, &message, ctx);
            }
            (Ok(grant), _) => grant,
            (Err(error @ AuthError::Expired(_)), _) => {
                let message = format!("{}. Get a new one and send auth again.", sentence(&error));
                return self.refuse_token(id, ErrorCode::TokenExpired, &message, ctx);
            }
            (Err(error @ AuthError::Pending(wait)), _) => {
                let message = format!("{}. Send auth again.", sentence(&error));
                let details = Some(json!({ "retry_after_ms": millis(wait) }));
                return self.refuse(id, Some("auth"), ErrorCode::Unavailable, &message, details, ctx.now);
            }
            (Err(error @ AuthError::Revoked), _) => {
                let message = format!("{}. Get a new one and send auth again.", sentence(&error));
                return self.refuse_token(id, ErrorCode::TokenRevoked, &message, ctx);
            }
            (Err(error), _) => {
                return self.refuse_token(
                    id,
                    ErrorCode::TokenInvalid,
                    &format!("{}.", sentence(&error)),
                    ctx,
                );
            }
        };
        if self.grant.is_none() {
            match ctx.roster.take(&grant, &ctx.settings.limits.now()) {
                Ok(seat) => self.seat = Some(seat),
                Err(full) => {
                    let message = full.told(&grant);
                    return self.fail(ErrorCode::ConnectionLimit, &message, None);
                }
            }
        }
        let ack = Ack::Auth {
            subject: grant.subject.clone(),
            scopes: grant.scopes.iter().map(ToString::to_string).collect(),
            expires_at: grant.expires_at.to_string(),
        };
        self.ack(id, ack);
        if let Some(troubles) = &mut self.troubles {
            troubles.bad_tokens = 0;
        }
        self.expiry_told = false;
        self.end_what_is_not_covered(&grant, ctx);
        if self.grant.as_ref().is_some_and(|held| held.scopes != grant.scopes) {
            self.end_replays("The new token has other scopes. Open the replay again.");
        }
        self.grant = Some(grant);
        self.renew_attention();
        self.change_delays(ctx);
        self.narrow_what_is_held(ctx);
        self.settle_streams(ctx);
    }

    /// A new token may give less of what it still covers.
    fn narrow_what_is_held(&self, ctx: &mut Ctx<'_>) {
        for (topic, held) in ctx.fanout.wanted(self.id) {
            let options = self.within(topic, held.clone(), ctx);
            if (options.depth, options.conflate) != (held.depth, held.conflate) {
                // Another depth brings the book anew by itself.
                let _ = ctx.fanout.subscribe(self.id, topic, fanout::Options { snapshot: false, ..options });
            }
        }
    }

    fn refuse_token(&mut self, id: Option<RequestId>, code: ErrorCode, message: &str, ctx: &Ctx<'_>) {
        self.refuse(id, Some("auth"), code, message, None, ctx.now);
        let troubles = self.troubles.get_or_insert_default();
        troubles.bad_tokens += 1;
        if troubles.bad_tokens >= BAD_TOKENS_MAX {
            self.close(CloseCode::Token, code.as_str());
        }
    }

    /// A new token may cover less than the one before.
    fn end_what_is_not_covered(&mut self, grant: &Grant, ctx: &mut Ctx<'_>) {
        let mut ended = BTreeMap::<_, Vec<_>>::new();
        for (topic, _) in ctx.fanout.subscriptions(self.id) {
            let channel = topic.stream.channel();
            let symbol = &ctx.fanout.instrument(topic.symbol).symbol;
            if grant.twin(symbol, channel, &ctx.settings.delays).is_none()
                && let Some(ledger) = ctx.fanout.unsubscribe(self.id, topic)
            {
                ended.entry(channel).or_default().push(entry(&ledger, ctx));
            }
        }
        if ended.is_empty() {
            return;
        }
        let names = ended.values().flatten().map(|entry| format!("{} of {}", entry.channel, entry.symbol));
        let names = names.collect::<Vec<_>>().join(", ");
        let message = format!("The new token does not cover what was subscribed; ended: {names}.");
        self.refuse(None, Some("auth"), ErrorCode::Forbidden, &message, None, ctx.now);
        self.say_ended(ended);
    }

    /// Subscriptions ended that nobody asked to end.
    pub(super) fn say_ended(&mut self, ended: BTreeMap<Channel, Vec<LedgerEntry>>) {
        for (channel, ledger) in ended {
            let mut symbols: Vec<_> = ledger.iter().map(|entry| entry.symbol.clone()).collect();
            symbols.dedup();
            let channels = vec![channel.to_string()];
            self.ack(None, Ack::Unsubscribe { channels, symbols, rejected: Vec::new(), ledger });
        }
    }

    fn set_pace(&mut self, id: Option<RequestId>, wanted: wire::Pace, now: Duration) {
        let pace = &mut self.pace;
        if let Some(bytes_per_second) = wanted.bytes_per_second {
            pace.set_rate(bytes_per_second, now);
        }
        if let Some(adaptive) = wanted.adaptive {
            pace.set_adaptive(adaptive);
        }
        if let Some(credit) = wanted.credit {
            pace.set_credit(credit);
        }
        let (bytes_per_second, adaptive) = (pace.bytes_per_second(), pace.is_adaptive());
        let credit = pace.credit().is_some();
        self.ack(id, Ack::Pace { bytes_per_second, adaptive, credit });
    }

    fn add_credit(&mut self, id: Option<RequestId>, flushes: u32, now: Duration) {
        if let Some(flushes) = self.pace.add_credit(flushes) {
            return self.ack(id, Ack::Credit { flushes });
        }
        let message = "This session needs no credit. Send pace with \"credit\": true first.";
        self.refuse(id, Some("credit"), ErrorCode::InvalidRequest, message, None, now);
    }

    fn list(&mut self, id: Option<RequestId>, ctx: &Ctx<'_>) {
        let mut groups = BTreeMap::<_, (SubscriptionEntry, Vec<String>)>::new();
        for (topic, options) in ctx.fanout.subscriptions(self.id) {
            let (channel, interval) = (topic.stream.channel(), topic.stream.interval());
            let paused = ctx.fanout.is_paused(self.id, topic);
            let entry = super::options::entry(topic.stream, ctx.delay_of(topic), &options, paused);
            let key = serde_json::to_string(&entry).unwrap_or_default();
            let symbol = ctx.fanout.instrument(topic.symbol).symbol.to_string();
            groups.entry((channel, interval, key)).or_insert_with(|| (entry, Vec::new())).1.push(symbol);
        }
        let entries = groups.into_values().map(|(entry, mut symbols)| {
            symbols.sort_unstable();
            SubscriptionEntry { symbols, ..entry }
        });
        let subscriptions = entries.collect();
        self.ack(id, Ack::List { subscriptions });
    }

    fn account(&mut self, id: Option<RequestId>, ctx: &Ctx<'_>) {
        let lag = ctx.fanout.lag(self.id, ctx.now);
        let mode = if lag.coalescing { "coalescing" } else { "keeping_up" };
        let ack = Ack::Ledger {
            subscriptions: self.ledger(ctx),
            lag: Lag {
                oldest_pending_ms: lag.oldest_pending_ms,
                source_lag_ms: lag.source_lag_ms,
                mode: mode.to_owned(),
            },
        };
        self.ack(id, ack);
    }
}

/// An error's text as the beginning of a sentence.
fn sentence(error: &AuthError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How long a session that never shows a token is borne with.
pub(super) const fn auth_deadline(opened: Duration, timeout: Duration) -> Duration {
    opened.saturating_add(timeout)
}
