//! Garbage through the reader of a feed: whatever the bytes are, it comes to an end, says what is broken, and gives the
//! same each time.

use std::io::Cursor;

use ingest::capture::Input;
use ingest::{Map, Options, Reader, Step, reader};
use model::{Date, Tick};

use super::seeds::seeds;

/// How packed files begin. These have more in them than they seem to, and other libraries unpack them.
const PACKED: [&[u8]; 3] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"];

/// The file that data stands for, the first byte says how: it is the file, or it cuts and changes one of the feed's own.
pub(crate) fn garbage(feed: &str, data: &[u8]) -> Option<Vec<u8>> {
    let (&how, rest) = data.split_first()?;
    let file = match seeds(feed).get(usize::from(how)) {
        Some(seed) => changed(seed.clone(), rest)?,
        None => rest.to_vec(),
    };
    (!PACKED.iter().any(|magic| file.starts_with(magic))).then_some(file)
}

/// The first two bytes say where a file is cut, and each three after them what is changed.
fn changed(mut file: Vec<u8>, data: &[u8]) -> Option<Vec<u8>> {
    let (cut, edits) = data.split_at_checked(2)?;
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % file.len();
        file[at] = edit[2];
    }
    // Mostly it stays whole.
    let cut = usize::from(u16::from_be_bytes([cut[0], cut[1]]));
    if cut < file.len() {
        file.truncate(cut);
    }
    Some(file)
}

/// What a file came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) ticks: Vec<Tick>,
    /// What was broken, in words.
    pub(crate) faults: Vec<String>,
}

/// Reads a file to its end.
fn read(reader: &mut Reader, file: &[u8]) -> Outcome {
    reader.open(Input::new(Box::new(Cursor::new(file.to_vec())), None).expect("nothing to unpack"));
    let mut outcome = Outcome { ticks: Vec::new(), faults: Vec::new() };
    // A step takes a byte at least, or is the last.
    for _ in 0..file.len() + 3 {
        let before = outcome.ticks.len();
        match reader.step(&mut outcome.ticks) {
            Step::Ticks => {}
            Step::Broken { spot, error } => outcome.faults.push(format!("{spot}: {error}")),
            Step::End => {
                assert_eq!(outcome.ticks.len(), before, "an end has no ticks");
                return outcome;
            }
        }
    }
    panic!("no end after {} bytes", file.len());
}

fn fresh(feed: &str) -> Reader {
    let date = Date::parse("2024-01-02").ok().filter(|_| feed == "itch");
    let text = include_str!("../../../feeds/recordings/messages.map.toml").to_owned();
    let map = (feed == "json").then(|| Map { name: "messages".to_owned(), text });
    reader(feed, &Options { date, map, ..Options::default() }).expect("a feed that is known")
}

/// Reads a file, twice, and then one that is right: the same comes of it, and what is right is read.
pub(crate) fn check(feed: &str, file: &[u8]) -> Outcome {
    let mut reader = fresh(feed);
    let outcome = read(&mut reader, file);
    assert_eq!(outcome, read(&mut fresh(feed), file), "{feed}: the same file again");
    for seed in seeds(feed) {
        read(&mut reader, &seed);
    }
    outcome
}
