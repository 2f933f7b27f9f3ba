//! IEX: captures of TOPS 1.5 and 1.6 (best prices), DEEP 1.0 (levels) and DEEP+ 1.0 (orders) under IEX-TP.

mod market;
#[cfg(test)]
mod tests;
mod transport;

use model::Tick;

use super::bytes::Window;
use super::net::Feed;
use crate::capture::Input;
use crate::note::Note;
use crate::reader::{Decoder, Spot, Step};
use transport::Transport;

#[derive(Default)]
pub(super) struct Iex {
    feed: Option<Feed>,
    transport: Transport,
}

impl Decoder for Iex {
    fn open(&mut self, file: Input) {
        self.feed = Some(Feed::new(Window::open(file)));
    }

    fn step(&mut self, out: &mut Vec<Tick>) -> Step {
        self.feed.as_mut().map_or(Step::End, |feed| feed.step(&mut self.transport, out))
    }

    fn spot(&self) -> Spot {
        self.feed.as_ref().map_or(Spot::packet(0), Feed::spot)
    }

    fn notes(&self) -> Vec<Note> {
        self.transport.notes()
    }
}
