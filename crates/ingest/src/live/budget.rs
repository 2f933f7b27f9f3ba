//! What a venue bears: so many connections, so much weight of requests, in so long.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// An allowance over a window that slides.
#[derive(Debug)]
pub(super) struct Budget {
    most: u32,
    window: Duration,
    spent: VecDeque<(Instant, u32)>,
    /// Nothing before that: the venue said so.
    shut: Option<Instant>,
}

impl Budget {
    pub(super) const fn new((most, window): (u32, Duration)) -> Self {
        Self { most, window, spent: VecDeque::new(), shut: None }
    }

    /// Spends `weight` now, or says when there will be room for it.
    pub(super) fn spend(&mut self, weight: u32, now: Instant) -> Result<(), Instant> {
        if let Some(shut) = self.shut.filter(|shut| *shut > now) {
            return Err(shut);
        }
        while self.spent.front().is_some_and(|(at, _)| *at + self.window <= now) {
            self.spent.pop_front();
        }
        let weight = weight.min(self.most);
        let mut room = self.most.saturating_sub(self.spent.iter().map(|(_, weight)| weight).sum());
        if room >= weight {
            self.spent.push_back((now, weight));
            return Ok(());
        }
        for (at, freed) in &self.spent {
            room += freed;
            if room >= weight {
                return Err(*at + self.window);
            }
        }
        Err(now + self.window)
    }

    /// The venue wants to be left alone until then.
    pub(super) fn shut(&mut self, until: Instant) {
        self.shut = self.shut.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_comes_back_as_its_window_slides() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut budget = Budget::new((100, 60 * second));
        assert_eq!(budget.spend(50, start), Ok(()));
        assert_eq!(budget.spend(40, start + second), Ok(()));
        assert_eq!(budget.spend(40, start + 2 * second), Err(start + 60 * second));
        assert_eq!(budget.spend(70, start + 2 * second), Err(start + 61 * second));
        assert_eq!(budget.spend(40, start + 60 * second), Ok(()));
        // What could never be had is had when nothing else is.
        assert_eq!(budget.spend(1_000, start + 200 * second), Ok(()));
        budget.shut(start + 400 * second);
        assert_eq!(budget.spend(1, start + 300 * second), Err(start + 400 * second));
        assert_eq!(budget.spend(1, start + 400 * second), Ok(()));
    }
}
