//! Our symbols out of the venues' names.

/// Quote currencies of names written without a separator, the longer ones first where one ends
/// another (`FDUSD` before `USD`).
const QUOTES: [&str; 49] = [
    "FDUSD", "RLUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USDS", "USDE", "USDQ", "USDR", "USD1", "EURI",
    "AEUR", "BVND", "IDRT", "BIDR", "BKRW", "BRL", "TRY", "EUR", "GBP", "AUD", "RUB", "UAH", "NGN", "ZAR",
    "PLN", "RON", "ARS", "MXN", "CZK", "COP", "JPY", "DAI", "PAX", "VAI", "UST", "USD", "BTC", "ETH", "BNB",
    "XRP", "TRX", "DOT", "SOL", "MNT", "BRZ", "DOGE",
];

/// Bases that are traded in AEUR; any other name that ends so is one of a base in A, in EUR.
const IN_AEUR: [&str; 5] = ["BTC", "ETH", "BNB", "EUR", "USDT"];
/// Bases in T and B: with USD after them they look like something in TUSD or BUSD.
const IN_USD: [&str; 36] = [
    "DOT", "APT", "GRT", "BAT", "QNT", "FET", "ANT", "BIT", "HNT", "CAT", "BNB", "SHIB", "ARB", "TRB", "CKB",
    "ORB", "USDT", "XAUT", "VET", "LPT", "BTT", "JST", "SNT", "GMT", "ALT", "ACT", "PNUT", "NOT", "GOAT",
    "OXT", "LIT", "NFT", "WBT", "HFT", "IOST", "POPCAT",
];

/// Base and quote of a spot name like `BTCUSDT`.
fn split(name: &str) -> Option<(&str, &str)> {
    let fits = |quote: &&&str| {
        let Some(base) = name.strip_suffix(**quote).filter(|base| !base.is_empty()) else { return false };
        match **quote {
            "AEUR" => IN_AEUR.contains(&base),
            "TUSD" | "BUSD" => !IN_USD.iter().any(|known| name.strip_suffix("USD") == Some(known)),
            _ => true,
        }
    };
    let quote = QUOTES.iter().find(fits)?;
    Some(name.split_at(name.len() - quote.len()))
}

/// Base and quote where only these quotes are possible.
fn split_by<'a>(name: &'a str, quotes: &[&str]) -> Option<(&'a str, &'a str)> {
    let quote = quotes.iter().find(|quote| name.len() > quote.len() && name.ends_with(**quote))?;
    Some(name.split_at(name.len() - quote.len()))
}

/// `BTCUSDT` → `BTC-USDT`; a name that cannot be split stays as it is.
pub(crate) fn spot(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    split(&name).map_or_else(|| name.clone(), |(base, quote)| format!("{base}-{quote}"))
}

/// Binance's derivatives: `BTCUSDT` → `BTC-USDT-PERP`; `BTCUSDT_220624` and `BTCUSD_PERP` say themselves
/// what they are. What is margined in the coin is quoted in USD and nothing else.
pub(crate) fn derivative(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let (pair, kind) = name.split_once('_').unwrap_or((&name, "PERP"));
    let quotes = if pair.ends_with("USD") && name.contains('_') {
        &["USD"][..]
    } else {
        &["USDT", "USDC", "FDUSD", "BUSD", "USD1", "BTC", "USD"]
    };
    match split_by(pair, quotes) {
        Some((base, quote)) => format!("{base}-{quote}-{kind}"),
        None => name,
    }
}

/// A venue's own names of currencies, and the usual ones.
type Aliases = [(&'static str, &'static str)];

fn usual<'a>(currency: &'a str, aliases: &Aliases) -> &'a str {
    aliases.iter().find(|(own, _)| *own == currency).map_or(currency, |&(_, usual)| usual)
}

/// The usual names of the parts of a name, joined as we do.
fn joined<'a>(parts: impl Iterator<Item = &'a str>, aliases: &Aliases) -> String {
    parts.map(|part| usual(part, aliases)).collect::<Vec<_>>().join("-")
}

/// `XBT/USD` → `BTC-USD`: parts apart by a slash, Kraken's own names for some of them.
pub(crate) fn kraken(name: &str) -> String {
    joined(name.to_ascii_uppercase().split('/'), &[("XBT", "BTC"), ("XDG", "DOGE")])
}

/// Names of Bitfinex with their `t`: `tBTCUSD`, `tLINK:USD`, and `tBTCF0:USTF0` of what is perpetual.
pub(crate) fn bitfinex(name: &str) -> String {
    // Source: Bitfinex, `conf/pub:map:currency:sym`.
    const OWN: [(&str, &str); 23] = [
        ("UST", "USDT"),
        ("UDC", "USDC"),
        ("TSD", "TUSD"),
        ("EUT", "EURT"),
        ("EUS", "EURS"),
        ("IOT", "IOTA"),
        ("DSH", "DASH"),
        ("QTM", "QTUM"),
        ("ATO", "ATOM"),
        ("ALG", "ALGO"),
        ("AMP", "AMPL"),
        ("MNA", "MANA"),
        ("DAT", "DATA"),
        ("STJ", "STORJ"),
        ("SNG", "SNGLS"),
        ("RBT", "RBTC"),
        ("WBT", "WBTC"),
        ("QSH", "QASH"),
        ("VSY", "VSYS"),
        ("OMN", "OMNI"),
        ("YYW", "YOYOW"),
        ("DOG", "MDOGE"),
        ("XCH", "XCHF"),
    ];
    let pair = name.strip_prefix('t').unwrap_or(name);
    let parts = pair.split_once(':').or_else(|| pair.split_at_checked(pair.len().saturating_sub(3)));
    let Some((base, quote)) = parts.filter(|(base, _)| !base.is_empty()) else {
        return pair.to_ascii_uppercase();
    };
    match (base.strip_suffix("F0"), quote.strip_suffix("F0")) {
        (Some(base), Some(quote)) => joined([base, quote, "PERP"].into_iter(), &OWN),
        _ => joined([base, quote].into_iter(), &OWN),
    }
    .to_ascii_uppercase()
}

/// `ethusd` → `ETH-USD`, `btcusd-perp` → `BTC-USD-PERP`.
pub(crate) fn bitstamp(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let quotes = ["USDT", "USDC", "PYUSD", "RLUSD", "EURC", "USD", "EUR", "GBP", "PAX", "BTC", "ETH"];
    let (pair, perpetual) = name.strip_suffix("-PERP").map_or((&*name, ""), |pair| (pair, "-PERP"));
    split_by(pair, &quotes).map_or_else(|| name.clone(), |(base, quote)| format!("{base}-{quote}{perpetual}"))
}

/// `BTCUSD` → `BTC-USD`, `BTCUSDCPERP` → `BTC-USDC-PERP`.
pub(crate) fn gemini(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let quotes = [
        "RLUSD", "GUSD", "USDT", "USDC", "USD", "EUR", "GBP", "SGD", "AUD", "DAI", "BTC", "ETH", "SOL",
        "FIL", "LTC", "BCH",
    ];
    let (pair, perpetual) = name.strip_suffix("PERP").map_or((&*name, ""), |pair| (pair, "-PERP"));
    let parts = match pair {
        // A base in G, in USD.
        "PAXGUSD" | "USDGUSD" | "WCFGUSD" => Some(pair.split_at(4)),
        _ => split_by(pair, &quotes),
    };
    parts.map_or_else(|| name.clone(), |(base, quote)| format!("{base}-{quote}{perpetual}"))
}

/// `btcusdt` → `BTC-USDT`, of a venue without TUSD and BUSD.
pub(crate) fn huobi(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let quotes = ["USDT", "USDC", "HUSD", "USDD", "USD", "EUR", "BTC", "ETH", "TRX", "HT"];
    split_by(&name, &quotes).map_or_else(|| name.clone(), |(base, quote)| format!("{base}-{quote}"))
}

/// Derivatives of Huobi: `BTC-USD` and `BTC-USDT` are perpetual, `BTC210625` and `BTC_CW` are quoted in USD
/// and end on a day or in a week (`CW`, `NW`) or quarter (`CQ`, `NQ`), `BTC-USDT-210625` says itself.
pub(crate) fn huobi_derivative(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    if let Some((base, end)) = name.split_once('_') {
        return format!("{base}-USD-{end}");
    }
    match name.matches('-').count() {
        1 => format!("{name}-PERP"),
        0 => match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
            base if !base.is_empty() && name.len() - base.len() == 6 => {
                format!("{base}-USD-{}", &name[base.len()..])
            }
            _ => name,
        },
        _ => name,
    }
}

/// KuCoin's spot market writes as we do, but for currencies that have changed their names.
pub(crate) fn kucoin(name: &str) -> String {
    const OWN: [(&str, &str); 3] = [("BCHSV", "BSV"), ("WAX", "WAXP"), ("LOKI", "OXEN")];
    joined(name.to_ascii_uppercase().split('-'), &OWN)
}

/// `XBTUSDTM` → `BTC-USDT-PERP`, `XBTUSDM` → `BTC-USD-PERP`; what ends on a day (`XBTMZ25`) stays as it is.
pub(crate) fn kucoin_futures(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    match name.strip_suffix('M').and_then(|pair| split_by(pair, &["USDT", "USDC", "USD"])) {
        Some((base, quote)) => joined([base, quote, "PERP"].into_iter(), &[("XBT", "BTC")]),
        None => name,
    }
}

/// `BTC-PERPETUAL` → `BTC-USD-PERP`, `BTC_USDC-PERPETUAL` → `BTC-USDC-PERP`, `BTC_USDC` → `BTC-USDC`; futures,
/// options and combinations stay as they are (`BTC-24SEP21`, `XRP_USDC-30AUG24-0D625-C`).
pub(crate) fn deribit(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    let (pair, perpetual) = name.strip_suffix("-PERPETUAL").map_or((&*name, ""), |pair| (pair, "-PERP"));
    match pair.split_once('_') {
        Some((base, quote)) if !pair.contains('-') => format!("{base}-{quote}{perpetual}"),
        None if !perpetual.is_empty() => format!("{pair}-USD{perpetual}"),
        _ => name,
    }
}

/// `UNI-USD-SWAP` → `UNI-USD-PERP`; the rest is written as we write it.
pub(crate) fn okx(name: &str) -> String {
    match name.strip_suffix("-SWAP") {
        Some(pair) => format!("{pair}-PERP"),
        None => name.to_owned(),
    }
}

/// Names of derivatives of Bybit and Bitget: `BTCUSDT` and `BTCUSD` are perpetual, `BTCPERP` is settled in USDC,
/// anything with a date (`BTCUSDT-26SEP25`, `BTC-26SEP25`, options) stays as it is.
pub(crate) fn contract(name: &str) -> String {
    if name.contains('-') {
        return name.to_owned();
    }
    if let Some(base) = name.strip_suffix("PERP") {
        return format!("{base}-USDC-PERP");
    }
    match split_by(name, &["USDT", "USDC", "USD"]) {
        Some((base, quote)) => format!("{base}-{quote}-PERP"),
        None => name.to_owned(),
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
            ("ADA-EUR", spot("ADAEUR")),
            ("GALA-EUR", spot("GALAEUR")),
            ("BTC-AEUR", spot("BTCAEUR")),
            ("DOT-USD", spot("DOTUSD")),
            ("USDT-USD", spot("USDTUSD")),
            ("USDC-USD", spot("USDCUSD")),
            ("VET-USD", spot("VETUSD")),
            ("BNB-USD", spot("BNBUSD")),
            ("BTC-TUSD", spot("BTCTUSD")),
            ("DOT-TUSD", spot("DOTTUSD")),
            ("BNB-BUSD", spot("BNBBUSD")),
            ("BTC-USD", spot("BTCUSD")),
            ("BNB-USD-PERP", derivative("BNBUSD_PERP")),
            ("DOT-USD-PERP", derivative("DOTUSD_PERP")),
            ("DOT-USD-260327", derivative("DOTUSD_260327")),
            ("BTC-BUSD-PERP", derivative("BTCBUSD")),
            ("ETH-BTC-PERP", derivative("ETHBTC")),
            ("DOT-USD-PERP", contract("DOTUSD")),
            ("BTC-27MAR26-70000-P-USDT", contract("BTC-27MAR26-70000-P-USDT")),
            ("BTC-USDT-PERP", derivative("BTCUSDT")),
            ("BTC-USDT-220624", derivative("BTCUSDT_220624")),
            ("BTC-USD-PERP", derivative("BTCUSD_PERP")),
            ("BTC-USD", kraken("XBT/USD")),
            ("ADA-BTC", kraken("ADA/XBT")),
            ("DOGE-EUR", kraken("XDG/EUR")),
            ("BTC-USDT", bitfinex("tBTCUST")),
            ("IOTA-ETH", bitfinex("tIOTETH")),
            ("TESTBTC-TESTUSD", bitfinex("tTESTBTC:TESTUSD")),
            ("BTC-USDT-PERP", bitfinex("tBTCF0:USTF0")),
            ("BTC-CNHT", bitfinex("tBTC:CNHT")),
            ("T", bitfinex("tT")),
            ("USDT-USD", bitstamp("usdtusd")),
            ("SHIB-USD", bitstamp("shibusd")),
            ("ADA-EUR", bitstamp("adaeur")),
            ("BTC-USD-PERP", bitstamp("btcusd-perp")),
            ("BTC-USD", gemini("BTCUSD")),
            ("BTC-GUSD-PERP", gemini("btcgusdperp")),
            ("BTC-USDC-PERP", gemini("BTCUSDCPERP")),
            ("PAXG-USD", gemini("PAXGUSD")),
            ("PAXG-GUSD", gemini("PAXGGUSD")),
            ("OP-GUSD", gemini("OPGUSD")),
            ("RLUSD-USD", gemini("RLUSDUSD")),
            ("FIL3S-USDT", huobi("fil3susdt")),
            ("YFI-HUSD", huobi("yfihusd")),
            ("BTC-USD-PERP", huobi_derivative("BTC-USD")),
            ("BTC-USDT-210625", huobi_derivative("BTC-USDT-210625")),
            ("BTC-USD-CW", huobi_derivative("BTC_CW")),
            ("BTC-USD-210625", huobi_derivative("BTC210625")),
            ("BSV-USDT", kucoin("BCHSV-USDT")),
            ("BTC-USDT-PERP", kucoin_futures("XBTUSDTM")),
            ("ETH-USD-PERP", kucoin_futures("ETHUSDM")),
            ("XBTMZ25", kucoin_futures("XBTMZ25")),
            ("BTC-USD-PERP", deribit("BTC-PERPETUAL")),
            ("SOL-USDC-PERP", deribit("SOL_USDC-PERPETUAL")),
            ("SOL-USDC", deribit("SOL_USDC")),
            ("BTC-24SEP21-8000-P", deribit("BTC-24SEP21-8000-P")),
            ("XRP_USDC-30AUG24-0D625-C", deribit("XRP_USDC-30AUG24-0d625-C")),
            ("BTC-FS-27DEC24_PERP", deribit("BTC-FS-27DEC24_PERP")),
            ("BTC-USDC-PERP", contract("BTCPERP")),
            ("BTCUSDZ22", contract("BTCUSDZ22")),
            ("UNI-USD-PERP", okx("UNI-USD-SWAP")),
            ("BTC-USD-220527", okx("BTC-USD-220527")),
            ("BTC-USDT", okx("BTC-USDT")),
            ("BTC-USDT-PERP", contract("BTCUSDT")),
            ("BTC-USD-PERP", contract("BTCUSD")),
            ("BTC-USDC-PERP", contract("BTCPERP")),
            ("BTC-26SEP25", contract("BTC-26SEP25")),
        ] {
            assert_eq!(venues, ours);
        }
    }
}
