//! Deflating one message (RFC 7692, 7.2.1), and the windows that can be asked for.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress};

/// Below this many bytes a message is not worth compressing: 10 µs of work for a fifth of its size.
pub const DEFLATE_BYTES_MIN: usize = 256;
/// Above this many bytes compressing would hold up others for too long: some 5 ms at the limit.
pub const DEFLATE_BYTES_MAX: usize = 1 << 20;

/// How hard it tries. On JSON, more effort than this takes longer and saves next to nothing.
const LEVEL: Compression = Compression::new(3);
/// What is left out at the end of every message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The base-2 logarithm of a window's size, 9 to 15: how far back a compressed message refers.
///
/// RFC 7692 also knows 8, which raw deflate cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// How many there are.
    pub(crate) const COUNT: usize = 7;
    /// The largest window: 32 KiB.
    pub const MAX: Self = Self(15);

    /// A window of 2^`bits` bytes.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if matches!(bits, 9..=15) { Some(Self(bits)) } else { None }
    }

    /// The logarithm.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0 - 9)
    }
}

thread_local! {
    /// States by window, made when first needed: a quarter of a MiB each.
    static STATES: RefCell<[Option<Compress>; WindowBits::COUNT]> = const { RefCell::new([const { None }; WindowBits::COUNT]) };
}

/// Appends `payload`, compressed, to `out`. False where that would not make it shorter.
pub(crate) fn deflate(payload: &[u8], window: WindowBits, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    let done = STATES.with_borrow_mut(|states| {
        let state = states[window.index()]
            .get_or_insert_with(|| Compress::new_with_window_bits(LEVEL, false, window.bits()));
        state.reset();
        let mut used = 0;
        loop {
            // Room to spare tells that all of the flush has come out.
            out.reserve(payload.len() / 2 + 64);
            state.compress_vec(&payload[used..], out, FlushCompress::Sync).ok()?;
            used = usize::try_from(state.total_in()).ok()?;
            if used == payload.len() && out.len() < out.capacity() {
                return Some(());
            }
        }
    });
    let tail = out.len().saturating_sub(TAIL.len());
    if done.is_none() || tail < begin || out[tail..] != TAIL {
        return false;
    }
    out.truncate(tail);
    out.len() - begin < payload.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inflate::Inflater;

    fn inflated(bytes: &[u8]) -> Vec<u8> {
        let (mut inflater, mut out) = (Inflater::new(), Vec::new());
        let mut sink = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        inflater.push(bytes, &mut sink).unwrap();
        inflater.finish(&mut sink).unwrap();
        out
    }

    #[test]
    fn every_window() {
        let records = (0..20_000).map(|n| format!("{{\"symbol\":\"BTC-USD\",\"sequence\":{n}}}"));
        let text = records.collect::<Vec<_>>().join(",");
        for bits in 9..=15 {
            let mut out = b"before".to_vec();
            assert!(deflate(text.as_bytes(), WindowBits::new(bits).unwrap(), &mut out), "{bits}");
            assert!(out.len() < text.len() / 3, "{bits}: {}", out.len());
            assert_eq!(inflated(&out[6..]), text.as_bytes(), "{bits}");
        }
        assert_eq!(WindowBits::new(8), None);
        assert_eq!(WindowBits::new(16), None);
    }

    #[test]
    fn noise_does_not_get_shorter() {
        let mut seed = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed.to_be_bytes()[0]
        })
        .take(100_000)
        .collect();
        assert!(!deflate(&noise, WindowBits::MAX, &mut Vec::new()));
    }
}
