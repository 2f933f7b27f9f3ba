//! What the command line says of captures, as a reader's options.

use std::path::Path;

use ingest::{Options, ReaderError};

use super::unknown_feed;
use crate::cli::HowArgs;
use crate::exit::{Failure, Outcome};
use crate::maps;

/// The options of a reader; a feed, an option or a mapping that cannot be is told now.
pub(crate) fn options(feed: &str, args: &HowArgs) -> Outcome<Options> {
    let load = |name: &String| maps::load(feed, name, Path::new("")).map_err(Failure::usage);
    let options = Options {
        date: args.date,
        map: args.map.as_ref().map(load).transpose()?,
        symbol: args.symbol.clone(),
        venue: args.venue.clone(),
    };
    ingest::reader(feed, &options).map_err(|error| match error {
        ReaderError::Feed(feed) => unknown_feed(&feed),
        error => Failure::usage(error),
    })?;
    Ok(options)
}
