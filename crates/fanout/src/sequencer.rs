//! One total order for a node, and one numbering without holes for each stream.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Body, Instrument, Placed, Seq, Symbol, Tick, UnixNanos};

use crate::event::{Encoded, Event};
use crate::ids::{Stream, SymbolId, TopicId};
use crate::twins::Twins;

/// Gives every tick its place.
#[derive(Default)]
pub struct Sequencer {
    twins: Twins,
    symbols: BTreeMap<Symbol, SymbolId>,
    listed: Vec<Arc<Instrument>>,
    /// By topic: the last sequence and the last time of receipt.
    streams: Vec<(Seq, UnixNanos)>,
    /// By symbol, twins among them: its newest quote.
    quotes: Vec<Option<Arc<Event>>>,
    position: u64,
    /// The clock by which places are given: it never goes back.
    clock: UnixNanos,
    /// How often something was listed, or what is known of it changed.
    edition: u64,
}

/// Two instruments would share one symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{symbol} is already the symbol of {first} and cannot be that of {second} too; give one of the feeds a suffix"
)]
pub struct SymbolTaken {
    /// The symbol.
    pub symbol: Symbol,
    /// Venue and name of the instrument that has it.
    pub first: String,
    /// Venue and name of the one that wants it.
    pub second: String,
}

impl Sequencer {
    /// One that can repeat what it has sequenced in `twins` other streams each.
    #[must_use]
    pub fn with_twins(twins: usize) -> Self {
        Self { twins: Twins::new(twins), ..Self::default() }
    }

    /// The event of a tick, at `now` where the tick has no time of receipt. `None` for trades from
    /// before a subscription, which have no place.
    ///
    /// # Errors
    /// Another instrument has the same symbol: the tick is refused, nothing changes.
    pub fn push(&mut self, tick: Tick, now: UnixNanos) -> Result<Option<Arc<Event>>, SymbolTaken> {
        if matches!(tick.body, Body::OldTrade(_)) {
            return Ok(None);
        }
        let symbol = self.symbol(&tick.instrument)?;
        self.clock = self.clock.max(now);
        Ok(Some(self.place(symbol, tick, now)))
    }

    /// The event of a tick that was sequenced before, in twin number `twin` of its symbol, from 1: its next place
    /// there, and in the total order.
    pub fn repeat(&mut self, symbol: SymbolId, twin: usize, tick: Tick) -> Arc<Event> {
        // It has had a time of receipt since it was sequenced.
        self.place(self.twins.twin(symbol, twin), tick, UnixNanos(0))
    }

    fn place(&mut self, symbol: SymbolId, tick: Tick, now: UnixNanos) -> Arc<Event> {
        let topic = TopicId { symbol, stream: Stream::of(&tick.body) };
        let (seq, recv) = &mut self.streams[topic.index()];
        *seq = seq.next();
        *recv = tick.ts_recv.unwrap_or(now).max(*recv);
        self.position += 1;
        let placed = Placed {
            instrument: tick.instrument,
            seq: *seq,
            position: self.position,
            ts_event: tick.ts_event.unwrap_or(*recv),
            ts_source: tick.ts_source,
            ts_recv: *recv,
            body: tick.body,
        };
        // What is repeated is told when it was first had.
        let sequenced = (now > UnixNanos(0)).then_some(self.clock);
        self.event(topic, placed, sequenced)
    }

    /// Input: a tick that another sequencer has placed, after all that it placed before; from here on, sequences
    /// go on where that one was.
    ///
    /// # Errors
    /// See [`Self::push`].
    pub fn follow(&mut self, placed: Placed) -> Result<Arc<Event>, SymbolTaken> {
        let symbol = self.symbol(&placed.instrument)?;
        let topic = TopicId { symbol, stream: Stream::of(&placed.body) };
        let (seq, recv) = &mut self.streams[topic.index()];
        (*seq, *recv) = (placed.seq, placed.ts_recv);
        self.position = placed.position;
        Ok(self.event(topic, placed, None))
    }

    /// Numbers the symbol of an instrument.
    pub(crate) fn list(&mut self, instrument: &Arc<Instrument>) -> Result<(), SymbolTaken> {
        self.symbol(instrument).map(|_| ())
    }

    fn event(&mut self, topic: TopicId, placed: Placed, sequenced: Option<UnixNanos>) -> Arc<Event> {
        let quote = &mut self.quotes[topic.symbol.index()];
        let event = Arc::new(Event {
            topic,
            record: placed,
            quote: if topic.stream == Stream::Trades { quote.clone() } else { None },
            sequenced,
            encoded: Encoded::default(),
        });
        if topic.stream == Stream::Quotes {
            *quote = Some(Arc::clone(&event));
        }
        event
    }

    /// The place of the newest event in the total order.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// What is listed, in the order of its symbols' numbers.
    #[must_use]
    pub fn instruments(&self) -> &[Arc<Instrument>] {
        &self.listed
    }

    /// Another number once what [`Self::instruments`] says has changed.
    #[must_use]
    pub const fn edition(&self) -> u64 {
        self.edition
    }

    /// How many events each listed symbol has had, all its streams together. Cost: O(streams).
    pub fn counts(&self) -> impl Iterator<Item = (&Symbol, u64)> {
        self.symbols.iter().map(|(symbol, id)| {
            let first = id.index() * Stream::COUNT as usize;
            let streams = &self.streams[first..first + Stream::COUNT as usize];
            (symbol, streams.iter().map(|(seq, _)| seq.0).sum())
        })
    }

    fn symbol(&mut self, instrument: &Arc<Instrument>) -> Result<SymbolId, SymbolTaken> {
        if let Some(&id) = self.symbols.get(&instrument.symbol) {
            let known = &self.listed[self.twins.listed(id)];
            let same = Arc::ptr_eq(known, instrument)
                || (known.venue == instrument.venue && known.venue_symbol == instrument.venue_symbol);
            if !same {
                return Err(taken(known, instrument));
            }
            if !Arc::ptr_eq(known, instrument) {
                self.edition += u64::from(known != instrument);
                self.listed[self.twins.listed(id)] = Arc::clone(instrument);
            }
            return Ok(id);
        }
        let id = self.twins.symbol(self.listed.len());
        self.symbols.insert(instrument.symbol.clone(), id);
        self.listed.push(Arc::clone(instrument));
        self.edition += 1;
        let symbols = self.listed.len() * self.twins.stride();
        self.quotes.resize(symbols, None);
        self.streams.resize(symbols * Stream::COUNT as usize, (Seq::START, UnixNanos(0)));
        Ok(id)
    }
}

fn taken(known: &Instrument, other: &Instrument) -> SymbolTaken {
    let name = |instrument: &Instrument| format!("{} at {}", instrument.venue_symbol, instrument.venue);
    SymbolTaken { symbol: known.symbol.clone(), first: name(known), second: name(other) }
}

#[cfg(test)]
mod tests {
    use model::{Quote, Venue};

    use super::*;

    fn tick(venue: &str, recv: u64) -> Tick {
        let symbol = Symbol::parse("BTC-USD").unwrap();
        Tick {
            instrument: Arc::new(Instrument::named(symbol, Venue::new(venue), "BTCUSD")),
            ts_event: None,
            ts_source: None,
            ts_recv: Some(UnixNanos(recv)),
            body: Body::Quote(Quote::of(None, None, false)),
        }
    }

    #[test]
    fn no_holes_and_no_time_going_back() {
        let mut sequencer = Sequencer::default();
        let mut places = Vec::new();
        for recv in [5, 3, 7] {
            let event = sequencer.push(tick("a", recv), UnixNanos(0)).unwrap().unwrap();
            places.push((event.seq.0, event.position, event.ts_recv.0));
        }
        assert_eq!(sequencer.counts().map(|(_, count)| count).collect::<Vec<_>>(), [3]);
        assert_eq!(places, [(1, 1, 5), (2, 2, 5), (3, 3, 7)]);
    }

    #[test]
    fn what_is_known_of_an_instrument_changes() {
        let mut sequencer = Sequencer::default();
        sequencer.push(tick("a", 1), UnixNanos(0)).unwrap();
        let before = sequencer.edition();
        sequencer.push(tick("a", 2), UnixNanos(0)).unwrap();
        assert_eq!(sequencer.edition(), before, "the same, told by another value");
        let mut newer = tick("a", 3);
        let definition = model::Definition { price_scale: Some(2), ..model::Definition::default() };
        newer.instrument =
            Arc::new(Instrument { definition: definition.clone(), ..(*newer.instrument).clone() });
        sequencer.push(newer, UnixNanos(0)).unwrap();
        assert_ne!(sequencer.edition(), before);
        assert_eq!(sequencer.instruments()[0].definition, definition);
    }

    #[test]
    fn twins_have_places_of_their_own() {
        let mut sequencer = Sequencer::with_twins(2);
        let place =
            |event: &Event| (event.topic.symbol.index(), event.seq.0, event.position, event.ts_recv.0);
        let first = sequencer.push(tick("a", 5), UnixNanos(0)).unwrap().unwrap();
        let second = sequencer.push(tick("a", 7), UnixNanos(0)).unwrap().unwrap();
        assert_eq!([place(&first), place(&second)], [(0, 1, 1, 5), (0, 2, 2, 7)]);
        let symbol = first.topic.symbol;
        let again = sequencer.repeat(symbol, 2, tick("a", 5));
        assert_eq!(place(&again), (2, 1, 3, 5));
        assert_eq!(place(&sequencer.repeat(symbol, 1, tick("a", 5))), (1, 1, 4, 5));
        assert_eq!(place(&sequencer.repeat(symbol, 2, tick("a", 7))), (2, 2, 5, 7));
        // The quote before a trade is of the same delay.
        let size = model::Size::parse("1").unwrap();
        let trade =
            model::Trade { price: model::Price::parse("1").unwrap(), size, side: model::Side::Buy, id: None };
        let trade = sequencer.repeat(symbol, 1, Tick { body: Body::Trade(trade), ..tick("a", 8) });
        assert_eq!(trade.quote.as_ref().map(|quote| quote.position), Some(4));
        assert_eq!(sequencer.instruments().len(), 1);
    }

    #[test]
    fn a_symbol_belongs_to_one_instrument() {
        let mut sequencer = Sequencer::default();
        sequencer.push(tick("a", 1), UnixNanos(0)).unwrap();
        let error = sequencer.push(tick("b", 2), UnixNanos(0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "BTC-USD is already the symbol of BTCUSD at a and cannot be that of BTCUSD at b too; \
             give one of the feeds a suffix"
        );
        assert_eq!(sequencer.push(tick("a", 3), UnixNanos(0)).unwrap().unwrap().seq, Seq(2));
    }
}
