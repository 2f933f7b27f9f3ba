//! The commands that do all the set-up: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask bench-feeds`, `cargo xtask fuzz`, `cargo xtask plant`, `cargo xtask package`, `cargo xtask dashboards`,
//! `cargo xtask operators`, `cargo xtask describe`.
//!
//! No dependency and nothing to configure, so that the first thing a newcomer runs starts at once.

#![expect(clippy::print_stderr, reason = "what is going on is told on standard error")]

mod bench;
mod browser;
mod dashboards;
mod debian;
mod demo;
mod describe;
mod fuzz;
mod operators;
mod package;
mod plant;
mod python;
mod step;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo [OPTION…]   build the server and start it on a simulated market; options go to `tickwire demo`
cargo xtask test             everything: format, lints, documentation, tests, golden answers, sockets, conformance
cargo xtask bench [OPTION…]  every scene with Tickwire, the floors and rivals; options go to `benches compare`
cargo xtask bench-feeds [CAPTURE…]   captures and binary feeds to ticks, beside libraries that read the same

cargo xtask fuzz [SECONDS]   feeds the WebSocket codec and the readers of feeds what nobody would think of, for a minute
cargo xtask plant [WORD…]    plants bugs into a copy of the sources, one at a time: each must be found by a test
cargo xtask dashboards       builds the page, and tries what is written in TypeScript
cargo xtask operators        checks rules, runbooks, dashboards, manifests and the container, and sees each alert fire: six minutes
cargo xtask package          the part of `test` that is about the package for Python
cargo xtask describe         writes asyncapi.json and openapi.json anew, out of the types";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some("demo") => demo::run(args),
        Some("test") => test::run(),
        Some("bench") => bench::run(args),
        Some("bench-feeds") => bench::feeds(args),
        Some("fuzz") => fuzz::run(args.next().as_deref()),
        Some("plant") => plant::run(args),
        Some("package") => python::ready().and_then(|()| package::test()),
        Some("describe") => describe::run(),
        Some("operators") => python::ready().and_then(|()| operators::faults()),
        Some("dashboards") => {
            browser::ready();
            test::dashboards()
        }
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
