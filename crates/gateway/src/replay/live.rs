//! From what was recorded to what happens now: when a replay has come so far, and what is told of it then.

use std::sync::Arc;
use std::time::Duration;

use fanout::Stream;
use model::{Seq, Symbol};

use super::{Replay, Rest, Wishes};
use crate::limits::REPLAY_LOOK;

impl Replay {
    /// What is played is over, and what happens now is to follow.
    pub(crate) fn wants_live(&self) -> bool {
        // Who waits, waits; and nothing is between what was sent and what follows.
        let plays = self.is_out && self.clock.runs() && self.stage.due().is_none();
        plays
            && self.live
            && self.ended.is_some()
            && self.queue.is_empty()
            && self.seek.is_none()
            && self.look.is_none()
    }

    /// Input: it is looked for what was recorded since.
    pub(crate) fn look_later(&mut self, now: Duration) -> u32 {
        self.look = Some(now + REPLAY_LOOK);
        self.looks += 1;
        self.looks
    }

    /// The streams of it, and how far the client has each; and how far all of it was read.
    pub(crate) fn places(&self) -> (Vec<(Symbol, Stream, Seq)>, u64) {
        (self.stage.places(), self.position)
    }

    /// What it plays.
    pub(crate) fn wishes(&self) -> Arc<Wishes> {
        Arc::clone(&self.wishes)
    }

    /// What it waits for while it is not looked at.
    pub(crate) fn wait(&self) -> Rest {
        Rest::Until(self.due())
    }
}
