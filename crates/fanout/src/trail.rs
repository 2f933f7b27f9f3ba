//! Where a stream stood in the past: its places by position in the total order, ever coarser.

use model::Seq;

/// A bounded list of places, evenly spaced over all of a stream's past.
#[derive(Default)]
pub(crate) struct Trail {
    marks: Vec<(u64, Seq)>,
    /// Every so many events one is kept, as a power of two.
    stride: u32,
}

const MARKS_MAX: usize = 256;

impl Trail {
    pub(crate) fn note(&mut self, position: u64, seq: Seq) {
        if !seq.0.is_multiple_of(1 << self.stride) {
            return;
        }
        self.marks.push((position, seq));
        if self.marks.len() > MARKS_MAX {
            self.stride += 1;
            let stride = self.stride;
            self.marks.retain(|(_, seq)| seq.0.is_multiple_of(1 << stride));
        }
    }

    /// Its places, oldest first.
    pub(crate) fn marks(&self) -> Vec<(u64, Seq)> {
        self.marks.clone()
    }

    /// Goes on from the places of another one.
    pub(crate) fn restore(&mut self, marks: &[(u64, Seq)]) {
        for &(position, seq) in marks {
            self.note(position, seq);
        }
    }

    /// The newest place known at or before `position`.
    pub(crate) fn place_before(&self, position: u64) -> Seq {
        let after = self.marks.partition_point(|&(at, _)| at <= position);
        after.checked_sub(1).map_or(Seq::START, |at| self.marks[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_beyond_and_near_enough() {
        let mut trail = Trail::default();
        for seq in 1..=100_000_u64 {
            trail.note(seq * 3, Seq(seq));
        }
        assert!(trail.marks.len() <= MARKS_MAX);
        for position in [0, 2, 3, 1_000, 150_000, 299_999, 300_000, u64::MAX] {
            let real = (position / 3).min(100_000);
            let told = trail.place_before(position).0;
            assert!(told <= real && real - told <= 1_024, "{position}: {told}, not {real}");
        }
    }
}
