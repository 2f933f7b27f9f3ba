//! From a request to a socket: the answer, and the stream that is ours after it.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use ws::{Connection, Deflate, Limits};

use super::stream::Io;
use super::{Encoding, WsSocket};
use crate::handshake;
use crate::limits::TLS_UNSENT_BYTES_MAX;
use crate::problem::Problem;

/// A connection that is to be upgraded.
pub(crate) struct Upgrade(OnUpgrade);

impl Upgrade {
    /// The upgrade that a request asks for.
    pub(crate) fn take(parts: &mut Parts) -> Result<Self, Problem> {
        parts.extensions.remove().map(Self).ok_or_else(|| {
            let detail = "The connection cannot be upgraded.";
            Problem::new(StatusCode::UPGRADE_REQUIRED, "bad_handshake", detail)
        })
    }

    /// The socket, once the answer has gone out; `None` where the client has not waited for it.
    pub(crate) async fn socket(
        self,
        limits: Limits,
        deflate: Option<Deflate>,
        encoding: Encoding,
    ) -> Option<WsSocket> {
        let upgraded = self.0.await.ok()?;
        let (io, early) = stream(upgraded)?;
        Some(WsSocket::new(io, Connection::new(limits, deflate), encoding, &early))
    }
}

/// The stream below HTTP, and what was read from it beyond the request.
fn stream(upgraded: Upgraded) -> Option<(Io, bytes::Bytes)> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some((Io::Plain(parts.io.into_inner()), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
    let mut stream = Box::new(parts.io.into_inner());
    stream.get_mut().1.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
    Some((Io::Tls(stream), parts.read_buf))
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
