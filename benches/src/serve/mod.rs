//! The servers that are measured and are of this program: each in a process of its own.
//!
//! All of them read a schedule, say `ready PORT [TOKEN]` and obey `rate N` on standard input.

mod broadcast;
mod floor;
mod nats;
mod tickwire;
mod wire;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::schedule::Schedule;

#[derive(Args)]
pub(crate) struct ServeArgs {
    server: Kind,
    schedule: PathBuf,
    /// With TLS: a folder with cert.pem and key.pem
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
}

/// Servers of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The gateway and its hub, fed at an exact rate
    Tickwire,
    /// No logic: one write per update
    Floor,
    /// No logic: all that waits for a connection in one write
    FloorBatched,
    /// axum, and a broadcast channel of tokio per symbol
    Broadcast,
    /// nats-server, and a publisher
    Nats,
}

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let schedule = Schedule::read(&args.schedule)?;
    let pem = |folder: &PathBuf| gateway::Tls {
        cert_file: folder.join("cert.pem"),
        key_file: folder.join("key.pem"),
    };
    let tls = args.tls.as_ref().map(pem);
    match args.server {
        Kind::Tickwire => tickwire::run(schedule, tls),
        Kind::Floor => floor::run(schedule, false, tls.as_ref()),
        Kind::FloorBatched => floor::run(schedule, true, tls.as_ref()),
        Kind::Nats => nats::run(schedule),
        Kind::Broadcast => broadcast::run(schedule),
    }
}
