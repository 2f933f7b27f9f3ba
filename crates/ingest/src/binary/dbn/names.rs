//! Which instrument a record is about: numbers change their meaning from day to day.

use std::collections::{HashMap, HashSet};

use model::UnixNanos;

use super::metadata::Named;
use crate::error::FeedError;

/// Names of numbers, as the file's header, records of mapping and definitions give them.
#[derive(Default)]
pub(super) struct Names {
    dated: HashMap<u32, Vec<Named>>,
    told: HashMap<u32, Told>,
}

/// A name out of a record, good from there on.
struct Told {
    name: String,
    /// A mapping is meant; a definition only says what the exchange calls it.
    mapped: bool,
}

impl Names {
    /// Another file with a header of its own.
    pub(super) fn open(&mut self, names: Vec<Named>) {
        self.dated.clear();
        // A name that stands for several numbers at a time is that of a group, and none of theirs.
        let mut by_name: HashMap<&str, Vec<&Named>> = HashMap::new();
        for named in &names {
            by_name.entry(&named.name).or_default().push(named);
        }
        let groups: HashSet<String> = by_name
            .into_iter()
            .filter_map(|(name, mut all)| {
                all.sort_by_key(|named| (named.from, named.to));
                let several = all.windows(2).any(|two| two[0].id != two[1].id && two[1].from < two[0].to);
                several.then(|| name.to_owned())
            })
            .collect();
        for named in names.into_iter().filter(|named| !groups.contains(&named.name)) {
            self.dated.entry(named.id).or_default().push(named);
        }
    }

    /// A record says what a number means. Whether that is news.
    pub(super) fn tell(&mut self, id: u32, name: &str, mapped: bool) -> bool {
        match self.told.get(&id) {
            _ if name.is_empty() => false,
            Some(known) if known.name == name || (known.mapped && !mapped) => false,
            _ => {
                self.told.insert(id, Told { name: name.to_owned(), mapped });
                true
            }
        }
    }

    /// The name of a number at a time, and from when to when that holds: the number itself where none is known.
    pub(super) fn at(&self, id: u32, at: UnixNanos) -> (String, (UnixNanos, UnixNanos)) {
        let dated = self.dated.get(&id).map(Vec::as_slice).unwrap_or_default();
        if let Some(named) = dated.iter().find(|named| (named.from..named.to).contains(&at)) {
            return (named.name.clone(), (named.from, named.to));
        }
        // Outside of all of them until the nearest that begins.
        let ended = dated.iter().map(|named| named.to).filter(|&to| to <= at).max().unwrap_or_default();
        let begins = dated.iter().map(|named| named.from).filter(|&from| from > at).min();
        let name = self.told.get(&id).map_or_else(|| id.to_string(), |told| told.name.clone());
        (name, (ended, begins.unwrap_or(UnixNanos(u64::MAX))))
    }
}

/// The number that is asked about again and again, and the listings of all others.
#[derive(Default)]
pub(super) struct Cache {
    last: Option<((u16, u32), Found)>,
    all: HashMap<(u16, u32), Found>,
}

/// A listing, and when the number means it.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) listing: usize,
    pub(super) from: UnixNanos,
    pub(super) to: UnixNanos,
}

impl Cache {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline]
    pub(super) fn find(
        &mut self,
        key: (u16, u32),
        at: UnixNanos,
        look: impl FnOnce() -> Result<Found, FeedError>,
    ) -> Result<usize, FeedError> {
        let holds = |found: &Found| found.from <= at && at < found.to;
        if let Some((known, found)) = &self.last
            && *known == key
            && holds(found)
        {
            return Ok(found.listing);
        }
        let found = match self.all.get(&key) {
            Some(found) if holds(found) => *found,
            _ => {
                let found = look()?;
                self.all.insert(key, found);
                found
            }
        };
        self.last = Some((key, found));
        Ok(found.listing)
    }
}
