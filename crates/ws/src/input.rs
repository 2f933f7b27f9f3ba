//! What was read and not yet decoded.

/// Bytes that were read, and how far they have been taken. They are unmasked where they are.
#[derive(Debug)]
pub struct Input<'a>(&'a mut [u8]);

impl<'a> Input<'a> {
    /// All of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    #[must_use]
    pub const fn rest(&self) -> &[u8] {
        self.0
    }

    /// Takes up to `count` bytes off the front.
    pub(crate) fn take(&mut self, count: usize) -> &'a mut [u8] {
        let count = count.min(self.0.len());
        let (front, rest) = std::mem::take(&mut self.0).split_at_mut(count);
        self.0 = rest;
        front
    }

    /// Drops what is left.
    pub(crate) const fn clear(&mut self) {
        self.0 = &mut [];
    }
}
