//! What can go wrong between a client and a server.

use std::io;
use std::path::PathBuf;

use tokio_tungstenite::tungstenite;

/// Why a connection was not made, or broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not one of a stream.
    #[error("{url:?} is not the address of a stream; it looks like ws://host:port/v1/stream")]
    Address {
        /// The address.
        url: String,
    },
    /// A certificate to trust cannot be read.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nobody listens there, or nobody answers.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// The address.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The server refused the token.
    #[error("{0}")]
    Refused(String),
    /// The server answered the handshake with something else.
    #[error("the server answered {status}: {detail}")]
    Handshake {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The server closed.
    #[error("the server closed the session ({code} {reason})")]
    Closed {
        /// The close code.
        code: u16,
        /// The close reason.
        reason: String,
    },
    /// The server does not speak the protocol.
    #[error(transparent)]
    Protocol(#[from] wire::DecodeError),
}

impl ClientError {
    /// Whether a new token is needed before another try makes sense.
    #[must_use]
    pub const fn is_auth(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Closed { code: 4501 | 4504, .. })
    }

    /// Whether it never came to a session.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Handshake { .. })
    }

    /// Whether another try may succeed without a change.
    #[must_use]
    pub fn should_retry(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Broken(_) => true,
            Self::Handshake { status, .. } => *status == 429 || *status >= 500,
            Self::Closed { code, .. } => wire::CloseCode::should_reconnect(*code),
            _ => false,
        }
    }
}

impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        let tungstenite::Error::Http(response) = error else {
            return Self::Broken(error.to_string());
        };
        let status = response.status().as_u16();
        let body = response.body().as_deref().unwrap_or_default();
        let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
        let detail = detail.map_or_else(|| response.status().to_string(), str::to_owned);
        if status == 401 { Self::Refused(detail) } else { Self::Handshake { status, detail } }
    }
}
