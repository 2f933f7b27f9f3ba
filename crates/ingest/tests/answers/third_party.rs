//! What another program counted.

use std::path::Path;

use super::{Case, Seen, golden};

impl Case {
    /// What cryptofeed itself counted when it played the same capture: an answer that neither we nor the scripts
    /// of the golden files computed.
    pub(super) fn compare_third_party<'a>(
        &self,
        data: &Path,
        seen: impl Iterator<Item = &'a Seen>,
        faults: &mut Vec<String>,
    ) {
        let capture = self.files[0].strip_prefix("ws/").and_then(|file| file.split('.').next()).unwrap();
        let theirs = &golden(data, "third_party_cryptofeed_callback_counts.json")["counts"][capture];
        let [mut books, mut live, mut old, mut quotes, mut tickers] = [0; 5];
        for seen in seen {
            books += seen.book.snapshots + seen.book.updates;
            live += seen.trades.count;
            old += seen.old_trades.count;
            quotes += seen.quotes.count;
            tickers += seen.tickers;
        }
        match capture {
            // Two diffs of the snapshot's own time count as newer.
            "bitstamp" => books += 2,
            // So do diffs of the snapshot's number, and those without a level.
            "kucoin" => books = theirs["l2_book"].as_u64().unwrap(),
            // Messages that say nothing of the best prices count as well.
            "bybit" => quotes = theirs["ticker"].as_u64().unwrap(),
            _ => {}
        }
        let trades = if matches!(capture, "bitfinex" | "bitget") { live + old } else { live };
        let best = if quotes == 0 { tickers } else { quotes };
        for (key, ours) in [("l2_book", books), ("trades", trades), ("ticker", best)] {
            if ours != theirs[key].as_u64().unwrap_or(0) {
                faults.push(format!("{capture}: ours {ours} of {key}, cryptofeed's {}", theirs[key]));
            }
        }
    }
}
