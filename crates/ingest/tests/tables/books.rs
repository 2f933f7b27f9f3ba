//! Books: changes of them, files beside others, orders.

use ingest::Options;

use super::{Folder, check, map, read_all};

#[test]
fn changes_are_messages_and_lose_nothing_in_silence() {
    let header = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    let row = |at: u32, snapshot: bool, side: &str, level: &str| {
        format!("d,X,{at},{at},{snapshot},{side},{level}\n")
    };
    let at = |micros: u32| {
        let time = format!("1970-01-01T00:00:00.{micros:06}");
        format!("d X X {0} recv {0}", time.trim_end_matches('0'))
    };
    let rows = [
        row(1, false, "bid", "1,1"),
        row(2, true, "bid", "9,1"),
        row(2, true, "bid", "8,2"),
        row(3, true, "ask", "10,3"),
        row(4, false, "bid", "9,0"),
        row(4, false, "ask", "10,4"),
        row(5, false, "ask", "10,5"),
        row(6, false, "ask", "x,5"),
        row(7, false, "ask", "10,7"),
        row(8, true, "ask", "11,1"),
    ];
    check(
        "tardis-book",
        "x.csv",
        header.to_owned() + &rows.concat(),
        &[
            &format!("{} book 9x1 8x2 / 10x3", at(2)),
            &format!("{} derived 9x1 / 10x3", at(2)),
            &format!("{} change 9x0 / 10x4", at(4)),
            &format!("{} derived 8x2 / 10x4", at(4)),
            &format!("{} change  / 10x5", at(5)),
            &format!("{} derived 8x2 / 10x5", at(5)),
            "d X X gap sequence",
            "d X X suspect book updates were lost (sequence), waiting for a snapshot",
            r#"! line 9: column 7 (price, the mapping's change.price), "x": not a decimal number (at byte 0)"#,
            &format!("{} book  / 11x1", at(8)),
            &format!("{} open the book is whole again", at(8)),
            &format!("{} derived  / 11x1", at(8)),
        ],
    );
}

#[test]
fn lobster_in_an_archive_and_what_else_it_says() {
    let messages = "34200.1,1,11,10,5853300,1\n34200.2,5,0,3,5853400,-1\n34201,7,0,0,-1,-1\n34202,7,0,0,1,-1\n34203,6,-1,9,1,-1\n";
    let books = "5853400,5,5853300,10\n5853400,5,5853300,10\n9999999999,0,5853300,10\n9999999999,0,-9999999999,0\n5853400,5,5853300,10\n";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("LOBSTER_SampleFiles_ReadMe.txt", "not, a, file, of, this, kind\n"),
        ("X_2012-06-21_34200000_57600000_message_1.csv", messages),
        ("X_2012-06-21_34200000_57600000_orderbook_1.csv", books),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    let at = |time: &str| format!("nasdaq X X 2012-06-21T13:30:0{time}");
    check(
        "lobster",
        "x.zip",
        zip.finish().unwrap().into_inner(),
        &[
            &format!("{} book 585.3300x10 / 585.3400x5", at("0.1")),
            &format!("{} derived 585.3300x10 / 585.3400x5", at("0.1")),
            &format!("{} 585.3400x3 buy", at("0.2")),
            &format!("{} book 585.3300x10 / 585.3400x5", at("0.2")),
            &format!("{} halted trading halt", at("1")),
            &format!("{} book 585.3300x10 / ", at("1")),
            &format!("{} derived 585.3300x10 / ", at("1")),
            &format!("{} open trading resumes", at("2")),
            &format!("{} book  / ", at("2")),
            &format!("{} derived  / ", at("2")),
            &format!("{} book 585.3300x10 / 585.3400x5", at("3")),
            &format!("{} derived 585.3300x10 / 585.3400x5", at("3")),
        ],
    );
}

#[test]
fn files_that_stand_beside_each_other_must_fit() {
    let folder = Folder::new();
    let messages = folder.file("X_2012-06-21_1_2_message_1.csv", "1,1,1,1,1,1\n2,1,1,1,1,1\n3,1,1,1,1,1\n");
    let books = folder.file("X_2012-06-21_1_2_orderbook_1.csv", "5,1,x,1\n5,1,4,1\n");
    let options = Options { map: Some(map("lobster")), ..Options::default() };
    let found = read_all(&options, &[messages.clone(), books.clone()]);
    assert_eq!(
        found,
        [
            format!(
                r#"! line 1: {}:1: column 3 (the mapping's book.bids), "x": not a decimal number (at byte 0)"#,
                books.display()
            ),
            "nasdaq X X 2012-06-21T04:00:02 book 0.0004x1 / 0.0005x1".to_owned(),
            "nasdaq X X 2012-06-21T04:00:02 derived 0.0004x1 / 0.0005x1".to_owned(),
            format!(
                "! line 3: {} has fewer rows than this file: row n of the one belongs to row n of the other",
                books.display()
            ),
        ]
    );
}

#[test]
fn a_book_is_made_of_orders() {
    let rows = "1,1,7,10,5853300,1\n2,1,8,5,5853300,1\n3,1,9,5,5853400,-1\n4,4,7,4,5853300,1\n5,2,8,1,5853300,1\n\
                6,3,7,6,5853300,1\n7,3,99,6,5853300,1\n8,1,10,1,5853300,1\n";
    let at = |second: u32| format!("nasdaq X X 2012-06-21T04:00:0{second}");
    check(
        "lobster-orders",
        "X_2012-06-21_0_86400000_message_0.csv",
        rows,
        &[
            &format!("{} book  / ", at(1)),
            &format!("{} change 585.3300x10 / ", at(1)),
            &format!("{} derived 585.3300x10 / ", at(1)),
            &format!("{} change 585.3300x15 / ", at(2)),
            &format!("{} derived 585.3300x15 / ", at(2)),
            &format!("{} change  / 585.3400x5", at(3)),
            &format!("{} derived 585.3300x15 / 585.3400x5", at(3)),
            &format!("{} 585.3300x4 sell #7", at(4)),
            &format!("{} change 585.3300x11 / ", at(4)),
            &format!("{} derived 585.3300x11 / 585.3400x5", at(4)),
            &format!("{} change 585.3300x10 / ", at(5)),
            &format!("{} derived 585.3300x10 / 585.3400x5", at(5)),
            &format!("{} change 585.3300x4 / ", at(6)),
            &format!("{} derived 585.3300x4 / 585.3400x5", at(6)),
            "nasdaq X X gap sequence",
            "nasdaq X X suspect book updates were lost (sequence), waiting for a snapshot",
            r#"! line 7: column 3 (the mapping's trade.id and order.id), "99": no order of this id is known"#,
        ],
    );
}
