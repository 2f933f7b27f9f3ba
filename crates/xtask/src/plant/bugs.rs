//! The list of bugs, and what each does to a text.

use crate::step::Done;

/// See the file itself for its form.
const LIST: &str = include_str!("../../bugs.txt");

/// One line of a source, as it should not be.
#[derive(Debug)]
pub(crate) struct Bug {
    pub(crate) name: String,
    /// From the top folder.
    pub(crate) file: String,
    text: String,
    instead: String,
    /// What follows `cargo test`.
    pub(crate) test: String,
}

/// All of them.
pub(crate) fn listed() -> Done<Vec<Bug>> {
    let blocks = LIST.split("\n\n").filter(|block| !block.starts_with('#'));
    blocks.map(|block| Bug::parse(block).ok_or_else(|| format!("not a bug: {block}"))).collect()
}

impl Bug {
    fn parse(block: &str) -> Option<Self> {
        let mut lines = block.lines().map(str::to_owned);
        let mut next = |mark: &str| Some(lines.next()?.strip_prefix(mark)?.trim_start().to_owned());
        let (name, file, text) = (next("")?, next("in ")?, next("- ")?);
        Some(Self { name, file, text, instead: next("+")?, test: next("test ")? })
    }

    /// A source with the bug in it.
    ///
    /// # Errors
    /// The text is not there, or more than once.
    pub(crate) fn plant(&self, source: &str) -> Done<String> {
        match source.matches(&self.text).count() {
            1 => Ok(source.replacen(&self.text, &self.instead, 1)),
            count => Err(format!("{}: its text stands {count} times in {}", self.name, self.file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::step::top;

    /// So that the list does not rot while nobody plants.
    #[test]
    fn each_can_be_planted() {
        let bugs = listed().unwrap();
        let names: BTreeSet<_> = bugs.iter().map(|bug| &bug.name).collect();
        assert!(names.len() == bugs.len() && bugs.len() >= 12, "{names:?}");
        for bug in &bugs {
            let source = fs::read_to_string(top().join(&bug.file)).unwrap();
            assert_ne!(bug.plant(&source).unwrap(), source, "{}", bug.name);
        }
    }
}
