//! Subscribing and unsubscribing: patterns, scopes, limits.

use std::collections::{BTreeMap, BTreeSet};

use fanout::{Resumed, Stream, SubscribeError, SymbolId, TopicId};
use model::{Channel, Pattern, Symbol};
use serde_json::json;
use wire::{Ack, ErrorCode, Rejected, RequestId, Resumption, StreamEntry, Subscribe, Unsubscribe, closest};

use super::late::Covered;
use super::narrowed::Narrowed;
use super::options::served;
use super::reply::entry;
use super::{Ctx, Session, Wish};
use crate::limits::{PATTERNS_MAX, RESUME_BYTES_MAX, SUGGESTION_SYMBOLS_MAX, SUGGESTIONS_MAX};
use crate::metrics::RESUMED;

/// What a subscribe request comes to before anything is done.
#[derive(Default)]
struct Plan {
    topics: Vec<TopicId>,
    symbols: Vec<SymbolId>,
    rejected: Vec<Rejected>,
}

impl Session {
    pub(super) fn subscribe(&mut self, id: Option<RequestId>, request: Subscribe, ctx: &mut Ctx<'_>) {
        if let Some(millis) = request.rewind_ms {
            return self.rewind(id, request, millis, ctx);
        }
        let mut plan = self.plan(&request, ctx);
        let held = |topic: &TopicId| ctx.fanout.is_subscribed(self.id, *topic);
        let new_book = plan.topics.iter().any(|topic| topic.stream == Stream::Book && !held(topic));
        if new_book && !request.options.snapshot && request.resume.is_none() {
            let message = "A book begins with a snapshot: leave \"snapshot\" true on the first subscribe.";
            let details = Some(json!({ "field": "snapshot" }));
            self.settle_streams(ctx);
            return self.refuse(id, Some("subscribe"), ErrorCode::InvalidRequest, message, details, ctx.now);
        }
        let Subscribe { channels, symbols, options, resume, rewind_ms: _ } = request;
        let mut streams = BTreeMap::<_, BTreeSet<_>>::new();
        let mut room = RESUME_BYTES_MAX;
        let mut narrowed = Narrowed::default();
        for &topic in &plan.topics {
            let wanted = served(topic, &options);
            let options = self.within(topic, wanted.clone(), ctx);
            narrowed.note(topic, &wanted, &options, ctx);
            // A book without a snapshot was refused above.
            let done = match &resume {
                None => ctx.fanout.subscribe(self.id, topic, options),
                Some(cursor) => {
                    let position = Some(cursor.position)
                        .filter(|&position| cursor.epoch == *ctx.epoch && position <= ctx.fanout.position());
                    let resumed = ctx.fanout.resume(self.id, topic, options, position, &mut room);
                    resumed.map(|resumed| {
                        streams.entry((topic.stream, resumed)).or_default().insert(topic.symbol);
                    })
                }
            };
            if let Err(error) = done {
                plan.rejected.push(refused(topic, error, ctx));
            }
        }
        if resume.is_some() {
            self.step_back(ctx);
        }
        self.settle_streams(ctx);
        self.wish(&symbols, &channels, &options);
        let resumed = !streams.is_empty() && streams.keys().all(|(_, resumed)| *resumed != Resumed::Missing);
        let ack = Ack::Subscribe {
            channels: channels.iter().map(ToString::to_string).collect(),
            symbols: plan.symbols.iter().map(|&symbol| name(symbol, ctx)).collect(),
            rejected: plan.rejected,
            resumed,
            streams: streams.into_iter().map(|(key, symbols)| resumption(key, &symbols, ctx)).collect(),
            narrowed: narrowed.entries(ctx),
            replay: None,
            cursor: self.cursor(ctx).to_string(),
        };
        self.ack(id, ack);
    }

    fn plan(&self, request: &Subscribe, ctx: &Ctx<'_>) -> Plan {
        let mut plan = Plan::default();
        let held: Vec<_> = ctx.fanout.subscriptions(self.id).into_iter().map(|(topic, _)| topic).collect();
        let mut symbols: BTreeSet<_> = held.iter().map(|topic| ctx.fanout.twin(topic.symbol, 0)).collect();
        let mut topics: BTreeSet<_> = held.into_iter().collect();
        // However many patterns name it, a symbol is looked at once.
        let mut seen = BTreeSet::new();
        let mut suggestions = 0;
        let of_tenant = ctx.settings.limits.now().tenant_subscriptions;
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
            let (mut over, mut too_late) = (None, None);
            for symbol in found {
                if !seen.insert(symbol) {
                    continue;
                }
                let Covered { topics: wanted, not, late } = self.covered(symbol, request, ctx);
                if !not.is_empty() && !pattern.is_glob() {
                    plan.rejected.push(forbidden(pattern.as_str(), &not));
                }
                too_late = too_late.or(late.map(|late| late.rejected(pattern, symbol, ctx)));
                let new = wanted.iter().filter(|topic| !topics.contains(topic)).count();
                if !symbols.contains(&symbol) && !wanted.is_empty() && symbols.len() >= self.limits.symbols {
                    over = Some(Excess::Symbols(self.limits.symbols));
                } else if topics.len() + new > self.limits.subscriptions {
                    over = Some(Excess::Streams(self.limits.subscriptions));
                } else if self.seat.as_ref().is_some_and(|seat| !seat.reserve(new, of_tenant)) {
                    over = of_tenant.map(Excess::OfTenant);
                } else if !wanted.is_empty() {
                    symbols.insert(symbol);
                    topics.extend(&wanted);
                    plan.symbols.push(symbol);
                    plan.topics.extend(wanted);
                }
            }
            plan.rejected.extend(too_late);
            if let Some(excess) = over {
                plan.rejected.push(excess.of(pattern, plan.symbols.len() - before));
            }
        }
        plan
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
                resume: None,
                rewind_ms: None,
            };
            let plan = self.plan(&one, ctx);
            if plan.topics.is_empty() {
                continue;
            }
            let mut narrowed = Narrowed::default();
            for &topic in &plan.topics {
                let wanted = served(topic, &one.options);
                let options = self.within(topic, wanted.clone(), ctx);
                narrowed.note(topic, &wanted, &options, ctx);
                let _ = ctx.fanout.subscribe(self.id, topic, options);
            }
            self.settle_streams(ctx);
            let ack = Ack::Subscribe {
                channels: one.channels.iter().map(ToString::to_string).collect(),
                symbols: vec![name(symbol, ctx)],
                rejected: Vec::new(),
                resumed: false,
                streams: Vec::new(),
                narrowed: narrowed.entries(ctx),
                replay: None,
                cursor: self.cursor(ctx).to_string(),
            };
            self.ack(None, ack);
        }
    }

    pub(super) fn unsubscribe(&mut self, id: Option<RequestId>, request: &Unsubscribe, ctx: &mut Ctx<'_>) {
        let (topics, rejected) = self.select(request, ctx);
        let mut ledger = Vec::new();
        for &topic in &topics {
            if let Some(closed) = ctx.fanout.unsubscribe(self.id, topic) {
                ledger.push(entry(&closed, ctx));
            }
        }
        self.settle_streams(ctx);
        let globs = || request.symbols.iter().filter(|pattern| pattern.is_glob()).take(PATTERNS_MAX);
        self.wishes.retain(|wish| {
            !concerns(request, wish.stream) || !globs().any(|glob| glob.covers(&wish.pattern))
        });
        let (channels, symbols) = named(request, &topics, ctx);
        self.ack(id, Ack::Unsubscribe { channels, symbols, rejected, ledger });
    }

    pub(super) fn pause(
        &mut self,
        id: Option<RequestId>,
        request: &Unsubscribe,
        paused: bool,
        ctx: &mut Ctx<'_>,
    ) {
        let (topics, rejected) = self.select(request, ctx);
        for &topic in &topics {
            ctx.fanout.pause(self.id, topic, paused);
        }
        let (channels, symbols) = named(request, &topics, ctx);
        let ack = if paused {
            Ack::Pause { channels, symbols, rejected }
        } else {
            Ack::Unpause { channels, symbols, rejected }
        };
        self.ack(id, ack);
    }

    /// The subscriptions that a request is about, and the names in it that are none.
    fn select(&self, request: &Unsubscribe, ctx: &Ctx<'_>) -> (Vec<TopicId>, Vec<Rejected>) {
        let (globs, names): (Vec<_>, Vec<_>) = request.symbols.iter().partition(|pattern| pattern.is_glob());
        let (globs, too_many_globs) = globs.split_at(globs.len().min(PATTERNS_MAX));
        // By the symbol's own name, whatever it was called.
        let own =
            |name: &str| Some(ctx.fanout.instrument(ctx.fanout.symbol(name)?).symbol.as_str().to_owned());
        let mut names: BTreeMap<_, _> = names
            .into_iter()
            .map(|name| (own(name.as_str()).unwrap_or_else(|| name.to_string()), (name, false)))
            .collect();
        let mut rejected: Vec<_> = too_many_globs.iter().map(|pattern| too_many(pattern)).collect();
        let held = ctx.fanout.subscriptions(self.id).into_iter().map(|(topic, _)| topic);
        let wanted = held.filter(|topic| concerns(request, topic.stream)).filter(|topic| {
            let symbol = &ctx.fanout.instrument(topic.symbol).symbol;
            let named = names.get_mut(symbol.as_str()).map(|(_, found)| *found = true).is_some();
            named || globs.iter().any(|glob| glob.matches(symbol))
        });
        let wanted = wanted.collect();
        rejected.extend(names.into_values().filter(|(_, found)| !found).map(|(name, _)| Rejected {
            symbol: name.to_string(),
            code: ErrorCode::UnknownSymbol,
            message: format!("Not subscribed to {name} on these channels."),
        }));
        (wanted, rejected)
    }
}

/// Whether a request is about a stream.
fn concerns(request: &Unsubscribe, stream: Stream) -> bool {
    let interval = request.interval.is_none_or(|wanted| stream.interval() == Some(wanted));
    request.channels.contains(&stream.channel()) && (stream.interval().is_none() || interval)
}

/// A request's channels and the symbols it came to, by name.
fn named(request: &Unsubscribe, topics: &[TopicId], ctx: &Ctx<'_>) -> (Vec<String>, Vec<String>) {
    let symbols: BTreeSet<_> = topics.iter().map(|topic| topic.symbol).collect();
    let channels = request.channels.iter().map(ToString::to_string).collect();
    (channels, symbols.into_iter().map(|symbol| name(symbol, ctx)).collect())
}

fn resumption(
    (stream, resumed): (Stream, Resumed),
    symbols: &BTreeSet<SymbolId>,
    ctx: &Ctx<'_>,
) -> StreamEntry {
    let (state, told) = match resumed {
        Resumed::Filled => (Resumption::Filled, "filled"),
        Resumed::Kept => (Resumption::Kept, "kept"),
        Resumed::Missing => (Resumption::Missing, "missing"),
    };
    RESUMED.add(told, symbols.len() as u64);
    StreamEntry {
        channel: stream.channel().to_string(),
        interval: stream.interval().map(|interval| interval.to_string()),
        state,
        symbols: symbols.iter().map(|&symbol| name(symbol, ctx)).collect(),
    }
}

pub(super) fn refused(topic: TopicId, error: SubscribeError, ctx: &Ctx<'_>) -> Rejected {
    let symbol = name(topic.symbol, ctx);
    let message = format!("{} of {symbol} was not taken: {error}.", topic.stream.channel());
    Rejected { symbol, code: ErrorCode::SubscriptionLimit, message }
}

/// The pattern that matches one symbol only. A symbol is never too long for a pattern.
pub(super) fn exact(symbol: &Symbol) -> Pattern {
    Pattern::parse(symbol.as_str()).expect("a symbol is shorter than a pattern may be")
}

pub(super) fn name(symbol: SymbolId, ctx: &Ctx<'_>) -> String {
    ctx.fanout.instrument(symbol).symbol.to_string()
}

pub(super) fn unknown(pattern: &Pattern, suggest: bool, ctx: &Ctx<'_>) -> Rejected {
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

/// What there would be too much of.
#[derive(Clone, Copy)]
enum Excess {
    Symbols(usize),
    Streams(usize),
    /// Of all sessions of the tenant.
    OfTenant(usize),
}

impl Excess {
    /// What is said of a pattern of which so many symbols were accepted.
    fn of(self, pattern: &Pattern, accepted: usize) -> Rejected {
        let (code, who, limit, what) = match self {
            Self::Symbols(most) => (ErrorCode::SymbolLimit, "A session", most, "symbols"),
            Self::Streams(most) => (ErrorCode::SubscriptionLimit, "A session", most, "subscriptions"),
            Self::OfTenant(most) => {
                (ErrorCode::SubscriptionLimit, "All sessions of your tenant", most, "subscriptions")
            }
        };
        let message = format!("{who} may have {limit} {what}; {accepted} of {pattern} were accepted.");
        Rejected { symbol: pattern.to_string(), code, message }
    }
}
