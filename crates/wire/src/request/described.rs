//! Requests as JSON Schemas: what [`Request::parse`] takes. The lists of fields and the bounds are its own.
//!
//! What depends on more than one field, or on the session, is told in words.

use model::Channel;
use serde_json::{Map, Value, json};

use super::subscribe::{CONFLATE_MS_MAX, DEPTHS, FILTER, MAX_AGE_MS_MAX, REWIND_MS_MAX, SNAPSHOT_LIMIT_MAX};
use super::{
    CLIENT_RATE_MAX, CLIENT_RATE_MIN, CREDIT_MAX, ID_NUMBER_MAX, ID_TEXT_BYTES_MAX, LIST_MAX, OPS, RATE_MAX,
    RATE_MIN, STEP_RECORDS_MAX,
};
use crate::describe::{one, pascal};

/// Every operation with the name and the schema of its request.
pub(crate) fn requests() -> Vec<(&'static str, String, Value)> {
    OPS.iter().map(|(op, fields)| (*op, name(op), request(op, fields))).collect()
}

/// The schemas that requests are made of.
pub(crate) fn schemas() -> Map<String, Value> {
    let id = json!({
        "description": "Chosen by the client; the answer has it, too. A text has at most 64 bytes.",
        "oneOf": [
            { "type": "integer", "minimum": 0, "maximum": ID_NUMBER_MAX },
            { "type": "string", "maxLength": ID_TEXT_BYTES_MAX },
        ],
    });
    let depth = json!({ "type": "integer", "enum": DEPTHS, "description": "Levels a side; 0 = all." });
    let all = [("RequestId", id), ("Depth", depth), ("Filter", filter())];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// The name of an operation's request: `SubscribeRequest`.
fn name(op: &str) -> String {
    format!("{}Request", pascal(op))
}

fn request(op: &str, fields: &[&str]) -> Value {
    let mut properties: Map<String, Value> =
        fields.iter().filter(|name| **name != "op").map(|name| ((*name).to_owned(), field(name))).collect();
    properties.insert("op".to_owned(), json!({ "type": "string", "const": op }));
    // In the order of their table.
    let must = ["op", "token", "channels", "symbols", "replay", "alert", "symbol"];
    let required =
        fields.iter().filter(|name| must.contains(name) || (op, **name) == ("replay_speed", "speed"));
    json!({
        "type": "object",
        "description": about(op),
        "properties": properties,
        "required": required.collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn about(op: &str) -> &'static str {
    match op {
        "auth" => "Shows a token, or a new one in its place.",
        "subscribe" => {
            "Subscribes every channel × every symbol. An option holds for the channels that it is about. A second \
             subscribe to a stream replaces its options and keeps its position."
        }
        "unsubscribe" => "Ends subscriptions. No record of these streams comes after the ack.",
        "pause" => "Sends nothing of these streams until `unpause`; their place is kept.",
        "unpause" => "Goes on with streams that were paused.",
        "pace" => "Sets how much and how often the session may be sent; what is left out stays as it was.",
        "credit" => "Allows so many flushes more, with `credit` of `pace`.",
        "replay_open" => {
            "Begins a replay: what was recorded, in its total order, by a clock of its own. Its options are those of a \
             subscribe. It is lossless: it waits for a client that reads slowly."
        }
        "replay_pause" => "Lets a replay wait. No record of it comes after the ack.",
        "replay_resume" => "Lets a replay go on.",
        "replay_step" => "Plays so many records more, and waits.",
        "replay_seek" => {
            "Goes on from another place: `to` a time or behind a `cursor`. What comes after the ack is of there."
        }
        "replay_speed" => "Goes on at another speed.",
        "replay_close" => "Ends a replay. No record of it comes after the ack.",
        "alert_set" => {
            "Watches for a value to cross a bound, `above` or `below`, also while nobody is connected. Its name is yours; \
             setting it again begins anew."
        }
        "alert_clear" => "Watches for it no more.",
        "alert_list" => "Asks for the alerts of the subject, and what has become of them.",
        "list" => "Asks what is subscribed.",
        "ledger" => "Asks for the account of every stream.",
        "ping" => "Measures the round trip.",
        "echo" => "Has something sent back, digit for digit.",
        _ => panic!("say in request/described.rs what {op:?} does"),
    }
}

fn field(name: &str) -> Value {
    let whole = |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
    let list = |of: Value| json!({ "type": "array", "items": of, "minItems": 1, "maxItems": LIST_MAX });
    let flag = || json!({ "type": "boolean" });
    let with = |mut schema: Value, default: Value| {
        schema["default"] = default;
        schema
    };
    let (schema, about) = match name {
        "id" => (one("RequestId"), "Comes back in the answer."),
        "token" => (json!({ "type": "string" }), "A JWT."),
        "channels" => (list(one("Channel")), "The channels."),
        "symbols" => (list(one("Pattern")), "Symbols and patterns."),
        "snapshot" => (
            with(flag(), true.into()),
            "Send the current state first. `false` on a first subscribe to `book` is an error.",
        ),
        "snapshot_limit" => (whole(1, SNAPSHOT_LIMIT_MAX as u64), "Trades or candles in a snapshot at most."),
        "depth" => (with(one("Depth"), 20.into()), "Book levels a side; 0 = all."),
        "interval" => (one("Interval"), "Of candles. A subscribe without it means `1m`, others mean all."),
        "conflate_ms" => (
            with(whole(0, CONFLATE_MS_MAX), 0.into()),
            "At most one update of a stream in so many milliseconds; 0 = every event.",
        ),
        "overflow" => (
            with(one("Overflow"), "coalesce".into()),
            "What happens when the client is slower than the market.",
        ),
        "checksum" => {
            (with(flag(), false.into()), "Book records carry the checksum of the book that results.")
        }
        "stamp" => (with(flag(), false.into()), "Messages carry `ts_sent`."),
        "max_age_ms" => (
            with(whole(0, MAX_AGE_MS_MAX), 0.into()),
            "Quotes, tickers and books that have waited longer are not sent; 0 = any age. Not with \
             `\"overflow\":\"disconnect\"`.",
        ),
        "trade_safe" => (
            with(flag(), false.into()),
            "The quote that was current before a trade goes out before that trade.",
        ),
        "priority" => (with(one("Priority"), "normal".into()), "Who is merged last."),
        "fields" => (list(one("Field")), "Which fields of the records; absent = all."),
        "filter" => (one("Filter"), "Which trades and quotes. One of these channels must be asked for."),
        "rewind_ms" => (
            whole(1, REWIND_MS_MAX),
            "Begin so long ago, with what was recorded since, and go on with what happens. Not with `resume`.",
        ),
        "replay" => (one("ReplayName"), "Which replay."),
        "recording" => (one("RecordingName"), "Which recording; absent = the one that is being made."),
        "from" => (
            json!({ "oneOf": [one("AskedTime"), { "type": "string", "pattern": "^-[0-9]+(ms|s|m|h|d)$" }] }),
            "Begin with what was received at this time, or so long ago; absent = at its beginning.",
        ),
        "to" => {
            (one("AskedTime"), "Of a replay: end before what was received at this time. Of a seek: where to.")
        }
        "cursor" => {
            (one("Cursor"), "Of a message of a replay of this recording: go on after it. Not with a time.")
        }
        "speed" => (one("PlaySpeed"), "How many times as fast as it was; `1` on opening without it."),
        "paused" => (with(flag(), false.into()), "Wait before the first record."),
        "live" => (
            with(flag(), false.into()),
            "At its end go on with what happens now, without a gap. For the recording that is being made; not with `to`.",
        ),
        "share" => (with(flag(), false.into()), "Let others play by its clock."),
        "join" => (
            json!({ "type": "string" }),
            "What the `ack` of another replay calls its `share`: play what it plays, by its clock.",
        ),
        "client_bytes_per_second" => (
            whole(CLIENT_RATE_MIN, CLIENT_RATE_MAX),
            "Send what a client would have got that takes so many bytes a second, by the replay's clock.",
        ),
        "alert" => (one("AlertName"), "What you call the alert."),
        "symbol" => (one("Symbol"), "The symbol."),
        "field" => (with(one("AlertField"), "last_price".into()), "What is watched."),
        "above" => (one("AskedDecimal"), "It happens when the value gets above this. This or `below`."),
        "below" => (one("AskedDecimal"), "It happens when the value gets below this. This or `above`."),
        "repeat" => (with(flag(), false.into()), "It happens each time that the value crosses."),
        "armed" => (
            with(flag(), false.into()),
            "The client knew the value when it was not beyond: where it is now, it has crossed meanwhile.",
        ),
        "records" => (with(whole(1, STEP_RECORDS_MAX), 1.into()), "How many."),
        "resume" => (one("Cursor"), "The cursor of the last message that was handled: go on from there."),
        "bytes_per_second" => (
            json!({ "oneOf": [{ "type": "integer", "const": 0 }, whole(RATE_MIN, RATE_MAX)] }),
            "Bytes of data a second; 0 = no limit.",
        ),
        "adaptive" => {
            (flag(), "The server looks for the interval between flushes that the client keeps up with.")
        }
        "credit" => (flag(), "Nothing is flushed without credit."),
        "flushes" => (with(whole(1, CREDIT_MAX), 1.into()), "How many."),
        "ts" => (json!({ "type": "string" }), "The client's time, as it likes to write it."),
        "payload" => (json!({}), "Anything."),
        _ => panic!("say in request/described.rs what a request's {name:?} is"),
    };
    with_description(schema, about)
}

fn filter() -> Value {
    let fields = FILTER.map(|name| {
        let (schema, about) = match name {
            "min_size" => (one("AskedSize"), "At least this size."),
            "side" => (one("AskedSide"), "The taker's side; of a quote, which level is looked at."),
            "min_price" => (one("AskedDecimal"), "At least this price; not above `max_price`."),
            "max_price" => (one("AskedDecimal"), "At most this price."),
            _ => panic!("say in request/described.rs what a filter's {name:?} is"),
        };
        (name.to_owned(), with_description(schema, about))
    });
    json!({
        "type": "object",
        "description": "A condition on trades and quotes; all of it must hold.",
        "properties": Map::from_iter(fields),
        "additionalProperties": false,
    })
}

fn with_description(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Options, Overflow, Priority};

    /// The defaults that are told are those that hold.
    #[test]
    fn defaults() {
        let told = |name| field(name)["default"].clone();
        let Options { snapshot, depth, conflate_ms, overflow, checksum, stamp, max_age_ms, .. } =
            Options::default();
        let Options { trade_safe, priority, interval, .. } = Options::default();
        for (name, held) in [
            ("snapshot", json!(snapshot)),
            ("depth", json!(depth)),
            ("conflate_ms", json!(conflate_ms)),
            ("overflow", json!(overflow)),
            ("checksum", json!(checksum)),
            ("stamp", json!(stamp)),
            ("max_age_ms", json!(max_age_ms)),
            ("trade_safe", json!(trade_safe)),
            ("priority", json!(priority)),
        ] {
            assert_eq!(told(name), held, "{name}");
        }
        assert_eq!((overflow, priority), (Overflow::Coalesce, Priority::Normal));
        assert!(
            field("interval")["description"].as_str().is_some_and(|about| about.contains(interval.as_str()))
        );
        assert_eq!(Channel::ALL.len(), 6);
    }
}
