//! How many connections each address has, and how often it tries.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wire::ErrorCode;

use crate::bucket::Bucket;
use crate::clock;
use crate::limits::{ADDRESSES_KEPT, CONNECTION_RETRY};
use crate::problem::Problem;
use crate::settings::Limits;

/// The addresses that connections come from. Empty where nothing is bounded by them.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    visitors: HashMap<IpAddr, Visitor>,
    /// With so many, those are looked for who need not be kept.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Visitor {
    open: usize,
    attempts: Bucket,
}

/// A connection of an address; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    from: IpAddr,
    visitors: Arc<Visitors>,
}

/// Why a connection of an address is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwelcome {
    /// It has as many as it may.
    Connections,
    /// It tries too often; how long it should wait.
    Attempts(Duration),
}

impl Unwelcome {
    /// The word for it in the metrics.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Connections => "address_limit",
            Self::Attempts(_) => "attempt_limit",
        }
    }

    /// What a client is told.
    pub(crate) fn problem(self) -> Problem {
        let (code, detail, wait) = match self {
            Self::Connections => {
                let detail = "Your address has as many connections as it may. Close one of them.";
                (ErrorCode::ConnectionLimit, detail, CONNECTION_RETRY)
            }
            Self::Attempts(wait) => {
                let detail = "Your address connects too often. Wait a little longer between attempts.";
                (ErrorCode::RateLimited, detail, wait)
            }
        };
        Problem::too_many(code, detail).retry_after(wait)
    }
}

impl Visitors {
    /// Lets a connection in; none is counted where nothing is bounded.
    ///
    /// # Errors
    /// The address has too many, or tries too often.
    pub(crate) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        limits: &Limits,
        now: Duration,
    ) -> Result<Option<Visit>, Unwelcome> {
        let (most, rate) = (limits.address_connections, limits.address_attempts_per_second);
        if most.is_none() && rate.is_none() {
            return Ok(None);
        }
        let from = network(address);
        let mut book = self.lock();
        if book.visitors.len() >= book.sweep_at.max(ADDRESSES_KEPT) {
            book.visitors.retain(|_, visitor| visitor.is_of_note(now));
            // Not again before there are twice as many: whoever is there may stay.
            book.sweep_at = 2 * book.visitors.len();
        }
        let visitor = book.visitors.entry(from).or_default();
        if let Some(wait) = rate.and_then(|rate| visitor.attempts.take(rate, now)) {
            return Err(Unwelcome::Attempts(wait));
        }
        if most.is_some_and(|most| visitor.open >= most) {
            return Err(Unwelcome::Connections);
        }
        visitor.open += 1;
        Ok(Some(Visit { from, visitors: Arc::clone(self) }))
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    /// Whoever has nothing open and has paid for all is as good as new.
    fn is_of_note(&self, now: Duration) -> bool {
        self.open > 0 || self.attempts.owes(now)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut book = self.visitors.lock();
        if let Some(visitor) = book.visitors.get_mut(&self.from) {
            visitor.open = visitor.open.saturating_sub(1);
            if !visitor.is_of_note(clock::now()) {
                book.visitors.remove(&self.from);
            }
        }
    }
}

/// What counts as one address: of IPv6 the 64 bits that a household is given
/// ([RFC 6177](https://www.rfc-editor.org/rfc/rfc6177)), since the other half is anybody's to choose.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn limits(connections: Option<usize>, attempts: Option<u32>) -> Limits {
        let (address_connections, address_attempts_per_second) = (connections, attempts);
        Limits { address_connections, address_attempts_per_second, ..Limits::default() }
    }

    #[test]
    fn an_address_has_its_connections() {
        let (visitors, two) = (Arc::new(Visitors::default()), limits(Some(2), None));
        let enter = |from: &str| visitors.enter(from.parse().unwrap(), &two, NOW);
        let (one, _two) = (enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap());
        assert_eq!(enter("192.0.2.1").unwrap_err(), Unwelcome::Connections);
        assert!(enter("192.0.2.2").is_ok());
        drop(one);
        assert!(enter("192.0.2.1").is_ok());
        // A household is one.
        let (_three, _four) = (enter("2001:db8::1").unwrap(), enter("2001:db8::2:0:0:1").unwrap());
        assert_eq!(enter("2001:db8::3").unwrap_err(), Unwelcome::Connections);
        assert!(enter("2001:db8:0:1::1").is_ok());
        let free = visitors.enter("192.0.2.1".parse().unwrap(), &Limits::default(), NOW);
        assert!(free.unwrap().is_none(), "without a bound");
    }

    #[test]
    fn an_address_has_its_attempts() {
        let (visitors, ten) = (Arc::new(Visitors::default()), limits(None, Some(10)));
        let enter = |from: &str, now| visitors.enter(from.parse().unwrap(), &ten, now);
        assert_eq!((0..100).take_while(|_| enter("192.0.2.1", NOW).is_ok()).count(), 20);
        assert_eq!(enter("192.0.2.1", NOW).unwrap_err(), Unwelcome::Attempts(Duration::from_millis(100)));
        assert!(enter("192.0.2.2", NOW).is_ok());
        assert!(enter("192.0.2.1", NOW + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn those_who_are_gone_are_forgotten() {
        let (visitors, ten) = (Arc::new(Visitors::default()), limits(None, Some(1_000_000)));
        for n in 0..2 * u32::try_from(ADDRESSES_KEPT).unwrap() {
            let now = NOW + Duration::from_secs(n.into());
            visitors.enter(IpAddr::from(n.to_be_bytes()), &ten, now).unwrap();
        }
        assert!(visitors.lock().visitors.len() <= ADDRESSES_KEPT);
    }
}
