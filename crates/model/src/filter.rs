//! Which trades and quotes somebody wants.

use crate::book::Level;
use crate::numbers::{Price, Size};
use crate::tick::{Body, Side, Trade};

/// A condition on trades and quotes; what is `None` holds of all. A quote meets it where one of the
/// levels asked about does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At least this size.
    pub min_size: Option<Size>,
    /// Trades that this side took; quotes whose bid (`Buy`) or ask (`Sell`) is asked about.
    pub side: Option<Side>,
    /// At least this price.
    pub min_price: Option<Price>,
    /// At most this price.
    pub max_price: Option<Price>,
}

impl Filter {
    /// Whether an event meets the condition; what is neither a trade nor a quote does.
    #[must_use]
    pub fn lets(&self, body: &Body) -> bool {
        match body {
            Body::Trade(trade) => self.lets_trade(trade),
            // Whoever was told of the trade is told of its end, and whoever would have been of what holds instead.
            Body::Correction(correction) => {
                let told = correction.original.as_ref().map(|original| &original.trade);
                told.is_none_or(|trade| self.lets_trade(trade))
                    || correction.becomes.as_ref().is_some_and(|trade| self.lets_trade(trade))
            }
            Body::Quote(quote) => {
                let asked = |side, level: Option<Level>| {
                    level.filter(|_| self.side.is_none_or(|wanted| wanted == side))
                };
                let levels = asked(Side::Buy, quote.bid).into_iter().chain(asked(Side::Sell, quote.ask));
                levels.into_iter().any(|level| self.lets_level(level))
            }
            _ => true,
        }
    }

    fn lets_trade(&self, trade: &Trade) -> bool {
        let level = Level { price: trade.price, size: trade.size };
        self.side.is_none_or(|side| side == trade.side) && self.lets_level(level)
    }

    fn lets_level(&self, level: Level) -> bool {
        self.min_size.is_none_or(|min| level.size >= min)
            && self.min_price.is_none_or(|min| level.price >= min)
            && self.max_price.is_none_or(|max| level.price <= max)
    }
}
