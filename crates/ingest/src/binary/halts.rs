//! Why exchanges of the United States halt a share, and let it trade again: their codes, in words.

/// A code and what it means, where that is known.
pub(super) fn reason(word: &str, code: &[u8]) -> String {
    let code = str::from_utf8(code).unwrap_or("?");
    match (code, meaning(code)) {
        ("", _) => word.to_owned(),
        (code, Some(meaning)) => format!("{word}: {code}, {meaning}"),
        (code, None) => format!("{word}: {code}"),
    }
}

fn meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        "T1" => "news pending",
        "T2" => "news released",
        "T3" => "news and resumption times",
        "T5" => "single-stock trading pause",
        "T6" => "extraordinary market activity",
        "T7" => "trading pause, quotation only",
        "T8" => "halt of an ETF",
        "T12" => "more information was asked for",
        "H4" => "the issuer does not comply with the rules",
        "H9" => "the issuer's filings are not current",
        "H10" => "suspended by the SEC",
        "H11" => "regulatory concern",
        "O1" => "operations",
        "LUDP" => "volatility trading pause",
        "LUDS" => "volatility trading pause, straddle",
        "MWC1" | "MCB1" => "market-wide circuit breaker, level 1",
        "MWC2" | "MCB2" => "market-wide circuit breaker, level 2",
        "MWC3" | "MCB3" => "market-wide circuit breaker, level 3",
        "MWC0" => "market-wide circuit breaker of the day before",
        "MWCQ" => "end of a market-wide circuit breaker",
        "IPO1" => "new issue, not yet trading",
        "IPO2" => "new issue, orders are accepted",
        "IPO3" => "new issue, before its launch",
        "IPOQ" => "new issue released for quotation",
        "IPOE" => "new issue, positioning window extended",
        "IPOD" => "new issue, deferred",
        "M" | "M1" => "corporate action",
        "M2" => "no quotation available",
        "R1" => "new issue available",
        "R2" => "issue available",
        "R4" => "qualifications reviewed, may trade",
        "R9" => "filing requirements met, may trade",
        "C3" => "news not forthcoming, may trade",
        "C4" => "qualifications halt ended, may trade",
        "C9" => "qualifications halt over, filings met",
        "C11" => "trade halt of another regulator over",
        "NA" => "no reason available",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn codes_are_said_in_words() {
        assert_eq!(reason("halted", b"T1"), "halted: T1, news pending");
        assert_eq!(reason("halted", b"X9"), "halted: X9");
        assert_eq!(reason("trading", b""), "trading");
        assert_eq!(reason("paused", b"\xff"), "paused: ?");
    }
}
