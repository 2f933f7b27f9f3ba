//! A live feed against an emulated venue, and what it must come to.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test")]

pub(crate) mod counted;
pub(crate) mod made;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use emulate::{Emulator, Fault, Script, Watch};
use ingest::capture::Input;
use ingest::feed::{self, FeedKind, FeedSpec, Gate, Stop, Thread};
use ingest::live::{LiveChannel, LiveSpec, Timing};
use ingest::{Link, Options, Step};
use model::{Body, Book, BookChange, BookSide, Speed, State, Tick};
use tokio::sync::mpsc;

/// How long anything may take before a test gives up: long, for machines that are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An emulated venue on a thread of its own; it ends with the value.
pub(crate) struct Venue {
    pub(crate) address: String,
    pub(crate) watch: Watch,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Venue {
    pub(crate) fn start(script: Script, speed: Speed, faults: Vec<Fault>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let addr = "127.0.0.1:0".parse().unwrap();
        let options = emulate::Options { addr, speed, lead: Duration::from_millis(100), faults };
        let emulator = runtime.block_on(Emulator::bind(script, options)).unwrap();
        let (address, watch) = (emulator.address().unwrap().to_string(), emulator.watch());
        runtime.spawn(emulator.serve());
        Self { address, watch, runtime: Some(runtime) }
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Short, so that a test is; long enough for a machine that is busy.
pub(crate) fn timing() -> Timing {
    Timing {
        answer_after: Duration::from_millis(1_500),
        silence_after: Duration::from_millis(2_000),
        idle_after: Duration::from_secs(60),
        backoff_min: Duration::from_millis(20),
        backoff_max: Duration::from_millis(500),
        takeover_after: Duration::from_millis(1_500),
        hold: Duration::from_millis(100),
        ..Timing::default()
    }
}

pub(crate) fn spec(feed: &str, address: &str, symbols: &[&str]) -> LiveSpec {
    LiveSpec {
        feed: feed.to_owned(),
        market: (feed == "bybit").then(|| "linear".to_owned()),
        symbols: symbols.iter().map(|&symbol| symbol.to_owned()).collect(),
        channels: vec![LiveChannel::Trades, LiveChannel::Book],
        depth: (feed == "kraken-v2").then_some(10),
        ws_url: Some(format!("ws://{address}")),
        rest_url: feed.starts_with("binance").then(|| format!("http://{address}")),
        ca: None,
        arbitration: 1,
        raw: None,
        timing: timing(),
    }
}

/// What a client of the feed would have by now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Books that are whole, by the venue's name.
    pub(crate) books: BTreeMap<String, Book>,
    pub(crate) states: BTreeMap<String, Vec<State>>,
    /// Executions: instrument, id, price, size.
    pub(crate) trades: Vec<[String; 4]>,
    /// Books that are none of the venue's, or older than the one before; quotes that are not their book's.
    pub(crate) wrong: Vec<String>,
    /// Which of the venue's books the last one was.
    at: BTreeMap<String, usize>,
}

/// What the venue's own messages come to.
pub(crate) struct Golden {
    /// Every state of every book, and when it was that: the how many-th of its states.
    states: States,
    pub(crate) last: BTreeMap<String, Book>,
    pub(crate) trades: Vec<[String; 4]>,
    /// Levels that are compared: a snapshot need not have more.
    depth: usize,
}

type States = BTreeMap<String, HashMap<String, Vec<usize>>>;

/// Book and executions of one tick.
fn take(tick: &Tick, books: &mut BTreeMap<String, Book>, trades: &mut Vec<[String; 4]>) -> bool {
    let symbol = tick.instrument.venue_symbol.to_string();
    match &tick.body {
        Body::Book(BookChange::Snapshot(levels)) => drop(books.insert(symbol, Book::from_levels(levels))),
        Body::Book(BookChange::Delta(levels)) => match books.get_mut(&symbol) {
            Some(book) => book.apply(levels),
            None => return false,
        },
        Body::Book(BookChange::Gap(_)) => drop(books.remove(&symbol)),
        Body::Trade(trade) => {
            let id = trade.id.as_deref().unwrap_or_default().to_owned();
            trades.push([symbol, id, trade.price.to_string(), trade.size.to_string()]);
        }
        _ => return false,
    }
    matches!(tick.body, Body::Book(BookChange::Snapshot(_) | BookChange::Delta(_)))
}

fn shown(book: &Book, depth: usize) -> String {
    format!("{:?}", book.top(depth))
}

impl Golden {
    pub(crate) fn of(feed: &str, frames: &[(u64, String)]) -> Self {
        let mut normaliser = ingest::normaliser(feed).unwrap();
        let mut golden = Self::empty(usize::MAX);
        let mut ticks = Vec::new();
        for (_, text) in frames {
            normaliser.handle_frame(&Link { conn: "", recv: None }, text, &mut ticks).unwrap();
            golden.add(ticks.drain(..));
        }
        golden
    }

    fn empty(depth: usize) -> Self {
        Self { states: BTreeMap::new(), last: BTreeMap::new(), trades: Vec::new(), depth }
    }

    /// What a recording of one of a venue's markets comes to, in so many levels.
    pub(crate) fn read(feed: &str, market: &str, file: &Path, depth: usize) -> Self {
        let mut golden = Self::empty(depth);
        let mut reader = ingest::reader(feed, &Options::default()).unwrap();
        reader.open(Input::open(file).unwrap());
        let mut ticks = Vec::new();
        loop {
            let step = reader.step(&mut ticks);
            golden.add(ticks.drain(..).filter(|tick| tick.instrument.venue.as_str() == market));
            match step {
                Step::Ticks => {}
                Step::End => return golden,
                Step::Broken { spot, error } => panic!("{} {spot}: {error}", file.display()),
            }
        }
    }

    fn add(&mut self, ticks: impl Iterator<Item = Tick>) {
        for tick in ticks {
            assert!(!matches!(tick.body, Body::Book(BookChange::Gap(_))), "the capture itself has a gap");
            if take(&tick, &mut self.last, &mut self.trades) {
                let symbol = tick.instrument.venue_symbol.to_string();
                let states = self.states.entry(symbol.clone()).or_default();
                let number = states.values().map(Vec::len).sum();
                states.entry(shown(&self.last[&symbol], self.depth)).or_default().push(number);
            }
        }
    }
}

/// A live feed, and what came of it.
pub(crate) struct Live {
    pub(crate) seen: Arc<Mutex<Seen>>,
    stop: Stop,
    thread: Option<Thread>,
    reader: Option<thread::JoinHandle<Vec<Tick>>>,
}

impl Live {
    pub(crate) fn start(name: &str, live: LiveSpec, golden: &Golden) -> Self {
        let stale_after = Duration::from_secs(30);
        let spec = FeedSpec {
            name: name.to_owned(),
            suffix: String::new(),
            stale_after,
            kind: FeedKind::Live(live),
        };
        let prepared = feed::prepare(spec).unwrap();
        let (sink, mut batches) = mpsc::channel(64);
        let (stop, seen) = (Stop::default(), Arc::new(Mutex::new(Seen::default())));
        let thread = prepared.start(sink, Gate::default(), stop.clone(), None).unwrap();
        let (told, states, depth) = (Arc::clone(&seen), golden.states.clone(), golden.depth);
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            while let Some(batch) = batches.blocking_recv() {
                let mut seen = told.lock().unwrap();
                for tick in &batch {
                    seen.take(tick, &states, depth);
                }
                drop(seen);
                all.extend(batch);
            }
            all
        });
        Self { seen, stop, thread: Some(thread), reader: Some(reader) }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Ends the feed; all that it said.
    pub(crate) fn end(mut self) -> Vec<Tick> {
        self.stop.stop();
        self.thread.take().unwrap().join().expect("the feed does not panic");
        self.reader.take().unwrap().join().unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl Seen {
    fn take(&mut self, tick: &Tick, states: &States, depth: usize) {
        let symbol = tick.instrument.venue_symbol.to_string();
        if let Body::Status(change) = &tick.body {
            self.states.entry(symbol.clone()).or_default().push(change.state);
        }
        if take(tick, &mut self.books, &mut self.trades) {
            let book = shown(&self.books[&symbol], depth);
            let times = states.get(&symbol).and_then(|states| states.get(&book));
            let had = self.at.get(&symbol).copied().unwrap_or(0);
            match times.and_then(|times| times.iter().find(|time| **time >= had)) {
                Some(time) => drop(self.at.insert(symbol, *time)),
                None => self.wrong.push(format!("{symbol} after {had}, was {times:?}: {book}")),
            }
        } else if let Body::Quote(quote) = &tick.body
            && quote.derived
            && let Some(book) = self.books.get(&symbol)
            && (quote.bid.as_ref(), quote.ask.as_ref())
                != (book.best(BookSide::Bid).as_ref(), book.best(BookSide::Ask).as_ref())
        {
            self.wrong.push(format!("{symbol}: {quote:?} of {}", shown(book, 1)));
        }
    }

    /// Whether every book is what it should be at the end, and every symbol open.
    pub(crate) fn is_healed(&self, golden: &Golden) -> bool {
        let same = |(symbol, book): (&String, &Book)| {
            self.books.get(symbol).is_some_and(|has| shown(has, golden.depth) == shown(book, golden.depth))
        };
        golden.last.iter().all(same)
            && golden.last.keys().all(|symbol| {
                self.states
                    .get(symbol)
                    .and_then(|states| states.last())
                    .is_some_and(|state| *state == State::Open)
            })
    }
}

/// Waits for something.
pub(crate) fn until(mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if done() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    done()
}

/// The recordings of others, where they are; where they are not, says so.
#[expect(clippy::print_stderr, reason = "what a test has to say")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("nothing tested: {} is not there", file.display());
    None
}
