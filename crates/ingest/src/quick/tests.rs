//! Whatever is read the short way, `serde_json` reads as well, and the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::json::{Millis, Pair, Whole, known};

#[derive(Debug, Deserialize, PartialEq)]
struct Message<'a> {
    #[serde(borrow, default)]
    e: Cow<'a, str>,
    #[serde(rename = "E")]
    at: Option<u64>,
    c: Option<i32>,
    m: Option<bool>,
    #[serde(default)]
    b: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(default, deserialize_with = "known")]
    k: Option<u64>,
    n: Option<BTreeMap<String, Value>>,
}

/// Reads both ways; tells whether the short one was enough.
fn agree<'a, T: Deserialize<'a> + Debug>(text: &'a str) -> bool {
    let Some(short) = read::<T>(text) else { return false };
    let long = serde_json::from_str::<T>(text);
    let long = long.unwrap_or_else(|error| panic!("{text}: {short:?}, but {error}"));
    assert_eq!(format!("{short:?}"), format!("{long:?}"), "{text}");
    true
}

#[test]
fn takes_what_venues_send() {
    for text in [
        r#"{"e":"depthUpdate","E":1700000000000,"b":[["68900.10","1.5"],["0.00000001","0.000"]],"zzz":[{"a":null,"f":-1.5e3}]}"#,
        r#"{ "e" : "é" , "c":-7,"m":true, "E":null, "b":[ ], "n":{"x":[1,"y",false]},"k":"" }"#,
        "{}",
    ] {
        assert!(agree::<Message<'_>>(text), "{text}");
        assert!(agree::<&RawValue>(text), "{text}");
    }
    assert!(agree::<Vec<Pair>>(r#"[["1.0","2"],["3","4","5"]]"#));
    assert!(agree::<(Millis, Whole)>(r#"["1700000000000",18446744073709551615]"#));
    assert!(agree::<Value>(r#"[-9223372036854775808,{"a":{"b":[]}}]"#));
}

#[test]
fn leaves_the_rest() {
    for text in [
        "",
        "{",
        "{\"e\":\"a",
        "{\"e\":\"a\"",
        "{\"e\":\"a\"}}",
        "{\"e\":\"a\",}",
        "{,}",
        "{\"E\":01}",
        "{\"E\":1.0}",
        "{\"E\":-1}",
        "{\"E\":-0}",
        "{\"E\":18446744073709551616}",
        "{\"c\":3000000000}",
        "{\"e\":\"a\\n\"}",
        "{\"e\":\"a\u{1}\"}",
        "{\"zzz\":tru}",
        "{\"zzz\":-}",
        "{\"zzz\":1.}",
        "{\"zzz\":1e}",
        "{\"zzz\":00}",
        "{\"zzz\":[1,]}",
        "{\"zzz\":[1 2]}",
        "{\"zzz\" 1}",
        "{\"e\":\"a\",\"e\":\"b\"}",
        "\u{a0}{}",
        "{\"zzz\":+1}",
    ] {
        assert!(read::<Message<'_>>(text).is_none(), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(read::<&RawValue>(&deep).is_none());
    assert!(from_str::<&RawValue>(&deep).is_ok());
}

#[test]
fn says_what_is_wrong_as_serde_json_does() {
    let text = "{\"e\":\"a\",\n\"c\":true}";
    let told = |error: serde_json::Error| error.to_string();
    assert_eq!(
        from_str::<Message<'_>>(text).map_err(told),
        serde_json::from_str::<Message<'_>>(text).map_err(told)
    );
}

/// JSON, and what is nearly JSON.
fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?[0-9]{1,21}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?",
        "\"[a-z0-9é\\\\\"\u{1}. ]{0,20}\"",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("fals".to_owned()),
    ];
    let value = leaf.prop_recursive(4, 24, 5, |inner| {
        let key = prop_oneof!["\"(e|E|c|m|b|k|n)\"", "\"[a-z]{0,9}\""];
        let member =
            (key, " ?:\n?", inner.clone()).prop_map(|(key, colon, value)| format!("{key}{colon}{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    });
    let cut = (value, any::<prop::sample::Index>(), "[\\[\\]{},:\"0-9a ]?", any::<bool>());
    cut.prop_map(|(mut text, at, put, is_changed)| {
        let at = text.floor_char_boundary(at.index(text.len() + 1));
        if is_changed {
            text.insert_str(at, &put);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn both_ways_agree(text in texts()) {
        agree::<Message<'_>>(&text);
        agree::<Value>(&text);
        agree::<&RawValue>(&text);
        agree::<Vec<Pair>>(&text);
        agree::<Vec<(Cow<'_, str>, Option<u64>)>>(&text);
    }

    #[test]
    fn marks_are_found_where_they_are(bytes: [u8; 8]) {
        let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        let found = marks(u64::from_le_bytes(bytes));
        prop_assert_eq!((found != 0).then(|| (found.trailing_zeros() / 8) as usize), first);
    }
}
