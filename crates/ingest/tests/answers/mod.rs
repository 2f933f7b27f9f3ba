//! The golden answers: what independent programs found in real captures, and how to find the same in what we make
//! of them. The captures are other people's data and stand outside the repository; where they are not, the tests
//! say so and have nothing to do.

mod third_party;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use model::{Body, Book, BookChange, BookSide, Level, Levels, Quote, Side, Trade};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// By venue and venue symbol.
pub(crate) type SeenOf = BTreeMap<(String, String), Seen>;

/// What was seen of one instrument, in the words of the golden files.
#[derive(Default)]
pub(crate) struct Seen {
    trades: Trades,
    old_trades: Trades,
    quotes: Quotes,
    tickers: u64,
    book: BookSeen,
}

impl Seen {
    /// Takes an event in; a change of the book is noted later.
    pub(crate) fn take(&mut self, body: &Body, ts_event: u64) {
        match body {
            Body::Trade(trade) => self.trades.add(trade, ts_event),
            Body::OldTrade(trade) => self.old_trades.add(trade, ts_event),
            Body::Quote(quote) if !quote.derived => self.quotes.add(quote),
            Body::Ticker(_) => self.tickers += 1,
            Body::Book(change) => self.book.change(change),
            _ => {}
        }
    }

    /// The best prices after a change, at a line of the capture.
    #[allow(dead_code, reason = "not all who ask know lines")]
    pub(crate) fn note_best(&mut self, line: u64) {
        self.book.note_best(line);
    }
}

pub(crate) struct Stream(Context);

impl Default for Stream {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Stream {
    pub(crate) fn add(&mut self, fields: &[String]) {
        self.0.update(fields.join("|").as_bytes());
        self.0.update(b"\n");
    }

    pub(crate) fn hex(&self) -> String {
        self.0.clone().finish().as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }
}

#[derive(Default)]
pub(crate) struct Trades {
    count: u64,
    volume: Decimal,
    notional: Decimal,
    buy: Decimal,
    sell: Decimal,
    prices: Option<(Decimal, Decimal, Decimal, Decimal)>,
    times: Option<(u64, u64)>,
    stream: Stream,
}

#[derive(Default)]
pub(crate) struct Quotes {
    count: u64,
    first: Option<Value>,
    last: Option<Value>,
    crossed: u64,
    locked: u64,
    stream: Stream,
}

#[derive(Default)]
struct BookSeen {
    book: Book,
    snapshots: u64,
    updates: u64,
    levels: usize,
    gaps: u64,
    crossed: u64,
    locked: u64,
    best: Option<[String; 4]>,
    best_changes: u64,
    best_stream: Stream,
    best_at: BTreeMap<u64, [String; 4]>,
}

/// A decimal in the canonical form of the golden files.
pub(crate) fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

pub(crate) fn pair(level: Level) -> [String; 2] {
    [plain(level.price.value()), plain(level.size.value())]
}

pub(crate) fn four(bid: Option<Level>, ask: Option<Level>, absent: &str) -> [String; 4] {
    let absent = || [absent.to_owned(), absent.to_owned()];
    let [bid_price, bid_size] = bid.map_or_else(absent, pair);
    let [ask_price, ask_size] = ask.map_or_else(absent, pair);
    [bid_price, bid_size, ask_price, ask_size]
}

impl Trades {
    pub(crate) fn add(&mut self, trade: &Trade, at: u64) {
        let (price, size) = (trade.price.value(), trade.size.value());
        self.count += 1;
        self.volume += size;
        self.notional += price * size;
        let (open, high, low, _) = self.prices.unwrap_or((price, price, price, price));
        self.prices = Some((open, high.max(price), low.min(price), price));
        self.times = Some((self.times.map_or(at, |(first, _)| first), at));
        let side = match trade.side {
            Side::Buy => {
                self.buy += size;
                "B"
            }
            Side::Sell => {
                self.sell += size;
                "S"
            }
            Side::Unknown => "N",
        };
        let id = trade.id.as_deref().unwrap_or_default();
        self.stream.add(&[plain(price), plain(size), side.into(), id.into(), at.to_string()]);
    }

    pub(crate) fn answer(&self) -> Value {
        let (open, high, low, close) = self.prices.unwrap_or_default();
        let (first, last) = self.times.unwrap_or_default();
        json!({
            "count": self.count, "volume": plain(self.volume), "notional": plain(self.notional),
            "taker_buy_volume": plain(self.buy), "taker_sell_volume": plain(self.sell),
            "open": plain(open), "high": plain(high), "low": plain(low), "close": plain(close),
            "first_ts_ns": first, "last_ts_ns": last, "stream_sha256": self.stream.hex(),
        })
    }
}

impl Quotes {
    pub(crate) fn add(&mut self, quote: &Quote) {
        // An empty side is what the venues wrote for it.
        let fields = four(quote.bid, quote.ask, "0");
        self.count += 1;
        self.first.get_or_insert_with(|| json!(fields));
        self.last = Some(json!(fields));
        if let (Some(bid), Some(ask)) = (quote.bid, quote.ask) {
            self.crossed += u64::from(bid.price > ask.price);
            self.locked += u64::from(bid.price == ask.price);
        }
        self.stream.add(&fields);
    }

    pub(crate) fn answer(&self) -> Value {
        json!({
            "count": self.count, "first": self.first, "last": self.last,
            "crossed": self.crossed, "locked": self.locked, "stream_sha256": self.stream.hex(),
        })
    }
}

impl BookSeen {
    fn change(&mut self, change: &BookChange) {
        match change {
            BookChange::Snapshot(levels) => {
                self.snapshots += 1;
                self.levels += levels.len();
                self.book = Book::from_levels(levels);
            }
            BookChange::Delta(levels) => {
                self.updates += 1;
                self.levels += levels.len();
                self.book.apply(levels);
            }
            BookChange::Gap(_) => self.gaps += 1,
        }
        let best = |side| self.book.best(side).map(|level| level.price);
        if let (Some(bid), Some(ask)) = (best(BookSide::Bid), best(BookSide::Ask)) {
            self.crossed += u64::from(bid > ask);
            self.locked += u64::from(bid == ask);
        }
    }

    /// Called after each record: the golden stream has one entry per record that moved the best prices.
    fn note_best(&mut self, position: u64) {
        let fields = four(self.book.best(BookSide::Bid), self.book.best(BookSide::Ask), "");
        if self.best.as_ref() != Some(&fields) && self.snapshots > 0 {
            self.best_changes += 1;
            let [a, b, c, d] = fields.clone();
            self.best_stream.add(&[position.to_string(), a, b, c, d]);
            self.best_at.entry(position).or_insert_with(|| fields.clone());
            self.best = Some(fields);
        }
    }

    /// `lines`: it is known on which line each change stood.
    fn answer(&self, lines: bool) -> Value {
        let Levels { bids, asks } = self.book.top(10);
        let top = |side: Vec<Level>| side.into_iter().map(pair).collect::<Vec<_>>();
        let mut answer = json!({
            "snapshots": self.snapshots, "updates": self.updates, "sequence_gaps": self.gaps,
            "crossed_after_update": self.crossed, "locked_after_update": self.locked,
            "final_levels": {"bids": self.book.len(BookSide::Bid), "asks": self.book.len(BookSide::Ask)},
            "final_top10": {"bids": top(bids), "asks": top(asks)},
        });
        if lines {
            answer["bbo_changes"] = self.best_changes.into();
            answer["bbo_stream_sha256"] = self.best_stream.hex().into();
        }
        answer
    }
}

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

/// Every field of `ours` that the golden file has too and that differs there.
pub(crate) fn compare(path: &str, ours: &Value, golden: Option<&Value>, faults: &mut Vec<String>) {
    match (ours, golden) {
        (Value::Object(ours), Some(Value::Object(golden))) => {
            for (key, value) in ours {
                compare(&format!("{path}.{key}"), value, golden.get(key), faults);
            }
        }
        (ours, Some(golden)) if ours == golden => {}
        (ours, golden) => faults.push(format!("{path}: ours {ours}, golden {golden:?}")),
    }
}

fn compare_instrument(
    feed: &str,
    name: &str,
    seen: &Seen,
    golden: &Map<String, Value>,
    lines: bool,
    faults: &mut Vec<String>,
) {
    let mut book = seen.book.answer(lines);
    // Kraken's levels beyond the depth are removed by name, which the answers do not count.
    if feed != "kraken" {
        book["level_changes_applied"] = seen.book.levels.into();
    }
    // They count messages that change nothing, of which there is nothing to see.
    if feed == "kucoin" {
        book["updates"] = golden["book"]["updates"].clone();
    }
    for (key, count, answer) in [
        ("trades", seen.trades.count, seen.trades.answer()),
        ("trades_in_snapshot", seen.old_trades.count, seen.old_trades.answer()),
        ("book", seen.book.snapshots, book),
    ] {
        // Trades from before the subscription are not sent on, so that no recording has them.
        let asked = lines || key != "trades_in_snapshot";
        if asked && (count > 0 || golden.contains_key(key)) {
            compare(&format!("{name}.{key}"), &answer, golden.get(key), faults);
        }
    }
    let quotes = golden.get("venue_quotes").or(golden.get("book_ticker"));
    if quotes.is_some() {
        compare(&format!("{name}.quotes"), &seen.quotes.answer(), quotes, faults);
    }
    let samples = golden.get("book").and_then(|book| book.get("bbo_samples")).and_then(Value::as_array);
    for sample in samples.into_iter().flatten().filter(|_| lines) {
        let at = sample[0].as_u64().unwrap();
        let ours = json!(seen.book.best_at.get(&at));
        let wanted = json!([sample[1], sample[2], sample[3], sample[4]]);
        if ours != wanted {
            faults.push(format!("{name}: best at {at}: ours {ours}, golden {wanted}"));
        }
    }
}

pub(crate) fn golden(data: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("golden").join(name)).unwrap()).unwrap()
}

/// A capture, or several of one session, and what is known of it.
pub(crate) struct Case {
    /// Whose messages these are.
    pub(crate) feed: &'static str,
    /// Below the folder of captures.
    pub(crate) files: &'static [&'static str],
    /// The file of what is known.
    pub(crate) answers: &'static str,
    /// The name that the answers have for an instrument, of its venue and its symbol; `None`: they are of one.
    name: Option<fn(&str, &str) -> String>,
}

const SPOT: [&str; 2] = ["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"];
const COINM: [&str; 2] = ["binance/cm_btcusd_perp_20240808.gz", "binance/cm_btcusd_perp_20240809.gz"];

pub(crate) const CASES: [Case; 22] = [
    one("binance-spot", &SPOT, "binance_spot_btcusdt.json"),
    one("binance-spot", SPOT.split_at(1).0, "binance_spot_btcusdt_20240808_alone.json"),
    one("binance-usdm", &["binance/usdm_btcusdt_20240808.gz"], "binance_usdm_btcusdt.json"),
    one("binance-coinm", &COINM, "binance_cm_btcusd_perp.json"),
    many("binance-spot", &["ws/binance.jsonl.zst"], "ws_binance.json", symbol_only),
    many("binance-usdm", &["ws/binance_futures.jsonl.zst"], "ws_binance_futures.json", symbol_only),
    many("kraken", &["ws/kraken.jsonl.zst"], "ws_kraken.json", symbol_only),
    many("coinbase", &["ws/coinbase.jsonl.zst"], "ws_coinbase.json", symbol_only),
    one("binance-json", &SPOT, "binance_spot_btcusdt.json"),
    one("binance-json", &["binance/usdm_btcusdt_20240808.gz"], "binance_usdm_btcusdt.json"),
    one("binance-json", &COINM, "binance_cm_btcusd_perp.json"),
    many("binance-json", &["ws/binance.jsonl.zst"], "ws_binance.json", symbol_only),
    many("binance-json", &["ws/binance_futures.jsonl.zst"], "ws_binance_futures.json", symbol_only),
    many("bitfinex", &["ws/bitfinex.jsonl.zst"], "ws_bitfinex.json", symbol_only),
    many("bitget", &["ws/bitget.jsonl.zst"], "ws_bitget.json", bitget_name),
    many("bitstamp", &["ws/bitstamp.jsonl.zst"], "ws_bitstamp.json", symbol_only),
    many("deribit", &["ws/deribit.jsonl.zst"], "ws_deribit.json", symbol_only),
    many("gemini", &["ws/gemini.jsonl.zst"], "ws_gemini.json", symbol_only),
    many("huobi", &["ws/huobi.jsonl.zst"], "ws_huobi.json", symbol_only),
    many("kucoin", &["ws/kucoin.jsonl.zst"], "ws_kucoin.json", symbol_only),
    many("bybit", &["ws/bybit.jsonl.zst"], "ws_bybit.json", bybit_name),
    many("okx", &["ws/okx.jsonl.zst"], "ws_okx.json", symbol_only),
];

const fn one(feed: &'static str, files: &'static [&'static str], answers: &'static str) -> Case {
    Case { feed, files, answers, name: None }
}

const fn many(
    feed: &'static str,
    files: &'static [&'static str],
    answers: &'static str,
    name: fn(&str, &str) -> String,
) -> Case {
    Case { feed, files, answers, name: Some(name) }
}

fn symbol_only(_: &str, symbol: &str) -> String {
    symbol.to_owned()
}

fn bybit_name(venue: &str, symbol: &str) -> String {
    format!("{}:{symbol}", venue.strip_prefix("bybit-").unwrap())
}

fn bitget_name(venue: &str, symbol: &str) -> String {
    format!("{}:{symbol}", if venue == "bitget-spot" { "sp" } else { "mc" })
}

impl Case {
    /// Holds what was seen against what is known; `lines`: it was noted on which line each change stood.
    pub(crate) fn check(&self, data: &Path, seen: &SeenOf, lines: bool) {
        let (known, mut faults) = (golden(data, self.answers), Vec::new());
        let Some(name) = self.name else {
            assert_eq!(seen.len(), 1, "{}", self.answers);
            let seen = seen.values().next().unwrap();
            compare_instrument(self.feed, self.answers, seen, known.as_object().unwrap(), lines, &mut faults);
            assert_eq!(faults, [""; 0]);
            return;
        };
        let wanted = known["instruments"].as_object().unwrap();
        let seen: BTreeMap<_, _> =
            seen.iter().map(|((venue, symbol), seen)| (name(venue, symbol), seen)).collect();
        for (instrument, answers) in wanted {
            match seen.get(instrument) {
                Some(seen) => {
                    let answers = answers.as_object().unwrap();
                    compare_instrument(self.feed, instrument, seen, answers, lines, &mut faults);
                }
                None => faults.push(format!("{instrument} was not seen")),
            }
        }
        if lines {
            self.compare_third_party(data, seen.values().copied(), &mut faults);
        }
        assert_eq!(faults, [""; 0], "{}", self.answers);
        // A snapshot that no diff ever followed is of an instrument that they leave out.
        let known = |(name, seen): &(&String, &&Seen)| wanted.contains_key(*name) || seen.book.updates > 0;
        let known: Vec<_> = seen.iter().filter(known).map(|(name, _)| name).collect();
        assert_eq!(known, wanted.keys().collect::<Vec<_>>());
    }
}

/// Every file of Kraken v2 has books of its own: calls `seen_of` for each and holds them against what is known.
pub(crate) fn check_kraken_v2(data: &Path, lines: bool, mut seen_of: impl FnMut(&str) -> SeenOf) {
    let mut faults = Vec::new();
    for file in golden(data, "kraken_v2.json")["files"].as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let seen = seen_of(&format!("kraken_v2/{name}"));
        for (symbol, answers) in file["books"].as_object().unwrap() {
            let book = seen[&("kraken".to_owned(), symbol.clone())].book.answer(lines);
            compare(&format!("{name} {symbol}"), &book, Some(answers), &mut faults);
        }
    }
    assert_eq!(faults, [""; 0]);
}

/// Raw frames in a zip, without an envelope.
pub(crate) const BYBIT_ZIP: &str = "ticks/bybit_xrpusdt_2024-12-01_ob500.zip";

pub(crate) fn check_bybit_zip(data: &Path, seen: &SeenOf, lines: bool) {
    let wanted = golden(data, "bybit_xrpusdt_ob500.json");
    let book = seen[&("bybit-linear".to_owned(), "XRPUSDT".to_owned())].book.answer(lines);
    let mut faults = Vec::new();
    compare("XRPUSDT", &book, wanted["files"][0].get("book"), &mut faults);
    assert_eq!(faults, [""; 0]);
}
