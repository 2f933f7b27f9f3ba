//! Bars of the past are those that reading everything finds, wherever states stand.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use model::{Body, Candle, Instrument, Interval, Placed, Price, Quote, Seq, Size, Symbol, UnixNanos, Venue};

use super::record;
use crate::{Bars, BarsWanted, Recording};

const SECOND: u64 = 1_000_000_000;
const BEGIN: u64 = 1_795_000_000 * SECOND;

/// A market of two symbols: bars that grow and close, the closed one corrected now and then, holes between them, and
/// quotes that nobody asks for. Its clock is behind that of the venue.
fn market(count: u64) -> Vec<Placed> {
    let instruments = ["BTC-USD", "ETH-USD"]
        .map(|symbol| Arc::new(Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("v"), symbol)));
    let mut seqs = BTreeMap::<(usize, u64), u64>::new();
    let mut records = Vec::new();
    let mut put = |which: usize, stream: u64, n: u64, body: Body| {
        let seq = seqs.entry((which, stream)).or_default();
        *seq += 1;
        records.push(Placed {
            instrument: Arc::clone(&instruments[which]),
            seq: Seq(*seq),
            position: records.len() as u64 + 1,
            ts_event: UnixNanos(BEGIN + n * SECOND / 2),
            ts_source: None,
            ts_recv: UnixNanos(BEGIN - 40 * SECOND + n * SECOND / 2),
            body,
        });
    };
    let bar = |interval: Interval, start: u64, trades: u64, closed: bool| {
        let price = Price::parse(&format!("{}.50", 100 + trades)).unwrap();
        let (open, high, low, close) = (price, price, price, price);
        let (start, volume) = (UnixNanos(start), Size::parse("1").unwrap().value());
        let corrected = false;
        Body::Candle(Box::new(Candle {
            interval,
            start,
            open,
            high,
            low,
            close,
            volume,
            trades,
            closed,
            corrected,
        }))
    };
    for n in 0..count {
        let which = usize::from(n % 7 == 0);
        put(which, 9, n, Body::Quote(Quote::of(None, None, false)));
        // Nothing is traded for a while.
        if n % 1_000 > 900 {
            continue;
        }
        for interval in [Interval::S1, Interval::M1] {
            let at = UnixNanos(BEGIN + n * SECOND / 2);
            let (start, step) = (interval.start_of(at).0, interval.nanos());
            if n % 11 == 3 && n % 1_000 > 200 {
                put(which, interval as u64, n, bar(interval, start - step, n + 100_000, true));
            }
            put(which, interval as u64, n, bar(interval, start, n, n % 2 == 1));
        }
    }
    records
}

fn ends(bars: &[Placed]) -> Vec<(u64, u64)> {
    let of = |record: &Placed| match &record.body {
        Body::Candle(bar) => (bar.start.0, bar.trades),
        _ => unreachable!("only bars are found"),
    };
    bars.iter().map(of).collect()
}

/// What reading everything finds.
fn all(records: &[Placed], wanted: &BarsWanted) -> Vec<(u64, u64)> {
    let mut found = BTreeMap::new();
    for record in records.iter().filter(|record| record.ts_recv < wanted.until) {
        if let Body::Candle(bar) = &record.body
            && record.instrument.symbol == wanted.symbol
            && bar.interval == wanted.interval
            && (wanted.from..wanted.to).contains(&bar.start)
        {
            found.insert(bar.start.0, bar.trades);
        }
    }
    let found = found.into_iter();
    if wanted.backwards { found.rev().collect() } else { found.collect() }
}

/// Page after page, to the end.
fn walk(recording: &Recording, mut wanted: BarsWanted) -> Vec<(u64, u64)> {
    let mut told = Vec::new();
    loop {
        let Bars { bars, more, damages } = recording.bars(&wanted).unwrap();
        assert!(damages.is_empty() && bars.len() <= wanted.most);
        let page = ends(&bars);
        let last = page.last().copied();
        told.extend(page);
        if !more {
            return told;
        }
        let (last, _) = last.expect("there is at least one where there may be more");
        if wanted.backwards {
            wanted.to = UnixNanos(last);
        } else {
            wanted.from = UnixNanos(last + 1);
        }
    }
}

fn wanted(symbol: &str, interval: Interval) -> BarsWanted {
    let (from, to, until) = (UnixNanos(0), UnixNanos(u64::MAX), UnixNanos(u64::MAX));
    let symbol = Symbol::parse(symbol).unwrap();
    BarsWanted { symbol, interval, from, to, backwards: true, most: 50, until }
}

#[test]
fn bars_are_found_as_reading_everything_finds_them() {
    let folder = tempfile::tempdir().unwrap();
    let records = market(3_000);
    for (n, (step, segment_bytes)) in [(97, 16_384), (400, 60_000), (3_000, 1 << 30)].into_iter().enumerate()
    {
        let folder = folder.path().join(format!("r{n}"));
        record(&folder, &records, step, segment_bytes);
        let recording = Recording::open(&folder).unwrap();
        for (symbol, interval, backwards, most) in [
            ("BTC-USD", Interval::S1, true, 50),
            ("BTC-USD", Interval::S1, false, 50),
            ("ETH-USD", Interval::S1, true, 7),
            ("ETH-USD", Interval::M1, false, 3),
            ("BTC-USD", Interval::M1, true, 1_000),
        ] {
            let whole = BarsWanted { backwards, most, ..wanted(symbol, interval) };
            assert_eq!(walk(&recording, whole.clone()), all(&records, &whole), "{whole:?}");
            for (from, to, until) in
                [(200, 900, 9_000), (449, 500, 9_000), (1_000, 1_001, 9_000), (0, 9_000, 700)]
            {
                let at = |second: u64| UnixNanos(BEGIN + second * SECOND);
                let part = BarsWanted { from: at(from), to: at(to), until: at(until), ..whole.clone() };
                assert_eq!(walk(&recording, part.clone()), all(&records, &part), "{part:?}");
            }
        }
        assert!(recording.bars(&wanted("SOL-USD", Interval::S1)).unwrap().bars.is_empty());
        assert!(recording.bars(&wanted("BTC-USD", Interval::D1)).unwrap().bars.is_empty());
    }
}

/// What was lost is told, and the rest is as it was.
#[test]
fn bars_are_found_around_damage() {
    let folder = tempfile::tempdir().unwrap();
    let records = market(2_000);
    let folder = folder.path().join("r");
    record(&folder, &records, 50, 30_000);
    let wanted = BarsWanted { most: 5_000, ..wanted("BTC-USD", Interval::S1) };
    let whole = ends(&Recording::open(&folder).unwrap().bars(&wanted).unwrap().bars);
    let path = crate::segment::list(&folder).unwrap().swap_remove(1);
    let mut bytes = fs::read(&path).unwrap();
    // In the middle of a segment: records; at its beginning: a state.
    for at in [bytes.len() / 2, 200] {
        bytes[at] ^= 0xff;
        fs::write(&path, &bytes).unwrap();
        let found = Recording::open(&folder).unwrap().bars(&wanted).unwrap();
        let left = ends(&found.bars);
        assert!(left.len() > whole.len() / 2, "{} of {}", left.len(), whole.len());
        assert_eq!(left[..20], whole[..20]);
        assert!(!found.damages.is_empty());
    }
}
