//! `cargo xtask demo`: builds the server and starts it.

use std::iter::Skip;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::dashboards;
use crate::step::{Done, cargo, run as step, target};

pub(crate) fn run(args: Skip<std::env::Args>) -> Done {
    dashboards::build()?;
    step("build", &mut cargo("build --profile demo --locked --package tickwire"))?;
    // Takes our place, so that Ctrl-C and signals reach it and nobody else.
    let program = target().join("demo/tickwire");
    let error = Command::new(&program).arg("demo").args(args).exec();
    Err(format!("{}: {error}", program.display()))
}
