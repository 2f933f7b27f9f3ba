//! Where in a message of JSON something is: `data.price`, `data[0].p`, `$.time` of the whole message.

use serde_json::value::RawValue;

use super::cells::{Cells, Step};
use crate::error::FeedError;

/// Stands for the whole message, where paths begin at a row of it.
const WHOLE: &str = "$";

/// A way into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// It begins at the message, not at the row.
    pub(super) is_whole: bool,
    steps: Vec<Step>,
}

impl Path {
    /// Reads a path; or says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (is_whole, rest) = match text.strip_prefix(WHOLE) {
            Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => {
                (true, rest.strip_prefix('.').unwrap_or(rest))
            }
            _ => (false, text),
        };
        if text.is_empty() {
            return Err("a path needs a key");
        }
        let mut steps = Vec::new();
        for part in rest.split('.').filter(|_| !rest.is_empty()) {
            let (key, places) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !key.is_empty() {
                steps.push(Step::Key(key.into()));
            } else if places.is_empty() || !steps.is_empty() {
                return Err("a path has keys between its points");
            }
            for place in places.split_inclusive(']') {
                let digits = place.strip_prefix('[').and_then(|place| place.strip_suffix(']'));
                let at = digits.and_then(|digits| digits.parse().ok());
                steps.push(Step::At(at.ok_or("[ ] holds a position, which is counted from 0")?));
            }
        }
        Ok(Self { is_whole, steps })
    }

    /// What stands there, `None` where nothing does. The path of no steps leads to `begin` itself, which
    /// is none of its cells.
    pub(super) fn find<'a>(&self, begin: &Cells<'a>) -> Result<Option<&'a RawValue>, FeedError> {
        let mut steps = self.steps.iter();
        let Some(mut found) = steps.next().and_then(|step| begin.get(step)) else { return Ok(None) };
        for step in steps {
            if !found.get().starts_with(['{', '[']) {
                return Ok(None);
            }
            match Cells::of(found.get())?.get(step) {
                Some(next) => found = next,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// Whether it leads nowhere but to where it begins.
    pub(super) const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_messages() {
        let text = r#"{"a":{"b":[10,[20,{"c":1.50}]]},"x.y":7,"n":null}"#;
        let whole = Cells::of(text).unwrap();
        for (path, wanted) in [
            ("a.b[0]", Some("10")),
            ("$.a.b[1][0]", Some("20")),
            ("a.b[1][1].c", Some("1.50")),
            ("a.b", Some(r#"[10,[20,{"c":1.50}]]"#)),
            ("n", Some("null")),
            ("a.b.c", None),
            ("a.b[0].c", None),
            ("a.b[9]", None),
            ("z", None),
        ] {
            let found = Path::parse(path).unwrap().find(&whole).unwrap().map(RawValue::get);
            assert_eq!(found, wanted, "{path}");
        }
        assert!(Path::parse("$").unwrap().is_whole && Path::parse("$").unwrap().is_empty());
        assert!(!Path::parse("$x").unwrap().is_whole);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".a", "a..b", "a.", "a[", "a[x]", "a[-1]", "a[0]b", "a.[0]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
