//! Tickets: what a page puts into a URL instead of a token, where it can set no header.
//!
//! A ticket is good for one connection and a short while, so that whoever finds it in a log has nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wire::ErrorCode;

use crate::auth::Grant;
use crate::clock;
use crate::limits::{SUBJECT_TICKETS_MAX, TICKET_LIFE, TICKETS_MAX};
use crate::problem::Problem;
use crate::secret::secret;

/// Tickets that were issued and not used.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<Box<str>, Ticket>>);

struct Ticket {
    grant: Grant,
    until: Duration,
}

impl Tickets {
    /// A ticket for whoever has this grant.
    ///
    /// # Errors
    /// More are waiting to be used than are kept, of all or of this subject.
    pub(crate) fn issue(&self, grant: Grant) -> Result<Response, Problem> {
        let now = clock::now();
        let secret = secret()
            .map_err(|_| Problem::of(ErrorCode::Unavailable, "The system has no random numbers to give."))?;
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_subject = |tickets: &HashMap<_, Ticket>| {
            tickets.values().filter(|ticket| ticket.grant.party() == grant.party()).count()
        };
        // Others have room whatever guests do.
        let most = if grant.is_guest() { TICKETS_MAX / 2 } else { TICKETS_MAX };
        let full = |tickets: &HashMap<_, Ticket>| {
            tickets.len() >= most || of_subject(tickets) >= SUBJECT_TICKETS_MAX
        };
        if full(&tickets) {
            tickets.retain(|_, ticket| ticket.until > now);
        }
        if full(&tickets) {
            let detail = "Too many tickets wait to be used. Use those that you have, or try again soon.";
            return Err(Problem::of(ErrorCode::RateLimited, detail).retry_after(TICKET_LIFE));
        }
        let body = json!({ "ticket": secret, "expires_in_ms": millis(TICKET_LIFE) });
        tickets.insert(secret.into(), Ticket { grant, until: now + TICKET_LIFE });
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Ok((StatusCode::CREATED, headers, body.to_string()).into_response())
    }

    /// Uses a ticket up. Who comes second with it has none, and no ticket outlives the token that it
    /// stands for.
    ///
    /// # Errors
    /// It was used, is too old, or never was one.
    pub(crate) fn take(&self, ticket: &str) -> Result<Grant, Problem> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket);
        let good = taken.filter(|ticket| ticket.until > clock::now() && ticket.grant.ends_at > clock::wall());
        good.map(|ticket| ticket.grant).ok_or_else(|| {
            let detail = "The ticket was used, or is too old. Get a new one from POST /v1/tickets.";
            Problem::of(ErrorCode::TokenInvalid, detail)
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(subject: &str) -> Grant {
        Grant::for_tests(subject)
    }

    fn text(tickets: &Tickets) -> String {
        tickets.0.lock().unwrap().keys().next().unwrap().to_string()
    }

    fn grow_old(tickets: &Tickets, count: usize) {
        tickets.0.lock().unwrap().values_mut().take(count).for_each(|ticket| ticket.until = clock::now());
    }

    #[test]
    fn a_ticket_is_good_once_and_a_while() {
        let tickets = Tickets::default();
        tickets.issue(grant("alice")).unwrap();
        let ticket = text(&tickets);
        assert_eq!(ticket.len(), 32);
        assert_eq!(tickets.take(&ticket).unwrap().subject, "alice");
        assert_eq!(tickets.take(&ticket).unwrap_err().status, StatusCode::UNAUTHORIZED);
        tickets.issue(grant("bob")).unwrap();
        let ticket = text(&tickets);
        grow_old(&tickets, 1);
        assert_eq!(tickets.take(&ticket).unwrap_err().code, "token_invalid");
    }

    #[test]
    fn a_ticket_ends_with_its_token() {
        let tickets = Tickets::default();
        tickets.issue(Grant { ends_at: clock::wall(), ..grant("alice") }).unwrap();
        assert_eq!(tickets.take(&text(&tickets)).unwrap_err().code, "token_invalid");
    }

    #[test]
    fn only_so_many_wait_and_old_ones_make_room() {
        let tickets = Tickets::default();
        for _ in 0..SUBJECT_TICKETS_MAX {
            tickets.issue(grant("alice")).unwrap();
        }
        let refused = tickets.issue(grant("alice")).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code), (429, "rate_limited"));
        tickets.issue(grant("bob")).unwrap();
        grow_old(&tickets, TICKETS_MAX);
        tickets.issue(grant("alice")).unwrap();
        for n in 1..TICKETS_MAX {
            tickets.issue(grant(&n.to_string())).unwrap();
        }
        assert_eq!(tickets.issue(grant("carol")).unwrap_err().status.as_u16(), 429);
        grow_old(&tickets, 1);
        tickets.issue(grant("carol")).unwrap();
    }
}
