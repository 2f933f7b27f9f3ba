//! Where in a message of JSON something is: `data.price`, `data[0].p`, `$.time` of the whole message.

use serde_json::value::RawValue;

use super::cells::{Cells, Step};
use crate::error::FeedError;

/// Stands for the whole message, where paths begin at a row of it.
const WHOLE: &str = "$";
/// Stands for what the list of rows is in.
const AROUND: &str = "^";
/// Each element of a list, in the path of rows.
const EACH: &str = "[]";

/// A way into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) begin: Begin,
    steps: Vec<Step>,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Row,
    /// What the list of rows is in: the message, or an element of a list in it.
    Around,
    Whole,
}

/// Where a path may begin.
#[derive(Clone, Copy)]
pub(super) struct Places<'p, 'a> {
    pub(super) row: &'p Cells<'a>,
    pub(super) around: &'p Cells<'a>,
    pub(super) whole: &'p Cells<'a>,
}

impl<'p, 'a> Places<'p, 'a> {
    /// A message that is a row itself.
    pub(super) const fn of(whole: &'p Cells<'a>) -> Self {
        Self { row: whole, around: whole, whole }
    }

    pub(super) const fn at(self, begin: Begin) -> &'p Cells<'a> {
        match begin {
            Begin::Row => self.row,
            Begin::Around => self.around,
            Begin::Whole => self.whole,
        }
    }
}

impl Path {
    /// Reads the path of rows, in parts: a list is read through between two of them.
    pub(super) fn parse_rows(text: &str) -> Result<Vec<Self>, &'static str> {
        let part = |(n, part): (usize, &str)| {
            Self::parse(if n == 0 {
                part
            } else {
                part.strip_prefix('.').ok_or("a point stands behind []")?
            })
        };
        text.split(EACH).enumerate().map(part).collect()
    }

    /// Reads a path; or says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let from = |mark: &str| {
            let rest = text.strip_prefix(mark).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            rest.map(|rest| rest.strip_prefix('.').unwrap_or(rest))
        };
        let (begin, rest) = match (from(WHOLE), from(AROUND)) {
            (Some(rest), _) => (Begin::Whole, rest),
            (_, Some(rest)) => (Begin::Around, rest),
            (None, None) => (Begin::Row, text),
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
        Ok(Self { begin, steps })
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
        for (text, begin) in
            [("$", Begin::Whole), ("^.a", Begin::Around), ("$x", Begin::Row), ("^x", Begin::Row)]
        {
            assert_eq!(Path::parse(text).unwrap().begin, begin, "{text}");
        }
        assert_eq!(Path::parse_rows("a.b[].c[0]").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".a", "a..b", "a.", "a[", "a[x]", "a[-1]", "a[0]b", "a.[0]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
        for text in ["a[]", "a[]b", "[].b", "a[][].b"] {
            assert!(Path::parse_rows(text).is_err(), "{text}");
        }
    }
}
