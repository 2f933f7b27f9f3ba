//! What captures are, and what is to be said that they do not say themselves.

use clap::Args;
use model::Date;

/// Whose captures they are, and how they are to be read.
#[derive(Args, Clone, Debug)]
pub(crate) struct SourceArgs {
    /// Whose messages these are; csv: files of rows, also JSON, Parquet, Feather, Dukascopy's; json: any venue's, by --map
    #[arg(long, value_name = "NAME")]
    pub(crate) feed: String,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// What captures do not say themselves.
#[derive(Args, Clone, Debug)]
pub(crate) struct HowArgs {
    /// Of rows, what the columns mean: one of those that `tickwire map` lists, or a file; of json, where things are: a file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) map: Option<String>,
    /// Of rows and json, the instrument, as its venue writes it
    #[arg(long, value_name = "NAME")]
    pub(crate) symbol: Option<Box<str>>,
    /// Of rows and json, its venue
    #[arg(long, value_name = "NAME")]
    pub(crate) venue: Option<Box<str>>,
    /// The day that times of day are of, where the files do not say it: 2013-10-07
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub(crate) date: Option<Date>,
}

/// What help says of mappings.
pub(crate) fn mappings() -> String {
    format!("Mappings for --map: {}", ingest::table::known())
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|_| "a day is written as 2013-10-07".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct MapArgs {
    /// Print this one, or check the mapping in this file, of rows or of messages; without it, list those that come with the program
    #[arg(value_name = "NAME|FILE")]
    pub(crate) name: Option<String>,
}
