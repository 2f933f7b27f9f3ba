//! Bars out of trades.

use model::{Body, Candle, Interval, Trade, UnixNanos, decimal};
use serde::{Deserialize, Serialize};

/// The bars of one symbol, all intervals.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Candles {
    open: [Option<Bar>; Interval::ALL.len()],
    /// The bars closed last, for trades that come late.
    closed: [Option<Candle>; Interval::ALL.len()],
}

#[derive(Serialize, Deserialize)]
struct Bar {
    candle: Candle,
    /// Time of the trade that it was last published with.
    shown: UnixNanos,
    /// Trades came in since.
    dirty: bool,
}

/// An open bar is published when it begins, and at most this often after that.
const SHOW_EVERY: u64 = 250_000_000;
/// Time alone closes a bar this long after its end, so that trades under way still count.
const GRACE: u64 = 500_000_000;

impl Candles {
    /// Counts a trade into its bars. False where it came too late for one of them.
    pub(super) fn trade(&mut self, trade: &Trade, at: UnixNanos, out: &mut Vec<Body>) -> bool {
        let mut in_time = true;
        for (index, interval) in Interval::ALL.into_iter().enumerate() {
            let start = interval.start_of(at);
            if self.open[index].as_ref().is_some_and(|bar| start > bar.candle.start) {
                self.close(index, out);
            }
            let newest_closed = self.closed[index].as_ref().map(|candle| candle.start);
            match &mut self.open[index] {
                Some(bar) if bar.candle.start == start => {
                    count(&mut bar.candle, trade);
                    bar.dirty = true;
                    if at.since(bar.shown) >= SHOW_EVERY {
                        bar.show(at, out);
                    }
                }
                None if newest_closed.is_none_or(|closed| start > closed) => {
                    let mut bar = Bar { candle: first(interval, start, trade), shown: at, dirty: true };
                    bar.show(at, out);
                    self.open[index] = Some(bar);
                }
                // Late: the bar closed last is corrected and published again.
                _ if newest_closed == Some(start) => {
                    if let Some(candle) = &mut self.closed[index] {
                        count(candle, trade);
                        out.push(Body::Candle(Box::new(candle.clone())));
                    }
                }
                _ => in_time = false,
            }
        }
        in_time
    }

    /// Closes what is over by now, and publishes what changed and was held back.
    pub(super) fn advance(&mut self, now: UnixNanos, out: &mut Vec<Body>) {
        for (index, interval) in Interval::ALL.into_iter().enumerate() {
            let Some(bar) = &mut self.open[index] else { continue };
            if now.since(bar.candle.start) >= interval.nanos() + GRACE {
                self.close(index, out);
            } else if bar.dirty && now.since(bar.shown) >= SHOW_EVERY {
                bar.show(now, out);
            }
        }
    }

    fn close(&mut self, index: usize, out: &mut Vec<Body>) {
        if let Some(mut bar) = self.open[index].take() {
            bar.candle.closed = true;
            out.push(Body::Candle(Box::new(bar.candle.clone())));
            self.closed[index] = Some(bar.candle);
        }
    }
}

impl Bar {
    fn show(&mut self, at: UnixNanos, out: &mut Vec<Body>) {
        out.push(Body::Candle(Box::new(self.candle.clone())));
        self.shown = at;
        self.dirty = false;
    }
}

fn first(interval: Interval, start: UnixNanos, trade: &Trade) -> Candle {
    let (price, volume) = (trade.price, trade.size.value());
    Candle {
        interval,
        start,
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
        trades: 1,
        closed: false,
    }
}

/// A volume that no longer fits exactly stays as it was rather than be rounded; 28 digits of volume
/// in one bar is no market.
fn count(candle: &mut Candle, trade: &Trade) {
    candle.high = candle.high.max(trade.price);
    candle.low = candle.low.min(trade.price);
    candle.close = trade.price;
    candle.volume = decimal::add(candle.volume, trade.size.value()).unwrap_or(candle.volume);
    candle.trades += 1;
}
