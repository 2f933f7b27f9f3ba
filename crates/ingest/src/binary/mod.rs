//! Recordings that are no lines: records and packets, decoded to ticks.

mod bytes;
mod dbn;
mod error;
mod halts;
mod iex;
mod itch;
mod ladder;
mod listed;
mod net;
mod orders;
#[cfg(test)]
mod say;

pub use error::BinaryError;
pub(crate) use ladder::Best;

use crate::reader::{Decoder, Options, ReaderError};

/// The decoder of a feed whose files are no lines.
pub(crate) fn decoder(feed: &str, options: &Options) -> Result<Option<Box<dyn Decoder>>, ReaderError> {
    let taken: &[&str] = if feed == "itch" { &["date"] } else { &[] };
    let decoder: Box<dyn Decoder> = match feed {
        "dbn" => Box::new(dbn::Dbn::default()),
        "iex" => Box::new(iex::Iex::default()),
        "itch" => Box::new(itch::Itch::new(options.date)),
        _ => return Ok(None),
    };
    options.only(feed, taken)?;
    Ok(Some(decoder))
}
