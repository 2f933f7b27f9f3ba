//! Bars out of trades.
//!
//! A trade counts where it belongs by the venue's time, however late it comes. What that changes of a bar that was
//! told as closed is told anew, with `corrected`: of the bar closed last always; of earlier ones, a minute or longer,
//! as far back as 24 hours; of earlier seconds as long as all trades since are remembered.

use model::{Body, Interval, Trade, UnixNanos};
use serde::{Deserialize, Serialize};

use super::bar::{Bar, Made};
use super::day::{Day, end};
use super::tape::Tape;

/// The bars of one symbol, all intervals.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Candles {
    open: [Option<Open>; Interval::ALL.len()],
    /// The bars closed last.
    closed: [Option<Bar>; Interval::ALL.len()],
}

#[derive(Serialize, Deserialize)]
struct Open {
    bar: Bar,
    /// Time of the trade that it was last published with.
    shown: UnixNanos,
    /// Trades came in since.
    dirty: bool,
}

/// An open bar is published when it begins, and at most this often after that.
const SHOW_EVERY: u64 = 250_000_000;
/// Time alone closes a bar this long after its end, so that trades under way still count.
const GRACE: u64 = 500_000_000;

/// What else is known of the symbol's trades, the newest among them.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) day: &'a Day,
    pub(super) tape: &'a Tape,
}

impl Known<'_> {
    /// A bar made anew, where all its trades are known.
    fn bar(self, interval: Interval, start: UnixNanos) -> Option<Made> {
        let is_exact = |made: &Made| !matches!(made, Made::Bar(bar) if !bar.exact);
        let minutes = self.day.bar(interval, start).filter(is_exact);
        minutes
            .or_else(|| self.tape.bar(start, end(start, interval)))
            .or_else(|| self.day.bar(interval, start))
    }
}

impl Candles {
    /// Counts a trade into its bars. False where it came too late for one of them.
    pub(super) fn trade(
        &mut self,
        trade: &Trade,
        at: UnixNanos,
        known: Known<'_>,
        out: &mut Vec<Body>,
    ) -> bool {
        let mut in_time = true;
        for (index, interval) in Interval::ALL.into_iter().enumerate() {
            let start = interval.start_of(at);
            if self.open[index].as_ref().is_some_and(|open| start > open.bar.start) {
                self.close(index, out);
            }
            let newest_closed = self.closed[index].as_ref().map(|bar| bar.start);
            match &mut self.open[index] {
                Some(open) if open.bar.start == start => {
                    open.bar.count(trade, at);
                    open.dirty = true;
                    if at.since(open.shown) >= SHOW_EVERY {
                        open.show(interval, at, out);
                    }
                }
                None if newest_closed.is_none_or(|closed| start > closed) => {
                    let mut open = Open { bar: Bar::of(start, trade, at), shown: at, dirty: true };
                    open.show(interval, at, out);
                    self.open[index] = Some(open);
                }
                // Late: a bar that was closed is corrected and published again.
                _ if newest_closed == Some(start) => {
                    if let Some(bar) = &mut self.closed[index] {
                        bar.count(trade, at);
                        tell(bar, interval, out);
                    }
                }
                _ => match known.bar(interval, start) {
                    Some(Made::Bar(bar)) => tell(&bar, interval, out),
                    _ => in_time = false,
                },
            }
        }
        in_time
    }

    /// Takes a trade out of its bars again, and puts `instead` where it was. False where one of them cannot be told
    /// exactly any more, or at all.
    pub(super) fn correct(
        &mut self,
        trade: &Trade,
        instead: Option<&Trade>,
        at: UnixNanos,
        known: Known<'_>,
        out: &mut Vec<Body>,
    ) -> bool {
        let mut exact = true;
        for (index, interval) in Interval::ALL.into_iter().enumerate() {
            let start = interval.start_of(at);
            let open = self.open[index].as_mut().filter(|open| open.bar.start == start);
            let closed = self.closed[index].as_mut().filter(|bar| bar.start == start);
            let made = known.bar(interval, start);
            let told = open.as_ref().map(|open| &open.bar).or(closed.as_deref());
            let bar = match (made, told) {
                (Some(Made::Bar(bar)), _) => bar,
                // What is told of a bar that nobody remembers: it has no trades any more.
                (Some(Made::Empty), told) => {
                    told.map_or_else(|| Bar::of(start, trade, at), Bar::clone).emptied()
                }
                (None, Some(told)) => {
                    let mut bar = told.clone();
                    bar.adjust(trade, instead, at);
                    bar
                }
                (None, None) => {
                    exact = false;
                    continue;
                }
            };
            exact &= bar.exact;
            if let Some(open) = open {
                // One that has no trades left is said to be none.
                let none = bar.trades == 0;
                out.push(Body::Candle(Box::new(bar.candle(interval, false, none))));
                (open.bar, open.dirty) = (bar, false);
                continue;
            }
            tell(&bar, interval, out);
            if let Some(closed) = closed {
                *closed = bar;
            }
        }
        exact
    }

    /// Closes what is over by now, and publishes what changed and was held back.
    pub(super) fn advance(&mut self, now: UnixNanos, out: &mut Vec<Body>) {
        for (index, interval) in Interval::ALL.into_iter().enumerate() {
            let Some(open) = &mut self.open[index] else { continue };
            if now.since(open.bar.start) >= interval.nanos() + GRACE {
                self.close(index, out);
            } else if open.dirty && now.since(open.shown) >= SHOW_EVERY {
                open.show(interval, now, out);
            }
        }
    }

    fn close(&mut self, index: usize, out: &mut Vec<Body>) {
        if let Some(open) = self.open[index].take() {
            out.push(Body::Candle(Box::new(open.bar.candle(Interval::ALL[index], true, false))));
            self.closed[index] = Some(open.bar);
        }
    }
}

impl Open {
    fn show(&mut self, interval: Interval, at: UnixNanos, out: &mut Vec<Body>) {
        out.push(Body::Candle(Box::new(self.bar.candle(interval, false, false))));
        self.shown = at;
        self.dirty = false;
    }
}

/// A bar that was told as closed, as it is now.
fn tell(bar: &Bar, interval: Interval, out: &mut Vec<Body>) {
    out.push(Body::Candle(Box::new(bar.candle(interval, true, true))));
}
