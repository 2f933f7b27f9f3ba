//! Relatives of usual files: other marks, units, packings, shapes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::check;

const TRADE: &str = "csv LTCUSDT LTC-USDT 2025-06-21T20:00:00.955 81.01x0.495 sell";

#[test]
fn delimiters_tell_themselves() {
    for mark in [",", ";", "\t", "|", " "] {
        let row = ["timestamp,price,quantity,side\r\n", "1750536000955,81.01,0.495,sell\r\n"].concat();
        check("", "LTCUSDT.csv", row.replace(',', mark), &[TRADE]);
        check("trades", "LTCUSDT.csv", row.replace(',', mark), &[TRADE]);
    }
    // Text around cells, and texts with the delimiter in them.
    let quoted = "\"timestamp\"; \"price\" ;\"note\";quantity;side\n1750536000955;\"81.01\";\"a;\"\"b\"\";,\"; 0.495 ;\"sell\"\n";
    check("", "LTCUSDT.csv", quoted, &[TRADE]);
}

#[test]
fn files_may_be_packed() {
    let text = "timestamp,price,quantity,side\n1750536000955,81.01,0.495,sell\n";
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    check("", "LTCUSDT.csv.gz", gz.finish().unwrap(), &[TRADE]);
    check("", "LTCUSDT.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap(), &[TRADE]);
}

#[test]
fn times_tell_their_units() {
    for time in [
        "1750536000.955",
        "1750536000955",
        "1750536000955000",
        "1750536000955000000",
        "1.750536000955E12",
        "2025-06-21T20:00:00.955Z",
        "2025-06-21 22:00:00.955+02:00",
        "2025-06-21T16:00:00.955-0400",
        "2025-06-21T20:00:00.955000000 UTC",
        "20250621 20:00:00.955",
        "2025/06/21 20:00:00.955",
    ] {
        let row = format!("side,quantity,price,time\nsell,0.495,81.01,{time}\n");
        check("", "LTCUSDT.csv", row, &[TRADE]);
    }
}

#[test]
fn numbers_as_others_write_them() {
    let row = |price: &str| format!("time,price,quantity\n1750536000955,{price},1e-8\n");
    for (price, wanted) in [
        ("9.121E-7", "0.0000009121"),
        ("+81.010", "81.010"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-3", "-3"),
        ("1.5e3", "1500"),
    ] {
        let wanted = format!("csv A A 2025-06-21T20:00:00.955 {wanted}x0.00000001 unknown");
        check("", "A.csv", row(price), &[&wanted]);
    }
    let european = "[instrument]\nvenue = \"v\"\nsymbol = \"A\"\n[rows]\npoint = \",\"\ngroup = \".\"\n[time]\ncolumn = \"time\"\n\
                    unit = \"auto\"\n[trade]\nprice = \"price\"\nsize = \"size\"\n";
    check(
        european,
        "x.csv",
        "time;price;size\n1750536000955;1.234,50;1,5\n1750536000955;12.34,5;1\n",
        &[
            "v A A 2025-06-21T20:00:00.955 1234.50x1.5 unknown",
            r#"! line 3: column 2 (price, the mapping's trade.price), "12.34,5": not a decimal number (at byte 5)"#,
        ],
    );
}

#[test]
fn a_maker_who_buys_says_that_the_taker_sold() {
    let rows =
        "timestamp,price,qty,is_buyer_maker\n1750536000955,81.01,0.495,True\n1750536000955,81.01,0.495,0\n";
    check("", "LTCUSDT.csv", rows, &[TRADE, &TRADE.replace("sell", "buy")]);
}

#[test]
fn rows_may_be_wide_empty_and_out_of_order() {
    let names: Vec<_> = (0..9_999).map(|n| format!("c{n}")).collect();
    let empty = ",".repeat(names.len() - 1);
    let text = format!(
        "timestamp,{},price,quantity,side,local_timestamp\n1750536000955,{empty},81.01,0.495,sell,1750536000956\n\n1750536000001,{empty},81.01,0.495,,\n",
        names.join(",")
    );
    let wanted = [
        "csv LTCUSDT LTC-USDT 2025-06-21T20:00:00.955 recv 2025-06-21T20:00:00.956 81.01x0.495 sell",
        "csv LTCUSDT LTC-USDT 2025-06-21T20:00:00.001 81.01x0.495 unknown",
    ];
    check("", "LTCUSDT.csv", text, &wanted);
}

#[test]
fn a_book_may_be_a_list_in_a_cell() {
    let own = "[instrument]\nvenue = \"v\"\nsymbol = \"A\"\n[time]\ncolumn = \"time\"\nunit = \"auto\"\n[book]\n\
               bids = { list = \"bids\", price = 1, size = 2 }\nasks = { list = \"asks\", price = \"px\", size = \"sz\" }\n";
    let row = "time,bids,asks\n1750536000955,\"[[9,1],[\"\"8\"\",\"\"2.0\"\"]]\",\"[{\"\"px\"\":10,\"\"sz\"\":3}]\"\n";
    let at = "v A A 2025-06-21T20:00:00.955";
    check(own, "x.csv", row, &[&format!("{at} book 9x1 8x2.0 / 10x3"), &format!("{at} derived 9x1 / 10x3")]);
}
