//! Error codes: stable words that a program can act on.

use serde::{Deserialize, Serialize};

use crate::close::CloseCode;

/// What went wrong. The name on the wire is the snake-case name of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The message is not JSON.
    InvalidJson,
    /// The message is JSON, but a field is missing, unknown or of the wrong kind.
    InvalidRequest,
    /// No such operation.
    UnknownOp,
    /// No such channel.
    UnknownChannel,
    /// No such symbol.
    UnknownSymbol,
    /// No such recording.
    UnknownRecording,
    /// No such alert.
    UnknownAlert,
    /// The operation needs a token first.
    Unauthenticated,
    /// The token is not one of ours, or not for us, or not valid yet.
    TokenInvalid,
    /// The token is past its time.
    TokenExpired,
    /// The token was revoked, or its key is not in force any more.
    TokenRevoked,
    /// The token's scopes do not cover the symbol, the channel or the operation.
    Forbidden,
    /// More symbols than one session may have.
    SymbolLimit,
    /// More subscriptions than one session may have.
    SubscriptionLimit,
    /// More replays than one session may have, or the server plays at a time.
    ReplayLimit,
    /// More alerts than one subject may have, or the server watches for.
    AlertLimit,
    /// More connections than the server takes.
    ConnectionLimit,
    /// More requests than one session may send.
    RateLimited,
    /// The session asked to be cut off rather than coalesced, and fell behind the log.
    SlowConsumer,
    /// No token came in time.
    AuthTimeout,
    /// An operator ended the session.
    Kicked,
    /// The message is longer than the limit.
    MessageTooBig,
    /// The server cannot serve this now.
    Unavailable,
    /// A bug of ours.
    Internal,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 24] = [
        Self::InvalidJson,
        Self::InvalidRequest,
        Self::UnknownOp,
        Self::UnknownChannel,
        Self::UnknownSymbol,
        Self::UnknownRecording,
        Self::UnknownAlert,
        Self::Unauthenticated,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::Forbidden,
        Self::SymbolLimit,
        Self::SubscriptionLimit,
        Self::ReplayLimit,
        Self::AlertLimit,
        Self::ConnectionLimit,
        Self::RateLimited,
        Self::SlowConsumer,
        Self::AuthTimeout,
        Self::Kicked,
        Self::MessageTooBig,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The name on the wire, also the reason text of a close frame.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidRequest => "invalid_request",
            Self::UnknownOp => "unknown_op",
            Self::UnknownChannel => "unknown_channel",
            Self::UnknownSymbol => "unknown_symbol",
            Self::UnknownRecording => "unknown_recording",
            Self::UnknownAlert => "unknown_alert",
            Self::Unauthenticated => "unauthenticated",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::Forbidden => "forbidden",
            Self::SymbolLimit => "symbol_limit",
            Self::SubscriptionLimit => "subscription_limit",
            Self::ReplayLimit => "replay_limit",
            Self::AlertLimit => "alert_limit",
            Self::ConnectionLimit => "connection_limit",
            Self::RateLimited => "rate_limited",
            Self::SlowConsumer => "slow_consumer",
            Self::AuthTimeout => "auth_timeout",
            Self::Kicked => "kicked",
            Self::MessageTooBig => "message_too_big",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::ReplayLimit | Self::SlowConsumer | Self::Unavailable | Self::Internal
        )
    }

    /// How the session ends, where this or its repetition ends it; `None` = never.
    #[must_use]
    pub const fn close(self) -> Option<CloseCode> {
        Some(match self {
            Self::Forbidden
            | Self::SymbolLimit
            | Self::SubscriptionLimit
            | Self::ReplayLimit
            | Self::AlertLimit
            | Self::UnknownAlert => return None,
            Self::InvalidJson
            | Self::InvalidRequest
            | Self::UnknownOp
            | Self::UnknownChannel
            | Self::UnknownSymbol
            | Self::UnknownRecording => CloseCode::Offences,
            Self::Unauthenticated | Self::TokenInvalid | Self::TokenExpired | Self::TokenRevoked => {
                CloseCode::Token
            }
            Self::ConnectionLimit => CloseCode::ConnectionLimit,
            Self::RateLimited => CloseCode::RateLimited,
            Self::SlowConsumer => CloseCode::SlowConsumer,
            Self::AuthTimeout => CloseCode::AuthTimeout,
            Self::Kicked => CloseCode::Kicked,
            Self::MessageTooBig => CloseCode::TooBig,
            Self::Unavailable => CloseCode::TryAgainLater,
            Self::Internal => CloseCode::Internal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_and_as_str_agree() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
