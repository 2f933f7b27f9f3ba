//! The configuration file: read once, completely, before a port opens.

mod auth;
mod feed;
mod file;
mod parse;
mod place;
mod recording;
mod shown;
#[cfg(test)]
mod tests;
mod traces;
mod values;

pub(crate) use auth::Secret;
pub(crate) use feed::{Feed, feed};
pub(crate) use file::Config;
pub(crate) use parse::{ConfigError, parse};
pub(crate) use shown::{adopt, shown};
#[cfg(feature = "otlp")]
pub(crate) use traces::TracesSpec;

/// Every key with its default and its meaning; a configuration by itself.
pub(crate) const TEMPLATE: &str = include_str!("default.toml");
