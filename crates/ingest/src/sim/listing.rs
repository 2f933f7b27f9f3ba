//! What the simulated venue lists: fifty symbols with the tick sizes of the real ones, and as many
//! made-up ones as are asked for beyond.

/// A listed symbol. Prices are whole ticks, sizes whole lots.
pub(crate) struct Listing {
    pub(crate) symbol: String,
    /// Decimals of a price; one tick is one of the last of them.
    pub(crate) price_scale: u32,
    /// Price at the start, in ticks.
    pub(crate) start: i64,
    /// Decimals of a size; one lot is `lot_step` of the last of them.
    pub(crate) size_scale: u32,
    pub(crate) lot_step: i64,
}

/// Symbol, decimals of the price, start in ticks, decimals of the size, lot.
type Row = (&'static str, u32, i64, u32, i64);

/// Most active first.
const ROWS: [Row; 50] = [
    ("BTC-USD", 2, 6_890_050, 8, 10_000),
    ("ETH-USD", 2, 357_012, 8, 100_000),
    ("EUR-USD", 5, 108_412, 0, 1_000),
    ("AAPL", 2, 22_815, 0, 1),
    ("SOL-USD", 2, 14_283, 8, 1_000_000),
    ("NVDA", 2, 13_472, 0, 1),
    ("USD-JPY", 3, 151_230, 0, 1_000),
    ("SPY", 2, 58_411, 0, 1),
    ("XRP-USD", 5, 52_310, 6, 1_000_000),
    ("TSLA", 2, 24_944, 0, 1),
    ("DOGE-USD", 5, 13_742, 1, 10),
    ("GBP-USD", 5, 129_870, 0, 1_000),
    ("MSFT", 2, 41_826, 0, 1),
    ("ADA-USD", 4, 3_521, 8, 100_000_000),
    ("QQQ", 2, 49_532, 0, 1),
    ("AMZN", 2, 18_640, 0, 1),
    ("AVAX-USD", 2, 2_713, 8, 10_000_000),
    ("USD-CHF", 5, 86_612, 0, 1_000),
    ("META", 2, 57_628, 0, 1),
    ("LINK-USD", 3, 11_402, 2, 1),
    ("AUD-USD", 5, 66_912, 0, 1_000),
    ("GOOGL", 2, 16_572, 0, 1),
    ("LTC-USD", 2, 7_011, 8, 10_000_000),
    ("AMD", 2, 15_620, 0, 1),
    ("USD-CAD", 5, 138_110, 0, 1_000),
    ("BCH-USD", 2, 36_128, 8, 1_000_000),
    ("JPM", 2, 22_318, 0, 1),
    ("DOT-USD", 3, 4_211, 8, 10_000_000),
    ("NFLX", 2, 76_105, 0, 1),
    ("EUR-GBP", 5, 83_478, 0, 1_000),
    ("INTC", 2, 2_268, 0, 1),
    ("UNI-USD", 3, 7_612, 6, 10_000),
    ("EUR-JPY", 3, 163_940, 0, 1_000),
    ("BAC", 2, 4_235, 0, 1),
    ("ATOM-USD", 3, 4_416, 2, 1),
    ("XOM", 2, 12_018, 0, 1),
    ("NZD-USD", 5, 60_718, 0, 1_000),
    ("ETC-USD", 2, 1_864, 8, 10_000_000),
    ("DIS", 2, 9_610, 0, 1),
    ("XLM-USD", 6, 94_120, 0, 1),
    ("KO", 2, 6_982, 0, 1),
    ("FIL-USD", 3, 3_582, 3, 10),
    ("GBP-JPY", 3, 196_420, 0, 1_000),
    ("WMT", 2, 8_124, 0, 1),
    ("AAVE-USD", 2, 15_233, 3, 1),
    ("BRK.B", 2, 46_011, 0, 1),
    ("ALGO-USD", 4, 1_182, 0, 1),
    ("PFE", 2, 2_890, 0, 1),
    ("SUI-USD", 4, 20_140, 1, 1),
    ("BRK.A", 2, 69_012_500, 0, 1),
];

/// The first `count` symbols.
pub(crate) fn listings(count: usize) -> Vec<Listing> {
    let known = ROWS.into_iter().map(|(symbol, price_scale, start, size_scale, lot_step)| Listing {
        symbol: symbol.to_owned(),
        price_scale,
        start,
        size_scale,
        lot_step,
    });
    let made_up = (ROWS.len() + 1..).map(|number| Listing {
        symbol: format!("SIM{number:05}-USD"),
        price_scale: 2,
        start: 10_000,
        size_scale: 4,
        lot_step: 100,
    });
    known.chain(made_up).take(count).collect()
}
