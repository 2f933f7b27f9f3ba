//! How far a capture is played: the books as they are by then, and who hears of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ingest::{Link, Normaliser};
use model::{Body, Book, BookChange, Speed};
use tokio::sync::mpsc::Sender;

use crate::script::{Script, Step, What};
use crate::venue::{State, Sub};

/// A message on its way to a client.
pub(crate) struct Out {
    pub(crate) text: String,
    /// The instrument whose book it changes, where it is an update of one.
    pub(crate) update: Option<String>,
}

/// What is shared by all clients of an emulated venue.
pub(crate) struct World {
    pub(crate) script: Script,
    state: Mutex<Now>,
}

struct Now {
    playhead: usize,
    normaliser: Box<dyn Normaliser>,
    /// By market and instrument.
    books: BTreeMap<(String, String), (Book, i64)>,
    /// An earlier state of each, for who wants an old one.
    old: BTreeMap<(String, String), (Book, i64)>,
    millis: u64,
    clients: BTreeMap<u64, Client>,
    begun: Option<Instant>,
}

struct Client {
    subs: BTreeSet<Sub>,
    out: Sender<Out>,
}

/// Messages that a client may be behind before the others wait for it.
const BEHIND_MAX: usize = 256;

impl World {
    pub(crate) fn new(script: Script) -> Self {
        let mut normaliser = ingest::normaliser(&script.feed).expect("a script names a feed");
        for (conn, addr) in &script.conns {
            normaliser.handle_connect(&Link { conn, recv: None }, addr, &mut Vec::new());
        }
        let now = Now {
            playhead: 0,
            normaliser,
            books: BTreeMap::new(),
            old: BTreeMap::new(),
            millis: script.began,
            clients: BTreeMap::new(),
            begun: None,
        };
        Self { script, state: Mutex::new(now) }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn join(&self, id: u64, out: Sender<Out>) {
        self.now().clients.insert(id, Client { subs: BTreeSet::new(), out });
    }

    pub(crate) fn leave(&self, id: u64) {
        self.now().clients.remove(&id);
    }

    /// How many steps were played, of how many.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.now().playhead, self.script.steps.len())
    }

    /// The venue's time by what was played, in milliseconds since the epoch.
    pub(crate) fn millis(&self) -> u64 {
        self.now().millis
    }

    /// Subscribes a client; what it held before, with this. Snapshots go out at once, unless `without` them.
    pub(crate) fn subscribe(
        &self,
        id: u64,
        subs: &[Sub],
        acks: impl FnOnce(&[Sub], u64) -> Vec<String>,
        without: bool,
    ) {
        let mut guard = self.now();
        let now = &mut *guard;
        now.begun.get_or_insert_with(Instant::now);
        let mut texts = Vec::new();
        if let Some(client) = now.clients.get_mut(&id) {
            client.subs.extend(subs.iter().cloned());
            let held: Vec<Sub> = client.subs.iter().cloned().collect();
            texts.extend(acks(&held, now.millis).into_iter().map(|text| Out { text, update: None }));
        }
        for sub in subs.iter().filter(|sub| self.script.venue.is_book(sub) && !without) {
            texts.extend(self.snapshot_of(now, sub));
        }
        if let Some(client) = now.clients.get(&id) {
            for out in texts {
                let _ = client.out.try_send(out);
            }
        }
    }

    /// The snapshot of a book in the stream, where it is known by now.
    pub(crate) fn snapshot(&self, sub: &Sub) -> Option<Out> {
        self.snapshot_of(&self.now(), sub)
    }

    fn snapshot_of(&self, now: &Now, sub: &Sub) -> Option<Out> {
        let (_, (book, position)) =
            now.books.iter().find(|((market, symbol), _)| *symbol == sub.symbol && in_market(sub, market))?;
        let state = State { book, position: *position, millis: now.millis };
        let text = self.script.venue.snapshot(sub, &state)?;
        Some(Out { text, update: None })
    }

    pub(crate) fn unsubscribe(&self, id: u64, subs: &[Sub]) {
        if let Some(client) = self.now().clients.get_mut(&id) {
            client.subs.retain(|held| !subs.iter().any(|sub| self.script.venue.same(sub, held)));
        }
    }

    /// The answer to a REST request, where the book is known by now.
    pub(crate) fn depth(&self, symbol: &str, depth: usize, old: bool) -> Option<String> {
        let now = self.now();
        let books = if old { &now.old } else { &now.books };
        let (_, (book, position)) = books.iter().find(|((_, of), _)| of == symbol)?;
        let state = State { book, position: *position, millis: now.millis };
        Some(self.script.venue.depth_answer(symbol, &state, depth))
    }

    pub(crate) fn has(&self, symbol: &str) -> bool {
        self.script.subs.iter().any(|sub| sub.symbol == symbol)
    }

    /// Plays the capture, from the first subscription on.
    pub(crate) async fn play(&self, speed: Speed, lead: Duration) {
        while self.now().begun.is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(lead).await;
        let began = Instant::now();
        for index in 0..self.script.steps.len() {
            let due = began + speed.played(self.script.steps[index].at);
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
            while self.is_ahead() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.step(&self.script.steps[index]);
            if index % 16 == 0 {
                tokio::task::yield_now().await;
            }
        }
        tracing::info!(steps = self.script.steps.len(), "the capture is at its end");
    }

    /// Whether a client has not taken enough yet.
    fn is_ahead(&self) -> bool {
        let mut now = self.now();
        now.clients.retain(|_, client| !client.out.is_closed());
        now.clients.values().any(|client| client.out.max_capacity() - client.out.capacity() > BEHIND_MAX)
    }

    fn step(&self, step: &Step) {
        let mut guard = self.now();
        let now = &mut *guard;
        now.playhead += 1;
        let mut ticks = Vec::new();
        let link = Link { conn: &step.conn, recv: None };
        // What is broken in a capture was not the venue's.
        let _ = match &step.what {
            What::Frame { text, .. } => now.normaliser.handle_frame(&link, text, &mut ticks),
            What::Answer { url, body } => now.normaliser.handle_answer(&link, url, body, &mut ticks),
        };
        let position = match &step.what {
            What::Frame { text, sub: Some(sub) } if self.script.venue.is_book(sub) => {
                self.script.venue.position(text)
            }
            What::Frame { text, sub: None } => self.script.venue.position(text),
            What::Frame { .. } => None,
            What::Answer { body, .. } => self.script.venue.position(body),
        };
        for tick in ticks {
            now.millis = tick.ts_event.map_or(now.millis, |at| at.0 / 1_000_000);
            let market = self.script.venue.market_named(tick.instrument.venue.as_str());
            let key = (market, tick.instrument.venue_symbol.to_string());
            match &tick.body {
                Body::Book(BookChange::Snapshot(levels)) => {
                    let book = (Book::from_levels(levels), position.unwrap_or(0));
                    now.old.entry(key.clone()).or_insert_with(|| book.clone());
                    now.books.insert(key, book);
                }
                Body::Book(BookChange::Delta(levels)) => {
                    if let Some((book, at)) = now.books.get_mut(&key) {
                        book.apply(levels);
                        *at = position.unwrap_or(*at).max(*at);
                    }
                }
                _ => {}
            }
        }
        let What::Frame { text, sub: Some(sub) } = &step.what else { return };
        // An update without a level has its number, too.
        if let (true, Some(position)) = (self.script.venue.is_book(sub), position)
            && let Some((_, at)) = now.books.get_mut(&(sub.market.clone(), sub.symbol.clone()))
        {
            *at = position.max(*at);
        }
        let book = self.script.venue.is_book(sub).then(|| sub.symbol.clone());
        for client in now.clients.values() {
            let is_asked = |asked: &Sub| {
                self.script.venue.same(asked, sub)
                    || (sub.market.is_empty() && asked.topic == sub.topic && asked.symbol == sub.symbol)
            };
            if client.subs.iter().any(is_asked) {
                let _ = client.out.try_send(Out { text: text.clone(), update: book.clone() });
            }
        }
    }
}

fn in_market(sub: &Sub, market: &str) -> bool {
    market.is_empty() || sub.market == market
}
