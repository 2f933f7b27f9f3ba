//! What is asked of a server before a crowd comes: what there is, and what its clock says.

use client::{ClientError, Connection, Endpoint};
use model::UnixNanos;
use serde_json::json;
use wire::{Ack, Control, ServerMessage};

use crate::clock::now;

/// What a server is like before a crowd comes.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What the patterns came to.
    pub symbols: Vec<String>,
    /// Nanoseconds that the server's clock is before ours.
    pub ahead: i64,
    /// Nanoseconds of the quickest ping: the offset is wrong by a half of it at most.
    pub round_trip: u64,
}

/// The quickest of so many says what the clock's offset is.
const PINGS: u32 = 10;

impl Survey {
    /// Connects, subscribes and pings; `heed` hears what the server says beside data, and may end it.
    ///
    /// # Errors
    /// The connection does not come about, or what `heed` says.
    pub async fn of<E: From<ClientError>>(
        endpoint: &Endpoint,
        channels: &[String],
        patterns: &[String],
        heed: impl Fn(&Control) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut connection = Connection::open(endpoint).await?;
        let (mut ahead, mut round_trip) = (0, u64::MAX);
        for id in 0..PINGS {
            let sent = now();
            connection.send(&json!({"op": "ping", "id": id})).await?;
            let pong = loop {
                match control(&mut connection).await? {
                    Control::Pong(pong) => break pong,
                    other => heed(&other)?,
                }
            };
            let came = now();
            let of = |text: &str| UnixNanos::from_rfc3339(text).unwrap_or(sent);
            let (there, back) = (of(&pong.ts_recv), of(&pong.ts_sent));
            if came.since(sent) < round_trip {
                round_trip = came.since(sent);
                // Both ways take as long, as far as anybody can know.
                ahead = offset(there, sent).midpoint(offset(back, came));
            }
        }
        connection.send(&json!({"op": "subscribe", "channels": channels, "symbols": patterns})).await?;
        let symbols = loop {
            let said = control(&mut connection).await?;
            heed(&said)?;
            if let Control::Ack { ack: Ack::Subscribe { symbols, .. }, .. } = said {
                break symbols;
            }
        };
        connection.close().await;
        Ok(Self { symbols, ahead, round_trip })
    }
}

/// The next message that is no data.
async fn control(connection: &mut Connection) -> Result<Control, ClientError> {
    loop {
        if let ServerMessage::Control(control) = connection.next().await?.message {
            return Ok(*control);
        }
    }
}

/// How many nanoseconds the first time is after the second one.
fn offset(one: UnixNanos, other: UnixNanos) -> i64 {
    i64::try_from(i128::from(one.0) - i128::from(other.0)).unwrap_or(0)
}
