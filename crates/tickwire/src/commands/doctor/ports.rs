//! The ports, and the plant that has them, if one runs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::check::Checks;
use super::machine::Machine;
use super::owner::owner;
use crate::commands::admin::Admin;
use crate::commands::samples::Samples;
use crate::plant::runtime;

/// A plant that answers at the admin port.
pub(super) struct Running {
    status: String,
    feeds: serde_json::Value,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Ready {
    status: String,
    feeds: serde_json::Value,
}

const PATIENCE: Duration = Duration::from_secs(2);

/// The plant that answers there.
pub(super) fn running(admin: SocketAddr) -> Option<Running> {
    if admin.port() == 0 {
        return None;
    }
    let here = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let admin = Admin::new(&SocketAddr::new(here, admin.port()).to_string());
    runtime().ok()?.block_on(async {
        let ready = admin.get("/readyz", PATIENCE).await.ok()?;
        let Ready { status, feeds } = serde_json::from_str(&ready.body).ok()?;
        let metrics = admin.get("/metrics", PATIENCE).await.ok()?;
        let version = Samples::parse(&metrics.body).label("build_info", "version").map(str::to_owned);
        Some(Running { status, feeds, version })
    })
}

pub(super) fn check(
    listen: SocketAddr,
    admin: SocketAddr,
    handover: Option<&Path>,
    running: Option<&Running>,
    machine: &Machine,
) -> Checks {
    let mut checks = Checks::of("ports");
    if listen == admin && listen.port() != 0 {
        let advice = "admin_listen of [server] with another port";
        checks.fail("listen", format!("{listen} is both listen and admin_listen"), advice);
        return checks;
    }
    let plant = running.and_then(|_| owner(machine, admin));
    for (key, address) in [("listen", listen), ("admin_listen", admin)] {
        let bound = TcpListener::bind(address);
        let Err(error) = bound else {
            let seen = if address.port() == 0 { "any free port" } else { "free" };
            checks.ok(key, format!("{address} is {seen}"));
            continue;
        };
        let other = format!("{key} of [server] with another address");
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                let owner = owner(machine, address);
                // Where nobody can be looked into, who answers there is the best guess.
                if running.is_some() && owner == plant {
                    let pid = owner.map(|owner| format!(" (process {})", owner.pid)).unwrap_or_default();
                    let next = if handover.is_some() { "; a new one takes over from it" } else { "" };
                    checks.ok(key, format!("{address} is had by the plant that runs{pid}{next}"));
                    continue;
                }
                if owner.as_ref().is_some_and(|owner| owner.pid == 1 && owner.name == "systemd") {
                    checks.ok(key, format!("{address} is held by systemd, for the service that it starts"));
                    continue;
                }
                let (who, end) = owner.map_or_else(
                    || ("a process that cannot be looked into from here".to_owned(), "end it".to_owned()),
                    |owner| {
                        (
                            format!("{}, process {}", owner.name, owner.pid),
                            format!("end process {}", owner.pid),
                        )
                    },
                );
                checks.fail(key, format!("{address} is taken by {who}"), format!("{end}, or {other}"));
            }
            io::ErrorKind::PermissionDenied => {
                let seen =
                    format!("{address} is not for this user: ports below 1024 are for who may have them");
                let advice = format!(
                    "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit (deploy/README.md), or {other}"
                );
                checks.fail(key, seen, advice);
            }
            io::ErrorKind::AddrNotAvailable => {
                checks.fail(
                    key,
                    format!("no interface of this machine has the address {}", address.ip()),
                    other,
                );
            }
            _ => checks.fail(key, format!("{address} cannot be listened on: {error}"), other),
        }
    }
    if !admin.ip().is_loopback() {
        let seen = format!("{admin} can be reached by others, in plain");
        checks.warn(
            "admin_listen",
            seen,
            "admin_listen = \"127.0.0.1:9090\" in [server], or something before it",
        );
    }
    checks
}

/// How the plant is that runs.
pub(super) fn health(running: Option<&Running>) -> Checks {
    let mut checks = Checks::of("running plant");
    let Some(Running { status, feeds, version }) = running else {
        checks.ok("plant", "none runs at admin_listen");
        return checks;
    };
    match status.as_str() {
        "ready" => checks.ok("health", "ready"),
        "draining" => checks.warn("health", "draining: it goes away", "wait for its end"),
        other => {
            let seen = format!("{other}; feeds: {feeds}");
            checks.fail(
                "health",
                seen,
                "look at its feeds: tickwire top; deploy/runbooks/TickwireNoLiveFeed.md",
            );
        }
    }
    let ours = env!("CARGO_PKG_VERSION");
    match version.as_deref() {
        Some(version) if version == ours => checks.ok("version", format!("{version}, as this program")),
        Some(version) => {
            let advice = "start the plant again to have this one, or take its own doctor";
            checks.warn("version", format!("{version}; this program is {ours}"), advice);
        }
        None => checks.unknown("version", "it does not say"),
    }
    checks
}
