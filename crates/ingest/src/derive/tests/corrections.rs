//! Late trades and trades taken back, against bars and totals made of all trades that hold, by time.

use std::collections::BTreeMap;

use model::Correction;

use super::*;

/// What a market may do next.
#[derive(Clone, Debug)]
enum Step {
    /// A trade: price, size, and how many tenths of a second after the newest, or before it.
    Trade(u64, u64, i64),
    /// One of the trades so far is taken back.
    Cancel(usize),
    /// One of them is said anew.
    Correct(usize, u64, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tenths = prop_oneof![6 => 0_i64..30, 2 => -50_i64..0, 1 => -6_000_i64..6_000, 1 => 0_i64..900_000];
    let step = prop_oneof![
        8 => (1_u64..500, 1_u64..500, tenths).prop_map(|(price, size, after)| Step::Trade(price, size, after)),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Cancel(index.index(1 << 16))),
        1 => (any::<prop::sample::Index>(), 1_u64..500, 1_u64..500)
            .prop_map(|(index, price, size)| Step::Correct(index.index(1 << 16), price, size)),
    ];
    prop::collection::vec(step, 1..120)
}

fn told(price: u64, size: u64, id: usize) -> Trade {
    let Body::Trade(trade) = trade(price, size, 0).body else { unreachable!() };
    Trade { id: Some(id.to_string().into()), ..trade }
}

fn correction(id: usize, becomes: Option<Trade>) -> Body {
    Body::Correction(Box::new(Correction { id: id.to_string().into(), original: None, becomes }))
}

/// The bars of all trades that hold, by interval and start.
fn bars(trades: &[(u64, Option<Trade>)]) -> BTreeMap<(Interval, UnixNanos), Candle> {
    let mut by_time: Vec<_> =
        trades.iter().filter_map(|(at, trade)| Some((UnixNanos(*at), trade.as_ref()?))).collect();
    by_time.sort_by_key(|(at, _)| *at);
    let mut bars = BTreeMap::new();
    for interval in Interval::ALL {
        for &(at, Trade { price, size, .. }) in &by_time {
            let start = interval.start_of(at);
            let bar = bars.entry((interval, start)).or_insert(Candle {
                interval,
                start,
                open: *price,
                high: *price,
                low: *price,
                close: *price,
                volume: Decimal::ZERO,
                trades: 0,
                closed: true,
                corrected: false,
            });
            (bar.high, bar.low, bar.close) = (bar.high.max(*price), bar.low.min(*price), *price);
            bar.volume += size.value();
            bar.trades += 1;
        }
    }
    bars
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever comes late, is taken back or is said anew: what was told last of each bar is what it is, and so is
    /// what was told last of the day.
    #[test]
    fn what_was_told_last_is_exact(steps in steps()) {
        let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
        let (mut newest, mut trades, mut told_of) = (START, Vec::<(u64, Option<Trade>)>::new(), 0);
        for step in steps {
            match step {
                Step::Trade(price, size, after) => {
                    let at = newest.saturating_add_signed(after * 100_000_000);
                    newest = newest.max(at);
                    let trade = told(price, size, trades.len());
                    deriver.handle(tick(at, Body::Trade(trade.clone())), &mut out);
                    trades.push((at, Some(trade)));
                }
                Step::Cancel(_) | Step::Correct(..) if trades.is_empty() => {}
                Step::Cancel(index) => {
                    let id = index % trades.len();
                    told_of += u64::from(trades[id].1.is_some());
                    trades[id].1 = None;
                    deriver.handle(tick(newest, correction(id, None)), &mut out);
                }
                Step::Correct(index, price, size) => {
                    let id = index % trades.len();
                    let becomes = told(price, size, id);
                    if trades[id].1.is_some() {
                        told_of += 1;
                        trades[id].1 = Some(becomes.clone());
                    }
                    deriver.handle(tick(newest, correction(id, Some(becomes))), &mut out);
                }
            }
        }
        deriver.handle_time(UnixNanos(newest + 2 * 86_400 * SECOND), &mut out);
        prop_assert_eq!(deriver.totals().exact, told_of);
        prop_assert_eq!(deriver.totals().partial, 0);

        let mut last = BTreeMap::new();
        let mut closed = BTreeMap::new();
        for tick in &out {
            if let Body::Candle(bar) = &tick.body {
                let was_closed = closed.insert((bar.interval, bar.start), bar.closed).unwrap_or(false);
                prop_assert!(!was_closed || (bar.closed && bar.corrected), "told anew, and not as such: {:?}", bar);
                last.insert((bar.interval, bar.start), Candle { corrected: false, ..(**bar).clone() });
            }
        }
        last.retain(|_, bar| bar.trades > 0);
        prop_assert_eq!(last, bars(&trades));

        let ticker = out.iter().rev().find_map(|tick| match &tick.body {
            Body::Ticker(ticker) => Some(ticker),
            _ => None,
        });
        let window = |at: u64| at / (60 * SECOND) + 1_440 > newest / (60 * SECOND);
        let mut day: Vec<_> = trades.iter().filter(|(at, trade)| window(*at) && trade.is_some()).collect();
        day.sort_by_key(|(at, _)| *at);
        let of = |f: fn(&Trade) -> Decimal| day.iter().filter_map(|(_, trade)| trade.as_ref().map(f)).collect::<Vec<_>>();
        let prices = of(|trade| trade.price.value());
        if let Some(ticker) = ticker.filter(|_| !prices.is_empty()) {
            prop_assert_eq!(ticker.last_price.map(Price::value), prices.last().copied());
            prop_assert_eq!(ticker.open.map(Price::value), prices.first().copied());
            prop_assert_eq!(ticker.high.map(Price::value), prices.iter().max().copied());
            prop_assert_eq!(ticker.low.map(Price::value), prices.iter().min().copied());
            prop_assert_eq!(ticker.volume, Some(of(|trade| trade.size.value()).iter().sum()));
        }
    }
}

#[test]
fn a_correction_says_what_it_is_about() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    for (id, price) in [100, 120, 110].into_iter().enumerate() {
        deriver.handle(tick(START + id as u64, Body::Trade(told(price, 10, id))), &mut out);
    }
    out.clear();
    deriver.handle(tick(START + SECOND, correction(1, None)), &mut out);
    let Body::Correction(said) = &out[0].body else { panic!("{:?}", out[0].body) };
    let original = said.original.as_ref().unwrap();
    // Trades 0, 1, 2, and then the correction: two places before it.
    assert_eq!((original.back, original.ts_event), (Some(2), Some(UnixNanos(START + 1))));
    assert_eq!(original.trade, told(120, 10, 1));
    assert_eq!(minutes(&out).iter().map(shown).collect::<Vec<_>>(), ["10.0 11.0 10.0 11.0 v0.20 n2"]);
    let Some(Body::Ticker(ticker)) =
        out.iter().map(|tick| &tick.body).find(|body| matches!(body, Body::Ticker(_)))
    else {
        panic!()
    };
    assert_eq!(ticker.high, Some(told(110, 10, 0).price));
    // What was taken back cannot be taken back again, and what nobody knows neither.
    out.clear();
    deriver.handle(tick(START + SECOND, correction(1, None)), &mut out);
    deriver.handle(tick(START + SECOND, correction(7, None)), &mut out);
    assert_eq!(out.len(), 2, "they are told, and nothing follows");
    let Totals { exact, partial, unknown, .. } = deriver.totals();
    assert_eq!((exact, partial, unknown), (1, 0, 2));
}

#[test]
fn a_bar_without_trades_is_told_to_be_none() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    deriver.handle(tick(START, Body::Trade(told(100, 10, 0))), &mut out);
    deriver.handle(tick(START + 61 * SECOND, Body::Trade(told(100, 10, 1))), &mut out);
    out.clear();
    deriver.handle(tick(START + 62 * SECOND, correction(0, None)), &mut out);
    let minutes = minutes(&out);
    assert_eq!(minutes.iter().map(shown).collect::<Vec<_>>(), ["10.0 10.0 10.0 10.0 v0 n0 closed"]);
    assert!(minutes[0].corrected);
}

/// Of a trade without an id nothing is remembered: what the venue repeats of it is taken out where it can be.
#[test]
fn a_trade_that_nobody_remembers_is_taken_out_as_far_as_that_goes() {
    let (mut deriver, mut out) = (Deriver::new("test"), Vec::new());
    for (n, price) in [100, 120, 110].into_iter().enumerate() {
        deriver.handle(trade(price, 10, START + n as u64 * SECOND / 4), &mut out);
    }
    let Body::Trade(high) = trade(120, 10, START).body else { unreachable!() };
    let original = Original { trade: high, ts_event: Some(UnixNanos(START + SECOND / 4)), back: None };
    let said = Correction { id: "x".into(), original: Some(original), becomes: None };
    out.clear();
    deriver.handle(tick(START + SECOND / 2, Body::Correction(Box::new(said))), &mut out);
    // Which price was the second highest is not known.
    assert_eq!(minutes(&out).iter().map(shown).collect::<Vec<_>>(), ["10.0 12.0 10.0 11.0 v0.20 n2"]);
    let Totals { exact, partial, unknown, .. } = deriver.totals();
    assert_eq!((exact, partial, unknown), (0, 1, 0));
}
