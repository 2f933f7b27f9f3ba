//! Several venues' best, in a few letters: `A9x1/10x2` quotes of A, `A!halted` states of it, and what follows of each:
//! the best with whose it is, or the state.

use std::sync::Arc;

use ::model::{
    Body, Instrument, Level, Pattern, Price, Quote, Size, State, StatusChange, Symbol, Tick, UnixNanos, Venue,
};

use crate::{CONSOLIDATED, Consolidation, Consolidator, Event, Sequencer};

fn rule() -> Consolidation {
    let own = [".A", ".B", ".LONG.B"].map(str::to_owned);
    Consolidation::new(vec![Pattern::parse("X*").unwrap()], ".BBO".to_owned(), own.into())
}

/// Ticks of sources on their way through a sequencer, and what follows from them.
struct Play {
    sequencer: Sequencer,
    consolidator: Consolidator,
}

impl Play {
    fn new() -> Self {
        Self { sequencer: Sequencer::default(), consolidator: Consolidator::new(rule()) }
    }

    fn event(&mut self, told: &str) -> Arc<Event> {
        let (source, told) = told.split_at(1);
        let symbol = if source == "P" { "XY" } else { &format!("XY.{source}") };
        let instrument = Instrument::named(Symbol::parse(symbol).unwrap(), Venue::new(source), "xy");
        let body = if let Some(state) = told.strip_prefix('!') {
            let known = State::ALL.into_iter().find(|known| known.as_str() == state);
            let (state, reason, feed) = (known.unwrap(), "".into(), "".into());
            Body::Status(Box::new(StatusChange { state, reason, feed, since: None }))
        } else {
            let (bid, ask) = told.split_once('/').unwrap();
            Body::Quote(Quote::of(level(bid), level(ask), false))
        };
        let (ts_event, ts_recv) = (Some(UnixNanos(5)), Some(UnixNanos(7)));
        let tick = Tick { instrument: instrument.into(), ts_event, ts_source: None, ts_recv, body };
        self.sequencer.push(tick, UnixNanos(0)).unwrap().unwrap()
    }

    fn told(&mut self, told: &str) -> String {
        let event = self.event(told);
        let mut out = Vec::new();
        self.consolidator.handle(&event, &mut out);
        out.iter().map(say).collect::<Vec<_>>().join(" ")
    }
}

fn level(text: &str) -> Option<Level> {
    let (price, size) = text.split_once('x')?;
    Some(Level { price: Price::parse(price).unwrap(), size: Size::parse(size).unwrap() })
}

fn say(tick: &Tick) -> String {
    assert_eq!((tick.instrument.symbol.as_str(), tick.instrument.venue.as_str()), ("XY.BBO", CONSOLIDATED));
    assert_eq!((tick.ts_event, tick.ts_recv), (Some(UnixNanos(5)), Some(UnixNanos(7))));
    let side = |level: Option<Level>, source: &Option<Symbol>| {
        assert_eq!(level.is_some(), source.is_some());
        let level = level.map(|level| format!("{}x{}", level.price, level.size)).unwrap_or_default();
        format!("{level}@{}", source.as_ref().map(Symbol::as_str).unwrap_or_default())
    };
    match &tick.body {
        Body::Quote(quote) => {
            format!("{}/{}", side(quote.bid, &quote.bid_source), side(quote.ask, &quote.ask_source))
        }
        Body::Status(change) => format!("!{}({})", change.state, change.reason),
        other => panic!("{other:?}"),
    }
}

fn check(steps: &[(&str, &str)]) {
    let mut play = Play::new();
    for (told, wanted) in steps {
        assert_eq!(play.told(told), *wanted, "{told}");
    }
}

#[test]
fn the_best_of_each_side_and_whose() {
    check(&[
        ("A9x1/11x1", ""),
        ("B8x1/10x1", "!open(all 2 sources) 9x1@XY.A/10x1@XY.B"),
        ("B8x2/10x1", ""),
        // Of one price the larger, of one size whoever was there first.
        ("B9x2/10x1", "9x2@XY.B/10x1@XY.B"),
        ("A9x2/11x1", "9x2@XY.A/10x1@XY.B"),
        ("A9.0x2/11x1", ""),
        // Venues that cross each other are told as they are.
        ("P12x1/13x1", "!open(all 3 sources) 12x1@XY/10x1@XY.B"),
        ("A/", ""),
        ("P/", "9x2@XY.B/10x1@XY.B"),
        ("B/", "@/@"),
    ]);
}

#[test]
fn who_cannot_be_trusted_does_not_count() {
    check(&[
        ("A9x1/11x1", ""),
        ("B8x1/10x1", "!open(all 2 sources) 9x1@XY.A/10x1@XY.B"),
        ("A!halted", "!open(1 of 2 sources: XY.A is halted) 8x1@XY.B/10x1@XY.B"),
        ("A9x3/11x1", ""),
        ("A!open", "!open(all 2 sources) 9x3@XY.A/10x1@XY.B"),
        ("A!quiet_expected", ""),
        // What was lost counts with what comes next, and not with what was before.
        ("A!suspect", "!open(1 of 2 sources: XY.A is suspect) 8x1@XY.B/10x1@XY.B"),
        ("B!stale", "!suspect(0 of 2 sources: XY.A is suspect, XY.B is stale) @/@"),
        ("A!open", "!open(1 of 2 sources: XY.B is stale)"),
        ("A7x1/12x1", "7x1@XY.A/12x1@XY.A"),
        ("B!open", "!open(all 2 sources) 8x1@XY.B/10x1@XY.B"),
    ]);
}

#[test]
fn names_are_those_of_the_feeds_without_their_suffixes() {
    let name = |symbol: &str| rule().name(&Symbol::parse(symbol).unwrap()).map(|name| name.to_string());
    assert_eq!(name("XY.A").as_deref(), Some("XY.BBO"));
    assert_eq!(name("XY.LONG.B").as_deref(), Some("XY.BBO"));
    assert_eq!(name("XY").as_deref(), Some("XY.BBO"));
    assert_eq!(name("Y.A"), None);
}

/// Who goes on with another's events says nothing twice.
#[test]
fn another_process_goes_on() {
    let (mut first, mut second) = (Play::new(), Consolidator::new(rule()));
    let now = |first: &mut Play, second: &mut Consolidator, told: &str| {
        let event = first.event(told);
        let mut out = Vec::new();
        first.consolidator.handle(&event, &mut out);
        second.note(&event);
        for tick in out {
            let event = first.sequencer.push(tick, UnixNanos(0)).unwrap().unwrap();
            second.note(&event);
        }
    };
    for told in ["A9x1/11x1", "B8x1/10x1", "A!halted"] {
        now(&mut first, &mut second, told);
    }
    first.consolidator = second;
    assert_eq!(first.told("B8x1/10x1"), "");
    assert_eq!(first.told("A!open"), "!open(all 2 sources) 9x1@XY.A/10x1@XY.B");
}
