//! How often each subject may ask over plain HTTP, where every request is a session of its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wire::ErrorCode;

use crate::bucket::Bucket;
use crate::clock;
use crate::limits::SUBJECTS_KEPT;
use crate::problem::Problem;

/// What each subject has asked lately.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<Box<str>, Bucket>>);

impl Rates {
    /// Lets a request pass.
    ///
    /// # Errors
    /// The subject has had as many as it may.
    pub(crate) fn pass(&self, subject: &str, per_second: u32) -> Result<(), Problem> {
        let now = clock::now();
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= SUBJECTS_KEPT && !rates.contains_key(subject) {
            // Whoever has paid for all is as good as new.
            rates.retain(|_, bucket| bucket.owes(now));
        }
        match rates.entry(subject.into()).or_default().take(per_second, now) {
            None => Ok(()),
            Some(wait) => {
                let detail = format!("Too many requests of {subject:?}. Wait {} ms.", wait.as_millis());
                Err(Problem::of(ErrorCode::RateLimited, detail).retry_after(wait))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_has_its_own_rate() {
        let rates = Rates::default();
        let passed = |subject| (0..1_000).take_while(|_| rates.pass(subject, 20).is_ok()).count();
        assert!((40..60).contains(&passed("alice")));
        assert!((40..60).contains(&passed("bob")), "alice is no matter of his");
        let refused = rates.pass("alice", 20).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.headers.len()), (429, 1));
    }

    #[test]
    fn those_who_are_silent_are_forgotten() {
        let rates = Rates::default();
        for n in 0..2 * SUBJECTS_KEPT {
            rates.pass(&n.to_string(), u32::MAX).unwrap();
        }
        assert!(rates.0.lock().unwrap().len() <= SUBJECTS_KEPT);
    }
}
