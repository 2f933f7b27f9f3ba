//! Tokens: who a client is and what it may see.

mod keyring;
mod keys;
mod revocation;
mod scope;
#[cfg(test)]
mod tests;

pub use keyring::Keyring;
pub use keys::{Algorithm, AuthError, KeyError, Keys, Signer};
pub use revocation::{Mark, Revocation, RevocationError};
pub use scope::{Grant, Scope};
