//! Places for connections: there may be fewer of them than are taken, and nobody has to go for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many are taken.
#[derive(Debug, Default)]
pub(crate) struct Places(AtomicUsize);

/// One of them, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    /// One more, where that makes no more than `most`.
    pub(crate) fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Place(Arc::clone(self)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_may_be_fewer_than_are_taken() {
        let places = Arc::<Places>::default();
        let three: Vec<_> = (0..4).map_while(|_| places.take(3)).collect();
        assert_eq!(three.len(), 3);
        let mut three = three.into_iter();
        assert!(places.take(2).is_none());
        three.next();
        assert!(places.take(2).is_none(), "two are left");
        three.next();
        assert!(places.take(2).is_some());
    }
}
