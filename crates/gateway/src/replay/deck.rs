//! The tape of a replay, and what is done with it in a thread that may wait for a disk.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use store::StoreError;
use tokio::task::{JoinHandle, spawn_blocking};

use super::tape::{Begin, Piece, Tape};
use super::{Replay, Target};
use crate::limits::REPLAY_EVENTS_AHEAD;

/// Where the tape is.
pub(super) enum Deck {
    /// Here.
    Idle(Box<Tape>),
    /// Being read.
    Busy(JoinHandle<(Box<Tape>, Done)>),
    /// It is no good any more.
    Gone,
}

/// What was done with it.
pub(super) enum Done {
    Read(Piece),
    Sought(Result<Begin, StoreError>, Target),
    Broken(StoreError),
}

impl Replay {
    /// Takes what was read, and has the next thing done.
    pub(super) fn poll_deck(&mut self, cx: &mut Context<'_>, now: Duration) {
        loop {
            match &mut self.deck {
                Deck::Gone => return,
                Deck::Idle(_) => {
                    if !self.start() {
                        return;
                    }
                }
                Deck::Busy(work) => match Pin::new(work).poll(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok((tape, done))) => {
                        self.deck = Deck::Idle(tape);
                        self.done(done, now);
                    }
                    Poll::Ready(Err(_)) => {
                        self.deck = Deck::Gone;
                        self.fail(
                            "The recording could not be read because of a fault of this server.".to_owned(),
                        );
                    }
                },
            }
        }
    }

    /// Has the tape sought or read, where that is needed.
    fn start(&mut self) -> bool {
        let target = self.seek.take();
        let refreshes = target.is_none() && std::mem::take(&mut self.refreshes);
        let reads =
            self.ended.is_none() && self.fault.is_none() && self.queue.len() < REPLAY_EVENTS_AHEAD / 2;
        if target.is_none() && !reads {
            return false;
        }
        let Deck::Idle(mut tape) = std::mem::replace(&mut self.deck, Deck::Gone) else { return false };
        // What is under way keeps its place, whatever becomes of the replay.
        let playing = Arc::clone(&self.playing);
        self.deck = Deck::Busy(spawn_blocking(move || {
            let done = match target {
                Some(target) => Done::Sought(tape.seek(target.at), target),
                None if refreshes => match tape.refresh() {
                    Ok(()) => Done::Read(tape.read()),
                    Err(error) => Done::Broken(error),
                },
                None => Done::Read(tape.read()),
            };
            drop(playing);
            (tape, done)
        }));
        true
    }

    fn done(&mut self, done: Done, now: Duration) {
        // It is wanted elsewhere by now.
        if self.seek.is_some() {
            return;
        }
        match done {
            Done::Read(piece) => self.take(piece),
            Done::Sought(Ok(begin), target) => self.begin(&begin, target.time, now),
            Done::Sought(Err(error), _) | Done::Broken(error) => {
                tracing::warn!(session = &*self.session, replay = self.name, "a replay ends: {error}");
                self.fail("The recording does not read any more.".to_owned());
            }
        }
    }
}
