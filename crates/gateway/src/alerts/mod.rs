//! Alerts: values that subjects have watched for them, whether or not they are connected.
//!
//! The hub shows every event to the [`Alerts`] as it is sequenced, delayed ones when they are due. An alert happens at
//! the edge: the value before was not beyond its bound, and this one is. Nothing is queued for whoever is away: an
//! alert counts how often it has happened and keeps the newest time, and a session asks for those that have changed
//! since it last did.

mod bell;
mod line;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fanout::{Event, SymbolId};
use model::Channel;
use rust_decimal::Decimal;
use wire::{AlertCrossing, AlertEntry, AlertField, AlertSet, AlertState, Bound};

use crate::auth::Grant;
use crate::limits::{ALERTS_MAX, SUBJECT_ALERTS_MAX, TENANT_ALERTS_MAX};
use crate::metrics::{ALERTS, ALERTS_FIRED};
pub(crate) use bell::Bell;
use line::{Line, fields};

/// All alerts of a server.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    /// Whether there are any: most servers have none at most times.
    any: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    owners: HashMap<Owner, Owned>,
    kept: HashMap<Number, Kept>,
    lines: HashMap<(SymbolId, AlertField), Line>,
    /// How many all subjects of a tenant have.
    tenants: HashMap<Box<str>, usize>,
    next: Number,
}

/// Names an alert among all of them.
type Number = u64;

/// Whose alerts they are: a subject, of a tenant where the token names one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    tenant: Option<Box<str>>,
    subject: Box<str>,
}

impl Owner {
    pub(crate) fn of(grant: &Grant) -> Self {
        Self { tenant: grant.tenant.as_deref().map(Into::into), subject: grant.subject.as_str().into() }
    }
}

#[derive(Debug, Default)]
struct Owned {
    names: BTreeMap<Box<str>, Number>,
    /// Counts what has happened to them.
    edition: u64,
    /// Sessions that are to know.
    bells: Vec<Weak<Bell>>,
}

#[derive(Debug)]
struct Kept {
    owner: Owner,
    set: AlertSet,
    symbol: SymbolId,
    fired: u64,
    last: Option<AlertCrossing>,
    /// The owner's edition when it last happened.
    edition: u64,
}

/// There are as many alerts as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    Subject,
    Tenant,
    Server,
}

impl Alerts {
    /// Watches for an alert, in the place of any of its name; whether the value is beyond already. `value` is the
    /// newest that the caller knows of.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn set(
        &self,
        owner: &Owner,
        set: AlertSet,
        symbol: SymbolId,
        value: Option<Decimal>,
    ) -> Result<bool, TooMany> {
        let mut inner = self.lock();
        let held = inner.owners.get(owner);
        let is_new = held.is_none_or(|owned| !owned.names.contains_key(set.alert.as_str()));
        if is_new && held.is_some_and(|owned| owned.names.len() >= SUBJECT_ALERTS_MAX) {
            return Err(TooMany::Subject);
        }
        if is_new && inner.of_tenant(owner) >= TENANT_ALERTS_MAX {
            return Err(TooMany::Tenant);
        }
        if is_new && inner.kept.len() >= ALERTS_MAX {
            return Err(TooMany::Server);
        }
        let number = inner.next;
        inner.next += 1;
        let line = inner.lines.entry((symbol, set.field)).or_insert_with(|| Line::new(value));
        line.watch(set.bound, number);
        let beyond = line.is_beyond(set.bound);
        let names = &mut inner.owners.entry(owner.clone()).or_default().names;
        if let Some(old) = names.insert(set.alert.as_str().into(), number) {
            inner.forget(old);
        }
        if let Some(tenant) = &owner.tenant {
            *inner.tenants.entry(tenant.clone()).or_default() += 1;
        }
        let owner = owner.clone();
        inner.kept.insert(number, Kept { owner, set, symbol, fired: 0, last: None, edition: 0 });
        self.count(&inner);
        Ok(beyond)
    }

    /// Watches for an alert no more; how often it has happened, where there was one.
    pub(crate) fn clear(&self, owner: &Owner, name: &str) -> Option<u64> {
        let mut inner = self.lock();
        let fired = inner.remove(owner, name);
        self.count(&inner);
        fired
    }

    /// The owner's alerts by name, as far as the caller covers what they watch.
    pub(crate) fn list(
        &self,
        owner: &Owner,
        covers: impl Fn(SymbolId, AlertField) -> bool,
    ) -> Vec<AlertEntry> {
        self.lock().entries(owner, 0, covers)
    }

    /// Has a session told of what happens from here on; the edition that it has.
    pub(crate) fn attend(&self, owner: &Owner, bell: &Arc<Bell>) -> u64 {
        let mut inner = self.lock();
        let owned = inner.owners.entry(owner.clone()).or_default();
        owned.bells.push(Arc::downgrade(bell));
        owned.edition
    }

    /// What has happened since an edition, and the one that it is now.
    pub(crate) fn news(
        &self,
        owner: &Owner,
        since: u64,
        covers: impl Fn(SymbolId, AlertField) -> bool,
    ) -> (Vec<AlertEntry>, u64) {
        let inner = self.lock();
        let edition = inner.owners.get(owner).map_or(since, |owned| owned.edition);
        (inner.entries(owner, since + 1, covers), edition)
    }

    /// A session ends: who has no alerts and no sessions is forgotten.
    pub(crate) fn leave(&self, owner: &Owner, ended: &Arc<Bell>) {
        let mut inner = self.lock();
        let gone = inner.owners.get_mut(owner).is_some_and(|owned| {
            owned.bells.retain(|bell| !std::ptr::eq(bell.as_ptr(), Arc::as_ptr(ended)));
            owned.names.is_empty() && owned.bells.is_empty()
        });
        if gone {
            inner.owners.remove(owner);
        }
    }

    /// Input: these events were sequenced, in their order.
    pub(crate) fn look(&self, events: &[Arc<Event>]) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let mut inner = self.lock();
        for event in events {
            for (field, value) in fields(&event.body).into_iter().flatten() {
                inner.take(event, field, value);
            }
        }
    }

    fn count(&self, inner: &Inner) {
        self.any.store(!inner.kept.is_empty(), Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!(ALERTS).set(inner.kept.len() as f64);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn of_tenant(&self, owner: &Owner) -> usize {
        owner.tenant.as_ref().and_then(|tenant| self.tenants.get(tenant)).copied().unwrap_or(0)
    }

    /// A value has come.
    fn take(&mut self, event: &Event, field: AlertField, value: Decimal) {
        let Some(line) = self.lines.get_mut(&(event.topic.symbol, field)) else { return };
        let mut crossed = line.take(value);
        // In the order in which they were set.
        crossed.sort_unstable();
        for number in crossed {
            self.fire(number, event, value);
        }
    }

    fn fire(&mut self, number: Number, event: &Event, value: Decimal) {
        let Some(kept) = self.kept.get_mut(&number) else { return };
        metrics::counter!(ALERTS_FIRED).increment(1);
        kept.fired += 1;
        kept.last = Some(AlertCrossing {
            value: value.to_string(),
            sequence: event.seq.0,
            ts_event: event.ts_event.to_string(),
            ts_recv: event.ts_recv.to_string(),
        });
        if let Some(owned) = self.owners.get_mut(&kept.owner) {
            owned.edition += 1;
            kept.edition = owned.edition;
            owned.bells.iter().filter_map(Weak::upgrade).for_each(|bell| bell.ring());
        }
        if !kept.set.repeat {
            let (key, bound) = ((kept.symbol, kept.set.field), kept.set.bound);
            self.unwatch(key, bound, number);
        }
    }

    fn remove(&mut self, owner: &Owner, name: &str) -> Option<u64> {
        let number = self.owners.get_mut(owner)?.names.remove(name)?;
        self.forget(number)
    }

    fn forget(&mut self, number: Number) -> Option<u64> {
        let kept = self.kept.remove(&number)?;
        self.unwatch((kept.symbol, kept.set.field), kept.set.bound, number);
        if let Some(tenant) = kept.owner.tenant
            && let Some(count) = self.tenants.get_mut(&tenant)
        {
            *count -= 1;
            if *count == 0 {
                self.tenants.remove(&tenant);
            }
        }
        Some(kept.fired)
    }

    fn unwatch(&mut self, key: (SymbolId, AlertField), bound: Bound, number: Number) {
        if let Some(line) = self.lines.get_mut(&key)
            && line.unwatch(bound, number)
        {
            self.lines.remove(&key);
        }
    }

    /// The owner's alerts that have happened in this edition or later, by name.
    fn entries(
        &self,
        owner: &Owner,
        edition: u64,
        covers: impl Fn(SymbolId, AlertField) -> bool,
    ) -> Vec<AlertEntry> {
        let Some(owned) = self.owners.get(owner) else { return Vec::new() };
        let kept = owned.names.values().filter_map(|number| self.kept.get(number));
        let kept = kept.filter(|kept| kept.edition >= edition && covers(kept.symbol, kept.set.field));
        kept.map(|kept| self.entry(kept)).collect()
    }

    fn entry(&self, kept: &Kept) -> AlertEntry {
        let AlertSet { alert, symbol, field, bound, repeat } = &kept.set;
        let line = self.lines.get(&(kept.symbol, *field));
        let state = match line {
            _ if kept.fired > 0 && !repeat => AlertState::Done,
            Some(line) if line.is_beyond(*bound) => AlertState::Beyond,
            _ => AlertState::Armed,
        };
        let (above, below) = match bound {
            Bound::Above(at) => (Some(at.to_string()), None),
            Bound::Below(at) => (None, Some(at.to_string())),
        };
        AlertEntry {
            alert: alert.clone(),
            symbol: symbol.to_string(),
            field: *field,
            above,
            below,
            repeat: *repeat,
            state,
            fired: kept.fired,
            last: kept.last.clone(),
        }
    }
}

/// The channel whose records have a field.
pub(crate) const fn channel(field: AlertField) -> Channel {
    match field {
        AlertField::LastPrice => Channel::Trades,
        AlertField::BidPrice | AlertField::AskPrice => Channel::Quotes,
        AlertField::ChangePercent => Channel::Ticker,
    }
}

/// The value of a field in a record of its channel.
pub(crate) fn value(event: &Event, field: AlertField) -> Option<Decimal> {
    fields(&event.body).into_iter().flatten().find(|(known, _)| *known == field).map(|(_, value)| value)
}
