//! One WebSocket to a venue: a task that reads, writes what it is told, and says how it ended.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use model::UnixNanos;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::effect::{Answer, Loss};
use crate::feed::wall_now;

/// Longest message. The longest seen, a full Coinbase book, has 5 MB.
const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// How long a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// What a connection says.
pub(super) enum Event {
    Opened { line: u64 },
    Lost { line: u64, why: Loss },
    Text { line: u64, text: Utf8Bytes, at: UnixNanos },
    Binary { line: u64, bytes: usize },
    Pong { line: u64 },
    Answer { ask: u64, answer: Result<Answer, &'static str> },
}

/// What a connection is told; it ends when nobody can tell it anything any more.
pub(super) enum Command {
    Text(String),
    Ping,
}

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) type Socket = WebSocketStream<Box<dyn Io>>;

/// The life of a connection.
pub(super) async fn run(
    line: u64,
    url: String,
    trust: Arc<ClientConfig>,
    mut commands: Receiver<Command>,
    events: Sender<Event>,
) {
    let opened = tokio::select! {
        opened = open(&url, trust) => opened,
        () = cut(&mut commands) => return,
    };
    let why = match opened {
        Ok(mut socket) => {
            if events.send(Event::Opened { line }).await.is_err() {
                return;
            }
            if let Some(why) = live(line, &mut socket, &mut commands, &events).await {
                why
            } else {
                let _ = timeout(GOODBYE, socket.close(None)).await;
                return;
            }
        }
        Err(why) => why,
    };
    let _ = events.send(Event::Lost { line, why }).await;
}

/// Resolves when the connection is not wanted any more.
async fn cut(commands: &mut Receiver<Command>) {
    while commands.recv().await.is_some() {}
}

/// Reads and writes until the connection breaks (then why), or is not wanted any more.
async fn live(
    line: u64,
    socket: &mut Socket,
    commands: &mut Receiver<Command>,
    events: &Sender<Event>,
) -> Option<Loss> {
    loop {
        let event = tokio::select! {
            command = commands.recv() => {
                let message = match command? {
                    Command::Text(text) => Message::Text(text.into()),
                    Command::Ping => Message::Ping(Vec::new().into()),
                };
                match timeout(WRITE_TIMEOUT, socket.send(message)).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => return Some(broken(&error)),
                    Err(_) => return Some(loss("stuck", "it takes nothing any more")),
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => Event::Text { line, text, at: wall_now() },
                Some(Ok(Message::Binary(bytes))) => Event::Binary { line, bytes: bytes.len() },
                Some(Ok(Message::Pong(_) | Message::Ping(_))) => Event::Pong { line },
                Some(Ok(Message::Close(frame))) => {
                    let told = frame.map(|frame| format!("{} {}", u16::from(frame.code), frame.reason));
                    return Some(loss("closed", told.as_deref().map_or("without a code", str::trim)));
                }
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => return Some(broken(&error)),
                None => return Some(loss("broken", "the end came without a goodbye")),
            },
        };
        if events.send(event).await.is_err() {
            return None;
        }
    }
}

pub(super) async fn open(url: &str, trust: Arc<ClientConfig>) -> Result<Socket, Loss> {
    let request = url.into_client_request().map_err(|error| broken(&error))?;
    let stream = dial(request.uri(), trust).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let status = response.status().as_u16();
            let retry_after = retry_after(response.headers());
            let reason = if matches!(status, 418 | 429) { "limited" } else { "handshake" };
            let detail = format!("the venue answered {}", response.status());
            Err(Loss { reason, detail, retry_after })
        }
        Err(tungstenite::Error::Protocol(error)) => Err(loss("handshake", &error.to_string())),
        Err(error) => Err(broken(&error)),
    }
}

/// A stream to where an address points, with TLS where it says so.
pub(super) async fn dial(uri: &Uri, trust: Arc<ClientConfig>) -> Result<Box<dyn Io>, Loss> {
    let told = |reason| move |error: io::Error| loss(reason, &error.to_string());
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let secure = matches!(uri.scheme_str(), Some("wss" | "https"));
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(told("dns"))?.collect();
    let stream = TcpStream::connect(&*addresses).await.map_err(told("connect"))?;
    let _ = stream.set_nodelay(true);
    if !secure {
        return Ok(Box::new(stream));
    }
    let name = rustls::pki_types::ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| loss("tls", &error.to_string()))?;
    let stream = told_by(TlsConnector::from(trust).connect(name, stream), told("tls")).await?;
    Ok(Box::new(stream))
}

async fn told_by<T>(
    future: impl Future<Output = io::Result<T>>,
    told: impl FnOnce(io::Error) -> Loss,
) -> Result<T, Loss> {
    future.await.map_err(told)
}

/// `Retry-After` in seconds.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    // A day is as good as for ever.
    Some(Duration::from_secs(seconds.min(86_400)))
}

pub(super) fn loss(reason: &'static str, detail: &str) -> Loss {
    Loss { reason, detail: detail.to_owned(), retry_after: None }
}

fn broken(error: &tungstenite::Error) -> Loss {
    let reason = match error {
        tungstenite::Error::Utf8(_) => "utf8",
        tungstenite::Error::Capacity(_) => "too_large",
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            "broken"
        }
        tungstenite::Error::Protocol(_) => "protocol",
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => "address",
        _ => "broken",
    };
    loss(reason, &error.to_string())
}
