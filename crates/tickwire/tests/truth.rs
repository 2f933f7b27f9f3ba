//! What a server says of its data, from outside: trades taken back, books begun anew, prices that cross, whose quote is
//! best, who cannot be trusted, by which names things go, and when what happened.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use common::{Guard, PATIENCE, Plant};
use serde_json::Value;

/// The time of the scenes' beginning, in seconds.
const BEGIN: u64 = 1_795_185_000;

/// A capture of the simulated venue: when, in tenths of a second, and what.
fn capture(scene: &[(u64, &str)]) -> String {
    let mut text = format!(
        "{{\"format\":2,\"t\":\"header\",\"venue\":\"sim\"}}\n\
         {{\"addr\":\"sim\",\"conn\":\"sim\",\"t\":\"connect\",\"ts\":{BEGIN}.0}}\n"
    );
    for (tenths, message) in scene {
        let (seconds, tenth) = (BEGIN + tenths / 10, tenths % 10);
        // The venue's clock is 20 ms behind.
        let at = seconds * 1_000_000_000 + tenth * 100_000_000 - 20_000_000;
        let data = message.replacen('{', &format!(r#"{{"s":"X-USD","t":{at},"#), 1);
        let data = Value::from(data);
        writeln!(text, r#"{{"conn":"sim","data":{data},"t":"recv","ts":{seconds}.{tenth}}}"#).unwrap();
    }
    text
}

const BOOK: &str = r#"{"e":"book","x":true,"b":[["9.0","1"]],"a":[["11.0","1"]]}"#;

/// A plant with two feeds of one symbol, whose captures are in `folder`.
fn plant(folder: &Path) -> Plant {
    let first = capture(&[
        (0, BOOK),
        (0, r#"{"e":"quote","b":[["9.0","1"]],"a":[["11.0","1"]]}"#),
        (1, r#"{"e":"trade","i":"1","p":"10.0","q":"1","d":"buy"}"#),
        (2, r#"{"e":"trade","i":"2","p":"19.5","q":"2","d":"sell"}"#),
        (20, r#"{"e":"correct","i":"2"}"#),
        (21, r#"{"e":"correct","i":"1","p":"10.5","q":"1","d":"buy"}"#),
        (22, r#"{"e":"gap","r":"sequence","f":5,"l":7}"#),
        (23, BOOK),
        (24, r#"{"e":"gap","r":"tick_size"}"#),
        (25, BOOK),
        (26, r#"{"e":"quote","b":[["9.5","1"]],"a":[["9.0","1"]]}"#),
        (27, r#"{"e":"quote","b":[["9.5","1"]],"a":[["9.5","1"]]}"#),
        (28, r#"{"e":"status","w":"halted","r":"volatility"}"#),
        (60, r#"{"e":"status","w":"open","r":"over"}"#),
    ]);
    let second = capture(&[
        (0, r#"{"e":"quote","b":[["8.0","1"]],"a":[["10.0","3"]]}"#),
        (60, r#"{"e":"quote","b":[["8.0","2"]],"a":[["10.0","3"]]}"#),
    ]);
    let feed = |name: &str, suffix: &str, capture: String| {
        let file = folder.join(format!("{name}.jsonl"));
        std::fs::write(&file, capture).unwrap();
        format!(
            "[[feed]]\nname = \"{name}\"\nkind = \"replay\"\nfeed = \"sim\"\nfiles = ['{}']\n\
             wait_for_subscriber = true\nstale_after = \"60s\"\nsymbol_suffix = \"{suffix}\"\n",
            file.display()
        )
    };
    let streams = "[streams]\nconsolidated = [\"X-*\"]\n";
    Plant::start_plain("", &format!("{streams}{}{}", feed("first", "", first), feed("second", ".B", second)))
}

/// All records and gaps of a session, by channel and symbol, until what `over` waits for has come.
fn heard(plant: &Plant, over: impl Fn(&Value) -> bool) -> BTreeMap<(String, String), Vec<Value>> {
    let mut reader = common::tickwire();
    reader.args([
        "sub",
        "--raw",
        "-c",
        "trades,quotes,book,status,candles,ticker",
        "-s",
        "*",
        "--interval",
        "1s",
    ]);
    reader.args(["--url", &plant.url()]);
    reader.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    let mut reader = Guard(reader.stdout(Stdio::piped()).spawn().unwrap());
    let (began, mut heard) = (Instant::now(), BTreeMap::<_, Vec<_>>::new());
    for line in BufReader::new(reader.0.stdout.take().unwrap()).lines() {
        assert!(began.elapsed() < PATIENCE, "it never came: {heard:#?}");
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(channel) = message["channel"].as_str() else { continue };
        let records = match &message["type"] {
            gap if gap == "gap" => vec![message.clone()],
            _ => message["data"].as_array().unwrap().clone(),
        };
        let mut is_over = false;
        for record in records {
            is_over |= channel == "status" && over(&record);
            let symbol = record["symbol"].as_str().unwrap().to_owned();
            heard.entry((channel.to_owned(), symbol)).or_default().push(record);
        }
        if is_over {
            break;
        }
    }
    heard
}

/// The fields of a record that are asked for.
fn of<const N: usize>(record: &Value, names: [&str; N]) -> Vec<String> {
    names.map(|name| record[name].as_str().map_or_else(|| record[name].to_string(), str::to_owned)).into()
}

#[test]
fn what_is_true_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let plant = plant(folder.path());
    let is_over = |status: &Value| status["symbol"] == "X-USD" && status["state"] == "source_down";
    let heard = heard(&plant, is_over);
    let stream = |channel: &str, symbol: &str| &heard[&(channel.to_owned(), symbol.to_owned())];

    // One execution is taken back, the other one is corrected; bars and totals follow.
    let trades = stream("trades", "X-USD");
    let told = ["correction", "trade_id", "original_sequence", "original_price", "price", "size"];
    assert_eq!(of(&trades[2], told), ["cancel", "2", "2", "19.5", "null", "null"]);
    assert_eq!(of(&trades[3], told), ["correct", "1", "1", "10.0", "10.5", "1"]);
    let bar = stream("candles", "X-USD").last().unwrap();
    let told = ["open", "high", "low", "close", "volume", "trades", "corrected"];
    assert_eq!(of(bar, told), ["10.5", "10.5", "10.5", "10.5", "1", "1", "true"]);
    let tickers = stream("ticker", "X-USD");
    assert!(tickers.iter().any(|ticker| ticker["high"] == "19.5"));
    assert_eq!(of(tickers.last().unwrap(), ["last_price", "high", "volume"]), ["10.5", "10.5", "1"]);

    // What was lost, and what the venue itself began anew.
    let gaps: Vec<_> = stream("book", "X-USD").iter().filter(|record| record["type"] == "gap").collect();
    let told = ["reason", "cause", "venue_from_sequence", "venue_to_sequence"];
    assert_eq!(of(gaps[0], told), ["feed_gap", "sequence", "5", "7"]);
    assert_eq!(of(gaps[1], told), ["feed_gap", "tick_size", "null", "null"]);
    let states: Vec<_> = stream("status", "X-USD").iter().map(|status| status["state"].clone()).collect();
    let wanted = ["open", "suspect", "open", "suspect", "open", "halted", "open", "source_down"];
    assert!(states.ends_with(&wanted.map(Value::from)), "{states:?}");

    // Crossed and locked prices are flagged.
    let quotes = stream("quotes", "X-USD");
    let flags = |quote: &Value| (quote["crossed"] == true, quote["locked"] == true);
    let flags: Vec<_> = quotes.iter().map(flags).collect();
    assert!(flags.ends_with(&[(false, false), (true, false), (true, true)]), "{flags:?}");

    // The best of both, whose it is, and who does not count.
    let best: Vec<_> = stream("quotes", "X-USD.BBO")
        .iter()
        .map(|quote| of(quote, ["bid_price", "bid_source", "ask_price", "ask_source", "crossed"]).join(" "))
        .collect();
    let first = best.iter().position(|best| best == "9.0 X-USD 10.0 X-USD.B null").expect("both count");
    let crossed = best.iter().position(|best| best == "9.5 X-USD 9.0 X-USD true").expect("it crosses");
    let halted =
        best.iter().rposition(|best| best == "8.0 X-USD.B 10.0 X-USD.B null").expect("one is halted");
    assert!(first < crossed && crossed < halted, "{best:#?}");
    let reasons: Vec<_> =
        stream("status", "X-USD.BBO").iter().map(|status| of(status, ["state", "reason"])).collect();
    assert!(reasons.contains(&vec!["open".into(), "1 of 2 sources: X-USD is halted".into()]), "{reasons:?}");

    // Names, and what else is known.
    let token = plant.token(&["stream:*"], "10m");
    let (status, symbols) = common::get_as(&plant.address, "/v1/symbols", &token);
    assert_eq!(status, 200, "{symbols}");
    let symbols: Value = serde_json::from_str(&symbols).unwrap();
    let known = |symbol: &str| {
        let all = symbols["symbols"].as_array().unwrap();
        all.iter().find(|known| known["symbol"] == symbol).cloned().unwrap_or_default()
    };
    assert_eq!(of(&known("X-USD.BBO"), ["venue", "price_scale"]), ["consolidated", "1"]);
    assert_eq!(of(&known("X-USD.B"), ["venue", "venue_symbol"]), ["sim", "X-USD"]);

    // And for operators.
    let metrics = common::get(&plant.admin, "/metrics").1;
    let value = |name: &str| {
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned()
    };
    assert_eq!(value("tickwire_feed_corrections_total{feed=\"first\",result=\"exact\"}"), "2");
    assert_eq!(value("tickwire_feed_book_resets_total{feed=\"first\",reason=\"tick_size\"}"), "1");
    assert_eq!(value("tickwire_feed_sequence_gaps_total{feed=\"first\"}"), "1");
    assert_eq!(value("tickwire_feed_crossed_quotes_total{feed=\"first\",kind=\"crossed\"}"), "1");
    let offset: f64 = value("tickwire_feed_clock_offset_seconds{feed=\"first\"}").parse().unwrap();
    assert!((offset + 0.02).abs() < 1e-6, "{offset}");
}
