//! Pages of a market that goes on, read from a fan-out as a shard reads it.

use std::sync::Arc;
use std::time::Duration;

use fanout::limits::LogLimits;
use fanout::{Fanout, Sequencer};
use model::{
    Body, Candle, Channel, Instrument, Interval, Price, Quote, Side, Size, Symbol, Tick, Trade, UnixNanos,
    Venue,
};
use serde_json::Value;
use wire::Epoch;

use super::asked::Asked;
use super::page::Page;
use super::{CANDLES, HISTORY};
use crate::limits::{PAGE_EVENTS_MAX, PIECE_EVENTS_MAX};

/// The time of the first event. Event n is n seconds later.
const BEGIN: u64 = 1_795_000_000_000_000_000;

struct Market {
    sequencer: Sequencer,
    fanout: Fanout,
    epoch: Epoch,
    count: u64,
}

impl Market {
    fn new(events: usize) -> Self {
        let limits = LogLimits { events, bytes: usize::MAX, closed_bars: 20, ..LogLimits::default() };
        let (sequencer, fanout) = (Sequencer::default(), Fanout::new(limits));
        Self { sequencer, fanout, epoch: Epoch::from_seed(7), count: 0 }
    }

    fn publish(&mut self, channel: Channel) {
        self.count += 1;
        let at = UnixNanos(BEGIN + self.count * 1_000_000_000);
        let price = Price::parse(&format!("{}.50", 100 + self.count)).unwrap();
        let size = Size::parse("0.010").unwrap();
        let body = match channel {
            Channel::Trades => Body::Trade(Trade { price, size, side: Side::Buy, id: None }),
            Channel::Quotes => Body::Quote(Quote::of(None, None, false)),
            _ => {
                let (volume, interval) = (size.value(), Interval::S1);
                let (open, high, low, close, trades) = (price, price, price, price, 1);
                let closed = self.count.is_multiple_of(2);
                let start = UnixNanos(BEGIN + self.count / 2 * 2_000_000_000);
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
                    corrected: false,
                }))
            }
        };
        let instrument = Instrument::named(Symbol::parse("BTC-USD").unwrap(), Venue::new("v"), "BTCUSD");
        let tick = Tick {
            instrument: Arc::new(instrument),
            ts_event: Some(at),
            ts_source: None,
            ts_recv: Some(at),
            body,
        };
        let event = self.sequencer.push(tick, at).unwrap().unwrap();
        self.fanout.publish(&event, Duration::ZERO);
    }

    /// The page at a URL; `between` says how many trades come between its pieces.
    fn page(&mut self, url: &str, between: usize) -> Value {
        let path = if url.starts_with(CANDLES) { CANDLES } else { HISTORY };
        let channel = (path == CANDLES).then_some(Channel::Candles);
        let (_, asked) = Asked::parse(&url.parse().unwrap(), path, channel).unwrap();
        let mut page = Page::new(&asked);
        loop {
            let piece = page.piece();
            assert!(piece.wanted.most <= PIECE_EVENTS_MAX, "a shard is not kept for longer");
            let reading = piece.read(&self.fanout, &self.epoch, &asked.symbol, (asked.stream, 0)).unwrap();
            if !page.take(reading) {
                return serde_json::from_slice(&page.finish().unwrap()).unwrap();
            }
            (0..between).for_each(|_| self.publish(Channel::Trades));
        }
    }
}

fn sequences(page: &Value) -> Vec<u64> {
    page["data"].as_array().unwrap().iter().map(|record| record["sequence"].as_u64().unwrap()).collect()
}

/// Follows `next` to its end, from the beginning or from the newest, while trades come between pages and pieces.
fn walk(events: usize, limits: &[usize], between: usize, backwards: bool) {
    let mut market = Market::new(events);
    (0..events + events / 3).for_each(|_| market.publish(Channel::Trades));
    let order = if backwards { "desc" } else { "asc" };
    let mut url = format!("/v1/history?channel=trades&symbol=BTC-USD&order={order}&from_sequence=1");
    let mut told = Vec::new();
    for at in 0.. {
        // Whoever follows may want more or less at a time.
        let limit = limits[at % limits.len()];
        url = url.split("&limit=").next().unwrap().to_owned() + &format!("&limit={limit}");
        let page = market.page(&url, between);
        let gap = &page["gap"];
        let gone = gap.is_object().then(|| {
            let ends = [&gap["from_sequence"], &gap["to_sequence"]].map(|end| end.as_u64().unwrap());
            assert_eq!(gap["count"], ends[1] - ends[0] + 1);
            ends[0]..=ends[1]
        });
        let given = sequences(&page);
        assert!(given.len() <= limit);
        if backwards {
            told.extend(given);
            told.extend(gone.into_iter().flat_map(Iterator::rev));
        } else {
            told.extend(gone.into_iter().flatten());
            told.extend(given);
        }
        let Some(next) = page["next"].as_str() else { break };
        url = next.to_owned();
        (0..between).for_each(|_| market.publish(Channel::Trades));
        if told.len() > 4 * events {
            break;
        }
    }
    if backwards {
        let newest = told[0];
        assert!(told.iter().copied().eq((1..=newest).rev()), "{told:?}");
    } else {
        assert!(told.iter().copied().eq(1..=told.len() as u64), "{told:?}");
    }
}

#[test]
fn pages_and_gaps_tile() {
    for limits in [&[1][..], &[2, 700], &[511], &[512], &[513, 1, 1_499], &[5_000]] {
        for between in [0, 1, 3, 40, 200, 600] {
            for backwards in [false, true] {
                walk(1_300, limits, between, backwards);
            }
        }
    }
}

#[test]
fn a_range_that_begins_before_what_is_kept_says_so() {
    let mut market = Market::new(600);
    (0..1_000).for_each(|_| market.publish(Channel::Trades));
    let ask = |market: &mut Market, query: &str| {
        market.page(&format!("/v1/history?channel=trades&symbol=BTC-USD&{query}"), 0)
    };
    let gap = |from: u64, to: u64| serde_json::json!({"from_sequence": from, "to_sequence": to, "count": to - from + 1, "reason": "not_kept"});
    let all = ask(&mut market, "limit=5");
    assert_eq!((sequences(&all), &all["gap"]), (vec![401, 402, 403, 404, 405], &Value::Null));
    assert_eq!([&all["oldest_sequence"], &all["newest_sequence"]], [401, 1_000]);
    assert_eq!(all["cursor"], "7:405");
    assert_eq!(
        all["next"],
        "/v1/history?channel=trades&symbol=BTC-USD&from_sequence=406&cursor=7:405&limit=5"
    );
    assert_eq!(all["data"][0]["price"], "501.50");
    for (query, wanted, missing) in [
        ("from_sequence=390&limit=2", vec![401, 402], gap(390, 400)),
        ("from_sequence=401&to_sequence=402", vec![401, 402], Value::Null),
        ("from_sequence=10&to_sequence=20", vec![], gap(10, 20)),
        ("cursor=7:396&limit=1", vec![401], gap(397, 400)),
        ("cursor=7:400&limit=1", vec![401], Value::Null),
        ("order=desc&from_sequence=390&limit=2", vec![1_000, 999], Value::Null),
        ("order=desc&from_sequence=390&to_sequence=402", vec![402, 401], gap(390, 400)),
        ("order=desc&to_sequence=402", vec![402, 401], Value::Null),
        ("from_sequence=1001", vec![], Value::Null),
    ] {
        let page = ask(&mut market, query);
        assert_eq!((sequences(&page), &page["gap"]), (wanted, &missing), "{query}");
    }
    // Another life of the server: no sequence of that one means anything.
    let page = ask(&mut market, "cursor=6:999&from_sequence=1000&limit=1");
    assert_eq!((sequences(&page), &page["gap"]["reason"]), (vec![401], &"another_epoch".into()));
    assert!(page["next"].as_str().unwrap().ends_with("&from_sequence=402&cursor=7:401&limit=1"), "{page}");
}

/// The time `n` seconds after the beginning.
fn at(n: u64) -> String {
    UnixNanos(BEGIN + n * 1_000_000_000).to_string()
}

#[test]
fn times_bound_a_range() {
    let mut market = Market::new(600);
    (0..1_000).for_each(|_| market.publish(Channel::Trades));
    let mut ask =
        |query: String| market.page(&format!("/v1/history?channel=trades&symbol=BTC-USD&{query}"), 0);
    let some = ask(format!("from={}&to={}", at(500), at(503)));
    assert_eq!(
        (sequences(&some), &some["gap"], &some["next"]),
        (vec![500, 501, 502], &Value::Null, &Value::Null)
    );
    let early = ask(format!("from={}&limit=1", at(300)));
    assert_eq!((sequences(&early), &early["gap"]["to_sequence"]), (vec![401], &400.into()));
    let within = ask(format!("from={}&limit=1", BEGIN + 402 * 1_000_000_000));
    assert_eq!((sequences(&within), &within["gap"]), (vec![402], &Value::Null));
    let back = ask(format!("order=desc&from={}&to={}", at(300), at(403)));
    assert_eq!((sequences(&back), &back["gap"]["to_sequence"]), (vec![402, 401], &400.into()));
}

/// However little of it matches, no page looks at all of a long log.
#[test]
fn a_page_looks_at_so_many_events() {
    let mut market = Market::new(2 * PAGE_EVENTS_MAX);
    (0..PAGE_EVENTS_MAX + 10).for_each(|_| market.publish(Channel::Trades));
    let from = at(PAGE_EVENTS_MAX as u64 + 1);
    let page = market.page(&format!("/v1/history?channel=trades&symbol=BTC-USD&from={from}"), 0);
    assert_eq!(sequences(&page).len(), 0);
    let rest = market.page(page["next"].as_str().unwrap(), 0);
    assert_eq!((sequences(&rest).len(), &rest["next"]), (10, &Value::Null));
}

#[test]
fn candles_are_bars() {
    let mut market = Market::new(600);
    (0..61).for_each(|_| market.publish(Channel::Candles));
    let page = market.page("/v1/candles?symbol=BTC-USD&interval=1s&order=desc&limit=3", 0);
    assert_eq!((sequences(&page), &page["oldest_sequence"]), (vec![61, 60, 58], &21.into()));
    assert_eq!([&page["channel"], &page["interval"]], ["candles", "1s"]);
    assert_eq!(page["data"][1]["closed"], true);
    let next = page["next"].as_str().unwrap();
    assert!(next.starts_with("/v1/candles?symbol=BTC-USD&interval=1s&to_sequence=57&order=desc"), "{next}");
    assert_eq!(sequences(&market.page(next, 0)), [56, 54, 52]);
    // A bar is in the range that it begins in.
    let (from, to) = (at(56), at(58));
    let page = market.page(&format!("/v1/candles?symbol=BTC-USD&interval=1s&from={from}&to={to}"), 0);
    assert_eq!(sequences(&page), [56]);
    let early = market.page("/v1/candles?symbol=BTC-USD&interval=1s&from_sequence=11&limit=1", 0);
    assert_eq!((sequences(&early), &early["gap"]["to_sequence"]), (vec![22], &20.into()));
    let page = market.page("/v1/candles?symbol=BTC-USD&interval=1s&cursor=7:20&limit=1", 0);
    assert_eq!((sequences(&page), &page["gap"]), (vec![22], &Value::Null), "nothing closed is between");
}
