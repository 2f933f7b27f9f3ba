//! How many sessions each subject and each tenant has, who goes when there is one too many, and what they share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::Grant;
use crate::metrics::BOUNDS;
use crate::settings::{Limits, Over};

/// All sessions, by whose they are. They are counted also where there is no bound: one may be set while they last.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    groups: Mutex<Groups>,
    /// Counts those who had to make room.
    edition: AtomicU32,
    /// Bytes a second for all sessions of a subject, and of a tenant; 0 = any number.
    subject_rate: AtomicU64,
    tenant_rate: AtomicU64,
}

#[derive(Debug, Default)]
struct Groups {
    subjects: HashMap<Box<str>, Subject>,
    tenants: HashMap<Box<str>, Arc<Group>>,
    /// The number of the next session.
    next: u64,
}

#[derive(Debug)]
struct Subject {
    group: Arc<Group>,
    /// Its sessions by number, the oldest first, and whether somebody else has the place.
    seats: BTreeMap<u64, Arc<AtomicBool>>,
}

/// Those who share something.
#[derive(Debug)]
struct Group {
    name: Box<str>,
    sessions: AtomicUsize,
    streams: AtomicUsize,
}

/// The place of a session among those of its subject and its tenant; free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u64,
    subject: Arc<Group>,
    tenant: Option<Arc<Group>>,
    /// Somebody else has it.
    lost: Arc<AtomicBool>,
    /// The session's part of its tenant's streams.
    streams: AtomicUsize,
    roster: Arc<Roster>,
}

/// There are as many sessions as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Of the subject.
    Subject(usize),
    /// Of the tenant.
    Tenant(usize),
}

impl Full {
    /// What a client is told.
    pub(crate) fn told(self, grant: &Grant) -> String {
        let (whose, most) = match self {
            Self::Subject(most) => (grant.subject.clone(), most),
            Self::Tenant(most) => (format!("Tenant {}", grant.tenant.as_deref().unwrap_or_default()), most),
        };
        format!("{whose} has as many sessions as it may: {most}. Close one of them.")
    }

    const fn limit(self) -> &'static str {
        match self {
            Self::Subject(_) => "subject_connections",
            Self::Tenant(_) => "tenant_connections",
        }
    }
}

impl Group {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), sessions: AtomicUsize::new(0), streams: AtomicUsize::new(0) })
    }

    /// An equal share of a rate; 0 = any number.
    fn share(&self, rate: u64) -> u64 {
        if rate == 0 {
            return 0;
        }
        (rate / self.sessions.load(Ordering::Relaxed).max(1) as u64).max(1)
    }
}

impl Roster {
    /// A place for one more session.
    ///
    /// # Errors
    /// There is none, and nobody makes room.
    pub(crate) fn take(self: &Arc<Self>, grant: &Grant, limits: &Limits) -> Result<Seat, Full> {
        let seat = self.try_take(grant, limits);
        if let Err(full) = &seat {
            BOUNDS.count(full.limit());
        }
        seat
    }

    fn try_take(self: &Arc<Self>, grant: &Grant, limits: &Limits) -> Result<Seat, Full> {
        let mut groups = self.lock();
        let name = grant.subject.as_str();
        let held = groups.subjects.get(name).map_or(0, |subject| subject.seats.len());
        let (most, over) = (limits.subject_connections, limits.subject_connections_over);
        if let Some(most) = most.filter(|most| held >= *most && over == Over::Refuse) {
            return Err(Full::Subject(most));
        }
        let tenant = grant.tenant.as_deref();
        let others = tenant.and_then(|name| groups.tenants.get(name));
        let others = others.map_or(0, |tenant| tenant.sessions.load(Ordering::Relaxed));
        // Who makes room is of the tenant, too, but has it until it has gone.
        if let (Some(_), Some(most)) = (tenant, limits.tenant_connections)
            && others >= most
        {
            return Err(Full::Tenant(most));
        }
        if most.is_some_and(|most| held >= most) {
            self.evict(&mut groups, name);
        }
        let number = groups.next;
        groups.next += 1;
        let tenant = tenant.map(|name| {
            let tenant = groups.tenants.entry(name.into()).or_insert_with(|| Group::new(name));
            tenant.sessions.fetch_add(1, Ordering::Relaxed);
            Arc::clone(tenant)
        });
        let subject = groups.subjects.entry(name.into());
        let subject = subject.or_insert_with(|| Subject { group: Group::new(name), seats: BTreeMap::new() });
        let lost = Arc::new(AtomicBool::new(false));
        subject.seats.insert(number, Arc::clone(&lost));
        subject.count();
        let (subject, streams) = (Arc::clone(&subject.group), AtomicUsize::new(0));
        Ok(Seat { number, subject, tenant, lost, streams, roster: Arc::clone(self) })
    }

    /// The oldest session of a subject makes room.
    fn evict(&self, groups: &mut Groups, name: &str) {
        let oldest = groups.subjects.get_mut(name).and_then(|subject| subject.seats.pop_first());
        if let Some((_, oldest)) = oldest {
            oldest.store(true, Ordering::Release);
            // After the mark: who sees the new edition sees that, too.
            self.edition.fetch_add(1, Ordering::Release);
        }
    }

    /// Another number when somebody has had to make room.
    pub(crate) fn edition(&self) -> u32 {
        self.edition.load(Ordering::Acquire)
    }

    /// What all sessions of a subject, and of a tenant, may be sent from now on.
    pub(crate) fn set_rates(&self, limits: &Limits) {
        self.subject_rate.store(limits.subject_bytes_per_second.unwrap_or(0), Ordering::Relaxed);
        self.tenant_rate.store(limits.tenant_bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// Whether there is anything to share.
    pub(crate) fn has_rates(&self) -> bool {
        self.subject_rate.load(Ordering::Relaxed) != 0 || self.tenant_rate.load(Ordering::Relaxed) != 0
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subject {
    fn count(&self) {
        self.group.sessions.store(self.seats.len(), Ordering::Relaxed);
    }
}

impl Seat {
    /// Whether somebody else has it.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// The bytes a second that the session may be sent: an equal share of what its subject and its tenant may; 0 = any
    /// number. The bound that it is of comes with it.
    pub(crate) fn share(&self) -> (u64, &'static str) {
        let subject = self.subject.share(self.roster.subject_rate.load(Ordering::Relaxed));
        let rate = self.roster.tenant_rate.load(Ordering::Relaxed);
        let tenant = self.tenant.as_ref().map_or(0, |tenant| tenant.share(rate));
        if tenant != 0 && (subject == 0 || tenant < subject) {
            (tenant, "tenant_bytes_per_second")
        } else {
            (subject, "subject_bytes_per_second")
        }
    }

    /// Counts streams that the session is about to have; false where its tenant would have more than `most`.
    pub(crate) fn reserve(&self, streams: usize, most: Option<usize>) -> bool {
        let Some(tenant) = &self.tenant else { return true };
        let most = most.unwrap_or(usize::MAX);
        let more = |held: usize| held.checked_add(streams).filter(|sum| *sum <= most);
        let fits = tenant.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if fits {
            self.streams.fetch_add(streams, Ordering::Relaxed);
        } else {
            BOUNDS.count("tenant_subscriptions");
        }
        fits
    }

    /// The session has so many streams now, whatever it was about to have.
    pub(crate) fn settle(&self, streams: usize) {
        let Some(tenant) = &self.tenant else { return };
        let before = self.streams.swap(streams, Ordering::Relaxed);
        tenant.streams.fetch_add(streams.wrapping_sub(before), Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.settle(0);
        let mut groups = self.roster.lock();
        if let Some(subject) = groups.subjects.get_mut(&self.subject.name) {
            subject.seats.remove(&self.number);
            subject.count();
            if subject.seats.is_empty() {
                groups.subjects.remove(&self.subject.name);
            }
        }
        if let Some(tenant) = &self.tenant
            && tenant.sessions.fetch_sub(1, Ordering::Relaxed) == 1
        {
            groups.tenants.remove(&tenant.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subject: &str, tenant: Option<&str>) -> Grant {
        Grant { tenant: tenant.map(Into::into), ..Grant::for_tests(subject) }
    }

    fn limits(most: usize, over: Over) -> Limits {
        Limits { subject_connections: Some(most), subject_connections_over: over, ..Limits::default() }
    }

    #[test]
    fn each_subject_has_its_own_places() {
        let (roster, two) = (Arc::new(Roster::default()), limits(2, Over::Refuse));
        let take = |subject| roster.take(&of(subject, None), &two);
        let (one, _other) = (take("alice").unwrap(), take("alice").unwrap());
        assert_eq!(take("alice").unwrap_err(), Full::Subject(2));
        let bob = take("bob").unwrap();
        drop(one);
        let third = take("alice").unwrap();
        assert_eq!(take("alice").unwrap_err(), Full::Subject(2));
        assert!(!third.is_lost());
        drop(bob);
        assert_eq!(roster.lock().subjects.len(), 1, "who has no session is not kept");
        assert_eq!(roster.edition(), 0);
        // Without a bound they are counted all the same.
        let more = roster.take(&of("alice", None), &Limits::default()).unwrap();
        drop(third);
        assert_eq!(take("alice").unwrap_err(), Full::Subject(2));
        drop(more);
    }

    #[test]
    fn the_oldest_makes_room() {
        let (roster, two) = (Arc::new(Roster::default()), limits(2, Over::Evict));
        let take = || roster.take(&of("alice", None), &two).unwrap();
        let (one, other, third) = (take(), take(), take());
        assert_eq!([&one, &other, &third].map(Seat::is_lost), [true, false, false]);
        assert_eq!(roster.edition(), 1);
        drop(one);
        assert_eq!(roster.lock().subjects["alice"].seats.len(), 2, "its place was another's by then");
        let fourth = take();
        assert_eq!([&other, &third, &fourth].map(Seat::is_lost), [true, false, false]);
    }

    #[test]
    fn a_tenant_is_all_of_its_subjects() {
        let roster = Arc::new(Roster::default());
        let three = Limits { tenant_connections: Some(3), ..Limits::default() };
        let take = |subject, tenant| roster.take(&of(subject, tenant), &three);
        let seats = ["alice", "bob", "bob"].map(|subject| take(subject, Some("acme")).unwrap());
        assert_eq!(take("carol", Some("acme")).unwrap_err(), Full::Tenant(3));
        let others = [take("carol", Some("other")).unwrap(), take("carol", None).unwrap()];
        let told = Full::Tenant(3).told(&of("carol", Some("acme")));
        assert_eq!(told, "Tenant acme has as many sessions as it may: 3. Close one of them.");
        drop(seats);
        take("carol", Some("acme")).unwrap();
        drop(others);
        assert!(roster.lock().tenants.is_empty() && roster.lock().subjects.is_empty());
    }

    #[test]
    fn streams_are_the_tenants() {
        let roster = Arc::new(Roster::default());
        let take = |subject| roster.take(&of(subject, Some("acme")), &Limits::default()).unwrap();
        let (one, other) = (take("alice"), take("bob"));
        assert!(one.reserve(6, Some(10)) && !other.reserve(5, Some(10)) && other.reserve(4, Some(10)));
        // Not all of them came to be.
        one.settle(2);
        assert!(other.reserve(4, Some(10)) && !other.reserve(1, Some(10)));
        drop(other);
        assert!(one.reserve(8, Some(10)) && !one.reserve(1, Some(10)));
        let nobodys = roster.take(&of("alice", None), &Limits::default()).unwrap();
        assert!(nobodys.reserve(99, Some(10)), "without a tenant there is no bound of one");
    }

    #[test]
    fn a_rate_is_shared_by_all_who_are_there() {
        let roster = Arc::new(Roster::default());
        let take = |subject, tenant| roster.take(&of(subject, tenant), &Limits::default()).unwrap();
        let (one, other) = (take("alice", Some("acme")), take("alice", None));
        assert_eq!((one.share().0, roster.has_rates()), (0, false));
        let (subject, tenant) = (Some(1_000), Some(900));
        let limits = Limits {
            subject_bytes_per_second: subject,
            tenant_bytes_per_second: tenant,
            ..Limits::default()
        };
        roster.set_rates(&limits);
        assert_eq!([one.share().0, other.share().0], [500, 500]);
        let third = take("bob", Some("acme"));
        assert_eq!(third.share(), (450, "tenant_bytes_per_second"));
        assert_eq!((one.share().0, other.share()), (450, (500, "subject_bytes_per_second")));
        drop(other);
        assert_eq!(one.share().0, 450);
        drop(one);
        assert_eq!(third.share().0, 900);
    }
}
