//! The process that hands over.

use std::fs;
use std::io::{BufReader, BufWriter, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::told::{CutOff, Listener, Told, line};
use super::words::{Speaker, Word, hear};
use super::{HandoverError, KEPT_ALL_MAX, KEPT_MAX, PATIENCE, Places, VERSION, descriptors};
use crate::hub::Pump;
use crate::queue::Events;
use crate::shard::{Estate, Order};

/// Waits for a process that goes on with what this one does.
pub struct Predecessor {
    path: PathBuf,
    registry: Arc<Registry>,
    places: SyncSender<Places>,
    thread: thread::JoinHandle<bool>,
}

/// Whether somebody goes on.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Clients were sent to somebody who follows, or did.
    was_ready: AtomicBool,
    /// Who follows, or did.
    process: AtomicU32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Nobody,
    Follows,
    /// It is too late to ask.
    Closed,
}

/// What a successor is given from.
pub struct Office {
    pub(crate) registry: Arc<Registry>,
    pub(crate) pump: Pump,
    pub(crate) shard: mpsc::Sender<Order>,
    pub(crate) listeners: [OwnedFd; descriptors::LISTENERS],
    pub(crate) epoch: String,
    /// Told when the successor serves.
    pub(crate) drain: Arc<Notify>,
    /// From then on operators are the successor's matter.
    pub(crate) over: watch::Sender<bool>,
}

/// How often somebody looks whether the other process is still there.
const LOOK: Duration = Duration::from_millis(100);

impl Predecessor {
    /// From now on it is too late to ask; tells whether somebody goes on with this.
    #[must_use]
    pub fn close(&self) -> bool {
        let follows = self.registry.swap(State::Closed) == State::Follows;
        if !follows {
            // Who follows has a socket of its own in this place.
            let _ = fs::remove_file(&self.path);
        }
        follows
    }

    /// Whether clients were sent to a successor. Where nobody follows any more, nobody serves them.
    #[must_use]
    pub fn has_sent_clients(&self) -> bool {
        self.registry.was_ready.load(Ordering::Relaxed)
    }

    /// Whether somebody follows who will go on with this.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.registry.is_followed()
    }

    /// The process that goes on.
    #[must_use]
    pub fn successor(&self) -> u32 {
        self.registry.process.load(Ordering::Relaxed)
    }

    /// Tells the successor where the feeds are, after all that was sequenced; false where it did not get that.
    #[must_use]
    pub fn finish(self, places: Places) -> bool {
        // Who has gone meanwhile needs no word.
        let _ = self.places.send(places);
        self.thread.join().unwrap_or(false)
    }
}

impl Registry {
    fn swap(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    fn is_followed(&self) -> bool {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) == State::Follows
    }

    /// Whether whoever asks may follow, and does from now on.
    fn enter(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let may = *state == State::Nobody;
        if may {
            *state = State::Follows;
        }
        may
    }

    /// Whoever followed does not any more; tells whether it is too late for another one.
    fn leave(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Follows {
            *state = State::Nobody;
        }
        *state == State::Closed
    }
}

impl Office {
    /// Lets another process ask at `path`, which is a socket that only the same user can open.
    ///
    /// # Errors
    /// The operating system's.
    pub fn listen(self, path: &Path) -> io::Result<Predecessor> {
        match fs::symlink_metadata(path) {
            // What a process left behind that is gone, or has handed over to this one.
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it exists and is no socket")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let registry = Arc::clone(&self.registry);
        let (places, given) = sync_channel(1);
        let thread =
            thread::Builder::new().name("handover".into()).spawn(move || self.run(&listener, &given))?;
        Ok(Predecessor { path: path.to_owned(), registry, places, thread })
    }

    /// Hands over to whoever asks, one at a time; true once somebody has everything, false where that cannot be any
    /// more.
    fn run(&self, listener: &UnixListener, places: &Receiver<Places>) -> bool {
        for stream in listener.incoming() {
            let served = stream.map_err(HandoverError::from).and_then(|stream| self.serve(&stream, places));
            match served {
                Ok(()) => return true,
                Err(error) => tracing::warn!("nobody takes over: {error}"),
            }
            self.pump.detach();
            if self.registry.leave() {
                return false;
            }
        }
        false
    }

    /// Hands over to whoever asks; returns when that one has everything.
    fn serve(&self, stream: &UnixStream, places: &Receiver<Places>) -> Result<(), HandoverError> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let another = || io::Error::new(ErrorKind::PermissionDenied, "another user asks");
        let process = descriptors::ours(stream)?.ok_or_else(another)?;
        let mut lines = BufReader::new(stream.try_clone()?);
        match hear(&mut lines)? {
            Some(Word::Hello { version: VERSION }) => {}
            Some(Word::Hello { version }) => {
                return refuse(stream, format!("it speaks version {VERSION}, not {version}"));
            }
            other => return Err(HandoverError::Words(format!("{other:?} instead of hello"))),
        }
        if !self.registry.enter() {
            return refuse(stream, "it is ending already".into());
        }
        self.registry.process.store(process, Ordering::Relaxed);
        // Events first, so that none is missed between what is kept and what follows.
        let (teller, events) = line();
        let since = self.pump.attach(teller);
        let (position, estate) = self.estate(since)?;
        tracing::info!(streams = estate.len(), position, "somebody takes over");
        descriptors::send(stream, &self.listeners)?;
        let mut speaker = Speaker::new(BufWriter::with_capacity(1 << 16, stream));
        let server = concat!("tickwire/", env!("CARGO_PKG_VERSION")).to_owned();
        speaker.say(&Word::Begin { version: VERSION, server, epoch: self.epoch.clone() })?;
        for kept in &estate {
            speaker.kept(kept)?;
        }
        drop(estate);
        speaker.say(&Word::Whole { position })?;
        speaker.flush()?;
        stream.set_read_timeout(None)?;
        let asked = Arc::<Asked>::default();
        self.listen_to(lines, &asked)?;
        follow(&mut speaker, &events, position, &asked)?;
        let places = places.recv_timeout(PATIENCE).map_err(|_| HandoverError::CutOff)?;
        speaker.say(&Word::End { places })?;
        Ok(speaker.flush()?)
    }

    /// Hears what the successor says while it is told everything.
    fn listen_to(&self, mut lines: BufReader<UnixStream>, asked: &Arc<Asked>) -> io::Result<()> {
        let (asked, drain, over) = (Arc::clone(asked), Arc::clone(&self.drain), self.over.clone());
        let registry = Arc::clone(&self.registry);
        thread::Builder::new().name("successor".into()).spawn(move || {
            while let Ok(Some(word)) = hear(&mut lines) {
                match word {
                    Word::Mark => asked.mark.store(true, Ordering::Relaxed),
                    Word::Ready => {
                        tracing::info!("the successor serves: clients are sent there");
                        registry.was_ready.store(true, Ordering::Relaxed);
                        over.send_replace(true);
                        drain.notify_one();
                    }
                    _ => break,
                }
            }
            asked.is_gone.store(true, Ordering::Relaxed);
        })?;
        Ok(())
    }

    /// What the logs keep, as of a moment not before `since`.
    fn estate(&self, since: u64) -> Result<Estate, HandoverError> {
        loop {
            let (reply, told) = oneshot::channel();
            let order = Order::Estate { since, most: KEPT_MAX, all: KEPT_ALL_MAX, reply };
            self.shard.blocking_send(order).map_err(|_| HandoverError::CutOff)?;
            match told.blocking_recv() {
                Ok(Some(estate)) => return Ok(estate),
                // The shard has not come so far.
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(_) => return Err(HandoverError::CutOff),
            }
        }
    }
}

/// What a successor has said meanwhile.
#[derive(Default)]
struct Asked {
    mark: AtomicBool,
    is_gone: AtomicBool,
}

/// Says why not.
fn refuse(stream: &UnixStream, reason: String) -> Result<(), HandoverError> {
    let mut speaker = Speaker::new(stream);
    // Where the listeners would be.
    speaker.blank()?;
    speaker.say(&Word::Refused { reason: reason.clone() })?;
    Err(HandoverError::Refused(reason))
}

/// Says all that is sequenced after `position`, until there is no more.
fn follow(
    speaker: &mut Speaker<impl io::Write>,
    events: &Listener,
    position: u64,
    asked: &Asked,
) -> Result<(), HandoverError> {
    let cut = |_: CutOff| HandoverError::CutOff;
    loop {
        let mut told = events.next(LOOK).map_err(cut)?;
        // A silent market tells nobody that the other one has ended.
        if told.is_none() && asked.is_gone.load(Ordering::Relaxed) {
            return Err(HandoverError::CutOff);
        }
        while let Some(word) = told {
            match word {
                Told::Events(batch) => say_after(speaker, &batch, position)?,
                Told::End => return Ok(speaker.flush()?),
            }
            told = events.next(Duration::ZERO).map_err(cut)?;
        }
        if asked.mark.swap(false, Ordering::Relaxed) {
            speaker.say(&Word::Mark)?;
        }
        speaker.flush()?;
    }
}

fn say_after(speaker: &mut Speaker<impl io::Write>, batch: &Events, position: u64) -> io::Result<()> {
    let mut new = batch.iter().filter(|event| event.position > position).peekable();
    if new.peek().is_some() { speaker.events(new) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use model::Body;

    use super::*;

    #[test]
    fn one_at_a_time_and_none_too_late() {
        let registry = Registry::default();
        assert!(registry.enter());
        assert!(!registry.enter());
        assert!(!registry.leave());
        assert!(registry.enter());
        assert_eq!(registry.swap(State::Closed), State::Follows);
        assert!(registry.leave());
        assert!(!registry.enter());
    }

    #[test]
    fn a_word_is_a_line() {
        let mut out = Vec::new();
        Speaker::new(&mut out).say(&Word::<&Body>::Whole { position: 7 }).unwrap();
        assert_eq!(out, b"{\"whole\":{\"position\":7}}\n");
        let mut lines = &out[..];
        assert!(matches!(hear(&mut lines), Ok(Some(Word::Whole { position: 7 }))));
        assert!(matches!(hear(&mut lines), Ok(None)));
        assert!(hear(&mut &b"{\"hello\":{\"version\":\"x\"}}\n"[..]).is_err());
    }
}
