//! A capture, read whole: what was received, in order, with the market it belongs to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ingest::capture::{Format, Input, InputError, Line, Lines, ReadError};

use crate::venue::{self, Sub, Venue};

/// A capture, ready to be played.
pub struct Script {
    pub(crate) feed: String,
    pub(crate) venue: Box<dyn Venue>,
    pub(crate) steps: Vec<Step>,
    /// When it begins, in milliseconds since the epoch.
    pub(crate) began: u64,
    /// What it holds.
    pub(crate) subs: BTreeSet<Sub>,
    /// Connections and their addresses, for the normaliser.
    pub(crate) conns: Vec<(String, String)>,
    /// Levels of its books, where a client must ask for as many.
    pub(crate) depth: Option<usize>,
}

/// One thing that was received.
pub(crate) struct Step {
    /// Nanoseconds since the first.
    pub(crate) at: u64,
    pub(crate) conn: String,
    pub(crate) what: What,
}

pub(crate) enum What {
    Frame { text: String, sub: Option<Sub> },
    Answer { url: String, body: String },
}

/// Why a capture cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A venue that is not emulated.
    #[error("{0:?} is not emulated; {known} are", known = ingest::live::LIVE_FEEDS.join(", "))]
    Feed(String),
    /// A file cannot be opened.
    #[error("{}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: InputError,
    },
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: ReadError,
    },
    /// There is nothing in it.
    #[error("nothing in its files is a message of {0:?}: is the feed the right one?")]
    Nothing(String),
}

impl Script {
    /// Reads captures of one session.
    ///
    /// # Errors
    /// The venue is not emulated, a file cannot be read, or says nothing of the venue.
    pub fn load(feed: &str, files: &[impl AsRef<Path>]) -> Result<Self, ScriptError> {
        let mut script = Self::empty(feed)?;
        for path in files {
            script.read(path.as_ref())?;
        }
        script.finish()
    }

    /// A capture out of messages: time in nanoseconds, connection, text.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of(feed: &str, frames: impl IntoIterator<Item = (u64, String)>) -> Result<Self, ScriptError> {
        let mut script = Self::empty(feed)?;
        for (at, text) in frames {
            script.frame(at, String::new(), text);
        }
        script.finish()
    }

    fn empty(feed: &str) -> Result<Self, ScriptError> {
        let venue = venue::of(feed).ok_or_else(|| ScriptError::Feed(feed.to_owned()))?;
        Ok(Self {
            feed: feed.to_owned(),
            venue,
            steps: Vec::new(),
            began: 0,
            subs: BTreeSet::new(),
            conns: Vec::new(),
            depth: None,
        })
    }

    fn read(&mut self, path: &Path) -> Result<(), ScriptError> {
        let input = Input::open(path).map_err(|error| ScriptError::Open { path: path.to_owned(), error })?;
        let (mut lines, mut format, mut newest) = (Lines::new(input), None, 0);
        loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(ReadError::TooLong) => continue,
                Err(error) => return Err(ScriptError::Read { path: path.to_owned(), error }),
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let format = Format::settle(&mut format, line);
            // What is broken in a capture was not the venue's.
            let Ok(line) = format.read(line) else { continue };
            match line {
                Line::Frame { conn, text, at } => {
                    // Without times, ten messages a second.
                    newest = at.map_or(newest + 100_000_000, |at| at.0).max(newest);
                    self.frame(newest, conn.into_owned(), text.into_owned());
                }
                Line::Answer { url, body, .. } => {
                    let what = What::Answer { url: url.into_owned(), body: body.into_owned() };
                    self.steps.push(Step { at: newest, conn: String::new(), what });
                }
                Line::Connected { conn, addr, .. } => {
                    self.conns.push((conn.into_owned(), addr.into_owned()));
                }
                _ => {}
            }
        }
    }

    fn frame(&mut self, at: u64, conn: String, text: String) {
        // Whoever changes a message finds its keys as venues write them.
        let text = without_space(text);
        let sub = self.venue.sub_of(&text).map(|sub| {
            let addr = self.conns.iter().rev().find(|(name, _)| *name == conn);
            Sub { market: addr.map(|(_, addr)| self.venue.market_of(addr)).unwrap_or_default(), ..sub }
        });
        self.steps.push(Step { at, conn, what: What::Frame { text, sub } });
    }

    fn finish(mut self) -> Result<Self, ScriptError> {
        // Connections written one after the other are played as they were.
        self.steps.sort_by_key(|step| step.at);
        let first = self.steps.iter().map(|step| step.at).find(|at| *at > 0).unwrap_or(0);
        self.began = first / 1_000_000;
        for step in &mut self.steps {
            step.at = step.at.saturating_sub(first);
        }
        for step in &self.steps {
            let What::Frame { sub: Some(sub), text } = &step.what else { continue };
            self.subs.insert(sub.clone());
            self.depth = self.depth.max(self.venue.depth_of(text));
        }
        if self.subs.is_empty() {
            return Err(ScriptError::Nothing(self.feed));
        }
        Ok(self)
    }

    /// The instruments in it, as the venue writes them.
    #[must_use]
    pub fn symbols(&self) -> Vec<String> {
        let symbols: BTreeSet<&String> = self.subs.iter().map(|sub| &sub.symbol).collect();
        symbols.into_iter().cloned().collect()
    }
}

/// JSON without the space between its parts, which says nothing; texts in it are as they were.
fn without_space(mut text: String) -> String {
    let (mut is_inside, mut is_escaped) = (false, false);
    text.retain(|c| {
        let before = (is_inside, is_escaped);
        is_escaped = is_inside && c == '\\' && !is_escaped;
        is_inside ^= c == '"' && !before.1;
        before.0 || !c.is_ascii_whitespace()
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_between_the_parts_of_a_message_goes() {
        let written = "{ \"a b\" : [1.50, \"c \\\" : d\"],\n\t\"e\": \"\\\\\" , \"f\": 2 }\n";
        let kept = "{\"a b\":[1.50,\"c \\\" : d\"],\"e\":\"\\\\\",\"f\":2}";
        assert_eq!(without_space(written.to_owned()), kept);
        assert_eq!(without_space(kept.to_owned()), kept);
    }
}
