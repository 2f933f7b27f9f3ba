//! What a file's name says: `{date}_{symbol}_Trade_Tick.csv`.

use std::path::Path;

use model::{Date, UnixNanos};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::stem;

/// A pattern for the end of a path: text, `*` for any part of a name, `{…}` for what is told by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    /// Names of folders that it has a part for.
    folders: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Any,
    Told(Box<str>),
}

/// Endings that say how a file is packed.
const PACKED: [&str; 4] = [".gz", ".zst", ".zip", ".csv.zip"];
/// A pattern for names of no certain form.
const STEM: &str = "stem";
const HOUR_NANOS: u64 = 3_600_000_000_000;

/// What the name of a file tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    found: Vec<(Box<str>, String)>,
}

impl Told {
    /// What `patterns` find in the names of a file, of which the first is the nearest to what is read:
    /// of a member of an archive its own name, then the archive's.
    pub(super) fn by(patterns: &[Pattern], names: &[String]) -> Self {
        let mut told = Self::default();
        for (n, whole) in names.iter().enumerate() {
            let name = PACKED.iter().find_map(|ending| whole.strip_suffix(ending)).unwrap_or(whole);
            let is_last = n + 1 == names.len();
            let find = |pattern: &Pattern| {
                if pattern.is_stem() { stem_of(whole, is_last) } else { pattern.find(name) }
            };
            if let Some(found) = patterns.iter().find_map(find) {
                let new = found.into_iter().filter(|(key, _)| told.get(key).is_none()).collect::<Vec<_>>();
                told.found.extend(new);
            }
        }
        told
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.found.iter().find(|(known, _)| **known == *key).map(|(_, text)| text.as_str())
    }

    /// The day that the name tells: whole, or in parts, of which Dukascopy counts months from 0.
    pub(super) fn date(&self) -> Option<Date> {
        if let Some(date) = self.get("date") {
            return Date::parse(&date.replace(['_', '.'], "-")).ok();
        }
        let number = |key: &str| self.get(key)?.parse::<u64>().ok();
        let month = number("month").or_else(|| Some(number("month0")? + 1))?;
        Date::new(number("year")?, month, number("day")?).ok()
    }

    /// The hour of the day that the name tells.
    pub(super) fn hour(&self) -> Option<u64> {
        self.get("hour")?.parse().ok().filter(|&hour| hour < 24)
    }
}

/// The beginning of an hour, by the clock on the wall.
pub(super) const fn begin_of_hour(date: Date, hour: u64) -> UnixNanos {
    UnixNanos(date.midnight().0 + hour * HOUR_NANOS)
}

/// The names that a file has: of the member of an archive, and its path. Standard input is called so.
pub(super) fn names(path: Option<&Path>, member: Option<&str>) -> Vec<String> {
    let path = path.map(|path| path.to_string_lossy().replace('\\', "/"));
    let names: Vec<_> = member.map(str::to_owned).into_iter().chain(path).collect();
    if names.is_empty() { vec!["STDIN".to_owned()] } else { names }
}

/// What the words of a name tell; `None` where they only say what is in the file, and an archive's name comes yet.
fn stem_of(name: &str, is_last: bool) -> Option<Vec<(Box<str>, String)>> {
    if !is_last && stem::is_word(name) {
        return None;
    }
    Some(stem::tell(name)).filter(|told| !told.is_empty())
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find(['*', '{']) {
            if at > 0 {
                parts.push(Part::Text(rest[..at].into()));
            }
            if rest[at..].starts_with('*') {
                parts.push(Part::Any);
                rest = &rest[at + 1..];
                continue;
            }
            let (name, behind) = rest[at + 1..].split_once('}').ok_or("\"{\" without \"}\"")?;
            let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(is_letter) {
                return Err("what stands in { } is a word of small letters");
            }
            parts.push(Part::Told(name.into()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        if parts.is_empty() {
            return Err("empty");
        }
        Ok(Self { folders: text.matches('/').count(), parts })
    }

    /// The words of the name are to be told apart by what they are.
    fn is_stem(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Told(name)] if **name == *STEM)
    }

    /// What it finds at the end of a path.
    fn find(&self, path: &str) -> Option<Vec<(Box<str>, String)>> {
        let from = path.rmatch_indices('/').nth(self.folders).map_or(0, |(at, _)| at + 1);
        let mut found = Vec::new();
        matches(&self.parts, &path[from..], &mut found).then_some(found)
    }
}

/// Whether `text` is made of these parts; what is told is appended to `found`.
fn matches(parts: &[Part], text: &str, found: &mut Vec<(Box<str>, String)>) -> bool {
    let Some((part, parts)) = parts.split_first() else { return text.is_empty() };
    let told = match part {
        Part::Text(part) => {
            let begins = text.get(..part.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(part));
            return begins && matches(parts, &text[part.len()..], found);
        }
        Part::Any => None,
        Part::Told(name) => Some(name),
    };
    let name_ends = text.find('/').unwrap_or(text.len());
    let before = found.len();
    for end in (0..=name_ends).filter(|&end| text.is_char_boundary(end)) {
        if told.is_some_and(|name| !fits(name, &text[..end])) {
            continue;
        }
        if let Some(name) = told {
            found.push((name.clone(), text[..end].to_owned()));
        }
        if matches(parts, &text[end..], found) {
            return true;
        }
        found.truncate(before);
    }
    false
}

/// Whether a text can be what a name tells.
fn fits(name: &str, text: &str) -> bool {
    let digits = |lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match name {
        "date" => Date::parse(&text.replace(['_', '.'], "-")).is_ok(),
        "year" => digits(4..=4),
        "month" | "month0" | "day" => digits(2..=2),
        "hour" => digits(1..=2),
        _ => !text.is_empty(),
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|why| D::Error::custom(format!("{text:?} is no pattern of a name: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(patterns: &[&str], names: &[&str]) -> String {
        let patterns: Vec<_> = patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect();
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let told = Told::by(&patterns, &names);
        let found = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let symbol = told.get("symbol").map(str::to_owned);
        let parts =
            [symbol, told.date().map(|date| date.to_string()), told.hour().map(|hour| hour.to_string())];
        parts.map(found).join(" ")
    }

    #[test]
    fn names_tell() {
        let lean = ["{date}_{symbol}_Trade_Tick.csv", "{symbol}/{date}_trade", "*_{symbol}_{date}_trade"];
        assert_eq!(told(&lean, &["20131007_spy_Trade_Tick.csv", "/data/lean_spy.zip"]), "spy 2013-10-07 -");
        assert_eq!(told(&lean, &["/equity/usa/tick/spy/20131007_trade.zip"]), "spy 2013-10-07 -");
        assert_eq!(told(&lean, &["lean_spy_20131007_trade.zip"]), "spy 2013-10-07 -");
        assert_eq!(told(&lean, &["spy.csv"]), "- - -");
        let dukascopy = ["{symbol}/{year}/{month0}/{day}/{hour}h_ticks.bi5", "{symbol}_{date}_{hour}h*.bi5"];
        assert_eq!(told(&dukascopy, &["x/EURUSD/2019/01/04/08h_ticks.bi5"]), "EURUSD 2019-02-04 8");
        assert_eq!(told(&dukascopy, &["EURUSD_2019-02-04_14h.bi5"]), "EURUSD 2019-02-04 14");
        assert_eq!(told(&dukascopy, &["EURUSD_2019-02-04_24h.bi5"]), "EURUSD 2019-02-04 -");
        let any = ["{symbol}_{date}_*_*_message_*.csv"];
        assert_eq!(told(&any, &["AAPL_2012-06-21_34200000_57600000_message_10.csv"]), "AAPL 2012-06-21 -");
        assert_eq!(told(&any, &["BRK.B_2012-06-21_1_2_MESSAGE_10.csv.gz"]), "BRK.B 2012-06-21 -");
        assert_eq!(told(&["{symbol}-trades.json"], &["XRP_ETH-trades.json.gz"]), "XRP_ETH - -");
        assert_eq!(told(&["{symbol}.csv"], &["a/ä.csv"]), "ä - -");
    }

    #[test]
    fn names_of_no_certain_form() {
        let stem = ["{stem}"];
        assert_eq!(told(&stem, &["x/trades_BTC-USDT_2024-01-01.csv.gz"]), "BTC-USDT 2024-01-01 -");
        assert_eq!(told(&stem, &["trades.csv", "/x/ETHUSDT_2024-01-01.zip"]), "ETHUSDT 2024-01-01 -");
        assert_eq!(told(&stem, &["2024-01-02.csv", "/x/ETHUSDT.zip"]), "ETHUSDT 2024-01-02 -");
        assert_eq!(told(&stem, &["/x/2024-01-02.csv"]), "- 2024-01-02 -");
        assert_eq!(told(&["f_{symbol}.csv", "{stem}"], &["f_a_b.csv"]), "a_b - -");
    }

    #[test]
    fn patterns_may_be_wrong() {
        for text in ["", "{symbol", "{}", "{Symbol}", "{a b}"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
