//! What holds now and may be something else later.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A part of the settings that may become another while the server runs. Who looks has it as it is, and keeps that: it
/// is looked at once per connection, session or request. A clone is the same part.
pub struct InForce<T>(Arc<RwLock<Arc<T>>>);

impl<T> InForce<T> {
    /// As it is now.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub(crate) fn put(&self, next: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl<T> From<T> for InForce<T> {
    fn from(first: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(first))))
    }
}

impl<T> Clone for InForce<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for InForce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.now(), f)
    }
}
