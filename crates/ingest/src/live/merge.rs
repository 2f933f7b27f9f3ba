//! Two connections that bring the same: of each update the first to arrive counts, by the venue's numbers.
//!
//! What comes too early waits a moment for what belongs before it, from whichever connection. What never came is
//! let through as it is: the normaliser finds the gap and says so.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::dialect::Tag;

/// Updates of one book that wait for those before them.
const HELD_MAX: usize = 256;
/// Executions of one instrument that are remembered.
const TRADES_MAX: usize = 512;
/// Messages of which an equal one is recognised, where they have no numbers.
const RECENT_MAX: usize = 8;
/// Updates in a row, each after the other, that go back behind what was had: a new numbering.
const BACKWARD_MAX: u32 = 3;

/// What becomes of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// It was had already.
    Drop,
    /// It waits.
    Hold,
    /// The venue began a new numbering without saying so.
    Reset,
}

/// A message that comes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came<'a> {
    pub(super) line: u64,
    pub(super) text: &'a str,
    pub(super) at: model::UnixNanos,
    pub(super) now: Instant,
}

/// A message that has waited.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) line: u64,
    pub(super) text: String,
    pub(super) at: model::UnixNanos,
}

#[derive(Default)]
pub(super) struct Merge {
    chains: HashMap<String, Chain>,
    newest: HashMap<String, (i64, u64)>,
    trades: HashMap<String, VecDeque<u64>>,
    /// The newest messages, by connection.
    recent: VecDeque<(u64, u64)>,
}

#[derive(Default)]
struct Chain {
    last: Option<i64>,
    held: Vec<Held>,
    /// The end of the newest update that went back, on which connection, and how many there were in a row.
    back: Option<(i64, u64, u32)>,
    /// Which connection brought the newest.
    by: u64,
}

struct Held {
    previous: i64,
    last: i64,
    since: Instant,
    frame: Frame,
}

impl Merge {
    /// Everything begins anew.
    pub(super) fn clear(&mut self) {
        self.chains.clear();
        self.newest.clear();
    }

    /// The book of this instrument is void: whatever comes next is its beginning.
    pub(super) fn forget(&mut self, symbol: &str) {
        for (key, chain) in &mut self.chains {
            if key.split_once(' ').is_some_and(|(_, of)| of == symbol) {
                chain.last = None;
            }
        }
    }

    /// Judges a message of `line`, which `leads` or does not.
    pub(super) fn judge(&mut self, came: &Came<'_>, leads: bool, tag: &Tag<'_>) -> Verdict {
        let line = came.line;
        match tag {
            Tag::Bare { .. } if leads => Verdict::Pass,
            Tag::Bare { .. } => Verdict::Drop,
            Tag::Newest { symbol, topic, key } => self.newest(&format!("{topic} {symbol}"), *key, line),
            Tag::Trades { symbol, ids } => self.once(symbol, ids),
            Tag::Start { symbol, topic, last } => {
                let chain = self.chains.entry(format!("{topic} {symbol}")).or_default();
                if chain.last.is_some_and(|had| *last <= had && !leads) {
                    return Verdict::Drop;
                }
                chain.held.retain(|held| held.last > *last);
                (chain.last, chain.by, chain.back) = (Some(*last), line, None);
                Verdict::Pass
            }
            Tag::Chain { symbol, topic, previous, last } => {
                let chain = self.chains.entry(format!("{topic} {symbol}")).or_default();
                chain.judge((*previous, *last), came)
            }
        }
    }

    /// Whether this message came over this connection a moment ago. Each update bears its time or its number: what is
    /// equal is the same.
    pub(super) fn is_again(&mut self, line: u64, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let one = (line, hasher.finish());
        if self.recent.contains(&one) {
            return true;
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(one);
        false
    }

    fn newest(&mut self, key: &str, number: i64, line: u64) -> Verdict {
        match self.newest.get_mut(key) {
            // One connection is always right about its own order.
            Some((had, by)) if *by != line && number <= *had => Verdict::Drop,
            Some(known) => {
                *known = (number, line);
                Verdict::Pass
            }
            None => {
                self.newest.insert(key.to_owned(), (number, line));
                Verdict::Pass
            }
        }
    }

    fn once(&mut self, symbol: &str, ids: &[Cow<'_, str>]) -> Verdict {
        if !self.trades.contains_key(symbol) {
            self.trades.insert(symbol.to_owned(), VecDeque::new());
        }
        let Some(known) = self.trades.get_mut(symbol) else { return Verdict::Pass };
        let mut new = ids.is_empty();
        for id in ids {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            let hash = hasher.finish();
            if !known.contains(&hash) {
                new = true;
                if known.len() == TRADES_MAX {
                    known.pop_front();
                }
                known.push_back(hash);
            }
        }
        if new { Verdict::Pass } else { Verdict::Drop }
    }

    /// A message whose turn has come, in whatever chain; call until there is none.
    pub(super) fn release(&mut self, now: Instant, hold: Duration) -> Option<Frame> {
        self.chains.values_mut().find_map(|chain| chain.release(now, hold))
    }

    /// When something that waits must go.
    pub(super) fn deadline(&self, hold: Duration) -> Option<Instant> {
        self.chains.values().filter_map(|chain| chain.held.first()).map(|held| held.since + hold).min()
    }
}

impl Chain {
    fn judge(&mut self, (previous, last): (i64, i64), came: &Came<'_>) -> Verdict {
        let line = came.line;
        let Some(had) = self.last else {
            (self.last, self.by, self.back) = (Some(last), line, None);
            return Verdict::Pass;
        };
        // A numbering that goes back says so by following what was had.
        if previous == had || (previous < had && had < last) {
            (self.last, self.by, self.back) = (Some(last), line, None);
            return Verdict::Pass;
        }
        if last <= had {
            return self.backward(previous, last, line);
        }
        if self.held.len() == HELD_MAX {
            return Verdict::Pass;
        }
        let at = self.held.partition_point(|held| held.previous <= previous);
        if self.held.iter().any(|held| held.last == last) {
            return Verdict::Drop;
        }
        let frame = Frame { line, text: came.text.to_owned(), at: came.at };
        self.held.insert(at, Held { previous, last, since: came.now, frame });
        Verdict::Hold
    }

    /// Behind what was had: a repetition, unless the connection that leads goes on from there.
    fn backward(&mut self, previous: i64, last: i64, line: u64) -> Verdict {
        let row = match self.back {
            Some((end, by, row)) if by == line && end == previous => row + 1,
            _ => 1,
        };
        self.back = Some((last, line, row));
        if self.by == line && row >= BACKWARD_MAX {
            return Verdict::Reset;
        }
        Verdict::Drop
    }

    fn release(&mut self, now: Instant, hold: Duration) -> Option<Frame> {
        let first = self.held.first()?;
        let due = now >= first.since + hold;
        let had = self.last.unwrap_or(first.previous);
        if first.last <= had {
            self.held.remove(0);
            return self.release(now, hold);
        }
        if !due && first.previous > had {
            return None;
        }
        let held = self.held.remove(0);
        (self.last, self.by) = (Some(held.last), held.frame.line);
        Some(held.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script: `a5` is update 5 by connection a (after 4), `b7-9` spans, `!` time passes, `s` a start.
    fn check(script: &str, expected: &str) {
        let (mut merge, mut now, mut said) = (Merge::default(), Instant::now(), Vec::new());
        let hold = Duration::from_millis(100);
        for word in script.split_whitespace() {
            if word == "!" {
                now += hold;
            } else {
                let (line, rest) = word.split_at(1);
                let (start, rest) = rest.strip_prefix('s').map_or((false, rest), |rest| (true, rest));
                let (first, last) = rest.split_once('-').unwrap_or((rest, rest));
                let (previous, last) = (first.parse::<i64>().unwrap() - 1, last.parse().unwrap());
                let (symbol, topic, number) = (Cow::Borrowed("X"), "book", u64::from(line.as_bytes()[0]));
                let tag = if start {
                    Tag::Start { symbol, topic, last }
                } else {
                    Tag::Chain { symbol, topic, previous, last }
                };
                let came = Came { line: number, text: word, at: model::UnixNanos(0), now };
                match merge.judge(&came, line == "a", &tag) {
                    Verdict::Pass => said.push(word.to_owned()),
                    Verdict::Reset => said.push("reset".to_owned()),
                    Verdict::Drop | Verdict::Hold => {}
                }
            }
            while let Some(frame) = merge.release(now, hold) {
                said.push(frame.text);
            }
        }
        assert_eq!(said.join(" "), expected, "{script}");
    }

    #[test]
    fn the_first_to_bring_an_update_wins() {
        check("a1 b1 a2 b2 b3 a3", "a1 a2 b3");
        check("a1 b1 b2 b3 a2 a3 a4", "a1 b2 b3 a4");
        check("a1-3 b2-5 a4-6", "a1-3 b2-5 a4-6");
    }

    #[test]
    fn what_is_early_waits_for_what_belongs_before_it() {
        check("a1 a3 a4 b2 b3", "a1 b2 a3 a4");
        check("a1 a3 a2", "a1 a2 a3");
        check("a1 a3 a4 ! b2", "a1 a3 a4");
    }

    #[test]
    fn a_second_connection_begins_without_a_trace() {
        check("as5 a6 bs6 b7 a7 a8", "as5 a6 b7 a8");
        check("as5 a6 bs8 a7 a8 b9 a9", "as5 a6 bs8 b9");
        check("as5 a6 as1 a2 a3", "as5 a6 as1 a2 a3");
    }

    #[test]
    fn a_numbering_that_goes_back_is_told() {
        check("a10 a11 a3 a4 a5", "a10 a11 reset");
        check("a10 a11 a9 a10 a12", "a10 a11 a12");
        check("a10 b10 b9 b10 b11", "a10 b11");
    }

    #[test]
    fn executions_come_once_and_the_newest_totals_win() {
        let (mut merge, now) = (Merge::default(), Instant::now());
        let trades = |ids: &[&'static str]| Tag::Trades {
            symbol: Cow::Borrowed("X"),
            ids: ids.iter().map(|id| Cow::Borrowed(*id)).collect(),
        };
        let newest = |key| Tag::Newest { symbol: Cow::Borrowed("X"), topic: "t", key };
        for (line, tag, verdict) in [
            (1, trades(&["1", "2"]), Verdict::Pass),
            (2, trades(&["1", "2"]), Verdict::Drop),
            (2, trades(&["2", "3"]), Verdict::Pass),
            (1, newest(5), Verdict::Pass),
            (2, newest(5), Verdict::Drop),
            (1, newest(5), Verdict::Pass),
            (2, newest(6), Verdict::Pass),
            (1, newest(5), Verdict::Drop),
            (2, newest(1), Verdict::Pass),
            (2, Tag::Bare { book: None }, Verdict::Drop),
            (1, Tag::Bare { book: None }, Verdict::Pass),
        ] {
            let came = Came { line, text: "", at: model::UnixNanos(0), now };
            assert_eq!(merge.judge(&came, line == 1, &tag), verdict, "{line} {tag:?}");
        }
    }
}
