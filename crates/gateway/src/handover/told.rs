//! What is sequenced, on its way to a successor.
//!
//! Bounded by events. A successor that is slower is cut off, and knows: only who was told of the end has all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::EVENTS_MAX;
use crate::queue::Events;

/// Where events go in.
pub(crate) struct Teller {
    words: mpsc::Sender<Told>,
    queued: Arc<AtomicUsize>,
}

/// Where they come out.
pub(super) struct Listener {
    words: mpsc::Receiver<Told>,
    queued: Arc<AtomicUsize>,
}

/// What is told.
pub(super) enum Told {
    Events(Events),
    /// Nothing more is sequenced.
    End,
}

/// Nothing more comes, and that was not the end.
pub(super) struct CutOff;

pub(super) fn line() -> (Teller, Listener) {
    let (sender, words) = mpsc::channel();
    let queued = Arc::<AtomicUsize>::default();
    (Teller { words: sender, queued: Arc::clone(&queued) }, Listener { words, queued })
}

impl Teller {
    /// False where there is nobody any more, or one that is too slow.
    pub(crate) fn tell(&self, events: &Events) -> bool {
        let before = self.queued.fetch_add(events.len(), Ordering::Relaxed);
        if before + events.len() > EVENTS_MAX {
            tracing::error!("whoever was to take over is too slow for that");
            return false;
        }
        self.words.send(Told::Events(Arc::clone(events))).is_ok()
    }

    /// All was told.
    pub(crate) fn end(self) {
        // Who has gone need not know.
        let _ = self.words.send(Told::End);
    }
}

impl Listener {
    /// The next word; `None` where none comes in this time.
    pub(super) fn next(&self, patience: Duration) -> Result<Option<Told>, CutOff> {
        match self.words.recv_timeout(patience) {
            Ok(told) => {
                if let Told::Events(events) = &told {
                    self.queued.fetch_sub(events.len(), Ordering::Relaxed);
                }
                Ok(Some(told))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(CutOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::Feed;

    #[test]
    fn only_who_was_told_of_the_end_has_all() {
        let mut feed = Feed::default();
        let events: Events = (0..EVENTS_MAX / 2).map(|_| feed.event('q', "A")).collect();
        let (teller, listener) = line();
        assert!(teller.tell(&events) && teller.tell(&events));
        assert!(!teller.tell(&events), "one that does not listen");
        drop(teller);
        for _ in 0..2 {
            assert!(matches!(listener.next(Duration::ZERO), Ok(Some(Told::Events(_)))));
        }
        assert!(listener.next(Duration::ZERO).is_err(), "cut off");

        let (teller, listener) = line();
        for _ in 0..5 {
            assert!(teller.tell(&events));
            assert!(matches!(listener.next(Duration::ZERO), Ok(Some(Told::Events(_)))));
        }
        assert!(matches!(listener.next(Duration::ZERO), Ok(None)));
        teller.end();
        assert!(matches!(listener.next(Duration::ZERO), Ok(Some(Told::End))));
    }
}
