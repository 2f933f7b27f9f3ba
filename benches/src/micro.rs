//! Single steps, each in a loop: what one costs in units of a loop of plain arithmetic, so that figures
//! of one run can be compared on a machine that others use, too.

mod rows;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use fanout::limits::LogLimits;
use fanout::{Event, Fanout, Options, Sequencer, SessionId};
use ingest::Step;
use ingest::capture::Input;
use load::now;
use model::{Channel, Tick};
use serde_json::{Value, json};
use wire::{Cursor, Envelope, Epoch, ServerMessage, Stamp, Writer, close_data, open_data};

use crate::quotes::Quotes;
use crate::subject::Cores;

#[derive(Args)]
pub(crate) struct MicroArgs {
    /// Only the steps whose name has this in it
    #[arg(long, default_value = "")]
    only: String,
    /// Rounds of each step; the quickest one counts
    #[arg(long, default_value_t = ROUNDS, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
}

/// What a step came to.
pub(crate) struct Cost {
    name: &'static str,
    nanos: f64,
    /// In terms of [`UNIT`] steps of arithmetic.
    units: f64,
}

/// A step: one round of it, and how many operations that is.
struct Case {
    name: &'static str,
    operations: usize,
    round: Box<dyn FnMut() -> Duration>,
}

/// Rounds of each step, unless told otherwise.
pub(crate) const ROUNDS: u32 = 20;
const READERS: usize = 1_000;
const EVENTS: usize = 100;
/// Steps of the arithmetic that are one unit.
const UNIT: u64 = 1_000;
const RECORDING: &str = include_str!("../../feeds/recordings/sim.jsonl");

pub(crate) fn run(args: &MicroArgs) -> anyhow::Result<()> {
    Cores::choose();
    print!("{}", table(&measure(&args.only, args.rounds)?));
    Ok(())
}

/// Measures the steps whose name has `only` in it.
pub(crate) fn measure(only: &str, rounds: u32) -> anyhow::Result<Vec<Cost>> {
    let mut costs = Vec::new();
    for mut case in cases()?.into_iter().filter(|case| case.name.contains(only)) {
        // The unit is measured in between: whatever slows one of them slows the other.
        let (mut unit, mut best) = (Duration::MAX, Duration::MAX);
        for _ in 0..rounds {
            unit = unit.min(arithmetic());
            best = best.min((case.round)());
        }
        let nanos = best.as_secs_f64() * 1e9 / case.operations as f64;
        costs.push(Cost { name: case.name, nanos, units: nanos / (unit.as_secs_f64() * 1e9) });
    }
    Ok(costs)
}

/// For people.
pub(crate) fn table(costs: &[Cost]) -> String {
    let head = format!("| step | ns | units of {UNIT} steps of arithmetic |\n|---|---|---|\n");
    let row = |cost: &Cost| format!("| {} | {:.1} | {:.3} |\n", cost.name, cost.nanos, cost.units);
    costs.iter().map(row).fold(head, |table, row| table + &row)
}

impl Cost {
    pub(crate) fn json(&self) -> Value {
        json!({"step": self.name, "ns": self.nanos, "units": self.units})
    }
}

/// How long a unit takes.
fn arithmetic() -> Duration {
    let began = Instant::now();
    for _ in 0..UNIT {
        let mut value = black_box(88_172_645_463_325_252_u64);
        for _ in 0..UNIT {
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
        }
        black_box(value);
    }
    began.elapsed() / u32::try_from(UNIT).unwrap_or(1)
}

fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = vec![normalise()?];
    cases.extend(rows::cases()?);
    cases.extend([publish()?, drain(1)?, drain(EVENTS)?, encode()?, decode()?]);
    Ok(cases)
}

/// A line of a recording to ticks.
fn normalise() -> anyhow::Result<Case> {
    let open = || {
        anyhow::Ok((
            ingest::reader("sim", &ingest::Options::default())?,
            Input::new(Box::new(RECORDING.as_bytes()), None)?,
        ))
    };
    open()?;
    let round = move || {
        let Ok((mut reader, input)) = open() else { return Duration::ZERO };
        let mut ticks = Vec::<Tick>::new();
        reader.open(input);
        let began = Instant::now();
        while !matches!(reader.step(&mut ticks), Step::End) {
            black_box(&ticks);
            ticks.clear();
        }
        began.elapsed()
    };
    Ok(Case { name: "normalise a line", operations: RECORDING.lines().count(), round: Box::new(round) })
}

/// A fan-out with readers of one symbol, and events of it.
struct Market {
    fanout: Fanout,
    sessions: Vec<SessionId>,
    quotes: Quotes,
    sequencer: Sequencer,
}

impl Market {
    fn new() -> anyhow::Result<Self> {
        let (mut quotes, mut sequencer) = (Quotes::new(&["S000-USD".to_owned()])?, Sequencer::default());
        let mut fanout = Fanout::new(LogLimits::default());
        let first = sequencer.push(quotes.next(0, now()), now())?.context("an event")?;
        fanout.publish(&first, Duration::ZERO);
        let mut sessions = Vec::new();
        for _ in 0..READERS {
            let session = fanout.open_session();
            fanout.subscribe(session, first.topic, Options::default())?;
            sessions.push(session);
        }
        let mut market = Self { fanout, sessions, quotes, sequencer };
        market.drain();
        Ok(market)
    }

    fn events(&mut self, count: usize) -> Vec<Arc<Event>> {
        let Self { quotes, sequencer, .. } = self;
        let event = |_| sequencer.push(quotes.next(0, now()), now()).ok().flatten();
        (0..count).filter_map(event).collect()
    }

    fn publish(&mut self, events: &[Arc<Event>]) {
        for event in events {
            self.fanout.publish(event, Duration::ZERO);
        }
    }

    fn drain(&mut self) {
        self.fanout.take_ready(&mut Vec::new());
        for &session in &self.sessions {
            black_box(self.fanout.drain(session, BUDGET, Duration::ZERO));
        }
    }
}

const BUDGET: usize = 256 << 10;

/// An event that 1,000 readers wait for.
fn publish() -> anyhow::Result<Case> {
    let mut market = Market::new()?;
    let round = move || {
        let mut spent = Duration::ZERO;
        for event in market.events(EVENTS) {
            let began = Instant::now();
            market.publish(&[event]);
            spent += began.elapsed();
            market.drain();
        }
        spent
    };
    Ok(Case { name: "publish, a reader", operations: EVENTS * READERS, round: Box::new(round) })
}

/// A reader that lacks so many events.
fn drain(events: usize) -> anyhow::Result<Case> {
    let mut market = Market::new()?;
    let round = move || {
        let events = market.events(events);
        market.publish(&events);
        let began = Instant::now();
        market.drain();
        began.elapsed()
    };
    let (name, operations) = if events == 1 {
        ("drain one event", READERS)
    } else {
        ("drain of 100 events, an event", READERS * events)
    };
    Ok(Case { name, operations, round: Box::new(round) })
}

/// An update as text.
fn update(event: &Event) -> Vec<u8> {
    let (mut out, epoch) = (Vec::with_capacity(512), Epoch::from_seed(1));
    let stamp = Stamp {
        symbol: &event.instrument.symbol,
        seq: event.seq,
        prev: event.seq.prev(),
        ts_event: Some(event.ts_event),
        ts_source: event.ts_source,
        ts_seq: None,
        ts_recv: Some(event.ts_recv),
    };
    let (kind, channel) = ("update", Channel::Quotes);
    let cursor = &Cursor { epoch, position: event.position };
    open_data(&mut out, &Envelope { kind, channel, replay: None, cursor, as_of: None, ts_sent: None });
    Writer::new(&mut out).body(&stamp, &event.body);
    close_data(&mut out, &[]);
    out
}

fn encode() -> anyhow::Result<Case> {
    let events = Market::new()?.events(EVENTS);
    let round = move || {
        let began = Instant::now();
        for event in &events {
            black_box(update(event));
        }
        began.elapsed()
    };
    Ok(Case { name: "encode an update", operations: EVENTS, round: Box::new(round) })
}

fn decode() -> anyhow::Result<Case> {
    let events = Market::new()?.events(EVENTS);
    let texts = events.iter().map(|event| String::from_utf8(update(event)));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    ServerMessage::parse(&texts[0])?;
    let round = move || {
        let began = Instant::now();
        for text in &texts {
            let _ = black_box(ServerMessage::parse(text));
        }
        began.elapsed()
    };
    Ok(Case { name: "decode an update", operations: EVENTS, round: Box::new(round) })
}
