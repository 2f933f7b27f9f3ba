//! What was looked at, what was seen, and what to do about it.

use serde::Serialize;

use crate::commands::paint::{Ink, Line};

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Ok,
    /// It could not be told here.
    Unknown,
    /// A server runs, and something is not as it should be.
    Warn,
    /// A server does not start, or does not serve.
    Fail,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) area: &'static str,
    pub(super) name: String,
    pub(super) level: Level,
    /// What was seen.
    pub(super) seen: String,
    /// What to change: a key with its value, or a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

/// What was looked at in one area.
pub(super) struct Checks {
    area: &'static str,
    pub(super) list: Vec<Check>,
}

impl Checks {
    pub(super) const fn of(area: &'static str) -> Self {
        Self { area, list: Vec::new() }
    }

    pub(super) fn ok(&mut self, name: impl Into<String>, seen: impl Into<String>) {
        self.add(Level::Ok, name, seen, None);
    }

    pub(super) fn unknown(&mut self, name: impl Into<String>, seen: impl Into<String>) {
        self.add(Level::Unknown, name, seen, None);
    }

    pub(super) fn warn(
        &mut self,
        name: impl Into<String>,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(Level::Warn, name, seen, Some(advice.into()));
    }

    pub(super) fn fail(
        &mut self,
        name: impl Into<String>,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(Level::Fail, name, seen, Some(advice.into()));
    }

    /// Where a machine for many is looked for, or one for a trial.
    pub(super) fn add(
        &mut self,
        level: Level,
        name: impl Into<String>,
        seen: impl Into<String>,
        advice: Option<String>,
    ) {
        self.list.push(Check { area: self.area, name: name.into(), level, seen: seen.into(), advice });
    }
}

/// How wide names are.
const NAME: usize = 20;

impl Check {
    pub(super) fn lines(&self) -> Vec<Line> {
        let (ink, word) = match self.level {
            Level::Ok => (Ink::Good, "ok"),
            Level::Unknown => (Ink::Faint, "unknown"),
            Level::Warn => (Ink::Warn, "warn"),
            Level::Fail => (Ink::Bad, "fail"),
        };
        let mut line = Line::of(ink, format!("  {word:<8}")).and(Ink::Strong, &self.name);
        line.pad_to(10 + NAME);
        let mut seen = self.seen.lines();
        let first = seen.next().unwrap_or_default();
        let mut lines = vec![line.and(Ink::Plain, format!(" {first}"))];
        let space = " ".repeat(11 + NAME);
        lines.extend(seen.map(|rest| Line::of(Ink::Plain, format!("{space}{rest}"))));
        let advice = self.advice.as_deref().unwrap_or_default().lines();
        lines.extend(
            advice.map(|advice| Line::of(Ink::Plain, &space).and(Ink::Faint, "→ ").and(Ink::Plain, advice)),
        );
        lines
    }
}
