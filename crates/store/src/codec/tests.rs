//! Every record comes back digit for digit, and no bytes are too much for the decoder.

use std::sync::Arc;

use model::{
    Body, BookChange, Candle, Correction, Definition, FeedGap, GapReason, Instrument, Interval, Level,
    Levels, Original, Placed, Price, Quote, Seq, Side, Size, State, StatusChange, Symbol, Ticker, Trade,
    UnixNanos, Venue,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Decoder, Encoder};

/// Any decimal, and often one near others.
fn decimal() -> impl Strategy<Value = Decimal> {
    let small = (0..5_000_i64, 0..4_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    let any = (0..96_u32, any::<i128>(), 0..=28_u32)
        .prop_map(|(bits, digits, scale)| Decimal::from_i128_with_scale(digits >> (127 - bits), scale));
    prop_oneof![4 => small, 1 => any]
}

fn price() -> impl Strategy<Value = Price> {
    decimal().prop_map(Price::new)
}

fn size() -> impl Strategy<Value = Size> {
    decimal().prop_map(|value| Size::new(value.abs()).unwrap())
}

fn level() -> impl Strategy<Value = Level> {
    (price(), size()).prop_map(|(price, size)| Level { price, size })
}

fn levels() -> impl Strategy<Value = Levels> {
    let side = || prop::collection::vec(level(), 0..5);
    (side(), side()).prop_map(|(bids, asks)| Levels { bids, asks })
}

fn trade() -> impl Strategy<Value = Body> {
    let id = prop_oneof![
        Just(None),
        any::<u64>().prop_map(|id| Some(id.to_string())),
        (1..4_u64).prop_map(|id| Some(id.to_string())),
        "[0-9a-z-]{0,40}".prop_map(Some),
    ];
    let side = prop::sample::select(vec![Side::Buy, Side::Sell, Side::Unknown]);
    (price(), size(), side, id)
        .prop_map(|(price, size, side, id)| Body::Trade(Trade { price, size, side, id: id.map(Into::into) }))
}

fn ticker() -> impl Strategy<Value = Body> {
    let value = || prop::option::of(decimal());
    (
        prop::option::of(level()),
        prop::option::of(level()),
        [value(), value(), value(), value(), value(), value()],
    )
        .prop_map(|(bid, ask, [last, open, high, low, volume, change])| {
            let price = |value: Option<Decimal>| value.map(Price::new);
            let ticker = Ticker {
                last_price: price(last),
                last_size: last.map(|last| Size::new(last.abs()).unwrap()),
                bid,
                ask,
                open: price(open),
                high: price(high),
                low: price(low),
                volume,
                ..Ticker::default()
            };
            let following = change.is_none();
            let ticker = if following { ticker.with_change() } else { Ticker { change, ..ticker } };
            Body::Ticker(Box::new(ticker))
        })
}

fn correction() -> impl Strategy<Value = Body> {
    let told = |body: Body| if let Body::Trade(trade) = body { Some(trade) } else { None };
    let original = (trade(), prop::option::of(any::<u32>()), prop::option::of(any::<u64>())).prop_map(
        move |(body, at, back)| {
            told(body).map(|trade| Original { trade, ts_event: at.map(|at| UnixNanos(at.into())), back })
        },
    );
    let original = prop_oneof![3 => original, 1 => Just(None)];
    ("[a-z0-9]{1,9}", original, prop::option::of(trade())).prop_map(move |(id, original, becomes)| {
        let becomes = becomes.and_then(told);
        Body::Correction(Box::new(Correction { id: id.into(), original, becomes }))
    })
}

fn candle() -> impl Strategy<Value = Body> {
    let interval = prop::sample::select(Interval::ALL.to_vec());
    let told = prop::sample::select(vec![(false, false), (true, false), (true, true), (false, true)]);
    (interval, any::<u32>(), [price(), price(), price(), price()], decimal(), any::<u64>(), told).prop_map(
        |(interval, start, [open, high, low, close], volume, trades, (closed, corrected))| {
            let start = UnixNanos(u64::from(start));
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
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let side = || {
        let source = prop::option::of("[A-Z][A-Z.-]{0,8}").prop_map(|name| Symbol::parse(&name?).ok());
        (prop::option::of(level()), source)
    };
    let quote =
        (side(), side(), any::<bool>()).prop_map(|((bid, bid_source), (ask, ask_source), derived)| {
            Body::Quote(Quote { bid, ask, derived, bid_source, ask_source })
        });
    let reason = prop::sample::select(GapReason::ALL.to_vec());
    let gap =
        (reason, any::<Option<u64>>(), any::<Option<u64>>()).prop_map(|(reason, venue_from, venue_to)| {
            Body::Book(BookChange::Gap(FeedGap { reason, venue_from, venue_to }))
        });
    let state = prop::sample::select(State::ALL.to_vec());
    let status =
        (state, ".{0,9}", "[a-z]{0,9}", any::<Option<u64>>()).prop_map(|(state, reason, feed, since)| {
            let since = since.map(UnixNanos);
            Body::Status(Box::new(StatusChange { state, reason: reason.into(), feed: feed.into(), since }))
        });
    prop_oneof![
        trade(),
        correction(),
        quote,
        ticker(),
        candle(),
        levels().prop_map(|levels| Body::Book(BookChange::Snapshot(levels))),
        levels().prop_map(|levels| Body::Book(BookChange::Delta(levels))),
        gap,
        status,
    ]
}

/// Records of a few symbols, in a total order with holes.
pub(crate) fn records(most: usize) -> impl Strategy<Value = Vec<Placed>> {
    let step = prop_oneof![4 => Just(1_u64), 1 => 1..1_000_u64];
    let one = (0..3_usize, step.clone(), step, any::<u32>(), any::<i32>(), body());
    prop::collection::vec(one, 0..most).prop_map(|told| {
        let instruments: Vec<_> = ["BTC-USD", "ETH-USD", "X"].map(instrument).into();
        let (mut position, mut seqs, mut recv) = (0, [0; 3], 1_795_000_000_000_000_000_u64);
        let record = |(symbol, step, ahead, passed, event, body): (usize, u64, u64, u32, i32, Body)| {
            position += step;
            seqs[symbol] += ahead;
            recv += u64::from(passed);
            Placed {
                instrument: Arc::clone(&instruments[symbol]),
                seq: Seq(seqs[symbol]),
                position,
                ts_event: UnixNanos(recv.saturating_add_signed(event.into())),
                ts_source: (event % 3 == 0).then(|| UnixNanos(recv - u64::from(event.unsigned_abs()))),
                ts_recv: UnixNanos(recv),
                body,
            }
        };
        told.into_iter().map(record).collect()
    })
}

fn instrument(symbol: &str) -> Arc<Instrument> {
    let tick_size = (symbol.len() > 1).then(|| Decimal::new(1, 2));
    let named = Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("sim"), symbol);
    let definition = Definition { tick_size, ..Definition::default() };
    Arc::new(Instrument { definition, ..named })
}

fn block(records: &[Placed]) -> Vec<u8> {
    let mut encoder = Encoder::new(1).unwrap();
    // What was before says nothing in the next block.
    records.iter().take(3).for_each(|record| encoder.push(record));
    encoder.finish();
    for record in records {
        encoder.push(record);
    }
    encoder.finish()
}

/// Every digit counts, also those that are equal in value.
fn told(records: &[Placed]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

proptest! {
    #[test]
    fn every_record_comes_back_digit_for_digit(records in records(40)) {
        let decoded = Decoder::new().unwrap().decode(&block(&records), records.len()).unwrap();
        prop_assert_eq!(told(&decoded), told(&records));
        prop_assert_eq!(decoded, records);
    }

    /// The checksum keeps such blocks away; whoever makes one with a good checksum gets an answer all the same.
    #[test]
    fn no_bytes_are_too_much(records in records(20), flips in prop::collection::vec((any::<usize>(), 0..8_u8), 1..4), cut: usize) {
        let mut bytes = block(&records);
        for (at, bit) in flips {
            let length = bytes.len();
            bytes[at % length] ^= 1 << bit;
        }
        let _ = Decoder::new().unwrap().decode(&bytes, records.len());
        bytes.truncate(cut % bytes.len());
        let _ = Decoder::new().unwrap().decode(&bytes, records.len());
    }
}

/// A few bytes that claim to be very many.
#[test]
fn a_bomb_is_refused() {
    let zeros = zstd::bulk::compress(&vec![0; 1 << 28], 19).unwrap();
    let mut block = Vec::new();
    super::varint::put(&mut block, 1 << 28);
    super::varint::put(&mut block, zeros.len() as u128);
    block.extend(&zeros);
    assert!(Decoder::new().unwrap().decode(&block, 0).is_err());
    // And one that claims to be less than it is.
    let mut block = Vec::new();
    super::varint::put(&mut block, 100);
    super::varint::put(&mut block, zeros.len() as u128);
    block.extend(&zeros);
    assert!(Decoder::new().unwrap().decode(&block, 0).is_err());
}

/// What versions before there were definitions have written.
#[test]
fn instruments_of_older_recordings_read() {
    let text =
        r#"{"symbol":"BTC-USD","venue":"sim","venue_symbol":"BTCUSD","tick_size":null,"lot_size":"0.010"}"#;
    let read: Instrument = serde_json::from_str(text).unwrap();
    let definition = Definition { lot_size: Some(Decimal::new(10, 3)), ..Definition::default() };
    let named = Instrument::named(Symbol::parse("BTC-USD").unwrap(), Venue::new("sim"), "BTCUSD");
    assert_eq!(read, Instrument { definition, ..named });
    let again: Instrument = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
}
