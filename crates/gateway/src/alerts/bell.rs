//! Tells a session that alerts of its subject have happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// Rung by the hub, heard by a session. Rung many times before it is heard, it has rung once.
#[derive(Debug)]
pub(crate) struct Bell {
    rung: AtomicBool,
    waker: Mutex<Waker>,
}

impl Default for Bell {
    fn default() -> Self {
        Self { rung: AtomicBool::new(false), waker: Mutex::new(Waker::noop().clone()) }
    }
}

impl Bell {
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }

    /// Whether it has rung since it was last heard; who hears nothing is woken when it rings.
    pub(crate) fn poll_heard(&self, cx: &Context<'_>) -> bool {
        {
            let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
            waker.clone_from(cx.waker());
        }
        self.rung.swap(false, Ordering::AcqRel)
    }
}
