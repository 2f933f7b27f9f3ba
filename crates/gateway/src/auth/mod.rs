//! Tokens: who a client is and what it may see.

mod keys;
mod scope;
#[cfg(test)]
mod tests;

pub use keys::{Algorithm, AuthError, KeyError, Keys, Signer};
pub use scope::{Grant, Scope};
