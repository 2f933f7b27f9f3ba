//! What can keep a crowd from its work.

use std::io;

/// What can keep a crowd from its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// TLS does not come about, or breaks.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The server answered the handshake with something else.
    #[error("the server answered {0}")]
    Refused(Box<str>),
    /// The server refused what was asked for.
    #[error("the server said {0}")]
    Unwilling(Box<str>),
    /// The server hung up before the client was subscribed.
    #[error("the server hung up on a client that was not yet subscribed")]
    HungUp,
    /// It takes too long to connect everybody.
    #[error("only {live} of {count} connected in time")]
    Slow {
        /// Who is subscribed.
        live: usize,
        /// Who was to be.
        count: usize,
    },
    /// More clients than this process may have open files.
    #[error("{count} clients are more than the limit on open files lets in: {most} (ulimit -n)")]
    Files {
        /// Who was to be connected.
        count: usize,
        /// How many may be.
        most: usize,
    },
}
