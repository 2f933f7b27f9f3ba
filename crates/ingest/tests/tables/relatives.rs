//! Files that look like those that are known, and are others: columns with other names, rows that are no trades.

use std::io::{Cursor, Write};

use ingest::capture::Input;
use ingest::{Options, Step, reader};
use zip::write::SimpleFileOptions;

use super::{Folder, check, read_all};

const AT: &str = "2025-06-21T20:00:00.955";

#[test]
fn rows_that_are_no_trades_are_refused() {
    let known = ingest::table::known();
    for (header, column) in [
        ("timestamp,order_id,type,price,amount", "order_id"),
        ("timestamp,symbol,is_snapshot,side,price,amount", "is_snapshot"),
        ("ts_event,stat_type,price,quantity", "stat_type"),
        ("timestamp,depth,side,price,size", "depth"),
        ("date,type,price,amount", "type"),
        ("time,open,price,volume", "open"),
    ] {
        let refused = format!(
            "! line 1: the column {column} says that these rows are not plain trades or quotes, and no mapping is known for {}; \
             choose one with --map: {known}",
            header.replace(',', ", ")
        );
        check("", "BTCUSDT.csv", format!("{header}\n1,2,3,4,5\n"), &[&refused]);
    }
    // Executions of one's own have the order's number, too.
    let own = "timestamp,order_id,trade_id,price,amount,side\n1750536000955,7,8,1,2,buy\n";
    check("", "BTCUSDT.csv", own, &[&format!("csv BTCUSDT BTC-USDT {AT} 1x2 buy #8")]);
}

#[test]
fn databento_has_orders_and_best_prices() {
    let header = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence,symbol\n";
    let rows = [
        ("R", "N", "", 0, 0),
        ("A", "B", "100.250000000", 3, 1),
        ("A", "A", "100.500000000", 2, 2),
        ("M", "B", "100.250000000", 5, 1),
        ("M", "A", "100.750000000", 2, 2),
        ("T", "A", "100.250000000", 1, 0),
        ("F", "B", "100.250000000", 1, 1),
        ("C", "B", "100.250000000", 1, 1),
        ("R", "N", "", 0, 0),
    ]
    .iter()
    .map(|(action, side, price, size, order)| {
        format!("1750536000955000000,1750536000955000000,160,1,5,{action},{side},{price},{size},0,{order},128,1,2,ES\n")
    })
    .collect::<Vec<_>>()
    .concat();
    let at = format!("glbx-mdp3 ES ES {AT} recv {AT}");
    let lines = [
        "book  / ",
        "change 100.250000000x3 / ",
        "derived 100.250000000x3 / ",
        "change  / 100.500000000x2",
        "derived 100.250000000x3 / 100.500000000x2",
        "change 100.250000000x5 / ",
        "derived 100.250000000x5 / 100.500000000x2",
        "change  / 100.500000000x0 100.750000000x2",
        "derived 100.250000000x5 / 100.750000000x2",
        "100.250000000x1 sell",
        "change 100.250000000x4 / ",
        "derived 100.250000000x4 / 100.750000000x2",
        "book  / ",
        "derived  / ",
    ];
    let wanted: Vec<_> = lines.iter().map(|line| format!("{at} {line}")).collect();
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    check("", "glbx-mdp3-20250621.mbo.csv", format!("{header}{rows}"), &wanted);
    let best = "ts_recv,ts_event,rtype,publisher_id,instrument_id,side,price,size,flags,sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00,symbol\n\
                2025-06-21T20:00:00.955Z,,195,2,5,N,,,130,1,185.100000000,185.110000000,100,200,1,2,AAPL\n";
    check(
        "",
        "xnas-itch-20250621.bbo-1s.csv",
        best,
        &[&format!("xnas-itch AAPL AAPL {AT} recv {AT} quote 185.100000000x100 / 185.110000000x200")],
    );
}

#[test]
fn sides_and_ids_have_many_names() {
    for (column, cell) in [
        ("side", "A"),
        ("Side", "offer"),
        ("taker side", "sell"),
        ("trade_side", "SELL_ESTIMATED"),
        ("Taker-Side", "short"),
        ("direction", "-1"),
        ("isBuyerMaker", "True"),
        ("maker_side", "buy"),
        ("is_buy", "0"),
        ("is_sell", "true"),
        ("type", "sell"),
    ] {
        let row = format!("timestamp,price,qty,{column}\n1750536000955,81.01,0.495,{cell}\n");
        check("", "A.csv", row, &[&format!("csv A A {AT} 81.01x0.495 sell")]);
    }
    for column in ["Trade ID", "trdMatchID", "aggTradeId", "transaction_id", "execId", "TRADE-ID"] {
        let row = format!("timestamp,price,qty,{column}\n1750536000955,81.01,0.495,7\n");
        check("", "A.csv", row, &[&format!("csv A A {AT} 81.01x0.495 unknown #7")]);
    }
    // What is the side of the taker counts for more than a word for the kind of order.
    let both = "timestamp,price,qty,type,side\n1750536000955,81.01,0.495,limit,sell\n";
    check("", "A.csv", both, &[&format!("csv A A {AT} 81.01x0.495 sell")]);
    // A number says nothing of a side by itself: venues count them in both ways.
    let number = "timestamp,price,qty,side\n1750536000955,81.01,0.495,1\n";
    let word = r#"! line 2: column 4 (side, the mapping's trade.side), "1": not one of the words that the mapping knows; it can be told more of them"#;
    check("", "A.csv", number, &[word]);
}

const TRADE: &str = "csv A A 2025-06-21T20:00:00.955 81.01x0.495 sell";
const ROWS: &str = "timestamp,price,qty,side\n1750536000955,81.01,0.495,sell\n";

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn of_an_archive_the_files_with_rows_are_meant() {
    let rows = ROWS.as_bytes();
    let files = [
        ("A.csv", rows),
        ("A.txt", b"File: Status\n"),
        ("README.md", b"x"),
        (".DS_Store", b"\0Bud1"),
        ("__MACOSX/._A.csv", b"\0\x05"),
    ];
    check("", "x.zip", archive(&files), &[TRADE]);
    check("", "x.zip", archive(&[("A.txt", rows)]), &[TRADE]);
    check("", "A_2025-06-21.zip", archive(&[("trades.csv", rows)]), &[TRADE]);
}

#[test]
fn what_is_not_read_is_said() {
    for (bytes, wanted) in [
        (&b"BZh91AY&SY"[..], "packed with bzip2, which is not read: unpack it first"),
        (b"\xfd7zXZ\0\0\x04", "packed with xz, which is not read: unpack it first"),
        (b"\xff\xfet\0i\0m\0e\0", "text in UTF-16, which is not read: write it as UTF-8"),
        (&archive(&[]), "an archive with nothing in it"),
    ] {
        check("", "A.csv", bytes, &[&format!("! line 0: the file is {wanted}")]);
    }
    let twice = "! line 0: the file is packed twice: what is in the archive is gzip, which is not read there: unpack it first";
    check("", "A.zip", archive(&[("A.csv.gz", b"\x1f\x8b\x08\0")]), &[twice]);
    let folder = Folder::new();
    let found = read_all(&Options::default(), &[folder.file("x.csv", "a\x1b[31m,b\n1,2\n")]);
    assert!(found[0].contains("columns a\\u{1b}[31m, b;"), "{}", found[0]);
}

#[test]
fn hours_of_dukascopy_tell_themselves() {
    let hour = b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x68\x17\x5f\x9c\x1b\
                 \xc3\x9a\xad\xa3\x94\x33\xcf\xf0\xf3\x26\xb8\xee\xaf\x36\xf7\x9f\xfd\xd5\x20\x00";
    let wanted = "dukascopy EURUSD EUR-USD 2019-02-04T08:00:00.1 quote 1.14425x0.75 / 1.14427x1.5";
    check("", "EURUSD_2019-02-04_08h.bi5", hour, &[wanted]);
    check("", "EURUSD_2019-02-04_09h.bi5", "", &[]);
}

#[test]
fn names_become_symbols_that_can_be() {
    let row = |name: &str| format!("time,symbol,price,size\n1750536000955,{name},1,2\n");
    for (name, ours) in [
        ("ES=F", "ES_3DF"),
        ("^GSPC", "X_5EGSPC"),
        ("SPY   240119C00400000", "SPY-240119C00400000"),
        ("币USDT", "X_U5E01-USDT"),
        ("METH", "METH"),
        ("USDTUSD", "USDT-USD"),
    ] {
        check("", "x.csv", row(name), &[&format!("csv {name} {ours} {AT} 1x2 unknown")]);
    }
}

#[test]
fn lines_that_programs_add_are_read_over() {
    check("", "A.csv", format!("sep=,\n{ROWS}"), &[TRADE]);
    check("", "A.csv", format!("# made by x, y\n#\n{ROWS}"), &[TRADE]);
    check("", "A.csv", format!("#{ROWS}"), &[TRADE]);
    check("", "A.csv", format!("{ROWS}{ROWS}\u{feff}{ROWS}"), &[TRADE, TRADE, TRADE]);
    check("", "A.csv", ROWS.replace('\n', "\r"), &[TRADE]);
    check("", "A.csv", ROWS.replace("sell", "sell,"), &[TRADE]);
    check("", "A.csv", ROWS.replace("side", "side,"), &[TRADE]);
    check("", "A.csv", ROWS.replace('\n', ",\n"), &[TRADE]);
    let note = "timestamp,note,price,qty,side\n1750536000955,\"a\n\nb, c\",81.01,0.495,sell\n1750536000955,,81.01,0.495,sell\n";
    check("", "A.csv", note, &[TRADE, TRADE]);
    let stray = "timestamp,note,price,qty,side\n1750536000955,\"a,81.01,0.495,sell\n1750536000955,,81.01,0.495,sell\n";
    check("", "A.csv", stray, &["! line 2: column 2: the quotation mark is not closed on this line", TRADE]);
}

#[test]
fn usual_files_of_others() {
    let okx = "instrument_name,trade_id,side,price,size,created_time\nBTC-USDT,7,sell,1,2,1750536000955\n";
    check("", "allspot-trades-2025-06-21.csv", okx, &[&format!("csv BTC-USDT BTC-USDT {AT} 1x2 sell #7")]);
    let wanted = format!("dukascopy EURUSD EUR-USD {AT} quote 1.1x0.75 / 1.2x1.5");
    for (header, time) in
        [("Gmt time", "21.06.2025 20:00:00.955"), ("Local time", "21.06.2025 22:00:00.955 GMT+0200")]
    {
        let rows = format!("{header},Ask,Bid,AskVolume,BidVolume\n{time},1.2,1.1,1.5,0.75\n");
        check("", "EURUSD_Ticks_21.06.2025-21.06.2025.csv", rows, &[&wanted]);
    }
    for (date, time) in [
        ("2025-06-21", "20:00:00.955"),
        ("20250621", "20:00:00.955"),
        ("21.06.2025", "20:00:00.955"),
        ("2025-06-21", "1750536000955"),
    ] {
        let rows = format!("date,time,price,volume\n{date},{time},1,2\n");
        check("", "A.csv", rows, &[&format!("csv A A {AT} 1x2 unknown")]);
    }
    let alone = "Time,Price,Size\n20:00:00.955,1,2\n";
    check("", "A_2025-06-21.csv", alone, &[&format!("csv A A {AT} 1x2 unknown")]);
    let day = r#"! line 2: column 1 (Time, the mapping's time.column), "20:00:00.955": a time of the day, and nothing says of which day: say it with --date"#;
    check("", "A.csv", alone, &[day]);
    for column in ["created_at", "time_ms", "epoch", "tradeTime", "transactTime", "unix_timestamp"] {
        let rows = format!("{column},trade_price,trade_qty\n1750536000955,1,2\n");
        check("", "A.csv", rows, &[&format!("csv A A {AT} 1x2 unknown")]);
    }
    let recv = format!("polygon O:SPY240119C00475000 O:SPY240119C00475000 {AT} recv {AT}");
    let options = "ticker,conditions,correction,exchange,participant_timestamp,price,sip_timestamp,size\n\
                   O:SPY240119C00475000,209,0,11,1750536000955000000,1.5,1750536000955000000,1\n";
    check("", "2024-01-02.csv", options, &[&format!("{recv} 1.5x1 unknown")]);
    let coins = "ticker,conditions,exchange,id,participant_timestamp,price,size\nX:BTC-USD,1,1,7,1750536000955000000,1.5,1\n";
    check("", "2024-01-02.csv", coins, &[&format!("polygon X:BTC-USD X:BTC-USD {AT} 1.5x1 unknown #7")]);
    let currencies = "ticker,ask_exchange,ask_price,bid_exchange,bid_price,participant_timestamp\nC:EUR-USD,48,1.2,48,1.1,1750536000955000000\n";
    check(
        "",
        "2024-01-02.csv",
        currencies,
        &[&format!("polygon C:EUR-USD C:EUR-USD {AT} quote 1.1x0 / 1.2x0")],
    );
}

#[test]
fn a_header_alone_is_nothing() {
    for rows in ["", "\n\n", "timestamp,price,qty\n", "timestamp,price,qty"] {
        let folder = Folder::new();
        let mut reader = reader("csv", &Options::default()).unwrap();
        reader.open(Input::open(&folder.file("A.csv", rows)).unwrap());
        assert!(matches!(reader.step(&mut Vec::new()), Step::End), "{rows:?}");
        assert_eq!(reader.spot().number, 0, "{rows:?}");
    }
}
