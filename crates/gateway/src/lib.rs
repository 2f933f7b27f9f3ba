//! The door: listeners, TLS, tokens, sessions, the WebSocket endpoint, metrics.
//!
//! A stream of ticks comes in at the [`Hub`], is sequenced there and handed to the shards. Each shard
//! owns the sessions it was given and writes their sockets itself, right from the drain. Not here:
//! where ticks come from.

mod accept;
mod admin;
mod alerts;
mod asked;
mod auth;
mod bucket;
mod clock;
mod delay;
mod doors;
mod drain;
mod echo;
mod encode;
mod fetch;
mod handover;
mod handshake;
mod hub;
mod in_force;
pub mod limits;
mod metrics;
mod origin;
mod page;
mod places;
mod problem;
mod queue;
mod recorder;
mod recordings;
mod reload;
mod replay;
mod roster;
mod routes;
mod secret;
mod server;
mod session;
mod settings;
mod shard;
mod socket;
mod tls;
mod traces;
mod visitors;
mod vitals;
mod wakes;

pub use accept::Given;
pub use admin::{Levers, LogLever};
pub use auth::{
    Algorithm, AuthError, Bounds, Fixed, Grant, Hash, HashError, JwksError, KeyError, Keyring, Keys, Mark,
    Published, PublishedError, Revocation, RevocationError, Scope, ScopeError, Signer, fixed_token, tenant,
};
pub use delay::{Delays, DelaysError};
pub use fetch::{Remote, RemoteError};
pub use handover::{HandoverError, Office, Places, Predecessor, Successor};
pub use hub::Hub;
pub use in_force::InForce;
pub use metrics::{count_lost_spans, describe as describe_metrics, tell_build};
pub use origin::parse_origin;
pub use page::{Asset, Page};
pub use recorder::Recording;
pub use reload::{ReloadError, Reloader};
pub use server::{Server, ServerError};
pub use settings::{Limits, Over, Settings, Tls};
pub use tls::{Chain, Link, TlsError, Trust};
pub use traces::{Fact, Parent, Span, Traces};
pub use vitals::Vitals;
