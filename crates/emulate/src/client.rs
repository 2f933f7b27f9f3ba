//! One connection to the emulated venue.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::fault::{Fault, Kind, Stage};
use crate::http::{Head, answer};
use crate::mangle;
use crate::server::Shared;
use crate::stream::Stream;
use crate::venue::Sub;

/// How long a connection that says nothing more is kept.
const STUCK: Duration = Duration::from_secs(120);
/// How long a book is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves one connection to its end.
pub(crate) async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(head) = Head::read(&mut stream).await? else { return Ok(()) };
    if head.field("upgrade").is_none() {
        return rest(stream, &head, shared).await;
    }
    let conn = shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut wrong_key = false;
    if let Some(fault) = shared.fault(Stage::Connect, conn, conn) {
        let retry = format!("retry-after: {}\r\n", fault.ms.div_ceil(1_000));
        match fault.kind {
            Kind::Refuse => return Ok(()),
            Kind::Hang => return stuck().await,
            Kind::GarbageHandshake => return stream.write_all(b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n").await,
            Kind::Connect429 => return answer(&mut stream, "429 Too Many Requests", &retry, b"{}").await,
            Kind::Connect418 => return answer(&mut stream, "418 I'm a teapot", &retry, b"{}").await,
            Kind::Connect503 => return answer(&mut stream, "503 Service Unavailable", "", b"{}").await,
            Kind::SlowHandshake => sleep(fault.pause()).await,
            _ => wrong_key = true,
        }
    }
    let Some(subs) = shared.world.script.venue.open(&head.path) else {
        return answer(&mut stream, "404 Not Found", "", b"no stream of this venue").await;
    };
    let mut without = false;
    if !subs.is_empty() {
        let number = shared.subscriptions.fetch_add(1, Ordering::Relaxed);
        match shared.fault(Stage::Subscribe, number, conn).map(|fault| fault.kind) {
            Some(Kind::RefuseSubscribe) => return answer(&mut stream, "400 Bad Request", "", b"{}").await,
            Some(_) => without = true,
            None => {}
        }
    }
    let key = head.field("sec-websocket-key").unwrap_or_default();
    let accept = if wrong_key { "AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned() } else { ws::accept_key(key) };
    let head_of_answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(head_of_answer.as_bytes()).await?;
    let (sender, outgoing) = mpsc::channel(1 << 16);
    shared.world.join(conn, sender);
    if !subs.is_empty() && !without {
        shared.world.subscribe(conn, &subs, |_, _| Vec::new(), false);
    }
    let market = shared.world.script.venue.market_of(&head.path);
    let result = Stream::new(stream, shared, conn, market).run(head.rest, outgoing).await;
    shared.world.leave(conn);
    result
}

/// Holds a connection without a word.
pub(crate) async fn stuck() -> io::Result<()> {
    sleep(STUCK).await;
    Ok(())
}

/// Ends a connection as a crash does.
pub(crate) fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// A request over REST.
async fn rest(mut stream: TcpStream, head: &Head, shared: &Shared) -> io::Result<()> {
    let world = &shared.world;
    let Some((symbol, depth)) = world.script.venue.depth_asked(&head.path) else {
        return answer(&mut stream, "404 Not Found", "", br#"{"code":-1,"msg":"not emulated"}"#).await;
    };
    let refused = br#"{"code":-1121,"msg":"Invalid symbol."}"#;
    if !world.has(&symbol) {
        return answer(&mut stream, "400 Bad Request", "", refused).await;
    }
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    let fault = shared.fault(Stage::Rest, number, 0);
    let old = fault.as_ref().is_some_and(|fault| fault.kind == Kind::RestStale);
    let since = tokio::time::Instant::now();
    let body = loop {
        match world.depth(&symbol, depth, old) {
            Some(body) => break body,
            None if since.elapsed() > PATIENCE => {
                return answer(&mut stream, "503 Service Unavailable", "", b"{}").await;
            }
            None => sleep(Duration::from_millis(5)).await,
        }
    };
    let offset = shared.offset.load(Ordering::Relaxed);
    let body = mangle::shift(&body, &["lastUpdateId"], offset).unwrap_or(body);
    let retry = |fault: &Fault| format!("retry-after: {}\r\n", fault.ms.div_ceil(1_000));
    match fault {
        Some(fault) if fault.kind == Kind::Rest429 => {
            answer(&mut stream, "429 Too Many Requests", &retry(&fault), br#"{"code":-1003}"#).await
        }
        Some(fault) if fault.kind == Kind::Rest418 => {
            answer(&mut stream, "418 I'm a teapot", &retry(&fault), br#"{"code":-1003}"#).await
        }
        Some(fault) => match fault.kind {
            Kind::Rest500 => answer(&mut stream, "500 Internal Server Error", "", b"oops").await,
            Kind::RestTimeout => stuck().await,
            Kind::RestReset => reset(&stream),
            Kind::RestGarbage => answer(&mut stream, "200 OK", "", b"<html>maintenance</html>").await,
            Kind::RestTruncated => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&body.as_bytes()[..body.len() / 2]).await?;
                stream.shutdown().await
            }
            Kind::RestRefuse => answer(&mut stream, "400 Bad Request", "", refused).await,
            Kind::RestBadUtf8 => {
                answer(&mut stream, "200 OK", "", b"{\"lastUpdateId\":1,\"bids\":\"\xff\"}").await
            }
            _ => answer(&mut stream, "200 OK", "", body.as_bytes()).await,
        },
        None => answer(&mut stream, "200 OK", "", body.as_bytes()).await,
    }
}

/// A subscription as the venue's capture knows it.
pub(crate) fn in_market(sub: Sub, market: &str) -> Sub {
    if market.is_empty() { sub } else { Sub { market: market.to_owned(), ..sub } }
}
