//! What a status record says of trading.

use model::State;

/// The state that an action leads to, and a word for it; `None` where it changes nothing.
pub(super) const fn state(action: u16, is_trading: u8) -> Option<(State, &'static str)> {
    Some(match action {
        1 => (State::Closed, "pre-open"),
        2 => (State::Halted, "before a cross"),
        3 => (State::Halted, "quotation only"),
        4 => (State::Halted, "cross"),
        5 => (State::Halted, "opening rotation"),
        7 => (State::Open, "trading"),
        8 => (State::Halted, "halted"),
        9 => (State::Halted, "paused"),
        10 => (State::Halted, "suspended"),
        11 if is_trading == b'N' => (State::Closed, "before the close"),
        11 => (State::Open, "before the close"),
        12 => (State::Closed, "closed"),
        13 => (State::Closed, "after the close"),
        15 => (State::Closed, "not available for trading"),
        // Nothing, a new price indication, a change of short-selling restrictions.
        _ => return None,
    })
}

/// Why, where a reason is given that is known.
pub(super) const fn reason(reason: u16) -> Option<&'static str> {
    Some(match reason {
        1 => "as scheduled",
        2 => "market surveillance",
        3 => "activity in the market",
        4 => "the instrument was activated",
        5 => "the instrument has expired",
        6 => "recovery in progress",
        10 => "regulatory",
        11 => "administrative",
        12 => "the issuer does not comply with the rules",
        13 => "the issuer's filings are not current",
        14 => "suspended by the SEC",
        15 => "new issue",
        16 => "issue available",
        17 => "issues reviewed",
        18 => "filing requirements met",
        30 => "news pending",
        31 => "news released",
        32 => "news and resumption times",
        33 => "news not forthcoming",
        40 => "order imbalance",
        50 => "limit up, limit down",
        60 => "operational",
        70 => "more information was asked for",
        80 => "merger effective",
        90 => "parts of the ETF",
        100 => "corporate action",
        110 => "new offering",
        120 => "market-wide circuit breaker, level 1",
        121 => "market-wide circuit breaker, level 2",
        122 => "market-wide circuit breaker, level 3",
        123 => "market-wide circuit breaker of the day before",
        124 => "end of a market-wide circuit breaker",
        130 => "no quotation available",
        _ => return None,
    })
}
