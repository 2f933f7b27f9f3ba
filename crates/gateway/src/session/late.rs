//! Streams that the token gives with a delay: a client asks for a symbol, and is served the twin that is as late.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fanout::{Options, Stream, SymbolId, TopicId};
use model::{Channel, Pattern};
use wire::{Ack, ErrorCode, Rejected, Subscribe};

use super::narrowed::Narrowed;
use super::reply::{entry, millis};
use super::subscriptions::{name, refused};
use super::{Ctx, Session};

/// How a token covers the channels of a symbol.
#[derive(Default)]
pub(super) struct Covered {
    /// What it gives: streams of the symbol, or of its twins.
    pub(super) topics: Vec<TopicId>,
    /// Channels that it does not cover.
    pub(super) not: Vec<Channel>,
    /// A channel that it gives later than this server can.
    pub(super) late: Option<TooLate>,
}

/// A stream is had with a delay only that is longer than all there are.
pub(super) struct TooLate {
    channel: Channel,
    delay: Duration,
}

impl TooLate {
    pub(super) fn rejected(&self, pattern: &Pattern, symbol: SymbolId, ctx: &Ctx<'_>) -> Rejected {
        let Self { channel, delay } = self;
        let longest = match ctx.settings.delays.all().last() {
            Some(longest) => format!("{} ms is the longest here", millis(*longest)),
            None => "this server delays nothing".to_owned(),
        };
        let symbol = name(symbol, ctx);
        let delay = millis(*delay);
        let message =
            format!("Your token covers {symbol} on {channel} with delay_ms={delay}, and {longest}.");
        Rejected { symbol: pattern.to_string(), code: ErrorCode::Forbidden, message }
    }
}

impl Session {
    /// What the token gives of a symbol on the channels of a request.
    pub(super) fn covered(&self, symbol: SymbolId, request: &Subscribe, ctx: &Ctx<'_>) -> Covered {
        let mut covered = Covered::default();
        let by_name = &ctx.fanout.instrument(symbol).symbol;
        for &channel in &request.channels {
            let stream = Stream::new(channel, request.options.interval);
            let delay = self.grant.as_ref().and_then(|grant| grant.delay(by_name, channel));
            match delay.map(|delay| (delay, ctx.settings.delays.twin(delay))) {
                Some((_, Some(twin))) => {
                    covered.topics.push(TopicId { symbol: ctx.fanout.twin(symbol, twin), stream });
                }
                Some((delay, None)) => covered.late = Some(TooLate { channel, delay }),
                None => covered.not.push(channel),
            }
        }
        covered
    }

    /// A new token may give sooner or later what it still covers: that is another stream, with sequences and an
    /// account of its own. The one ends and the other begins, and both are said as if they had been asked for.
    pub(super) fn change_delays(&mut self, ctx: &mut Ctx<'_>) {
        let mut ended = BTreeMap::<_, Vec<_>>::new();
        let mut begun = BTreeMap::<Channel, Begun>::new();
        for (topic, held) in ctx.fanout.wanted(self.id) {
            let channel = topic.stream.channel();
            let symbol = &ctx.fanout.instrument(topic.symbol).symbol;
            let twin =
                self.grant.as_ref().and_then(|grant| grant.twin(symbol, channel, &ctx.settings.delays));
            let Some(twin) = twin.filter(|twin| *twin != ctx.fanout.twin_number(topic.symbol)) else {
                continue;
            };
            let to = TopicId { symbol: ctx.fanout.twin(topic.symbol, twin), ..topic };
            let paused = ctx.fanout.is_paused(self.id, topic);
            let Some(ledger) = ctx.fanout.unsubscribe(self.id, topic) else { continue };
            ended.entry(channel).or_default().push(entry(&ledger, ctx));
            // Whatever the client has is the state of another time.
            let wanted = Options { snapshot: true, ..held };
            let options = self.within(to, wanted.clone(), ctx);
            let begun = begun.entry(channel).or_default();
            begun.narrowed.note(to, &wanted, &options, ctx);
            match ctx.fanout.subscribe(self.id, to, options) {
                Ok(()) => _ = begun.symbols.insert(name(to.symbol, ctx)),
                Err(error) => begun.rejected.push(refused(to, error, ctx)),
            }
            if paused {
                ctx.fanout.pause(self.id, to, true);
            }
        }
        self.say_ended(ended);
        for (channel, Begun { symbols, rejected, narrowed }) in begun {
            let ack = Ack::Subscribe {
                channels: vec![channel.to_string()],
                symbols: symbols.into_iter().collect(),
                rejected,
                resumed: false,
                streams: Vec::new(),
                narrowed: narrowed.entries(ctx),
                replay: None,
                cursor: self.cursor(ctx).to_string(),
            };
            self.ack(None, ack);
        }
    }
}

/// What begins by itself on one channel.
#[derive(Default)]
struct Begun {
    symbols: BTreeSet<String>,
    rejected: Vec<Rejected>,
    narrowed: Narrowed,
}
