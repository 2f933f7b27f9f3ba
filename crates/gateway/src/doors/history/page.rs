//! A page of the past in the making: pieces go in, an answer comes out.

use fanout::{Event, Excerpt, Past};
use model::{Body, Channel, Seq, UnixNanos};
use serde::Serialize;
use wire::{Cursor, Epoch};

use super::asked::Asked;
use crate::encode;
use crate::limits::{PAGE_EVENTS_MAX, PIECE_EVENTS_MAX};
use crate::shard::{Piece, Reading};

pub(super) struct Page<'a> {
    asked: &'a Asked,
    /// What is still to be asked for.
    wanted: Excerpt,
    records: Vec<u8>,
    count: usize,
    /// Events that were looked at.
    seen: usize,
    /// The place of the last of them, and its time.
    last: Option<(Seq, UnixNanos)>,
    /// The oldest place of which nothing is missing, and the newest one there is.
    kept: (Seq, Seq),
    /// The life of the order that all of this is of.
    epoch: Option<Epoch>,
    /// Everything up to here in the total order came before the page's upper end, or is in it.
    position: u64,
    gap: Option<Gap>,
    /// There may be more.
    more: bool,
}

/// What is told beside the records.
#[derive(Serialize)]
struct Head {
    channel: &'static str,
    symbol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<&'static str>,
    cursor: String,
    oldest_sequence: u64,
    newest_sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was asked for and is not kept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Gap {
    #[serde(skip_serializing_if = "Option::is_none")]
    from_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    reason: &'static str,
}

impl<'a> Page<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        Self {
            asked,
            wanted: asked.excerpt(),
            records: Vec::new(),
            count: 0,
            seen: 0,
            last: None,
            kept: (Seq::START, Seq::START),
            epoch: None,
            position: 0,
            gap: None,
            more: true,
        }
    }

    /// Output: the piece that is wanted next.
    pub(super) fn piece(&self) -> Piece {
        let left = self.asked.limit - self.count;
        // Of what is looked through for a time, few may be wanted.
        let most = if self.asked.is_timed() { PIECE_EVENTS_MAX } else { left.min(PIECE_EVENTS_MAX) };
        // Later pieces are of the life that the first one was of.
        let known =
            self.epoch.clone().or_else(|| self.asked.cursor.as_ref().map(|cursor| cursor.epoch.clone()));
        Piece { wanted: Excerpt { most, ..self.wanted }, epoch: known }
    }

    /// Input: that piece; false once the page is whole.
    pub(super) fn take(&mut self, reading: Reading) -> bool {
        let Reading { past, epoch, is_another } = reading;
        let is_first = self.epoch.is_none();
        if is_first {
            self.epoch = Some(epoch);
            self.position = past.position;
            if is_another {
                // No place of that life says anything about this one.
                let (from, to) = (Seq::START.next(), Seq(u64::MAX));
                self.wanted = Excerpt { from, to, after: 0, ..self.wanted };
                self.gap = Some(Gap::of_another_life());
            }
        } else if !self.asked.backwards && self.wanted.from < past.oldest {
            // It has gone between two pieces: the next page begins with that.
            self.kept = (past.oldest, past.newest);
            return false;
        }
        self.kept = (past.oldest, past.newest);
        let first = past.events.first().map(|event| time_of(event));
        let given = self.add(&past);
        let is_whole = given == past.events.len() && !past.more;
        if !self.asked.backwards {
            if is_first {
                self.look_below(past.from, first);
            }
            self.position = match self.last {
                _ if is_whole => past.position,
                Some(_) if given > 0 => past.events[given - 1].position,
                _ => self.position,
            };
        } else if is_whole {
            let last = self.last.map(|(_, time)| time);
            self.look_below(past.from, last);
        }
        if let Some((place, _)) = self.last {
            if self.asked.backwards {
                self.wanted.to = place.prev();
            } else {
                self.wanted.from = place.next();
            }
        }
        self.more = !is_whole;
        self.more && !self.is_full()
    }

    /// Adds what is wanted of a piece; how many of its events were looked at.
    fn add(&mut self, past: &Past) -> usize {
        for (at, event) in past.events.iter().enumerate() {
            if self.is_full() {
                return at;
            }
            self.seen += 1;
            let time = time_of(event);
            self.last = Some((event.seq, time));
            if self.asked.covers(time) {
                if self.count > 0 {
                    self.records.push(b',');
                }
                self.count += 1;
                encode::record(event, &mut self.records);
            }
        }
        past.events.len()
    }

    fn is_full(&self) -> bool {
        self.count >= self.asked.limit || self.seen >= PAGE_EVENTS_MAX
    }

    /// Notes what is missing where the range begins before what is kept. `edge` is the time of the oldest event that is
    /// kept of it.
    fn look_below(&mut self, from: Seq, edge: Option<UnixNanos>) {
        let asked = self.asked;
        let begins = asked.from_sequence.is_some() || asked.from.is_some() || self.wanted.after > 0;
        let before = asked.from.zip(edge).is_some_and(|(from, edge)| edge < from);
        let (oldest, _) = self.kept;
        if self.gap.is_none() && begins && !before && from < oldest {
            let to = oldest.prev().min(self.wanted.to);
            self.gap = (from <= to).then(|| Gap::between(from, to));
        }
    }

    /// Output: the answer.
    pub(super) fn finish(self) -> serde_json::Result<Vec<u8>> {
        let (asked, (oldest, newest)) = (self.asked, self.kept);
        let epoch = self.epoch.unwrap_or_else(|| Epoch::from_seed(0));
        let cursor = Cursor { epoch: epoch.clone(), position: self.position };
        let next = self.more.then(|| {
            if asked.backwards {
                let after = Cursor { epoch, position: self.wanted.after };
                let from = asked.from_sequence.map(|_| self.wanted.from);
                asked.rest(&after, from, Some(self.wanted.to))
            } else {
                let to = Some(self.wanted.to).filter(|to| *to < Seq(u64::MAX));
                asked.rest(&cursor, Some(self.wanted.from), to)
            }
        });
        let head = Head {
            channel: asked.stream.channel().as_str(),
            symbol: asked.symbol.to_string(),
            interval: asked.stream.interval().map(model::Interval::as_str),
            cursor: cursor.to_string(),
            oldest_sequence: oldest.0,
            newest_sequence: newest.0,
            gap: self.gap,
            next,
        };
        let mut body = serde_json::to_vec(&head)?;
        body.pop();
        body.extend_from_slice(b",\"data\":[");
        body.extend_from_slice(&self.records);
        body.extend_from_slice(b"]}");
        Ok(body)
    }
}

impl Gap {
    const fn between(from: Seq, to: Seq) -> Self {
        let count = to.since(from) + 1;
        Self { from_sequence: Some(from.0), to_sequence: Some(to.0), count: Some(count), reason: "not_kept" }
    }

    const fn of_another_life() -> Self {
        Self { from_sequence: None, to_sequence: None, count: None, reason: "another_epoch" }
    }
}

impl Asked {
    const fn is_timed(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn covers(&self, time: UnixNanos) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }

    /// The channel that is asked for.
    pub(super) const fn channel(&self) -> Channel {
        self.stream.channel()
    }
}

/// When an event was; of a bar, when that began.
fn time_of(event: &Event) -> UnixNanos {
    if let Body::Candle(candle) = &event.body { candle.start } else { event.ts_event }
}
