//! The list, and the entries that write themselves down in it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use super::sync::{AtomicBool, AtomicWaker, Mutex};

/// The list of one shard.
#[derive(Default)]
pub(crate) struct Wakes {
    woken: Mutex<Vec<usize>>,
    shard: AtomicWaker,
}

/// A session's entry: it stands in the list at most once.
struct Entry {
    key: usize,
    listed: AtomicBool,
    wakes: Arc<Wakes>,
}

/// A session's waker, with the entry behind it.
pub(crate) struct Handle {
    entry: Arc<Entry>,
    pub(crate) waker: Waker,
}

impl Wakes {
    /// The shard wants to be woken by the next entry.
    pub(crate) fn register(&self, waker: &Waker) {
        self.shard.register(waker);
    }

    /// Moves the list's entries to `woken`.
    pub(crate) fn take(&self, woken: &mut Vec<usize>) {
        woken.append(&mut self.woken.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn handle(self: &Arc<Self>, key: usize) -> Handle {
        let entry = Arc::new(Entry { key, listed: AtomicBool::new(false), wakes: Arc::clone(self) });
        Handle { waker: Waker::from(Arc::clone(&entry)), entry }
    }
}

impl Handle {
    /// The session is being looked at: what happens from now on must list it again. What a waker that
    /// found it listed has seen is seen by that look; a mere store could be overtaken by the look.
    pub(crate) fn rearm(&self) {
        self.entry.listed.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.wakes.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.key);
            self.wakes.shard.wake();
        }
    }
}
