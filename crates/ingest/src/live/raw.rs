//! The venue's messages as they came, in the envelope that `normalize` reads.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::UnixNanos;
use serde_json::json;
use zstd::stream::write::Encoder;

use super::effect::Raw;
use crate::feed::wall_now;

/// How hard it is packed: this happens beside what is live.
const LEVEL: i32 = 3;
/// A crash costs what came in this time.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// A capture of a live feed, file after file.
pub(super) struct Capture {
    folder: PathBuf,
    name: String,
    feed: String,
    file: Option<Encoder<'static, BufWriter<File>>>,
    flushed: Instant,
    /// The disk refused: nothing more is kept.
    failed: bool,
}

impl Capture {
    pub(super) fn new(folder: &Path, name: &str, feed: &str) -> Self {
        let (folder, name, feed) = (folder.to_owned(), name.to_owned(), feed.to_owned());
        Self { folder, name, feed, file: None, flushed: Instant::now(), failed: false }
    }

    /// Keeps a message. Where the disk refuses, the feed goes on without.
    pub(super) fn keep(&mut self, raw: &Raw) {
        if self.failed {
            return;
        }
        if let Err(error) = self.write(raw) {
            tracing::error!(feed = self.name, "{}: nothing more is kept raw: {error}", self.folder.display());
            self.failed = true;
            self.file = None;
        }
    }

    /// Ends the file.
    pub(super) fn finish(&mut self) {
        let ended = self.file.take().map(|file| {
            let mut out = file.finish()?;
            out.flush()?;
            out.get_ref().sync_all()
        });
        if let Some(Err(error)) = ended {
            tracing::error!(feed = self.name, "{}: {error}", self.folder.display());
        }
    }

    fn write(&mut self, raw: &Raw) -> io::Result<()> {
        if *raw == Raw::Anew {
            self.finish();
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(self.open()?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        writeln!(file, "{}", line(raw))?;
        if self.flushed.elapsed() >= FLUSH_EVERY {
            self.flushed = Instant::now();
            file.flush()?;
        }
        Ok(())
    }

    fn open(&self) -> io::Result<Encoder<'static, BufWriter<File>>> {
        fs::create_dir_all(&self.folder)?;
        let at = wall_now();
        let stamp: String = at.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
        let stamp = stamp.replace('T', "-");
        for number in 1.. {
            let more = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.folder.join(format!("{}-{stamp}{more}.jsonl.zst", self.name));
            match File::create_new(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    let mut file = Encoder::new(BufWriter::new(file), LEVEL)?;
                    file.include_checksum(true)?;
                    let exchange = self.feed.to_ascii_uppercase().replace('-', "_");
                    writeln!(
                        file,
                        r#"{{"t":"header","format":2,"exchange":{},"feed":{},"recorded":{}}}"#,
                        json!(exchange),
                        json!(self.feed),
                        seconds(at)
                    )?;
                    return Ok(file);
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// One line of the envelope.
fn line(raw: &Raw) -> String {
    match raw {
        Raw::Anew => String::new(),
        Raw::Connect { conn, addr, at } => {
            format!(
                r#"{{"t":"connect","conn":{},"ts":{},"addr":{}}}"#,
                json!(conn),
                seconds(*at),
                json!(addr)
            )
        }
        Raw::Send { conn, addr, text, at } => format!(
            r#"{{"t":"send","conn":{},"ts":{},"addr":{},"data":{}}}"#,
            json!(conn),
            seconds(*at),
            json!(addr),
            json!(text)
        ),
        Raw::Recv { conn, text, at } => {
            format!(r#"{{"t":"recv","conn":{},"ts":{},"data":{}}}"#, json!(conn), seconds(*at), json!(text))
        }
        Raw::Http { url, body, at } => {
            format!(
                r#"{{"t":"http","conn":"http","ts":{},"url":{},"data":{}}}"#,
                seconds(*at),
                json!(url),
                json!(body)
            )
        }
    }
}

/// Seconds, to the nanosecond.
fn seconds(at: UnixNanos) -> String {
    format!("{}.{:09}", at.0 / 1_000_000_000, at.0 % 1_000_000_000)
}
