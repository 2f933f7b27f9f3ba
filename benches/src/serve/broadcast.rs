//! axum with a broadcast channel of tokio per symbol: what its examples show, written with care. A task
//! per client takes what is there, feeds it to the socket and flushes once.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use futures_util::{FutureExt, SinkExt};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{StreamExt, StreamMap};

use crate::schedule::{Pace, Schedule, write_update};

type Topics = Arc<HashMap<String, broadcast::Sender<Utf8Bytes>>>;

/// Updates a client can lag behind before it loses some.
const RING: usize = 1_024;
/// Updates between two flushes at most.
const BATCH: usize = 256;
/// Of the socket: what it reads into is resident for every client.
const READ_BUFFER: usize = 1 << 10;
const BACKLOG: u32 = 8_192;

pub(super) fn run(schedule: Schedule) -> anyhow::Result<()> {
    let senders: Vec<_> = schedule.symbols.iter().map(|_| broadcast::channel(RING).0).collect();
    let topics: Topics = Arc::new(schedule.symbols.iter().cloned().zip(senders.iter().cloned()).collect());
    thread::spawn(move || {
        let mut sequences = vec![0; schedule.symbols.len()];
        let (mut pace, mut due) = (Pace::from_input(schedule.order, || {}), Vec::new());
        loop {
            pace.wait(&mut due);
            for update in due.drain(..) {
                let sequence: &mut u64 = &mut sequences[update.symbol];
                *sequence += 1;
                let mut text = Vec::with_capacity(256);
                write_update(&mut text, &schedule.symbols[update.symbol], *sequence, update.at);
                let text = String::from_utf8(text).expect("it was written as text");
                // Nobody may be there.
                let _ = senders[update.symbol].send(text.into());
            }
        }
    });
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        println!("ready {}", listener.local_addr()?.port());
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        });
        let app = Router::new().route("/", get(upgrade)).with_state(topics);
        axum::serve(listener, app).await?;
        Ok(())
    })
}

async fn upgrade(State(topics): State<Topics>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(|socket| async move {
        // The client is gone.
        let _ = serve(socket, topics).await;
    })
}

async fn serve(mut socket: WebSocket, topics: Topics) -> Result<(), axum::Error> {
    let Some(Ok(Message::Text(names))) = socket.recv().await else { return Ok(()) };
    let mut streams = StreamMap::new();
    for (n, sender) in names.split(',').filter_map(|name| topics.get(name)).enumerate() {
        streams.insert(n, BroadcastStream::new(sender.subscribe()));
    }
    socket.send(Message::Text("ok".into())).await?;
    loop {
        tokio::select! {
            update = streams.next() => {
                let mut next = update;
                // Those that lagged lose what they lagged by.
                for _ in 0..BATCH {
                    let Some((_, update)) = next else { break };
                    if let Ok(text) = update {
                        socket.feed(Message::Text(text)).await?;
                    }
                    next = streams.next().now_or_never().flatten();
                }
                if let Some((_, Ok(text))) = next {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
            message = socket.recv() => if !matches!(message, Some(Ok(_))) { return Ok(()) },
        }
    }
}
