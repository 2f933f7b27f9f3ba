//! What the name of a file says without a pattern: `trades_BTC-USDT_2024-01-01.csv`, `binance_BTCUSDT.csv.gz`.
//!
//! The name is cut into its parts. Days and hours, the words that say what is in the file and a venue go; the rest
//! is the instrument, whole: a future and an option must not become what they are of.

use model::Date;

/// Endings that say how rows are written and packed.
const ENDINGS: [&str; 21] = [
    ".gz", ".zst", ".zip", ".bz2", ".xz", ".7z", ".csv", ".tsv", ".txt", ".dat", ".psv", ".tab", ".json",
    ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".bi5",
];

/// Words for what is in a file.
const WORDS: [&str; 34] = [
    "trades",
    "trade",
    "trd",
    "aggtrades",
    "aggtrade",
    "quotes",
    "quote",
    "ticks",
    "tick",
    "bookticker",
    "bbo",
    "nbbo",
    "tbbo",
    "tob",
    "l1",
    "l2",
    "l3",
    "mbo",
    "orderbook",
    "rows",
    "data",
    "dataset",
    "sample",
    "export",
    "dump",
    "raw",
    "history",
    "historical",
    "hist",
    "part",
    "to",
    "daily",
    "monthly",
    "utc",
];

/// Words that are currencies, too: `DATA-USDT`.
const COINS: [&str; 2] = ["data", "tick"];
const QUOTES: [&str; 9] = ["usdt", "usdc", "usd", "eur", "btc", "eth", "krw", "try", "bnb"];

const VENUES: [&str; 40] = [
    "binance",
    "binanceus",
    "bybit",
    "okx",
    "okex",
    "kraken",
    "coinbase",
    "gdax",
    "bitstamp",
    "bitfinex",
    "bitmex",
    "deribit",
    "huobi",
    "htx",
    "kucoin",
    "gemini",
    "bitget",
    "gate",
    "gateio",
    "mexc",
    "poloniex",
    "bittrex",
    "cryptocom",
    "ftx",
    "phemex",
    "upbit",
    "bithumb",
    "cexio",
    "dydx",
    "hyperliquid",
    "bitflyer",
    "lbank",
    "bitmart",
    "bingx",
    "coinex",
    "whitebit",
    "woo",
    "hitbtc",
    "itbit",
    "kaiko",
];

/// The markets of a venue, which are venues of their own.
const MARKETS: [&str; 14] = [
    "spot", "futures", "swap", "delivery", "usdm", "coinm", "um", "cm", "linear", "inverse", "options",
    "pro", "us", "eu",
];

/// What a part of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Kept,
    Time,
    Word,
    Venue,
}

/// A part of a name, and the character before it.
struct Part<'a> {
    text: &'a str,
    mark: char,
    kind: Kind,
}

/// What the name of a file tells: `symbol`, `venue` and `date`, as far as they are in it.
pub(super) fn tell(path: &str) -> Vec<(Box<str>, String)> {
    let name = bare(path);
    let mut parts = cut(name);
    let mut told = Vec::new();
    let date = times(&mut parts);
    words(&mut parts);
    let venue = parts.iter().filter(|part| part.kind == Kind::Venue).map(|part| part.text);
    let venue = venue.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let mut symbol = String::new();
    for part in parts.iter().filter(|part| part.kind == Kind::Kept) {
        if !symbol.is_empty() {
            symbol.push(part.mark);
        }
        symbol.push_str(part.text);
    }
    // A name of nothing but such words is the only one that there is.
    if symbol.is_empty() && !name.is_empty() && parts.iter().all(|part| part.kind == Kind::Word) {
        name.clone_into(&mut symbol);
    }
    let found =
        [("symbol", symbol), ("venue", venue), ("date", date.map_or(String::new(), |date| date.to_string()))];
    told.extend(found.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key.into(), text)));
    told
}

/// Whether the name of a file is words for what is in it: the archive's is the better one.
pub(super) fn is_word(path: &str) -> bool {
    let mut parts = cut(bare(path));
    words(&mut parts);
    parts.iter().all(|part| part.kind == Kind::Word)
}

/// Whether pairs of coins are traded at a venue, or at a market of it.
pub(super) fn is_of_coins(venue: &str) -> bool {
    let name = venue.split('-').next().unwrap_or(venue);
    name == "ccxt" || VENUES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The name without folders and endings.
fn bare(path: &str) -> &str {
    let mut name = &path[path.rfind('/').map_or(0, |at| at + 1)..];
    let ends = |name: &str, ending: &str| {
        let at = name.len().checked_sub(ending.len())?;
        name.get(at..).filter(|end| at > 0 && end.eq_ignore_ascii_case(ending)).map(|_| at)
    };
    while let Some(at) = ENDINGS.iter().find_map(|ending| ends(name, ending)) {
        name = &name[..at];
    }
    name
}

fn cut(name: &str) -> Vec<Part<'_>> {
    let is_mark = |c: char| matches!(c, '_' | '-' | '.' | ' ' | '(' | ')' | '@');
    let (mut parts, mut mark) = (Vec::new(), '-');
    for piece in name.split_inclusive(is_mark) {
        let text = piece.strip_suffix(is_mark).unwrap_or(piece);
        if !text.is_empty() {
            // The second file of a name has its number in parentheses.
            let kind = if mark == '(' { Kind::Word } else { Kind::Kept };
            parts.push(Part { text, mark, kind });
        }
        mark = piece.chars().next_back().unwrap_or('-');
    }
    parts
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_year(text: &str) -> bool {
    digits(text, 4) && (text.starts_with("19") || text.starts_with("20"))
}

fn is_month(text: &str) -> bool {
    digits(text, 2) && ("01"..="12").contains(&text)
}

/// Marks days, months, hours and stamps; the first day that is whole.
fn times(parts: &mut [Part<'_>]) -> Option<Date> {
    let (mut first, mut at) = (None, 0);
    while at < parts.len() {
        let text = |n: usize| parts.get(at + n).map_or("", |part| part.text);
        let (length, date) = time(text(0), text(1), text(2));
        if length == 0 {
            at += 1;
            continue;
        }
        // Bybit's names have the day behind the symbol and nothing between them.
        if let Some(begin) = text(0).len().checked_sub(4).filter(|&begin| begin > 0 && length == 3) {
            parts[at].text = &parts[at].text[..begin];
            at += 1;
            parts[at..at + 2].iter_mut().for_each(|part| part.kind = Kind::Time);
            at += 2;
        } else {
            parts[at..at + length].iter_mut().for_each(|part| part.kind = Kind::Time);
            at += length;
        }
        first = first.or(date);
        // The time of the day stands behind the day.
        while parts.get(at).is_some_and(|part| [2, 4, 6].iter().any(|&length| digits(part.text, length))) {
            if parts.get(at).is_some_and(|part| is_year(part.text)) {
                break;
            }
            parts[at].kind = Kind::Time;
            at += 1;
        }
    }
    first
}

/// How many parts, of which these are the first ones, are a time; the day that they are.
fn time(first: &str, second: &str, third: &str) -> (usize, Option<Date>) {
    let year = first.len().checked_sub(4).and_then(|at| first.get(at..)).filter(|year| is_year(year));
    // `2024-01-01T00`: the hour may follow at once.
    let day = third.get(..2).filter(|_| third.len() == 2 || third[2..].starts_with(['T', 't']));
    if let (Some(year), Some(day)) = (year, day.filter(|_| is_month(second)))
        && let Ok(date) = Date::parse(&format!("{year}-{second}-{day}"))
        && (first.len() == 4 || !first.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return (3, Some(date));
    }
    if digits(first, 2) && is_year(third) && Date::parse(&format!("{third}-{second}-{first}")).is_ok() {
        return (3, None);
    }
    if digits(first, 8)
        && let Ok(date) = Date::parse(first)
        && is_year(&first[..4])
    {
        return (1, Some(date));
    }
    // A year and a month, that are no day of the years in which there are such futures.
    let is_year_and_month =
        digits(first, 6) && is_month(&first[4..]) && ("2013".."2100").contains(&&first[..4]);
    let is_hour = first.len() == 3 && first.ends_with('h') && digits(&first[..2], 2);
    let is_stamp = first.len() >= 10 && digits(first, first.len());
    match () {
        () if is_year(first) && is_month(second) => (2, None),
        // An option may be struck at a price that looks like a year.
        () if is_year(first) && !["c", "p"].contains(&&*second.to_ascii_lowercase()) => (1, None),
        () if is_year_and_month || is_hour || is_stamp => (1, None),
        () => (0, None),
    }
}

/// Marks words and the venue with its market.
fn words(parts: &mut [Part<'_>]) {
    let is_in = |words: &[&str], text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    let mut has_venue = false;
    for at in 0..parts.len() {
        let next = parts.get(at + 1).map_or("", |part| part.text);
        let before = at > 0 && parts[at - 1].kind == Kind::Venue;
        let part = &mut parts[at];
        if part.kind != Kind::Kept {
            continue;
        }
        if is_in(&VENUES, part.text) && !has_venue || before && is_in(&MARKETS, part.text) {
            (part.kind, has_venue) = (Kind::Venue, true);
        } else if is_in(&WORDS, part.text) && !(is_in(&COINS, part.text) && is_in(&QUOTES, next)) {
            part.kind = Kind::Word;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for (name, wanted) in [
            ("BTC-USDT.csv", "symbol BTC-USDT"),
            ("x/BTC_USDT.csv.gz", "symbol BTC_USDT"),
            ("BTC-PERPETUAL.csv", "symbol BTC-PERPETUAL"),
            ("BTCUSDT_PERP.csv", "symbol BTCUSDT_PERP"),
            ("BTCUSDT_240628.csv", "symbol BTCUSDT_240628"),
            ("BTC-USD-200904.csv", "symbol BTC-USD-200904"),
            ("BTC-USDT-2024-01-01.csv", "symbol BTC-USDT date 2024-01-01"),
            ("BTC-USDT_20240101.csv", "symbol BTC-USDT date 2024-01-01"),
            ("BTCUSDT2024-01-01.csv.gz", "symbol BTCUSDT date 2024-01-01"),
            ("BTCUSDT-trades-2024-01.zip", "symbol BTCUSDT"),
            ("EURUSD_202401.csv", "symbol EURUSD"),
            ("ETH-28JUN24-3000-C.csv", "symbol ETH-28JUN24-3000-C"),
            ("ETH-28JUN24-2000-C.csv", "symbol ETH-28JUN24-2000-C"),
            ("trades_BTCUSDT_2024-01-01.csv", "symbol BTCUSDT date 2024-01-01"),
            ("LTCUSDT_2025-06-21_15h_trades.csv", "symbol LTCUSDT date 2025-06-21"),
            ("2024-01-01_BTCUSDT.csv", "symbol BTCUSDT date 2024-01-01"),
            ("2024-01-01T00-00-00_BTCUSDT.csv", "symbol BTCUSDT date 2024-01-01"),
            ("BTCUSDT_2024-01-01_2024-01-31.csv", "symbol BTCUSDT date 2024-01-01"),
            ("BTCUSDT_2024-01-01_120000.csv", "symbol BTCUSDT date 2024-01-01"),
            ("BTCUSDT_1704067200000.csv", "symbol BTCUSDT"),
            ("AAPL 01-02-2024 (1).csv", "symbol AAPL"),
            ("binance_BTCUSDT.csv", "symbol BTCUSDT venue binance"),
            (
                "binance-futures_trades_2020-09-01_BTCUSDT.csv.gz",
                "symbol BTCUSDT venue binance-futures date 2020-09-01",
            ),
            ("BTCUSDT_spot.csv", "symbol BTCUSDT_spot"),
            ("DATA-USDT.csv", "symbol DATA-USDT"),
            ("BRK.B.csv", "symbol BRK.B"),
            ("BRK.B_trades.txt", "symbol BRK.B"),
            ("005930.csv", "symbol 005930"),
            ("trades.csv", "symbol trades"),
            ("2024-01-01.csv", "date 2024-01-01"),
            ("20240101.csv", "date 2024-01-01"),
            ("2024.csv", ""),
            ("trades-2024-01.csv", ""),
            ("binance_2024-01-01.csv", "venue binance date 2024-01-01"),
            ("ä.csv", "symbol ä"),
            (".csv", "symbol csv"),
        ] {
            let found = tell(name).iter().map(|(key, text)| format!("{key} {text}")).collect::<Vec<_>>();
            assert_eq!(found.join(" "), wanted, "{name}");
        }
    }
}
