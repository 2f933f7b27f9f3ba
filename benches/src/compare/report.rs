//! What was found, for people and as JSON.

use std::fmt;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::scene::{Figure, Scene};
use crate::schedule::now;

pub(super) struct Row {
    pub(super) scene: Scene,
    pub(super) server: &'static str,
    pub(super) what: &'static str,
    pub(super) figures: Vec<Figure>,
}

pub(super) struct Report {
    rows: Vec<(Row, Option<String>)>,
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

    pub(super) fn add(&mut self, row: Row) {
        self.rows.push((row, None));
    }

    /// A row that could not be had.
    pub(super) fn miss(&mut self, row: Row, reason: &str) {
        self.rows.push((row, Some(reason.to_owned())));
    }

    /// The first figure in terms of that of the floor.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let is_base = |known: &&(Row, _)| known.0.scene == row.scene && known.0.server == row.scene.base();
        let (base, _) = self.rows.iter().find(is_base)?;
        Some(row.figures.first()?.value / base.figures.first()?.value)
    }

    pub(super) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(row, missed)| {
            let figures: Map<_, _> =
                row.figures.iter().map(|figure| (figure.name.to_owned(), json!(figure.value))).collect();
            json!({
                "scene": row.scene.name(),
                "server": row.server,
                "figures": figures,
                "ratio": self.ratio(row),
                "missed": missed,
            })
        });
        json!({"facts": self.facts, "rows": rows.collect::<Vec<_>>()})
    }

    fn table(
        &self,
        f: &mut fmt::Formatter<'_>,
        scene: Scene,
        rows: &[&(Row, Option<String>)],
    ) -> fmt::Result {
        let Some((first, _)) = rows.iter().find(|(_, missed)| missed.is_none()) else { return Ok(()) };
        let more = if scene.more_is_better() { "more" } else { "less" };
        writeln!(f, "\n{}: {}\n", scene.name(), scene.title())?;
        let names: Vec<_> = first.figures.iter().map(|figure| figure.name).collect();
        writeln!(f, "| server | {} | × {} ({more} is better) |", names.join(" | "), scene.base())?;
        writeln!(f, "|---|{}---|", "---|".repeat(names.len()))?;
        for (row, missed) in rows {
            if missed.is_some() {
                continue;
            }
            let values: Vec<_> = row.figures.iter().map(|figure| shown(figure.value)).collect();
            let ratio = self.ratio(row).map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(f, "| {} | {} | {ratio} |", row.what, values.join(" | "))?;
        }
        for (row, missed) in rows {
            if let Some(reason) = missed {
                writeln!(f, "\n{}: {reason}", row.what)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.facts {
            writeln!(f, "{name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))?;
        }
        for scene in Scene::ALL {
            let rows: Vec<_> = self.rows.iter().filter(|(row, _)| row.scene == scene).collect();
            self.table(f, scene, &rows)?;
        }
        Ok(())
    }
}

/// Three digits that mean something.
fn shown(value: f64) -> String {
    match value {
        value if value == 0.0 => "0".to_owned(),
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
