//! A ticker as a row of values.

use model::{Level, Price, Size, Ticker};
use rust_decimal::Decimal;

/// How many there are; those from the second number on follow from the others.
pub(crate) const VALUES: usize = 12;
pub(crate) const FOLLOWING: usize = 10;

/// The values of a ticker, in one order.
pub(crate) fn values(ticker: &Ticker) -> [Option<Decimal>; VALUES] {
    let price = |price: Option<Price>| price.map(Price::value);
    let ([bid, bid_size], [ask, ask_size]) = (level(ticker.bid), level(ticker.ask));
    [
        price(ticker.last_price),
        ticker.last_size.map(Size::value),
        bid,
        bid_size,
        ask,
        ask_size,
        price(ticker.open),
        price(ticker.high),
        price(ticker.low),
        ticker.volume,
        ticker.change,
        ticker.change_percent,
    ]
}

/// Price and size of a level.
pub(crate) fn level(level: Option<Level>) -> [Option<Decimal>; 2] {
    [level.map(|level| level.price.value()), level.map(|level| level.size.value())]
}
