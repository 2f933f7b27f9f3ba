//! Recordings over plain HTTP: which there are, what one holds, its records as lines, and a book at any time.
//!
//! Reading waits for disks, so it is done by blocking tasks; a download is read piece by piece, as the client takes it.

mod lines;
mod told;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use fanout::Depth;
use model::{Channel, Instrument, Symbol, UnixNanos};
use store::{At, Recording, StoreError};
use tokio::task::spawn_blocking;
use wire::{
    BookNotes, Cursor, DEPTHS, Envelope, Epoch, ErrorCode, Stamp, Writer, close_data, closest, open_data,
};

use super::given::Given;
use super::query::bad;
use super::{admit_for, told as answered};
use crate::auth::{Bounds, Grant};
use crate::clock;
use crate::problem::Problem;
use crate::recordings::{Found, Missing};
use crate::routes::App;

/// What the doors of recordings may be asked.
pub(super) const LINES: [&str; 7] = ["ticket", "format", "from", "to", "channels", "symbols", "interval"];
/// What the door of books may be asked.
pub(super) const BOOK: [&str; 4] = ["ticket", "symbol", "at", "depth"];

pub(super) async fn all(State(app): State<Arc<App>>, request: Request) -> Response {
    answered(list(&app, &request.into_parts().0).await)
}

pub(super) async fn one(State(app): State<Arc<App>>, Path(name): Path<String>, request: Request) -> Response {
    answered(hold(&app, &name, &request.into_parts().0).await)
}

pub(super) async fn book(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    answered(book_at(&app, &name, &request.into_parts().0).await)
}

async fn list(app: &App, parts: &Parts) -> Result<Response, Problem> {
    let grant = admit(app, parts, &["ticket"]).await?.0;
    let recordings = app.recordings.clone();
    let list = blocking(move || told::list(&recordings)).await?;
    Ok(app.charge(&grant, app.room.respond(list)?))
}

async fn hold(app: &Arc<App>, name: &str, parts: &Parts) -> Result<Response, Problem> {
    let (grant, mut given) = admit(app, parts, &LINES).await?;
    let found = app.recordings.find(Some(name)).map_err(missing)?;
    match given.take("format").as_deref() {
        Some("ndjson") => lines::respond(app, grant, found, given).await,
        Some(other) => {
            let detail =
                format!("\"format\" must be \"ndjson\", not {other:?}; `tickwire convert` makes tables.");
            Err(bad(detail))
        }
        None => {
            if let Some(name) = given.next() {
                return Err(bad(format!("\"{name}\" is for records: ask with format=ndjson.")));
            }
            let whose = grant.clone();
            let told = blocking(move || told::one(&found, &whose)).await?.map_err(unreadable)?;
            Ok(app.charge(&grant, app.room.respond(told)?))
        }
    }
}

async fn book_at(app: &App, name: &str, parts: &Parts) -> Result<Response, Problem> {
    let (grant, mut given) = admit(app, parts, &BOOK).await?;
    let found = app.recordings.find(Some(name)).map_err(missing)?;
    let symbol = given.symbol()?;
    let at = given.time("at")?.unwrap_or(UnixNanos(u64::MAX));
    // As everywhere: clients know these depths of a book, and no others.
    let depth = match given
        .take("depth")
        .map(|text| text.parse().ok().filter(|levels| DEPTHS.contains(levels)))
    {
        None => Depth::Top(20),
        Some(Some(0)) => Depth::All,
        Some(Some(levels)) => Depth::Top(levels),
        Some(None) => return Err(bad("Field \"depth\" must be 1, 5, 10, 20, 50 or 0 for all.".to_owned())),
    };
    let wanted = Bounds { depth, ..Bounds::default() };
    let had = grant.narrow(&symbol, Channel::Book, wanted, &app.settings.delays).ok_or_else(|| {
        Problem::of(ErrorCode::Forbidden, format!("Your token does not cover the book of {symbol}."))
    })?;
    let delay = u64::try_from(had.delay.as_nanos()).unwrap_or(u64::MAX);
    let at = at.min(UnixNanos(clock::wall().0.saturating_sub(delay)));
    // Who has it in intervals has it at their ends.
    let step = u64::try_from(had.conflate.as_nanos()).unwrap_or(u64::MAX).max(1);
    let at = UnixNanos(at.0 / step * step);
    let whose = grant.clone();
    let state = blocking(move || snapshot(&found, &symbol, at, had.depth, &whose)).await??;
    Ok(app.charge(&grant, app.room.respond(state)?))
}

/// Who asks, and what is left of the query.
async fn admit(app: &App, parts: &Parts, known: &'static [&'static str]) -> Result<(Grant, Given), Problem> {
    let parse = |uri: &_| {
        let mut given = Given::of(uri, known)?;
        Ok((given.take("ticket"), given))
    };
    let (grant, given) = admit_for(app, parts, parse).await?;
    may_replay(&grant)?;
    Ok((grant, given))
}

/// Whether a token covers recordings at all.
pub(super) fn may_replay(grant: &Grant) -> Result<(), Problem> {
    if grant.may_replay() {
        return Ok(());
    }
    let detail = "Your token does not cover recordings: it lacks the scope replay.";
    Err(Problem::of(ErrorCode::Forbidden, detail))
}

/// Which symbol may have been meant, in words. What the token does not cover is not told.
pub(super) fn near(symbol: &Symbol, listed: &[Arc<Instrument>], channel: Channel, grant: &Grant) -> String {
    let seen = listed.iter().map(|known| &known.symbol);
    let seen = seen.filter(|known| grant.allows(known, channel)).map(Symbol::as_str);
    closest(symbol.as_str(), seen).map(|near| format!(" Did you mean {near}?")).unwrap_or_default()
}

/// The book of a symbol after all that was received at a time or before, as a message.
fn snapshot(
    found: &Found,
    symbol: &Symbol,
    at: UnixNanos,
    depth: Depth,
    grant: &Grant,
) -> Result<Vec<u8>, Problem> {
    let recording = Recording::open(&found.folder).map_err(unreadable)?;
    let mut damages = Vec::new();
    let (state, _) = recording.seek(At::Time(at), &mut damages).map_err(unreadable)?;
    let Some((book, newest)) = state.book(symbol) else {
        let instruments = state.instruments();
        let why = if instruments.iter().any(|known| known.symbol == *symbol) {
            "has no book then: none had come, or its updates were lost.".to_owned()
        } else {
            format!("is not in it then.{}", near(symbol, &instruments, Channel::Book, grant))
        };
        return Err(Problem::of(ErrorCode::UnknownSymbol, format!("{symbol} {why}")));
    };
    let (levels, shown) = match depth {
        Depth::Top(levels) => (levels, levels),
        Depth::All => (usize::MAX, 0),
    };
    let cursor = &Cursor { epoch: Epoch::of_replay("r0"), position: state.position() };
    let (kind, channel, replay, ts_sent) = ("snapshot", Channel::Book, Some("r0"), Some(clock::wall()));
    let mut out = Vec::new();
    open_data(&mut out, &Envelope { kind, channel, replay, cursor, as_of: None, ts_sent });
    let stamp = Stamp {
        symbol,
        seq: newest.seq,
        prev: newest.seq.prev(),
        ts_event: Some(newest.ts_event),
        ts_source: newest.ts_source,
        ts_seq: None,
        ts_recv: Some(newest.ts_recv),
    };
    let notes = BookNotes {
        snapshot: false,
        depth: Some(shown),
        checksum: Some(book.checksum(levels)),
        crossed: book.is_crossed(),
        locked: book.is_locked(),
    };
    Writer::new(&mut out).book(&stamp, &book.top(levels), notes);
    close_data(&mut out, &[]);
    Ok(out)
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let failed = |_| {
        Problem::of(ErrorCode::Internal, "The recording could not be read because of a fault of this server.")
    };
    spawn_blocking(work).await.map_err(failed)
}

pub(super) fn missing(Missing { code, message }: Missing) -> Problem {
    Problem::of(code, message)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err has it")]
pub(super) fn unreadable(error: StoreError) -> Problem {
    Problem::of(ErrorCode::Unavailable, "The recording does not read: its operator sees why.")
        .because(format!("a recording does not read: {error}"))
}
