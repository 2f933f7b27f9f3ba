//! Taking over from another process, and handing over to one.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use gateway::{Hub, Office, Predecessor, Server, Successor};

/// The process to take over from, where one hands over at `path`.
pub(crate) fn predecessor(path: &Path) -> anyhow::Result<Option<Successor>> {
    Successor::of(path).with_context(|| format!("a process hands over at {}", path.display()))
}

/// Where another process may ask to go on with what this one does.
pub(crate) struct Desk(Mutex<State>);

enum State {
    /// Not open yet: this process may itself be going on with another one's work.
    Prepared(Option<(Office, PathBuf)>),
    Open(Predecessor),
    Closed,
}

impl Desk {
    pub(crate) fn new(server: &Server, hub: &Hub, path: Option<PathBuf>) -> anyhow::Result<Self> {
        let office = path.map(|path| anyhow::Ok((server.office(hub)?, path))).transpose()?;
        Ok(Self(Mutex::new(State::Prepared(office))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on another process may ask.
    pub(crate) fn open(&self) -> anyhow::Result<()> {
        let mut state = self.state();
        if let State::Prepared(office) = &mut *state
            && let Some((office, path)) = office.take()
        {
            let context = || format!("[server] handover = \"{}\"", path.display());
            *state = State::Open(office.listen(&path).with_context(context)?);
        }
        Ok(())
    }

    /// Whether somebody follows who will go on with this.
    pub(crate) fn is_followed(&self) -> bool {
        matches!(&*self.state(), State::Open(predecessor) if predecessor.is_followed())
    }

    /// From now on it is too late; the one that goes on, if there is one.
    ///
    /// # Errors
    /// Clients were sent to one that is not there any more.
    pub(crate) fn close(&self) -> anyhow::Result<Option<Predecessor>> {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            State::Open(predecessor) if predecessor.close() => Ok(Some(predecessor)),
            State::Open(predecessor) if predecessor.has_sent_clients() => {
                bail!("the successor has ended, and nobody serves the clients that were sent to it")
            }
            _ => Ok(None),
        }
    }
}
