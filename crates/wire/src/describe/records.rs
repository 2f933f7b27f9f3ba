//! Records as JSON Schemas. [`crate::Writer`] writes them by hand; the tests here hold both together, and
//! with the lists of fields that can be asked for.

use model::{Channel, Correction};
use serde_json::{Map, Value, json};

use super::words::one;

/// A kind of record, and its fields beside `symbol` and `sequence`.
struct Kind {
    name: &'static str,
    channel: Channel,
    about: &'static str,
    /// There, whatever fields were asked for.
    always: &'static [&'static str],
    /// There where no fields were asked for.
    whole: &'static [&'static str],
    /// There where they apply.
    some: &'static [&'static str],
}

/// What any record may have.
const ANY: [&str; 6] = ["prev_sequence", "coalesced", "ts_event", "ts_source", "ts_recv", "ts_seq"];

const KINDS: [Kind; 8] = [
    Kind {
        name: "Trade",
        channel: Channel::Trades,
        about: "One trade.",
        always: &[],
        whole: &["price", "size", "side"],
        some: &["trade_id"],
    },
    Kind {
        name: "Correction",
        channel: Channel::Trades,
        about: "A trade is taken back, or said anew. No summary goes across it. Where something holds instead, price, \
                size and side say what.",
        always: &["correction"],
        whole: &["trade_id"],
        some: &[
            "original_sequence",
            "original_price",
            "original_size",
            "original_side",
            "original_ts_event",
            "new_trade_id",
            "price",
            "size",
            "side",
        ],
    },
    Kind {
        name: "TradeSummary",
        channel: Channel::Trades,
        about: "Many trades: added to the single ones, the totals are those of the source.",
        always: &["summary"],
        whole: &[
            "trades",
            "open",
            "high",
            "low",
            "price",
            "volume",
            "notional",
            "buy_volume",
            "sell_volume",
            "side",
            "first_ts_event",
        ],
        some: &[],
    },
    Kind {
        name: "Quote",
        channel: Channel::Quotes,
        about: "Best bid and offer. An empty side is null.",
        always: &[],
        whole: &["bid_price", "bid_size", "ask_price", "ask_size"],
        some: &["derived", "bid_source", "ask_source", "crossed", "locked"],
    },
    Kind {
        name: "Ticker",
        channel: Channel::Ticker,
        about: "The last 24 hours, to the minute. What is not known is absent.",
        always: &[],
        whole: &["window"],
        some: &[
            "last_price",
            "last_size",
            "bid_price",
            "bid_size",
            "ask_price",
            "ask_size",
            "open",
            "high",
            "low",
            "volume",
            "change",
            "change_percent",
        ],
    },
    Kind {
        name: "Book",
        channel: Channel::Book,
        about: "Levels of a book: all of them in a snapshot, those that changed in an update.",
        always: &[],
        whole: &["bids", "asks"],
        some: &["depth", "crossed", "locked", "checksum"],
    },
    Kind {
        name: "Candle",
        channel: Channel::Candles,
        about: "A bar. It replaces the one with the same `start`.",
        always: &["interval", "start"],
        whole: &["open", "high", "low", "close", "volume", "trades", "closed"],
        some: &["corrected"],
    },
    Kind {
        name: "Status",
        channel: Channel::Status,
        about: "Whether a symbol trades, and whether its data can be trusted.",
        always: &[],
        whole: &["state", "feed"],
        some: &["reason", "since"],
    },
];

/// Where a schema says which fields are there unless the subscription asked for some only.
pub(super) const WHOLE: &str = "x-required-unless-fields";

/// The schemas of all kinds of records.
pub(super) fn schemas() -> Map<String, Value> {
    let level = json!({
        "type": "array", "items": one("Decimal"), "minItems": 2, "maxItems": 2,
        "description": "Price and size. In an update, the size \"0\" removes the level.",
    });
    let kinds = KINDS.iter().map(|kind| (kind.name.to_owned(), schema(kind)));
    kinds.chain([("Level".to_owned(), level)]).collect()
}

/// What the records of a channel are.
pub(super) fn of_channel(channel: Channel) -> Value {
    let kinds: Vec<_> =
        KINDS.iter().filter(|kind| kind.channel == channel).map(|kind| one(kind.name)).collect();
    if let [kind] = &kinds[..] { kind.clone() } else { json!({ "oneOf": kinds }) }
}

fn schema(kind: &Kind) -> Value {
    let names =
        ["symbol", "sequence"].iter().chain(&ANY).chain(kind.always).chain(kind.whole).chain(kind.some);
    let properties: Map<String, Value> = names.map(|name| ((*name).to_owned(), field(kind, name))).collect();
    let required: Vec<_> = ["symbol", "sequence"].iter().chain(kind.always).collect();
    let mut schema = json!({
        "type": "object",
        "description": kind.about,
        "properties": properties,
        "required": required,
    });
    schema[WHOLE] = kind.whole.into();
    if kind.name == "Trade" {
        // Records have room for fields that come later: without this, a summary or a correction would be a trade as well.
        schema["not"] = json!({ "anyOf": [
            { "properties": { "summary": { "const": true } }, "required": ["summary"] },
            { "required": ["correction"] },
        ] });
    }
    schema
}

fn field(kind: &Kind, name: &str) -> Value {
    let described = |mut schema: Value, about: &str| {
        schema["description"] = about.into();
        schema
    };
    let whole = || json!({ "type": "integer", "minimum": 0 });
    let truth = || json!({ "type": "boolean", "const": true });
    let is_null_if_empty = kind.name == "Quote";
    let maybe = |name: &str| {
        if is_null_if_empty { json!({ "oneOf": [one(name), { "type": "null" }] }) } else { one(name) }
    };
    match name {
        "symbol" => one("Symbol"),
        "sequence" => one("Sequence"),
        "prev_sequence" => described(
            one("Sequence"),
            "The sequence that the reader has before this record; absent where that is `sequence` - 1.",
        ),
        "coalesced" => described(whole(), "How many events this record stands for beside its own."),
        "ts_event" => described(one("Time"), "The venue's time."),
        "ts_source" => described(
            one("Time"),
            "When the venue sent it, where it says that, for those who name this field.",
        ),
        "ts_seq" => described(one("Time"), "When the server sequenced it, for those who name this field."),
        "ts_recv" => described(one("Time"), "When the server received it."),
        "first_ts_event" => described(one("Time"), "When the first of these trades was."),
        "start" => described(one("Time"), "The bar's first instant."),
        "since" => described(one("Time"), "Since when this holds."),
        "correction" => json!({
            "type": "string", "enum": [Correction::CANCEL, Correction::CORRECT],
            "description": "The trade never was, or something else holds instead.",
        }),
        "original_sequence" => described(one("Sequence"), "Where the trade stood, if that is known."),
        "original_price" => described(one("Decimal"), "What was told."),
        "original_size" => described(one("Size"), "What was told."),
        "original_side" => described(one("Side"), "What was told."),
        "original_ts_event" => described(one("Time"), "The venue's time of the trade."),
        "new_trade_id" => {
            json!({ "type": "string", "description": "The id of what holds instead, where it is another." })
        }
        "trade_id" => json!({ "type": "string", "description": "The venue's own." }),
        "side" => one("Side"),
        "price" if kind.name == "TradeSummary" => described(one("Decimal"), "The last price."),
        "price" | "open" | "high" | "low" | "close" | "last_price" => one("Decimal"),
        "size" | "last_size" => one("Size"),
        "summary" => described(truth(), "This is a summary."),
        "trades" => described(whole(), "How many trades."),
        "change" | "change_percent" => described(one("Decimal"), "Against the price of 24 hours ago."),
        "volume" => described(one("Size"), "The sum of the sizes."),
        "buy_volume" | "sell_volume" => described(one("Size"), "The sum of the sizes that this side took."),
        "notional" => described(one("Decimal"), "The exact sum of price × size."),
        "bid_price" | "ask_price" => maybe("Decimal"),
        "bid_size" | "ask_size" => maybe("Size"),
        "bid_source" | "ask_source" => {
            described(one("Symbol"), "Of a consolidated quote: the symbol at whose venue it stands.")
        }
        "derived" => described(truth(), "Computed from the book, where the venue sends no quotes."),
        "window" => json!({ "type": "string", "const": "24h" }),
        "bids" | "asks" => {
            json!({ "type": "array", "items": one("Level"), "description": "Best first in a snapshot." })
        }
        "depth" => described(one("Depth"), "In a snapshot: levels a side that were asked for; 0 = all."),
        "crossed" => described(truth(), "The best bid is at or above the best ask."),
        "locked" => described(truth(), "The best bid is the best ask; it counts as crossed, too."),
        "checksum" => json!({
            "type": "integer", "minimum": 0, "maximum": u32::MAX,
            "description": "CRC-32 of the book that results, as Kraken's WebSocket v2 defines it.",
        }),
        "interval" => one("Interval"),
        "corrected" => described(
            truth(),
            "The bar is told anew: a trade came late, or was taken back or corrected. Without `trades` it is none any more.",
        ),
        "closed" => json!({ "type": "boolean", "description": "The bar is over." }),
        "state" => one("State"),
        "reason" => json!({ "type": "string", "description": "Why, in words." }),
        "feed" => json!({ "type": "string", "description": "The feed that says so." }),
        _ => panic!("say in describe/records.rs what a record's {name:?} is"),
    }
}

#[cfg(test)]
mod tests;
