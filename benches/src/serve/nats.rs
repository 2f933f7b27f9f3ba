//! nats-server with its WebSocket, and a publisher of ours beside it. Both count as the server.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::schedule::{Pace, Schedule, write_update};
use crate::subject::{NATS, target};

/// Ends with its owner.
struct Nats(Child);

impl Drop for Nats {
    fn drop(&mut self) {
        // It has no state that a kill could harm.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes that wait for a client at most: a thousand of them must fit into memory.
const PENDING_MAX: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(schedule: Schedule) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (clients, sockets) = (free()?, free()?);
    let config = folder.path().join("nats.conf");
    let text = format!(
        "listen: \"{clients}\"\nwebsocket {{ listen: \"{sockets}\", no_tls: true }}\nmax_pending: {PENDING_MAX}\nlogfile: \"/dev/null\"\n"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(target()?.join(NATS));
    command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let nats = Nats(command.spawn().context("nats-server")?);
    let mut stream = connect(clients)?;
    connect(sockets)?;
    stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")?;
    let mut pace = Pace::from_input(schedule.order, move || drop(nats));
    println!("ready {}", sockets.port());
    let (mut due, mut out, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let mut sequences = vec![0; schedule.symbols.len()];
    loop {
        pace.wait(&mut due);
        for update in due.drain(..) {
            let (name, sequence) = (&schedule.symbols[update.symbol], &mut sequences[update.symbol]);
            *sequence += 1;
            text.clear();
            write_update(&mut text, name, *sequence, update.at);
            write!(out, "PUB {name} {}\r\n", text.len())?;
            out.extend_from_slice(&text);
            out.extend_from_slice(b"\r\n");
        }
        if stream.write_all(&out).is_err() {
            // It was ended, and so are we.
            return Ok(());
        }
        out.clear();
    }
}

/// An address nobody listens on.
fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn connect(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Ok(stream) = TcpStream::connect(to) {
            stream.set_nodelay(true)?;
            return Ok(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("nats-server does not listen on {to}")
}
