//! Both ways, and what is none of either.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn both_ways(value: &Value) {
    let packed = pack(value.to_string().as_bytes()).unwrap();
    let back = unpack(&packed).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), *value);
}

#[test]
fn bytes_are_those_of_the_standard() {
    let packed = |json: &str| pack(json.as_bytes()).unwrap();
    assert_eq!(
        packed(r#"{"a":[1,-1,200,true,null,"é"]}"#),
        b"\x81\xa1a\x96\x01\xff\xcc\xc8\xc3\xc0\xa2\xc3\xa9"
    );
    assert_eq!(packed("1.5"), b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00");
    // Times in their three forms: a whole second, nanoseconds, and beyond 34 bits of seconds.
    assert_eq!(
        packed(r#"{"since":"2026-11-20T14:30:00.000000000Z"}"#),
        b"\x81\xa5since\xd6\xff\x6b\x00\x59\x68"
    );
    let nanos = packed(r#"{"since":"2026-11-20T14:30:00.000000001Z"}"#);
    assert_eq!(nanos[7..], *b"\xd7\xff\x00\x00\x00\x04\x6b\x00\x59\x68");
    let late = packed(r#"{"since":"2520-01-01T00:00:00.000000001Z"}"#);
    assert_eq!(late[7..14], *b"\xc7\x0c\xff\x00\x00\x00\x01");
    // What only looks like a time, and what a client's own words hold, stays a text.
    for text in
        [r#"{"since":"2026-11-20T14:30:00Z"}"#, r#"{"payload":{"ts_sent":"2026-11-20T14:30:00.000000000Z"}}"#]
    {
        assert!(!packed(text).contains(&0xd6), "{text}");
        assert_eq!(unpack(&packed(text)).unwrap(), text);
    }
}

#[test]
fn every_size_has_its_header() {
    for count in [0, 15, 16, 65_535, 65_536] {
        both_ways(&json!(vec![0; count]));
        both_ways(&json!("x".repeat(count)));
        let map: serde_json::Map<_, _> = (0..count).map(|n| (n.to_string(), n.into())).collect();
        both_ways(&Value::Object(map));
    }
}

#[test]
fn what_is_no_message_is_refused() {
    use UnpackError::{Cut, Deep, Key, Kind, NotUtf8, Rest};
    for (bytes, error) in [
        (&b""[..], Cut(0)),
        (b"\x81\xa1a", Cut(3)),
        (b"\xdd\xff\xff\xff\xff\x01", Cut(6)),
        (b"\xdb\xff\xff\xff\xff", Cut(5)),
        (b"\xc0\xc0", Rest(1)),
        (b"\xa1\xff", NotUtf8(0)),
        (b"\x81\x01\x02", Key(1)),
        (b"\xc4\x01x", Kind(0)),
        (b"\xc1", Kind(0)),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", Kind(0)),
        (b"\xd6\x05\x00\x00\x00\x00", Kind(0)),
        // A time before 1970, and one with more than a second of nanoseconds.
        (b"\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", Kind(0)),
        (b"\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x00", Kind(0)),
    ] {
        assert_eq!(unpack(bytes), Err(error), "{bytes:?}");
    }
    assert_eq!(unpack(&[0x91; 200]), Err(Deep));
}

/// Any JSON, a few levels deep.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}|since|ts_sent", inner, 0..20)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn there_and_back(value in json_value()) {
        both_ways(&value);
    }

    #[test]
    fn whatever_comes_is_json_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(text) = unpack(&bytes) {
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{text}");
        }
    }
}
