//! Close codes, each with a verdict: reconnect or not.

/// Why the server closes a WebSocket. 1000–2999 are of RFC 6455 and IANA, 4000–4999 ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The client said goodbye.
    Normal = 1000,
    /// The server goes away.
    GoingAway = 1001,
    /// The client broke RFC 6455.
    Protocol = 1002,
    /// A text message was not UTF-8.
    NotUtf8 = 1007,
    /// A message was over the limit.
    TooBig = 1009,
    /// A bug of ours.
    Internal = 1011,
    /// The server restarts.
    Restart = 1012,
    /// The server is overloaded.
    TryAgainLater = 1013,
    /// The session fell behind the log and had asked to be cut off then.
    SlowConsumer = 4408,
    /// Too many requests.
    RateLimited = 4429,
    /// The token is missing, wrong or past its time.
    Token = 4501,
    /// Repeated bad requests.
    Offences = 4502,
    /// Too many connections.
    ConnectionLimit = 4503,
    /// No token came in time.
    AuthTimeout = 4504,
    /// An operator ended the session.
    Kicked = 4505,
}

impl CloseCode {
    /// The number in the close frame.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether a client should reconnect (with back-off) after a close with this number.
    ///
    /// 1006 is what a client library reports for a connection that broke without a close frame.
    #[must_use]
    pub const fn should_reconnect(number: u16) -> bool {
        matches!(number, 1001 | 1006 | 1011 | 1012 | 1013 | 4000..=4499)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert!(CloseCode::should_reconnect(CloseCode::SlowConsumer.number()));
        assert!(CloseCode::should_reconnect(CloseCode::Restart.number()));
        assert!(!CloseCode::should_reconnect(CloseCode::Token.number()));
        assert!(!CloseCode::should_reconnect(CloseCode::Normal.number()));
        assert!(!CloseCode::should_reconnect(CloseCode::TooBig.number()));
    }
}
