//! `cargo xtask test`: everything that must hold, from a fresh clone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::step::{Done, cargo, program, run as step, target, top};
use crate::{browser, dashboards, operators, package, python};

/// The packages of Node that the tests' clients are written with.
const NODE_PACKAGES: [&str; 3] = ["ws@8.23.0", "playwright-core@1.65.1", "socket.io-client@4.8.4"];

pub(crate) fn run() -> Done {
    python::ready()?;
    node()?;
    browser::ready();
    // The program that is tested has its page.
    dashboards::build()?;
    step("format", &mut cargo("fmt --all --check"))?;
    step("lints", &mut cargo("clippy --workspace --all-targets --locked -- -D warnings"))?;
    let mut doc = cargo("doc --workspace --no-deps --document-private-items --locked");
    step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    if !shared().exists() {
        eprintln!("── ../shared is not there: nothing is compared with real recordings");
    }
    step("tests", &mut cargo("test --workspace --locked --no-fail-fast"))?;
    dashboards()?;
    operators::check()?;
    operators::boards()?;
    package::test()?;
    conformance()?;
    // These leave another program where the others look for theirs.
    traces()?;
    operators::container()
}

/// What is there only where the program is built with it.
fn traces() -> Done {
    // Of the whole workspace: what has nothing to do with it is built once.
    let built = "--locked --workspace --features tickwire/otlp";
    step("lints of the traces", &mut cargo(&format!("clippy {built} --all-targets -- -D warnings")))?;
    step("tests of the traces", &mut cargo(&format!("test {built} --test traces --bin tickwire")))
}

/// The page and the client, before a server of the debug build.
pub(crate) fn dashboards() -> Done {
    if dashboards::build()? {
        program()?;
        dashboards::test()?;
    }
    Ok(())
}

fn shared() -> std::path::PathBuf {
    top().join("../shared")
}

/// The packages of Node that the tests need, in the target folder, where there is a Node.
fn node() -> Done {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("── Node is not there: its clients are not tried");
        return Ok(());
    }
    let folder = top().join("target/node");
    let ready = folder.join(NODE_PACKAGES.join("+"));
    if ready.exists() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    step("Node packages", install.args(NODE_PACKAGES))?;
    std::fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))
}

/// The echo endpoint before an independent judge of RFC 6455, where that is at hand.
fn conformance() -> Done {
    let judge = shared().join("tools/autobahn/run.sh");
    if !judge.exists() {
        eprintln!("── ../shared/tools/autobahn is not there: RFC 6455 is not judged from outside");
        return Ok(());
    }
    let server = Server::start(&program()?)?;
    let judged = |reports: &str| {
        let mut command = Command::new(&judge);
        command.arg(format!("ws://{}/echo", server.address)).env("STRICT", "1");
        command.env("OUT", target().join(reports));
        command
    };
    step("RFC 6455, by Autobahn", judged("autobahn").env("PROFILE", "full"))?;
    let mut deflate = judged("autobahn-deflate");
    step("RFC 7692, by Autobahn", deflate.env("REQUIRE_DEFLATE", "1").env("CASES", DEFLATE_CASES))
}

/// Every kind of payload and of offer, at sizes that take seconds. `PROFILE=deflate`, all 216, takes ten minutes.
const DEFLATE_CASES: &str = r#"["12.1.1","12.1.5","12.1.10","12.2.3","12.3.6","12.4.4","12.5.11","13.1.2","13.2.4","13.3.5","13.4.6","13.5.7","13.6.8","13.7.10"]"#;

/// A demonstration that ends with the value.
struct Server {
    child: Child,
    address: String,
    /// It has more to say, and would end if nobody listened.
    _out: Option<BufReader<ChildStdout>>,
}

impl Server {
    fn start(program: &Path) -> Done<Self> {
        let failed = |error| format!("{}: {error}", program.display());
        let mut command = Command::new(program);
        command.args(["demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--rate", "1"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(failed)?;
        let mut out = child.stdout.take().map(BufReader::new);
        let lines = out.iter_mut().flat_map(|out| out.lines().map_while(Result::ok));
        let address = lines.into_iter().find_map(|line| {
            let (_, rest) = line.split_once("ws://")?;
            Some(rest.split('/').next()?.to_owned())
        });
        let server = Self { child, address: address.unwrap_or_default(), _out: out };
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
