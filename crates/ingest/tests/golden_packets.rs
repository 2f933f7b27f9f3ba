//! Real captures of exchanges' packets through their decoders, compared with the golden answers.

#![expect(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, reason = "captures of lines are compared elsewhere")]
mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ingest::capture::Input;
use ingest::{Options, Step, reader};
use model::{Body, Book, BookChange, BookSide, Level, Price, Size, State, Tick, UnixNanos};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use answers::{Quotes, Trades, compare, golden, plain, shared};

/// Everything that `feed` makes of a file; how many packets it has.
fn play(feed: &str, file: &Path) -> (Vec<Tick>, u64) {
    let mut reader = reader(feed, &Options::default()).unwrap();
    let mut ticks = Vec::new();
    reader.open(Input::open(file).unwrap());
    loop {
        match reader.step(&mut ticks) {
            Step::Ticks => {}
            Step::End => return (ticks, reader.spot().number),
            other @ Step::Broken { .. } => panic!("{}: {other:?}", file.display()),
        }
    }
}

/// What is told of shares, in short: trades and states in their order, and each one's last book.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: Vec<String>,
    books: BTreeMap<String, Book>,
}

impl Told {
    fn of(ticks: &[Tick]) -> Self {
        let mut told = Self::default();
        for tick in ticks {
            let share = tick.instrument.venue_symbol.to_string();
            let at = tick.ts_event.unwrap();
            match &tick.body {
                Body::Trade(trade) => {
                    let (price, size) = (plain(trade.price.value()), plain(trade.size.value()));
                    let (side, id) = (trade.side.as_str(), trade.id.as_deref().unwrap_or_default());
                    told.events.push(format!("{share} {at} {price} {size} {side} {id}"));
                }
                Body::Status(change) => told.events.push(format!("{share} {at} {}", change.state)),
                Body::Book(BookChange::Snapshot(levels)) => {
                    told.books.insert(share, Book::from_levels(levels));
                }
                Body::Book(BookChange::Delta(levels)) => told.books.get_mut(&share).unwrap().apply(levels),
                Body::Quote(quote) if !quote.derived => {
                    let pair = |level: Option<Level>| {
                        level.map_or_else(
                            || "0 0".into(),
                            |level| format!("{} {}", plain(level.price.value()), level.size),
                        )
                    };
                    told.events.push(format!("{share} {at} quote {} {}", pair(quote.bid), pair(quote.ask)));
                }
                _ => {}
            }
        }
        told
    }
}

/// Orders by their numbers: whose, on which side, at what price, how many.
type Orders = BTreeMap<u64, (String, BookSide, Decimal, u64)>;

/// A plain reading of messages of ITCH, as the golden answers have them.
#[derive(Default)]
struct Itch {
    orders: Orders,
    told: Told,
}

impl Itch {
    fn message(&mut self, message: &Value, midnight: u64) {
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        let number = |key: &str| message[key].as_u64().unwrap_or_default();
        let price = |key: &str| text(key).parse::<Decimal>().unwrap_or_default();
        let at = UnixNanos(midnight + number("timestamp"));
        let (id, share) = (number("order_reference"), text("stock").to_owned());
        let touched = match text("type") {
            "A" | "F" => {
                let side = if text("side") == "B" { BookSide::Bid } else { BookSide::Ask };
                self.orders.insert(id, (share.clone(), side, price("price"), number("shares")));
                Some(share)
            }
            of @ ("E" | "C" | "X" | "D") => {
                let taken = match of {
                    "X" => number("cancelled_shares"),
                    "D" => u64::MAX,
                    _ => number("executed_shares"),
                };
                let known = self.orders.get(&id).cloned();
                if let Some(order) = self.orders.get_mut(&id) {
                    order.3 = order.3.saturating_sub(taken);
                }
                self.orders.retain(|_, order| order.3 > 0);
                if let Some((share, side, own, _)) = &known
                    && (of == "E" || text("printable") == "Y")
                {
                    let price = if of == "E" { *own } else { price("execution_price") };
                    let side = if *side == BookSide::Bid { "sell" } else { "buy" };
                    self.told.events.push(format!(
                        "{share} {at} {} {taken} {side} {}",
                        plain(price),
                        number("match_number")
                    ));
                }
                known.map(|order| order.0)
            }
            "U" => self.orders.remove(&number("original_order_reference")).map(|(share, side, ..)| {
                let new = (share.clone(), side, price("price"), number("shares"));
                self.orders.insert(number("new_order_reference"), new);
                share
            }),
            "P" => {
                let (price, size, id) = (plain(price("price")), number("shares"), number("match_number"));
                self.told.events.push(format!("{share} {at} {price} {size} unknown {id}"));
                None
            }
            "Q" if number("shares") > 0 => {
                let (price, size, id) =
                    (plain(price("cross_price")), number("shares"), number("match_number"));
                self.told.events.push(format!("{share} {at} {price} {size} unknown {id}"));
                None
            }
            "H" => {
                let state = if text("trading_state") == "T" { State::Open } else { State::Halted };
                self.told.events.push(format!("{share} {at} {state}"));
                None
            }
            _ => None,
        };
        if let Some(share) = touched {
            let mut book = Book::default();
            for (of, side, price, size) in self.orders.values() {
                if *of == share {
                    let price = Price::new(*price);
                    let before = book.size_at(*side, price).map_or(Decimal::ZERO, Size::value);
                    let size = Size::new(before + Decimal::from(*size)).unwrap();
                    book.set(*side, Level { price, size });
                }
            }
            self.told.books.insert(share, book);
        }
    }
}

fn check_itch(answers: &str, folder: &str) {
    let Some(data) = shared() else { return };
    let midnight = UnixNanos::from_rfc3339("2023-08-22T04:00:00Z").unwrap().0;
    for known in golden(&data, answers)["files"].as_array().unwrap() {
        let name = known["file"].as_str().unwrap();
        let (ticks, packets) = play("itch", &data.join(folder).join(name));
        let wanted = known["packets"].as_array().unwrap();
        assert_eq!(packets, wanted.len() as u64, "{name}");
        let mut itch = Itch::default();
        for packet in wanted {
            for message in packet["messages"].as_array().unwrap() {
                itch.message(message, midnight);
            }
        }
        assert_eq!(Told::of(&ticks), itch.told, "{name}");
        for tick in &ticks {
            let received = tick.ts_recv.unwrap().to_string();
            assert!(wanted.iter().any(|packet| packet["captured"] == received.as_str()), "{name} {received}");
        }
    }
}

#[test]
fn itch() {
    check_itch("itch_nasdaq_v5.0.json", "itch/nasdaq_v5.0");
}

#[test]
fn itch_without_numbers() {
    check_itch("itch_nasdaq_v5.0_20230822.json", "itch/nasdaq_v5.0_20230822");
}

/// What messages of IEX come to, as the golden answers have them.
fn iex(messages: &[&Value]) -> Told {
    let mut told = Told::default();
    for message in messages {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| message[key].as_u64().unwrap_or_default();
        let (share, at, flag) = (text("symbol"), text("ts"), text("flag_or_event"));
        match text("type").as_str() {
            "Q" => told.events.push(format!(
                "{share} {at} quote {} {} {} {}",
                text("bid"),
                number("bid_size"),
                text("ask"),
                number("ask_size")
            )),
            "T" => {
                let (price, size, id) = (text("price"), number("size"), number("trade_id"));
                told.events.push(format!("{share} {at} {price} {size} unknown {id}"));
            }
            "H" => {
                let state = if flag == "0x54" { State::Open } else { State::Halted };
                told.events.push(format!("{share} {at} {state}"));
            }
            side @ ("8" | "5") => {
                let side = if side == "8" { BookSide::Bid } else { BookSide::Ask };
                let (price, size) = (text("price").parse().unwrap(), Decimal::from(number("size")));
                let level = Level { price: Price::new(price), size: Size::new(size).unwrap() };
                told.books.entry(share).or_default().set(side, level);
            }
            _ => {}
        }
    }
    told
}

fn check_iex(answers: &str, folder: &str) {
    let Some(data) = shared() else { return };
    for known in golden(&data, answers)["files"].as_array().unwrap() {
        let name = known["file"].as_str().unwrap();
        let (ticks, packets) = play("iex", &data.join(folder).join(name));
        let wanted = known["packets"].as_array().unwrap();
        assert_eq!(packets, wanted.len() as u64, "{name}");
        let messages: Vec<&Value> =
            wanted.iter().flat_map(|packet| packet["messages"].as_array().unwrap()).collect();
        assert_eq!(Told::of(&ticks), iex(&messages), "{name}");
    }
}

#[test]
fn iex_levels() {
    check_iex("iex_single_deep10.json", "iex/single_deep10");
}

#[test]
fn iex_best_prices() {
    check_iex("iex_single_tops15.json", "iex/single_tops15");
    check_iex("iex_single_tops16.json", "iex/single_tops16");
}

#[test]
fn iex_a_day() {
    let Some(data) = shared() else { return };
    let known = golden(&data, "iex_tops16_20170710.json");
    let (ticks, packets) = play("iex", &data.join("iex").join(known["file"].as_str().unwrap()));
    let (mut trades, mut quotes) = (BTreeMap::<&str, Trades>::new(), BTreeMap::<&str, Quotes>::new());
    let (mut symbols, mut count, mut volume, mut quoted) = (BTreeSet::new(), 0, Decimal::ZERO, 0);
    let mut broken = 0;
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for tick in &ticks {
        let share = &*tick.instrument.venue_symbol;
        symbols.insert(share);
        match &tick.body {
            Body::Trade(trade) => {
                (count, volume) = (count + 1, volume + trade.size.value());
                trades.entry(share).or_default().add(trade, tick.ts_event.unwrap().0);
            }
            Body::Quote(quote) => {
                quoted += 1;
                quotes.entry(share).or_insert_with(Quotes::default).add(quote);
            }
            Body::Correction(_) => broken += 1,
            Body::Status(change) => *states.entry(change.state.as_str()).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    let mut faults = Vec::new();
    let ours = json!({
        "packets": packets, "symbols": symbols.len(), "trades_total": count, "quotes_total": quoted,
        "trades_volume_total": plain(volume), "trade_breaks": broken,
    });
    compare("all", &ours, Some(&known), &mut faults);
    for (share, wanted) in known["trades_of_the_25_most_traded"].as_object().unwrap() {
        compare(share, &trades[share.as_str()].answer(), Some(wanted), &mut faults);
    }
    for (share, wanted) in known["quotes_of_the_25_most_quoted"].as_object().unwrap() {
        compare(share, &quotes[share.as_str()].answer(), Some(wanted), &mut faults);
    }
    assert_eq!(faults, [""; 0]);
    // Three halts are of all exchanges, and one is IEX's own, whose end is told, too.
    let wanted = &known["trading_status_messages"];
    let own = known["operational_halt_messages"]["O"].as_u64().unwrap();
    let (halts, opens) = (wanted["H"].as_u64().unwrap() + own, wanted["T"].as_u64().unwrap() + own);
    assert_eq!(states, BTreeMap::from([("halted", halts), ("open", opens)]));
}
