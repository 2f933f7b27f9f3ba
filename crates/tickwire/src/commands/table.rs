//! The live table of `watch`: what is known of each symbol, drawn as text.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use model::{Price, State, Ticker, UnixNanos};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Last prices that a sparkline shows.
const SPARKS: usize = 16;

#[derive(Default)]
pub(super) struct Table {
    rows: BTreeMap<String, Row>,
    pub(super) status: String,
}

struct Row {
    ticker: Ticker,
    state: State,
    seen: UnixNanos,
    coalesced: u64,
    /// Where the price went last, and when.
    moved: Option<(bool, UnixNanos)>,
    sparks: VecDeque<Decimal>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            ticker: Ticker::default(),
            state: State::Open,
            seen: UnixNanos(0),
            coalesced: 0,
            moved: None,
            sparks: VecDeque::new(),
        }
    }
}

impl Table {
    pub(super) fn ticker(&mut self, symbol: &str, ticker: &Ticker, coalesced: u64, now: UnixNanos) {
        let row = self.rows.entry(symbol.to_owned()).or_default();
        let (before, after) = (row.ticker.last_price, ticker.last_price);
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            row.moved = Some((after > before, now));
        }
        if let Some(price) = after.map(Price::value).filter(|price| row.sparks.back() != Some(price)) {
            row.sparks.push_back(price);
            if row.sparks.len() > SPARKS {
                row.sparks.pop_front();
            }
        }
        row.ticker = ticker.clone();
        row.seen = now;
        row.coalesced += coalesced;
    }

    pub(super) fn state(&mut self, symbol: &str, state: State) {
        self.rows.entry(symbol.to_owned()).or_default().state = state;
    }

    /// What is known is no longer: a new connection begins from nothing.
    pub(super) fn forget(&mut self) {
        self.rows.clear();
    }

    /// The table as lines, at most `height` of them and `width` characters each.
    pub(super) fn draw(&self, now: UnixNanos, height: usize, width: usize, colour: bool) -> Vec<String> {
        let mut lines = vec![self.status.clone()];
        lines.push(format!(
            "{:<14} {:>15} {:>8} {:>14} {:>14} {:>18} {:<SPARKS$} {:<11}{:>7}{:>10}",
            "symbol", "last", "24h %", "bid", "ask", "24h volume", "", "state", "age", "coalesced"
        ));
        for (symbol, row) in self.rows.iter().take(height.saturating_sub(3)) {
            lines.push(row.draw(symbol, now, colour));
        }
        let hidden = self.rows.len().saturating_sub(height.saturating_sub(3));
        if hidden > 0 {
            lines.push(format!("… and {hidden} more"));
        }
        lines.iter().map(|line| clip(line, width)).collect()
    }
}

impl Row {
    fn draw(&self, symbol: &str, now: UnixNanos, colour: bool) -> String {
        const FLASH: u64 = 600_000_000;
        let ticker = &self.ticker;
        let text = |value: Option<Decimal>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
        let price = |price: Option<Price>| text(price.map(Price::value));
        let fresh = self.moved.filter(|(_, at)| now.since(*at) < FLASH);
        let arrow = match self.moved {
            Some((true, _)) => '▲',
            Some((false, _)) => '▼',
            None => ' ',
        };
        let last = format!("{:>14}{arrow}", price(ticker.last_price));
        let last = match fresh {
            Some((up, _)) if colour => format!("\x1b[{}m{last}\x1b[0m", if up { 32 } else { 31 }),
            _ => last,
        };
        let age = now.since(self.seen) / 1_000_000;
        let age = if age < 10_000 { format!("{age}ms") } else { format!("{}s", age / 1_000) };
        format!(
            "{symbol:<14} {last} {:>8} {:>14} {:>14} {:>18} {:<SPARKS$} {:<11}{age:>7}{:>10}",
            text(ticker.change_percent),
            price(ticker.bid.map(|level| level.price)),
            price(ticker.ask.map(|level| level.price)),
            text(ticker.volume),
            self.sparkline(),
            self.state.as_str(),
            self.coalesced,
        )
    }

    fn sparkline(&self) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let (Some(low), Some(high)) = (self.sparks.iter().min(), self.sparks.iter().max()) else {
            return String::new();
        };
        let height = |price: &Decimal| {
            let share = (price - low).checked_mul(7.into()).and_then(|part| part.checked_div(high - low));
            share.and_then(|share| share.to_usize()).unwrap_or(3)
        };
        let mut line = String::new();
        for price in &self.sparks {
            // Writing to memory does not fail.
            let _ = write!(line, "{}", BARS[height(price).min(7)]);
        }
        line
    }
}

/// Cuts a line to the terminal's width; escape sequences take no room.
fn clip(line: &str, width: usize) -> String {
    let (mut kept, mut used, mut escape) = (String::new(), 0, false);
    for letter in line.chars() {
        if letter == '\x1b' {
            escape = true;
        }
        if !escape {
            used += 1;
        }
        if used > width {
            continue;
        }
        kept.push(letter);
        if escape && letter == 'm' {
            escape = false;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(price: &str) -> Ticker {
        Ticker { last_price: Some(Price::parse(price).unwrap()), ..Ticker::default() }
    }

    #[test]
    fn rows_show_where_the_price_went() {
        let mut table = Table::default();
        let second = |n: u64| UnixNanos(n * 1_000_000_000);
        table.ticker("BTC-USD", &ticker("10.0"), 0, second(1));
        table.ticker("BTC-USD", &ticker("12.0"), 3, second(2));
        table.ticker("BTC-USD", &ticker("11.0"), 4, second(3));
        table.state("BTC-USD", State::Halted);
        let lines = table.draw(second(4), 24, 200, false);
        assert_eq!(lines.len(), 3);
        let row = &lines[2];
        for part in ["BTC-USD", "11.0▼", "▁█▄", "halted", "1000ms", " 7"] {
            assert!(row.contains(part), "{part} in {row}");
        }
        // A flash is colour only while it is fresh.
        assert!(table.draw(second(3), 24, 200, true)[2].contains("\x1b[31m"));
        assert!(!table.draw(second(4), 24, 200, true)[2].contains('\x1b'));
    }

    #[test]
    fn the_terminal_is_never_overrun() {
        let mut table = Table::default();
        for n in 0..50 {
            table.ticker(&format!("S{n}"), &ticker("1"), 0, UnixNanos(1));
        }
        let lines = table.draw(UnixNanos(1), 10, 20, true);
        assert_eq!(lines.len(), 10);
        assert!(lines.iter().all(|line| line.chars().count() <= 20));
        assert_eq!(lines.last().unwrap(), "… and 43 more");
    }
}
