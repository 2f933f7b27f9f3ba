//! Trade summaries: many trades as one record that conserves their totals.

use rust_decimal::Decimal;

use crate::decimal;
use crate::numbers::Price;
use crate::tick::{Side, Trade};
use crate::time::UnixNanos;

/// What a run of consecutive trades adds up to. Merging is associative: a summary of summaries has
/// the same totals as the summary of all their trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeSummary {
    /// How many trades.
    pub trades: u64,
    /// Sum of the sizes.
    pub volume: Decimal,
    /// Sum of price × size, at the sum of their scales.
    pub notional: Decimal,
    /// The part of the volume that buyers took.
    pub buy_volume: Decimal,
    /// The part of the volume that sellers took.
    pub sell_volume: Decimal,
    /// First price, by sequence.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price, by sequence.
    pub last: Price,
    /// The venue's time of the first trade.
    pub first_ts_event: UnixNanos,
    /// The venue's time of the last trade.
    pub ts_event: UnixNanos,
    /// When the last trade was received.
    pub ts_recv: UnixNanos,
}

impl TradeSummary {
    /// The summary of one trade, or `None` where its notional does not fit exactly.
    #[must_use]
    pub fn of(trade: &Trade, ts_event: UnixNanos, ts_recv: UnixNanos) -> Option<Self> {
        let volume = trade.size.value();
        let none = Decimal::new(0, volume.scale());
        let by = |side| if trade.side == side { volume } else { none };
        Some(Self {
            trades: 1,
            volume,
            notional: decimal::mul(trade.price.value(), volume)?,
            buy_volume: by(Side::Buy),
            sell_volume: by(Side::Sell),
            open: trade.price,
            high: trade.price,
            low: trade.price,
            last: trade.price,
            first_ts_event: ts_event,
            ts_event,
            ts_recv,
        })
    }

    /// The summary of this and the `later` run that follows it directly, or `None` where a total
    /// does not fit exactly.
    #[must_use]
    pub fn merged(&self, later: &Self) -> Option<Self> {
        Some(Self {
            trades: self.trades + later.trades,
            volume: decimal::add(self.volume, later.volume)?,
            notional: decimal::add(self.notional, later.notional)?,
            buy_volume: decimal::add(self.buy_volume, later.buy_volume)?,
            sell_volume: decimal::add(self.sell_volume, later.sell_volume)?,
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            last: later.last,
            first_ts_event: self.first_ts_event,
            ts_event: later.ts_event,
            ts_recv: self.ts_recv.max(later.ts_recv),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::numbers::Size;

    fn trade(price: &str, size: &str, side: Side) -> Trade {
        Trade { price: Price::parse(price).unwrap(), size: Size::parse(size).unwrap(), side, id: None }
    }

    fn of(trade: &Trade) -> TradeSummary {
        TradeSummary::of(trade, UnixNanos(1), UnixNanos(2)).unwrap()
    }

    #[test]
    fn totals() {
        let runs = [
            trade("10.0", "1.50", Side::Buy),
            trade("11.0", "2.00", Side::Sell),
            trade("9.0", "0.25", Side::Unknown),
        ];
        let sum = runs.iter().map(of).reduce(|a, b| a.merged(&b).unwrap()).unwrap();
        let shown = format!(
            "{} {} {} {} {} | {} {} {} {}",
            sum.trades,
            sum.volume,
            sum.notional,
            sum.buy_volume,
            sum.sell_volume,
            sum.open,
            sum.high,
            sum.low,
            sum.last
        );
        assert_eq!(shown, "3 3.75 39.250 1.50 2.00 | 10.0 11.0 9.0 9.0");
    }

    #[test]
    fn what_does_not_fit_is_not_summed() {
        let huge = trade("79228162514264337593543950335", "1", Side::Buy);
        assert_eq!(of(&huge).merged(&of(&huge)), None);
        let fine = trade("0.00000000000001", "0.000000000000001", Side::Buy);
        assert_eq!(TradeSummary::of(&fine, UnixNanos(0), UnixNanos(0)), None);
    }

    proptest! {
        #[test]
        fn merging_is_associative(trades in prop::collection::vec((1_u32..99_999, 0_u32..9_999, 0..3), 3..9)) {
            let runs: Vec<_> = trades.iter().map(|&(price, size, side)| {
                let side = [Side::Buy, Side::Sell, Side::Unknown][usize::try_from(side).unwrap()];
                of(&trade(&format!("{}.{:02}", price / 100, price % 100), &format!("0.{size:04}"), side))
            }).collect();
            let left = runs.iter().cloned().reduce(|a, b| a.merged(&b).unwrap());
            let right = runs.iter().cloned().rev().reduce(|b, a| a.merged(&b).unwrap());
            prop_assert_eq!(left, right);
        }
    }
}
