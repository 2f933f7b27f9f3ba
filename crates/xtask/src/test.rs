//! `cargo xtask test`: everything that must hold, from a fresh clone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::python;
use crate::step::{Done, cargo, run as step, target, top};

pub(crate) fn run() -> Done {
    python::ready()?;
    step("format", &mut cargo("fmt --all --check"))?;
    step("lints", &mut cargo("clippy --workspace --all-targets --locked -- -D warnings"))?;
    let mut doc = cargo("doc --workspace --no-deps --document-private-items --locked");
    step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    if !shared().exists() {
        eprintln!("── ../shared is not there: nothing is compared with real recordings");
    }
    step("tests", &mut cargo("test --workspace --locked"))?;
    conformance()
}

fn shared() -> std::path::PathBuf {
    top().join("../shared")
}

/// The echo endpoint before an independent judge of RFC 6455, where that is at hand.
fn conformance() -> Done {
    let judge = shared().join("tools/autobahn/run.sh");
    if !judge.exists() {
        eprintln!("── ../shared/tools/autobahn is not there: RFC 6455 is not judged from outside");
        return Ok(());
    }
    step("build for the judge", &mut cargo("build --locked --package tickwire"))?;
    let server = Server::start(&target().join("debug/tickwire"))?;
    let mut command = Command::new(judge);
    command.arg(format!("ws://{}/echo", server.address)).env("PROFILE", "full");
    step("RFC 6455, by Autobahn", command.env("OUT", target().join("autobahn")))
}

/// A demonstration that ends with the value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: &Path) -> Done<Self> {
        let failed = |error| format!("{}: {error}", program.display());
        let mut command = Command::new(program);
        command.args(["demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--rate", "1"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(failed)?;
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines().map_while(Result::ok));
        let address = lines.into_iter().flatten().find_map(|line| {
            let (_, rest) = line.split_once("ws://")?;
            Some(rest.split('/').next()?.to_owned())
        });
        let server = Self { child, address: address.unwrap_or_default() };
        if server.address.is_empty() { Err("the server did not start".to_owned()) } else { Ok(server) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has no state that a kill could harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
