//! What is known of an instrument in a block: what the next record of it is told by.
//!
//! Writer and reader come to the same, record by record.

use model::{Body, BookChange, Candle, Interval, Price, Quote, Seq, Size, Ticker, Trade, UnixNanos, decimal};
use rust_decimal::Decimal;

use super::digits::{SizeScale, Steps};
use crate::streams::{self, STREAMS};
use crate::ticker::{FOLLOWING, VALUES, level, values};

#[derive(Default)]
pub(super) struct Known {
    seqs: [u64; STREAMS],
    trade: Option<(Price, Size)>,
    /// There was a trade after the newest ticker.
    traded: bool,
    pub(super) quote: Option<Quote>,
    ticker: Option<Box<Ticker>>,
    candles: [Option<Box<Candle>>; Interval::ALL.len()],
    pub(super) trade_id: u64,
    pub(super) price: Steps,
    pub(super) sides: [Steps; 2],
    pub(super) levels: [Steps; 2],
    pub(super) values: [Steps; VALUES],
    pub(super) bar: Steps,
    pub(super) size: SizeScale,
    pub(super) volume: SizeScale,
}

/// How a candle follows from what was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The newest trade was added to the bar.
    Grown,
    /// The newest trade is its first.
    Begun,
    /// It is what it was.
    Same,
}

impl Known {
    pub(super) fn seq(&mut self, body: &Body) -> &mut u64 {
        &mut self.seqs[streams::number(body)]
    }

    /// The place that a record most likely has.
    pub(super) fn next_seq(&mut self, body: &Body) -> Seq {
        Seq(*self.seq(body) + 1)
    }

    pub(super) fn traded(&self) -> Option<(Decimal, Decimal)> {
        self.trade.map(|(price, size)| (price.value(), size.value()))
    }

    /// The ticker that most likely comes: by the newest trade and the newest quote.
    pub(super) fn next_ticker(&self) -> [Option<Decimal>; FOLLOWING] {
        let before = self.ticker.as_deref();
        let mut values = before.map_or([None; VALUES], values);
        if let Some((price, size)) = self.traded() {
            (values[0], values[1]) = (Some(price), Some(size));
            if self.traded {
                values[7] = values[7].map(|high| high.max(price));
                values[8] = values[8].map(|low| low.min(price));
                values[9] = values[9].and_then(|volume| decimal::add(volume, size));
            }
        }
        if let Some(quote) = &self.quote {
            [values[2], values[3]] = level(quote.bid);
            [values[4], values[5]] = level(quote.ask);
        }
        std::array::from_fn(|at| values[at])
    }

    /// The candle of that shape, open; `at` is the venue's time of the record.
    pub(super) fn next_candle(&self, interval: Interval, shape: Shape, at: UnixNanos) -> Option<Candle> {
        let before = self.candles[interval as usize].as_deref();
        match shape {
            Shape::Same => Some(Candle { closed: false, corrected: false, ..before?.clone() }),
            Shape::Grown => {
                let (bar, (price, size)) = (before?, self.trade?);
                Some(Candle {
                    high: bar.high.max(price),
                    low: bar.low.min(price),
                    close: price,
                    volume: decimal::add(bar.volume, size.value())?,
                    trades: bar.trades.checked_add(1)?,
                    closed: false,
                    corrected: false,
                    ..bar.clone()
                })
            }
            Shape::Begun => {
                let (price, size) = self.trade?;
                Some(Candle {
                    interval,
                    start: interval.start_of(at),
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: size.value(),
                    trades: 1,
                    closed: false,
                    corrected: false,
                })
            }
        }
    }

    /// Takes a record in.
    pub(super) fn note(&mut self, seq: Seq, body: &Body) {
        *self.seq(body) = seq.0;
        match body {
            Body::Trade(Trade { price, size, .. }) | Body::OldTrade(Trade { price, size, .. }) => {
                self.trade = Some((*price, *size));
                self.traded = true;
            }
            Body::Quote(quote) => self.quote = Some(quote.clone()),
            Body::Ticker(ticker) => {
                self.traded = false;
                match &mut self.ticker {
                    Some(known) => known.clone_from(ticker),
                    None => self.ticker = Some(ticker.clone()),
                }
            }
            Body::Candle(candle) => match &mut self.candles[candle.interval as usize] {
                Some(known) => known.clone_from(candle),
                none => *none = Some(candle.clone()),
            },
            Body::Book(BookChange::Snapshot(_) | BookChange::Delta(_) | BookChange::Gap(_))
            | Body::Correction(_)
            | Body::Status(_) => {}
        }
    }
}
