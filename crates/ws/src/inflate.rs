//! Inflating one message (RFC 7692, 7.2.2), piece by piece.

use std::cell::Cell;

use flate2::{Decompress, FlushDecompress, Status};

use crate::Fault;

thread_local! {
    /// A state that no message is using: making one costs more than a short message.
    static SPARE: Cell<Option<Decompress>> = const { Cell::new(None) };
}

/// The state of one message. There is none between messages: clients were told to forget theirs.
pub(crate) struct Inflater(Option<Decompress>);

/// What is inflated at a time, in bytes. Nothing beyond that is made above the limit.
const STEP: usize = 4 << 10;
/// What a sender leaves out at the end of every message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// An empty last block. It is understood only where a block may begin.
const LAST: [u8; 2] = [3, 0];

impl Inflater {
    pub(crate) fn new() -> Self {
        let spare = SPARE.with(Cell::take);
        // The largest window reads what was made with any.
        Self(Some(spare.unwrap_or_else(|| Decompress::new(false))))
    }

    /// Inflates the next bytes into `sink`, which says when it is too much.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Some(state) = &mut self.0 else { return Err(Fault::Deflate) };
        let mut step = [0; STEP];
        loop {
            let (status, used, made) = inflate(state, bytes, &mut step);
            bytes = &bytes[used..];
            // What stands before the damage is judged first, however the message was cut.
            sink(&step[..made])?;
            match status? {
                // A sender may mark a block as the last one; another begins with the next byte.
                Status::StreamEnd => state.reset(false),
                _ if made == STEP => continue,
                _ if bytes.is_empty() => return Ok(()),
                _ if used == 0 && made == 0 => return Err(Fault::Deflate),
                _ => {}
            }
            if bytes.is_empty() {
                return Ok(());
            }
        }
    }

    /// Inflates what was held back, and makes sure that the message ended where a block did.
    pub(crate) fn finish(&mut self, sink: impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        self.push(&TAIL, sink)?;
        let Some(state) = &mut self.0 else { return Err(Fault::Deflate) };
        match inflate(state, &LAST, &mut [0; 1]) {
            (Ok(Status::StreamEnd), 2, 0) => Ok(()),
            _ => Err(Fault::Deflate),
        }
    }
}

/// One step: how it went, how much it used and made.
fn inflate(state: &mut Decompress, bytes: &[u8], into: &mut [u8]) -> (Result<Status, Fault>, usize, usize) {
    let (used, made) = (state.total_in(), state.total_out());
    let status = state.decompress(bytes, into, FlushDecompress::None).map_err(|_| Fault::Deflate);
    let count = |after, before| usize::try_from(after - before).unwrap_or(usize::MAX);
    (status, count(state.total_in(), used), count(state.total_out(), made))
}

impl Drop for Inflater {
    fn drop(&mut self) {
        if let Some(mut state) = self.0.take() {
            state.reset(false);
            // The thread may be on its way out.
            let _ = SPARE.try_with(|spare| spare.set(Some(state)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflated(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        let mut sink = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            if out.len() > limit { Err(Fault::MessageTooLong) } else { Ok(()) }
        };
        let mut inflater = Inflater::new();
        inflater.push(bytes, &mut sink)?;
        inflater.finish(&mut sink)?;
        Ok(out)
    }

    /// The examples of RFC 7692, 7.2.3, and what is none.
    #[test]
    fn blocks() {
        let hello = Ok(b"Hello".to_vec());
        for (bytes, expected) in [
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], hello.clone()),
            // Not compressed.
            (&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], hello.clone()),
            // A last block, and an empty one behind it.
            (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], hello.clone()),
            // Two blocks.
            (&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00], hello),
            (&[0x00], Ok(Vec::new())),
            (&[], Err(Fault::Deflate)),
            (&[0xf2, 0x48, 0xcd], Err(Fault::Deflate)),
            (&[0x06, 0x01], Err(Fault::Deflate)),
            (&[0xff; 20], Err(Fault::Deflate)),
        ] {
            assert_eq!(inflated(bytes, 100), expected, "{bytes:x?}");
        }
    }

    /// A block that refers to what came before the message finds nothing there.
    #[test]
    fn nothing_is_remembered() {
        assert_eq!(inflated(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 100), Ok(b"Hello".to_vec()));
        assert_eq!(inflated(&[0xf2, 0x00, 0x11, 0x00, 0x00], 100), Err(Fault::Deflate));
    }
}
