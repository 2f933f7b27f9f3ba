//! One WebSocket to a server.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use wire::ServerMessage;

use crate::endpoint::Endpoint;
use crate::error::ClientError;

/// One WebSocket to a server.
pub struct Connection {
    inner: WebSocketStream<Box<dyn Io>>,
}

/// A message, as it came and as it is understood.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The text.
    pub text: String,
    /// What it says.
    pub message: ServerMessage,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The whole of a very deep book is one message.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

impl Connection {
    /// Connects, with the token in the handshake where there is one.
    ///
    /// # Errors
    /// Says whether nobody answered, the token was refused, or something else was wrong.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let target = endpoint.target()?;
        let address = format!("{}:{}", target.host, target.port);
        let failed = |error| ClientError::Connect { address: address.clone(), error };
        let stream = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let stream: Box<dyn Io> = match target.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                Box::new(TlsConnector::from(config).connect(name, stream).await.map_err(failed)?)
            }
        };
        let refused = || ClientError::Address { url: endpoint.url.clone() };
        let mut request = endpoint.url.as_str().into_client_request().map_err(|_| refused())?;
        let subprotocol = HeaderValue::from_static(wire::SUBPROTOCOL_JSON);
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        if let Some(token) = &endpoint.token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let value = value
                .map_err(|_| ClientError::Refused("the token has characters that no token has".into()))?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(16 << 10)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let (inner, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self { inner })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(&mut self, request: &Value) -> Result<(), ClientError> {
        Ok(self.inner.send(Message::Text(request.to_string().into())).await?)
    }

    /// The next message.
    ///
    /// # Errors
    /// The connection broke, the server closed it, or does not speak the protocol.
    pub async fn next(&mut self) -> Result<Incoming, ClientError> {
        loop {
            match self.inner.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message = ServerMessage::parse(&text)?;
                    return Ok(Incoming { text: text.as_str().to_owned(), message });
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    return Err(ClientError::Closed { code, reason });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(ClientError::Broken("the end came without a goodbye".into())),
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // Whoever is gone already needs no goodbye.
        let _ = self.inner.close(None).await;
    }
}
