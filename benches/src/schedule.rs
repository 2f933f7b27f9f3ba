//! What is published and when: the same for every server that is measured.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use load::now;
use model::UnixNanos;
use serde::{Deserialize, Serialize};

/// Symbols, and in which order they have their updates. Servers read it as JSON.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Schedule {
    pub(crate) symbols: Vec<String>,
    /// Places in `symbols`; after the last it begins again.
    pub(crate) order: Vec<usize>,
}

/// Updates after which the order repeats.
const ORDER: usize = 65_536;

impl Schedule {
    /// Updates of `symbols` symbols by Zipf's law: the second has half as many as the first.
    pub(crate) fn zipf(symbols: usize) -> Self {
        let names = (0..symbols).map(|n| format!("S{n:03}-USD")).collect();
        // Weights as whole numbers, so that every machine has the same order.
        let weights = (1..=symbols as u64).map(|rank| 1_000_000_000 / rank);
        let sums: Vec<u64> = weights
            .scan(0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        let (mut dice, all) = (Dice(1), sums.last().copied().unwrap_or(1));
        let order = (0..ORDER)
            .map(|_| {
                let drawn = dice.below(all);
                sums.partition_point(|&sum| sum <= drawn)
            })
            .collect();
        Self { symbols: names, order }
    }

    /// What `count` clients want, `each` symbols a client, so that every symbol has as many readers as
    /// any other.
    pub(crate) fn wants(&self, count: usize, each: usize) -> Vec<Vec<usize>> {
        let (mut dice, mut deck, mut wants) = (Dice(2), Vec::new(), Vec::new());
        for _ in 0..count {
            if deck.len() < each {
                deck = (0..self.symbols.len()).collect();
                for left in (1..deck.len()).rev() {
                    let drawn = dice.below(left as u64 + 1);
                    deck.swap(left, usize::try_from(drawn).unwrap_or(0));
                }
            }
            wants.push(deck.split_off(deck.len() - each));
        }
        wants
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(path, serde_json::to_vec(self)?)?)
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// Chance that falls the same way every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Xorshift: plenty for a draw.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// One update of the schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// Its symbol's place in the schedule.
    pub(crate) symbol: usize,
    /// When it was to be published. Late or not, it carries this time.
    pub(crate) at: UnixNanos,
}

/// The open loop: what is due, whether or not what went before was taken.
pub(crate) struct Pace {
    order: Vec<usize>,
    rates: Receiver<u32>,
    rate: u32,
    began: UnixNanos,
    /// Since `began`.
    published: u64,
    /// Since the start.
    place: usize,
}

/// Updates handed out at a time.
const BATCH: u64 = 1_024;
/// Shortest sleep of a thread that does nothing else: what a network brings comes in bursts, too.
const NAP_MIN: Duration = Duration::from_micros(250);
/// Longest sleep: a new rate is heard of by then.
const NAP: Duration = Duration::from_millis(10);
const SECOND: u64 = 1_000_000_000;

impl Pace {
    /// Obeys `rate N` lines on standard input, in updates a second; at the end of the input, ends the
    /// process after `last`.
    pub(crate) fn from_input(order: Vec<usize>, last: impl FnOnce() + Send + 'static) -> Self {
        let (sender, rates) = channel();
        thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if let Some(rate) = line.strip_prefix("rate ").and_then(|rate| rate.parse().ok()) {
                    let _ = sender.send(rate);
                }
            }
            last();
            std::process::exit(0);
        });
        Self { order, rates, rate: 0, began: now(), published: 0, place: 0 }
    }

    /// What is due by now, at most a batch.
    pub(crate) fn due(&mut self, out: &mut Vec<Due>) {
        match self.rates.try_recv() {
            Ok(rate) => self.obey(rate),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        let since = now().0.saturating_sub(self.began.0);
        let due = u64::try_from(u128::from(since) * u128::from(self.rate) / u128::from(SECOND));
        let due = due.unwrap_or(u64::MAX);
        for _ in self.published..due.min(self.published + BATCH) {
            let symbol = self.order[self.place % self.order.len()];
            out.push(Due { symbol, at: self.at(self.published) });
            (self.published, self.place) = (self.published + 1, self.place + 1);
        }
    }

    /// How long nothing is due; at most a nap.
    pub(crate) fn rest(&self) -> Duration {
        let next = self.at(self.published).0.saturating_sub(now().0);
        Duration::from_nanos(next).min(NAP)
    }

    /// Waits until something is due.
    pub(crate) fn wait(&mut self, out: &mut Vec<Due>) {
        loop {
            self.due(out);
            if !out.is_empty() {
                return;
            }
            if self.rate > 0 {
                thread::sleep(self.rest().max(NAP_MIN));
                continue;
            }
            match self.rates.recv_timeout(Duration::from_secs(1)) {
                Ok(rate) => self.obey(rate),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn obey(&mut self, rate: u32) {
        (self.rate, self.began, self.published) = (rate, now(), 0);
    }

    /// When an update is due: the first one a step after the beginning.
    fn at(&self, number: u64) -> UnixNanos {
        if self.rate == 0 {
            return UnixNanos(u64::MAX);
        }
        let since = u128::from(number + 1) * u128::from(SECOND) / u128::from(self.rate);
        UnixNanos(self.began.0 + u64::try_from(since).unwrap_or(0))
    }
}

/// Writes an update as text, as a server without any protocol would: about 200 bytes.
pub(crate) fn write_update(out: &mut Vec<u8>, symbol: &str, sequence: u64, at: UnixNanos) {
    use std::io::Write;
    let cents = sequence % 100;
    let written = write!(
        out,
        "{{\"symbol\":\"{symbol}\",\"sequence\":{sequence},\"bid_price\":\"100.{cents:02}\",\
         \"bid_size\":\"1.500\",\"ask_price\":\"101.{cents:02}\",\"ask_size\":\"0.310\",\
         \"ts_event\":\"{at}\",\"ts_recv\":\"{}\"}}",
        now()
    );
    // A vector takes everything.
    debug_assert!(written.is_ok());
}

/// When this process began to look at its clock: for spans, not for stamps.
pub(crate) fn since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}
