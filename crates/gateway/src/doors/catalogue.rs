//! The instruments that are listed, and how each of them is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanout::SymbolId;
use model::{Channel, Instrument, Pattern, State, Symbol};
use serde::Serialize;
use serde_json::{Map, Value};
use wire::{ErrorCode, closest};

use crate::auth::Grant;
use crate::limits::SUGGESTION_SYMBOLS_MAX;
use crate::problem::Problem;

/// The instruments that are listed, by the number of their symbol, and the state of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue(Arc<Mutex<Vec<Listed>>>);

type Listed = (Arc<Instrument>, State);

/// One of them, as it is told.
#[derive(Serialize)]
struct Entry {
    symbol: String,
    venue: String,
    venue_symbol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick_size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_size: Option<String>,
    state: String,
    channels: Vec<&'static str>,
}

impl Catalogue {
    fn listed(&self) -> MutexGuard<'_, Vec<Listed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.listed().len()
    }

    /// These are all; those that are not known yet are open as far as anybody knows.
    pub(crate) fn list(&self, instruments: &[Arc<Instrument>]) {
        let mut listed = self.listed();
        let known = listed.len();
        listed.extend(instruments[known..].iter().map(|instrument| (Arc::clone(instrument), State::Open)));
    }

    /// What is said of one.
    pub(crate) fn note(&self, symbol: SymbolId, state: State) {
        if let Some((_, known)) = self.listed().get_mut(symbol.index()) {
            *known = state;
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
        let listed: Vec<_> = self.listed().iter().map(|(instrument, _)| Arc::clone(instrument)).collect();
        if listed.iter().any(|instrument| instrument.symbol == *wanted) {
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
            .filter(|(instrument, _)| {
                patterns.as_ref().is_none_or(|all| all.iter().any(|one| one.matches(&instrument.symbol)))
            })
            .map(|(instrument, state)| entry(instrument, *state, grant))
            .filter(|entry| !entry.channels.is_empty())
            .collect();
        symbols.sort_unstable_by(|a, b| a.symbol.cmp(&b.symbol));
        Ok(serde_json::json!({ "symbols": symbols }).to_string().into_bytes())
    }
}

fn entry(instrument: &Instrument, state: State, grant: &Grant) -> Entry {
    let seen = Channel::ALL.into_iter().filter(|channel| grant.allows(&instrument.symbol, *channel));
    Entry {
        symbol: instrument.symbol.to_string(),
        venue: instrument.venue.to_string(),
        venue_symbol: instrument.venue_symbol.to_string(),
        tick_size: instrument.tick_size.map(|size| size.to_string()),
        lot_size: instrument.lot_size.map(|size| size.to_string()),
        state: state.to_string(),
        channels: seen.map(Channel::as_str).collect(),
    }
}
