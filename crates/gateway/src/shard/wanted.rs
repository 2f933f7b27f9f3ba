//! Which sessions an operator wants to see, and which of them first.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Core;
use super::member::Member;

/// Which sessions.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Those of this subject.
    pub(crate) subject: Option<String>,
    /// Those with this in their name, subject, tenant or address, in small letters.
    pub(crate) find: Option<String>,
    /// Those whose name comes after this one.
    pub(crate) after: String,
    pub(crate) sort: Sort,
    /// So many at most.
    pub(crate) most: usize,
    /// What they had been sent some seconds ago.
    pub(crate) since: Option<(Arc<Tallies>, f64)>,
}

/// Which come first: those with the most of it. What is sent is that of the look, where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// By name.
    #[default]
    Session,
    /// Those that stall or are coalesced, by how old the oldest is that waits for them; then the others.
    Lag,
    Age,
    Pending,
    Bytes,
    Delivered,
    Coalesced,
    Skipped,
}

impl Sort {
    /// Whether what a session is sent decides.
    pub(super) const fn is_by_rate(self) -> bool {
        matches!(self, Self::Bytes | Self::Delivered | Self::Coalesced | Self::Skipped)
    }
}

/// Where a session stands in a list: the smaller, the earlier.
pub(crate) type Place = (Reverse<u64>, String);

/// What sessions had been sent, by name.
pub(crate) type Tallies = HashMap<String, Tally>;

/// What a session has been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sent_bytes: u64,
    pub(crate) delivered: u64,
    pub(crate) coalesced: u64,
    pub(crate) skipped: u64,
}

/// What a session is sent in a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Rates {
    sent_bytes: f64,
    delivered: f64,
    coalesced: f64,
    skipped: f64,
}

impl Wanted {
    pub(super) fn covers(&self, member: &Member) -> bool {
        let session = &member.session;
        let has = |text: &str| {
            let within = |part: &str| part.to_lowercase().contains(text);
            within(&session.name)
                || session.subject().is_some_and(within)
                || session.tenant().is_some_and(within)
                || member.origin.from.is_some_and(|from| within(&from.to_string()))
        };
        session.name > self.after
            && self.subject.as_deref().is_none_or(|subject| session.subject() == Some(subject))
            && self.find.as_deref().is_none_or(has)
    }

    /// The first of them, in order.
    pub(super) fn first<'a>(&self, here: Vec<&'a mut Member>, core: &mut Core) -> Vec<&'a mut Member> {
        let mut here: Vec<_> = here.into_iter().map(|member| (self.place(member, core), member)).collect();
        here.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        here.truncate(self.most);
        here.into_iter().map(|(_, member)| member).collect()
    }

    pub(super) fn place(&self, member: &Member, core: &mut Core) -> Place {
        let now = core.now;
        let mut lag = || core.ctx().fanout.lag(member.session.id, now);
        let amount = match self.sort {
            Sort::Session => 0,
            // A client that wants an update a second is behind by a second, and not slow.
            Sort::Lag => {
                let lag = lag();
                lag.oldest_pending_ms | u64::from(lag.coalescing || member.is_stalled(lag)) << 63
            }
            Sort::Age => u64::try_from(now.saturating_sub(member.opened).as_millis()).unwrap_or(u64::MAX),
            Sort::Pending => {
                core.ctx().fanout.ledgers(member.session.id).iter().map(|ledger| ledger.pending).sum()
            }
            Sort::Bytes if self.since.is_none() => member.sent_bytes,
            Sort::Bytes => self.news(member, member.tally(core)).sent_bytes,
            Sort::Delivered => self.news(member, member.tally(core)).delivered,
            Sort::Coalesced => self.news(member, member.tally(core)).coalesced,
            Sort::Skipped => self.news(member, member.tally(core)).skipped,
        };
        (Reverse(amount), member.session.name.clone())
    }

    /// What a session has been sent since the first look; all of it where there was none.
    fn news(&self, member: &Member, now: Tally) -> Tally {
        let before = self.since.as_ref().and_then(|(before, _)| before.get(&member.session.name));
        now.since(before.copied().unwrap_or_default())
    }

    /// `None` also where it was not among the first when the look began.
    pub(super) fn rates(&self, member: &Member, core: &mut Core) -> Option<Rates> {
        let (before, seconds) = self.since.as_ref()?;
        if !self.sort.is_by_rate() && !before.contains_key(&member.session.name) {
            return None;
        }
        let news = self.news(member, member.tally(core));
        Some(news.in_a_second(*seconds))
    }
}

impl Tally {
    /// Streams that were left meanwhile are not in the ledger any more: no sum is less than nothing.
    const fn since(self, before: Self) -> Self {
        Self {
            sent_bytes: self.sent_bytes.saturating_sub(before.sent_bytes),
            delivered: self.delivered.saturating_sub(before.delivered),
            coalesced: self.coalesced.saturating_sub(before.coalesced),
            skipped: self.skipped.saturating_sub(before.skipped),
        }
    }

    fn in_a_second(self, seconds: f64) -> Rates {
        #[expect(clippy::cast_precision_loss, reason = "a rate, to be looked at")]
        let rate = |count: u64| (count as f64 / seconds * 10.0).round() / 10.0;
        Rates {
            sent_bytes: rate(self.sent_bytes),
            delivered: rate(self.delivered),
            coalesced: rate(self.coalesced),
            skipped: rate(self.skipped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_look() {
        let before = Tally { sent_bytes: 1_000, delivered: 90, coalesced: 5, skipped: 7 };
        let now = Tally { sent_bytes: 3_000, delivered: 100, coalesced: 5, skipped: 3 };
        let rates = now.since(before).in_a_second(0.8);
        assert_eq!(rates, Rates { sent_bytes: 2_500.0, delivered: 12.5, coalesced: 0.0, skipped: 0.0 });
    }
}
