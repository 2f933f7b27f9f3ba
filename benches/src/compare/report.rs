//! What was found, for people and as JSON.

use std::fmt;
use std::process::Command;

use load::now;
use serde_json::{Map, Value, json};

use super::scene::{Figure, Scene};
use crate::subject::Entry;

/// A server in a scene.
struct Row {
    scene: Scene,
    server: &'static str,
    what: &'static str,
    /// Medians of the rounds.
    figures: Vec<Figure>,
    rounds: Vec<Vec<Figure>>,
    /// Why a round could not be had.
    missed: Option<String>,
}

pub(super) struct Report {
    rows: Vec<Row>,
    facts: Map<String, Value>,
}

impl Report {
    /// Notes where and when this is.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let processor = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let facts = json!({
            "date": now().to_string(),
            "commit": commit(),
            "cores": std::thread::available_parallelism()?.get(),
            "processor": model.trim_start_matches([' ', '\t', ':']),
            "kernel": kernel.trim(),
        });
        Ok(Self { rows: Vec::new(), facts: facts.as_object().cloned().unwrap_or_default() })
    }

    pub(super) fn note(&mut self, name: &str, value: Value) {
        self.facts.insert(name.to_owned(), value);
    }

    /// Adds what a server came to in a round.
    pub(super) fn add(&mut self, scene: Scene, server: &Entry, found: Result<Vec<Figure>, String>) {
        let known = self.rows.iter().position(|row| row.scene == scene && row.server == server.name);
        let at = known.unwrap_or_else(|| {
            let (server, what) = (server.name, server.what);
            let (figures, rounds, missed) = (Vec::new(), Vec::new(), None);
            self.rows.push(Row { scene, server, what, figures, rounds, missed });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        match found {
            Ok(figures) => row.rounds.push(figures),
            Err(reason) => row.missed = Some(reason),
        }
        row.figures = medians(&row.rounds);
    }

    /// The first figure in terms of that of the floor.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let is_base = |known: &&Row| known.scene == row.scene && known.server == row.scene.base();
        let base = self.rows.iter().find(is_base)?;
        Some(row.figures.first()?.value / base.figures.first()?.value)
    }

    pub(super) fn json(&self) -> Value {
        let object = |figures: &Vec<Figure>| -> Map<_, _> {
            figures.iter().map(|figure| (figure.name.to_owned(), json!(figure.value))).collect()
        };
        let rows = self.rows.iter().map(|row| {
            json!({
                "scene": row.scene.name(),
                "server": row.server,
                "figures": object(&row.figures),
                "rounds": row.rounds.iter().map(object).collect::<Vec<_>>(),
                "ratio": self.ratio(row),
                "missed": row.missed,
            })
        });
        json!({"facts": self.facts, "rows": rows.collect::<Vec<_>>()})
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, scene: Scene) -> fmt::Result {
        let rows = || self.rows.iter().filter(|row| row.scene == scene);
        let Some(first) = rows().find(|row| !row.figures.is_empty()) else { return Ok(()) };
        let more = if scene.more_is_better() { "more" } else { "less" };
        writeln!(f, "\n{}: {}\n", scene.name(), scene.title())?;
        let names: Vec<_> = first.figures.iter().map(|figure| figure.name).collect();
        writeln!(f, "| server | {} | × {} ({more} is better) |", names.join(" | "), scene.base())?;
        writeln!(f, "|---|{}---|", "---|".repeat(names.len()))?;
        for row in rows().filter(|row| !row.figures.is_empty()) {
            let values: Vec<_> = row.figures.iter().map(|figure| shown(figure.value)).collect();
            let ratio = self.ratio(row).map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(f, "| {} | {} | {ratio} |", row.what, values.join(" | "))?;
        }
        for row in rows() {
            if let Some(reason) = &row.missed {
                writeln!(f, "\n{}: {reason}", row.what)?;
            }
        }
        Ok(())
    }
}

/// Of each figure the median of the rounds; of an even number the lower one of the middle.
fn medians(rounds: &[Vec<Figure>]) -> Vec<Figure> {
    let Some(first) = rounds.first() else { return Vec::new() };
    let median = |(at, figure): (usize, &Figure)| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[at].value).collect();
        values.sort_by(f64::total_cmp);
        Figure { value: values[(values.len() - 1) / 2], ..*figure }
    };
    first.iter().enumerate().map(median).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.facts {
            writeln!(f, "{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))?;
        }
        for scene in Scene::ALL {
            self.table(f, scene)?;
        }
        Ok(())
    }
}

/// Three digits that mean something.
fn shown(value: f64) -> String {
    match value {
        value if value.abs() < 0.001 => "0".to_owned(),
        value if value.abs() < 10.0 => format!("{value:.2}"),
        value if value.abs() < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}
