//! The records of a recording as lines, read as they are taken.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use model::{Channel, Pattern};
use serde_json::json;
use tokio::task::spawn_blocking;
use wire::ErrorCode;

use super::super::given::Given;
use super::super::query::bad;
use super::{blocking, missing, unreadable};
use crate::auth::Grant;
use crate::clock;
use crate::limits::PATTERNS_MAX;
use crate::problem::Problem;
use crate::recordings::{Found, Playing};
use crate::replay::{self, Tape, WishKind, Wishes, before};
use crate::routes::App;

/// How soon there may be room for another one.
const RETRY: Duration = Duration::from_secs(5);

/// A download that goes on.
struct Download {
    app: Arc<App>,
    grant: Grant,
    tape: Box<Tape>,
    ended: bool,
    _playing: Playing,
}

/// Answers with the lines that are asked for, and may be seen.
pub(super) async fn respond(
    app: &Arc<App>,
    grant: Grant,
    found: Found,
    mut given: Given,
) -> Result<Response, Problem> {
    let channels = match given.take("channels") {
        None => Channel::ALL.to_vec(),
        Some(names) => names.split(',').map(channel).collect::<Result<_, _>>()?,
    };
    let symbols = given.take("symbols").unwrap_or_else(|| "*".to_owned());
    let symbols: Vec<_> = symbols
        .split(',')
        .map(Pattern::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("Field \"symbols\": {error}.")))?;
    if symbols.len() > PATTERNS_MAX {
        return Err(bad(format!("Field \"symbols\" has more than {PATTERNS_MAX} patterns.")));
    }
    let (from, to) = (given.time("from")?, given.time("to")?);
    let default = wire::Options::default();
    let options = wire::Options { interval: given.interval()?.unwrap_or(default.interval), ..default };
    let playing = app.recordings.play(&grant).map_err(|full| missing(full).retry_after(RETRY))?;
    let wishes = Arc::new(Wishes {
        channels,
        symbols,
        options,
        client: None,
        grant: grant.clone(),
        delays: app.settings.delays.clone(),
        most: usize::MAX,
        // Lines are records as they are: whoever may have less has a replay.
        kind: WishKind::Raw,
    });
    let wall = clock::wall();
    let open = move || Tape::open((&found.folder, found.is_running), wishes, from.map(before), to, wall);
    let opened = blocking(open).await?.map_err(unreadable)?;
    if let (true, Some(first)) = (opened.symbols.is_empty(), opened.rejected.first()) {
        return Err(Problem::of(first.code, first.message.clone()));
    }
    let app = Arc::clone(app);
    let download = Download { app, grant, tape: opened.tape, ended: false, _playing: playing };
    let mut response = Response::new(Body::from_stream(stream::try_unfold(download, piece)));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The next lines. No thread waits for a client that does not take them.
async fn piece(download: Download) -> Result<Option<(Bytes, Download)>, std::io::Error> {
    if download.ended {
        return Ok(None);
    }
    let read = move || {
        let mut download = download;
        let piece = download.tape.read();
        let mut out = Vec::new();
        for damage in &piece.damages {
            let told = json!({ "type": "damage", "message": replay::damage(damage) });
            out.extend_from_slice(told.to_string().as_bytes());
            out.push(b'\n');
        }
        for played in &piece.events {
            wire::line(&played.event.record, &mut out);
            out.push(b'\n');
        }
        download.ended = piece.ended;
        (Bytes::from(out), download)
    };
    let (bytes, download) = spawn_blocking(read).await.map_err(std::io::Error::other)?;
    let limits = download.app.settings.limits.now();
    download.app.rates.charge(&download.grant, &limits, bytes.len() as u64);
    Ok(Some((bytes, download)))
}

fn channel(name: &str) -> Result<Channel, Problem> {
    name.parse().map_err(|_| {
        let names = Channel::ALL.map(Channel::as_str);
        let hint = wire::closest(name, names).map(|near| format!(" Did you mean \"{near}\"?"));
        let detail = format!("Unknown channel \"{name}\".{}", hint.unwrap_or_default());
        Problem::of(ErrorCode::UnknownChannel, detail)
    })
}
