//! What a session's replays say, and when they are looked at.

use std::task::Context;
use std::time::Duration;

use super::{Core, Member};
use crate::replay::{Rest, Sink};

/// The shortest time to a moment at which a replay has something to say.
const APPOINTMENT_MIN: Duration = Duration::from_millis(1);

impl Member {
    /// Its moment has come.
    pub(in crate::shard) const fn keep_appointment(&mut self) {
        self.appointed = None;
    }

    /// Puts what replays have to say into the outbox.
    pub(super) fn play(&mut self, room: usize, core: &mut Core) {
        let mut cx = Context::from_waker(&self.handle.waker);
        let outbox = &mut self.outbox;
        let mut sink = Sink { send: &mut |message| outbox.message(message), room, events: 0 };
        let due = match self.session.play(&mut cx, &mut core.ctx(), &mut sink) {
            Rest::Until(due) => due,
            Rest::More => {
                // Others have their turn first.
                let waker = &self.handle.waker;
                waker.wake_by_ref();
                None
            }
        };
        // What is due and cannot be done yet is looked at again soon.
        let due = due.map(|due| due.max(core.now + APPOINTMENT_MIN));
        if self.appointed != due {
            let key = self.key();
            if let Some(before) = self.appointed {
                core.appointments.remove(&(before, key));
            }
            core.appointments.extend(due.map(|due| (due, key)));
            self.appointed = due;
        }
    }
}
