//! Small tables of a session: as little memory as what is in them, for there are many sessions and most
//! of them want little.

use slab::Slab;

/// Values by key, in the order of the keys.
pub(crate) struct Index<K, V>(Vec<(K, V)>);

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy, V: Copy> Index<K, V> {
    pub(crate) fn find(&self, key: K) -> Option<V> {
        self.place(key).ok().map(|at| self.0[at].1)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(room(self.0.len()));
                }
                self.0.insert(at, (key, value));
            }
        }
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Ok(at) = self.place(key) {
            self.0.remove(at);
        }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = V> {
        self.0.iter().map(|&(_, value)| value)
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    fn place(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |&(key, _)| key)
    }
}

/// Inserts into a slab that grows by halves, from one.
pub(crate) fn insert<T>(slab: &mut Slab<T>, value: T) -> u32 {
    if slab.len() == slab.capacity() {
        slab.reserve_exact(room(slab.len()));
    }
    u32::try_from(slab.insert(value)).expect("a session wants fewer things than a number can name")
}

/// For how many more there is to be room where there are `len`.
fn room(len: usize) -> usize {
    (len / 2).max(1)
}
