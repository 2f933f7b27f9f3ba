//! Subscribing and unsubscribing: patterns, scopes, limits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fanout::{Depth, Overflow, Stream, SymbolId, TopicId};
use model::{Channel, Pattern, Symbol};
use serde_json::json;
use wire::{Ack, ErrorCode, Rejected, RequestId, Subscribe, Unsubscribe, closest};

use super::reply::entry;
use super::{Ctx, Session, Wish};
use crate::limits::{PATTERNS_MAX, SUGGESTION_SYMBOLS_MAX, SUGGESTIONS_MAX};

/// What a subscribe request comes to before anything is done.
#[derive(Default)]
struct Plan {
    topics: Vec<TopicId>,
    symbols: Vec<SymbolId>,
    rejected: Vec<Rejected>,
}

impl Session {
    pub(super) fn subscribe(&mut self, id: Option<RequestId>, request: Subscribe, ctx: &mut Ctx<'_>) {
        let plan = self.plan(&request, ctx);
        let held = |topic: &TopicId| ctx.fanout.is_subscribed(self.id, *topic);
        let new_book = plan.topics.iter().any(|topic| topic.stream == Stream::Book && !held(topic));
        if new_book && !request.options.snapshot {
            let message = "A book begins with a snapshot: leave \"snapshot\" true on the first subscribe.";
            let details = Some(json!({ "field": "snapshot" }));
            return self.refuse(id, Some("subscribe"), ErrorCode::InvalidRequest, message, details, ctx.now);
        }
        for &topic in &plan.topics {
            let options = served(topic, &request.options);
            // The only refusal, a book without a snapshot, was made above.
            let _ = ctx.fanout.subscribe(self.id, topic, options);
        }
        let Subscribe { channels, symbols, options } = request;
        self.wish(&symbols, &channels, &options);
        let cursor = self.cursor(ctx).to_string();
        let names = plan.symbols.iter().map(|&symbol| name(symbol, ctx)).collect();
        let ack = Ack::Subscribe {
            channels: channels.iter().map(ToString::to_string).collect(),
            symbols: names,
            rejected: plan.rejected,
            resumed: false,
            cursor,
        };
        self.ack(id, ack);
    }

    fn plan(&self, request: &Subscribe, ctx: &Ctx<'_>) -> Plan {
        let mut plan = Plan::default();
        let held: Vec<_> = ctx.fanout.subscriptions(self.id).into_iter().map(|(topic, _)| topic).collect();
        let mut symbols: BTreeSet<_> = held.iter().map(|topic| topic.symbol).collect();
        let mut topics: BTreeSet<_> = held.into_iter().collect();
        // However many patterns name it, a symbol is looked at once.
        let mut seen = BTreeSet::new();
        let mut suggestions = 0;
        let mut patterns: BTreeSet<_> = self.wishes.iter().map(|wish| &wish.pattern).collect();
        for pattern in &request.symbols {
            let found = if pattern.is_glob() {
                if patterns.len() >= PATTERNS_MAX && !patterns.contains(pattern) {
                    plan.rejected.push(too_many(pattern));
                    continue;
                }
                patterns.insert(pattern);
                ctx.fanout.symbols().filter(|(symbol, _)| pattern.matches(symbol)).map(|(_, id)| id).collect()
            } else if let Some(symbol) = ctx.fanout.symbol(pattern.as_str()) {
                vec![symbol]
            } else {
                suggestions += 1;
                plan.rejected.push(unknown(pattern, suggestions <= SUGGESTIONS_MAX, ctx));
                continue;
            };
            let before = plan.symbols.len();
            let mut over = None;
            for symbol in found {
                if !seen.insert(symbol) {
                    continue;
                }
                let (covered, refused) = self.covered(symbol, &request.channels, ctx);
                if !refused.is_empty() && !pattern.is_glob() {
                    plan.rejected.push(forbidden(pattern.as_str(), &refused));
                }
                let wanted = covered.iter().map(|&channel| TopicId {
                    symbol,
                    stream: Stream::new(channel, request.options.interval),
                });
                let wanted: Vec<_> = wanted.collect();
                let new = wanted.iter().filter(|topic| !topics.contains(topic)).count();
                if !symbols.contains(&symbol)
                    && !wanted.is_empty()
                    && symbols.len() >= ctx.settings.limits.symbols
                {
                    over = Some(ErrorCode::SymbolLimit);
                } else if topics.len() + new > ctx.settings.limits.subscriptions {
                    over = Some(ErrorCode::SubscriptionLimit);
                } else if !wanted.is_empty() {
                    symbols.insert(symbol);
                    topics.extend(&wanted);
                    plan.symbols.push(symbol);
                    plan.topics.extend(wanted);
                }
            }
            if let Some(code) = over {
                plan.rejected.push(over_limit(pattern, code, plan.symbols.len() - before, ctx));
            }
        }
        plan
    }

    /// The channels of a symbol that the token covers, and those that it does not.
    fn covered(&self, symbol: SymbolId, channels: &[Channel], ctx: &Ctx<'_>) -> (Vec<Channel>, Vec<Channel>) {
        let symbol = &ctx.fanout.instrument(symbol).symbol;
        let grant = self.grant.as_ref();
        channels.iter().partition(|&&channel| grant.is_some_and(|grant| grant.allows(symbol, channel)))
    }

    /// Keeps patterns, so that symbols listed later join.
    fn wish(&mut self, symbols: &[Pattern], channels: &[Channel], options: &wire::Options) {
        let mut patterns: BTreeSet<_> = self.wishes.iter().map(|wish| wish.pattern.clone()).collect();
        for pattern in symbols.iter().filter(|pattern| pattern.is_glob()) {
            if patterns.len() >= PATTERNS_MAX && !patterns.contains(pattern) {
                continue;
            }
            patterns.insert(pattern.clone());
            for &channel in channels {
                let stream = Stream::new(channel, options.interval);
                self.wishes.retain(|wish| (&wish.pattern, wish.stream) != (pattern, stream));
                self.wishes.push(Wish { pattern: pattern.clone(), stream, options: *options });
            }
        }
    }

    /// Input: a symbol was listed. Joins it where a pattern asks for it, and says so.
    pub(crate) fn handle_listed(&mut self, symbol: SymbolId, ctx: &mut Ctx<'_>) {
        for wish in self.wishes.clone() {
            if !wish.pattern.matches(&ctx.fanout.instrument(symbol).symbol) {
                continue;
            }
            let one = Subscribe {
                channels: vec![wish.stream.channel()],
                symbols: vec![exact(&ctx.fanout.instrument(symbol).symbol)],
                // The state of what has just begun is its beginning.
                options: wire::Options { snapshot: true, ..wish.options },
            };
            let plan = self.plan(&one, ctx);
            if plan.topics.is_empty() {
                continue;
            }
            for &topic in &plan.topics {
                let _ = ctx.fanout.subscribe(self.id, topic, served(topic, &one.options));
            }
            let ack = Ack::Subscribe {
                channels: one.channels.iter().map(ToString::to_string).collect(),
                symbols: vec![name(symbol, ctx)],
                rejected: Vec::new(),
                resumed: false,
                cursor: self.cursor(ctx).to_string(),
            };
            self.ack(None, ack);
        }
    }

    pub(super) fn unsubscribe(&mut self, id: Option<RequestId>, request: &Unsubscribe, ctx: &mut Ctx<'_>) {
        let of_request = |stream: Stream| {
            let interval = request.interval.is_none_or(|wanted| stream.interval() == Some(wanted));
            request.channels.contains(&stream.channel()) && (stream.interval().is_none() || interval)
        };
        let (globs, names): (Vec<_>, Vec<_>) = request.symbols.iter().partition(|pattern| pattern.is_glob());
        let (globs, too_many_globs) = globs.split_at(globs.len().min(PATTERNS_MAX));
        let mut names: BTreeMap<_, _> = names.into_iter().map(|name| (name.as_str(), false)).collect();
        let mut rejected: Vec<_> = too_many_globs.iter().map(|pattern| too_many(pattern)).collect();
        let held: Vec<_> = ctx.fanout.subscriptions(self.id).into_iter().map(|(topic, _)| topic).collect();
        let (mut symbols, mut ledger) = (BTreeSet::new(), Vec::new());
        for topic in held.into_iter().filter(|topic| of_request(topic.stream)) {
            let symbol = &ctx.fanout.instrument(topic.symbol).symbol;
            let named = names.get_mut(symbol.as_str()).map(|found| *found = true).is_some();
            if !named && !globs.iter().any(|glob| glob.matches(symbol)) {
                continue;
            }
            symbols.insert(topic.symbol);
            if let Some(closed) = ctx.fanout.unsubscribe(self.id, topic) {
                ledger.push(entry(&closed, ctx));
            }
        }
        rejected.extend(names.into_iter().filter(|(_, found)| !found).map(|(name, _)| Rejected {
            symbol: name.to_owned(),
            code: ErrorCode::UnknownSymbol,
            message: format!("Not subscribed to {name} on these channels."),
        }));
        self.wishes
            .retain(|wish| !of_request(wish.stream) || !globs.iter().any(|glob| glob.covers(&wish.pattern)));
        let channels = request.channels.iter().map(ToString::to_string).collect();
        let symbols = symbols.into_iter().map(|symbol| name(symbol, ctx)).collect();
        self.ack(id, Ack::Unsubscribe { channels, symbols, rejected, ledger });
    }
}

/// The pattern that matches one symbol only. A symbol is never too long for a pattern.
fn exact(symbol: &Symbol) -> Pattern {
    Pattern::parse(symbol.as_str()).expect("a symbol is shorter than a pattern may be")
}

fn name(symbol: SymbolId, ctx: &Ctx<'_>) -> String {
    ctx.fanout.instrument(symbol).symbol.to_string()
}

fn unknown(pattern: &Pattern, suggest: bool, ctx: &Ctx<'_>) -> Rejected {
    let names = ctx.fanout.symbols().take(SUGGESTION_SYMBOLS_MAX).map(|(symbol, _)| symbol.as_str());
    let near = if suggest { closest(pattern.as_str(), names) } else { None };
    let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    let message = format!("Unknown symbol {pattern}.{hint}");
    Rejected { symbol: pattern.to_string(), code: ErrorCode::UnknownSymbol, message }
}

fn too_many(pattern: &Pattern) -> Rejected {
    let message = format!("A session may have {PATTERNS_MAX} patterns; {pattern} was not taken.");
    Rejected { symbol: pattern.to_string(), code: ErrorCode::SubscriptionLimit, message }
}

fn forbidden(symbol: &str, channels: &[Channel]) -> Rejected {
    let channels: Vec<_> = channels.iter().map(|channel| channel.as_str()).collect();
    let message = format!("Your token does not cover {symbol} on {}.", channels.join(", "));
    Rejected { symbol: symbol.to_owned(), code: ErrorCode::Forbidden, message }
}

fn over_limit(pattern: &Pattern, code: ErrorCode, accepted: usize, ctx: &Ctx<'_>) -> Rejected {
    let (limit, what) = match code {
        ErrorCode::SymbolLimit => (ctx.settings.limits.symbols, "symbols"),
        _ => (ctx.settings.limits.subscriptions, "subscriptions"),
    };
    let message = format!("A session may have {limit} {what}; {accepted} of {pattern} were accepted.");
    Rejected { symbol: pattern.to_string(), code, message }
}

/// The options of a request as they apply to one stream.
fn served(topic: TopicId, options: &wire::Options) -> fanout::Options {
    let conflate = match topic.stream {
        // States are never held back.
        Stream::Status => Duration::ZERO,
        _ => Duration::from_millis(options.conflate_ms),
    };
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
        stamp: options.stamp,
    }
}

pub(super) const fn shown_depth(depth: Depth) -> usize {
    match depth {
        Depth::All => 0,
        Depth::Top(levels) => levels,
    }
}

pub(super) const fn shown_overflow(overflow: Overflow) -> wire::Overflow {
    match overflow {
        Overflow::Coalesce => wire::Overflow::Coalesce,
        Overflow::Gap => wire::Overflow::Gap,
        Overflow::Disconnect => wire::Overflow::Disconnect,
    }
}
