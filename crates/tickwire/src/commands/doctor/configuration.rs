//! The configuration, and what of the environment means nothing.

use std::path::Path;

use clap::{Command, CommandFactory};

use super::check::Checks;
use crate::cli::{Cli, DoctorArgs};
use crate::config::Config;

/// The configuration, where there is a good one.
pub(super) fn check(args: &DoctorArgs) -> (Checks, Option<Config>) {
    let mut checks = Checks::of("configuration");
    environment(&mut checks);
    let Some(file) = &args.config else {
        checks.ok(
            "file",
            "none: the machine is looked at, with what a server without one has; -c FILE checks one",
        );
        return (checks, Config::load(None, &args.feeds).ok());
    };
    let name = file.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
    let config = match Config::load(Some(file), &args.feeds) {
        Ok(config) => config,
        Err(error) => {
            let advice = "tickwire serve --print-default-config has every key with its meaning";
            checks.fail(name, error.to_string(), advice);
            return (checks, None);
        }
    };
    checks.ok(name, "every key is known, every rule holds");
    if let Err(error) = config.check_use() {
        checks.fail("use", error.to_string(), "tickwire serve --print-default-config shows how");
    }
    if let Err(error) = config.check_files(file) {
        checks.fail("files", error.to_string(), "the file that it names, or the key that names it");
    } else {
        checks.ok("files", "all that it names are there");
    }
    written_by_others(file, &mut checks);
    (checks, Some(config))
}

/// Who can write the configuration decides whose tokens are good.
fn written_by_others(file: &Path, checks: &mut Checks) {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o002 != 0 {
        let seen = format!("{} can be written by everybody ({mode:04o})", file.display());
        checks.warn("permissions", seen, format!("chmod o-w {}", file.display()));
    }
}

/// A variable that nothing reads is a slip, not a wish.
fn environment(checks: &mut Checks) {
    let known = variables(&Cli::command());
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown: Vec<_> = set.filter(|name| name.starts_with("TICKWIRE_") && !known.contains(name)).collect();
    for name in &unknown {
        let near = wire::closest(name, known.iter().map(String::as_str));
        let advice = near.map_or_else(|| format!("unset {name}"), |near| format!("did you mean {near}?"));
        checks.warn("environment", format!("{name} is set, and nothing reads it"), advice);
    }
    if unknown.is_empty() {
        checks.ok("environment", "no variable TICKWIRE_… that nothing reads");
    }
}

/// Those that some command reads.
fn variables(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned));
    // Not an option anywhere: a command line is seen by all.
    // The revision is read by the build.
    let own = own.chain(["TICKWIRE_TOKEN".to_owned(), "TICKWIRE_REVISION".to_owned()]);
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}
