//! Messages of JSON through mappings of them.

use std::fs;
use std::path::Path;

use ingest::table::Messages;
use ingest::{Options, reader};

use super::{Folder, map, read};

const HEAD: &str = "[instrument]\nvenue = \"v\"\nsymbol = \"{s}\"\nform = \"pair\"\n";

/// What a mapping makes of lines; a line is a message, or one of an envelope.
fn check(mapping: &str, lines: &str, wanted: &[&str]) {
    let folder = Folder::new();
    let options = Options { map: Some(map(mapping)), ..Options::default() };
    assert_eq!(read("json", &options, &[folder.file("x.jsonl", lines)]), wanted, "{lines}");
}

#[test]
fn trades_and_quotes_by_their_paths() {
    let trade = "[[message]]\nwhen = [{ column = \"e\", is = [\"t\"] }]\n[message.time]\ncolumn = \"d.ts\"\nunit = \"ms\"\n\
                 [message.trade]\nprice = [\"d.px\", \"d.p\"]\nsize = \"d.q[0]\"\nside = \"d.m\"\nid = \"$.id\"\n";
    check(
        &(HEAD.to_owned() + trade),
        "{\"e\":\"t\",\"s\":\"BTCUSDT\",\"id\":123456789012345678901234567,\"d\":{\"ts\":1750536000955,\"p\":9.121E-7,\"q\":[\"1.50\"],\"m\":\"sell\"}}\n\
         {\"e\":\"t\",\"s\":\"BTCUSDT\",\"id\":\"b\",\"d\":{\"ts\":1750536000955,\"p\":1,\"px\":2,\"q\":[3],\"m\":null}}\n\
         {\"e\":\"other\"}\n[1,2]\n\
         {\"e\":\"t\",\"s\":\"BTCUSDT\",\"d\":{\"ts\":1750536000955,\"p\":\"x\",\"q\":[3]}}\n\
         {\"e\":\"t\",\"s\":\"BTCUSDT\",\"d\":{\"ts\":1750536000955,\"q\":[3]}}\nrubbish\n",
        &[
            "v BTCUSDT BTC-USDT 2025-06-21T20:00:00.955 0.0000009121x1.50 sell #123456789012345678901234567",
            "v BTCUSDT BTC-USDT 2025-06-21T20:00:00.955 2x3 unknown #b",
            r#"! line 5: d.px or d.p (the mapping's trade.price), "x": not a decimal number (at byte 0)"#,
            r#"! line 6: d.px or d.p (the mapping's trade.price), "": nothing there"#,
            "! line 7: not JSON: expected value at line 1 column 1",
        ],
    );
    // A row is a list, and says whose it is; of several, the broken one alone is passed over.
    let rows = "[[message]]\nrows = \"$\"\nsymbol = \"{[0]}\"\n[message.quote]\nbid = 2\nbid_size = \"[2]\"\nask = 4\n";
    check(
        &(HEAD.to_owned() + rows),
        "[[\"a/b\",1.0,5,2.0],[\"a/b\",\"?\",5,2],[\"c/d\",3,6,4]]\n[\"e/f\",1,1,1]\n",
        &[
            "v a/b A-B quote 1.0x5 / 2.0x0",
            "v c/d C-D quote 3x6 / 4x0",
            r#"! line 1: [1] (the mapping's quote.bid), "?": not a decimal number (at byte 0)"#,
            "v e/f E-F quote 1x1 / 1x0",
        ],
    );
}

const BOOK: &str = "[[message]]\nrows = \"d\"\n[message.book]\nsnapshot = { column = \"$.a\", is = [\"snapshot\"] }\n\
                    bids = { list = \"b\", price = \"p\", size = \"q\" }\nasks = { list = \"a\", price = 1, size = 2 }\n";

#[test]
fn books_wait_for_a_whole_one() {
    let line = |conn: &str, data: &str| {
        let data = serde_json::Value::from(data);
        format!("{{\"t\":\"recv\",\"conn\":\"{conn}\",\"ts\":1750536000.5,\"data\":{data}}}\n")
    };
    let opened = |conn: &str| {
        format!("{{\"t\":\"connect\",\"conn\":\"{conn}\",\"addr\":\"a\",\"ts\":1750536000.5}}\n")
    };
    let whole =
        r#"{"a":"snapshot","d":[{"s":"X","b":[{"p":"9","q":"1"},{"p":"8","q":"0"}],"a":[["10","3"]]}]}"#;
    let change = r#"{"a":"update","d":{"s":"X","b":[{"p":"9","q":"0"}],"a":[["10","4"],["11","1"]]}}"#;
    let broken = r#"{"a":"update","d":{"s":"X","b":[{"p":"x","q":"0"}]}}"#;
    let lines = [
        opened("1"),
        line("1", change),
        line("1", whole),
        line("1", change),
        // Another connection is none of its business.
        opened("2"),
        line("1", broken),
        line("1", change),
        line("1", whole),
        opened("1"),
        line("1", change),
    ];
    let at = "v X X recv 2025-06-21T20:00:00.5";
    check(
        &(HEAD.to_owned() + BOOK),
        &lines.concat(),
        &[
            &format!("{at} book 9x1 / 10x3"),
            &format!("{at} derived 9x1 / 10x3"),
            &format!("{at} change 9x0 / 10x4 11x1"),
            &format!("{at} derived  / 10x4"),
            &format!("{at} gap sequence"),
            &format!("{at} suspect book updates were lost (sequence), waiting for a snapshot"),
            r#"! line 6: b (the mapping's book.bids), "x": not a decimal number (at byte 0)"#,
            &format!("{at} book 9x1 / 10x3"),
            &format!("{at} open the book is whole again"),
            &format!("{at} derived 9x1 / 10x3"),
            &format!("{at} gap reconnect"),
            &format!("{at} suspect book updates were lost (reconnect), waiting for a snapshot"),
        ],
    );
}

#[test]
fn changes_come_as_rows_and_refusals_are_told() {
    let mapping = "ignore = [\"pong\"]\n[instrument]\nvenue = \"v\"\nsymbol = \"{$.s}\"\n\
                   [[message]]\nwhen = [{ column = \"e\", not = [\"error\"] }]\nrows = \"c\"\n[message.change]\nside = 1\nprice = 2\nsize = 3\n\
                   snapshot = { column = \"$.e\", is = [\"whole\"] }\nmessage = [\"$.e\"]\n\
                   [[message]]\nwhen = [{ column = \"e\", is = [\"error\"] }]\nrefused = \"why\"\n";
    check(
        mapping,
        "pong\n{\"e\":\"whole\",\"s\":\"X\",\"c\":[[\"buy\",\"1\",\"1\"],[\"sell\",\"2\",\"5\"]]}\n{\"e\":\"l2\",\"s\":\"X\",\"c\":[[\"buy\",\"1\",\"0\"],[\"sell\",\"2\",\"6\"]]}\n\
         {\"e\":\"error\",\"why\":\"no such X\"}\n",
        &[
            "v X X book 1x1 / 2x5",
            "v X X derived 1x1 / 2x5",
            "v X X change 1x0 / 2x6",
            "v X X derived  / 2x6",
            "! line 4: the venue answers with an error: no such X",
        ],
    );
}

#[test]
fn rows_may_be_in_lists_of_lists_and_names_in_texts() {
    let mapping = "[instrument]\nvenue = \"v\"\nsymbol = \"{^.s|T:*}\"\n\
                   [[message]]\nwhen = [{ column = \"ch\", begins = [\"trades.\"] }]\nrows = \"e[].t\"\n[message.trade]\nprice = \"p\"\nsize = \"q\"\n";
    check(
        mapping,
        "{\"ch\":\"TRADES.x\",\"e\":[{\"s\":\"T:A\",\"t\":[{\"p\":1,\"q\":2},{\"p\":3,\"q\":4}]},{\"s\":\"T:B\",\"t\":{\"p\":5,\"q\":6}},{\"s\":\"C\",\"t\":[{\"p\":7,\"q\":8}]},{}]}\n\
         {\"ch\":\"trade\",\"e\":7}\n",
        &[
            "v A A 1x2 unknown",
            "v A A 3x4 unknown",
            "v B B 5x6 unknown",
            "! line 1: ^.s, \"C\": not of the form that the mapping says",
        ],
    );
}

#[test]
fn mappings_of_messages_are_held_to_their_rules() {
    let trade = "[message.trade]\nprice = \"p\"\nsize = \"q\"\n";
    assert!(toml::from_str::<Messages>(&format!("{HEAD}[[message]]\n{trade}")).is_ok());
    for (text, wanted) in [
        (HEAD.to_owned(), "missing field `message`"),
        (format!("message = []\n{HEAD}"), "needs [[message]]"),
        (format!("{HEAD}[[message]]\n"), "[[message]] 1: a mapping needs [trade], [quote]"),
        (
            format!("{HEAD}[[message]]\nrow = \"a\"\n{trade}"),
            "unknown field `row`, expected one of `when`, `rows`",
        ),
        (
            format!("{HEAD}[[message]]\nrows = \"a..b\"\n{trade}"),
            "\"a..b\": a path has keys between its points",
        ),
        (
            format!("{HEAD}[[message]]\nwhen = [{{ column = \"e\" }}]\n{trade}"),
            "when needs \"is\", \"begins\" or \"not\"",
        ),
        (format!("{HEAD}[[message]]\nrefused = \"e\"\n{trade}"), "says nothing else"),
        (
            format!(
                "{HEAD}[[message]]\n[message.book]\nbids = {{ price = 1, size = 2, step = 2 }}\nasks = {{ price = 1, size = 2, step = 2 }}\n"
            ),
            "need \"list\"",
        ),
    ] {
        let error = toml::from_str::<Messages>(&text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    let refused = reader("json", &Options::default()).err().unwrap().to_string();
    assert!(refused.starts_with("\"json\" needs a mapping"), "{refused}");
    let midnight = "[message.time]\ncolumn = \"t\"\nunit = \"s\"\nsince = \"midnight\"\n";
    let options =
        Options { map: Some(map(&format!("{HEAD}[[message]]\n{midnight}{trade}"))), ..Options::default() };
    assert!(reader("json", &options).err().unwrap().to_string().contains("say it with --date"));
}

#[test]
fn the_example_says_what_it_should() {
    let feeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../feeds/recordings");
    let text = fs::read_to_string(feeds.join("messages.map.toml")).unwrap();
    let options = Options { map: Some(map(&text)), ..Options::default() };
    let found = read("json", &options, &[feeds.join("messages.jsonl")]);
    let count = |word: &str| found.iter().filter(|line| line.contains(word)).count();
    assert_eq!((count("!"), count(" book "), count(" derived ")), (0, 2, 0), "{found:#?}");
    let at = "example BTC-EUR BTC-EUR 2026-11-20T14:30:01.6 recv 2026-11-20T14:30:01.6";
    assert!(found.contains(&format!("{at} quote 61234.50x1.4 / 61235.00x0.5")), "{found:#?}");
}
