//! Looking after a server, for the service manager: ready, alive, going.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use gateway::Vitals;

use super::Manager;

/// What is looked at.
pub(crate) struct Look {
    pub(crate) manager: Manager,
    pub(crate) vitals: Vitals,
    /// Where it serves, for people.
    pub(crate) place: String,
    /// Whether a feed begins by itself, so that it can be waited for.
    pub(crate) has_feeds: bool,
    /// Whether somebody goes on with this one's work.
    pub(crate) is_followed: Box<dyn Fn() -> bool + Send>,
}

/// How often anything is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long a silent venue keeps a server from being ready: clients are served what there is.
const FIRST_EVENT: Duration = Duration::from_secs(10);

impl Look {
    /// Does so on a thread of its own, as long as the process lives. Where nobody wants to know, there is none.
    pub(crate) fn start(mut self) -> io::Result<()> {
        let Some(line) = self.manager.0.clone() else { return Ok(()) };
        // Three times in the time there is, should one be late.
        let every = line.watchdog.map(|watchdog| watchdog / 3);
        thread::Builder::new().name("manager".into()).spawn(move || {
            self.wait_until_ready();
            let (mut told, mut is_leaving, mut looked) = (None, false, Instant::now());
            loop {
                let feeds = self.vitals.feeds();
                if told.is_some_and(|told| told != feeds) && !is_leaving {
                    self.manager.tell(&format!("STATUS={}", self.status()));
                }
                told = Some(feeds);
                if !is_leaving && self.vitals.is_leaving() {
                    is_leaving = true;
                    self.manager.leaves((self.is_followed)());
                }
                // A turn of a shard takes its while: whoever looks twice in it would see none.
                if let Some(every) = every.map(|every| every.max(TICK))
                    && looked.elapsed() >= every
                {
                    looked = Instant::now();
                    if self.vitals.has_moved() {
                        self.manager.tell("WATCHDOG=1");
                    } else {
                        tracing::error!(
                            "a shard stands still: the service manager is not told that all is well"
                        );
                    }
                }
                thread::sleep(TICK.min(every.unwrap_or(TICK)));
            }
        })?;
        Ok(())
    }

    fn wait_until_ready(&self) {
        let began = Instant::now();
        let has_begun = || !self.has_feeds || self.vitals.feeds().0 > 0 || began.elapsed() >= FIRST_EVENT;
        while !(self.vitals.is_serving() && self.vitals.leads() && has_begun()) {
            if self.vitals.is_leaving() {
                return;
            }
            thread::sleep(TICK / 4);
        }
        self.manager.ready(&self.status());
    }

    fn status(&self) -> String {
        let (live, all) = self.vitals.feeds();
        format!("serving {}, {live} of {all} feeds live", self.place)
    }
}
