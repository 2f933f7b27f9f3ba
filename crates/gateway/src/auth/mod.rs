//! Tokens: who a client is and what it may see.

mod algorithm;
mod fixed;
mod guests;
mod jwks;
mod keyring;
mod keys;
mod looks;
mod published;
mod revocation;
mod scope;
mod signer;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use fixed::{Fixed, Hash, HashError, fixed_token};
pub(crate) use guests::{GuestToken, NAME as GUEST};
pub use jwks::JwksError;
pub use keyring::Keyring;
pub use keys::{AuthError, KeyError, Keys, tenant};
pub(crate) use looks::Awaited;
pub use published::{Published, PublishedError};
pub use revocation::{Mark, Revocation, RevocationError};
pub use scope::{Bounds, Grant, Scope, ScopeError};
pub use signer::Signer;
