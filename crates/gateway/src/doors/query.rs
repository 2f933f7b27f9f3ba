//! A subscription as the query of a URL.
//!
//! `channels`, `symbols` and `fields` are lists with commas; `cursor` is the `resume` of a subscribe; all
//! else has the names and values that it has in a subscribe, `filter` as its JSON.

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value};
use wire::{ErrorCode, Request, RequestError};

use crate::problem::Problem;

/// The subscribe request that a URL asks for, and what is left of its query.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The request, as a client of the WebSocket would send it.
    pub(crate) request: Map<String, Value>,
    /// One-use ticket instead of a token.
    pub(crate) ticket: Option<String>,
    /// Long poll: how long to wait for news.
    pub(crate) wait_ms: Option<String>,
}

impl Wanted {
    /// Reads the query. `channel` stands for `channels`, as there is one where a state is asked for.
    ///
    /// # Errors
    /// A field comes twice, or the text is no query.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, Problem> {
        let pairs = pairs(uri)?;
        let mut wanted = Self { request: Map::new(), ticket: None, wait_ms: None };
        for (name, value) in pairs {
            let twice = match name.as_str() {
                "op" | "id" => {
                    return Err(bad(format!("A query has no \"{name}\": its path says what it asks for.")));
                }
                "rewind_ms" => {
                    return Err(
                        bad("Only a session at /v1/stream begins with what was recorded.".to_owned()),
                    );
                }
                "ticket" => wanted.ticket.replace(value).is_some(),
                "wait_ms" => wanted.wait_ms.replace(value).is_some(),
                "cursor" => wanted.set("resume", Value::String(value)),
                "channel" => wanted.set("channels", vec![value].into()),
                "channels" | "symbols" | "fields" => wanted.set(&name, listed(&value)),
                _ => wanted.set(&name, scalar(&name, value)?),
            };
            if twice {
                return Err(bad(format!("The query has \"{name}\" twice.")));
            }
        }
        wanted.set("op", "subscribe".into());
        Ok(wanted)
    }

    /// # Errors
    /// It says how long to wait, where nothing is waited for.
    pub(crate) fn has_no_wait(&self) -> Result<(), Problem> {
        match self.wait_ms {
            None => Ok(()),
            Some(_) => Err(bad("Only /v1/poll has \"wait_ms\".".to_owned())),
        }
    }

    /// Returns whether there was one already.
    fn set(&mut self, name: &str, value: Value) -> bool {
        self.request.insert(name.to_owned(), value).is_some()
    }

    /// The request as text, once it is known to be one.
    ///
    /// # Errors
    /// What the protocol says of such a request.
    pub(crate) fn checked(self) -> Result<String, Problem> {
        let text = Value::Object(self.request).to_string();
        match Request::parse(&text) {
            Ok(_) => Ok(text),
            // A query calls it otherwise.
            Err(RequestError { code, message, .. }) => {
                Err(Problem::of(code, message.replace("\"resume\"", "\"cursor\"")))
            }
        }
    }
}

/// The names and values of a query, in order.
///
/// # Errors
/// The text is no query.
pub(super) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let read = Query::<Vec<(String, String)>>::try_from_uri(uri);
    read.map(|Query(pairs)| pairs).map_err(|error| bad(format!("The query cannot be read: {error}.")))
}

pub(super) fn bad(detail: String) -> Problem {
    Problem::of(ErrorCode::InvalidRequest, detail)
}

fn listed(value: &str) -> Value {
    value.split(',').map(str::trim).filter(|one| !one.is_empty()).collect()
}

/// Numbers and flags as themselves, objects as their JSON, all else as text.
fn scalar(name: &str, value: String) -> Result<Value, Problem> {
    if value.starts_with('{') {
        return serde_json::from_str(&value)
            .map_err(|error| bad(format!("\"{name}\" is not JSON: {error}.")));
    }
    Ok(match serde_json::from_str(&value) {
        Ok(scalar @ (Value::Bool(_) | Value::Number(_))) => scalar,
        _ => Value::String(value),
    })
}
