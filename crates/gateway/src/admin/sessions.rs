//! Who is there, and what an operator does about it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use wire::ErrorCode;

use super::{Admin, Operator, answer, look};
use crate::limits::{REPORTS, REPORTS_MAX};
use crate::problem::{HttpCode, Problem};
use crate::shard::{Change, Order, Report, Sort, Tallies, Wanted};

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
    let (mut wanted, seconds) = asked(&uri)?;
    if let Some(seconds) = seconds {
        let before = ask(&admin, |reply| Order::Tally { wanted: wanted.clone(), reply }).await;
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        let before: Tallies = before.into_iter().flatten().collect();
        wanted.since = Some((Arc::new(before), began.elapsed().as_secs_f64()));
    }
    let told = ask(&admin, |reply| Order::List { wanted: wanted.clone(), reply }).await;
    let total: usize = told.iter().map(|(count, _)| count).sum();
    let mut sessions: Vec<_> = told.into_iter().flat_map(|(_, reports)| reports).collect();
    sessions.sort_unstable_by(|one, other| one.place.cmp(&other.place));
    sessions.truncate(wanted.most);
    let more = total > sessions.len() && wanted.sort == Sort::Session;
    let next = sessions.last().filter(|_| more).map(|last| last.session.clone());
    Ok(answer(&json!({ "total": total, "sessions": sessions, "next": next })))
}

/// What all shards reply that go on.
async fn ask<T>(admin: &Admin, order: impl Fn(oneshot::Sender<T>) -> Order) -> Vec<T> {
    let mut replies = Vec::new();
    for shard in &admin.shards {
        let (reply, replied) = oneshot::channel();
        if shard.send(order(reply)).await.is_ok()
            && let Ok(reply) = replied.await
        {
            replies.push(reply);
        }
    }
    replies
}

/// Which sessions are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    subject: Option<String>,
    find: Option<String>,
    #[serde(default)]
    after: String,
    #[serde(default)]
    sort: Sort,
    limit: Option<usize>,
    /// How long it is looked what they are sent.
    seconds: Option<f64>,
}

fn asked(uri: &Uri) -> Result<(Wanted, Option<f64>), Problem> {
    let bad = |detail| Problem::of(ErrorCode::InvalidRequest, detail);
    let Query(Asked { subject, find, after, sort, limit, seconds }) = Query::try_from_uri(uri)
        .map_err(|error| bad(format!("The query cannot be read: {}.", error.body_text())))?;
    let most = limit.unwrap_or(REPORTS);
    if !(1..=REPORTS_MAX).contains(&most) {
        return Err(bad(format!("\"limit\" must be from 1 to {REPORTS_MAX}.")));
    }
    if sort != Sort::Session && !after.is_empty() {
        return Err(
            bad("\"after\" goes through sessions by name, and does not go with \"sort\".".to_owned()),
        );
    }
    if let Some(seconds) = seconds {
        look(seconds)?;
    }
    let find = find.map(|find| find.to_lowercase());
    Ok((Wanted { subject, find, after, sort, most, since: None }, seconds))
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
    let (name, request_id) = (&operator.name, operator.request_id());
    tracing::info!(operator = name, request_id, session, bytes_per_second, trace, "session changed");
    one(&admin, session, Change { ceiling: bytes_per_second, trace, kick: false }).await
}

pub(super) async fn kick(
    State(admin): State<Arc<Admin>>,
    operator: Operator,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let request_id = operator.request_id();
    tracing::info!(operator = operator.name, request_id, session, "session kicked");
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
        let ask = |query: &str| asked(&format!("/v1/sessions?{query}").parse().unwrap());
        let (told, seconds) = ask("subject=al%20ice&after=00ff&limit=7").unwrap();
        assert_eq!((told.subject.as_deref(), &*told.after, told.most), (Some("al ice"), "00ff", 7));
        assert_eq!((told.sort, seconds), (Sort::Session, None));
        let (told, seconds) = ask("sort=lag&seconds=0.5&find=Bob").unwrap();
        assert_eq!((told.sort, told.find.as_deref(), seconds), (Sort::Lag, Some("bob"), Some(0.5)));
        assert_eq!(told.most, REPORTS);
        for bad in [
            "limit=0",
            "limit=x",
            "limit=1001",
            "user=alice",
            "sort=name",
            "seconds=0",
            "seconds=11",
            "seconds=NaN",
            "sort=lag&after=00ff",
        ] {
            assert_eq!(ask(bad).unwrap_err().code, "invalid_request", "{bad}");
        }
    }
}
