//! A line of delimited text, cut into its cells.

use memchr::memchr;

use super::column::COLUMNS_MAX;
use super::row::{RowError, Span, span};

const QUOTE: u8 = b'"';

/// Bytes that are looked at together: as many as a byte has bits.
const CHUNK: usize = 8;
/// A one in each byte, and all bits of each byte but the highest.
const EACH: u64 = u64::MAX / 255;
const LOW_BITS: u64 = EACH * 0x7f;

/// Cuts a line where the delimiter stands, into `cells`. Returns the text that these are spans of: the
/// line itself, or, where a cell is quoted, `unquoted`, in which it has no quotation marks any more.
///
/// A quoted cell ends on its line: ticks have no texts of several lines, and a stray quotation mark
/// must not swallow what comes after.
pub(super) fn cut<'a>(
    line: &'a [u8],
    delimiter: u8,
    cells: &mut Vec<Span>,
    unquoted: &'a mut Vec<u8>,
) -> Result<&'a [u8], RowError> {
    if memchr(QUOTE, line).is_some() {
        return quoted(line, delimiter, cells, unquoted);
    }
    cells.clear();
    let mut start = 0;
    let mut cell = |at| {
        cells.push(span(start, at));
        start = at + 1;
    };
    let pattern = u64::from(delimiter) * EACH;
    let (chunks, rest) = line.as_chunks::<CHUNK>();
    for (n, chunk) in chunks.iter().enumerate() {
        let other = u64::from_le_bytes(*chunk) ^ pattern;
        // The highest bit of each byte that is the delimiter, and no other bit.
        let mut hits = !(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS);
        while hits != 0 {
            cell(n * CHUNK + hits.trailing_zeros() as usize / CHUNK);
            hits &= hits - 1;
        }
    }
    let before = line.len() - rest.len();
    for at in rest.iter().enumerate().filter(|(_, byte)| **byte == delimiter).map(|(at, _)| before + at) {
        cell(at);
    }
    cell(line.len());
    bounded(cells)?;
    Ok(line)
}

/// As [`cut`], where a cell begins with a quotation mark.
fn quoted<'a>(
    line: &[u8],
    delimiter: u8,
    cells: &mut Vec<Span>,
    text: &'a mut Vec<u8>,
) -> Result<&'a [u8], RowError> {
    cells.clear();
    text.clear();
    let mut rest = line;
    loop {
        let start = text.len();
        // Some put a space before the mark.
        let spaces = rest.iter().take_while(|&&byte| byte == b' ' && delimiter != b' ').count();
        let end = if let [QUOTE, inner @ ..] = &rest[spaces..] {
            let length = unquote(inner, text).ok_or(RowError::Quote { column: cells.len() + 1 })?;
            // What stands between the closing mark and the delimiter belongs to the cell.
            let tail = &inner[length..];
            let end = tail.iter().position(|&byte| byte == delimiter);
            text.extend_from_slice(&tail[..end.unwrap_or(tail.len())]);
            end.map(|end| spaces + 1 + length + end)
        } else {
            let end = rest.iter().position(|&byte| byte == delimiter);
            text.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            end
        };
        cells.push(span(start, text.len()));
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => break,
        }
    }
    bounded(cells)?;
    Ok(text)
}

/// Appends what stands up to the closing mark; the bytes that it takes, mark included.
fn unquote(inner: &[u8], text: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = inner[at..].iter().position(|&byte| byte == QUOTE)?;
        text.extend_from_slice(&inner[at..at + length]);
        at += length + 1;
        if inner.get(at) != Some(&QUOTE) {
            return Some(at);
        }
        text.push(QUOTE);
        at += 1;
    }
}

fn bounded(cells: &[Span]) -> Result<(), RowError> {
    if cells.len() > COLUMNS_MAX {
        return Err(RowError::Cells { cells: cells.len(), wanted: COLUMNS_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, wanted: &[&str]) {
        let (mut cells, mut unquoted) = (Vec::new(), Vec::new());
        let text = cut(line.as_bytes(), b',', &mut cells, &mut unquoted).unwrap();
        let found =
            cells.iter().map(|cell| str::from_utf8(&text[cell.start as usize..cell.end as usize]).unwrap());
        assert_eq!(found.collect::<Vec<_>>(), wanted, "{line}");
    }

    #[test]
    fn cells_are_cut_and_unquoted() {
        check("", &[""]);
        check("a,b", &["a", "b"]);
        check(",", &["", ""]);
        check(r#"a,"b,c",d"#, &["a", "b,c", "d"]);
        check(r#""a","","say ""a""""#, &["a", "", r#"say "a""#]);
        check(r#"5" pipe,1"#, &[r#"5" pipe"#, "1"]);
        check(r#""a" ,b"#, &["a ", "b"]);
        check(r#"a,  "b,c","d""#, &["a", "b,c", "d"]);
        check(r#"a, b"c"#, &["a", " b\"c"]);
    }

    proptest! {
        #[test]
        fn quoted_or_not_the_cells_are_the_same(line in "[a-c,\u{80}-\u{ff}]{0,40}") {
            let (mut cells, mut others, mut text) = (Vec::new(), Vec::new(), Vec::new());
            cut(line.as_bytes(), b',', &mut cells, &mut Vec::new()).unwrap();
            let found = quoted(line.as_bytes(), b',', &mut others, &mut text).unwrap();
            let of = |text: &[u8], cell: &Span| text[cell.start as usize..cell.end as usize].to_vec();
            let whole: Vec<_> = cells.iter().map(|cell| of(line.as_bytes(), cell)).collect();
            prop_assert_eq!(whole, others.iter().map(|cell| of(found, cell)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_quotation_mark_swallows_no_lines() {
        let (mut cells, mut unquoted) = (Vec::new(), Vec::new());
        let refused = cut(br#"a,"b,c"#, b',', &mut cells, &mut unquoted);
        assert_eq!(refused.unwrap_err(), RowError::Quote { column: 2 });
    }

    #[test]
    fn there_may_be_too_many_cells() {
        let line = ",".repeat(COLUMNS_MAX);
        let refused = cut(line.as_bytes(), b',', &mut Vec::new(), &mut Vec::new()).unwrap_err();
        assert_eq!(refused, RowError::Cells { cells: COLUMNS_MAX + 1, wanted: COLUMNS_MAX });
    }
}
