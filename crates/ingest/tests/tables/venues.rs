//! Mappings of the messages of venues that have normalisers: what both say of one capture must be the same. The captures are
//! other people's data and stand outside the repository; where they are not, the test says so and has nothing to do.

use std::path::Path;

use ingest::capture::Input;
use ingest::{Options, Step, reader};
use model::{Body, Tick};

use super::map;

/// Whose capture, how many trades at least, and where in the messages they are.
const CASES: [(&str, &str, usize, &str); 7] = [
    (
        "bybit",
        "{s}",
        300,
        r#"when = [{ column = "topic", begins = ["publicTrade."] }]
        rows = "data"
        time = { column = "T", unit = "ms" }
        trade = { price = "p", size = "v", side = "S", id = "i" }"#,
    ),
    (
        "okx",
        "{instId}",
        50,
        r#"when = [{ column = "arg.channel", is = ["trades"] }]
        rows = "data"
        time = { column = "ts", unit = "ms" }
        trade = { price = "px", size = "sz", side = "side", id = "tradeId" }"#,
    ),
    (
        "kraken",
        "{$[3]}",
        5,
        r#"when = [{ column = 3, is = ["trade"] }]
        rows = "$[1]"
        time = { column = 3, unit = "s" }
        trade = { price = 1, size = 2, side = 4 }"#,
    ),
    (
        "coinbase",
        "{product_id}",
        50,
        r#"when = [{ column = "channel", is = ["market_trades"] }]
        rows = "events[].trades"
        time = { column = "time", unit = "iso" }
        trade = { price = "price", size = "size", side = { column = "side", of = "maker" }, id = "trade_id" }"#,
    ),
    (
        "bitstamp",
        "{$.channel|live_trades_*}",
        5,
        r#"when = [{ column = "event", is = ["trade"] }]
        rows = "data"
        time = { column = "microtimestamp", unit = "us" }
        trade = { price = "price_str", size = "amount_str", side = { column = "type", buy = ["0"], sell = ["1"] }, id = "id" }"#,
    ),
    (
        "huobi",
        "{$.ch|market.*.trade.detail}",
        50,
        r#"when = [{ column = "ch", begins = ["market."] }]
        rows = "tick.data"
        time = { column = "ts", unit = "ms" }
        trade = { price = "price", size = "amount", side = "direction", id = ["tradeId", "id"] }"#,
    ),
    (
        "kucoin",
        "{$.topic|/market/match:*}",
        10,
        r#"when = [{ column = "topic", begins = ["/market/match:"] }]
        rows = "data"
        time = { column = "time", unit = "ns" }
        trade = { price = "price", size = "size", side = "side", id = "tradeId" }"#,
    ),
];

/// The trades of a capture, old ones among them, as far as a mapping can say them.
fn trades(feed: &str, options: &Options, file: &Path) -> Vec<String> {
    let mut reader = reader(feed, options).unwrap();
    let mut ticks = Vec::new();
    reader.open(Input::open(file).unwrap());
    loop {
        match reader.step(&mut ticks) {
            Step::Ticks => {}
            Step::Broken { spot, error } => panic!("{}: {spot}: {error}", file.display()),
            Step::End => break,
        }
    }
    let line = |tick: Tick| {
        let (Body::Trade(trade) | Body::OldTrade(trade)) = tick.body else { return None };
        let id = trade.id.as_deref().unwrap_or("-");
        let (name, side) = (&tick.instrument.venue_symbol, trade.side.as_str());
        let times = (tick.ts_event.map(|at| at.0), tick.ts_recv.map(|at| at.0));
        Some(format!("{name} {times:?} {}x{} {side} {id}", trade.price, trade.size))
    };
    ticks.into_iter().filter_map(line).collect()
}

#[test]
fn a_mapping_says_of_trades_what_the_normaliser_says() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ws");
    if !data.is_dir() {
        #[expect(clippy::print_stderr, reason = "a test that has nothing to do says so")]
        {
            eprintln!("../shared/data is not there: no captures were compared");
        }
        return;
    }
    for (feed, symbol, least, message) in CASES {
        let file = data.join(format!("{feed}.jsonl.zst"));
        let mapping = format!("[instrument]\nvenue = \"v\"\nsymbol = \"{symbol}\"\n[[message]]\n{message}\n");
        let by_mapping = trades("json", &Options { map: Some(map(&mapping)), ..Options::default() }, &file);
        let by_code = trades(feed, &Options::default(), &file);
        assert!(by_code.len() >= least, "{feed}: {}", by_code.len());
        assert_eq!(by_mapping.first(), by_code.first(), "{feed}");
        assert!(by_mapping == by_code, "{feed}: {} and {} trades", by_mapping.len(), by_code.len());
    }
}
