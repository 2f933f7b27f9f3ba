//! The sub-commands, one file each.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod describe;
pub(crate) mod health;
pub(crate) mod normalize;
pub(crate) mod recordings;
pub(crate) mod serve;
pub(crate) mod sub;
mod table;
pub(crate) mod token;
pub(crate) mod watch;

use client::Endpoint;

use crate::cli::ServerArgs;

impl From<ServerArgs> for Endpoint {
    fn from(args: ServerArgs) -> Self {
        Self { url: args.url, token: args.token, ca: args.ca }
    }
}
