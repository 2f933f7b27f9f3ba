//! How often each subject may ask over plain HTTP, where every request is a session of its own, and how much it and its
//! tenant may be answered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wire::ErrorCode;

use crate::auth::Grant;
use crate::bucket::Bucket;
use crate::clock;
use crate::limits::SUBJECTS_KEPT;
use crate::metrics::BOUNDS;
use crate::problem::Problem;
use crate::settings::Limits;

/// What each subject has asked lately, and what it and each tenant were answered.
#[derive(Default)]
pub(crate) struct Rates(Mutex<Book>);

#[derive(Default)]
struct Book {
    subjects: HashMap<Box<str>, Account>,
    tenants: HashMap<Box<str>, Account>,
}

#[derive(Default)]
struct Account {
    requests: Bucket,
    /// When all bytes of answers have been paid for.
    paid: Duration,
}

impl Account {
    /// How long the next answer has to wait.
    fn debt(&self, now: Duration) -> Option<Duration> {
        Some(self.paid.saturating_sub(now)).filter(|debt| !debt.is_zero())
    }

    fn owes(&self, now: Duration) -> bool {
        self.requests.owes(now) || self.debt(now).is_some()
    }

    fn charge(&mut self, bytes: u64, per_second: u64, now: Duration) {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(per_second.max(1));
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.paid = self.paid.max(now).saturating_add(cost);
    }
}

impl Rates {
    /// Lets a request pass.
    ///
    /// # Errors
    /// The subject has had as many as it may, or it or its tenant was answered as much.
    pub(crate) fn pass(&self, grant: &Grant, limits: &Limits) -> Result<(), Problem> {
        let now = clock::now();
        let mut book = self.lock();
        let (subject, tenant) = (grant.party(), grant.tenant.as_deref());
        let of_subject = limits.subject_bytes_per_second.and(book.subjects.get(subject));
        let of_tenant = limits.tenant_bytes_per_second.and(tenant.and_then(|name| book.tenants.get(name)));
        let debts = [("subject_bytes_per_second", of_subject), ("tenant_bytes_per_second", of_tenant)];
        for (limit, account) in debts {
            if let Some(wait) = account.and_then(|account| account.debt(now)) {
                BOUNDS.count(limit);
                let whose =
                    if tenant.is_some() && limit.starts_with("tenant") { "your tenant" } else { subject };
                let detail = format!(
                    "The answers to {whose} came to more than they may. Wait {} ms.",
                    wait.as_millis()
                );
                return Err(Problem::of(ErrorCode::RateLimited, detail).retry_after(wait));
            }
        }
        if book.subjects.len() >= SUBJECTS_KEPT && !book.subjects.contains_key(subject) {
            // Whoever has paid for all is as good as new.
            book.subjects.retain(|_, account| account.owes(now));
        }
        let account = book.subjects.entry(subject.into()).or_default();
        match account.requests.take(limits.http_requests_per_second, now) {
            None => Ok(()),
            Some(wait) => {
                let detail = format!("Too many requests of {subject:?}. Wait {} ms.", wait.as_millis());
                Err(Problem::of(ErrorCode::RateLimited, detail).retry_after(wait))
            }
        }
    }

    /// So many bytes are the answer: the next one waits until they are paid for.
    pub(crate) fn charge(&self, grant: &Grant, limits: &Limits, bytes: u64) {
        let now = clock::now();
        let mut book = self.lock();
        if let Some(rate) = limits.subject_bytes_per_second {
            book.subjects.entry(grant.party().into()).or_default().charge(bytes, rate, now);
        }
        if let (Some(rate), Some(tenant)) = (limits.tenant_bytes_per_second, &grant.tenant) {
            if book.tenants.len() >= SUBJECTS_KEPT && !book.tenants.contains_key(tenant) {
                book.tenants.retain(|_, account| account.owes(now));
            }
            book.tenants.entry(tenant.clone()).or_default().charge(bytes, rate, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subject: &str, tenant: Option<&str>) -> Grant {
        Grant { tenant: tenant.map(Into::into), ..Grant::for_tests(subject) }
    }

    #[test]
    fn each_subject_has_its_own_rate() {
        let (rates, limits) =
            (Rates::default(), Limits { http_requests_per_second: 20, ..Limits::default() });
        let pass = |subject| rates.pass(&of(subject, None), &limits);
        let passed = |subject| (0..1_000).take_while(|_| pass(subject).is_ok()).count();
        assert!((40..60).contains(&passed("alice")));
        assert!((40..60).contains(&passed("bob")), "alice is no matter of his");
        let refused = pass("alice").unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.headers.len()), (429, 1));
    }

    #[test]
    fn an_answer_is_paid_for_before_the_next() {
        let rates = Rates::default();
        let (subject, tenant) = (Some(1_000), Some(10_000));
        let limits = Limits {
            subject_bytes_per_second: subject,
            tenant_bytes_per_second: tenant,
            ..Limits::default()
        };
        let pass =
            |subject, tenant| rates.pass(&of(subject, tenant), &limits).map_err(|refused| refused.detail);
        assert!(pass("alice", None).is_ok());
        rates.charge(&of("alice", None), &limits, 60_000);
        assert!(pass("alice", None).unwrap_err().starts_with("The answers to alice came to more"));
        assert!(pass("bob", Some("acme")).is_ok(), "she is of no tenant");
        rates.charge(&of("carol", Some("acme")), &limits, 60_000);
        assert!(
            pass("bob", Some("acme")).unwrap_err().starts_with("The answers to your tenant came to more")
        );
        assert!(pass("bob", None).is_ok());
        assert!(
            rates.pass(&of("alice", None), &Limits::default()).is_ok(),
            "without a bound nothing is owed"
        );
    }

    #[test]
    fn those_who_are_silent_are_forgotten() {
        let limits = Limits { http_requests_per_second: u32::MAX, ..Limits::default() };
        let rates = Rates::default();
        for n in 0..2 * SUBJECTS_KEPT {
            rates.pass(&of(&n.to_string(), None), &limits).unwrap();
        }
        assert!(rates.lock().subjects.len() <= SUBJECTS_KEPT);
    }
}
