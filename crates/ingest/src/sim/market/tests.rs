//! The laws of the simulated market.

use std::collections::HashMap;

use model::{Body, Book, BookChange, BookSide, Side, State, Symbol};

use super::*;

const START: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

fn run(settings: Settings, actions: usize) -> Vec<Tick> {
    let mut market = Market::new(&settings);
    let mut ticks = Vec::new();
    for _ in 0..actions {
        market.advance(&mut ticks);
    }
    ticks
}

fn settings(seed: u64) -> Settings {
    Settings { seed, symbols: 50, rate: 20_000, start: START }
}

#[test]
fn the_same_seed_gives_the_same_ticks() {
    assert_eq!(run(settings(7), 20_000), run(settings(7), 20_000));
    assert_ne!(run(settings(7), 1_000), run(settings(8), 1_000));
}

/// Replays the book deltas and holds every quote and trade against the book.
#[test]
fn trades_quotes_and_depth_agree() {
    let mut books = HashMap::<Symbol, Book>::new();
    let mut taken = Vec::new();
    let mut quotes = 0;
    for tick in run(settings(1), 200_000) {
        let book = books.entry(tick.instrument.symbol.clone()).or_default();
        match tick.body {
            Body::Trade(trade) => {
                let side = if trade.side == Side::Buy { BookSide::Ask } else { BookSide::Bid };
                taken.push((side, trade));
            }
            Body::Book(BookChange::Snapshot(levels)) => *book = Book::from_levels(&levels),
            Body::Book(BookChange::Delta(levels)) => {
                let is_news = |side: BookSide, level: &model::Level| {
                    book.size_at(side, level.price).map_or(!level.size.is_zero(), |size| size != level.size)
                };
                let news = [BookSide::Bid, BookSide::Ask]
                    .map(|side| levels.side(side).iter().all(|level| is_news(side, level)));
                assert_eq!(news, [true, true], "{levels:?} changes nothing");
                for (side, trade) in taken.drain(..) {
                    // Each trade is at the best price of its moment, and takes what rested there.
                    let best = book.best(side).unwrap();
                    assert_eq!(best.price, trade.price);
                    let left = model::Size::new(best.size.value() - trade.size.value()).unwrap();
                    book.set(side, model::Level { price: best.price, size: left });
                }
                book.apply(&levels);
                assert!(!book.is_crossed());
            }
            Body::Quote(quote) => {
                assert_eq!((quote.bid, quote.ask), (book.best(BookSide::Bid), book.best(BookSide::Ask)));
                quotes += 1;
            }
            Body::Status(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(quotes > 20_000, "{quotes}");
}

#[test]
fn the_rate_is_the_rate() {
    for rate in [1, 1_000, 200_000] {
        let ticks = run(Settings { rate, ..settings(3) }, 40_000);
        let span = ticks.last().unwrap().ts_event.unwrap().since(START);
        let expected = ticks.len() as u64 * 1_000_000_000 / u64::from(rate);
        assert!(span * 100 / expected >= 95 && span * 100 / expected <= 105, "{rate}: {span} {expected}");
    }
}

#[test]
fn activity_differs_and_prices_move_in_clusters() {
    let ticks = run(settings(4), 100_000);
    let mut counts = HashMap::<&str, u64>::new();
    for tick in &ticks {
        *counts.entry(&*tick.instrument.venue_symbol).or_default() += 1;
    }
    assert_eq!(counts.len(), 50);
    assert!(counts["BTC-USD"] > 10 * counts["PFE"], "{counts:?}");

    // Squared moves of the middle per 200 quotes: in clusters, the busy stretches are far above the calm.
    let middles =
        ticks.iter().filter(|tick| &*tick.instrument.venue_symbol == "BTC-USD").filter_map(|tick| {
            let Body::Quote(quote) = &tick.body else { return None };
            Some(quote.bid?.price.value() + quote.ask?.price.value())
        });
    let middles: Vec<_> = middles.collect();
    let mut stretches: Vec<_> = middles
        .chunks(200)
        .map(|chunk| {
            chunk
                .windows(2)
                .map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0]))
                .sum::<rust_decimal::Decimal>()
        })
        .collect();
    stretches.sort_unstable();
    let (calm, busy) = (stretches[stretches.len() / 4], stretches[stretches.len() * 9 / 10]);
    assert!(busy > calm * rust_decimal::Decimal::from(4), "{calm} {busy}");
}

#[test]
fn halts_and_reopenings_occur() {
    let ticks = run(Settings { rate: 2_000, ..settings(2) }, 1_000_000);
    let mut halted = HashMap::<&str, u64>::new();
    let (mut halts, mut resumed) = (0, 0);
    for tick in &ticks {
        let (symbol, at) = (&*tick.instrument.venue_symbol, tick.ts_event.unwrap().0);
        match &tick.body {
            Body::Status(change) if change.state == State::Halted => {
                halts += 1;
                halted.insert(symbol, at);
            }
            Body::Status(change) if change.reason.as_ref() == "trading resumed" => {
                resumed += 1;
                assert!(at - halted.remove(symbol).unwrap() >= 10_000_000_000);
            }
            Body::Status(_) => {}
            _ => assert!(!halted.contains_key(symbol), "{symbol} acts while halted"),
        }
    }
    assert!(halts >= 3 && resumed >= 2, "{halts} {resumed}");
}

#[test]
fn bounds_are_kept() {
    let symbols = |ticks: Vec<Tick>| {
        ticks
            .iter()
            .map(|tick| tick.instrument.symbol.clone())
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    let over = Settings { symbols: Settings::SYMBOLS_MAX + 1, ..settings(1) };
    assert_eq!(symbols(run(over, 1)), Settings::SYMBOLS_MAX);
    assert_eq!(symbols(run(Settings { symbols: 0, ..settings(1) }, 1)), 1);
}
