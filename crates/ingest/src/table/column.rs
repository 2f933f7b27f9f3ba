//! Which cell of a row a mapping means, and the words that it may hold.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::cells::Step;

/// Stands for the number of a level in the name of its column, and as two digits.
const LEVEL: &str = "{n}";
const LEVEL_2: &str = "{nn}";

/// As much is shown of the names of a file's columns.
const SHOWN_CHARS_MAX: usize = 1_000;

/// A text of a file for a message: what a terminal would obey is written out.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Columns that a row may have at most.
pub(super) const COLUMNS_MAX: usize = 65_536;

/// A column: by its name, by its position, or the first of several that the file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column(Vec<Name>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// From 0, though people count from 1.
    At(usize),
    Called(Box<str>),
}

/// The names of a file's columns, where it has some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names(pub(super) Vec<Box<str>>);

impl Names {
    /// Where the column of this name is, whatever its capitals, spaces and marks: `Trade ID` is `trade_id`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.0.iter().position(|known| **known == *name);
        let capitals = || self.0.iter().position(|known| known.eq_ignore_ascii_case(name));
        exact.or_else(capitals).or_else(|| self.0.iter().position(|known| is_same(known, name)))
    }

    /// For messages.
    pub(super) fn list(&self) -> String {
        let list = shown(&self.0.join(", "));
        match list.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((at, _)) => format!("{}…", &list[..at]),
            None => list,
        }
    }
}

/// Whether two names of columns differ in capitals, spaces, `_` and `-` alone.
fn is_same(one: &str, other: &str) -> bool {
    let letters = |name: &'_ str| {
        let bytes = name.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-'));
        bytes.map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    let found = letters(one);
    !found.is_empty() && found == letters(other)
}

impl Column {
    /// The position, from 0, in a file that has these names. Names come before positions: a file that
    /// has names is taken at its word.
    pub(super) fn find(&self, names: &Names) -> Option<usize> {
        self.named(names).or_else(|| {
            self.0.iter().find_map(|name| match name {
                Name::At(at) => Some(*at),
                Name::Called(_) => None,
            })
        })
    }

    /// As [`Self::find`], by name only.
    pub(super) fn named(&self, names: &Names) -> Option<usize> {
        self.0.iter().find_map(|name| match name {
            Name::At(_) => None,
            Name::Called(name) => names.find(name),
        })
    }

    /// Whether it stands for the columns of all levels: `bids[{n}].price`, `bid_px_{nn}`.
    pub(super) fn has_level(&self) -> bool {
        self.0
            .iter()
            .any(|name| matches!(name, Name::Called(name) if name.contains(LEVEL) || name.contains(LEVEL_2)))
    }

    /// A column by its name.
    pub(super) fn called(name: &str) -> Self {
        Self(vec![Name::Called(name.into())])
    }

    /// The paths that it may mean in messages: names are paths, positions places in a list.
    pub(super) fn paths(&self) -> Vec<String> {
        let path = |name: &Name| match name {
            Name::At(at) => format!("[{at}]"),
            Name::Called(name) => name.to_string(),
        };
        self.0.iter().map(path).collect()
    }

    /// The steps that it may mean in a list or an object of JSON.
    pub(super) fn steps(&self) -> Vec<Step> {
        let step = |name: &Name| match name {
            Name::At(at) => Step::At(*at),
            Name::Called(name) => Step::Key(name.clone()),
        };
        self.0.iter().map(step).collect()
    }

    /// The column of one level.
    pub(super) fn level(&self, level: usize) -> Self {
        let of_level = |name: &Name| match name {
            Name::At(at) => Name::At(*at),
            Name::Called(name) => {
                let text = name.replace(LEVEL_2, &format!("{level:02}")).replace(LEVEL, &level.to_string());
                Name::Called(text.into())
            }
        };
        Self(self.0.iter().map(of_level).collect())
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.0.iter().enumerate() {
            let or = if n > 0 { " or " } else { "" };
            match name {
                Name::At(at) => write!(f, "{or}{}", at + 1)?,
                Name::Called(name) => write!(f, "{or}{name:?}")?,
            }
        }
        Ok(())
    }
}

/// Something that a mapping may write as a column alone, or as a table with more to say.
pub(super) trait Short: From<Column> {
    type Table: for<'de> Deserialize<'de>;

    /// What the table says; or why it says nothing that can be.
    fn of(table: Self::Table) -> Result<Self, &'static str>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlyColumn {
    column: Column,
}

impl Short for Column {
    type Table = OnlyColumn;

    fn of(table: OnlyColumn) -> Result<Self, &'static str> {
        Ok(table.column)
    }
}

/// Reads a column, or the table in its place.
pub(super) fn short<'de, D: Deserializer<'de>, T: Short>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ShortVisitor(PhantomData))
}

struct ShortVisitor<T>(PhantomData<T>);

impl<'de, T: Short> Visitor<'de> for ShortVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column: its name, its position from 1, a list of these, or a table with column = …")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        Ok(Column(vec![called(name)?]).into())
    }

    fn visit_i64<E: Error>(self, position: i64) -> Result<T, E> {
        Ok(Column(vec![at(position)?]).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element::<Name>()? {
            names.push(name);
        }
        if names.is_empty() {
            return Err(A::Error::invalid_length(0, &self));
        }
        Ok(Column(names).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of(T::Table::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
    }
}

fn called<E: Error>(name: &str) -> Result<Name, E> {
    if name.is_empty() {
        return Err(E::custom("a column needs a name"));
    }
    Ok(Name::Called(name.into()))
}

fn at<E: Error>(position: i64) -> Result<Name, E> {
    let at = usize::try_from(position).ok().filter(|at| (1..=COLUMNS_MAX).contains(at));
    let expected = "a column's position, which is counted from 1";
    at.map(|at| Name::At(at - 1)).ok_or_else(|| E::invalid_value(Unexpected::Signed(position), &expected))
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, or its position from 1")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                called(name)
            }

            fn visit_i64<E: Error>(self, position: i64) -> Result<Name, E> {
                at(position)
            }
        }
        deserializer.deserialize_any(NameVisitor)
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short(deserializer)
    }
}

/// Words, whatever their capitals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Words(Vec<Box<str>>);

impl Words {
    pub(super) fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|&word| word.into()).collect())
    }

    /// Whether the cell is one of them.
    pub(super) fn has(&self, cell: &[u8]) -> bool {
        self.0.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(cell))
    }

    /// Whether the cell begins with one of them.
    pub(super) fn begin(&self, cell: &[u8]) -> bool {
        let begins = |word: &str| {
            cell.get(..word.len()).is_some_and(|head| word.as_bytes().eq_ignore_ascii_case(head))
        };
        self.0.iter().any(|word| begins(word))
    }

    /// Whether one of them begins as a number does: only then need numbers be looked up.
    pub(super) fn has_numbers(&self) -> bool {
        self.0.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}
