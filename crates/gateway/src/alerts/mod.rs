//! Alerts: values that subjects have watched for them, whether or not they are connected.
//!
//! The hub shows every event to the [`Alerts`] as it is sequenced, before any shard has it; delayed ones when they are
//! due. They know the newest value of everything that can be watched, so that an alert begins with the one that it was
//! set at. It happens at the edge: the value before was not beyond its bound, and this one is; who sets one again that
//! was armed has the edge counted that nobody saw. Nothing is queued for
//! whoever is away: an alert counts how often it has happened and keeps the newest time, and a session asks for those
//! that have changed since it last did.

mod bell;
mod line;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fanout::{Event, SymbolId};
use model::{Channel, UnixNanos};
use rust_decimal::Decimal;
use wire::{AlertField, AlertSet};

use crate::auth::Grant;
use crate::limits::{ALERTS_MAX, GUEST_ALERTS_MAX, SUBJECT_ALERTS_MAX, TENANT_ALERTS_MAX};
use crate::metrics::{ALERTS, ALERTS_FIRED};
pub(crate) use bell::Bell;
use line::{Line, Moved, fields};
use told::Crossing;
pub(crate) use told::Told;

/// All alerts of a server.
#[derive(Debug, Default)]
pub(crate) struct Alerts(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    owners: HashMap<Owner, Owned>,
    kept: HashMap<Number, Kept>,
    /// By symbol: a line for each field.
    lines: Vec<[Line; AlertField::ALL.len()]>,
    /// How many all subjects of a tenant have.
    tenants: HashMap<Box<str>, usize>,
    /// How many guests have.
    of_guests: usize,
    next: Number,
}

/// Names an alert among all of them.
type Number = u64;

/// Whose alerts they are: a subject, of a tenant where the token names one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    tenant: Option<Box<str>>,
    subject: Box<str>,
    is_guest: bool,
}

impl Owner {
    pub(crate) fn of(grant: &Grant) -> Self {
        let (tenant, is_guest) = (grant.tenant.as_deref().map(Into::into), grant.is_guest());
        Self { tenant, subject: grant.subject.as_str().into(), is_guest }
    }
}

#[derive(Debug, Default)]
struct Owned {
    names: BTreeMap<Box<str>, Number>,
    /// Counts what has happened to them.
    edition: u64,
    /// Sessions that are to know.
    bells: Vec<Weak<Bell>>,
    /// When the newest token ends that was seen: a guest does not come back after that.
    until: UnixNanos,
}

#[derive(Debug)]
struct Kept {
    owner: Owner,
    set: AlertSet,
    symbol: SymbolId,
    fired: u64,
    last: Option<Crossing>,
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
    /// Watches for an alert, in the place of any of its name; whether the value is beyond already, and its place in its
    /// stream: what comes after it counts.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn set(
        &self,
        owner: &Owner,
        set: AlertSet,
        symbol: SymbolId,
        now: UnixNanos,
    ) -> Result<(bool, u64), TooMany> {
        let mut inner = self.lock();
        if inner.may(owner, &set.alert).is_err() {
            // Those who are gone for good make room.
            inner.forget_guests(now);
        }
        inner.may(owner, &set.alert)?;
        let number = inner.next;
        inner.next += 1;
        let line = inner.line(symbol, set.field);
        line.watch(set.bound, number);
        let (beyond, sequence) = (line.is_beyond(set.bound), line.sequence());
        let unseen = line.last().filter(|_| beyond && set.armed);
        let names = &mut inner.owners.entry(owner.clone()).or_default().names;
        if let Some(old) = names.insert(set.alert.as_str().into(), number) {
            inner.forget(old);
        }
        if let Some(tenant) = &owner.tenant {
            *inner.tenants.entry(tenant.clone()).or_default() += 1;
        }
        inner.of_guests += usize::from(owner.is_guest);
        let owner = owner.clone();
        inner.kept.insert(number, Kept { owner, set, symbol, fired: 0, last: None, edition: 0 });
        if let Some(crossing) = unseen {
            inner.fire(number, crossing);
        }
        inner.publish();
        Ok((beyond, sequence))
    }

    /// Watches for an alert no more; how often it has happened, where there was one.
    pub(crate) fn clear(&self, owner: &Owner, name: &str) -> Option<u64> {
        let mut inner = self.lock();
        let number = inner.owners.get_mut(owner)?.names.remove(name)?;
        let fired = inner.forget(number);
        inner.publish();
        fired
    }

    /// The owner's alerts, by name.
    pub(crate) fn list(&self, owner: &Owner) -> Vec<Told> {
        self.lock().told(owner, 0)
    }

    /// Has a session told of what happens from here on; the edition that it has.
    pub(crate) fn attend(&self, owner: &Owner, until: UnixNanos, bell: &Arc<Bell>) -> u64 {
        let mut inner = self.lock();
        let owned = inner.owners.entry(owner.clone()).or_default();
        owned.bells.push(Arc::downgrade(bell));
        owned.until = owned.until.max(until);
        owned.edition
    }

    /// What has happened since an edition, and the one that it is now.
    pub(crate) fn news(&self, owner: &Owner, since: u64) -> (Vec<Told>, u64) {
        let inner = self.lock();
        let edition = inner.owners.get(owner).map_or(since, |owned| owned.edition);
        (inner.told(owner, since + 1), edition)
    }

    /// A session ends, whose token was good until then: who has no alerts and no sessions is forgotten.
    pub(crate) fn leave(&self, owner: &Owner, until: UnixNanos, ended: &Arc<Bell>) {
        let mut inner = self.lock();
        let gone = inner.owners.get_mut(owner).is_some_and(|owned| {
            owned.until = owned.until.max(until);
            owned.bells.retain(|bell| !std::ptr::eq(bell.as_ptr(), Arc::as_ptr(ended)));
            owned.names.is_empty() && owned.bells.is_empty()
        });
        if gone {
            inner.owners.remove(owner);
        }
    }

    /// Input: these events were sequenced, in their order.
    pub(crate) fn look(&self, events: &[Arc<Event>]) {
        let mut inner = self.lock();
        for event in events {
            for (field, value) in fields(&event.body).into_iter().flatten() {
                inner.take(event, field, value);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether there is room for an alert of that name.
    fn may(&self, owner: &Owner, name: &str) -> Result<(), TooMany> {
        let held = self.owners.get(owner);
        if held.is_some_and(|owned| owned.names.contains_key(name)) {
            return Ok(());
        }
        if held.is_some_and(|owned| owned.names.len() >= SUBJECT_ALERTS_MAX) {
            return Err(TooMany::Subject);
        }
        let of_tenant = owner.tenant.as_ref().and_then(|tenant| self.tenants.get(tenant));
        if of_tenant.is_some_and(|count| *count >= TENANT_ALERTS_MAX) {
            return Err(TooMany::Tenant);
        }
        if self.kept.len() >= ALERTS_MAX || owner.is_guest && self.of_guests >= GUEST_ALERTS_MAX {
            return Err(TooMany::Server);
        }
        Ok(())
    }

    fn line(&mut self, symbol: SymbolId, field: AlertField) -> &mut Line {
        if self.lines.len() <= symbol.index() {
            self.lines.resize_with(symbol.index() + 1, Default::default);
        }
        &mut self.lines[symbol.index()][field as usize]
    }

    /// A value has come.
    fn take(&mut self, event: &Event, field: AlertField, value: Decimal) {
        let to = Crossing::of(event, value);
        let mut crossed = match self.line(event.topic.symbol, field).take(to) {
            Moved::Across(crossed) => crossed,
            Moved::First { mut beyond } => {
                beyond.retain(|number| self.kept.get(number).is_some_and(|kept| kept.set.armed));
                beyond
            }
        };
        // In the order in which they were set.
        crossed.sort_unstable();
        for number in crossed {
            self.fire(number, to);
        }
    }

    fn fire(&mut self, number: Number, crossing: Crossing) {
        let Some(kept) = self.kept.get_mut(&number) else { return };
        metrics::counter!(ALERTS_FIRED).increment(1);
        kept.fired += 1;
        kept.last = Some(crossing);
        if let Some(owned) = self.owners.get_mut(&kept.owner) {
            owned.edition += 1;
            kept.edition = owned.edition;
            owned.bells.iter().filter_map(Weak::upgrade).for_each(|bell| bell.ring());
        }
        if !kept.set.repeat {
            let (symbol, field, bound) = (kept.symbol, kept.set.field, kept.set.bound);
            self.line(symbol, field).unwatch(bound, number);
        }
    }

    fn forget(&mut self, number: Number) -> Option<u64> {
        let kept = self.kept.remove(&number)?;
        self.line(kept.symbol, kept.set.field).unwatch(kept.set.bound, number);
        self.of_guests -= usize::from(kept.owner.is_guest);
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

    /// Guests whose tokens have ended and who are not there do not come back: what they have is nobody's.
    fn forget_guests(&mut self, now: UnixNanos) {
        let gone = |owner: &Owner, owned: &Owned| {
            owner.is_guest && owned.until <= now && owned.bells.iter().all(|bell| bell.strong_count() == 0)
        };
        let numbers = self.owners.iter().filter(|(owner, owned)| gone(owner, owned));
        let numbers: Vec<_> = numbers.flat_map(|(_, owned)| owned.names.values().copied()).collect();
        self.owners.retain(|owner, owned| !gone(owner, owned));
        for number in numbers {
            self.forget(number);
        }
    }

    /// The owner's alerts that have happened in this edition or later, by name.
    fn told(&self, owner: &Owner, edition: u64) -> Vec<Told> {
        let Some(owned) = self.owners.get(owner) else { return Vec::new() };
        let kept = owned.names.values().filter_map(|number| self.kept.get(number));
        let kept = kept.filter(|kept| kept.edition >= edition);
        let told = kept.map(|kept| {
            let lines = self.lines.get(kept.symbol.index());
            let line = lines.map(|lines| &lines[kept.set.field as usize]);
            let is_beyond =
                line.filter(|line| line.last().is_some()).map(|line| line.is_beyond(kept.set.bound));
            Told { symbol: kept.symbol, set: kept.set.clone(), is_beyond, fired: kept.fired, last: kept.last }
        });
        told.collect()
    }

    fn publish(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!(ALERTS).set(self.kept.len() as f64);
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
