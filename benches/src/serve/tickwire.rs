//! Tickwire: the gateway as the program runs it, with a feed that keeps an exact rate.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fanout::limits::LogLimits;
use gateway::{Algorithm, Keys, Limits, Server, Settings, Signer};
use model::{Body, Instrument, Level, Price, Quote, Size, Symbol, Tick, UnixNanos, Venue};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::schedule::{Due, Pace, Schedule, now};

/// Batches of ticks on their way to the hub, as in the program.
const BATCHES: usize = 64;
/// More than the limit on open files lets in.
const CONNECTIONS: usize = 100_000;
const SECRET: &[u8] = b"a secret for one bench, on loopback only";

pub(super) fn run(schedule: Schedule) -> anyhow::Result<()> {
    let mut keys = Keys::new("bench", "tickwire", None);
    keys.add(None, Algorithm::Hs256, SECRET)?;
    let signer = Signer::new(None, Algorithm::Hs256, SECRET)?;
    let scopes = ["stream:*".to_owned()];
    let token = signer.sign(&keys, "bench", &scopes, now(), Duration::from_secs(86_400))?;
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        admin_listen: ([127, 0, 0, 1], 0).into(),
        tls: None,
        keys,
        allowed_origins: Vec::new(),
        shards: 1,
        limits: Limits { connections: CONNECTIONS, ..Limits::default() },
        logs: LogLimits::default(),
    };
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let guard = runtime.enter();
    let (server, hub) = Server::bind(settings)?;
    drop(guard);
    let (sink, ticks) = mpsc::channel(BATCHES);
    let address = server.address()?;
    thread::Builder::new().name("feed".to_owned()).spawn(move || feed(&schedule, &sink))?;
    runtime.spawn(hub.run(ReceiverStream::new(ticks)));
    println!("ready {} {token}", address.port());
    runtime.block_on(server.run(std::future::pending()));
    Ok(())
}

/// Quotes of one symbol.
struct Quotes {
    instrument: Arc<Instrument>,
    count: usize,
}

fn feed(schedule: &Schedule, sink: &mpsc::Sender<Vec<Tick>>) {
    let venue = Venue::new("bench");
    let mut quotes: Vec<Quotes> = schedule
        .symbols
        .iter()
        .map(|name| {
            let symbol = Symbol::parse(name).expect("names of the schedule are symbols");
            Quotes { instrument: Arc::new(Instrument::named(symbol, venue.clone(), name)), count: 0 }
        })
        .collect();
    let bodies = bodies();
    let tick = |due: &Due, quotes: &mut [Quotes]| {
        let of = &mut quotes[due.symbol];
        of.count += 1;
        Tick {
            instrument: Arc::clone(&of.instrument),
            ts_event: Some(due.at),
            ts_recv: Some(now()),
            body: bodies[of.count % bodies.len()].clone(),
        }
    };
    // Only a symbol that was heard of can be subscribed to.
    let first = (0..quotes.len()).map(|symbol| Due { symbol, at: UnixNanos(now().0) });
    let first: Vec<Tick> = first.map(|due| tick(&due, &mut quotes)).collect();
    let mut open = sink.blocking_send(first).is_ok();
    let (mut pace, mut due) = (Pace::from_input(schedule.order.clone()), Vec::new());
    while open {
        pace.wait(&mut due);
        let batch = due.drain(..).map(|due| tick(&due, &mut quotes)).collect();
        open = sink.blocking_send(batch).is_ok();
    }
}

/// What quotes may say: as long as the update of the other servers.
fn bodies() -> Vec<Body> {
    let level = |price: String, size: &str| {
        let price = Price::parse(&price).expect("a price");
        Some(Level { price, size: Size::parse(size).expect("a size") })
    };
    let quote = |cents: u32| {
        Body::Quote(Quote {
            bid: level(format!("100.{cents:02}"), "1.500"),
            ask: level(format!("101.{cents:02}"), "0.310"),
            derived: false,
        })
    };
    (0..100).map(quote).collect()
}
