//! Who is still there, as Engine.IO asks it. Pure: time comes in.

use std::time::Duration;
use tokio::time::Instant;

/// The server asks, the client answers, and after a while the server asks again.
pub(super) struct Heart {
    interval: Duration,
    patience: Duration,
    next: Next,
}

#[derive(Clone, Copy)]
enum Next {
    Ping(Instant),
    /// The answer must have come by then.
    Pong(Instant),
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Ping,
    /// There is nobody any more.
    Stopped,
}

impl Heart {
    pub(super) fn new(interval: Duration, patience: Duration, now: Instant) -> Self {
        Self { interval, patience, next: Next::Ping(now + interval) }
    }

    /// Input: the client answered.
    pub(super) fn handle_pong(&mut self, now: Instant) {
        if let Next::Pong(_) = self.next {
            self.next = Next::Ping(now + self.interval);
        }
    }

    /// Output: when [`Self::handle_timeout`] has something to say.
    pub(super) const fn poll_timeout(&self) -> Instant {
        match self.next {
            Next::Ping(at) | Next::Pong(at) => at,
        }
    }

    /// Input: time passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Beat> {
        match self.next {
            Next::Ping(at) if now >= at => {
                self.next = Next::Pong(now + self.patience);
                Some(Beat::Ping)
            }
            Next::Pong(by) if now >= by => Some(Beat::Stopped),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_gone() {
        const MS: Duration = Duration::from_millis(1);
        let began = Instant::now();
        let mut heart = Heart::new(MS * 300, MS * 200, began);
        // An answer to nothing puts nothing off.
        heart.handle_pong(began + MS * 100);
        assert_eq!(heart.handle_timeout(began + MS * 299), None);
        for beat in 1..=3 {
            let now = began + MS * 300 * beat;
            assert_eq!(heart.poll_timeout(), now);
            assert_eq!((heart.handle_timeout(now), heart.handle_timeout(now)), (Some(Beat::Ping), None));
            heart.handle_pong(now);
        }
        assert_eq!(heart.handle_timeout(began + MS * 1_200), Some(Beat::Ping));
        assert_eq!(heart.handle_timeout(began + MS * 1_399), None);
        assert_eq!(heart.poll_timeout(), began + MS * 1_400);
        assert_eq!(heart.handle_timeout(began + MS * 1_400), Some(Beat::Stopped));
    }
}
