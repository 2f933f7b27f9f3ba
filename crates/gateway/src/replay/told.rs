//! What a replay says of itself.

use std::time::Duration;

use model::{Speed, UnixNanos};
use serde_json::{Number, Value};
use store::Damage;
use wire::{Control, Cursor, Epoch, ReplayState};

use super::Replay;
use crate::limits::REPLAY_TOLD;

/// A speed as the protocol writes it.
pub(crate) fn told(speed: Speed) -> Value {
    match speed.thousandths() {
        None => Value::from("max"),
        Some(factor) if factor.is_multiple_of(1_000) => Value::from(factor / 1_000),
        // At most seven digits: exact enough to be read back as it was written.
        Some(factor) => {
            let factor = f64::from(u32::try_from(factor).unwrap_or(u32::MAX)) / 1_000.0;
            Number::from_f64(factor).map_or(Value::Null, Value::Number)
        }
    }
}

/// A part of a recording that does not read, as clients are told of it: where it is on a disk is not their business.
pub(crate) fn damage(damage: &Damage) -> String {
    let file = damage.path.file_name().unwrap_or_default().to_string_lossy();
    let Damage { offset, bytes, what, positions, .. } = damage;
    let lost =
        positions.map(|(first, last)| format!("; positions {first} to {last} are lost")).unwrap_or_default();
    format!("{file}: bytes {offset} to {}: {what}{lost}", offset + bytes)
}

/// Which part of a span is over at a time, in steps of a ten-thousandth.
pub(super) fn progress(at: UnixNanos, (from, to): (UnixNanos, UnixNanos)) -> f64 {
    const STEPS: u32 = 10_000;
    let (all, over) = (u128::from(to.since(from)), u128::from(at.min(to).since(from)));
    let steps = (over * u128::from(STEPS)).checked_div(all).unwrap_or(0);
    f64::from(u32::try_from(steps).unwrap_or(STEPS)) / f64::from(STEPS)
}

impl Replay {
    /// Output: that what follows is live.
    pub(crate) fn hand_over(&mut self, cursor: String, now: Duration) -> String {
        self.state = ReplayState::Live;
        self.page = (self.ended.clone(), false);
        self.message(Some(cursor), now)
    }

    /// The next thing to say, if there is one. All is out that was played.
    pub(super) fn word(&mut self, now: Duration) -> Option<String> {
        let told = self.told.filter(|(state, _)| *state == self.state).map(|(_, at)| at);
        let again = self.state == ReplayState::Playing && told.is_some_and(|at| now >= at + REPLAY_TOLD);
        if told.is_some() && !again && !self.page.1 {
            return None;
        }
        self.told = Some((self.state, now));
        self.page.1 = false;
        Some(self.message(None, now))
    }

    fn message(&mut self, cursor: Option<String>, now: Duration) -> String {
        let position = match self.state {
            ReplayState::Finished => self.span.1,
            // What was recorded since is beyond what was known.
            _ if self.live => self.clock.time(now),
            _ => self.clock.time(now).min(self.span.1.max(self.span.0)),
        };
        let stands = Cursor { epoch: Epoch::of_replay(&self.name), position: self.stage.cursor };
        let late = std::mem::take(&mut self.late);
        let late_ms = u64::try_from(late.as_millis()).ok().filter(|_| !late.is_zero());
        let progress = if matches!(self.state, ReplayState::Finished | ReplayState::Live) {
            1.0
        } else {
            progress(position, self.span)
        };
        Control::Replay(Box::new(wire::Replay {
            replay: self.name.clone(),
            state: self.state,
            position: position.to_string(),
            cursor: cursor.unwrap_or_else(|| stands.to_string()),
            speed: told(self.clock.speed()),
            progress,
            records: self.records,
            digest: self.page.0.clone(),
            late_ms,
            damages: std::mem::take(&mut self.damages),
            message: self.fault.clone(),
            ts_sent: crate::clock::wall().to_string(),
        }))
        .to_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_progress() {
        for (speed, text) in
            [("10", "10"), ("0.5", "0.5"), ("0.001", "0.001"), ("1000", "1000"), ("max", "\"max\"")]
        {
            assert_eq!(told(speed.parse().unwrap()).to_string(), text);
        }
        let span = (UnixNanos(1_000), UnixNanos(3_000));
        for (at, part) in [(0, 0.0), (1_000, 0.0), (2_500, 0.75), (3_000, 1.0), (9_000, 1.0)] {
            assert_eq!(progress(UnixNanos(at), span).to_string(), f64::to_string(&part));
        }
        assert_eq!(progress(UnixNanos(5), (UnixNanos(5), UnixNanos(5))).to_string(), "0");
    }
}
