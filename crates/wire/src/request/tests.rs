//! Every kind of wrong request, and what its answer says.

use model::{Price, Side, Size};

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

/// A subscribe to trades and quotes with one field more.
fn with(field: &str) -> String {
    format!(r#"{{"op":"subscribe","id":1,"channels":["trades","quotes"],"symbols":["A"],{field}}}"#)
}

#[track_caller]
fn options(field: &str) -> Options {
    let request = Request::parse(&with(field)).unwrap();
    let Op::Subscribe(subscribe) = request.op else { panic!("not a subscribe") };
    subscribe.options
}

#[test]
fn every_option_is_taken() {
    let default = Options::default();
    assert_eq!(options(r#""max_age_ms":3600000"#), Options { max_age_ms: 3_600_000, ..default });
    assert_eq!(options(r#""trade_safe":true"#), Options { trade_safe: true, ..default });
    assert_eq!(options(r#""priority":"high""#), Options { priority: Priority::High, ..default });
    assert_eq!(options(r#""priority":"low""#), Options { priority: Priority::Low, ..default });
    let view = options(r#""fields":["price","bid_price","price"]"#).view;
    assert_eq!(view.names().collect::<Vec<_>>(), ["price", "bid_price"]);
    let wanted = Filter {
        min_size: Some(Size::parse("0.5").unwrap()),
        side: Some(Side::Sell),
        min_price: Some(Price::parse("-1").unwrap()),
        max_price: Some(Price::parse("2.50").unwrap()),
    };
    let filter = r#""filter":{"min_size":"0.5","side":"sell","min_price":"-1","max_price":"2.50"}"#;
    assert_eq!(options(filter), Options { filter: Some(wanted), ..default });
    // What says nothing changes nothing; null is as good as absent.
    assert_eq!(options(r#""filter":{}"#), default);
    assert_eq!(options(r#""filter":null,"fields":null,"priority":null,"max_age_ms":null"#), default);

    let Op::Subscribe(subscribe) = Request::parse(&with(r#""resume":"k3f9:12""#)).unwrap().op else {
        panic!("not a subscribe")
    };
    assert_eq!(subscribe.resume, Some("k3f9:12".parse().unwrap()));
}

#[test]
fn every_option_says_what_it_must_be() {
    let (age, priority) = ("a whole number from 0 to 3600000", "\"high\", \"normal\" or \"low\"");
    let (cursor, number) =
        ("a cursor, as it came in a message of this server", "a decimal number as a text, such as \"0.5\"");
    for (field, name, wanted) in [
        (r#""max_age_ms":-1"#, "max_age_ms", age),
        (r#""max_age_ms":3600001"#, "max_age_ms", age),
        (r#""max_age_ms":"5""#, "max_age_ms", age),
        (r#""max_age_ms":1.5"#, "max_age_ms", age),
        (r#""trade_safe":1"#, "trade_safe", "true or false"),
        (r#""priority":"urgent""#, "priority", priority),
        (r#""priority":1"#, "priority", priority),
        (r#""fields":"price""#, "fields", "a list of texts"),
        (r#""fields":[1]"#, "fields", "a list of texts"),
        (r#""filter":["price"]"#, "filter", "an object"),
        (r#""filter":{"min_size":0.5}"#, "min_size", number),
        (r#""filter":{"min_size":"-1"}"#, "min_size", number),
        (r#""filter":{"min_price":"1_000"}"#, "min_price", number),
        (r#""filter":{"max_price":""}"#, "max_price", number),
        (r#""filter":{"side":"unknown"}"#, "side", "\"buy\" or \"sell\""),
        (r#""filter":{"side":1}"#, "side", "\"buy\" or \"sell\""),
        (r#""resume":918230"#, "resume", cursor),
        (r#""resume":"918230""#, "resume", cursor),
        (r#""resume":"k3f9:-1""#, "resume", cursor),
    ] {
        says(&with(field), name, &format!("Field \"{name}\" must be {wanted}."));
    }
    says(&with(r#""fields":[]"#), "fields", "Field \"fields\" must have 1 to 1000 entries, not 0.");
}

#[test]
fn a_slip_is_guessed() {
    for (field, name, hint) in [
        (r#""max_age":5"#, "max_age", " Did you mean \"max_age_ms\"?"),
        (r#""trade_save":true"#, "trade_save", " Did you mean \"trade_safe\"?"),
        (r#""prioritiy":"low""#, "prioritiy", " Did you mean \"priority\"?"),
        (r#""filters":{}"#, "filters", " Did you mean \"filter\"?"),
        (r#""resumed":"a:1""#, "resumed", " Did you mean \"resume\"?"),
        (r#""filter":{"min_sise":"1"}"#, "min_sise", " Did you mean \"min_size\"?"),
        (r#""filter":{"volume":"1"}"#, "volume", ""),
    ] {
        says(&with(field), name, &format!("Unknown field \"{name}\".{hint}"));
    }
    for (field, hint) in [
        ("prize", " Did you mean \"price\"?"),
        ("checksum", ""),
        ("closed", " Did you mean \"crossed\"?"),
        ("", ""),
    ] {
        let message = format!("No record of these channels has a field \"{field}\".{hint}");
        says(&with(&format!(r#""fields":["{field}"]"#)), "fields", &message);
    }
}

#[test]
fn what_contradicts_itself_is_told() {
    says(
        &with(r#""max_age_ms":1,"overflow":"disconnect""#),
        "max_age_ms",
        "Field \"max_age_ms\" withholds what is old, and \"overflow\":\"disconnect\" loses nothing: choose one.",
    );
    assert_eq!(options(r#""max_age_ms":0,"overflow":"disconnect""#).overflow, Overflow::Disconnect);
    says(
        &with(r#""filter":{"min_price":"2","max_price":"1.99"}"#),
        "min_price",
        "Field \"min_price\" is above \"max_price\": nothing is between them.",
    );
    assert!(options(r#""filter":{"min_price":"2","max_price":"2.0"}"#).filter.is_some());
    says(
        r#"{"op":"subscribe","id":1,"channels":["book"],"symbols":["A"],"filter":{"side":"buy"}}"#,
        "filter",
        "Field \"filter\" is for the channels trades and quotes.",
    );
    says(
        r#"{"op":"subscribe","id":1,"channels":["book"],"symbols":["A"],"fields":["price"]}"#,
        "fields",
        "No record of these channels has a field \"price\".",
    );
}

/// Refused, with the field at fault and the request's id.
#[track_caller]
fn says(text: &str, field: &str, message: &str) {
    let error = Request::parse(text).expect_err(text);
    assert_eq!((error.code, &*error.message), (ErrorCode::InvalidRequest, message), "{text}");
    assert_eq!(error.details, Some(json!({ "field": field })), "{text}");
    assert_eq!(error.id, Some(RequestId::Number(1)), "{text}");
}

#[test]
fn pace_and_credit() {
    let pace = |fields: &str| match Request::parse(&format!(r#"{{"op":"pace","id":1{fields}}}"#)).unwrap().op
    {
        Op::Pace(pace) => pace,
        other => panic!("not a pace: {other:?}"),
    };
    assert_eq!(pace(""), Pace::default(), "what is left out stays");
    let wanted = Pace { bytes_per_second: Some(500), adaptive: Some(true), credit: Some(false) };
    assert_eq!(pace(r#","bytes_per_second":500,"adaptive":true,"credit":false"#), wanted);
    assert_eq!(pace(r#","bytes_per_second":0"#).bytes_per_second, Some(0));
    let (rate, few) = ("a whole number from 0 to 100000000000", "0 or at least 500, not 499");
    let count = "a whole number from 1 to 1000000";
    for (op, field, name, wanted) in [
        ("pace", r#""bytes_per_second":499"#, "bytes_per_second", few),
        ("pace", r#""bytes_per_second":-1"#, "bytes_per_second", rate),
        ("pace", r#""bytes_per_second":"9000""#, "bytes_per_second", rate),
        ("pace", r#""bytes_per_second":100000000001"#, "bytes_per_second", rate),
        ("pace", r#""adaptive":"yes""#, "adaptive", "true or false"),
        ("pace", r#""credit":1"#, "credit", "true or false"),
        ("credit", r#""flushes":0"#, "flushes", count),
        ("credit", r#""flushes":1000001"#, "flushes", count),
        ("credit", r#""flushes":true"#, "flushes", count),
    ] {
        let text = format!(r#"{{"op":"{op}","id":1,{field}}}"#);
        says(&text, name, &format!("Field \"{name}\" must be {wanted}."));
    }
    for (op, field, hint) in [
        ("pace", "bytes_per_secund", "bytes_per_second"),
        ("pace", "adaptiv", "adaptive"),
        ("credit", "flush", "flushes"),
    ] {
        let text = format!(r#"{{"op":"{op}","id":1,"{field}":1}}"#);
        says(&text, field, &format!("Unknown field \"{field}\". Did you mean \"{hint}\"?"));
    }
    let Op::Credit { flushes: 1 } = Request::parse(r#"{"op":"credit"}"#).unwrap().op else {
        panic!("one is what is meant")
    };
}

#[test]
fn pause_takes_what_unsubscribe_takes() {
    let text = |op: &str, field: &str| {
        format!(r#"{{"op":"{op}","id":1,"channels":["candles"],"symbols":["*"]{field}}}"#)
    };
    for op in ["pause", "unpause"] {
        let request = Request::parse(&text(op, r#","interval":"5m""#)).unwrap();
        let (Op::Pause(streams) | Op::Unpause(streams)) = request.op else { panic!("not a {op}") };
        assert_eq!((streams.channels, streams.interval), (vec![Channel::Candles], Some(Interval::M5)));
        says(&text(op, r#","depth":5"#), "depth", "Unknown field \"depth\".");
        says(
            &format!(r#"{{"op":"{op}","id":1,"channels":["trades"]}}"#),
            "symbols",
            "Field \"symbols\" is missing; it must be a list of texts.",
        );
    }
}
