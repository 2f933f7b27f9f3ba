//! The best bid and offer of several venues: which sources there are for a symbol, and which of them is best.
//!
//! Pure. What follows from an event is returned as ticks, to be sequenced right behind it, so that all who read see
//! them in one order, and a process that goes on with another's events goes on with these.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Body, BookSide, Definition, Instrument, Level, Pattern, Quote, State, StatusChange, Symbol, Tick,
    UnixNanos, Venue,
};

use crate::event::Event;

/// The venue of what is consolidated.
pub const CONSOLIDATED: &str = "consolidated";

/// Which symbols are consolidated, and under which names.
#[derive(Clone, Debug, Default)]
pub struct Consolidation {
    wanted: Vec<Pattern>,
    suffix: String,
    /// What feeds put behind their symbols, the longest first.
    of_feeds: Vec<String>,
}

/// Makes the best bid and offer out of the quotes of all sources.
#[derive(Debug, Default)]
pub struct Consolidator {
    rule: Consolidation,
    groups: Vec<Group>,
    by_name: BTreeMap<Symbol, usize>,
    /// What each symbol is here, by its number.
    roles: Vec<Role>,
}

#[derive(Clone, Copy, Debug)]
enum Role {
    /// Nobody has looked yet.
    New,
    /// Nothing.
    None,
    /// A source of that group, with its number there.
    Source(usize, usize),
    /// What the group is told as.
    Told(usize),
}

/// The sources of one symbol.
#[derive(Debug)]
struct Group {
    instrument: Arc<Instrument>,
    sources: Vec<Source>,
    /// What was told last.
    quote: Option<Quote>,
    status: Option<(State, Box<str>)>,
}

#[derive(Debug)]
struct Source {
    instrument: Arc<Instrument>,
    state: State,
    bid: Option<Level>,
    ask: Option<Level>,
}

impl Consolidation {
    /// What `wanted` matches is consolidated, as the symbol without what its feed puts behind it (`of_feeds`) and
    /// with `suffix`.
    #[must_use]
    pub fn new(wanted: Vec<Pattern>, suffix: String, mut of_feeds: Vec<String>) -> Self {
        of_feeds.retain(|own| !own.is_empty());
        of_feeds.sort_by_key(|own| std::cmp::Reverse(own.len()));
        Self { wanted, suffix, of_feeds }
    }

    /// As what a symbol of a feed is consolidated.
    #[must_use]
    pub fn name(&self, symbol: &Symbol) -> Option<Symbol> {
        let whole = symbol.as_str();
        let base = self.of_feeds.iter().find_map(|own| whole.strip_suffix(own.as_str())).unwrap_or(whole);
        let base = Symbol::parse(base).ok()?;
        let is_wanted = self.wanted.iter().any(|pattern| pattern.matches(&base));
        is_wanted.then(|| Symbol::parse(&format!("{base}{}", self.suffix)).ok()).flatten()
    }
}

impl Consolidator {
    /// One that knows no source yet.
    #[must_use]
    pub fn new(rule: Consolidation) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Whether nothing will ever be consolidated.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.rule.wanted.is_empty()
    }

    /// Input: an event that was sequenced. What follows from it is appended.
    /// Cost: that of a look-up, and for a quote O(sources of its symbol).
    pub fn handle(&mut self, event: &Event, out: &mut Vec<Tick>) {
        if let Some(group) = self.note(event) {
            let times = (event.ts_event, event.ts_recv);
            self.groups[group].tell(times, out);
        }
    }

    /// Input: an event of another process, which has said itself what follows. The group that it changes.
    pub fn note(&mut self, event: &Event) -> Option<usize> {
        if self.is_idle() || !matches!(event.body, Body::Quote(_) | Body::Status(_)) {
            return None;
        }
        match self.role(event) {
            Role::Source(group, source) => {
                let known = &mut self.groups[group];
                if !Arc::ptr_eq(&known.sources[source].instrument, &event.instrument) {
                    known.sources[source].instrument = Arc::clone(&event.instrument);
                    known.define();
                }
                let source = &mut known.sources[source];
                match &event.body {
                    Body::Quote(quote) => (source.bid, source.ask) = (quote.bid, quote.ask),
                    Body::Status(change) => source.enter(change.state),
                    _ => {}
                }
                Some(group)
            }
            Role::Told(group) => {
                let group = &mut self.groups[group];
                match &event.body {
                    Body::Quote(quote) => group.quote = Some(quote.clone()),
                    Body::Status(change) => group.status = Some((change.state, change.reason.clone())),
                    _ => {}
                }
                None
            }
            Role::New | Role::None => None,
        }
    }

    fn role(&mut self, event: &Event) -> Role {
        let number = event.topic.symbol.index();
        if self.roles.len() <= number {
            self.roles.resize(number + 1, Role::New);
        }
        if let Role::New = self.roles[number] {
            self.roles[number] = self.enlist(&event.instrument);
        }
        self.roles[number]
    }

    fn enlist(&mut self, instrument: &Arc<Instrument>) -> Role {
        let is_ours = instrument.venue.as_str() == CONSOLIDATED;
        let name = if is_ours { Some(instrument.symbol.clone()) } else { self.rule.name(&instrument.symbol) };
        let Some(name) = name else { return Role::None };
        let next = self.groups.len();
        let group = *self.by_name.entry(name.clone()).or_insert(next);
        if group == next {
            self.groups.push(Group {
                instrument: Arc::new(Instrument::named(
                    name.clone(),
                    Venue::new(CONSOLIDATED),
                    name.as_str(),
                )),
                sources: Vec::new(),
                quote: None,
                status: None,
            });
        }
        let group_of = &mut self.groups[group];
        if is_ours {
            return Role::Told(group);
        }
        let instrument = Arc::clone(instrument);
        group_of.sources.push(Source { instrument, state: State::Open, bid: None, ask: None });
        group_of.define();
        Role::Source(group, group_of.sources.len() - 1)
    }
}

impl Source {
    fn enter(&mut self, state: State) {
        self.state = state;
        if matches!(state, State::Suspect | State::SourceDown | State::Closed) {
            // What was said before is void: it counts again with its next quote.
            (self.bid, self.ask) = (None, None);
        }
    }

    const fn counts(&self) -> bool {
        matches!(self.state, State::Open | State::QuietExpected | State::Delayed)
    }

    const fn level(&self, side: BookSide) -> Option<Level> {
        match side {
            BookSide::Bid => self.bid,
            BookSide::Ask => self.ask,
        }
    }
}

impl Group {
    /// Takes over what holds at every venue, as the first one says it, and as many decimals as one of them has.
    fn define(&mut self) {
        let of = self.sources.iter().map(|source| &source.instrument.definition);
        let price_scale = of.clone().filter_map(Definition::price_decimals).max();
        let first = of.clone().next().cloned().unwrap_or_default();
        let definition = Definition { price_scale, tick_size: None, lot_size: None, ..first };
        if definition != self.instrument.definition {
            self.instrument = Arc::new(Instrument { definition, ..(*self.instrument).clone() });
        }
    }

    /// What stands, where that is not what was told. One source alone is no market of several.
    fn tell(&mut self, times: (UnixNanos, UnixNanos), out: &mut Vec<Tick>) {
        if self.sources.len() < 2 {
            return;
        }
        let status = self.standing();
        if self.status.as_ref() != Some(&status) {
            let (state, reason) = status.clone();
            self.status = Some(status);
            let change = StatusChange { state, reason, feed: CONSOLIDATED.into(), since: None };
            out.push(self.tick(times, Body::Status(Box::new(change))));
        }
        let (bid, ask) = (self.best(BookSide::Bid), self.best(BookSide::Ask));
        let quote = Quote {
            bid: bid.map(|(level, _)| level),
            ask: ask.map(|(level, _)| level),
            derived: false,
            bid_source: bid.map(|(_, source)| source.clone()),
            ask_source: ask.map(|(_, source)| source.clone()),
        };
        if self.quote.as_ref() != Some(&quote) {
            self.quote = Some(quote.clone());
            out.push(self.tick(times, Body::Quote(quote)));
        }
    }

    /// How many sources count, and which do not.
    fn standing(&self) -> (State, Box<str>) {
        let all = self.sources.len();
        let out: Vec<_> = self.sources.iter().filter(|source| !source.counts()).collect();
        if out.is_empty() {
            return (State::Open, format!("all {all} sources").into());
        }
        let named = out.iter().map(|source| format!("{} is {}", source.instrument.symbol, source.state));
        let named = named.collect::<Vec<_>>().join(", ");
        let left = all - out.len();
        let state = if left > 0 { State::Open } else { State::Suspect };
        (state, format!("{left} of {all} sources: {named}").into())
    }

    /// The best level of a side and whose it is: by price, of the same price the larger, of the same size that of
    /// the source which was there first.
    fn best(&self, side: BookSide) -> Option<(Level, &Symbol)> {
        let counting = self.sources.iter().filter(|source| source.counts());
        let mut best: Option<(Level, &Symbol)> = None;
        for source in counting {
            let Some(level) = source.level(side) else { continue };
            let is_better = best.is_none_or(|(known, _)| {
                let price = match side {
                    BookSide::Bid => level.price.cmp(&known.price),
                    BookSide::Ask => known.price.cmp(&level.price),
                };
                price.then(level.size.cmp(&known.size)) == Ordering::Greater
            });
            if is_better {
                best = Some((level, &source.instrument.symbol));
            }
        }
        best
    }

    fn tick(&self, (ts_event, ts_recv): (UnixNanos, UnixNanos), body: Body) -> Tick {
        let instrument = Arc::clone(&self.instrument);
        Tick { instrument, ts_event: Some(ts_event), ts_source: None, ts_recv: Some(ts_recv), body }
    }
}
