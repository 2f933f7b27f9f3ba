//! Real records and packets through their decoders, compared with the golden answers.

#![expect(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, reason = "captures of lines are compared elsewhere")]
mod answers;

use std::collections::BTreeMap;
use std::path::Path;

use ingest::capture::Input;
use ingest::{Options, Step, reader};
use model::{Body, Book, BookChange, BookSide, Tick};
use serde_json::{Value, json};

use answers::{Quotes, Stream, Trades, compare, four, golden, pair, plain, shared};

/// What was seen of one instrument, in the words of the golden files.
#[derive(Default)]
struct Seen {
    trades: Trades,
    trade_count: u64,
    quotes: Quotes,
    quote_count: u64,
    book: Book,
    books: u64,
    crossed: u64,
    best: Option<[String; 4]>,
    best_changes: u64,
    best_stream: Stream,
    best_at: BTreeMap<u64, [String; 4]>,
    bars: Vec<Value>,
}

impl Seen {
    fn take(&mut self, tick: &Tick) {
        match &tick.body {
            Body::Trade(trade) => {
                self.trade_count += 1;
                self.trades.add(trade, tick.ts_event.unwrap().0);
            }
            Body::Quote(quote) if !quote.derived => {
                self.quote_count += 1;
                self.quotes.add(quote);
            }
            Body::Book(BookChange::Snapshot(levels)) => {
                self.books += 1;
                self.book = Book::from_levels(levels);
            }
            Body::Book(BookChange::Delta(levels)) => {
                self.books += 1;
                self.book.apply(levels);
            }
            Body::Candle(bar) => {
                let prices = [bar.open, bar.high, bar.low, bar.close].map(|price| plain(price.value()));
                let [open, high, low, close] = prices;
                let volume: u64 = bar.volume.to_string().parse().unwrap();
                self.bars.push(json!([bar.start.0, open, high, low, close, volume]));
            }
            _ => {}
        }
    }

    /// The best prices after a record that changed the book.
    fn note_best(&mut self, record: u64) {
        self.crossed += u64::from(self.book.is_crossed());
        let fields = four(self.book.best(BookSide::Bid), self.book.best(BookSide::Ask), "");
        if self.best.as_ref() != Some(&fields) {
            self.best_changes += 1;
            let [a, b, c, d] = fields.clone();
            self.best_stream.add(&[record.to_string(), a, b, c, d]);
            self.best_at.insert(record, fields.clone());
            self.best = Some(fields);
        }
    }

    fn book_answer(&self) -> Value {
        let top = self.book.top(10);
        let side = |side: &[model::Level]| side.iter().copied().map(pair).collect::<Vec<_>>();
        json!({
            "final_levels": {"bids": self.book.len(BookSide::Bid), "asks": self.book.len(BookSide::Ask)},
            "final_top10": {"bids": side(&top.bids), "asks": side(&top.asks)},
            "crossed_after_update": self.crossed, "bbo_changes": self.best_changes, "bbo_stream_sha256": self.best_stream.hex(),
        })
    }
}

/// Everything that `feed` makes of files, by venue symbol, and how many records or packets were read.
fn play(feed: &str, files: &[&Path]) -> (BTreeMap<String, Seen>, u64) {
    let mut reader = reader(feed, &Options::default()).unwrap();
    let mut seen = BTreeMap::<String, Seen>::new();
    let (mut ticks, mut records) = (Vec::<Tick>::new(), 0);
    for file in files {
        reader.open(Input::open(file).unwrap());
        loop {
            let before = reader.spot().number;
            match reader.step(&mut ticks) {
                Step::Ticks => {}
                Step::End => break,
                other @ Step::Broken { .. } => panic!("{}: {other:?}", file.display()),
            }
            let record = reader.spot().number;
            let mut changed = Vec::new();
            for tick in ticks.drain(..) {
                let key = tick.instrument.venue_symbol.to_string();
                let entry = seen.entry(key.clone()).or_default();
                entry.take(&tick);
                if matches!(tick.body, Body::Book(_)) && record > before {
                    changed.push(key);
                }
            }
            for key in changed {
                seen.get_mut(&key).unwrap().note_best(records + record);
            }
        }
        records += reader.spot().number;
    }
    (seen, records)
}

/// Holds a DBN file against what is known of it.
fn check_dbn(name: &str, path: &Path, known: &Value, faults: &mut Vec<String>) {
    let (seen, records) = play("dbn", &[path]);
    compare(&format!("{name} records"), &json!(records), known.get("records"), faults);
    let instruments: Vec<&String> = known["instruments"].as_object().unwrap().keys().collect();
    // Every file with prices is of one instrument; its number and its name stand in its header.
    let prices = ["trades", "top_of_book", "mbo_books", "ohlcv_first40"].map(|kind| known.get(kind));
    if prices.iter().flatten().next().is_none() {
        return;
    }
    let (id, names) = (instruments[0].as_str(), &known["metadata"]["symbols"]);
    let seen = match names.as_array().and_then(|names| names.first()).and_then(Value::as_str) {
        Some(name) => seen.get(name),
        None => seen.values().next(),
    };
    let Some(seen) = seen else {
        faults.push(format!("{name}: nothing seen of {id}"));
        return;
    };
    let of = |kind: Option<&Value>| kind.and_then(|kind| kind.get(id)).cloned();
    let trades = of(prices[0]).or((seen.trade_count > 0).then_some(Value::Null));
    if trades.is_some() {
        compare(&format!("{name} trades"), &seen.trades.answer(), trades.as_ref(), faults);
    }
    if let Some(quotes) = of(prices[1]) {
        compare(&format!("{name} quotes"), &seen.quotes.answer(), Some(&quotes), faults);
    }
    if let Some(book) = of(prices[2]) {
        compare(&format!("{name} book"), &seen.book_answer(), Some(&book), faults);
        for sample in book["bbo_samples"].as_array().unwrap() {
            let wanted = json!([sample[1], sample[2], sample[3], sample[4]]);
            let ours = json!(seen.best_at.get(&sample[0].as_u64().unwrap()));
            compare(&format!("{name} best at {}", sample[0]), &ours, Some(&wanted), faults);
        }
    }
    if let Some(bars) = prices[3] {
        let wanted: Vec<Value> =
            bars.as_array().unwrap().iter().map(|bar| json!(bar.as_array().unwrap()[1..])).collect();
        compare(&format!("{name} bars"), &json!(seen.bars), Some(&json!(wanted)), faults);
    }
}

fn check_dbn_folder(answers: &str, folder: &str) {
    let Some(data) = shared() else { return };
    let mut faults = Vec::new();
    for known in golden(&data, answers)["files"].as_array().unwrap() {
        let name = known["file"].as_str().unwrap();
        check_dbn(name, &data.join(folder).join(name), known, &mut faults);
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn dbn_of_every_schema_and_version() {
    check_dbn_folder("dbn_core.json", "dbn/core");
}

#[test]
fn dbn_of_a_futures_exchange() {
    check_dbn_folder("dbn_GLBX.MDP3.json", "dbn/GLBX.MDP3");
}

#[test]
fn dbn_of_consolidated_shares() {
    check_dbn_folder("dbn_EQUS.MINI.json", "dbn/EQUS.MINI");
}

#[test]
fn dbn_recordings() {
    check_dbn_folder("dbn_recordings.json", "dbn");
}

/// What the golden answers leave out: records without a header, and what DBN was before it was DBN.
#[test]
fn dbn_without_a_header_and_of_before() {
    let Some(data) = shared() else { return };
    let core = data.join("dbn/core");
    let mut files = 0;
    for entry in std::fs::read_dir(&core).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.contains(".frag") {
            let (seen, records) = play("dbn", &[&path]);
            assert_eq!((seen.len(), records), (0, if name.starts_with("multi") { 8 } else { 2 }), "{name}");
            files += 1;
        } else if let Some(schema) = name.strip_suffix(".dbz") {
            // The same records stand in the file of version 1.
            let twin = core.join(format!("{schema}.v1.dbn.zst"));
            let ((old, records), (new, wanted)) = (play("dbn", &[&path]), play("dbn", &[&twin]));
            assert_eq!(records, wanted, "{name}");
            assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>(), "{name}");
            for (symbol, old) in &old {
                let new = &new[symbol];
                assert_eq!((old.trades.answer(), &old.bars), (new.trades.answer(), &new.bars), "{name}");
                assert_eq!(
                    (old.quotes.answer(), old.book_answer()),
                    (new.quotes.answer(), new.book_answer())
                );
            }
            files += 1;
        }
    }
    assert_eq!(files, 17);
}
