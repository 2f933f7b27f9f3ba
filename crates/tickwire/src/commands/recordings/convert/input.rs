//! What is converted: a recording, or what was made of one.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use ingest::capture::{self, Format};
use store::tables::{Fault, find_parquet, read_csv, read_parquet};
use store::{Lost, Manifest, Recording, Sorter};
use tempfile::TempDir;

use super::super::{bytes_bar, say};
use super::ending;
use crate::exit::{Failure, Outcome};

/// Broken lines that are named before the rest is counted.
const FAULTS_NAMED: u64 = 20;

/// Records in their order, whatever they were read from.
pub(super) struct Input {
    pub(super) recording: Recording,
    /// What it is called.
    pub(super) name: String,
    /// What its recorder missed.
    pub(super) lost: Vec<Lost>,
    /// Lines that were none.
    pub(super) faults: u64,
    /// Where the records were put into order.
    _sorted: Option<TempDir>,
}

impl Input {
    /// What is at `path`; what has to be sorted is, beside `output`.
    pub(super) fn open(path: &Path, output: &Path) -> Outcome<Self> {
        let whole = path.canonicalize().with_context(|| path.display().to_string())?;
        let of_file = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if whole.is_dir() {
            if Recording::is_at(&whole) {
                let lost = Manifest::read(&whole)?.map(|manifest| manifest.lost).unwrap_or_default();
                let (recording, name) = (Recording::open(&whole)?, of_file(&whole));
                return Ok(Self { recording, name, lost, faults: 0, _sorted: None });
            }
            let (name, files) = find_parquet(&whole)?;
            if !files.is_empty() {
                return Reading::new(output)?.tables(name, &files);
            }
            let csv = csv_files(&whole)?;
            if !csv.is_empty() {
                return Reading::new(output)?.csv(of_file(&whole), &csv);
            }
            let error = anyhow!(
                "{} is no recording, and has no tables of one (.parquet or .csv files)",
                path.display()
            );
            return Err(error.into());
        }
        let name = of_file(&whole).split('.').next().unwrap_or_default().to_owned();
        let files = [whole.clone()];
        let stem = whole.file_stem().map(Path::new).map(ending).unwrap_or_default();
        match ending(&whole).as_str() {
            "twj" => {
                let folder = whole.parent().unwrap_or(&whole).display();
                Err(anyhow!("{} is a file of a recording: name its folder, {folder}", path.display()).into())
            }
            "parquet" => Reading::new(output)?.tables(name, &files),
            "csv" => Reading::new(output)?.csv(name, &files),
            "gz" | "zst" if stem == "csv" => Reading::new(output)?.csv(name, &files),
            _ => Reading::new(output)?.lines(name, &whole),
        }
    }
}

/// The tables of a folder.
fn csv_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|path| path.is_file() && ending(path) == "csv");
    files.sort();
    Ok(files)
}

/// Records on their way into their order.
struct Reading {
    folder: TempDir,
    sorter: Sorter,
    records: u64,
    faults: u64,
}

impl Reading {
    fn new(output: &Path) -> Outcome<Self> {
        let beside =
            output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(beside).with_context(|| beside.display().to_string())?;
        let folder = tempfile::Builder::new().prefix(".tickwire-").tempdir_in(beside);
        let folder = folder.with_context(|| beside.display().to_string())?;
        Ok(Self { sorter: Sorter::new(folder.path()), folder, records: 0, faults: 0 })
    }

    fn fault(&mut self, path: &Path, bar: &ProgressBar, fault: &Fault) {
        self.faults += 1;
        if self.faults <= FAULTS_NAMED {
            bar.suspend(|| say(&format!("{}:{fault}", path.display())));
        } else if self.faults == FAULTS_NAMED + 1 {
            bar.suspend(|| say("and more, which are counted"));
        }
    }

    fn end(mut self, name: String, bar: &ProgressBar) -> Outcome<Input> {
        let sorted = self.sorter.finish()?;
        bar.finish_and_clear();
        if sorted.repeated > 0 {
            self.faults += sorted.repeated;
            say(&format!("{} record(s) have a position that another has, too", sorted.repeated));
        }
        if self.records == 0 {
            let error = match self.faults {
                0 => anyhow!("there is no record in it"),
                faults => anyhow!("none of its {faults} lines is a record that Tickwire has written"),
            };
            return Err(error.into());
        }
        let (recording, faults) = (sorted.recording, self.faults);
        Ok(Input { recording, name, lost: Vec::new(), faults, _sorted: Some(self.folder) })
    }

    fn tables(mut self, name: String, files: &[PathBuf]) -> Outcome<Input> {
        let bytes = |path: &PathBuf| path.metadata().map_or(0, |meta| meta.len());
        let bar = bytes_bar(Some(files.iter().map(bytes).sum()));
        for path in files {
            read_parquet(path, &mut |next| {
                match next {
                    Ok(record) => {
                        self.records += 1;
                        self.sorter.push(record)?;
                    }
                    Err(fault) => self.fault(path, &bar, &fault),
                }
                Ok(())
            })?;
            bar.inc(bytes(path));
        }
        self.end(name, &bar)
    }

    fn csv(mut self, name: String, files: &[PathBuf]) -> Outcome<Input> {
        for path in files {
            let input = capture::Input::open(path).with_context(|| path.display().to_string())?;
            let progress = input.progress();
            let bar = bytes_bar(progress.total());
            read_csv(path, input, &mut |next| {
                match next {
                    Ok(record) => {
                        self.records += 1;
                        self.sorter.push(record)?;
                    }
                    Err(fault) => self.fault(path, &bar, &fault),
                }
                bar.set_position(progress.bytes());
                Ok(())
            })?;
            bar.finish_and_clear();
        }
        self.end(name, &ProgressBar::hidden())
    }

    fn lines(mut self, name: String, path: &Path) -> Outcome<Input> {
        let mut input = capture::Input::open(path).with_context(|| path.display().to_string())?;
        let head = input.fill_buf().with_context(|| path.display().to_string())?;
        if matches!(
            Format::of(head.split(|byte| *byte == b'\n').next().unwrap_or(head)),
            Some(Format::Envelope | Format::Stamped)
        ) {
            let path = path.display();
            let error = anyhow!(
                "{path} is a capture of a venue: `tickwire record --feed NAME -o FOLDER {path}` makes a recording of it"
            );
            return Err(Failure::usage(error));
        }
        let progress = input.progress();
        let bar = bytes_bar(progress.total());
        let (mut lines, mut reader) = (capture::Lines::new(input), wire::Lines::default());
        loop {
            let read = match lines.next_line() {
                Ok(None) => break,
                Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(Some(line)) => match std::str::from_utf8(line) {
                    Ok(text) => reader.read(text).map_err(|error| (Some(error.column), error.to_string())),
                    Err(error) => Err((Some(error.valid_up_to() + 1), "it is not UTF-8".to_owned())),
                },
                Err(error) => Err((None, error.to_string())),
            };
            match read {
                Ok(record) => {
                    self.records += 1;
                    self.sorter.push(record)?;
                }
                Err((column, what)) => {
                    self.fault(path, &bar, &Fault { line: lines.number(), column, what });
                }
            }
            bar.set_position(progress.bytes());
        }
        self.end(name, &bar)
    }
}
