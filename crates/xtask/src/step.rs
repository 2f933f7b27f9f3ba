//! Running other programs, each told before it starts.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Why a command of ours failed, in one line.
pub(crate) type Done<T = ()> = Result<T, String>;

/// The top folder of the project.
pub(crate) fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), |folder| top().join(folder))
}

/// The cargo that runs us.
pub(crate) fn cargo(words: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words.split(' ')).current_dir(top());
    command
}

/// Runs a command to its end and tells how long it took.
pub(crate) fn run(name: &str, command: &mut Command) -> Done {
    eprintln!("── {name}");
    let began = Instant::now();
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if !status.success() {
        return Err(format!("{name}: {status}"));
    }
    eprintln!("── {name}: done in {:.0} s", began.elapsed().as_secs_f32());
    Ok(())
}

/// The program as the tests have it, which is there when they have run: with their features of what it is made of nothing
/// is built twice.
pub(crate) fn program() -> Done<PathBuf> {
    run("build", &mut cargo("test --locked --workspace --no-run --test doctor"))?;
    Ok(target().join("debug/tickwire"))
}
