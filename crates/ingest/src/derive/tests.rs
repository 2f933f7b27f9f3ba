//! Bars, day totals and states, each against a plain statement of what they are.

use model::{Candle, Interval, Level, Price, Quote, Side, Size, Trade, Venue};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

mod corrections;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_795_000_020 * SECOND;

fn instrument() -> Arc<Instrument> {
    Arc::new(Instrument::named(Symbol::parse("BTC-USD").unwrap(), Venue::new("test"), "BTCUSD"))
}

fn trade(price: u64, size: u64, at: u64) -> Tick {
    let trade = Trade {
        price: Price::new(Decimal::new(price.cast_signed(), 1)),
        size: Size::new(Decimal::new(size.cast_signed(), 2)).unwrap(),
        side: Side::Buy,
        id: None,
    };
    tick(at, Body::Trade(trade))
}

fn tick(at: u64, body: Body) -> Tick {
    let at = Some(UnixNanos(at));
    Tick { instrument: instrument(), ts_event: at, ts_source: None, ts_recv: at, body }
}

fn play(ticks: impl IntoIterator<Item = Tick>) -> Vec<Tick> {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    for tick in ticks {
        deriver.handle(tick, &mut out);
    }
    out
}

fn minutes(ticks: &[Tick]) -> Vec<Candle> {
    let candles = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Candle(candle) if candle.interval == Interval::M1 => Some((**candle).clone()),
        _ => None,
    });
    candles.collect()
}

fn shown(candle: &Candle) -> String {
    let Candle { open, high, low, close, volume, trades, closed, .. } = candle;
    format!("{open} {high} {low} {close} v{volume} n{trades}{}", if *closed { " closed" } else { "" })
}

/// A venue's own bars stand alone from the first one on.
#[test]
fn bars_of_the_venue_replace_ours() {
    let price = Price::new(Decimal::new(7, 0));
    let bar = Candle {
        interval: Interval::M1,
        start: UnixNanos(START),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Decimal::ONE,
        trades: 0,
        closed: true,
        corrected: false,
    };
    let ticks = [
        tick(START, Body::Candle(Box::new(bar))),
        trade(100, 10, START),
        trade(100, 10, START + 90 * SECOND),
    ];
    assert_eq!(minutes(&play(ticks)).iter().map(shown).collect::<Vec<_>>(), ["7 7 7 7 v1 n0 closed"]);
}

#[test]
fn a_bar_opens_grows_and_closes() {
    let bars = minutes(&play([
        trade(100, 10, START),
        trade(120, 10, START + SECOND / 10),
        trade(90, 10, START + SECOND),
        trade(105, 5, START + 61 * SECOND),
    ]));
    let shown: Vec<_> = bars.iter().map(shown).collect();
    // The second trade is held back: the bar was shown a tenth of a second before.
    assert_eq!(
        shown,
        [
            "10.0 10.0 10.0 10.0 v0.10 n1",
            "10.0 12.0 9.0 9.0 v0.30 n3",
            "10.0 12.0 9.0 9.0 v0.30 n3 closed",
            "10.5 10.5 10.5 10.5 v0.05 n1",
        ]
    );
}

#[test]
fn time_alone_closes_a_bar_after_its_grace() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    deriver.handle(trade(100, 10, START), &mut out);
    let end = Interval::M1.start_of(UnixNanos(START)).0 + 60 * SECOND;
    deriver.handle_time(UnixNanos(end + SECOND / 4), &mut out);
    assert!(minutes(&out).iter().all(|bar| !bar.closed));
    deriver.handle_time(UnixNanos(end + SECOND / 2), &mut out);
    assert_eq!(minutes(&out).last().map(shown).unwrap(), "10.0 10.0 10.0 10.0 v0.10 n1 closed");
}

#[test]
fn a_late_trade_corrects_the_bar_closed_last() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    for tick in [trade(100, 10, START), trade(105, 5, START + 61 * SECOND)] {
        deriver.handle(tick, &mut out);
    }
    out.clear();
    deriver.handle(trade(130, 1, START + SECOND), &mut out);
    assert_eq!(minutes(&out).iter().map(shown).collect::<Vec<_>>(), ["10.0 13.0 10.0 13.0 v0.11 n2 closed"]);
    assert!(minutes(&out)[0].corrected);
    // The one-second bars moved on twice since: there the trade came too late, and is counted as such.
    assert_eq!(deriver.totals().late_trades, 1);
}

#[test]
fn old_trades_belong_into_no_total() {
    let Body::Trade(old) = trade(100, 10, START).body else { unreachable!() };
    assert_eq!(play([tick(START, Body::OldTrade(old))]), []);
}

#[test]
fn a_venue_with_a_ticker_of_its_own_gets_no_other() {
    let own = Ticker { last_price: Some(Price::new(Decimal::ONE)), ..Ticker::default() };
    let out = play([tick(START, Body::Ticker(Box::new(own.clone()))), trade(100, 10, START + 1)]);
    let tickers: Vec<_> = out.iter().filter(|tick| matches!(tick.body, Body::Ticker(_))).collect();
    assert_eq!(tickers.len(), 1);
    assert_eq!(tickers[0].body, Body::Ticker(Box::new(own)));
}

#[test]
fn a_quote_moves_the_ticker_when_its_price_changes() {
    let quote = |price: i64, size: i64| {
        let level = Level {
            price: Price::new(Decimal::new(price, 1)),
            size: Size::new(Decimal::new(size, 0)).unwrap(),
        };
        Body::Quote(Quote::of(Some(level), None, false))
    };
    let out = play([tick(START, quote(10, 1)), tick(START + 1, quote(10, 2)), tick(START + 2, quote(11, 2))]);
    assert_eq!(out.iter().filter(|tick| matches!(tick.body, Body::Ticker(_))).count(), 2);
}

#[test]
fn the_states_of_a_feed() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    deriver.handle(trade(100, 10, START), &mut out);
    let halt = model::StatusChange {
        state: State::Halted,
        reason: "news".into(),
        feed: "venue".into(),
        since: None,
    };
    deriver.handle(tick(START + 1, Body::Status(Box::new(halt))), &mut out);
    deriver.handle_health(Health::Stale, "no feed event for 3000 ms", UnixNanos(START + 5), &mut out);
    deriver.handle_health(Health::Stale, "still", UnixNanos(START + 6), &mut out);
    deriver.handle_health(Health::Live, "events again", UnixNanos(START + 7), &mut out);
    deriver.handle_health(Health::Down, "end of recording", UnixNanos(START + 8), &mut out);
    let states = out.iter().filter_map(|tick| match &tick.body {
        Body::Status(change) => {
            assert_eq!(change.feed.as_ref(), "test", "{change:?}");
            Some((change.state, change.reason.as_ref(), change.since.map(|at| at.0 - START)))
        }
        _ => None,
    });
    assert_eq!(
        states.collect::<Vec<_>>(),
        [
            (State::Open, "first event", None),
            (State::Halted, "news", None),
            (State::Stale, "no feed event for 3000 ms", Some(1)),
            (State::Halted, "events again", None),
            (State::SourceDown, "end of recording", Some(1)),
        ]
    );
}

/// States as they are told, with seconds since the start.
fn states(ticks: &[Tick]) -> Vec<(&str, State, u64, Option<u64>)> {
    let seconds = |at: UnixNanos| (at.0 - START) / SECOND;
    let states = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Status(change) => {
            let at = tick.ts_event.map_or(0, seconds);
            Some((tick.instrument.symbol.as_str(), change.state, at, change.since.map(seconds)))
        }
        _ => None,
    });
    states.collect()
}

#[test]
fn a_silent_symbol_of_a_living_feed_is_quiet() {
    let of = |symbol: &str, tick: Tick| {
        let instrument = Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new("test"), symbol);
        Tick { instrument: Arc::new(instrument), ..tick }
    };
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    deriver.handle(of("A", trade(100, 10, START)), &mut out);
    deriver.handle(of("B", trade(100, 10, START)), &mut out);
    // Nothing at all is heard: who knows why.
    deriver.handle_time(UnixNanos(START + 90 * SECOND), &mut out);
    out.clear();
    // Others have events, or the feed has heartbeats.
    deriver.handle(of("B", trade(100, 10, START + 59 * SECOND)), &mut out);
    deriver.hear(UnixNanos(START + 100 * SECOND));
    deriver.handle_time(UnixNanos(START + 100 * SECOND), &mut out);
    assert_eq!(states(&out), [("A", State::QuietExpected, 100, Some(0))]);
    // One event does not make it lively, two in a row do.
    out.clear();
    deriver.handle(of("A", trade(100, 10, START + 110 * SECOND)), &mut out);
    assert_eq!(states(&out), []);
    deriver.handle(of("A", trade(100, 10, START + 112 * SECOND)), &mut out);
    assert_eq!(states(&out), [("A", State::Open, 112, None)]);
    // A feed that is not alive says nothing of quiet, and a halted symbol is halted.
    out.clear();
    deriver.handle_health(Health::Stale, "silence", UnixNanos(START + 200 * SECOND), &mut out);
    deriver.hear(UnixNanos(START + 300 * SECOND));
    deriver.handle_time(UnixNanos(START + 300 * SECOND), &mut out);
    assert!(states(&out).iter().all(|(_, state, ..)| *state == State::Stale));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The day's totals against the sum over all trades of the window, however they are spread.
    #[test]
    fn day_totals_are_exact(steps in prop::collection::vec((1_u64..500, 1_u64..500, 0_u64..90_000), 1..120)) {
        let (mut deriver, mut at, mut all) = (Deriver::new("test"), START, Vec::new());
        for (price, size, seconds) in steps {
            at += seconds * SECOND;
            all.push((price, size, at / (60 * SECOND)));
            let mut out = Vec::new();
            deriver.handle(trade(price, size, at), &mut out);
            let Some(Body::Ticker(ticker)) =
                out.iter().map(|tick| &tick.body).find(|body| matches!(body, Body::Ticker(_))) else { panic!() };
            let window: Vec<_> =
                all.iter().filter(|(_, _, minute)| minute + 1_440 > at / (60 * SECOND)).collect();
            let price_of = |value: u64| Some(Price::new(Decimal::new(value.cast_signed(), 1)));
            prop_assert_eq!(ticker.open, price_of(window[0].0));
            prop_assert_eq!(ticker.high, window.iter().map(|t| t.0).max().and_then(price_of));
            prop_assert_eq!(ticker.low, window.iter().map(|t| t.0).min().and_then(price_of));
            let volume: u64 = window.iter().map(|t| t.1).sum();
            prop_assert_eq!(ticker.volume, Some(Decimal::new(volume.cast_signed(), 2)));
            prop_assert_eq!(ticker.change, Some(Decimal::new(price.cast_signed() - window[0].0.cast_signed(), 1)));
        }
    }

    /// Closed bars of every interval hold each trade exactly once.
    #[test]
    fn closed_bars_conserve(steps in prop::collection::vec((1_u64..500, 1_u64..500, 0_u64..40), 1..200)) {
        let (mut deriver, mut at, mut volume) = (Deriver::new("test"), START, 0);
        let mut out = Vec::new();
        let count = steps.len() as u64;
        for (price, size, seconds) in steps {
            at += seconds * SECOND / 4;
            volume += size;
            deriver.handle(trade(price, size, at), &mut out);
        }
        deriver.handle_time(UnixNanos(at + 2 * 86_400 * SECOND), &mut out);
        for interval in Interval::ALL {
            let closed: Vec<_> = out.iter().filter_map(|tick| match &tick.body {
                Body::Candle(candle) if candle.interval == interval && candle.closed => Some(candle),
                _ => None,
            }).collect();
            prop_assert!(closed.windows(2).all(|pair| pair[0].start < pair[1].start));
            prop_assert_eq!(closed.iter().map(|candle| candle.trades).sum::<u64>(), count);
            let sum: Decimal = closed.iter().map(|candle| candle.volume).sum();
            prop_assert_eq!(sum, Decimal::new(volume.cast_signed(), 2));
        }
    }
}
