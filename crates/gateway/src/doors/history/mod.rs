//! The past of a stream, page by page: what the logs keep of it, and exactly what they do not.
//!
//! A page is read in pieces: a shard hands out some events at a time and serves its sessions in between. What becomes
//! of them is no matter of the shard.

mod asked;
mod page;
mod recorded;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use fanout::Depth;
use model::Channel;
use tokio::sync::oneshot;
use tokio::time::timeout;
use wire::ErrorCode;

use super::answer::late;
use super::{admit_for, leaving, told};
use crate::auth::{Bounds, Grant};
use crate::limits::STATE_TIMEOUT;
use crate::problem::Problem;
use crate::routes::App;
use crate::shard::{Piece, Read, Reading};
use asked::Asked;
use page::Page;

#[cfg(test)]
pub(super) use asked::FIELDS;

const HISTORY: &str = "/v1/history";
const CANDLES: &str = "/v1/candles";

pub(super) async fn records(State(app): State<Arc<App>>, request: Request) -> Response {
    told(answer(&app, &request.into_parts().0, HISTORY, None).await)
}

pub(super) async fn candles(State(app): State<Arc<App>>, request: Request) -> Response {
    told(answer(&app, &request.into_parts().0, CANDLES, Some(Channel::Candles)).await)
}

async fn answer(
    app: &App,
    parts: &Parts,
    path: &'static str,
    channel: Option<Channel>,
) -> Result<Response, Problem> {
    let (grant, asked) = admit_for(app, parts, |uri| Asked::parse(uri, path, channel)).await?;
    if let Some(name) = asked.recording.clone() {
        return recorded::respond(app, &grant, asked, &name).await;
    }
    let twin = entitle(app, &grant, &asked)?;
    let mut page = Page::new(&asked);
    let filled = timeout(STATE_TIMEOUT, async {
        loop {
            let reading =
                read(app, &asked, twin, page.piece()).await?.ok_or_else(|| unlisted(app, &grant, &asked))?;
            if !page.take(reading) {
                return Ok(());
            }
        }
    });
    filled.await.unwrap_or_else(|_| Err(late()))?;
    let body = page
        .finish()
        .map_err(|_| Problem::of(ErrorCode::Internal, "A bug of ours: a page cannot be written."))?;
    Ok(app.charge(&grant, app.room.respond(body)?))
}

/// Asks the shard for a piece. Pages of one symbol are all of one shard, so that none is of an earlier moment than the
/// one before it. `None` where there is no such symbol.
async fn read(app: &App, asked: &Asked, twin: usize, piece: Piece) -> Result<Option<Reading>, Problem> {
    let (reply, replied) = oneshot::channel();
    let home = asked.symbol.as_str().bytes().map(usize::from).sum::<usize>() % app.reads.len();
    let read = Read { symbol: asked.symbol.clone(), stream: asked.stream, twin, piece, reply };
    app.reads[home].send(read).await.map_err(|_| leaving())?;
    replied.await.map_err(|_| leaving())
}

/// Which twin of the symbol the token gives, where it covers the stream and all of its records: nobody gets more, or
/// sooner, by asking later.
fn entitle(app: &App, grant: &Grant, asked: &Asked) -> Result<usize, Problem> {
    let (symbol, channel) = (&asked.symbol, asked.channel());
    let forbidden = |detail| Err(Problem::of(ErrorCode::Forbidden, detail));
    // No book is asked for: how deep a scope goes does not matter, and the least bounded one counts.
    let wanted = Bounds { depth: Depth::Top(1), ..Bounds::default() };
    let Some(mut had) = grant.narrow(symbol, channel, wanted, &app.settings.delays) else {
        if app.catalogue.find(symbol, grant, channel).is_err() {
            return Err(unlisted(app, grant, asked));
        }
        return forbidden(match grant.delay(symbol, channel) {
            Some(_) => {
                format!("Your token covers {symbol} on {channel} with a longer delay than there is here.")
            }
            None => format!("Your token does not cover {symbol} on {channel}."),
        });
    };
    let twin = app.settings.delays.twin(had.delay).unwrap_or(0);
    had.delay = wanted.delay;
    if matches!(channel, Channel::Candles | Channel::Status) {
        // Closed bars and states are held back for nobody.
        had.conflate = Duration::ZERO;
    }
    if had != wanted {
        let detail = format!(
            "Your token bounds how fast {symbol} may be had on {channel}, and its past is every record. It takes a \
             scope without conflate_ms."
        );
        return forbidden(detail);
    }
    Ok(twin)
}

fn unlisted(app: &App, grant: &Grant, asked: &Asked) -> Problem {
    let near = app.catalogue.find(&asked.symbol, grant, asked.channel()).err().flatten();
    let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    Problem::of(ErrorCode::UnknownSymbol, format!("Unknown symbol {}.{hint}", asked.symbol))
}
