//! Whether a venue is to be reached from here: each of its addresses is tried once.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::timeout;

use super::LiveSpec;
use super::{http, socket, tls};

/// What came of an address: how long its answer took, or why there was none.
pub type Probed = (String, Result<Duration, String>);

/// Connects to every address of a live feed, and asks for one book where they come over REST.
///
/// # Errors
/// The feed cannot be had at all.
pub fn probe(live: &LiveSpec) -> Result<Vec<Probed>, String> {
    live.check().map_err(|error| error.to_string())?;
    let dialect = live.dialect().map_err(|error| error.to_string())?;
    let trust = tls::trust(live.ca.as_deref())?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let patience = live.timing.answer_after;
    let mut probed: Vec<Probed> = Vec::new();
    for route in dialect.routes(live) {
        // What is subscribed to does not matter here.
        let url = route.url.split('?').next().unwrap_or_default().to_owned();
        if probed.iter().any(|(known, _)| *known == url) {
            continue;
        }
        let began = Instant::now();
        let opened =
            runtime.block_on(async { timeout(patience, socket::open(&route.url, trust.clone())).await });
        let result = match opened {
            Ok(Ok(_)) => Ok(began.elapsed()),
            Ok(Err(why)) => Err(format!("{}: {}", why.reason, why.detail)),
            Err(_) => Err(format!("no answer in {} s", patience.as_secs_f32())),
        };
        probed.push((url, result));
    }
    if let Some(snapshot) = live.symbols.first().and_then(|symbol| dialect.snapshot(live, symbol)) {
        let began = Instant::now();
        let result = match runtime.block_on(http::get(&snapshot.url, trust, patience)) {
            Ok(answer) if answer.status == 200 => Ok(began.elapsed()),
            Ok(answer) => Err(format!("status {}", answer.status)),
            Err(reason) => Err(reason.replace('_', " ")),
        };
        probed.push((snapshot.url, result));
    }
    Ok(probed)
}
