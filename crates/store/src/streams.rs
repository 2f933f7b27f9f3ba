//! The streams of an instrument, by number: five channels, and candles by interval.

use model::{Body, Channel, Interval};

pub(crate) const STREAMS: usize = CHANNELS.len() + Interval::ALL.len() - 1;

/// Candles last: from there on by interval.
const CHANNELS: [Channel; 6] =
    [Channel::Trades, Channel::Quotes, Channel::Ticker, Channel::Book, Channel::Status, Channel::Candles];

/// The number of the stream that a record belongs to.
pub(crate) const fn number(body: &Body) -> usize {
    match body {
        Body::Trade(_) | Body::OldTrade(_) | Body::Correction(_) => 0,
        Body::Quote(_) => 1,
        Body::Ticker(_) => 2,
        Body::Book(_) => 3,
        Body::Status(_) => 4,
        Body::Candle(candle) => 5 + candle.interval as usize,
    }
}

/// Its channel, and for candles its interval.
pub(crate) fn told(number: usize) -> (Channel, Option<Interval>) {
    let candles = CHANNELS.len() - 1;
    (CHANNELS[number.min(candles)], number.checked_sub(candles).map(|interval| Interval::ALL[interval]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_of_one_stream() {
        let told: Vec<_> = (0..STREAMS).map(told).collect();
        let plain = |channel: Channel| (channel, None);
        assert_eq!(told[..5], CHANNELS[..5].iter().copied().map(plain).collect::<Vec<_>>());
        assert_eq!(told[5..], Interval::ALL.map(|interval| (Channel::Candles, Some(interval))));
    }
}
