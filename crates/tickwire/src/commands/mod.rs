//! The sub-commands, one file each.

mod admin;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod describe;
pub(crate) mod doctor;
pub(crate) mod emulate;
mod figures;
pub(crate) mod health;
pub(crate) mod map;
pub(crate) mod normalize;
mod paint;
pub(crate) mod recordings;
mod samples;
pub(crate) mod serve;
mod source;
pub(crate) mod sub;
mod table;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod watch;

use anyhow::anyhow;
use client::Endpoint;
use ingest::FEEDS;
use wire::closest;

use crate::cli::ServerArgs;
use crate::exit::Failure;

/// No feed has that name.
fn unknown_feed(name: &str) -> Failure {
    let hint = closest(name, FEEDS).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    Failure::usage(anyhow!("unknown feed {name:?}; known are {}.{hint}", FEEDS.join(", ")))
}

impl From<ServerArgs> for Endpoint {
    fn from(args: ServerArgs) -> Self {
        Self { url: args.url, token: args.token, ca: args.ca }
    }
}
