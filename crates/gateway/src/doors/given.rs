//! The fields of a query, one by one: what is not known, or stands twice, is refused.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use axum::http::Uri;
use model::{Interval, Symbol, UnixNanos};
use wire::{Cursor, closest};

use super::query::{bad, pairs};
use crate::problem::Problem;

/// Fewer nanoseconds are a slip: seconds, or milliseconds, of our days.
pub(super) const NANOS_MIN: u64 = 100_000_000_000_000_000;
const TIME: &str = "a time, such as 2026-11-20T14:30:00Z or 1795185000000000000 (nanoseconds since 1970)";

/// The fields of a query that were not looked at yet.
pub(super) struct Given(BTreeMap<&'static str, String>);

impl Given {
    /// Those of a query that may have these.
    pub(super) fn of(uri: &Uri, known: &[&'static str]) -> Result<Self, Problem> {
        let known = || known.iter().copied();
        let mut given = BTreeMap::new();
        for (name, value) in pairs(uri)? {
            let Some(field) = known().find(|field| *field == name) else {
                let hint = closest(&name, known()).map(|near| format!(" Did you mean \"{near}\"?"));
                return Err(bad(format!("Unknown field \"{name}\".{}", hint.unwrap_or_default())));
            };
            if given.insert(field, value).is_some() {
                return Err(bad(format!("The query has \"{name}\" twice.")));
            }
        }
        Ok(Self(given))
    }

    /// The name of one that was not taken.
    pub(super) fn next(&self) -> Option<&'static str> {
        self.0.keys().next().copied()
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn required(&mut self, name: &str, wanted: &str) -> Result<String, Problem> {
        self.take(name).ok_or_else(|| bad(format!("Field \"{name}\" is missing; it must be {wanted}.")))
    }

    pub(super) fn symbol(&mut self) -> Result<Symbol, Problem> {
        let text = self.required("symbol", "the name of one symbol")?;
        Symbol::parse(&text).map_err(|error| bad(format!("Field \"symbol\": {error}. One at a time.")))
    }

    pub(super) fn interval(&mut self) -> Result<Option<Interval>, Problem> {
        let Some(text) = self.take("interval") else { return Ok(None) };
        let wanted = Interval::ALL.map(Interval::as_str).join(", ");
        text.parse().map(Some).map_err(|()| bad(format!("Field \"interval\" must be one of {wanted}.")))
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number
            .map(Some)
            .ok_or_else(|| bad(format!("Field \"{name}\" must be a whole number from {least} to {most}.")))
    }

    pub(super) fn time(&mut self, name: &str) -> Result<Option<UnixNanos>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let time = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.parse().ok().filter(|nanos| *nanos >= NANOS_MIN).map(UnixNanos)
        } else {
            UnixNanos::from_rfc3339(&text).ok()
        };
        time.map(Some).ok_or_else(|| bad(format!("Field \"{name}\" must be {TIME}.")))
    }

    pub(super) fn cursor(&mut self) -> Result<Option<Cursor>, Problem> {
        let Some(text) = self.take("cursor") else { return Ok(None) };
        let wanted = "a cursor, as it came in a message of this server";
        text.parse().map(Some).map_err(|_| bad(format!("Field \"cursor\" must be {wanted}.")))
    }
}
