//! Captures of our own making: a simulated market in the words of each venue.

use ingest::sim::{Market, Settings};
use model::{Body, Book, BookChange, BookSide, Level, Levels, Side, UnixNanos};

/// When the captures begin: 2026-11-20T14:30:00Z.
const START: u64 = 1_795_185_000_000_000_000;
/// Levels that Kraken's books have.
const KRAKEN_DEPTH: usize = 10;

/// One instrument of the market as a venue tells of it.
struct Scribe {
    feed: &'static str,
    symbol: &'static str,
    book: Book,
    told: Book,
    number: u64,
}

/// Two instruments, as each venue writes them.
pub(crate) fn symbols(feed: &str) -> [&'static str; 2] {
    match feed {
        "kraken-v2" => ["BTC/USD", "ETH/USD"],
        "coinbase" => ["BTC-USD", "ETH-USD"],
        "okx" => ["BTC-USDT", "ETH-USDT"],
        "binance-coinm" => ["BTCUSD_PERP", "ETHUSD_PERP"],
        _ => ["BTCUSDT", "ETHUSDT"],
    }
}

/// A capture: times and messages of so many changes of books.
pub(crate) fn capture(feed: &'static str, seed: u64, changes: usize) -> Vec<(u64, String)> {
    let settings = Settings { seed, symbols: 2, rate: 200, start: UnixNanos(START) };
    let mut market = Market::new(&settings);
    let mut scribes: Vec<(String, Scribe)> = Vec::new();
    let (mut frames, mut ticks, mut told) = (Vec::new(), Vec::new(), 0);
    while told < changes {
        market.advance(&mut ticks);
        for tick in ticks.drain(..) {
            let name = tick.instrument.symbol.to_string();
            let index = scribes.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                let symbol = symbols(feed)[scribes.len()];
                let scribe = Scribe { feed, symbol, book: Book::default(), told: Book::default(), number: 0 };
                scribes.push((name, scribe));
                scribes.len() - 1
            });
            let (scribe, at) = (&mut scribes[index].1, tick.ts_event.map_or(START, |at| at.0));
            match &tick.body {
                Body::Book(change) => {
                    match change {
                        BookChange::Snapshot(levels) => scribe.book = Book::from_levels(levels),
                        BookChange::Delta(levels) => scribe.book.apply(levels),
                        BookChange::Gap(_) => continue,
                    }
                    if let Some(text) = scribe.change(at) {
                        told += 1;
                        frames.push((at, text));
                    }
                }
                Body::Trade(trade) => {
                    let id = trade.id.as_deref().unwrap_or("0");
                    let side = if trade.side == Side::Sell { "sell" } else { "buy" };
                    let traded =
                        scribe.trade(at, id, side, &trade.price.to_string(), &trade.size.to_string());
                    frames.extend(traded.map(|text| (at, text)));
                }
                _ => {}
            }
        }
    }
    // A connection numbers all that it sends.
    let numbered = frames.into_iter().enumerate().map(|(number, (at, text)): (usize, (u64, String))| {
        (at, text.replacen("\"sequence_num\":0", &format!("\"sequence_num\":{number}"), 1))
    });
    numbered.collect()
}

impl Scribe {
    /// What the venue says of a change of the book; nothing where it does not show.
    fn change(&mut self, at: u64) -> Option<String> {
        let mut shown = self.book.clone();
        if self.feed == "kraken-v2" {
            shown.cut(KRAKEN_DEPTH);
        }
        let first = self.number == 0;
        let levels = if first { shown.top(usize::MAX) } else { self.told.diff(&shown) };
        if levels.is_empty() {
            return None;
        }
        self.told = shown;
        self.number += 1;
        Some(self.message(at, first, &levels))
    }

    fn message(&self, at: u64, first: bool, levels: &Levels) -> String {
        let (symbol, number, ms) = (self.symbol, self.number, at / 1_000_000);
        // Far enough above nothing for a numbering that falls back.
        let number = number + 1_000_000;
        let pairs = |side: &[Level]| {
            side.iter()
                .map(|level| format!("[\"{}\",\"{}\"]", level.price, level.size))
                .collect::<Vec<_>>()
                .join(",")
        };
        let (bids, asks) = (pairs(&levels.bids), pairs(&levels.asks));
        match self.feed {
            "bybit" => {
                let kind = if first { "snapshot" } else { "delta" };
                format!(
                    r#"{{"topic":"orderbook.50.{symbol}","type":"{kind}","ts":{ms},"data":{{"s":"{symbol}","b":[{bids}],"a":[{asks}],"u":{number},"seq":{number}}},"cts":{ms}}}"#
                )
            }
            "okx" => {
                let (kind, previous) =
                    if first { ("snapshot", -1) } else { ("update", number.cast_signed() - 1) };
                let data = format!(
                    r#"{{"asks":[{asks}],"bids":[{bids}],"ts":"{ms}","checksum":0,"prevSeqId":{previous},"seqId":{number}}}"#
                );
                format!(
                    r#"{{"arg":{{"channel":"books","instId":"{symbol}"}},"action":"{kind}","data":[{data}]}}"#
                )
            }
            "kraken-v2" => {
                let rows = |side: &[Level]| {
                    let row = |level: &Level| format!(r#"{{"price":{},"qty":{}}}"#, level.price, level.size);
                    side.iter().map(row).collect::<Vec<_>>().join(",")
                };
                let kind = if first { "snapshot" } else { "update" };
                format!(
                    r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":[{}],"asks":[{}],"checksum":{},"timestamp":"{}"}}]}}"#,
                    rows(&levels.bids),
                    rows(&levels.asks),
                    self.told.checksum(usize::MAX),
                    UnixNanos(at)
                )
            }
            "coinbase" => {
                let kind = if first { "snapshot" } else { "update" };
                let row = |side: &'static str| {
                    let at = UnixNanos(at);
                    move |level: &Level| {
                        format!(
                            r#"{{"side":"{side}","event_time":"{at}","price_level":"{}","new_quantity":"{}"}}"#,
                            level.price, level.size
                        )
                    }
                };
                let rows: Vec<String> =
                    levels.bids.iter().map(row("bid")).chain(levels.asks.iter().map(row("offer"))).collect();
                format!(
                    r#"{{"channel":"l2_data","client_id":"","timestamp":"{}","sequence_num":0,"events":[{{"type":"{kind}","product_id":"{symbol}","updates":[{}]}}]}}"#,
                    UnixNanos(at),
                    rows.join(",")
                )
            }
            _ if first => {
                format!(r#"{{"lastUpdateId":{number},"symbol":"{symbol}","bids":[{bids}],"asks":[{asks}]}}"#)
            }
            _ => {
                let futures = if self.feed == "binance-spot" {
                    String::new()
                } else {
                    format!(r#""T":{ms},"pu":{},"#, number - 1)
                };
                let stream = symbol.to_ascii_lowercase();
                format!(
                    r#"{{"stream":"{stream}@depth@100ms","data":{{"e":"depthUpdate","E":{ms},{futures}"s":"{symbol}","U":{number},"u":{number},"b":[{bids}],"a":[{asks}]}}}}"#
                )
            }
        }
    }

    fn trade(&self, at: u64, id: &str, side: &str, price: &str, size: &str) -> Option<String> {
        let (symbol, ms) = (self.symbol, at / 1_000_000);
        let number: u64 =
            id.bytes().filter(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        self.book.best(BookSide::Bid)?;
        let upper = if side == "sell" { "Sell" } else { "Buy" };
        Some(match self.feed {
            "bybit" => format!(
                r#"{{"topic":"publicTrade.{symbol}","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":"{symbol}","S":"{upper}","v":"{size}","p":"{price}","L":"PlusTick","i":"{symbol}-{id}","BT":false}}]}}"#
            ),
            "okx" => format!(
                r#"{{"arg":{{"channel":"trades","instId":"{symbol}"}},"data":[{{"instId":"{symbol}","tradeId":"{number}","px":"{price}","sz":"{size}","side":"{side}","ts":"{ms}"}}]}}"#
            ),
            "kraken-v2" => format!(
                r#"{{"channel":"trade","type":"update","data":[{{"symbol":"{symbol}","side":"{side}","price":{price},"qty":{size},"ord_type":"market","trade_id":{number},"timestamp":"{}"}}]}}"#,
                UnixNanos(at)
            ),
            "coinbase" => format!(
                r#"{{"channel":"market_trades","client_id":"","timestamp":"{at}","sequence_num":0,"events":[{{"type":"update","trades":[{{"product_id":"{symbol}","trade_id":"{number}","price":"{price}","size":"{size}","time":"{at}","side":"{}"}}]}}]}}"#,
                if side == "sell" { "BUY" } else { "SELL" },
                at = UnixNanos(at)
            ),
            _ => format!(
                r#"{{"stream":"{}@aggTrade","data":{{"e":"aggTrade","E":{ms},"s":"{symbol}","a":{number},"p":"{price}","q":"{size}","T":{ms},"m":{}}}}}"#,
                symbol.to_ascii_lowercase(),
                side == "sell"
            ),
        })
    }
}
