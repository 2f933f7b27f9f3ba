//! The tables: what stands in their columns, and by which of them they can be sorted.

use super::grid::{Cell, Column, left, right};
use super::look::{Rates, STALLED, Session, Symbol};
use super::report::{Feed, PerChannel, Report};
use crate::commands::figures::{bytes, count, duration, percent};
use crate::commands::paint::Ink;

/// What is shown below the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Sessions,
    Feeds,
    Symbols,
    Channels,
    Health,
}

impl Pane {
    pub(super) const ALL: [Self; 5] =
        [Self::Sessions, Self::Feeds, Self::Symbols, Self::Channels, Self::Health];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Feeds => "feeds",
            Self::Symbols => "symbols",
            Self::Channels => "channels",
            Self::Health => "health",
        }
    }

    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Sessions => &SESSIONS,
            Self::Feeds => &FEEDS,
            Self::Symbols => &SYMBOLS,
            Self::Channels => &CHANNELS,
            Self::Health => &[],
        }
    }

    /// Columns that can be sorted by; those of sessions with what the plant calls it, for it is the plant that sorts.
    pub(super) const fn sorts(self) -> &'static [(usize, &'static str)] {
        match self {
            Self::Sessions => &SESSION_SORTS,
            Self::Feeds => &[(0, "feed"), (2, "events"), (3, "lag"), (5, "gaps"), (6, "faults")],
            Self::Symbols => &[(0, "symbol"), (1, "events")],
            Self::Channels => &[(0, "channel"), (1, "sent"), (2, "merged"), (3, "skipped")],
            Self::Health => &[],
        }
    }

    /// By which of them at first.
    pub(super) const fn first_sort(self) -> usize {
        match self {
            Self::Sessions | Self::Symbols => 1,
            _ => 0,
        }
    }

    /// Its rows, with what has `find` in its name, in the order of a column.
    pub(super) fn rows(self, report: &Report, sort: usize, find: &str) -> Vec<Vec<Cell>> {
        let has = |name: &str| name.to_lowercase().contains(&find.to_lowercase());
        let by = self.sorts().get(sort).map_or("", |(_, name)| name);
        match self {
            Self::Sessions => report.sessions.iter().map(session).collect(),
            Self::Feeds => {
                let mut feeds: Vec<_> = report.feeds.iter().filter(|feed| has(&feed.name)).collect();
                most_first(&mut feeds, |feed| match by {
                    "events" => feed.events_per_second,
                    "lag" => feed.lag_seconds.unwrap_or(0.0),
                    "gaps" => feed.gaps,
                    "faults" => feed.faults,
                    _ => 0.0,
                });
                feeds.into_iter().map(feed).collect()
            }
            Self::Symbols => {
                let mut symbols: Vec<_> = report.symbols.iter().filter(|symbol| has(&symbol.name)).collect();
                if by == "symbol" {
                    symbols.sort_by(|one, other| one.name.cmp(&other.name));
                }
                let rates = report.symbols.iter().map(|symbol| symbol.events_per_second);
                let most = rates.fold(0.0, f64::max);
                symbols.into_iter().map(|symbol| busy(symbol, most)).collect()
            }
            Self::Channels => {
                let mut channels: Vec<_> =
                    report.channels.iter().filter(|channel| has(&channel.name)).collect();
                most_first(&mut channels, |channel| match by {
                    "sent" => channel.delivered_per_second,
                    "merged" => channel.coalesced_per_second,
                    "skipped" => channel.skipped_per_second,
                    _ => 0.0,
                });
                channels.into_iter().map(channel).collect()
            }
            Self::Health => Vec::new(),
        }
    }
}

/// What is alike keeps its order.
fn most_first<T>(rows: &mut [&T], amount: impl Fn(&T) -> f64) {
    rows.sort_by(|one, other| amount(other).total_cmp(&amount(one)));
}

const SESSIONS: [Column; 13] = [
    left("SUBJECT", 14, 0),
    left("MODE", 9, 0),
    right("LAG", 7, 0),
    right("SENT/S", 7, 1),
    right("MERGED/S", 8, 2),
    right("BYTES/S", 8, 3),
    right("QUEUE", 7, 4),
    right("SKIPPED/S", 7, 8),
    right("STREAMS", 7, 7),
    right("AGE", 7, 5),
    left("DOOR", 9, 6),
    left("ADDRESS", 15, 5),
    left("SESSION", 16, 9),
];

const SESSION_SORTS: [(usize, &str); 8] = [
    (12, "session"),
    (2, "lag"),
    (3, "delivered"),
    (4, "coalesced"),
    (5, "bytes"),
    (6, "pending"),
    (7, "skipped"),
    (9, "age"),
];

/// What is nothing does not catch the eye.
fn quiet(number: f64, text: fn(f64) -> String) -> Cell {
    (if number < 0.05 { Ink::Faint } else { Ink::Plain }, text(number))
}

fn session(session: &Session) -> Vec<Cell> {
    let (ink, mode) = match session.mode.as_str() {
        "keeping_up" => (Ink::Plain, "keeps up"),
        // It gets no more because somebody has said so.
        "coalescing" if session.bytes_per_second > 0 => (Ink::Warn, "throttled"),
        "coalescing" => (Ink::Warn, "slow"),
        STALLED => (Ink::Warn, STALLED),
        other => (Ink::Faint, other),
    };
    let lag = std::time::Duration::from_millis(session.oldest_pending_ms).as_secs_f64();
    // Who has just come to the first is looked at for the first time.
    let rate = |part: fn(&Rates) -> f64, text: fn(f64) -> String| {
        session.rates.as_ref().map_or((Ink::Faint, "-".to_owned()), |rates| quiet(part(rates), text))
    };
    let subject = session.subject.as_deref().unwrap_or("-");
    let subject = match &session.tenant {
        Some(tenant) => format!("{subject} of {tenant}"),
        None => subject.to_owned(),
    };
    let of = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    vec![
        (Ink::Strong, subject),
        (ink, mode.to_owned()),
        (if session.is_slow() { Ink::Warn } else { Ink::Plain }, duration(lag)),
        rate(|rates| rates.delivered, count),
        rate(|rates| rates.coalesced, count),
        rate(|rates| rates.sent_bytes, bytes),
        quiet(of(session.pending), count),
        rate(|rates| rates.skipped, count),
        (Ink::Plain, count(of(session.subscriptions))),
        (Ink::Plain, duration(of(session.open_seconds))),
        (Ink::Plain, session.door.clone()),
        (Ink::Plain, session.address.clone().unwrap_or_else(|| "-".to_owned())),
        (Ink::Faint, session.name.clone()),
    ]
}

const FEEDS: [Column; 7] = [
    left("FEED", 14, 0),
    left("STATE", 11, 0),
    right("EVENTS/S", 8, 0),
    right("LAG", 7, 1),
    right("SILENT", 7, 2),
    right("GAPS", 6, 3),
    right("FAULTS", 6, 4),
];

pub(super) fn feed(feed: &Feed) -> Vec<Cell> {
    let ink = match feed.state.as_str() {
        "open" => Ink::Good,
        "stale" | "source_down" => Ink::Bad,
        "suspect" | "halted" => Ink::Warn,
        _ => Ink::Plain,
    };
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), duration);
    let news = |all: f64, new: f64| {
        if new > 0.0 {
            (Ink::Warn, format!("{} +{}", count(all), count(new)))
        } else {
            (if all > 0.0 { Ink::Plain } else { Ink::Faint }, count(all))
        }
    };
    let state = if feed.state == "open" { "live".to_owned() } else { feed.state.replace('_', " ") };
    vec![
        (Ink::Strong, feed.name.clone()),
        (ink, state),
        (Ink::Plain, count(feed.events_per_second)),
        (Ink::Plain, time(feed.lag_seconds)),
        (Ink::Plain, time(feed.silent_seconds)),
        news(feed.gaps, feed.new_gaps),
        news(feed.faults, feed.new_faults),
    ]
}

const SYMBOLS: [Column; 4] =
    [left("SYMBOL", 16, 0), right("EVENTS/S", 8, 0), right("EVENTS", 9, 2), left("", BAR, 1)];
const BAR: usize = 24;

fn busy(symbol: &Symbol, most: f64) -> Vec<Cell> {
    #[expect(clippy::cast_precision_loss, reason = "to be looked at")]
    let events = symbol.events as f64;
    vec![
        (Ink::Strong, symbol.name.clone()),
        (Ink::Plain, count(symbol.events_per_second)),
        (Ink::Faint, count(events)),
        (Ink::Faint, bar(if most > 0.0 { symbol.events_per_second / most } else { 0.0 })),
    ]
}

/// A part of a whole, to an eighth of a column.
fn bar(share: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a few hundred")]
    let eighths =
        (share.clamp(0.0, 1.0) * f64::from(u8::try_from(BAR * 8).unwrap_or(u8::MAX))).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

const CHANNELS: [Column; 8] = [
    left("CHANNEL", 14, 0),
    right("SENT/S", 8, 0),
    right("MERGED/S", 8, 0),
    right("SKIPPED/S", 9, 1),
    right("SHARE", 7, 2),
    right("ALL SENT", 9, 3),
    right("MERGED", 9, 3),
    right("SKIPPED", 9, 4),
];

fn channel(channel: &PerChannel) -> Vec<Cell> {
    let all = channel.delivered_per_second + channel.coalesced_per_second;
    let merged = if all > 0.0 { percent(channel.coalesced_per_second / all) } else { "-".to_owned() };
    let warn = |number: f64| if number > 0.0 { Ink::Warn } else { Ink::Faint };
    vec![
        (Ink::Strong, channel.name.clone()),
        (Ink::Plain, count(channel.delivered_per_second)),
        (Ink::Plain, count(channel.coalesced_per_second)),
        (warn(channel.skipped_per_second), count(channel.skipped_per_second)),
        (Ink::Plain, merged),
        (Ink::Faint, count(channel.delivered)),
        (Ink::Faint, count(channel.coalesced)),
        (Ink::Faint, count(channel.skipped)),
    ]
}
