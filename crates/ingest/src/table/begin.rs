//! What the first bytes of a file say that it is, where that is nothing with rows in it.

use std::io::{self, Read};

use crate::capture::Input;

/// First bytes, and what they are of.
const KNOWN: [(&[u8], &str); 15] = [
    (b"BZh", "packed with bzip2, which is not read: unpack it first"),
    (b"\xfd7zXZ\0", "packed with xz, which is not read: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip, which is not read: unpack it first"),
    (b"Rar!", "packed with RAR, which is not read: unpack it first"),
    (b"\x1f\x8b", "packed twice: what is in the archive is gzip, which is not read there: unpack it first"),
    (
        b"\x28\xb5\x2f\xfd",
        "packed twice: what is in the archive is Zstandard, which is not read there: unpack it first",
    ),
    (
        b"PK\x03\x04",
        "packed twice: what is in the archive is an archive, which is not read there: unpack it first",
    ),
    (b"PK\x05\x06", "an archive with nothing in it"),
    (b"\xff\xfe", "text in UTF-16, which is not read: write it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16, which is not read: write it as UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel, which is not read: write it as CSV"),
    (b"\x89HDF", "HDF5, which is not read: write it as Parquet or CSV"),
    (b"SQLite format 3", "a database of SQLite, which is not read: write it as CSV"),
    (b"DBN", "Databento's DBN, which --feed dbn reads"),
    (b"%PDF", "a PDF, which has no rows"),
];
/// An archive of tar has its mark here.
const TAR: (usize, &[u8]) = (257, b"ustar");
/// Of LZMA, as Dukascopy's hours have it.
const LZMA: &[u8] = &[0x5d, 0, 0];

/// Why a file that begins so cannot be read as rows.
pub(super) fn refused(begin: &[u8]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(first, _)| begin.starts_with(first)).map(|(_, what)| *what);
    let is_tar = || begin.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1));
    let page = begin.trim_ascii_start().get(..5).map(<[u8]>::to_ascii_lowercase);
    let is_page = || page.is_some_and(|first| first == b"<!doc" || first == b"<html");
    // Without its mark it shows by the zeros in it.
    let is_wide = || matches!(begin, [a, 0, b, 0, ..] | [0, a, 0, b, ..] if a.is_ascii_graphic() && b.is_ascii_graphic());
    match known {
        Some(what) => Some(what),
        None if is_tar() => Some("an archive of tar, which is not read: unpack it first"),
        None if is_page() => Some("a page of HTML: what was fetched is not the file"),
        None if is_wide() => Some("text in UTF-16, which is not read: write it as UTF-8"),
        None => None,
    }
}

/// Whether a file of this name that begins so is an hour of Dukascopy's; one without quotes has no bytes.
pub(super) fn is_dukascopy(name: &str, begin: &[u8]) -> bool {
    name.to_ascii_lowercase().ends_with(".bi5") && (begin.is_empty() || begin.starts_with(LZMA))
}

/// Whether lines end with CR alone, as far as can be seen.
pub(super) fn has_old_lines(begin: &[u8]) -> bool {
    let ends = || begin.iter().enumerate().filter(|(_, byte)| **byte == b'\r').map(|(at, _)| at);
    memchr::memchr(b'\n', begin).is_none() && ends().any(|at| at + 1 < begin.len())
}

/// Text whose lines end with CR, with LF in its place.
pub(super) struct OldLines(pub(super) Input);

impl Read for OldLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        buffer[..count].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(count)
    }
}

/// Endings of files with rows in them.
const WITH_ROWS: [&str; 12] = [
    ".csv", ".tsv", ".psv", ".tab", ".dat", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow",
    ".bi5",
];
/// Endings of files that never have some.
const WITHOUT: [&str; 8] = [".md", ".pdf", ".html", ".htm", ".doc", ".docx", ".url", ".ds_store"];

/// The files of an archive that are meant: not what systems and people put in beside them.
pub(super) fn meant(members: Vec<Input>) -> Vec<Input> {
    let ends = |input: &Input, endings: &[&str]| {
        let name = input.member().unwrap_or_default().to_ascii_lowercase();
        let name = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        endings.iter().any(|ending| name.ends_with(ending))
    };
    let of_system = |input: &Input| {
        let name = input.member().unwrap_or_default();
        name.starts_with("__MACOSX/") || name.rsplit('/').next().is_some_and(|name| name.starts_with("._"))
    };
    let has_rows = members.iter().any(|input| ends(input, &WITH_ROWS) && !of_system(input));
    let is_meant = |input: &Input| {
        input.member().is_none()
            || !of_system(input) && !ends(input, &WITHOUT) && (!has_rows || ends(input, &WITH_ROWS))
    };
    members.into_iter().filter(is_meant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        assert!(refused(b"BZh91AY").is_some_and(|what| what.contains("bzip2")));
        assert!(refused(b"\xfd7zXZ\0\0").is_some_and(|what| what.contains("xz")));
        assert!(refused(b"t\0i\0m\0").is_some_and(|what| what.contains("UTF-16")));
        assert!(refused(b"<!DOCTYPE html>").is_some_and(|what| what.contains("HTML")));
        assert_eq!(refused(b"timestamp,price"), None);
        assert_eq!(refused(b""), None);
        assert!(is_dukascopy("x/08h_ticks.bi5", &[0x5d, 0, 0, 0x80]));
        assert!(!is_dukascopy("x.csv", &[0x5d, 0, 0]));
        assert!(has_old_lines(b"a\rb") && !has_old_lines(b"a\r\nb\r") && !has_old_lines(b"a\r"));
    }
}
