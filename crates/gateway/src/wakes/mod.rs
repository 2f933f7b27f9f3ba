//! Which sessions' sockets have something to say: what their wakers write down, on any thread, for the
//! shard that serves them.

mod list;
#[cfg(test)]
mod tests;

pub(crate) use list::{Handle, Wakes};

/// What the list is made of; in a model, something that tries every order of things.
mod sync {
    pub(super) use futures_util::task::AtomicWaker;
    pub(super) use std::sync::Mutex;
    pub(super) use std::sync::atomic::AtomicBool;
}
