//! `cargo xtask plant`: plants bugs into a copy of the sources, one at a time, and runs the tests that
//! are expected to find them. A bug that survives is a test that is missing.

mod bugs;
mod copy;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::iter::Skip;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::step::{Done, cargo, target, top};
use bugs::Bug;

/// A test that takes longer hangs, and has found the bug by that.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(20);

/// What came of a run of tests.
enum Outcome {
    Passed,
    /// The first test that failed.
    Failed(String),
    Hung,
}

/// Plants each bug whose name has one of `words` in it; all where there are none.
pub(crate) fn run(words: Skip<std::env::Args>) -> Done {
    let words: Vec<_> = words.collect();
    let bugs = bugs::listed()?;
    let wanted = |bug: &&Bug| words.is_empty() || words.iter().any(|word| bug.name.contains(word));
    let bugs: Vec<_> = bugs.iter().filter(wanted).collect();
    let field = Field::till()?;
    // A test that fails without a bug finds none.
    for test in bugs.iter().map(|bug| &bug.test).collect::<BTreeSet<_>>() {
        if !matches!(field.test(test)?, Outcome::Passed) {
            let log = field.log();
            return Err(format!("without any bug, `cargo test {test}` fails: see {}", log.display()));
        }
    }
    let mut survivors = 0;
    for bug in &bugs {
        let said = match field.find(bug)? {
            Outcome::Failed(test) => format!("found by {test}"),
            Outcome::Hung => format!("found: {} hangs", bug.test),
            Outcome::Passed => {
                survivors += 1;
                format!("SURVIVED {}", bug.test)
            }
        };
        eprintln!("{:<64} {said}", bug.name);
    }
    match survivors {
        0 => Ok(()),
        _ => Err(format!("{survivors} of {} bugs survived", bugs.len())),
    }
}

/// A copy of the sources, with a target folder of its own, so that a bug costs the build of one crate.
struct Field {
    sources: PathBuf,
    target: PathBuf,
}

impl Field {
    fn till() -> Done<Self> {
        let sources = target().join("plant/sources");
        copy::tracked(&top(), &sources)?;
        Ok(Self { sources, target: target().join("plant/target") })
    }

    fn find(&self, bug: &Bug) -> Done<Outcome> {
        let file = self.sources.join(&bug.file);
        let sound = read(&file)?;
        write(&file, &bug.plant(&sound)?)?;
        let outcome = self.test(&bug.test);
        write(&file, &sound)?;
        outcome.map_err(|error| format!("{}: {error}", bug.name))
    }

    /// Runs `cargo test` with these words. Only what the tests do is bounded in time, not the build.
    fn test(&self, words: &str) -> Done<Outcome> {
        let built = self.cargo(words, &["--no-run"])?.wait().is_ok_and(|status| status.success());
        if !built {
            return Err(format!("it does not build: see {}", self.log().display()));
        }
        let (mut tests, began) = (self.cargo(words, &[])?, Instant::now());
        loop {
            match tests.try_wait().map_err(|error| format!("cargo: {error}"))? {
                Some(status) if status.success() => return Ok(Outcome::Passed),
                Some(_) => return Ok(Outcome::Failed(first_failed(&read(&self.log())?))),
                None if began.elapsed() > PATIENCE => {
                    // Cargo and its tests are a group of processes of their own.
                    let group = format!("-{}", tests.id());
                    let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                    let _ = tests.wait();
                    return Ok(Outcome::Hung);
                }
                None => thread::sleep(LOOK),
            }
        }
    }

    fn cargo(&self, words: &str, more: &[&str]) -> Done<Child> {
        let failed = |error| format!("{}: {error}", self.log().display());
        let log = File::create(self.log()).map_err(failed)?;
        let copy = log.try_clone().map_err(failed)?;
        let mut command = cargo("test --locked");
        command.args(more).args(words.split(' '));
        command.current_dir(&self.sources).env("CARGO_TARGET_DIR", &self.target);
        // One failing case is enough, however long.
        command.env("PROPTEST_MAX_SHRINK_ITERS", "0").stdout(log).stderr(copy).process_group(0);
        command.spawn().map_err(|error| format!("cargo: {error}"))
    }

    fn log(&self) -> PathBuf {
        self.target.with_file_name("log")
    }
}

/// The first test that failed; where all of them ended before their time, the one that panicked.
fn first_failed(log: &str) -> String {
    let failed = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
    let panicked = |line: &str| Some(line.strip_prefix("thread '")?.split_once('\'')?.0.to_owned());
    let found = log.lines().find_map(failed).or_else(|| log.lines().find_map(panicked));
    found.unwrap_or_else(|| "tests that ended without a word".to_owned())
}

fn read(path: &Path) -> Done<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Done {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
