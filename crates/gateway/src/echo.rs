//! `/echo`: a plain WebSocket echo service, for testing proxies and clients.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::limits::{CLOSE_TIMEOUT, LINGER};
use crate::socket::fault_of;

/// A client that sends nothing for so long, or takes nothing, is let go.
const IDLE: Duration = Duration::from_secs(60);

/// Sends every message back until the client closes.
pub(crate) async fn serve(mut socket: WebSocket) {
    loop {
        let reply = match timeout(IDLE, socket.next()).await {
            Ok(Some(Ok(message @ (Message::Text(_) | Message::Binary(_))))) => message,
            // Pings are answered below us.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Close(_)))) => {
                // The answer is sent while the end of the stream is awaited.
                let _ = timeout(CLOSE_TIMEOUT, async { while socket.next().await.is_some() {} }).await;
                return;
            }
            Ok(Some(Err(error))) => {
                if let Some(code) = fault_of(&error) {
                    let close = Message::Close(Some(CloseFrame { code: code.number(), reason: "".into() }));
                    let _ = timeout(CLOSE_TIMEOUT, socket.send(close)).await;
                    // Closed at once, the frame could be lost to a reset.
                    tokio::time::sleep(LINGER).await;
                }
                return;
            }
            Ok(None) | Err(_) => return,
        };
        if !matches!(timeout(IDLE, socket.send(reply)).await, Ok(Ok(()))) {
            return;
        }
    }
}
