//! What the writer writes is what the schemas say, field for field.

use std::collections::BTreeSet;

use model::{
    Candle, Correction, Interval, Level, Levels, Original, Price, Quote, Seq, Side, Size, State,
    StatusChange, Symbol, Ticker, Trade, TradeSummary, UnixNanos,
};
use rust_decimal::Decimal;

use super::*;
use crate::view::{View, fields_of};
use crate::{BookNotes, Stamp, Writer};

/// The fields of a record that says all it can.
fn written(name: &str) -> BTreeSet<String> {
    let symbol = Symbol::parse("BTC-USD").unwrap();
    let at = UnixNanos(1);
    let stamp = Stamp {
        symbol: &symbol,
        seq: Seq(9),
        prev: Seq(3),
        ts_event: Some(at),
        ts_source: Some(at),
        ts_seq: Some(at),
        ts_recv: Some(at),
    };
    let one = Decimal::ONE;
    let (price, size) = (Price::new(one), Size::new(one).unwrap());
    let level = Level { price, size };
    let mut out = Vec::new();
    let mut view = View::ALL;
    fields_of(KINDS.iter().find(|kind| kind.name == name).unwrap().channel)
        .for_each(|field| assert!(view.add(field), "{field}"));
    let mut writer = Writer::with_view(&mut out, view);
    // Without `..`: who adds a field to the model has to look here.
    match name {
        "Trade" => writer.trade(&stamp, &Trade { price, size, side: Side::Buy, id: Some("1".into()) }, false),
        "Correction" => {
            let trade = |id: &str| Trade { price, size, side: Side::Buy, id: Some(id.into()) };
            let original = Original { trade: trade("1"), ts_event: Some(at), back: Some(2) };
            let becomes = Some(trade("2"));
            writer.correction(&stamp, &Correction { id: "1".into(), original: Some(original), becomes });
        }
        "TradeSummary" => writer.summary(
            &stamp,
            &TradeSummary {
                trades: 2,
                volume: one,
                notional: one,
                buy_volume: one,
                sell_volume: one,
                open: price,
                high: price,
                low: price,
                last: price,
                first_ts_event: at,
                ts_event: at,
                ts_recv: at,
            },
        ),
        "Quote" => {
            let source = || Some(stamp.symbol.clone());
            let quote = Quote::of(Some(level), Some(level), true);
            writer.quote(&stamp, &Quote { bid_source: source(), ask_source: source(), ..quote });
        }
        "Ticker" => writer.ticker(
            &stamp,
            &Ticker {
                last_price: Some(price),
                last_size: Some(size),
                bid: Some(level),
                ask: Some(level),
                open: Some(price),
                high: Some(price),
                low: Some(price),
                volume: Some(one),
                change: Some(one),
                change_percent: Some(one),
            },
        ),
        "Book" => {
            let levels = Levels { bids: vec![level], asks: vec![level] };
            let notes = BookNotes {
                snapshot: false,
                depth: Some(20),
                checksum: Some(1),
                crossed: true,
                locked: true,
            };
            writer.book(&stamp, &levels, notes);
        }
        "Candle" => writer.candle(
            &stamp,
            &Candle {
                interval: Interval::M1,
                start: at,
                open: price,
                high: price,
                low: price,
                close: price,
                volume: one,
                trades: 1,
                closed: true,
                corrected: true,
            },
        ),
        "Status" => writer.status(
            &stamp,
            &StatusChange { state: State::Open, reason: "why".into(), feed: "sim".into(), since: Some(at) },
        ),
        _ => panic!("write a {name} here"),
    }
    let record: Map<String, Value> = serde_json::from_slice(&out).unwrap();
    record.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_field_is_described() {
    for kind in &KINDS {
        let described: BTreeSet<_> =
            schema(kind)["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(written(kind.name), described, "{}", kind.name);
    }
}

/// What can be asked for in `fields` is what there is.
#[test]
fn fields_are_those_of_the_views() {
    for channel in Channel::ALL {
        let kinds = KINDS.iter().filter(|kind| kind.channel == channel);
        let described: BTreeSet<_> = kinds.flat_map(|kind| written(kind.name)).collect();
        let known: BTreeSet<_> = fields_of(channel).map(str::to_owned).collect();
        assert!(described.is_subset(&known), "{channel}: {:?}", described.difference(&known));
        let strange: Vec<_> = known
            .difference(&described)
            .filter(|name| !["summary", "correction", "interval", "start"].contains(&name.as_str()))
            .collect();
        assert!(strange.is_empty(), "{channel} has no {strange:?}");
    }
}
