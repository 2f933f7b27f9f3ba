//! The two commands that do all the set-up: `cargo xtask demo` and `cargo xtask test`.
//!
//! No dependency and nothing to configure, so that the first thing a newcomer runs starts at once.

#![expect(clippy::print_stderr, reason = "what is going on is told on standard error")]

mod demo;
mod step;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo [OPTION…]   build the server and start it on a simulated market; options go to `tickwire demo`
cargo xtask test             everything: format, lints, documentation, tests, golden answers, sockets, conformance";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some("demo") => demo::run(args),
        Some("test") => test::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("\nfailed: {failed}");
            ExitCode::FAILURE
        }
    }
}
