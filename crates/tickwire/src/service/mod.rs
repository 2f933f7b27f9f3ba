//! The service manager, where there is one: what it is told (`sd_notify(3)`), and what it gives (`sd_listen_fds(3)`).
//!
//! Words go to the datagram socket that `NOTIFY_SOCKET` names. Nobody waits for them, and a manager that does not listen
//! changes nothing.

mod look;
mod sockets;

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(crate) use look::Look;
pub(crate) use sockets::given;

/// Who is told how this process is; there may be nobody.
#[derive(Clone, Debug)]
pub(crate) struct Manager(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    address: SocketAddr,
    /// How long it may not hear that this goes on.
    watchdog: Option<Duration>,
    /// Told that it serves: what is told after a reload would say so too early.
    is_ready: AtomicBool,
    is_leaving: AtomicBool,
}

impl Manager {
    /// The one that has started this process.
    pub(crate) fn of_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Self(None) };
        let name = name.to_string_lossy();
        let address = match name.strip_prefix('@') {
            Some(rest) => SocketAddr::from_abstract_name(rest),
            None => SocketAddr::from_pathname(&*name),
        };
        let line = address.and_then(|address| Ok((UnixDatagram::unbound()?, address)));
        match line {
            Ok((socket, address)) => {
                let (is_ready, is_leaving) = <(AtomicBool, AtomicBool)>::default();
                Self(Some(Arc::new(Line { socket, address, watchdog: watchdog(), is_ready, is_leaving })))
            }
            Err(error) => {
                tracing::warn!("NOTIFY_SOCKET={name}: {error}: the service manager is told nothing");
                Self(None)
            }
        }
    }

    /// It serves, and how.
    fn ready(&self, status: &str) {
        if let Some(line) = &self.0 {
            line.is_ready.store(true, Ordering::Relaxed);
            line.tell(&format!("READY=1\nSTATUS={status}"));
        }
    }

    /// It reads its configuration again.
    pub(crate) fn reloading(&self) {
        if let Some(line) = &self.0 {
            // By this the manager knows which of its requests it was.
            let now = clock_gettime(ClockId::Monotonic);
            line.tell(&format!(
                "RELOADING=1\nMONOTONIC_USEC={}",
                now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
            ));
        }
    }

    /// It has, and serves as before or anew.
    pub(crate) fn reloaded(&self, is_good: bool) {
        let status = if is_good {
            "serving as it was told last"
        } else {
            "the configuration was refused: see the log"
        };
        match &self.0 {
            Some(line) if line.is_ready.load(Ordering::Relaxed) => self.ready(status),
            _ => self.tell(&format!("STATUS={status}")),
        }
    }

    /// It sends its clients away; told once. Where another process goes on with its work, the service does not stop.
    pub(crate) fn leaves(&self, is_followed: bool) {
        let is_new = self.0.as_ref().is_some_and(|line| !line.is_leaving.swap(true, Ordering::Relaxed));
        match is_followed {
            _ if !is_new => {}
            true => self.tell("STATUS=another process takes over: clients are sent there"),
            false => self.tell("STOPPING=1\nSTATUS=draining"),
        }
    }

    /// Another process is the service from now on.
    pub(crate) fn handed_over(&self, to: u32) {
        self.tell(&format!("MAINPID={to}\nSTATUS=handed over to process {to}"));
    }

    fn tell(&self, words: &str) {
        if let Some(line) = &self.0 {
            line.tell(words);
        }
    }
}

impl Line {
    fn tell(&self, words: &str) {
        if let Err(error) = self.socket.send_to_addr(words.as_bytes(), &self.address) {
            tracing::debug!("the service manager does not listen: {error}");
        }
    }
}

/// How long the manager waits for a sign of life of this process.
fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_meant = number("WATCHDOG_PID").is_none_or(|process| process == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|micros| is_meant && *micros > 0).map(Duration::from_micros)
}
