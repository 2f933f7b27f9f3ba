//! Which symbols are the busiest: what would be too many labels for a metric.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use model::Symbol;
use serde::Deserialize;
use serde_json::json;
use wire::ErrorCode;

use super::{Admin, Operator, answer, look};
use crate::limits::REPORTS_MAX;
use crate::problem::Problem;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// So many of them.
    limit: usize,
    /// How long it is looked.
    seconds: f64,
}

impl Default for Asked {
    fn default() -> Self {
        Self { limit: 20, seconds: 1.0 }
    }
}

pub(super) async fn busiest(
    State(admin): State<Arc<Admin>>,
    _: Operator,
    uri: Uri,
) -> Result<Response, Problem> {
    let Asked { limit, seconds } = asked(&uri)?;
    let before: BTreeMap<_, _> = counts(&admin).await.into_iter().collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let mut counts = counts(&admin).await;
    let new = |(symbol, count): &(_, u64)| count - before.get(symbol).copied().unwrap_or(0);
    counts.sort_by_cached_key(|entry| (Reverse(new(entry)), entry.0.clone()));
    let symbols = counts.iter().take(limit).map(|entry| {
        let (symbol, events) = entry;
        #[expect(clippy::cast_precision_loss, reason = "a rate, to be looked at")]
        let rate = new(entry) as f64 / seconds;
        json!({ "symbol": symbol, "events": events, "events_per_second": (rate * 10.0).round() / 10.0 })
    });
    let symbols: Vec<_> = symbols.collect();
    Ok(answer(&json!({ "listed": counts.len(), "seconds": seconds, "symbols": symbols })))
}

/// How many events each symbol has had. Whoever sequences at the time is waited for, and nobody waits with us.
async fn counts(admin: &Admin) -> Vec<(Symbol, u64)> {
    let probe = admin.probe.clone();
    tokio::task::spawn_blocking(move || probe.counts()).await.unwrap_or_default()
}

fn asked(uri: &Uri) -> Result<Asked, Problem> {
    let bad = |detail| Problem::of(ErrorCode::InvalidRequest, detail);
    let Query(asked) = Query::<Asked>::try_from_uri(uri)
        .map_err(|error| bad(format!("The query cannot be read: {}.", error.body_text())))?;
    if !(1..=REPORTS_MAX).contains(&asked.limit) {
        return Err(bad(format!("\"limit\" must be from 1 to {REPORTS_MAX}.")));
    }
    look(asked.seconds)?;
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let ask = |query: &str| asked(&format!("/v1/symbols?{query}").parse().unwrap());
        let told = ask("limit=3&seconds=0.5").unwrap();
        assert_eq!((told.limit, told.seconds.to_string().as_str()), (3, "0.5"));
        for bad in ["limit=0", "limit=1001", "seconds=0", "seconds=NaN", "seconds=11", "top=3"] {
            assert_eq!(ask(bad).unwrap_err().code, "invalid_request", "{bad}");
        }
    }
}
