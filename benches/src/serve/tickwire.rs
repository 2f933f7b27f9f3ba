//! Tickwire: the gateway as the program runs it, with a feed that keeps an exact rate.

use std::thread;
use std::time::Duration;

use fanout::Consolidation;
use fanout::limits::LogLimits;
use gateway::{Algorithm, Delays, Given, Keys, Limits, Server, Settings, Signer, Tls};
use load::now;
use model::Tick;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::quotes::Quotes;
use crate::schedule::{Pace, Schedule};

/// Batches of ticks on their way to the hub, as in the program.
const BATCHES: usize = 512;
/// More than the limit on open files lets in.
const CONNECTIONS: usize = 100_000;
const SECRET: &[u8] = b"a secret for one bench, on loopback only";

pub(super) fn run(schedule: Schedule, tls: Option<Tls>) -> anyhow::Result<()> {
    let mut keys = Keys::new("bench", "tickwire", None);
    keys.add(None, Algorithm::Hs256, SECRET)?;
    let signer = Signer::new(None, Algorithm::Hs256, SECRET)?;
    let scopes = ["stream:*".to_owned()];
    let token = signer.sign(&keys, "bench", &scopes, now(), Duration::from_secs(86_400))?;
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        admin_listen: ([127, 0, 0, 1], 0).into(),
        tls,
        keys: keys.into(),
        compression: false,
        published: None,
        cookie: None,
        allowed_origins: Vec::new().into(),
        shards: 1,
        drain: Duration::ZERO,
        delays: Delays::default(),
        recording: None,
        page: gateway::Page::default(),
        limits: Limits { connections: CONNECTIONS, http_requests_per_second: u32::MAX, ..Limits::default() }
            .into(),
        logs: LogLimits::default(),
        traces: None,
        consolidation: Consolidation::default(),
    };
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let guard = runtime.enter();
    let (server, hub) = Server::bind(settings, Given::default())?;
    drop(guard);
    let (sink, ticks) = mpsc::channel(BATCHES);
    let address = server.address()?;
    let quotes = Quotes::new(&schedule.symbols)?;
    thread::Builder::new().name("feed".to_owned()).spawn(move || feed(&schedule, quotes, &sink))?;
    runtime.spawn(hub.run(ReceiverStream::new(ticks)));
    println!("ready {} {token}", address.port());
    runtime.block_on(server.run(std::future::pending()));
    Ok(())
}

fn feed(schedule: &Schedule, mut quotes: Quotes, sink: &mpsc::Sender<Vec<Tick>>) {
    // Only a symbol that was heard of can be subscribed to.
    let first = (0..schedule.symbols.len()).map(|symbol| quotes.next(symbol, now())).collect();
    let mut open = sink.blocking_send(first).is_ok();
    let (mut pace, mut due) = (Pace::from_input(schedule.order.clone(), || {}), Vec::new());
    while open {
        pace.wait(&mut due);
        let batch = due.drain(..).map(|due| quotes.next(due.symbol, due.at)).collect();
        open = sink.blocking_send(batch).is_ok();
    }
}
