//! From a request to a socket: the answer, and the stream that is ours after it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use ws::{Connection, Deflate, Limits};

use super::stream::Io;
use super::{Encoding, WsSocket};
use crate::handshake;
use crate::limits::TLS_UNSENT_BYTES_MAX;
use crate::places::Place;
use crate::problem::{HttpCode, Problem};
use crate::visitors::Visit;

/// Where the connection of a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// That of a request.
    pub(crate) fn of(parts: &Parts) -> Option<SocketAddr> {
        parts.extensions.get::<Self>().map(|peer| peer.0)
    }
}

/// What becomes of a connection when HTTP is over: a request may say.
#[derive(Clone, Default)]
pub(crate) struct Succession(Arc<Mutex<Option<Next>>>);

/// Goes on with a stream that HTTP is over on, and with what was read of it already.
pub(crate) type Next = Box<dyn FnOnce(Io, Bytes, Slot) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Counts a connection until it is dropped.
pub(crate) struct Slot {
    _place: Place,
    _visit: Option<Box<Visit>>,
}

impl Slot {
    pub(crate) fn new(place: Place, visit: Option<Visit>) -> Self {
        Self { _place: place, _visit: visit.map(Box::new) }
    }
}

/// What the messages of a socket may be, and are.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) deflate: Option<Deflate>,
    pub(crate) encoding: Encoding,
}

impl Succession {
    /// That of the connection that a request came by.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::http(HttpCode::UpgradeRequired, "The connection cannot be upgraded."))
    }

    /// Says who has the socket when the answer has gone out.
    pub(crate) fn hand_to<F>(&self, terms: Terms, serve: impl FnOnce(WsSocket, Slot) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Terms { limits, deflate, encoding } = terms;
        *self.lock() = Some(Box::new(move |io, early, slot| {
            Box::pin(serve(WsSocket::new(io, Connection::new(limits, deflate), encoding, &early), slot))
        }));
    }

    /// Who goes on with the stream, if a request has said so.
    pub(crate) fn take(&self) -> Option<Next> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Next>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<TcpStream> for Io {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(stream)
    }
}

impl From<Box<TlsStream<TcpStream>>> for Io {
    fn from(mut stream: Box<TlsStream<TcpStream>>) -> Self {
        stream.get_mut().1.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
        Self::Tls(stream)
    }
}

/// The answer to a good handshake.
pub(crate) fn switching(request: &handshake::Request, deflate: Option<Deflate>) -> Response {
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let subprotocol = request.subprotocol.map(str::to_owned);
    for (name, value) in [
        (header::SEC_WEBSOCKET_ACCEPT, Some(request.accept.clone())),
        (header::SEC_WEBSOCKET_PROTOCOL, subprotocol),
        (header::SEC_WEBSOCKET_EXTENSIONS, deflate.map(|deflate| deflate.to_string())),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
