//! What of a recording a replay plays, and how.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Options, Overflow, Stream, TopicId};
use model::{Body, Channel, Instrument, Pattern, Placed, Symbol};
use wire::{ErrorCode, Rejected, closest};

use crate::auth::{Bounds, Grant};
use crate::delay::Delays;
use crate::session::served;

/// What of a recording a replay plays, and how.
pub(crate) struct Wishes {
    pub(crate) channels: Vec<Channel>,
    pub(crate) symbols: Vec<Pattern>,
    pub(crate) options: wire::Options,
    /// Bytes a second of the client that is imagined.
    pub(crate) client: Option<u64>,
    pub(crate) grant: Grant,
    pub(crate) delays: Delays,
    /// Symbols at most.
    pub(crate) most: usize,
    /// Which records count: all, those that are had as they are, or those that are had at once.
    pub(crate) kind: Kind,
}

/// Which streams a token must give, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any, each within its bounds.
    Played,
    /// At once, as they go on live.
    Live,
    /// Without bounds, as their records are given as they are.
    Raw,
}

/// What is played of each symbol that was met: a bit per channel.
#[derive(Default)]
pub(crate) struct Chosen {
    symbols: HashMap<Symbol, u8>,
    /// Those of which something is.
    count: usize,
}

impl Wishes {
    /// Whether a record is played.
    pub(crate) fn want(&self, record: &Placed, chosen: &mut Chosen) -> bool {
        let channel = record.body.channel();
        let fits = match &record.body {
            Body::Candle(candle) => candle.interval == self.options.interval,
            Body::OldTrade(_) => false,
            _ => true,
        };
        fits && chosen.channels(&record.instrument.symbol, self) & bit(channel) != 0
    }

    /// How a stream is served, as far as the token gives it.
    pub(crate) fn options(&self, symbol: &Symbol, topic: TopicId) -> Options {
        let mut options = served(topic, &self.options);
        let channel = topic.stream.channel();
        let wanted = Bounds { depth: options.depth, conflate: options.conflate, delay: Duration::ZERO };
        let had = self.grant.narrow(symbol, channel, wanted, &self.delays).unwrap_or(wanted);
        if topic.stream == Stream::Book {
            options.depth = had.depth;
        }
        if channel != Channel::Status {
            options.conflate = had.conflate;
        }
        if self.client.is_none() {
            // A replay waits for who reads it.
            options.overflow = Overflow::Disconnect;
        }
        options
    }

    /// Whether all of it goes by a clock: what is merged depends on when.
    pub(crate) fn is_timed(&self) -> bool {
        self.client.is_some()
            || self.options.conflate_ms > 0
            || self.options.max_age_ms > 0
            || self.grant.conflates()
    }

    /// Which of the symbols that a recording has are played, and what is wrong with the wishes.
    pub(crate) fn judge(&self, instruments: &[Arc<Instrument>]) -> (Chosen, Vec<Symbol>, Vec<Rejected>) {
        let (mut chosen, mut played, mut rejected) = (Chosen::default(), Vec::new(), Vec::new());
        for pattern in &self.symbols {
            let matching =
                instruments.iter().map(|known| &known.symbol).filter(|symbol| pattern.matches(symbol));
            let matching: Vec<_> = matching.collect();
            if matching.is_empty() && !pattern.is_glob() {
                rejected.push(unknown(pattern, instruments));
            }
            let before = played.len();
            for &symbol in &matching {
                let known = chosen.symbols.contains_key(symbol);
                let channels = chosen.channels(symbol, self);
                if channels != 0 && !known {
                    played.push(symbol.clone());
                }
                let how = match self.kind {
                    Kind::Played => "",
                    Kind::Live => " without a delay",
                    Kind::Raw => " without bounds",
                };
                let not = self.channels.iter().find(|channel| !self.covers(symbol, **channel));
                if let Some(channel) = not.filter(|_| !pattern.is_glob()) {
                    let message = format!("Your token does not cover {symbol} on {channel}{how}.");
                    rejected.push(reject(pattern, ErrorCode::Forbidden, message));
                }
            }
            let full = matching
                .iter()
                .any(|symbol| chosen.symbols.get(*symbol) == Some(&0) && self.covers_any(symbol));
            if full {
                let (most, accepted) = (self.most, played.len() - before);
                let message =
                    format!("A replay may have {most} symbols; {accepted} of {pattern} were accepted.");
                rejected.push(reject(pattern, ErrorCode::SymbolLimit, message));
            }
        }
        (chosen, played, rejected)
    }

    /// How late the latest of these streams may be had.
    pub(crate) fn delay(&self, symbols: &[Symbol]) -> Duration {
        let delays = symbols
            .iter()
            .flat_map(|symbol| self.channels.iter().filter_map(|&channel| self.grant.delay(symbol, channel)));
        delays.max().unwrap_or_default()
    }

    fn covers(&self, symbol: &Symbol, channel: Channel) -> bool {
        let Some(twin) = self.grant.twin(symbol, channel, &self.delays) else { return false };
        match self.kind {
            Kind::Played => true,
            Kind::Live => twin == 0,
            Kind::Raw => {
                let all = Bounds::default();
                let had = self.grant.narrow(symbol, channel, all, &self.delays);
                let (of_book, of_status) = (channel == Channel::Book, channel == Channel::Status);
                had.is_some_and(|had| {
                    (!of_book || had.depth == all.depth) && (of_status || had.conflate == all.conflate)
                })
            }
        }
    }

    fn covers_any(&self, symbol: &Symbol) -> bool {
        self.channels.iter().any(|&channel| self.covers(symbol, channel))
    }
}

impl Chosen {
    fn channels(&mut self, symbol: &Symbol, wishes: &Wishes) -> u8 {
        if let Some(&channels) = self.symbols.get(symbol) {
            return channels;
        }
        let mut channels = 0;
        if self.count < wishes.most && wishes.symbols.iter().any(|pattern| pattern.matches(symbol)) {
            let covered = wishes.channels.iter().filter(|channel| wishes.covers(symbol, **channel));
            channels = covered.fold(0, |bits, &channel| bits | bit(channel));
        }
        self.count += usize::from(channels != 0);
        self.symbols.insert(symbol.clone(), channels);
        channels
    }
}

const fn bit(channel: Channel) -> u8 {
    1 << channel as u8
}

fn unknown(pattern: &Pattern, instruments: &[Arc<Instrument>]) -> Rejected {
    let near = closest(pattern.as_str(), instruments.iter().map(|known| known.symbol.as_str()));
    let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    let message = format!("The recording has no {pattern}.{hint}");
    reject(pattern, ErrorCode::UnknownSymbol, message)
}

fn reject(pattern: &Pattern, code: ErrorCode, message: String) -> Rejected {
    Rejected { symbol: pattern.to_string(), code, message }
}
