//! TotalView-ITCH 5.0 of Nasdaq, its BX and its PSX: captures of `MoldUDP64`, and files of messages one after the other (`BinaryFILE`).

mod day;
mod exchange;
mod market;
mod message;
mod mold;
#[cfg(test)]
mod tests;

use model::{Date, Tick};

use super::bytes::Window;
use super::error::BinaryError;
use super::net::{Feed, Reads, is_capture};
use crate::capture::Input;
use crate::error::FeedError;
use crate::note::Note;
use crate::reader::{Decoder, Spot, Step};
use day::{Day, named};
use exchange::Exchange;
use market::Market;
use mold::Mold;

/// Bytes before a message that say how long it is.
const LENGTH_BYTES: usize = 2;

pub(super) struct Itch {
    source: Source,
    /// The day that was given.
    date: Option<Date>,
    /// Every exchange of which there was a file, and which one's is read.
    molds: Vec<Mold>,
    at: usize,
}

enum Source {
    Closed,
    /// A file of which nothing was seen yet, and the day that its name says.
    New(Window, Option<Date>),
    Capture(Feed),
    /// Messages alone, and how many were read.
    Messages(Window, u64),
}

/// Messages whose orders are fetched together: one by one, each waits for memory.
const WARMED: usize = 8;

impl Itch {
    /// A decoder; `date` is the day of files that do not say theirs.
    pub(super) fn new(date: Option<Date>) -> Self {
        Self { source: Source::Closed, date, molds: Vec::new(), at: 0 }
    }

    /// What kind of a file it is.
    fn begin(&mut self, mut window: Window, named: Option<Date>) -> Result<(), FeedError> {
        let head = window.peek(LENGTH_BYTES + 1)?;
        if head.is_empty() {
            self.source = Source::Messages(window, 0);
            return Ok(());
        }
        if is_capture(window.peek(4)?) {
            let day = self.date.map(Day::given).or_else(|| named.map(Day::until_received));
            self.molds[self.at].open(day.unwrap_or_default());
            self.source = Source::Capture(Feed::new(window));
            return Ok(());
        }
        let head = window.peek(LENGTH_BYTES + 1)?;
        if !head
            .first_chunk()
            .is_some_and(|&[high, low, of]| message::begins(of, u16::from_be_bytes([high, low])))
        {
            return Err(BinaryError::Format("a capture, nor a file of ITCH messages").into());
        }
        // What is said outweighs what a name seems to say.
        let date = self.date.or(named).ok_or(BinaryError::NoDay)?;
        self.molds[self.at].market.day = Day::given(date);
        self.source = Source::Messages(window, 0);
        Ok(())
    }
}

impl Decoder for Itch {
    fn open(&mut self, file: Input) {
        let exchange = file.path().and_then(Exchange::named).unwrap_or_default();
        let known = self.molds.iter().position(|mold| mold.market.exchange == exchange);
        self.at = known.unwrap_or_else(|| {
            self.molds.push(Mold::new(exchange));
            self.molds.len() - 1
        });
        let named = file.path().and_then(named);
        self.source = Source::New(Window::open(file), named);
    }

    fn step(&mut self, out: &mut Vec<Tick>) -> Step {
        if let Source::New(..) = self.source
            && let Source::New(window, named) = std::mem::replace(&mut self.source, Source::Closed)
            && let Err(error) = self.begin(window, named)
        {
            return Step::Broken { spot: Spot::byte(0), error };
        }
        let Self { source, molds, at, .. } = self;
        let Some(mold) = molds.get_mut(*at) else { return Step::End };
        let (window, number) = match source {
            Source::Closed | Source::New(..) => return Step::End,
            Source::Capture(feed) => {
                let step = feed.step(mold, out);
                if mold.has_no_day() && !matches!(step, Step::End) {
                    // One message is like the other.
                    *source = Source::Closed;
                }
                return step;
            }
            Source::Messages(window, number) => (window, number),
        };
        if number.is_multiple_of(WARMED as u64) {
            mold.market.warm(messages(window.at_hand()).take(WARMED));
        }
        let spot = Spot::byte(window.offset());
        let step = next(window, &mut mold.market, out);
        if !window.is_open() {
            return step.map_or_else(|error| Step::Broken { spot, error }, |()| Step::End);
        }
        *number += 1;
        step.map_or_else(|error| Step::Broken { spot: Spot::record(*number), error }, |()| Step::Ticks)
    }

    fn spot(&self) -> Spot {
        match &self.source {
            Source::Capture(feed) => feed.spot(),
            Source::Messages(_, number) => Spot::record(*number),
            Source::Closed | Source::New(..) => Spot::record(0),
        }
    }

    fn notes(&self) -> Vec<Note> {
        self.molds.iter().flat_map(Mold::notes).collect()
    }
}

/// The messages of a file that begin here and are whole.
fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (len, behind) = rest.split_first_chunk()?;
        let (message, behind) = behind.split_at_checked(u16::from_be_bytes(*len).into())?;
        rest = behind;
        Some(message)
    })
}

/// Reads the next message of a file of messages. Where nothing more can be read, the window is closed.
fn next(window: &mut Window, market: &mut Market, out: &mut Vec<Tick>) -> Result<(), FeedError> {
    let head = window.peek(LENGTH_BYTES);
    let (len, cut) = match head {
        Ok(&[high, low]) => (usize::from(u16::from_be_bytes([high, low])), None),
        Ok([]) => (0, Some(Ok(()))),
        Ok(_) => (0, Some(Err(BinaryError::Cut("a message").into()))),
        Err(error) => (0, Some(Err(error.into()))),
    };
    if let Some(end) = cut {
        window.close();
        return end;
    }
    let whole = match window.peek(LENGTH_BYTES + len) {
        Ok(whole) => whole,
        Err(error) => {
            window.close();
            return Err(error.into());
        }
    };
    if whole.len() < LENGTH_BYTES + len {
        window.close();
        return Err(BinaryError::Cut("a message").into());
    }
    // A message of no length ends a session.
    let result = if len == 0 { Ok(()) } else { market.message(&whole[LENGTH_BYTES..], None, out) };
    window.skip(LENGTH_BYTES + len);
    result
}
