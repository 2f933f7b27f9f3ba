//! The instruments that are listed, and how each of them is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanout::SymbolId;
use model::{Channel, Instrument, Pattern, State, Symbol};
use serde::Serialize;
use serde_json::{Map, Value};
use wire::{ErrorCode, closest};

use crate::auth::Grant;
use crate::delay::Delays;
use crate::limits::SUGGESTION_SYMBOLS_MAX;
use crate::problem::Problem;

/// The instruments that are listed, in the order of their symbols' numbers, and the state of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    delays: Delays,
    listed: Arc<Mutex<Vec<Listed>>>,
}

#[derive(Debug)]
struct Listed {
    instrument: Arc<Instrument>,
    /// The symbol's own, and those of its twins: a halt is no earlier known than any other update.
    states: Box<[State]>,
}

/// One of them, as it is told.
#[derive(Serialize)]
struct Entry {
    symbol: String,
    venue: String,
    venue_symbol: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_scale: Option<u32>,
    state: String,
    channels: Vec<&'static str>,
}

impl Catalogue {
    /// Nothing is listed yet; streams can be had with these delays.
    pub(crate) fn new(delays: Delays) -> Self {
        Self { delays, ..Self::default() }
    }

    fn listed(&self) -> MutexGuard<'_, Vec<Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.listed().len()
    }

    /// These are all, with what is known of them by now; those that are not known yet are open as far as anybody knows.
    pub(crate) fn list(&self, instruments: &[Arc<Instrument>]) {
        let mut listed = self.listed();
        let known = listed.len();
        for (listed, instrument) in listed.iter_mut().zip(instruments) {
            if !Arc::ptr_eq(&listed.instrument, instrument) {
                listed.instrument = Arc::clone(instrument);
            }
        }
        listed.extend(instruments[known..].iter().map(|instrument| Listed {
            instrument: Arc::clone(instrument),
            states: vec![State::Open; 1 + self.delays.count()].into(),
        }));
    }

    /// What is said of one, or of a twin of it.
    pub(crate) fn note(&self, symbol: SymbolId, state: State) {
        // They are numbered in a row.
        let stride = 1 + self.delays.count();
        if let Some(listed) = self.listed().get_mut(symbol.index() / stride) {
            listed.states[symbol.index() % stride] = state;
        }
    }

    /// Whether a symbol is listed, or else the most similar one that somebody may see on a channel.
    pub(crate) fn find(
        &self,
        wanted: &Symbol,
        grant: &Grant,
        channel: Channel,
    ) -> Result<(), Option<String>> {
        // What takes long is done without the list in hand.
        let listed: Vec<_> = self.listed().iter().map(|listed| Arc::clone(&listed.instrument)).collect();
        if listed.iter().any(|instrument| instrument.symbol == *wanted || instrument.aliases.contains(wanted))
        {
            return Ok(());
        }
        let names = listed.iter().map(|instrument| &instrument.symbol);
        let seen = names.filter(|symbol| grant.allows(symbol, channel)).take(SUGGESTION_SYMBOLS_MAX);
        Err(closest(wanted.as_str(), seen.map(Symbol::as_str)).map(str::to_owned))
    }

    /// Those that somebody may see, of the patterns asked for, as JSON.
    pub(crate) fn answer(&self, grant: &Grant, wanted: &Map<String, Value>) -> Result<Vec<u8>, Problem> {
        let bad = |detail: String| Problem::of(ErrorCode::InvalidRequest, detail);
        if let Some(other) = wanted.keys().find(|name| !["op", "symbols"].contains(&name.as_str())) {
            return Err(bad(format!(
                "Unknown field \"{other}\". /v1/symbols has \"symbols\", a list of patterns."
            )));
        }
        let patterns = wanted.get("symbols").and_then(Value::as_array);
        let patterns: Option<Result<Vec<_>, _>> = patterns
            .map(|list| list.iter().map(|one| Pattern::parse(one.as_str().unwrap_or_default())).collect());
        let patterns = patterns.transpose().map_err(|error| bad(format!("{error}.")))?;
        let mut symbols: Vec<Entry> = self
            .listed()
            .iter()
            .filter(|Listed { instrument, .. }| {
                patterns.as_ref().is_none_or(|all| {
                    all.iter().any(|one| {
                        one.matches(&instrument.symbol)
                            || instrument.aliases.iter().any(|alias| one.matches(alias))
                    })
                })
            })
            .filter_map(|listed| entry(listed, grant, &self.delays))
            .collect();
        symbols.sort_unstable_by(|a, b| a.symbol.cmp(&b.symbol));
        Ok(serde_json::json!({ "symbols": symbols }).to_string().into_bytes())
    }
}

/// What somebody may see of one; nothing where there is no channel of it.
fn entry(Listed { instrument, states }: &Listed, grant: &Grant, delays: &Delays) -> Option<Entry> {
    let twin = |channel| grant.twin(&instrument.symbol, channel, delays);
    let seen: Vec<_> = Channel::ALL.into_iter().filter(|channel| twin(*channel).is_some()).collect();
    // As late as its status is had, or where that is not, the soonest of what is.
    let twin = twin(Channel::Status).or_else(|| seen.iter().filter_map(|channel| twin(*channel)).min())?;
    let definition = &instrument.definition;
    Some(Entry {
        symbol: instrument.symbol.to_string(),
        venue: instrument.venue.to_string(),
        venue_symbol: instrument.venue_symbol.to_string(),
        aliases: instrument.aliases.iter().map(ToString::to_string).collect(),
        kind: definition.kind.map(model::InstrumentKind::as_str),
        base: definition.base.clone(),
        quote: definition.quote.clone(),
        expiry: definition.expiry.map(|at| at.to_string()),
        tick_size: definition.tick_size.map(|size| size.to_string()),
        lot_size: definition.lot_size.map(|size| size.to_string()),
        price_scale: definition.price_decimals(),
        state: states[twin].to_string(),
        channels: seen.into_iter().map(Channel::as_str).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fanout::Sequencer;

    use super::*;
    use crate::auth::Scope;
    use crate::shard::tests::Feed;

    /// What the list says of the state of the one symbol, and its channels.
    fn told(catalogue: &Catalogue, scopes: &[&str]) -> Option<(String, usize)> {
        let scopes = scopes.iter().map(|scope| Scope::parse(scope).unwrap()).collect();
        let grant = Grant { scopes, ..Grant::for_tests("alice") };
        let answer: Value = serde_json::from_slice(&catalogue.answer(&grant, &Map::new()).unwrap()).unwrap();
        let entry = answer["symbols"].get(0)?;
        Some((entry["state"].as_str()?.to_owned(), entry["channels"].as_array()?.len()))
    }

    #[test]
    fn a_halt_is_told_as_late_as_the_token_says() {
        let delays = Delays::new([1, 900].map(Duration::from_secs).to_vec()).unwrap();
        let (catalogue, mut sequencer) = (Catalogue::new(delays), Sequencer::with_twins(2));
        let tick = Feed::default().tick('h', "A");
        let live = sequencer.push(tick.clone(), model::UnixNanos(1)).unwrap().unwrap().topic.symbol;
        catalogue.list(sequencer.instruments());
        catalogue.note(live, State::Halted);
        let (halted, open) =
            (|seen| Some(("halted".to_owned(), seen)), |seen| Some(("open".to_owned(), seen)));
        assert_eq!(told(&catalogue, &["stream:*"]), halted(6));
        assert_eq!(told(&catalogue, &["stream:*?delay_ms=1000"]), open(6));
        catalogue.note(sequencer.repeat(live, 1, tick).topic.symbol, State::Halted);
        assert_eq!(told(&catalogue, &["stream:*?delay_ms=1000"]), halted(6));
        assert_eq!(told(&catalogue, &["stream:*?delay_ms=900000"]), open(6));
        // Trades may be live: the state is as late as the status.
        let mixed = ["stream:*/trades", "stream:*?delay_ms=900000"];
        assert_eq!(told(&catalogue, &mixed), open(6));
        assert_eq!(told(&catalogue, &mixed[..1]), halted(1));
        assert_eq!(told(&catalogue, &["stream:*?delay_ms=900001"]), None);
        assert_eq!(catalogue.len(), 1);
    }
}
