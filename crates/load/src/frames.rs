//! Counting what comes in, frame by frame, without building anything from it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::tally::Tally;

/// In every record, once.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK_BYTES));
const MARK_BYTES: &[u8] = b"\"sequence\":";
/// No record is shorter: behind a mark, so many bytes need no look.
const RECORD_MIN: usize = 128;

/// Where in a client's stream of frames the last read ended.
#[derive(Default)]
pub(crate) struct Walker {
    /// A header that came in part.
    head: [u8; 10],
    had: usize,
    /// Bytes of the payload that have not come.
    left: u64,
    data: bool,
    /// The end of a payload that came in part: a mark may have been cut.
    tail: [u8; MARK_BYTES.len() - 1],
    tailed: usize,
}

impl Walker {
    /// Takes what was read. `many`: a message may have many records, so that they must be looked for.
    pub(crate) fn take(&mut self, mut bytes: &[u8], many: bool, tally: &mut Tally) {
        while !bytes.is_empty() {
            if self.left == 0 {
                let Some(rest) = self.header(bytes, tally) else { return };
                bytes = rest;
                if self.data && !many && self.left > 0 {
                    let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                    tally.record(&bytes[..here]);
                }
            }
            let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (payload, rest) = bytes.split_at(here);
            self.left -= here as u64;
            if self.data && many {
                self.records(payload, tally);
            }
            bytes = rest;
        }
    }

    /// Reads a header; `None` where it is not all here.
    fn header<'a>(&mut self, bytes: &'a [u8], tally: &mut Tally) -> Option<&'a [u8]> {
        let mut used = 0;
        loop {
            if let Some((length, left)) = parse(&self.head[..self.had]) {
                debug_assert_eq!(length, self.had);
                (self.left, self.data, self.had, self.tailed) = (left, self.head[0] & 0x0F < 8, 0, 0);
                tally.frames += 1;
                return Some(&bytes[used..]);
            }
            self.head[self.had] = *bytes.get(used)?;
            (self.had, used) = (self.had + 1, used + 1);
        }
    }

    fn records(&mut self, payload: &[u8], tally: &mut Tally) {
        let mut at = 0;
        // What was before and the beginning of this: a mark that was cut is in there whole.
        let mut seam = [0; 2 * (MARK_BYTES.len() - 1)];
        let head = payload.len().min(self.tail.len());
        let seamed = self.tailed + head;
        if self.tailed > 0 || self.left > 0 {
            seam[..self.tailed].copy_from_slice(&self.tail[..self.tailed]);
            seam[self.tailed..seamed].copy_from_slice(&payload[..head]);
        }
        if self.tailed > 0 && MARK.find(&seam[..seamed]).is_some() {
            tally.record(payload);
        }
        while let Some(found) = payload.get(at..).and_then(|rest| MARK.find(rest)) {
            tally.record(&payload[at + found..]);
            at += found + RECORD_MIN;
        }
        self.tailed = 0;
        if self.left > 0 {
            let whole = if head < self.tail.len() { &seam[..seamed] } else { payload };
            self.tailed = whole.len().min(self.tail.len());
            self.tail[..self.tailed].copy_from_slice(&whole[whole.len() - self.tailed..]);
        }
    }
}

/// Length of a frame's header and of its payload, once the header is all there.
pub(crate) fn parse(head: &[u8]) -> Option<(usize, u64)> {
    match *head.get(1)? & 0x7F {
        126 => Some((4, u64::from(u16::from_be_bytes(head.get(2..4)?.try_into().ok()?)))),
        127 => Some((10, u64::from_be_bytes(head.get(2..10)?.try_into().ok()?))),
        short => Some((2, u64::from(short))),
    }
}

#[cfg(test)]
mod tests {
    use model::UnixNanos;

    use super::*;
    use crate::clock::{Stamp, now};

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            short @ ..126 => frame.push(u8::try_from(short).unwrap()),
            long @ ..65_536 => {
                frame.push(126);
                frame.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
            longer => {
                frame.push(127);
                frame.extend((longer as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    fn count(stream: &[u8], chunk: usize, many: bool) -> (u64, u64) {
        let (mut walker, mut tally) = (Walker::default(), Tally::new(Stamp::Event, 0));
        stream.chunks(chunk).for_each(|chunk| walker.take(chunk, many, &mut tally));
        (tally.frames, tally.records)
    }

    fn update(at: UnixNanos) -> Vec<u8> {
        let prices =
            "\"bid_price\":\"100.04\",\"bid_size\":\"1.500\",\"ask_price\":\"101.04\",\"ask_size\":\"0.310\"";
        format!(
            "{{\"symbol\":\"S000-USD\",\"sequence\":771204,{prices},\"ts_event\":\"{at}\",\"ts_recv\":\"{at}\"}}"
        )
        .into_bytes()
    }

    #[test]
    fn every_record_is_counted_however_it_is_cut() {
        let update = update(now());
        assert!((190..220).contains(&update.len()), "{}", update.len());
        let message =
            [b"{\"type\":\"update\",\"data\":[", update.as_slice(), b",", update.as_slice(), b"]}"].concat();
        let ping = [0x89, 0];
        let batch = update.repeat(400);
        let stream = [frame(&message), ping.to_vec(), frame(b"{}"), frame(&batch), frame(&message)].concat();
        for chunk in (1..50).chain([250, 1_000, 100_000]) {
            assert_eq!(count(&stream, chunk, true), (5, 404), "{chunk}");
        }
        let single = [frame(&update), frame(&update), ping.to_vec(), frame(&update)].concat();
        for chunk in [1, 2, 3, 7, 100, 10_000] {
            assert_eq!(count(&single, chunk, false), (4, 3), "{chunk}");
        }
    }

    #[test]
    fn an_age_is_that_of_the_stamp() {
        for (stamp, ahead, least) in [(Stamp::Event, 0, 2_000), (Stamp::Received, 3_000_000_000, 5_000)] {
            let (mut walker, mut tally) = (Walker::default(), Tally::new(stamp, ahead));
            tally.restart(1);
            walker.take(&frame(&update(UnixNanos(now().0 - 2_000_000_000))), true, &mut tally);
            let age = tally.ages.max() / 1_000;
            assert!((least..least + 500).contains(&age), "{age}");
        }
    }
}
