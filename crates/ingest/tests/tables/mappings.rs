//! Mappings of one's own, and what is said of mistakes in them.

use std::fs;
use std::path::Path;

use ingest::Options;
use ingest::table::{Mapping, Messages};

use super::{check, map, read_all};

#[test]
fn a_mapping_of_ones_own() {
    let own = r#"
        names = ["{symbol}@{venue}.{date}.txt"]
        [instrument]
        venue = "{file.venue}"
        symbol = "{file.SYMBOL}"
        [rows]
        delimiter = ";"
        header = "no"
        preamble = 1
        null = ["-"]
        columns = 5
        skip = [{ column = 5, is = ["X"] }]
        [time]
        column = 1
        date = 2
        date_order = "dmy"
        unit = "iso"
        zone = "Europe/London"
        [trade]
        price = { column = 3, decimals = 2 }
        size = 4
        side = { sign_of = "size" }
    "#;
    let rows = "a preamble\n09:30:00.5;01.07.2024;12345;-7;\n09:30:01;02.12.2024;12345;7;\n09:30:02;02.12.2024;1;1;x\n09:30:03;02.12.2024;-;1;\n\
                09:30:04;02.12.2024;1.5;1;\n";
    check(
        own,
        "vod@lse.20240701.txt",
        rows,
        &[
            "lse VOD VOD 2024-07-01T08:30:00.5 123.45x7 sell",
            "lse VOD VOD 2024-12-02T09:30:01 123.45x7 buy",
            r#"! line 5: column 3 (the mapping's trade.price), "-": nothing there"#,
            r#"! line 6: column 3 (the mapping's trade.price), "1.5": a whole number must stand here; `whole_decimals` in place of `decimals` takes others, too"#,
        ],
    );
}

fn refused(text: &str) -> String {
    toml::from_str::<Mapping>(text).unwrap_err().to_string()
}

#[test]
fn mappings_are_held_to_their_rules() {
    let base = "[instrument]\nvenue = \"v\"\nsymbol = \"s\"\n[time]\ncolumn = 1\nunit = \"ms\"\n";
    let trade = "[trade]\nprice = 2\nsize = 3\n";
    assert!(toml::from_str::<Mapping>(&format!("{base}{trade}")).is_ok());
    for (text, wanted) in [
        (base.to_owned(), "a mapping needs [trade], [quote]"),
        (format!("{base}{trade}sice = 3\n"), "line 10"),
        (format!("{base}{trade}sice = 3\n"), "unknown field `sice`, expected one of `when`, `price`"),
        (format!("{base}[trade]\nprice = 0\nsize = 3\n"), "a column's position, which is counted from 1"),
        (
            format!("{base}[trade]\nprice = {{ column = 2, decimels = 2 }}\nsize = 3\n"),
            "unknown field `decimels`",
        ),
        (
            format!("{base}[trade]\nprice = {{ column = 2, decimals = 99 }}\nsize = 3\n"),
            "a number of digits from 0 to 18",
        ),
        (
            format!("{base}{trade}side = {{ column = 1, buy = [\"x\"], sell = [\"X\"] }}\n"),
            "of \"buy\" and of \"sell\"",
        ),
        (
            format!("{base}{trade}when = [{{ column = 2 }}]\n"),
            "[trade] when needs \"is\", \"begins\" or \"not\"",
        ),
        (format!("{base}zone = \"Mars\"\n{trade}"), "no time zone \"Mars\""),
        (format!("{base}since = \"noon\"\n{trade}"), "unknown variant `noon`"),
        (format!("{base}date = 2\n{trade}"), "[time] date goes with"),
        (format!("names = [\"{{symbol\"]\n{base}{trade}"), "is no pattern of a name"),
        (format!("{base}{trade}[rows]\ndelimiter = \"ab\"\n"), "a delimiter is one character"),
        (
            format!("{base}[book]\nbids = {{ price = 1, size = 2 }}\nasks = {{ price = 3, size = 4 }}\n"),
            "columns of levels need {n}",
        ),
    ] {
        let error = refused(&text);
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn the_example_of_the_page_is_the_one_beside_it() {
    let feeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../feeds");
    let page = fs::read_to_string(feeds.join("MAPPINGS.md")).unwrap();
    let shown = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = fs::read_to_string(feeds.join("recordings/trades.map.toml")).unwrap();
    let [shown, of_file] = [shown, file.as_str()].map(|text| toml::from_str::<Mapping>(text).unwrap());
    assert_eq!(shown, of_file);
    let of_messages = page.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    assert!(toml::from_str::<Messages>(of_messages).is_ok());
    let options = Options { map: Some(map(&file)), ..Options::default() };
    let found = read_all(&options, &[feeds.join("recordings/trades.csv")]);
    assert_eq!(found.len(), 24);
    // The Friday is the last one of summer time.
    assert!(found[0].contains(" 2024-10-25T15:29:5"), "{}", found[0]);
    assert!(found[23].contains(" 2024-10-28T08:00:"), "{}", found[23]);
}
