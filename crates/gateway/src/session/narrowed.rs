//! What a stream is served with less of than was asked for, as the token says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fanout::{Depth, Options, Stream, SymbolId, TopicId};
use model::Channel;
use wire::NarrowedEntry;

use super::reply::millis;
use super::subscriptions::name;
use super::{Ctx, Session};
use crate::auth::Bounds;

/// Streams that are served more narrowly than was asked for, those alike together.
#[derive(Default)]
pub(super) struct Narrowed(BTreeMap<(Stream, Depth, Duration, Duration), BTreeSet<SymbolId>>);

impl Narrowed {
    /// A stream is served with some options where others were wanted.
    pub(super) fn note(&mut self, topic: TopicId, wanted: &Options, served: &Options, ctx: &Ctx<'_>) {
        let delay = ctx.delay_of(topic);
        if !delay.is_zero() || (served.depth, served.conflate) != (wanted.depth, wanted.conflate) {
            let key = (topic.stream, served.depth, served.conflate, delay);
            self.0.entry(key).or_default().insert(topic.symbol);
        }
    }

    /// What an `ack` says of it.
    pub(super) fn entries(self, ctx: &Ctx<'_>) -> Vec<NarrowedEntry> {
        let entry = |((stream, depth, conflate, delay), symbols): ((Stream, _, _, Duration), BTreeSet<_>)| {
            NarrowedEntry {
                channel: stream.channel().to_string(),
                interval: stream.interval().map(|interval| interval.to_string()),
                depth: match depth {
                    Depth::Top(levels) if stream == Stream::Book => Some(levels),
                    _ => None,
                },
                conflate_ms: millis(conflate),
                delay_ms: (!delay.is_zero()).then(|| millis(delay)),
                symbols: symbols.into_iter().map(|symbol| name(symbol, ctx)).collect(),
            }
        };
        self.0.into_iter().map(entry).collect()
    }
}

impl Session {
    /// The options as far as the token covers them.
    pub(super) fn within(&self, topic: TopicId, mut options: Options, ctx: &Ctx<'_>) -> Options {
        let symbol = &ctx.fanout.instrument(topic.symbol).symbol;
        let wanted = Bounds { depth: options.depth, conflate: options.conflate, delay: Duration::ZERO };
        let (channel, delays) = (topic.stream.channel(), &ctx.settings.delays);
        let had = self.grant.as_ref().and_then(|grant| grant.narrow(symbol, channel, wanted, delays));
        // How late it is, the stream says: it is the symbol's twin.
        let Bounds { depth, conflate, .. } = had.unwrap_or(wanted);
        if topic.stream == Stream::Book {
            options.depth = depth;
        }
        // States are never held back.
        if channel != Channel::Status {
            options.conflate = conflate;
        }
        options
    }
}
