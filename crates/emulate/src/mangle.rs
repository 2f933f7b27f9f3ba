//! Updates made wrong: the same message with one thing in it that should not be.

use model::UnixNanos;
use serde_json::{Value, json};

use crate::fault::Kind;

/// The text of an update with a fault in it; `None` where this venue has nothing that could be wrong so.
pub(crate) fn mangle(kind: Kind, text: &str, number_keys: &[&str]) -> Option<String> {
    match kind {
        Kind::BadChecksum => shift(text, &["checksum"], 1),
        Kind::WrongSequence => shift(text, number_keys, 1_000_000),
        Kind::NotJson => Some("<html>502 Bad Gateway</html>".to_owned()),
        Kind::Truncated => Some(text[..text.floor_char_boundary(text.len() / 2)].to_owned()),
        Kind::ExtraFields => Some(text.replacen('{', r#"{"zzz":[{"a":null}],"#, 1)),
        Kind::WrongTypes => level(text, |level| *price(level) = json!([])),
        Kind::LongNumber => {
            let digits = format!("1.{}", "1".repeat(40));
            raw_price(text, &digits)
        }
        Kind::NotNumber => level(text, |level| *price(level) = json!("NaN")),
        Kind::NegativeSize => level(text, |level| {
            let size = size(level);
            *size = if size.is_string() { json!("-1") } else { json!(-1) };
        }),
        Kind::Crossed => crossed(text),
        _ => None,
    }
}

/// Adds to every number of these keys.
pub(crate) fn shift(text: &str, keys: &[&str], by: i64) -> Option<String> {
    let (mut out, mut found) = (text.to_owned(), false);
    for key in keys {
        let pattern = format!("\"{key}\":");
        let mut from = 0;
        while let Some(at) = out[from..].find(&pattern).map(|at| from + at + pattern.len()) {
            let end =
                out[at..].find(|c: char| c != '-' && !c.is_ascii_digit()).map_or(out.len(), |end| at + end);
            from = at;
            if let Ok(number) = out[at..end].parse::<i64>() {
                out.replace_range(at..end, &(number + by).to_string());
                found = true;
            }
        }
    }
    found.then_some(out)
}

/// Moves every time in it by so many milliseconds.
pub(crate) fn clock(text: &str, by: i64) -> String {
    let mut out = text.to_owned();
    for key in ["E", "T", "ts", "cts"] {
        out = shift(&out, &[key], by).unwrap_or(out);
    }
    for key in ["ts", "timestamp", "event_time", "time"] {
        let pattern = format!("\"{key}\":\"");
        let mut from = 0;
        while let Some(at) = out[from..].find(&pattern).map(|at| from + at + pattern.len()) {
            from = at;
            let Some(end) = out[at..].find('"').map(|end| at + end) else { break };
            if let Ok(millis) = out[at..end].parse::<i64>() {
                out.replace_range(at..end, &(millis + by).to_string());
            } else if let Ok(instant) = UnixNanos::from_rfc3339(&out[at..end]) {
                let moved = instant.0.saturating_add_signed(by * 1_000_000);
                out.replace_range(at..end, &UnixNanos(moved).to_string());
            }
        }
    }
    out
}

/// The update of another instrument.
pub(crate) fn renamed(text: &str, symbol: &str) -> String {
    text.replace(symbol, "ZZZ-USDT").replace(&symbol.to_ascii_lowercase(), "zzz-usdt")
}

/// The update without a level.
pub(crate) fn emptied(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let mut done = false;
    lists(&mut value, &mut |list| {
        list.clear();
        done = true;
    });
    done.then(|| value.to_string())
}

/// Calls for every list of levels.
fn lists(value: &mut Value, then: &mut dyn FnMut(&mut Vec<Value>)) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::Array(list) if matches!(key.as_str(), "b" | "a" | "bids" | "asks" | "updates") => {
                        then(list);
                    }
                    member => lists(member, then),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|member| lists(member, then)),
        _ => {}
    }
}

fn level(text: &str, change: impl Fn(&mut Value)) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let mut done = false;
    lists(&mut value, &mut |list| {
        if let Some(first) = list.first_mut().filter(|_| !done) {
            change(first);
            done = true;
        }
    });
    done.then(|| value.to_string())
}

fn price(level: &mut Value) -> &mut Value {
    if level.is_array() {
        &mut level[0]
    } else if level.get("price").is_some() {
        &mut level["price"]
    } else {
        &mut level["price_level"]
    }
}

fn size(level: &mut Value) -> &mut Value {
    if level.is_array() {
        &mut level[1]
    } else if level.get("qty").is_some() {
        &mut level["qty"]
    } else {
        &mut level["new_quantity"]
    }
}

/// A price put in as text, for no number of a library holds it.
fn raw_price(text: &str, digits: &str) -> Option<String> {
    let marked = level(text, |level| {
        let price = price(level);
        *price = if price.is_string() { json!("@@") } else { json!("@@@") };
    })?;
    Some(marked.replace("\"@@@\"", digits).replace("@@", digits))
}

/// A bid that no offer can be above.
fn crossed(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let (mut done, numbers) = (false, text.contains("\"qty\":"));
    cross(&mut value, numbers, &mut done);
    done.then(|| value.to_string())
}

fn cross(value: &mut Value, numbers: bool, done: &mut bool) {
    const PRICE: &str = "99999999";
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    (_, Value::Array(_)) if *done => {}
                    ("b" | "bids", Value::Array(list)) => {
                        let level = if numbers {
                            json!({"price": 99_999_999, "qty": 1})
                        } else {
                            json!([PRICE, "1"])
                        };
                        list.push(level);
                        *done = true;
                    }
                    ("updates", Value::Array(list)) => {
                        let mut level = list.first().cloned().unwrap_or_default();
                        level["side"] = json!("bid");
                        level["price_level"] = json!(PRICE);
                        level["new_quantity"] = json!("1");
                        list.push(level);
                        *done = true;
                    }
                    (_, member) => cross(member, numbers, done),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|member| cross(member, numbers, done)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYBIT: &str = r#"{"topic":"orderbook.50.X","ts":1700000000000,"type":"delta","data":{"s":"X","b":[["1","2"]],"a":[],"u":7}}"#;

    #[test]
    fn one_thing_is_wrong_and_the_rest_is_as_it_was() {
        assert_eq!(shift(BYBIT, &["u"], 5).unwrap(), BYBIT.replace("\"u\":7", "\"u\":12"));
        assert_eq!(shift(BYBIT, &["pu"], 5), None);
        assert_eq!(clock(BYBIT, 86_400_000), BYBIT.replace("1700000000000", "1700086400000"));
        let kraken =
            r#"{"data":[{"bids":[{"price":1.50,"qty":2}],"timestamp":"2026-07-19T17:54:39.753424Z"}]}"#;
        assert!(clock(kraken, -86_400_000).contains("2026-07-18T17:54:39.753424000Z"));
        let long = mangle(Kind::LongNumber, kraken, &[]).unwrap();
        assert!(long.contains(r#""price":1.1111"#), "{long}");
        assert!(mangle(Kind::LongNumber, BYBIT, &[]).unwrap().contains(r#"["1.1111"#));
        assert!(mangle(Kind::NegativeSize, kraken, &[]).unwrap().contains(r#""qty":-1"#));
        assert!(mangle(Kind::Crossed, BYBIT, &[]).unwrap().contains(r#"["99999999","1"]"#));
        assert!(emptied(BYBIT).unwrap().contains(r#""b":[]"#));
        assert_eq!(mangle(Kind::BadChecksum, BYBIT, &[]), None);
    }
}
