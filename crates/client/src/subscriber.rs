//! A connection that comes back: after a break it waits, connects again and subscribes anew.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};
use wire::{Control, ServerMessage};

use crate::connection::{Connection, Incoming};
use crate::endpoint::Endpoint;
use crate::error::ClientError;

/// A connection that comes back.
pub struct Subscriber {
    endpoint: Endpoint,
    /// Sent after every connect.
    requests: Vec<Value>,
    connection: Option<Connection>,
    attempt: u32,
    heartbeat: Duration,
}

/// Something happened.
#[derive(Debug)]
pub enum Happening {
    /// Connected, and subscribed anew: what was known is to be forgotten, snapshots follow.
    Connected,
    /// A message came.
    Message(Incoming),
    /// The connection is gone; another try follows after this time.
    Lost {
        /// Why.
        error: ClientError,
        /// When.
        retry_in: Duration,
    },
}

const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Until the server's welcome says otherwise.
const HEARTBEAT: Duration = Duration::from_secs(5);

impl Subscriber {
    /// A subscriber that is not connected yet.
    #[must_use]
    pub const fn new(endpoint: Endpoint, requests: Vec<Value>) -> Self {
        Self { endpoint, requests, connection: None, attempt: 0, heartbeat: HEARTBEAT }
    }

    /// What happens next. Silence for two heartbeats is a broken connection.
    ///
    /// # Errors
    /// What another try cannot mend: a refused token, a wrong address, a server that said not to
    /// come back.
    pub async fn next(&mut self) -> Result<Happening, ClientError> {
        let Some(connection) = &mut self.connection else {
            return match self.connect().await {
                Ok(()) => Ok(Happening::Connected),
                Err(error) => self.lost(error).await,
            };
        };
        let result = match timeout(self.heartbeat * 2, connection.next()).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Broken("the server fell silent".into())),
        };
        match result {
            Ok(incoming) => {
                self.attempt = 0;
                if let ServerMessage::Control(control) = &incoming.message
                    && let Control::Welcome(welcome) = &**control
                {
                    self.heartbeat = Duration::from_millis(welcome.heartbeat_ms);
                }
                Ok(Happening::Message(incoming))
            }
            Err(error) => self.lost(error).await,
        }
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let mut connection = Connection::open(&self.endpoint).await?;
        for request in &self.requests {
            connection.send(request).await?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Waits with full jitter: many clients that lost a server do not come back as one.
    async fn lost(&mut self, error: ClientError) -> Result<Happening, ClientError> {
        self.connection = None;
        if !error.should_retry() {
            return Err(error);
        }
        let ceiling = BACKOFF_MAX.min(BACKOFF_MIN * 2_u32.saturating_pow(self.attempt.min(8)));
        self.attempt += 1;
        let draw = RandomState::new().hash_one(self.attempt) % 1_000;
        let retry_in = ceiling.mul_f64(f64::from(u32::try_from(draw).unwrap_or(0)) / 1_000.0);
        sleep(retry_in).await;
        Ok(Happening::Lost { error, retry_in })
    }
}
