//! The process that goes on.

use std::io::{BufReader, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fanout::Kept;
use model::{Body, Placed};
use tokio::sync::mpsc;
use wire::{Cursor, Epoch};

use super::words::{Named, Speaker, Word, hear};
use super::{HandoverError, PATIENCE, Places, VERSION, descriptors};
use crate::accept::fits;

/// A process that goes on with what another one does.
pub struct Successor {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
    named: Named,
    inheritance: Option<Inheritance>,
    /// Not yet on its own.
    follows: Arc<AtomicBool>,
}

/// What there is to go on with.
pub(crate) struct Inheritance {
    pub(crate) epoch: Epoch,
    /// For clients, and for operators.
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) estate: Vec<Kept<Placed>>,
}

impl Successor {
    /// Asks the process that listens at `path` for what it has; `None` where there is none. Returns when all that
    /// its logs keep is here.
    ///
    /// # Errors
    /// See [`HandoverError`]. The other process goes on as if nothing had been.
    pub fn of(path: &Path) -> Result<Option<Self>, HandoverError> {
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        say(&stream, &Word::Hello { version: VERSION })?;
        let listeners = descriptors::receive(&stream).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => HandoverError::Silent,
            _ => error.into(),
        })?;
        let lines = BufReader::new(stream.try_clone()?);
        let mut successor = Self {
            stream,
            lines,
            named: Named::default(),
            inheritance: None,
            follows: Arc::new(AtomicBool::new(true)),
        };
        successor.inheritance = Some(successor.inherit(listeners)?);
        Ok(Some(successor))
    }

    fn inherit(&mut self, listeners: Vec<OwnedFd>) -> Result<Inheritance, HandoverError> {
        let (mut estate, mut epoch) = (Vec::new(), None);
        loop {
            match hear(&mut self.lines)?.ok_or(HandoverError::CutOff)? {
                Word::Begin { version: VERSION, server, epoch: named } => {
                    tracing::info!("taking over from {server}");
                    let cursor = format!("{named}:0").parse::<Cursor>();
                    epoch = Some(cursor.map_err(|error| HandoverError::Words(error.to_string()))?.epoch);
                }
                Word::Begin { version, .. } => {
                    return Err(HandoverError::Words(format!("version {version} instead of {VERSION}")));
                }
                Word::Instrument(instrument) => self.named.name(instrument),
                Word::Kept { events, closed, lost, trail, views } => estate.push(Kept {
                    events: self.named.placed(events)?,
                    closed: self.named.placed(closed)?,
                    lost,
                    trail,
                    views: views.into_iter().map(Into::into).collect(),
                }),
                Word::Whole { position } => {
                    tracing::info!(streams = estate.len(), position, "all that is kept is here");
                    let epoch = epoch.ok_or_else(|| HandoverError::Words("no beginning".into()))?;
                    let listeners = listeners.into_iter().map(TcpListener::from).collect();
                    return Ok(Inheritance { epoch, listeners, estate });
                }
                Word::Refused { reason } => return Err(HandoverError::Refused(reason)),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// What there is to go on with, once.
    pub(crate) fn take_inheritance(&mut self) -> Option<Inheritance> {
        self.inheritance.take()
    }

    /// True until the other one has ended.
    pub(crate) fn follows(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.follows)
    }

    /// Hands on what the other process sequences, until that ends; returns where its feeds are. Once nothing that it
    /// sequenced meanwhile is outstanding, the other one is told to send its clients here. Takes as long as it has any.
    ///
    /// # Errors
    /// The other process ended without a word.
    pub fn follow(mut self, sink: &mpsc::Sender<Vec<Placed>>) -> Result<Places, HandoverError> {
        // A market may be silent, and a drain long.
        self.stream.set_read_timeout(None)?;
        say(&self.stream, &Word::Mark)?;
        loop {
            match hear(&mut self.lines)?.ok_or(HandoverError::CutOff)? {
                Word::Instrument(instrument) => self.named.name(instrument),
                Word::Events(events) => {
                    let placed = self.named.placed(events)?;
                    sink.blocking_send(placed).map_err(|_| HandoverError::CutOff)?;
                }
                Word::Mark => say(&self.stream, &Word::Ready)?,
                Word::End { places } => {
                    self.follows.store(false, Ordering::Relaxed);
                    return Ok(places);
                }
                other => return Err(unexpected(&other)),
            }
        }
    }
}

impl Inheritance {
    /// The listener for clients (0) or operators (1), where it is one for that address.
    pub(crate) fn listener(&self, number: usize, address: SocketAddr) -> Option<TcpListener> {
        let listener = self.listeners.get(number)?;
        let local = listener.local_addr().ok()?;
        let fits = fits(local, address);
        if !fits {
            tracing::warn!(
                "{local} was served before, and is not any more: this process is to serve {address}"
            );
        }
        fits.then(|| listener.try_clone().ok()).flatten()
    }
}

fn say(stream: &UnixStream, word: &Word<&Body>) -> Result<(), HandoverError> {
    let mut stream = stream;
    let mut speaker = Speaker::new(&mut stream);
    speaker.say(word)?;
    Ok(speaker.flush()?)
}

fn unexpected(word: &Word<Body>) -> HandoverError {
    let said: String = format!("{word:?}").chars().take(60).collect();
    HandoverError::Words(format!("unexpected: {said}"))
}
