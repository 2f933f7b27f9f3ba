//! A server under test, in a process of its own on a core of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use client::Endpoint;
use core_affinity::CoreId;
use load::{Dialect, Door, Survey, Trust};
use tokio::runtime::Builder;

use crate::compare::DOORS_INTERVAL;
use crate::{dialects, process};

/// A server that can be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// What it is, for the table.
    pub(crate) what: &'static str,
    program: Program,
}

#[derive(Clone, Copy, Debug)]
enum Program {
    /// `benches serve` with this word.
    Own(&'static str),
    /// Tickwire, and how its clients come in where that is no WebSocket.
    Door(Door),
    /// The program as its users have it, on a simulated market of so many events a second.
    Demo { rate: &'static str },
    /// A script beside this program's sources, and what runs it, as a path in the target folder.
    Rival { runs: &'static str, script: &'static str, dialect: fn() -> Dialect },
}

/// Everything that can be measured. The floors come first: the rest is held against them.
pub(crate) const SERVERS: [Entry; 13] = [
    Entry { name: "floor", what: "floor, one write per update", program: Program::Own("floor") },
    Entry { name: "batched", what: "floor, batched writes", program: Program::Own("floor-batched") },
    Entry { name: "tickwire", what: "Tickwire", program: Program::Own("tickwire") },
    door("tickwire-events", "Tickwire, server-sent events", Door::Events),
    door("tickwire-poll", "Tickwire, long polling", Door::Poll),
    door("tickwire-snapshot", "Tickwire, plain polling", Door::Snapshot(DOORS_INTERVAL)),
    Entry { name: "axum", what: "axum + tokio broadcast", program: Program::Own("broadcast") },
    rival("bun", "Bun 1.4.5", BUN, "bun/server.js", dialects::plain),
    rival("ws", "Node ws 8.23.0", "node", "ws/server.js", dialects::plain),
    rival("socketio", "Socket.IO 4.8.4", "node", "socketio/server.js", dialects::socket_io),
    rival("websockets", "Python websockets 17.4", PYTHON, "websockets/server.py", dialects::plain),
    Entry { name: "nats", what: "nats-server 2.9.10", program: Program::Own("nats") },
    Entry { name: "demo", what: "Tickwire, simulated market", program: Program::Demo { rate: "2000" } },
];

/// Where `cargo xtask bench` puts it, in the target folder.
pub(crate) const NATS: &str = "rivals/nats/usr/sbin/nats-server";
const BUN: &str = "rivals/node_modules/.bin/bun";
/// The clients of the tests run in it, too.
pub(crate) const PYTHON: &str = "venv/bin/python3";

const fn rival(
    name: &'static str,
    what: &'static str,
    runs: &'static str,
    script: &'static str,
    dialect: fn() -> Dialect,
) -> Entry {
    Entry { name, what, program: Program::Rival { runs, script, dialect } }
}

const fn door(name: &'static str, what: &'static str, door: Door) -> Entry {
    Entry { name, what, program: Program::Door(door) }
}

pub(crate) struct Subject {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
    pub(crate) trust: Option<Trust>,
    /// What lets a client in, where one is needed.
    pub(crate) token: Option<String>,
    /// It publishes what it will, not what the schedule says.
    has_market: bool,
}

/// Whose core is whose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    server: CoreId,
    ours: CoreId,
}

impl Cores {
    /// One core for the server and another one for us. None where there is only one.
    pub(crate) fn choose() -> Option<Self> {
        let cores = core_affinity::get_core_ids()?;
        let (server, ours) = (*cores.first()?, *cores.last()?);
        (server != ours && core_affinity::set_for_current(ours)).then_some(Self { server, ours })
    }
}

impl Entry {
    /// Starts it; `None` where it is not installed.
    ///
    /// `schedule`: what it publishes. `tls`: a folder with a certificate and its key.
    pub(crate) fn start(
        &self,
        schedule: &Path,
        tls: Option<&Path>,
        cores: Option<Cores>,
    ) -> anyhow::Result<Option<Subject>> {
        let Some(mut command) = self.command(schedule)? else { return Ok(None) };
        if let Some(folder) = tls {
            command.arg("--tls").arg(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // A child begins on the cores of the thread that starts it.
        cores.map(|cores| core_affinity::set_for_current(cores.server));
        let child = command.spawn();
        cores.map(|cores| core_affinity::set_for_current(cores.ours));
        let mut child = child.with_context(|| format!("{}: {command:?}", self.name))?;
        let (input, output) = (child.stdin.take().context("input")?, child.stdout.take().context("output")?);
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let ready = self.ready(&mut lines).with_context(|| format!("{} did not start", self.name))?;
        // What else it says is nobody's; it would wait for somebody to read it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut words = ready.split(' ');
        let port: u16 = words.next().context("a port")?.parse()?;
        let token = words.next().map(str::to_owned);
        let tickwire = |channels: &[&str], options| {
            let channels: Vec<_> = channels.iter().map(|&channel| channel.to_owned()).collect();
            Dialect::tickwire("/v1/stream", token.clone(), &channels, options)
        };
        let dialect = match self.program {
            Program::Own("nats") => dialects::nats(),
            Program::Own("tickwire") => tickwire(&["quotes"], ""),
            Program::Door(door) => Dialect::door(door, token.clone(), "quotes"),
            Program::Own(_) => dialects::plain(),
            // The whole book: with a depth, what happens below it is folded into other records.
            Program::Demo { .. } => tickwire(&["trades", "quotes", "book"], ",\"depth\":0"),
            Program::Rival { dialect, .. } => dialect(),
        };
        let address = ([127, 0, 0, 1], port).into();
        let trust = tls.map(|folder| trust(address, folder)).transpose()?.flatten();
        let has_market = matches!(self.program, Program::Demo { .. });
        Ok(Some(Subject { child, input: Some(input), address, dialect, trust, token, has_market }))
    }

    /// Whether its clients have no WebSocket.
    pub(crate) const fn is_door(&self) -> bool {
        matches!(self.program, Program::Door(_))
    }

    /// Port and token, once it is ready.
    fn ready(&self, lines: &mut impl Iterator<Item = String>) -> Option<String> {
        if !matches!(self.program, Program::Demo { .. }) {
            return lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
        }
        let mut word = |before: &str| {
            lines
                .find_map(|line| Some(line.trim().strip_prefix(before)?.trim().split(' ').next()?.to_owned()))
        };
        let stream = word("stream ")?;
        let port = stream.strip_suffix("/v1/stream")?.rsplit(':').next()?.to_owned();
        Some(format!("{port} {}", word("token ")?))
    }

    fn command(&self, schedule: &Path) -> anyhow::Result<Option<Command>> {
        let (runs, script) = match self.program {
            Program::Own("nats") if !target()?.join(NATS).exists() => return Ok(None),
            Program::Own(word) => return serve(word, schedule).map(Some),
            Program::Door(_) => return serve("tickwire", schedule).map(Some),
            Program::Demo { rate } => {
                let program = std::env::current_exe()?.with_file_name("tickwire");
                if !program.exists() {
                    return Ok(None);
                }
                let mut command = Command::new(program);
                command.args(["demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
                command.args(["--rate", rate]).stderr(Stdio::null());
                return Ok(Some(command));
            }
            Program::Rival { runs, script, .. } => (runs, script),
        };
        let target = target()?;
        let program = if runs.contains('/') { target.join(runs) } else { PathBuf::from(runs) };
        // What a script imports is looked for beside it.
        let (script, modules) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals").join(script), "rivals/node_modules");
        let needs = match self.name {
            "ws" => Some("ws"),
            "socketio" => Some("socket.io"),
            _ => None,
        };
        let missing = needs.is_some_and(|needs| !target.join(modules).join(needs).exists());
        if missing || (program.is_absolute() && !program.exists()) {
            return Ok(None);
        }
        let mut command = Command::new(program);
        command
            .arg(script)
            .arg(schedule)
            .env("NODE_PATH", target.join(modules))
            .env("NODE_ENV", "production");
        Ok(Some(command))
    }
}

/// A server of this program.
fn serve(word: &str, schedule: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", word]).arg(schedule);
    Ok(command)
}

/// Trust in the certificate of a folder.
fn trust(address: SocketAddr, folder: &Path) -> anyhow::Result<Option<Trust>> {
    let (url, ca) = (format!("wss://{address}/"), Some(folder.join("cert.pem")));
    let target = Endpoint { url, ca, token: None }.target()?;
    Ok(target.tls.map(|(config, name)| Trust::new(&config, name)))
}

/// Where cargo builds: this program is in it.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).context("a target folder")?.to_owned())
}

impl Subject {
    /// From now on so many updates a second.
    pub(crate) fn rate(&mut self, rate: u32) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("a server that runs")?;
        writeln!(input, "rate {rate}")?;
        Ok(input.flush()?)
    }

    /// The symbols of a market of its own.
    pub(crate) fn symbols(&self) -> anyhow::Result<Option<Vec<String>>> {
        if !self.has_market {
            return Ok(None);
        }
        let url = format!("ws://{}/v1/stream", self.address);
        let endpoint = Endpoint { url, token: self.token.clone(), ca: None };
        let (channels, all) = (["quotes".to_owned()], ["*".to_owned()]);
        let survey = Survey::of(&endpoint, &channels, &all, |_| anyhow::Ok(()));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Some(runtime.block_on(survey)?.symbols))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, with that of its children.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.family()?.into_iter().map(process::run_time).sum()
    }

    /// Memory in kB, with that of its children.
    pub(crate) fn resident_kb(&self) -> anyhow::Result<u64> {
        self.family()?.into_iter().map(process::resident_kb).sum()
    }

    fn family(&self) -> anyhow::Result<Vec<u32>> {
        let id = self.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let children = children.split_whitespace().map(str::parse);
        Ok([Ok(id)].into_iter().chain(children).collect::<Result<_, _>>()?)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // At the end of its input it ends, and ends what it has started.
        drop(self.input.take());
        for _ in 0..ENDINGS {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(ENDING / ENDINGS);
        }
        // It has no state that a kill could harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a server has to end by itself, and how often it is looked at.
const ENDING: Duration = Duration::from_secs(2);
const ENDINGS: u32 = 40;
