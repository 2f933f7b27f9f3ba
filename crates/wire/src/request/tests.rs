//! Every kind of wrong request, and what its answer says.

use super::*;

fn refused(text: &str) -> (ErrorCode, String) {
    let error = Request::parse(text).expect_err(text);
    (error.code, error.message)
}

#[track_caller]
fn check(text: &str, code: ErrorCode, message: &str) {
    assert_eq!(refused(text), (code, message.to_owned()), "{text}");
}

#[test]
fn a_full_subscribe() {
    let text = r#"{"op":"subscribe","id":2,"channels":["trades","book"],"symbols":["BTC-USD","ETH-*"],
        "snapshot":false,"depth":0,"conflate_ms":100,"overflow":"gap","interval":"1s","stamp":true}"#;
    let request = Request::parse(text).unwrap();
    assert_eq!(request.id, Some(RequestId::Number(2)));
    let Op::Subscribe(subscribe) = request.op else { panic!("not a subscribe") };
    assert_eq!(subscribe.channels, [Channel::Trades, Channel::Book]);
    assert_eq!(subscribe.symbols.iter().map(Pattern::as_str).collect::<Vec<_>>(), ["BTC-USD", "ETH-*"]);
    let wanted = Options {
        snapshot: false,
        depth: 0,
        conflate_ms: 100,
        overflow: Overflow::Gap,
        interval: Interval::S1,
        stamp: true,
        ..Options::default()
    };
    assert_eq!(subscribe.options, wanted);
}

#[test]
fn not_json() {
    check(
        "{",
        ErrorCode::InvalidJson,
        "The message is not JSON: EOF while parsing an object at line 1 column 1.",
    );
    assert_eq!(refused("\u{0}\u{1}binary").0, ErrorCode::InvalidJson);
    assert_eq!(refused(&"[".repeat(5_000)).0, ErrorCode::InvalidRequest);
}

#[test]
fn an_echo_is_not_interpreted() {
    let deep = format!("{}1e400{}", "[".repeat(200), "]".repeat(200));
    let request = Request::parse(&format!("{{\"op\":\"echo\",\"payload\":{deep}}}")).unwrap();
    let Op::Echo { payload } = request.op else { panic!("not an echo") };
    assert_eq!(payload.get(), deep);
}

#[test]
fn not_a_request() {
    use ErrorCode::InvalidRequest as Invalid;
    assert_eq!(refused("[]").0, Invalid);
    check(
        r#"{"op":"list","op":"list"}"#,
        Invalid,
        "A message must be one JSON object, each field once: field \"op\" stands twice at line 1 column 25.",
    );
    check("{}", Invalid, "Field \"op\" is missing; it must be a text.");
    check(r#"{"op":5}"#, Invalid, "Field \"op\" must be a text.");
    check(
        r#"{"op":"list","id":1.5}"#,
        Invalid,
        "Field \"id\" must be a whole number up to 2^53 or a text of at most 64 bytes.",
    );
    check(
        r#"{"op":"list","id":9007199254740993}"#,
        Invalid,
        "Field \"id\" must be a whole number up to 2^53 or a text of at most 64 bytes.",
    );
    check(
        r#"{"op":"subscribe","channels":["trades"],"symbol":["BTC-USD"]}"#,
        Invalid,
        "Unknown field \"symbol\". Did you mean \"symbols\"?",
    );
    check(
        r#"{"op":"subscribe","symbols":["A"]}"#,
        Invalid,
        "Field \"channels\" is missing; it must be a list of texts.",
    );
    check(
        r#"{"op":"subscribe","channels":[],"symbols":["A"]}"#,
        Invalid,
        "Field \"channels\" must have 1 to 1000 entries, not 0.",
    );
    for (field, wanted) in [
        (r#""depth":7"#, "Field \"depth\" must be 1, 5, 10, 20, 50 or 0 for all."),
        (r#""depth":"5""#, "Field \"depth\" must be 1, 5, 10, 20, 50 or 0 for all."),
        (r#""interval":"2m""#, "Field \"interval\" must be one of 1s, 1m, 5m, 15m, 1h, 1d."),
        (r#""conflate_ms":-1"#, "Field \"conflate_ms\" must be a whole number from 0 to 3600000."),
        (r#""conflate_ms":3600001"#, "Field \"conflate_ms\" must be a whole number from 0 to 3600000."),
        (r#""overflow":"drop""#, "Field \"overflow\" must be \"coalesce\", \"gap\" or \"disconnect\"."),
        (r#""snapshot_limit":501"#, "Field \"snapshot_limit\" must be a whole number from 1 to 500."),
    ] {
        let text = format!(r#"{{"op":"subscribe","channels":["book"],"symbols":["A"],{field}}}"#);
        check(&text, Invalid, wanted);
    }
}

#[test]
fn the_answer_names_the_request() {
    let error = Request::parse(r#"{"op":"subscirbe","id":"a"}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownOp);
    assert_eq!(error.message, "Unknown op \"subscirbe\". Did you mean \"subscribe\"?");
    assert_eq!((error.id, error.op.as_deref()), (Some(RequestId::Text("a".into())), Some("subscirbe")));

    let error =
        Request::parse(r#"{"op":"subscribe","id":7,"symbols":["A"],"channels":["trade"]}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownChannel);
    assert_eq!(error.message, "Unknown channel \"trade\". Did you mean \"trades\"?");
    assert_eq!(error.id, Some(RequestId::Number(7)));
}

#[test]
fn a_token_is_never_shown() {
    let request = Request::parse(r#"{"op":"auth","token":"very-secret"}"#).unwrap();
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn what_could_be_read_is_echoed() {
    for id in ["1.5", "-1", "[]", "9007199254740993"] {
        let error = Request::parse(&format!(r#"{{"op":"list","id":{id}}}"#)).unwrap_err();
        assert_eq!((error.op.as_deref(), error.id), (Some("list"), None), "{id}");
    }
    let many: Vec<_> = (0..40).map(|n| format!(r#""f{n}":1"#)).collect();
    check(
        &format!("{{{}}}", many.join(",")),
        ErrorCode::InvalidRequest,
        "A message must be one JSON object, each field once: more than 32 fields at line 1 column 254.",
    );
}
