//! Metrics, so that a test can look at them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

#[derive(Default)]
struct Cell(AtomicU64);

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, _value: f64) {}

    fn decrement(&self, _value: f64) {}

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

type Cells = Mutex<BTreeMap<String, Arc<Cell>>>;

fn cells() -> &'static Cells {
    static CELLS: OnceLock<Cells> = OnceLock::new();
    CELLS.get_or_init(Cells::default)
}

struct Notes;

fn cell(key: &Key) -> Arc<Cell> {
    let mut labels: Vec<String> =
        key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    labels.sort();
    let name = format!("{} {}", key.name(), labels.join(" "));
    Arc::clone(cells().lock().unwrap().entry(name).or_default())
}

impl Recorder for Notes {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Counts from now on.
pub(crate) fn begin() {
    static BEGUN: OnceLock<()> = OnceLock::new();
    BEGUN.get_or_init(|| {
        metrics::set_global_recorder(Notes).unwrap_or_else(|_| panic!("there is another recorder"));
    });
}

/// All counts of a feed that are not nothing, as `metric reason=…`, without the common words.
pub(crate) fn of(feed: &str) -> BTreeMap<String, u64> {
    let label = format!("feed={feed}");
    let mut found = BTreeMap::new();
    for (name, cell) in cells().lock().unwrap().iter() {
        let (metric, labels) = name.split_once(' ').unwrap();
        if !labels.split(' ').any(|one| one == label) {
            continue;
        }
        let short = metric.trim_start_matches("tickwire_feed_").trim_end_matches("_total");
        let reason = labels.split(' ').find_map(|label| label.strip_prefix("reason=")).unwrap_or_default();
        let value = cell.0.load(Ordering::Relaxed);
        if value > 0 {
            found.insert(format!("{short} {reason}").trim().to_owned(), value);
        }
    }
    found
}
