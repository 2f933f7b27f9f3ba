//! A row of trades in memory, as `benches/python/rows.py` has them: to a tick, to its place, and by hand with libraries.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use fanout::Sequencer;
use ingest::capture::Input;
use ingest::{Reader, Step};
use load::now;
use model::Tick;
use rust_decimal::Decimal;

use super::Case;

const ROWS: usize = 200_000;
/// Ticks that are looked at together.
const BATCH: usize = 256;

pub(super) fn cases() -> anyhow::Result<Vec<Case>> {
    let text: Arc<[u8]> = text()?.into_bytes().into();
    open(&text)?;
    let (ticks, events, by_hand) = (text.clone(), text.clone(), text);
    let case = |name, round: Box<dyn FnMut() -> Duration>| Case { name, operations: ROWS, round };
    Ok(vec![
        case(
            "a row of trades to a tick",
            Box::new(move || timed(|| read(&ticks, |batch| drop(black_box(batch))))),
        ),
        case("a row of trades to a sequenced event", Box::new(move || timed(|| sequence(&events)))),
        case(
            "a row of trades by the csv crate and rust_decimal",
            Box::new(move || timed(|| libraries(&by_hand))),
        ),
    ])
}

/// How long it takes; what fails takes no time, which nobody takes for a figure.
fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> Duration {
    let began = Instant::now();
    work().map_or(Duration::ZERO, |()| began.elapsed())
}

fn text() -> anyhow::Result<String> {
    let mut text = String::from("timestamp,price,quantity,side,tradeId\n");
    for n in 0..ROWS {
        let (cents, milli) = (8_101 + n * 7 % 331, 1 + n * 7_919 % 99_991);
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        let size = format!("{}.{:03}", milli / 1_000, milli % 1_000);
        let (time, side) = (1_750_536_000_955 + n * 3, if n % 3 == 0 { "sell" } else { "buy" });
        writeln!(text, "{time},{price},{size},{side},{}", 293_542_600 + n)?;
    }
    Ok(text)
}

fn open(text: &Arc<[u8]>) -> anyhow::Result<Reader> {
    let mut reader = ingest::reader("csv", &ingest::Options::default())?;
    reader.open(Input::new(Box::new(Cursor::new(text.clone())), None)?);
    Ok(reader)
}

fn read(text: &Arc<[u8]>, mut batch: impl FnMut(std::vec::Drain<'_, Tick>)) -> anyhow::Result<()> {
    let mut reader = open(text)?;
    let mut ticks = Vec::<Tick>::new();
    let mut rows = 0;
    loop {
        let step = reader.step(&mut ticks);
        if let Step::Broken { spot, error } = step {
            anyhow::bail!("{spot}: {error}");
        }
        let ended = matches!(step, Step::End);
        if ended || ticks.len() >= BATCH {
            rows += ticks.len();
            batch(ticks.drain(..));
        }
        if ended {
            anyhow::ensure!(rows == ROWS, "{rows} rows were read");
            return Ok(());
        }
    }
}

fn sequence(text: &Arc<[u8]>) -> anyhow::Result<()> {
    let (mut sequencer, now) = (Sequencer::default(), now());
    let mut last = None;
    read(text, |batch| {
        for tick in batch {
            last = sequencer.push(tick, now).ok().flatten();
        }
    })?;
    last.context("the last row has a place").map(|event| drop(black_box(event)))
}

/// What a program does that has no use for a market data library.
fn libraries(text: &Arc<[u8]>) -> anyhow::Result<()> {
    let mut reader = csv::Reader::from_reader(&text[..]);
    let (mut row, mut rows) = (csv::StringRecord::new(), 0);
    while reader.read_record(&mut row)? {
        let cell = |at: usize| row.get(at).context("a cell");
        let time = cell(0)?.parse::<u64>()? * 1_000_000;
        let (price, size) = (Decimal::from_str_exact(cell(1)?)?, Decimal::from_str_exact(cell(2)?)?);
        let (is_sell, id) = (cell(3)? == "sell", Box::<str>::from(cell(4)?));
        black_box((time, price, size, is_sell, id));
        rows += 1;
    }
    anyhow::ensure!(rows == ROWS, "{rows} rows were read");
    Ok(())
}
