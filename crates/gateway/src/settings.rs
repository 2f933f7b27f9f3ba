//! What a gateway is to be.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use fanout::Consolidation;
use fanout::limits::LogLimits;

use crate::auth::{Keyring, Published};
use crate::delay::Delays;
use crate::in_force::InForce;
use crate::page::Page;
use crate::recorder::Recording;
use crate::traces::Traces;

/// What a gateway is to be.
#[derive(Debug)]
pub struct Settings {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where metrics and health are served.
    pub admin_listen: SocketAddr,
    /// Certificate and key; without them clients connect in plain.
    pub tls: Option<Tls>,
    /// Whose tokens are good.
    pub keys: Keyring,
    /// Where keys are published, beside those.
    pub published: Option<Published>,
    /// The cookie that may bring a token.
    pub cookie: Option<String>,
    /// Other origins than the server's own whose pages may connect, as `scheme://host[:port]`.
    pub allowed_origins: InForce<Vec<String>>,
    /// Whether messages are compressed for clients that offer it.
    pub compression: bool,
    /// Threads that serve sessions.
    pub shards: usize,
    /// How long clients have to come back elsewhere when the server goes away; 0 = all are closed at once.
    pub drain: Duration,
    /// With which delays streams can be had.
    pub delays: Delays,
    /// Which symbols are consolidated over venues.
    pub consolidation: Consolidation,
    /// Where is recorded what the server sends, if it is.
    pub recording: Option<Recording>,
    /// Who is told of updates that are followed, where any are.
    pub traces: Option<Traces>,
    /// What is served at `/`.
    pub page: Page,
    /// Bounds.
    pub limits: InForce<Limits>,
    /// Bounds of the logs.
    pub logs: LogLimits,
}

/// Certificate and key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, the server's own first.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// Bounds of connections and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. The operating system's limit on open files may lower it.
    pub connections: usize,
    /// Sessions that a subject may have at a time; `None` = any number.
    pub subject_connections: Option<usize>,
    /// Who goes when a subject has one more.
    pub subject_connections_over: Over,
    /// Sessions that a tenant may have at a time; `None` = any number.
    pub tenant_connections: Option<usize>,
    /// Streams that all sessions of a tenant may be subscribed to; `None` = any number.
    pub tenant_subscriptions: Option<usize>,
    /// Bytes a second that all sessions of a subject may be sent, in equal shares; `None` = any number.
    pub subject_bytes_per_second: Option<u64>,
    /// Bytes a second that all sessions of a tenant may be sent, in equal shares; `None` = any number.
    pub tenant_bytes_per_second: Option<u64>,
    /// Connections that an address may have at a time; `None` = any number.
    pub address_connections: Option<usize>,
    /// Connections that an address may open in a second, on average; `None` = any number.
    pub address_attempts_per_second: Option<u32>,
    /// Symbols that a session may be subscribed to.
    pub symbols: usize,
    /// Streams that a session may be subscribed to.
    pub subscriptions: usize,
    /// Updates that wait for their delay to pass.
    pub delayed_events: usize,
    /// Requests a session may send in a second, on average.
    pub requests_per_second: u32,
    /// Requests over plain HTTP that a subject may send in a second, on average.
    pub http_requests_per_second: u32,
    /// Longest message a client may send.
    pub message_bytes: usize,
    /// How long a session waits for a token.
    pub auth_timeout: Duration,
    /// Silence after which a heartbeat is sent.
    pub heartbeat: Duration,
    /// Silence after which a ping frame is sent.
    pub ping: Duration,
    /// Silence after a ping, or a full socket, after which a client is taken for gone.
    pub silence: Duration,
}

/// Who goes when there is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The new one.
    Refuse,
    /// The oldest.
    Evict,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 15_000,
            subject_connections: None,
            subject_connections_over: Over::Refuse,
            tenant_connections: None,
            tenant_subscriptions: None,
            subject_bytes_per_second: None,
            tenant_bytes_per_second: None,
            address_connections: None,
            address_attempts_per_second: None,
            symbols: 1_000,
            subscriptions: 5_000,
            delayed_events: 4_000_000,
            requests_per_second: 20,
            http_requests_per_second: 100,
            message_bytes: 64 << 10,
            auth_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(90),
        }
    }
}

#[cfg(test)]
impl Settings {
    /// Nobody's settings, with one key.
    pub(crate) fn for_tests() -> Self {
        let mut keys = crate::auth::Keys::new("tests", "tickwire", None);
        keys.add(None, crate::auth::Algorithm::Hs256, &[7; 32]).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            admin_listen: any,
            tls: None,
            keys: keys.into(),
            published: None,
            cookie: None,
            allowed_origins: Vec::new().into(),
            compression: false,
            shards: 1,
            drain: Duration::ZERO,
            delays: Delays::default(),
            consolidation: Consolidation::default(),
            recording: None,
            traces: None,
            page: Page::default(),
            limits: Limits::default().into(),
            logs: LogLimits::default(),
        }
    }
}
