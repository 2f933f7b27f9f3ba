//! What independent programs found in files of ticks, and the comparison with what is read of them, row by row.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use model::{Body, BookChange, Level, Quote, Side, Tick};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Everything that a mapping makes of files; no mapping: the one that their columns tell.
pub(crate) type Play<'a> = &'a dyn Fn(Option<&str>, &[PathBuf]) -> Vec<Tick>;

/// The folder of the files; they are other people's and stand outside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    #[expect(clippy::print_stderr, reason = "a test that has nothing to do says so")]
    {
        eprintln!("../shared/data is not there: the golden answers were not compared");
    }
    None
}

fn ticks(data: &Path, play: Play<'_>, map: Option<&str>, file: &str) -> Vec<Tick> {
    play(map, &[data.join("ticks").join(file)])
}

fn golden(data: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(data.join("golden").join(name)).unwrap()).unwrap()
}

fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

fn time(tick: &Tick) -> String {
    tick.ts_event.unwrap().0.to_string()
}

/// Price and size of a side; what is not there is as little as the golden answers say it is.
fn side(level: Option<Level>) -> [String; 2] {
    level
        .map_or_else(|| ["0".to_owned(), "0".to_owned()], |l| [plain(l.price.value()), plain(l.size.value())])
}

fn sha256(lines: &[String]) -> String {
    let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn trades(ticks: &[Tick]) -> impl Iterator<Item = (&Tick, &model::Trade)> {
    ticks.iter().filter_map(|tick| match &tick.body {
        Body::Trade(trade) => Some((tick, trade)),
        _ => None,
    })
}

fn quotes(ticks: &[Tick]) -> Vec<(&Tick, &Quote)> {
    let own = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Quote(quote) if !quote.derived => Some((tick, quote)),
        _ => None,
    });
    own.collect()
}

/// Compares what is known of the trades of a file with those that were read.
fn check_trades<'a>(wanted: &Value, trades: impl Iterator<Item = (&'a Tick, &'a model::Trade)>) {
    let trades: Vec<_> = trades.collect();
    let sum =
        |of: &dyn Fn(&model::Trade) -> Decimal| trades.iter().map(|(_, trade)| of(trade)).sum::<Decimal>();
    let size_of = |side| {
        move |trade: &model::Trade| if trade.side == side { trade.size.value() } else { Decimal::ZERO }
    };
    let prices = || trades.iter().map(|(_, trade)| trade.price.value());
    let lines = trades.iter().map(|(tick, trade)| {
        let side = match trade.side {
            Side::Buy => "B",
            Side::Sell => "S",
            Side::Unknown => "N",
        };
        let (price, size) = (plain(trade.price.value()), plain(trade.size.value()));
        [price, size, side.into(), trade.id.as_deref().unwrap_or_default().into(), time(tick)].join("|")
    });
    let ours = json!({
        "count": trades.len(),
        "volume": plain(sum(&|trade| trade.size.value())),
        "notional": plain(sum(&|trade| trade.price.value() * trade.size.value())),
        "taker_buy_volume": plain(sum(&size_of(Side::Buy))),
        "taker_sell_volume": plain(sum(&size_of(Side::Sell))),
        "open": plain(prices().next().unwrap()),
        "high": plain(prices().max().unwrap()),
        "low": plain(prices().min().unwrap()),
        "close": plain(prices().next_back().unwrap()),
        "first_ts_ns": trades[0].0.ts_event.unwrap().0,
        "last_ts_ns": trades[trades.len() - 1].0.ts_event.unwrap().0,
        "stream_sha256": sha256(&lines.collect::<Vec<_>>()),
    });
    for (key, ours) in ours.as_object().unwrap() {
        assert_eq!(Some(ours), wanted.get(key), "{key}");
    }
}

fn names(ticks: &[Tick]) -> Vec<String> {
    let name = |tick: &Tick| {
        let instrument = &tick.instrument;
        format!("{} {} {}", instrument.venue, instrument.venue_symbol, instrument.symbol)
    };
    let mut names: Vec<_> = ticks.iter().map(name).collect();
    names.sort();
    names.dedup();
    names
}

const MESSAGES: &str = "AAPL_2012-06-21_34200000_57600000_message_10.csv";
const BOOKS: &str = "AAPL_2012-06-21_34200000_57600000_orderbook_10.csv";

/// Best bid and ask of each book, with the times that were read.
fn best(ticks: &[Tick]) -> Vec<String> {
    let books = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Book(BookChange::Snapshot(levels)) => Some((tick, levels)),
        _ => None,
    });
    let line = |(tick, levels): (&Tick, &model::Levels)| {
        let [bid, bid_size] = side(levels.bids.first().copied());
        let [ask, ask_size] = side(levels.asks.first().copied());
        [tick.ts_event.map_or_else(String::new, |at| at.0.to_string()), bid, bid_size, ask, ask_size]
            .join("|")
    };
    books.map(line).collect()
}

pub(crate) fn lobster(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "lobster_aapl.json");
    let [messages, books] = [MESSAGES, BOOKS].map(|name| data.join("ticks").join(name));
    let pairs = [
        vec![messages.clone(), books.clone()],
        vec![books.clone(), messages.clone()],
        vec![messages.clone()],
        vec![books],
    ];
    for files in pairs {
        let ticks = play(Some("lobster"), &files);
        assert_eq!(names(&ticks), ["nasdaq AAPL AAPL"]);
        check_trades(&wanted["visible_executions"], trades(&ticks).filter(|(_, trade)| trade.id.is_some()));
        check_trades(&wanted["hidden_executions"], trades(&ticks).filter(|(_, trade)| trade.id.is_none()));
        assert_eq!(json!(best(&ticks).len()), wanted["rows"]);
        assert_eq!(json!(sha256(&best(&ticks))), wanted["bbo_stream_sha256"]);
        let last = ticks.iter().rev().find_map(|tick| match &tick.body {
            Body::Book(BookChange::Snapshot(levels)) => Some(levels),
            _ => None,
        });
        let rows = last.map(|levels| {
            let pairs = levels.bids.iter().zip(&levels.asks);
            pairs.map(|(bid, ask)| [side(Some(*bid)), side(Some(*ask))].concat()).collect::<Vec<_>>()
        });
        assert_eq!(json!(rows), wanted["final_book_bid_bidsize_ask_asksize"]);
    }
}

pub(crate) fn lobster_files_that_stand_alone(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "lobster_aapl.json");
    let folder = std::env::temp_dir().join(format!("tickwire-lobster-{}", std::process::id()));
    let alone = |name: &str| {
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        fs::copy(data.join("ticks").join(name), &file).unwrap();
        let ticks = play(Some("lobster"), std::slice::from_ref(&file));
        fs::remove_file(file).unwrap();
        ticks
    };
    let messages = alone(MESSAGES);
    check_trades(&wanted["visible_executions"], trades(&messages).filter(|(_, trade)| trade.id.is_some()));
    assert!(
        !messages.iter().any(|tick| matches!(tick.body, Body::Book(_))),
        "of the book nobody knows the beginning"
    );
    let books = alone(BOOKS);
    assert_eq!((json!(best(&books).len()), trades(&books).count()), (wanted["rows"].clone(), 0));
    fs::remove_dir(folder).unwrap();
}

pub(crate) fn dukascopy(data: &Path, play: Play<'_>) {
    for wanted in golden(data, "dukascopy_bi5.json")["files"].as_array().unwrap() {
        let ticks = ticks(data, play, Some("dukascopy"), wanted["file"].as_str().unwrap());
        assert_eq!(names(&ticks), ["dukascopy EURUSD EUR-USD"]);
        let lines = quotes(&ticks).into_iter().map(|(tick, quote)| {
            let (bid, ask) = (quote.bid.unwrap(), quote.ask.unwrap());
            let bits =
                |level: Level| format!("{:x}", level.size.to_string().parse::<f32>().unwrap().to_bits());
            let [bid_price, ask_price] = [bid, ask].map(|level| plain(level.price.value()));
            [time(tick), bid_price, ask_price, bits(bid), bits(ask)].join("|")
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(json!(lines.len()), wanted["ticks"]);
        assert_eq!(
            (json!(lines.first()), json!(lines.last())),
            (wanted["first"].clone(), wanted["last"].clone())
        );
        assert_eq!(json!(sha256(&lines)), wanted["stream_sha256"]);
    }
}

pub(crate) fn truefx(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "truefx_usdjpy.json")["files"][0].clone();
    // Its header has names enough to be read without a mapping, too.
    for map in [Some("truefx"), None] {
        let ticks = ticks(data, play, map, wanted["file"].as_str().unwrap());
        let lines = quotes(&ticks)
            .into_iter()
            .map(|(_, quote)| [side(quote.bid), side(quote.ask)].concat().join("|"));
        let lines: Vec<_> = lines.collect();
        assert_eq!(json!(lines.len()), wanted["quotes"]["count"]);
        assert_eq!(json!(sha256(&lines)), wanted["quotes"]["stream_sha256"]);
        assert_eq!(json!(ticks[0].ts_event.unwrap().to_string()), wanted["first"]);
        assert_eq!(json!(ticks[ticks.len() - 1].ts_event.unwrap().to_string()), wanted["last"]);
    }
    let named = ticks(data, play, Some("truefx"), wanted["file"].as_str().unwrap());
    assert_eq!(names(&named), ["truefx USDJPY USD-JPY"]);
}

pub(crate) fn lean_equity_trades(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "lean_equity_trades.json")["files"][0].clone();
    let ticks = ticks(data, play, Some("lean-equity-trade"), wanted["file"].as_str().unwrap());
    assert_eq!(names(&ticks), ["usa SPY SPY"]);
    check_trades(&wanted["trades"], trades(&ticks));
}

pub(crate) fn lean_equity_quotes(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "lean_equity_quotes.json")["files"][0].clone();
    let ticks = ticks(data, play, Some("lean-equity-quote"), wanted["file"].as_str().unwrap());
    let exchange =
        |tick: &Tick| tick.instrument.venue.as_str().strip_prefix("usa-").unwrap().to_ascii_uppercase();
    let lines = quotes(&ticks).into_iter().map(|(tick, quote)| {
        assert_eq!(tick.instrument.symbol.as_str(), format!("IBM.{}", exchange(tick)));
        [vec![time(tick)], side(quote.bid).to_vec(), side(quote.ask).to_vec(), vec![exchange(tick)]]
            .concat()
            .join("|")
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!(json!(lines.len()), wanted["rows"]);
    let of_one_side = quotes(&ticks).into_iter().filter(|(_, quote)| quote.ask.is_none()).count();
    assert_eq!(json!(of_one_side), wanted["bid_only_rows"]);
    assert_eq!(json!(sha256(&lines)), wanted["stream_sha256"]);
}

pub(crate) fn lean_forex_quotes(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "lean_fx_quotes.json")["files"][0].clone();
    let ticks = ticks(data, play, Some("lean-forex-quote"), wanted["file"].as_str().unwrap());
    assert_eq!(names(&ticks), ["fxcm EURUSD EUR-USD"]);
    let price = |level: Option<Level>| plain(level.unwrap().price.value());
    let lines =
        quotes(&ticks).into_iter().map(|(tick, q)| [time(tick), price(q.bid), price(q.ask)].join("|"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(json!(lines.len()), wanted["rows"]);
    assert_eq!(json!(sha256(&lines)), wanted["stream_sha256"]);
}

pub(crate) fn freqtrade(data: &Path, play: Play<'_>, endings: &[&str]) {
    let wanted = golden(data, "freqtrade_trades.json")["files"][0]["trades"].clone();
    for ending in endings {
        let ticks = ticks(data, play, Some("ccxt"), &format!("freqtrade_xrpeth_20191011_trades.{ending}"));
        assert_eq!(names(&ticks), ["ccxt XRPETH XRP-ETH"]);
        check_trades(&wanted, trades(&ticks));
    }
}

pub(crate) fn trades_of_a_collector(data: &Path, play: Play<'_>) {
    let wanted = golden(data, "ltcusdt_trades.json");
    for wanted in wanted["files"].as_array().unwrap() {
        let ticks = ticks(data, play, None, wanted["file"].as_str().unwrap());
        assert_eq!(names(&ticks), ["csv LTCUSDT LTC-USDT"]);
        check_trades(&wanted["trades"], trades(&ticks));
    }
}
