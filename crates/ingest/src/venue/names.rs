//! Our symbols out of the venues' names.

/// Quote currencies of names written without a separator, the longer ones first where one ends
/// another (`FDUSD` before `USD`).
const QUOTES: [&str; 49] = [
    "FDUSD", "RLUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USDS", "USDE", "USDQ", "USDR", "USD1", "EURI",
    "AEUR", "BVND", "IDRT", "BIDR", "BKRW", "BRL", "TRY", "EUR", "GBP", "AUD", "RUB", "UAH", "NGN", "ZAR",
    "PLN", "RON", "ARS", "MXN", "CZK", "COP", "JPY", "DAI", "PAX", "VAI", "UST", "USD", "BTC", "ETH", "BNB",
    "XRP", "TRX", "DOT", "SOL", "MNT", "BRZ", "DOGE",
];

/// Base and quote of a name like `BTCUSDT`.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    let quote = QUOTES.iter().find(|quote| name.len() > quote.len() && name.ends_with(**quote))?;
    Some(name.split_at(name.len() - quote.len()))
}

/// `BTCUSDT` → `BTC-USDT`; a name that cannot be split stays as it is.
pub(crate) fn spot(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    split(&name).map_or_else(|| name.clone(), |(base, quote)| format!("{base}-{quote}"))
}

/// `BTCUSDT` → `BTC-USDT-PERP`; `BTCUSDT_220624` and `BTCUSD_PERP` say themselves what they are.
pub(crate) fn derivative(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let (pair, kind) = name.split_once('_').unwrap_or((&name, "PERP"));
    match split(pair) {
        Some((base, quote)) => format!("{base}-{quote}-{kind}"),
        None => name,
    }
}

/// `XBT/USD` → `BTC-USD`: parts apart by a slash, Kraken's own names for some of them.
pub(crate) fn kraken(name: &str) -> String {
    let part = |part: &str| match part.to_ascii_uppercase().as_str() {
        "XBT" => "BTC".to_owned(),
        "XDG" => "DOGE".to_owned(),
        other => other.to_owned(),
    };
    name.split('/').map(part).collect::<Vec<_>>().join("-")
}

/// `UNI-USD-SWAP` → `UNI-USD-PERP`; the rest is written as we write it.
pub(crate) fn okx(name: &str) -> String {
    match name.strip_suffix("-SWAP") {
        Some(pair) => format!("{pair}-PERP"),
        None => name.to_owned(),
    }
}

/// Names of Bybit's derivatives: `BTCUSDT` and `BTCUSD` are perpetual, `BTCPERP` is settled in USDC,
/// anything with a date (`BTCUSDT-26SEP25`, `BTC-26SEP25`, options) stays as it is.
pub(crate) fn bybit_derivative(name: &str) -> String {
    match name.strip_suffix("PERP") {
        Some(base) if !name.contains('-') => format!("{base}-USDC-PERP"),
        _ => match split(name) {
            Some((base, quote)) => format!("{base}-{quote}-PERP"),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (ours, venues) in [
            ("BTC-USDT", spot("BTCUSDT")),
            ("BTC-FDUSD", spot("BTCFDUSD")),
            ("LRC-BTC", spot("LRCBTC")),
            ("RUNE-EUR", spot("RUNEEUR")),
            ("BLZ-ETH", spot("blzeth")),
            ("TUSD-USDT", spot("TUSDUSDT")),
            ("USDT-TRY", spot("USDTTRY")),
            ("USDT", spot("USDT")),
            ("BTC-USDT-PERP", derivative("BTCUSDT")),
            ("BTC-USDT-220624", derivative("BTCUSDT_220624")),
            ("BTC-USD-PERP", derivative("BTCUSD_PERP")),
            ("BTC-USD", kraken("XBT/USD")),
            ("ADA-BTC", kraken("ADA/XBT")),
            ("DOGE-EUR", kraken("XDG/EUR")),
            ("UNI-USD-PERP", okx("UNI-USD-SWAP")),
            ("BTC-USD-220527", okx("BTC-USD-220527")),
            ("BTC-USDT", okx("BTC-USDT")),
            ("BTC-USDT-PERP", bybit_derivative("BTCUSDT")),
            ("BTC-USD-PERP", bybit_derivative("BTCUSD")),
            ("BTC-USDC-PERP", bybit_derivative("BTCPERP")),
            ("BTC-26SEP25", bybit_derivative("BTC-26SEP25")),
        ] {
            assert_eq!(venues, ours);
        }
    }
}
