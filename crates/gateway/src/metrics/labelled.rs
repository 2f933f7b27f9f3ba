//! Counters that differ in one label: made the first time that a value is counted, and not looked up by their name again.

use std::sync::{PoisonError, RwLock};

use metrics::{Counter, counter};

use super::{AUTH, LIMITED, REFUSED, REQUEST_ERRORS, REQUESTS, RESUMES};

/// Who was not let in, by why.
pub(crate) static REFUSALS: Labelled = Labelled::new(REFUSED, "reason");
/// Tokens that were looked at, by what came of it.
pub(crate) static CHECKS: Labelled = Labelled::new(AUTH, "result");
/// Bounds that were reached, by their names.
pub(crate) static BOUNDS: Labelled = Labelled::new(LIMITED, "limit");
/// Requests, by operation.
pub(crate) static ASKED: Labelled = Labelled::new(REQUESTS, "op");
/// Errors that sessions were told, by code.
pub(crate) static ERRORS: Labelled = Labelled::new(REQUEST_ERRORS, "code");
/// Streams that were resumed, by how they went on.
pub(crate) static RESUMED: Labelled = Labelled::new(RESUMES, "result");

/// Counters of one name, by the value of their label; there are few, and all are words of the program.
pub(crate) struct Labelled {
    name: &'static str,
    label: &'static str,
    known: RwLock<Vec<(&'static str, Counter)>>,
}

impl Labelled {
    const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, known: RwLock::new(Vec::new()) }
    }

    /// It has happened.
    pub(crate) fn count(&self, value: &'static str) {
        self.add(value, 1);
    }

    /// It has happened so many times.
    pub(crate) fn add(&self, value: &'static str, times: u64) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(known, _)| *known == value) {
            return counter.increment(times);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let counter = counter!(self.name, self.label => value);
        counter.increment(times);
        // Another thread may have been first: both are the same counter.
        if !known.iter().any(|(known, _)| *known == value) {
            known.push((value, counter));
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_value_is_a_series_however_often_it_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let counters = Labelled::new("fruits", "kind");
        metrics::with_local_recorder(&recorder, || {
            for value in ["apple", "pear", "apple", "apple"] {
                counters.count(value);
            }
        });
        // Where no recorder is, or another one: they go on counting for the one that they began with.
        counters.add("pear", 5);
        let text = handle.render();
        let mut series: Vec<_> = text.lines().filter(|line| line.starts_with("fruits")).collect();
        series.sort_unstable();
        assert_eq!(series, ["fruits{kind=\"apple\"} 3", "fruits{kind=\"pear\"} 6"]);
        assert_eq!(counters.known.read().unwrap().len(), 2);
    }
}
