//! The alerts of a session's subject: set, cleared, told.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use fanout::SymbolId;
use model::UnixNanos;
use wire::{Ack, Alert, AlertEntry, AlertField, AlertSet, Control, ErrorCode, RequestId};

use super::subscriptions::unknown;
use super::{Ctx, Session};
use crate::alerts::{self, Alerts, Bell, Owner, Told, TooMany};
use crate::limits::{ALERTS_APART, SUBJECT_ALERTS_MAX, TENANT_ALERTS_MAX};

/// A session that is told of alerts.
pub(super) struct Attention {
    alerts: Arc<Alerts>,
    owner: Owner,
    /// When the token ends.
    until: UnixNanos,
    bell: Arc<Bell>,
    /// What the client knows.
    edition: u64,
    told: Duration,
    /// It has rung, and the client was told a moment ago.
    owed: bool,
}

impl Session {
    pub(super) fn set_alert(&mut self, id: Option<RequestId>, set: AlertSet, ctx: &mut Ctx<'_>) {
        const OP: Option<&str> = Some("alert_set");
        let Some(grant) = &self.grant else { return };
        let Some(symbol) = ctx.fanout.symbol(set.symbol.as_str()) else {
            let message = unknown(&super::subscriptions::exact(&set.symbol), true, ctx).message;
            return self.refuse(id, OP, ErrorCode::UnknownSymbol, &message, None, ctx.now);
        };
        let channel = alerts::channel(set.field);
        let Some(twin) = grant.twin(&set.symbol, channel, &ctx.settings.delays) else {
            let message = format!("Your token does not cover {} on {channel}.", set.symbol);
            return self.refuse(id, OP, ErrorCode::Forbidden, &message, None, ctx.now);
        };
        let owner = Owner::of(grant);
        let symbol = ctx.fanout.twin(symbol, twin);
        let alert = set.alert.clone();
        self.attend(&owner, ctx);
        match ctx.alerts.set(&owner, set, symbol, ctx.wall) {
            Ok((beyond, sequence)) => self.ack(id, Ack::AlertSet { alert, beyond, sequence }),
            Err(too_many) => {
                let message = match too_many {
                    TooMany::Subject => {
                        format!("A subject may have {SUBJECT_ALERTS_MAX} alerts. Clear one first.")
                    }
                    TooMany::Tenant => {
                        format!("All subjects of a tenant may have {TENANT_ALERTS_MAX} alerts.")
                    }
                    TooMany::Server => "The server watches for as many alerts as it may.".to_owned(),
                };
                self.refuse(id, OP, ErrorCode::AlertLimit, &message, None, ctx.now);
            }
        }
    }

    pub(super) fn clear_alert(&mut self, id: Option<RequestId>, alert: String, ctx: &Ctx<'_>) {
        let Some(owner) = self.grant.as_ref().map(Owner::of) else { return };
        self.attend(&owner, ctx);
        if let Some(fired) = ctx.alerts.clear(&owner, &alert) {
            return self.ack(id, Ack::AlertClear { alert, fired });
        }
        let message = format!("Unknown alert {alert}. alert_list tells which there are.");
        self.refuse(id, Some("alert_clear"), ErrorCode::UnknownAlert, &message, None, ctx.now);
    }

    pub(super) fn list_alerts(&mut self, id: Option<RequestId>, ctx: &Ctx<'_>) {
        let Some(owner) = self.grant.as_ref().map(Owner::of) else { return };
        self.attend(&owner, ctx);
        let alerts = self.shown(ctx.alerts.list(&owner), ctx);
        self.ack(id, Ack::AlertList { alerts });
    }

    /// From its first request about alerts on, a session is told what happens.
    fn attend(&mut self, owner: &Owner, ctx: &Ctx<'_>) {
        if self.attention.is_none() {
            let (bell, until) = (Arc::new(Bell::default()), self.ends_at());
            let edition = ctx.alerts.attend(owner, until, &bell);
            let (alerts, owner, told) = (Arc::clone(ctx.alerts), owner.clone(), Duration::ZERO);
            self.attention =
                Some(Box::new(Attention { alerts, owner, until, bell, edition, told, owed: false }));
        }
    }

    /// Output: tells what has happened since the client was told last. Told of again at once, what crosses to and fro
    /// would be a flood: what happens meanwhile is counted.
    pub(crate) fn poll_alerts(&mut self, cx: &Context<'_>, ctx: &Ctx<'_>) {
        let Some(attention) = &mut self.attention else { return };
        attention.owed |= attention.bell.poll_heard(cx);
        if !attention.owed || ctx.now < attention.told + ALERTS_APART {
            return;
        }
        (attention.owed, attention.told) = (false, ctx.now);
        let (news, edition) = ctx.alerts.news(&attention.owner, attention.edition);
        attention.edition = edition;
        for entry in self.shown(news, ctx) {
            let ts_sent = ctx.wall.to_string();
            self.say(&Control::Alert(Box::new(Alert { entry, ts_sent })));
        }
    }

    /// Whether it is told of alerts.
    pub(crate) const fn attends(&self) -> bool {
        self.attention.is_some()
    }

    /// Output: when the client may be told of what it was not told yet.
    pub(super) fn alerts_due(&self) -> Option<Duration> {
        self.attention
            .as_ref()
            .filter(|attention| attention.owed)
            .map(|attention| attention.told + ALERTS_APART)
    }

    /// The session has another token.
    pub(super) fn renew_attention(&mut self) {
        let until = self.ends_at();
        if let Some(attention) = &mut self.attention {
            attention.until = until;
        }
    }

    fn ends_at(&self) -> UnixNanos {
        self.grant.as_ref().map_or(UnixNanos(0), |grant| grant.ends_at)
    }

    /// Those of some alerts whose streams the token gives.
    fn shown(&self, told: Vec<Told>, ctx: &Ctx<'_>) -> Vec<AlertEntry> {
        let shown = told.into_iter().filter(|told| self.covers(told.symbol, told.set.field, ctx));
        shown.map(Told::entry).collect()
    }

    /// Whether the token gives what an alert watches, as late as it does.
    fn covers(&self, symbol: SymbolId, field: AlertField, ctx: &Ctx<'_>) -> bool {
        let name = &ctx.fanout.instrument(symbol).symbol;
        let twin = self
            .grant
            .as_ref()
            .and_then(|grant| grant.twin(name, alerts::channel(field), &ctx.settings.delays));
        twin == Some(ctx.fanout.twin_number(symbol))
    }
}

/// A session that ends is told nothing any more.
impl Drop for Attention {
    fn drop(&mut self) {
        self.alerts.leave(&self.owner, self.until, &self.bell);
    }
}
