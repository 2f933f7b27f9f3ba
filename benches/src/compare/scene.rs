//! The workloads.

use std::time::Duration;

use clap::ValueEnum;
use load::{Crowd, Group, Looks, Plan, Stamp, sockets_max};

use super::{Stage, dense, doors, slow, steady, turns};
use crate::schedule::Schedule;
use crate::subject::Entry;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    /// 1 symbol, 1,000 subscribers, the rate raised until the server's core is full
    W1Dense,
    /// 1 symbol, 1,000 subscribers, 25 updates/s: each delivery pays its own system call
    W1Sparse,
    /// 500 symbols, 2,000 subscribers of 20 each, 1,000 updates/s in
    #[value(name = "w2-1k")]
    W2Thousand,
    /// The same at 20,000 updates/s in
    #[value(name = "w2-20k")]
    W2Flood,
    /// 19,000 connections that are subscribed and idle
    W3Idle,
    /// 1,000 subscribers at 150 updates/s, of which 100 stop reading for 10 s
    W4Stall,
    /// 10,000 clients connect and subscribe as fast as they can
    W5Storm,
    /// 1 symbol, 500 clients, 5 updates/s, by each door of Tickwire: a WebSocket, unless it says otherwise
    Doors,
    /// W1 dense through TLS
    W1DenseTls,
    /// W2 at 1,000 updates/s through TLS
    #[value(name = "w2-1k-tls")]
    W2ThousandTls,
    /// W2 at 20,000 updates/s through TLS
    #[value(name = "w2-20k-tls")]
    W2FloodTls,
    /// W3 through TLS
    W3IdleTls,
    /// W5 through TLS, each handshake a full one
    W5StormTls,
    /// A simulated market, 2,000 subscribers of trades, quotes and the whole book, of which 200 read nothing
    /// and 200 at 8 kB/s; every sequence and every ledger is checked
    SlowReaders,
}

/// Something that was measured, with its unit in its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
}

pub(crate) const fn figure(name: &'static str, value: f64) -> Figure {
    Figure { name, value }
}

const IDLE: usize = 19_000;
const STORM: usize = 10_000;
/// Where the clients' core would be full of deciphering: one client in so many looks at what it gets.
const SAMPLE: usize = 8;
/// Connections that are being opened at a time.
const AT_A_TIME: usize = 256;
/// Updates a second where the doors are compared.
const DOORS_RATE: u32 = 5;
/// Who polls states asks as often as there is a new one.
pub(crate) const DOORS_INTERVAL: Duration = Duration::from_millis(1_000 / DOORS_RATE as u64);
/// Symbols of the market, and of each of its clients.
const MARKET: (usize, usize) = (500, 20);

impl Scene {
    pub(crate) const ALL: [Self; 14] = [
        Self::W1Dense,
        Self::W1Sparse,
        Self::W2Thousand,
        Self::W2Flood,
        Self::W3Idle,
        Self::W4Stall,
        Self::W5Storm,
        Self::Doors,
        Self::W1DenseTls,
        Self::W2ThousandTls,
        Self::W2FloodTls,
        Self::W3IdleTls,
        Self::W5StormTls,
        Self::SlowReaders,
    ];

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) fn title(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    /// Whether a server takes part. Each door of Tickwire is a server of its own.
    pub(crate) fn takes(self, server: &Entry) -> bool {
        match self {
            Self::SlowReaders => server.name == "demo",
            Self::Doors => server.name == "tickwire" || server.is_door(),
            _ if self.is_tls() => ["floor", "batched", "tickwire"].contains(&server.name),
            _ => server.name != "demo" && !server.is_door(),
        }
    }

    /// Whether its connections are TLS.
    pub(crate) fn is_tls(self) -> bool {
        self.workload() != self
    }

    /// What is done, in plain or not.
    const fn workload(self) -> Self {
        match self {
            Self::W1DenseTls => Self::W1Dense,
            Self::W2ThousandTls => Self::W2Thousand,
            Self::W2FloodTls => Self::W2Flood,
            Self::W3IdleTls => Self::W3Idle,
            Self::W5StormTls => Self::W5Storm,
            other => other,
        }
    }

    /// The server that the first figure is held against.
    pub(crate) const fn base(self) -> &'static str {
        match self.workload() {
            Self::W1Dense | Self::W2Flood => "batched",
            Self::Doors => "tickwire",
            Self::SlowReaders => "demo",
            _ => "floor",
        }
    }

    /// Whether more is better of the first figure.
    pub(crate) const fn more_is_better(self) -> bool {
        matches!(self.workload(), Self::W1Dense | Self::W2Flood)
    }

    pub(crate) fn schedule(self) -> Schedule {
        Schedule::zipf(if matches!(self.workload(), Self::W2Thousand | Self::W2Flood) { MARKET.0 } else { 1 })
    }

    /// Runs it before one server.
    pub(crate) fn play(self, mut stage: Stage<'_>) -> anyhow::Result<Vec<Figure>> {
        let scene = self.workload();
        match scene {
            Self::W1Dense => {
                stage.looks = Looks::Count(SAMPLE);
                let (mut crowd, due) = stage.connect(1_000, 1, &[])?;
                dense::run(&mut stage, &mut crowd, due)
            }
            Self::W1Sparse => {
                let (mut crowd, due) = stage.connect(1_000, 1, &[])?;
                steady::run(&mut stage, &mut crowd, 25, due)
            }
            Self::W2Thousand | Self::W2Flood => {
                let is_flood = scene == Self::W2Flood;
                stage.looks = Looks::Count(if is_flood { SAMPLE } else { 1 });
                let (mut crowd, due) = stage.connect(2_000, MARKET.1, &[])?;
                let rate = if is_flood { 20_000 } else { 1_000 };
                let figures = steady::run(&mut stage, &mut crowd, rate, due)?;
                // Where the flood is delivered in part, that is the figure.
                Ok(if is_flood { steady::flooded(figures) } else { figures })
            }
            Self::Doors => {
                stage.stamp = Stamp::Received;
                let (mut crowd, due) = stage.connect(500, 1, &[])?;
                doors::run(&mut stage, &mut crowd, DOORS_RATE, due)
            }
            Self::W3Idle => turns::idle(&mut stage, IDLE.min(sockets_max()?)),
            Self::W4Stall => turns::stall(&mut stage, Duration::from_secs(10)),
            Self::W5Storm => turns::storm(&mut stage, STORM.min(sockets_max()?)),
            Self::SlowReaders => slow::run(&mut stage),
            // No workload is of TLS.
            _ => Ok(Vec::new()),
        }
    }
}

impl Stage<'_> {
    /// Connects `count` clients of `each` symbols, and tells how many deliveries an update makes on average.
    pub(crate) fn connect(
        &mut self,
        count: usize,
        each: usize,
        slow: &[Group],
    ) -> anyhow::Result<(Crowd, u32)> {
        let symbols = self.subject.symbols()?;
        let schedule = symbols.map(|symbols| Schedule { symbols, ..self.schedule.clone() });
        let schedule = schedule.as_ref().unwrap_or(self.schedule);
        let wants = schedule.wants(count, each);
        let plan = Plan {
            address: self.subject.address,
            host: &self.subject.address.to_string(),
            trust: self.subject.trust.clone(),
            dialect: &self.subject.dialect,
            symbols: &schedule.symbols,
            wants: &wants,
            at_a_time: AT_A_TIME,
            ramp: 0,
            slow,
            looks: self.looks,
            stamp: (self.stamp, 0),
        };
        let crowd = Crowd::connect(&plan, |_| {})?;
        // Every symbol has as many readers as any other.
        let readers = count * each / schedule.symbols.len();
        Ok((crowd, u32::try_from(readers)?))
    }
}
