//! Tickets: what a page puts into a URL instead of a token, where it can set no header.
//!
//! A ticket is good for one connection and a short while, so that whoever finds it in a log has nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::Grant;
use crate::clock;
use crate::handshake::unauthorized;
use crate::limits::{TICKET_LIFE, TICKETS_MAX};
use crate::problem::Problem;

/// Tickets that were issued and not used.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<Box<str>, (Grant, Duration)>>);

impl Tickets {
    /// A ticket for whoever has this grant.
    ///
    /// # Errors
    /// More are waiting to be used than are kept.
    pub(crate) fn issue(&self, grant: Grant) -> Result<Response, Problem> {
        let now = clock::now();
        let ticket = secret()?;
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() >= TICKETS_MAX {
            tickets.retain(|_, (_, until)| *until > now);
        }
        if tickets.len() >= TICKETS_MAX {
            let detail = "Too many tickets wait to be used. Try again soon.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
            return Err(problem.header(header::RETRY_AFTER, "30"));
        }
        let body = json!({ "ticket": ticket, "expires_in_ms": millis(TICKET_LIFE) });
        tickets.insert(ticket.into(), (grant, now + TICKET_LIFE));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Ok((StatusCode::CREATED, headers, body.to_string()).into_response())
    }

    /// Uses a ticket up. Who comes second with it has none.
    ///
    /// # Errors
    /// It was used, is too old, or never was one.
    pub(crate) fn take(&self, ticket: &str) -> Result<Grant, Problem> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket);
        let good = taken.filter(|(_, until)| *until > clock::now());
        good.map(|(grant, _)| grant).ok_or_else(|| {
            unauthorized(
                "token_invalid",
                "The ticket was used, or is too old. Get a new one from POST /v1/tickets.",
            )
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// 128 bits that nobody guesses, as text.
fn secret() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The system has no random numbers to give.",
        )
    })?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use model::UnixNanos;

    use super::*;

    fn grant(subject: &str) -> Grant {
        let far = UnixNanos(u64::MAX);
        Grant { subject: subject.to_owned(), scopes: Vec::new(), expires_at: far, ends_at: far }
    }

    #[test]
    fn a_ticket_is_good_once_and_a_while() {
        let tickets = Tickets::default();
        let text = |tickets: &Tickets| tickets.0.lock().unwrap().keys().next().unwrap().to_string();
        tickets.issue(grant("alice")).unwrap();
        let ticket = text(&tickets);
        assert_eq!(ticket.len(), 32);
        assert_eq!(tickets.take(&ticket).unwrap().subject, "alice");
        assert_eq!(tickets.take(&ticket).unwrap_err().status, StatusCode::UNAUTHORIZED);
        tickets.issue(grant("bob")).unwrap();
        let ticket = text(&tickets);
        tickets.0.lock().unwrap().values_mut().for_each(|(_, until)| *until = clock::now());
        assert_eq!(tickets.take(&ticket).unwrap_err().code, "token_invalid");
    }

    #[test]
    fn only_so_many_wait_and_old_ones_make_room() {
        let tickets = Tickets::default();
        for _ in 0..TICKETS_MAX {
            tickets.issue(grant("alice")).unwrap();
        }
        assert_eq!(tickets.issue(grant("alice")).unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        tickets.0.lock().unwrap().values_mut().take(1).for_each(|(_, until)| *until = clock::now());
        tickets.issue(grant("alice")).unwrap();
    }
}
