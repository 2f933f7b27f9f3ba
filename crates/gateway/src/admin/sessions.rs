//! Who is there, and what an operator does about it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use wire::ErrorCode;

use super::{Admin, Operator, answer};
use crate::limits::{REPORTS, REPORTS_MAX};
use crate::problem::{HttpCode, Problem};
use crate::shard::{Change, Order, Report, Wanted};

/// What may be changed of a session.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    bytes_per_second: Option<u64>,
    trace: Option<bool>,
}

pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    _: Operator,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut wanted = wanted(&uri)?;
    let most = wanted.most;
    // One more tells whether there are more.
    wanted.most += 1;
    let mut sessions = Vec::new();
    for shard in &admin.shards {
        let (reply, replied) = oneshot::channel();
        let order = Order::List { wanted: wanted.clone(), reply };
        if shard.send(order).await.is_ok() {
            sessions.extend(replied.await.unwrap_or_default());
        }
    }
    sessions.sort_unstable_by(|one, other| one.session.cmp(&other.session));
    let more = sessions.len() > most;
    sessions.truncate(most);
    let next = sessions.last().filter(|_| more).map(|last| last.session.clone());
    Ok(answer(&json!({ "sessions": sessions, "next": next })))
}

/// Which sessions are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    subject: Option<String>,
    #[serde(default)]
    after: String,
    limit: Option<usize>,
}

fn wanted(uri: &Uri) -> Result<Wanted, Problem> {
    let bad = |detail| Problem::of(ErrorCode::InvalidRequest, detail);
    let Query(Asked { subject, after, limit }) = Query::try_from_uri(uri)
        .map_err(|error| bad(format!("The query cannot be read: {}.", error.body_text())))?;
    let most = limit.unwrap_or(REPORTS);
    if !(1..=REPORTS_MAX).contains(&most) {
        return Err(bad(format!("\"limit\" must be from 1 to {REPORTS_MAX}.")));
    }
    Ok(Wanted { subject, after, most })
}

pub(super) async fn show(
    State(admin): State<Arc<Admin>>,
    _: Operator,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    one(&admin, session, Change::default()).await
}

pub(super) async fn change(
    State(admin): State<Arc<Admin>>,
    operator: Operator,
    Path(session): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Patch { bytes_per_second, trace } = serde_json::from_slice(&body).map_err(|error| {
        Problem::of(ErrorCode::InvalidRequest, format!("The body is no such change: {error}."))
    })?;
    tracing::info!(operator = operator.0, session, bytes_per_second, trace, "session changed");
    one(&admin, session, Change { ceiling: bytes_per_second, trace, kick: false }).await
}

pub(super) async fn kick(
    State(admin): State<Arc<Admin>>,
    operator: Operator,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    tracing::info!(operator = operator.0, session, "session kicked");
    one(&admin, session, Change { kick: true, ..Change::default() }).await
}

/// A session, after something has been done about it.
async fn one(admin: &Admin, session: String, change: Change) -> Result<Response, Problem> {
    for shard in &admin.shards {
        let (reply, replied) = oneshot::channel::<Option<Report>>();
        let order = Order::One { session: session.clone(), change, reply };
        if shard.send(order).await.is_ok()
            && let Ok(Some(report)) = replied.await
        {
            return Ok(answer(&report));
        }
    }
    Err(Problem::http(HttpCode::NotFound, "There is no such session (any more)."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let ask = |query: &str| wanted(&format!("/v1/sessions?{query}").parse().unwrap());
        let asked = ask("subject=al%20ice&after=00ff&limit=7").unwrap();
        assert_eq!((asked.subject.as_deref(), &*asked.after, asked.most), (Some("al ice"), "00ff", 7));
        assert_eq!(ask("").unwrap().most, REPORTS);
        for bad in ["limit=0", "limit=x", "limit=1001", "user=alice"] {
            assert_eq!(ask(bad).unwrap_err().code, "invalid_request", "{bad}");
        }
    }
}
