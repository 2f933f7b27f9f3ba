//! Answers: control messages, refusals, and what repeated refusals lead to.

use std::time::Duration;

use fanout::{Fanout, Ledger};
use serde_json::{Value, json};
use wire::{CloseCode, Control, ErrorCode, ErrorMessage, LedgerEntry, Op, RequestError, RequestId};

use super::{Ctx, Session};
use crate::limits::{OFFENCE_WINDOW, OFFENCES_MAX, RATE_REFUSALS_MAX};
use crate::metrics::ERRORS;

impl Session {
    pub(super) fn say(&mut self, message: &Control) {
        self.control.push_back(message.to_json());
    }

    pub(super) fn ack(&mut self, id: Option<RequestId>, ack: wire::Ack) {
        self.say(&Control::Ack { id, ack });
    }

    /// An error that refuses a request. Too many of them end the session.
    pub(super) fn refuse(
        &mut self,
        id: Option<RequestId>,
        op: Option<&str>,
        code: ErrorCode,
        message: &str,
        details: Option<Value>,
        now: Duration,
    ) {
        ERRORS.count(code.as_str());
        let (op, message, retryable) = (op.map(str::to_owned), message.to_owned(), code.retryable());
        self.say(&Control::Error(Box::new(ErrorMessage { id, op, code, message, retryable, details })));
        let Some(close) = code.close() else { return };
        let offences = &mut self.troubles.get_or_insert_default().offences;
        offences.push_back(now);
        while offences.front().is_some_and(|&at| at + OFFENCE_WINDOW < now) {
            offences.pop_front();
        }
        if offences.len() >= OFFENCES_MAX {
            self.close(close, code.as_str());
        }
    }

    pub(super) fn refuse_request(&mut self, error: RequestError, now: Duration) {
        self.refuse(error.id, error.op.as_deref(), error.code, &error.message, error.details, now);
    }

    pub(super) fn refuse_rate(&mut self, id: Option<RequestId>, op: &Op, wait: Duration) {
        ERRORS.count(ErrorCode::RateLimited.as_str());
        let wait = millis(wait).max(1);
        let message = format!("Too many requests. Wait {wait} ms.");
        let error = ErrorMessage {
            id,
            op: Some(op_name(op).to_owned()),
            code: ErrorCode::RateLimited,
            message,
            retryable: true,
            details: Some(json!({ "retry_after_ms": wait })),
        };
        self.say(&Control::Error(Box::new(error)));
        let troubles = self.troubles.get_or_insert_default();
        troubles.rate_refusals += 1;
        if troubles.rate_refusals >= RATE_REFUSALS_MAX {
            self.close(CloseCode::RateLimited, ErrorCode::RateLimited.as_str());
        }
    }

    /// An error that ends the session.
    pub(super) fn fail(&mut self, code: ErrorCode, message: &str, details: Option<Value>) {
        ERRORS.count(code.as_str());
        let (message, retryable) = (message.to_owned(), code.retryable());
        let error = ErrorMessage { id: None, op: None, code, message, retryable, details };
        self.say(&Control::Error(Box::new(error)));
        self.close(code.close().unwrap_or(CloseCode::Normal), code.as_str());
    }

    pub(crate) fn ledger(&self, ctx: &Ctx<'_>) -> Vec<LedgerEntry> {
        ctx.fanout.ledgers(self.id).iter().map(|ledger| entry(ledger, ctx)).collect()
    }
}

pub(super) fn entry(ledger: &Ledger, ctx: &Ctx<'_>) -> LedgerEntry {
    entry_of(ledger, ctx.fanout)
}

pub(super) fn entry_of(ledger: &Ledger, fanout: &Fanout) -> LedgerEntry {
    LedgerEntry {
        channel: ledger.topic.stream.channel().to_string(),
        symbol: fanout.instrument(ledger.topic.symbol).symbol.to_string(),
        interval: ledger.topic.stream.interval().map(|interval| interval.to_string()),
        published: ledger.published,
        delivered: ledger.delivered,
        coalesced: ledger.coalesced,
        skipped: ledger.skipped,
        pending: ledger.pending,
        last_sequence: ledger.last_sequence.0,
    }
}

pub(super) const fn op_name(op: &Op) -> &'static str {
    match op {
        Op::Auth(_) => "auth",
        Op::Subscribe(_) => "subscribe",
        Op::Unsubscribe(_) => "unsubscribe",
        Op::Pause(_) => "pause",
        Op::Unpause(_) => "unpause",
        Op::Pace(_) => "pace",
        Op::Credit { .. } => "credit",
        Op::List => "list",
        Op::Ledger => "ledger",
        Op::ReplayOpen(_) => "replay_open",
        Op::Replay { change, .. } => change.op(),
        Op::AlertSet(_) => "alert_set",
        Op::AlertClear { .. } => "alert_clear",
        Op::AlertList => "alert_list",
        Op::Ping { .. } => "ping",
        Op::Echo { .. } => "echo",
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
