//! Options of a subscription, as the fan-out takes them and as the protocol tells them.

use std::sync::Arc;
use std::time::Duration;

use fanout::{Depth, Look, Overflow, Priority, Stream, TopicId};
use model::Channel;
use wire::{FilterEntry, SubscriptionEntry, View};

use super::reply::millis;

/// The options of a request as they apply to one stream.
pub(crate) fn served(topic: TopicId, options: &wire::Options) -> fanout::Options {
    let channel = topic.stream.channel();
    let conflate = match channel {
        // States are never held back.
        Channel::Status => Duration::ZERO,
        _ => Duration::from_millis(options.conflate_ms),
    };
    let ages = matches!(channel, Channel::Quotes | Channel::Ticker | Channel::Book);
    let filters = matches!(channel, Channel::Trades | Channel::Quotes);
    fanout::Options {
        snapshot: options.snapshot,
        snapshot_limit: options.snapshot_limit,
        depth: match options.depth {
            0 => Depth::All,
            levels => Depth::Top(levels),
        },
        checksum: options.checksum,
        conflate,
        overflow: match options.overflow {
            wire::Overflow::Coalesce => Overflow::Coalesce,
            wire::Overflow::Gap => Overflow::Gap,
            wire::Overflow::Disconnect => Overflow::Disconnect,
        },
        max_age: (ages && options.max_age_ms > 0).then(|| Duration::from_millis(options.max_age_ms)),
        trade_safe: options.trade_safe && channel == Channel::Trades,
        priority: match options.priority {
            wire::Priority::High => Priority::High,
            wire::Priority::Normal => Priority::Normal,
            wire::Priority::Low => Priority::Low,
        },
        filter: options.filter.filter(|_| filters).map(Arc::new),
        look: Look { stamp: options.stamp, fields: options.view.bits() },
    }
}

/// The options of a stream that is so late, as `list` tells them.
pub(super) fn entry(
    stream: Stream,
    delay: Duration,
    options: &fanout::Options,
    paused: bool,
) -> SubscriptionEntry {
    let is_book = stream == Stream::Book;
    SubscriptionEntry {
        channel: stream.channel().to_string(),
        symbols: Vec::new(),
        interval: stream.interval().map(|interval| interval.to_string()),
        depth: is_book.then_some(match options.depth {
            Depth::All => 0,
            Depth::Top(levels) => levels,
        }),
        checksum: is_book.then_some(options.checksum),
        conflate_ms: millis(options.conflate),
        delay_ms: (!delay.is_zero()).then(|| millis(delay)),
        overflow: match options.overflow {
            Overflow::Coalesce => wire::Overflow::Coalesce,
            Overflow::Gap => wire::Overflow::Gap,
            Overflow::Disconnect => wire::Overflow::Disconnect,
        },
        stamp: options.look.stamp,
        max_age_ms: options.max_age.map(millis),
        trade_safe: options.trade_safe,
        priority: match options.priority {
            Priority::High => Some(wire::Priority::High),
            Priority::Normal => None,
            Priority::Low => Some(wire::Priority::Low),
        },
        fields: View::from_bits(options.look.fields).names().map(str::to_owned).collect(),
        filter: options.filter.as_ref().map(|filter| FilterEntry {
            min_size: filter.min_size.map(|size| size.to_string()),
            side: filter.side.map(|side| side.as_str().to_owned()),
            min_price: filter.min_price.map(|price| price.to_string()),
            max_price: filter.max_price.map(|price| price.to_string()),
        }),
        paused,
    }
}
