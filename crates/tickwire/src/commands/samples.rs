//! What `/metrics` says, in the text format of Prometheus (exposition 0.0.4), and what changed between two looks.

use std::collections::{BTreeMap, HashMap};

/// Values by the name of the metric, without what all of the plant's begin with, and by labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(HashMap<String, Vec<(Labels, f64)>>);

pub(super) type Labels = BTreeMap<String, String>;

impl Samples {
    /// Lines that are none are passed over: another version may say more than this one knows.
    pub(super) fn parse(text: &str) -> Self {
        let mut samples = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, labels, value)) = sample(line) {
                let name =
                    name.strip_prefix("tickwire").and_then(|name| name.strip_prefix('_')).unwrap_or(name);
                samples.0.entry(name.to_owned()).or_default().push((labels, value));
            }
        }
        samples
    }

    fn of(&self, name: &str) -> &[(Labels, f64)] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The sum over all labels; `None` where there is no such metric (yet).
    pub(super) fn sum(&self, name: &str) -> Option<f64> {
        let of = self.of(name);
        (!of.is_empty()).then(|| of.iter().map(|(_, value)| value).sum())
    }

    /// The sums by the value of one label.
    pub(super) fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (labels, value) in self.of(name) {
            *sums.entry(labels.get(label).cloned().unwrap_or_default()).or_default() += value;
        }
        sums
    }

    /// A label of a metric that has one series.
    pub(super) fn label(&self, name: &str, label: &str) -> Option<&str> {
        self.of(name).first()?.0.get(label).map(String::as_str)
    }

    /// The classes of a histogram, by their upper bounds: how many values are in each.
    fn classes(&self, name: &str, part: (&str, &str)) -> Vec<(f64, f64)> {
        let (label, wanted) = part;
        let mut classes: Vec<_> = self
            .of(&format!("{name}_bucket"))
            .iter()
            .filter(|(labels, _)| labels.get(label).is_some_and(|value| value == wanted))
            .filter_map(|(labels, count)| Some((bound(labels.get("le")?)?, *count)))
            .collect();
        classes.sort_by(|one, other| one.0.total_cmp(&other.0));
        // They are told as sums.
        for n in (1..classes.len()).rev() {
            classes[n].1 -= classes[n - 1].1;
        }
        classes
    }
}

/// What a histogram has counted between two looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution(Vec<(f64, f64)>);

impl Distribution {
    /// `part` is a label and its value.
    pub(super) fn between(before: &Samples, after: &Samples, name: &str, part: (&str, &str)) -> Self {
        let (before, mut classes) = (before.classes(name, part), after.classes(name, part));
        for (bound, count) in &mut classes {
            let earlier = before.iter().find(|(other, _)| other.total_cmp(bound).is_eq());
            *count = (*count - earlier.map_or(0.0, |(_, count)| *count)).max(0.0);
        }
        Self(classes)
    }

    pub(super) fn count(&self) -> f64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// The bound below which there is no telling.
    pub(super) fn least(&self) -> f64 {
        self.0.first().map_or(0.0, |(bound, _)| *bound)
    }

    /// As Prometheus tells it: evenly spread within a class; what is beyond the last bound is at that bound.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count <= 0.0 {
            return None;
        }
        let (mut below, mut lower) = (0.0, 0.0);
        for (bound, within) in &self.0 {
            if *within > 0.0 && below + within >= share * count {
                let place = ((share * count - below) / within).max(0.0);
                return Some(if bound.is_finite() { (bound - lower).mul_add(place, lower) } else { lower });
            }
            below += within;
            if bound.is_finite() {
                lower = *bound;
            }
        }
        Some(lower)
    }
}

fn bound(text: &str) -> Option<f64> {
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok() }
}

/// `name{label="value",…} value`
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    // A time may stand behind it.
    let value = value.split_whitespace().next()?;
    Some((name, labels, bound(value)?))
}

/// The labels, and what comes after them.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = &quoted[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP x y\n# TYPE x counter\n\
        tickwire_feed_events_total{feed=\"a\",kind=\"trades\"} 7\n\
        tickwire_feed_events_total{feed=\"a\",kind=\"book\"} 3\n\
        tickwire_feed_events_total{feed=\"b \\\"\\\\x\\n\",kind=\"book\"} 1 1700000000000\n\
        process_open_fds 12\nnonsense\nbroken{a=\"b 1\n\
        wait_seconds_bucket{by=\"a\",le=\"0.001\"} 10\n\
        wait_seconds_bucket{by=\"a\",le=\"0.01\"} 90\n\
        wait_seconds_bucket{by=\"a\",le=\"+Inf\"} 100\n\
        wait_seconds_bucket{by=\"b\",le=\"+Inf\"} 5\n";

    #[test]
    fn the_text_is_read() {
        let samples = Samples::parse(TEXT);
        assert_eq!(samples.sum("feed_events_total"), Some(11.0));
        assert_eq!(samples.sum("process_open_fds"), Some(12.0));
        assert_eq!(samples.sum("nonsense"), None);
        let by: Vec<_> = samples.by("feed_events_total", "feed").into_iter().collect();
        assert_eq!(by, [("a".to_owned(), 10.0), ("b \"\\x\n".to_owned(), 1.0)]);
        assert_eq!(samples.label("feed_events_total", "kind"), Some("trades"));
    }

    #[test]
    fn quantiles_are_of_what_came_between() {
        let after = Samples::parse(TEXT);
        let of = |before: &str| {
            Distribution::between(&Samples::parse(before), &after, "wait_seconds", ("by", "a"))
        };
        let all = of("");
        assert_eq!((all.count(), all.least()), (100.0, 0.001));
        let told = [0.1, 0.5, 0.9, 0.95].map(|share| all.quantile(share).unwrap());
        assert_eq!(told.map(|seconds| format!("{seconds:.4}")), ["0.0010", "0.0055", "0.0100", "0.0100"]);
        let before = "wait_seconds_bucket{by=\"a\",le=\"0.001\"} 10\n\
                      wait_seconds_bucket{by=\"a\",le=\"0.01\"} 90\n\
                      wait_seconds_bucket{by=\"a\",le=\"+Inf\"} 90\n";
        let late = of(before);
        assert_eq!((late.count(), late.quantile(0.5)), (10.0, Some(0.01)));
        assert_eq!(of(TEXT).quantile(0.5), None);
    }
}
