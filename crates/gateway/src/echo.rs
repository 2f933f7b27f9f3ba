//! `/echo`: a plain WebSocket echo service, for testing proxies and clients.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;
use ws::Message;

use crate::limits::{LINGER, SCRATCH_BYTES};
use crate::socket::{Inbound, Outbox, Socket, WsSocket};

/// A client that sends nothing for so long, or takes nothing, is let go.
const IDLE: Duration = Duration::from_secs(60);

/// Sends every message back until the client closes.
pub(crate) async fn serve(mut socket: WsSocket) {
    let (mut scratch, mut outbox) = (vec![0; SCRATCH_BYTES], Outbox::default());
    loop {
        let inbound = timeout(IDLE, poll_fn(|cx| socket.poll_recv(cx, &mut scratch))).await;
        let fault = matches!(inbound, Ok(Inbound::Fault(..)));
        match inbound {
            Ok(Inbound::Text(text)) => outbox.text(text),
            Ok(Inbound::Binary(bytes)) => outbox.message(Message::binary(&bytes)),
            // The answer is under way in the socket.
            Ok(Inbound::Alive | Inbound::Closing | Inbound::Fault(..)) => {}
            Ok(Inbound::Refused(_) | Inbound::Gone(_)) | Err(_) => return,
        }
        if !matches!(timeout(IDLE, poll_fn(|cx| socket.poll_send(cx, &mut outbox))).await, Ok(Ok(()))) {
            return;
        }
        if fault {
            // Closed at once, with something unread, the close frame could be lost to a reset.
            let gone = poll_fn(|cx| socket.poll_recv(cx, &mut scratch));
            let _ = timeout(LINGER, gone).await;
            return;
        }
    }
}
