//! The process that hands over.

use std::fs;
use std::io::{BufReader, BufWriter, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::{Notify, mpsc, oneshot};

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
    thread: thread::JoinHandle<()>,
}

/// Whether somebody goes on.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<State>);

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
}

/// How often somebody looks whether the other process is still there.
const LOOK: Duration = Duration::from_secs(1);

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

    /// Tells the successor where the feeds are, after all that was sequenced.
    pub fn finish(self, places: Places) {
        // Who has gone meanwhile needs no word.
        let _ = self.places.send(places);
        let _ = self.thread.join();
    }
}

impl Registry {
    fn swap(&self, state: State) -> State {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Whether whoever asks may follow, and does from now on.
    fn enter(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = *state == State::Nobody;
        if may {
            *state = State::Follows;
        }
        may
    }

    /// Whoever followed does not any more.
    fn leave(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Follows {
            *state = State::Nobody;
        }
    }
}

impl Office {
    /// Lets another process ask at `path`, which is a socket that only the same user can open.
    ///
    /// # Errors
    /// The operating system's.
    pub fn listen(self, path: &Path) -> io::Result<Predecessor> {
        // What a process left behind that is gone, or has handed over to this one.
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let registry = Arc::clone(&self.registry);
        let (places, given) = sync_channel(1);
        let thread =
            thread::Builder::new().name("handover".into()).spawn(move || self.run(&listener, &given))?;
        Ok(Predecessor { path: path.to_owned(), registry, places, thread })
    }

    fn run(&self, listener: &UnixListener, places: &Receiver<Places>) {
        for stream in listener.incoming() {
            let served = stream.map_err(HandoverError::from).and_then(|stream| self.serve(&stream, places));
            match served {
                Ok(()) => return,
                Err(error) => tracing::warn!("nobody takes over: {error}"),
            }
            self.registry.leave();
        }
    }

    /// Hands over to whoever asks; returns when that one has everything.
    fn serve(&self, stream: &UnixStream, places: &Receiver<Places>) -> Result<(), HandoverError> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        if !descriptors::is_ours(stream)? {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "another user asks").into());
        }
        let mut lines = BufReader::new(stream.try_clone()?);
        match hear(&mut lines)? {
            Some(Word::Hello { version: VERSION }) => {}
            other => return Err(HandoverError::Words(format!("{other:?} instead of hello"))),
        }
        if !self.registry.enter() {
            return Err(HandoverError::Words("a second one asks, or it is too late".into()));
        }
        // Events first, so that none is missed between what is kept and what follows.
        let (sender, events) = sync_channel(super::BATCHES_MAX);
        let since = self.pump.attach(sender);
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
        let (drain, is_gone) = (Arc::clone(&self.drain), Arc::new(AtomicBool::new(false)));
        let gone = Arc::clone(&is_gone);
        thread::Builder::new().name("successor".into()).spawn(move || {
            while let Ok(Some(word)) = hear(&mut lines) {
                if matches!(word, Word::Ready) {
                    tracing::info!("the successor serves: clients are sent there");
                    drain.notify_one();
                }
            }
            gone.store(true, Ordering::Relaxed);
        })?;
        follow(&mut speaker, &events, position, &is_gone)?;
        let places = places.recv_timeout(PATIENCE).map_err(|_| HandoverError::CutOff)?;
        speaker.say(&Word::End { places })?;
        Ok(speaker.flush()?)
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

/// Says all that is sequenced after `position`, until there is no more.
fn follow(
    speaker: &mut Speaker<impl io::Write>,
    events: &Receiver<Events>,
    position: u64,
    is_gone: &AtomicBool,
) -> Result<(), HandoverError> {
    loop {
        match events.recv_timeout(LOOK) {
            Ok(batch) => say_after(speaker, &batch, position)?,
            // A silent market tells nobody that the other one has ended.
            Err(RecvTimeoutError::Timeout) if is_gone.load(Ordering::Relaxed) => {
                return Err(HandoverError::CutOff);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        for batch in events.try_iter() {
            say_after(speaker, &batch, position)?;
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
        registry.leave();
        assert!(registry.enter());
        assert_eq!(registry.swap(State::Closed), State::Follows);
        registry.leave();
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
