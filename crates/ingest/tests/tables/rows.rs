//! Headers, cells, faults, and what is said beside a file.

use ingest::Options;
use model::Date;

use super::{Folder, check, map, read_all};

#[test]
fn a_usual_header_needs_no_mapping() {
    let header = "timestamp,price,quantity,side,tradeId\n";
    let wanted = ["csv LTCUSDT LTC-USDT 2025-06-21T20:00:00.955 81.01x0.495 sell #293542600"];
    check(
        "",
        "LTCUSDT_2025-06-21_15h_trades.csv",
        format!("{header}1750536000955,81.01,0.495,sell,293542600\n"),
        &wanted,
    );
    check("", "LTCUSDT.csv", format!("\u{feff}{header}\n1750536000955,81.01,0.495,SELL,293542600"), &wanted);
    check(
        "",
        "ltcusdt.csv",
        "Price,Side,TradeID,Quantity,Timestamp\n81.01,s,293542600,0.495,1750536000955\r\n",
        &wanted,
    );
    check(
        "",
        "ltcusdt.csv",
        "\"price\",\"qty\",\"time\"\n\"81.01\",\"0.495\",\"2025-06-21 20:00:00.955Z\"\n",
        &["csv LTCUSDT LTC-USDT 2025-06-21T20:00:00.955 81.01x0.495 unknown"],
    );
    check(
        "",
        "eth.csv",
        "symbol,exchange,time,price,amount,side\neth/usd,Coinbase,1750536000,1,2,\n",
        &["coinbase eth/usd ETH-USD 2025-06-21T20:00:00 1x2 unknown"],
    );
    check(
        "",
        "EURUSD.csv",
        "timestamp,bid,ask,bid_size\n1750536000,1.1,1.2,3\n",
        &["csv EURUSD EUR-USD 2025-06-21T20:00:00 quote 1.1x3 / 1.2x0"],
    );
}

#[test]
fn files_are_of_the_instruments_that_their_names_say() {
    let rows = "timestamp,price,quantity,side,tradeId\n1750536000955,81.01,0.495,sell,1\n";
    for (name, wanted) in [
        ("BTC-USDT.csv", "csv BTC-USDT BTC-USDT"),
        ("BTC_USDT.csv", "csv BTC_USDT BTC-USDT"),
        ("btc-perpetual.csv", "csv BTC-PERPETUAL BTC-PERPETUAL"),
        ("BTC-USDT-2024-01-01.csv", "csv BTC-USDT BTC-USDT"),
        ("ETH-28JUN24-3000-C.csv", "csv ETH-28JUN24-3000-C ETH-28JUN24-3000-C"),
        ("trades_BTCUSDT_2024-01-01.csv", "csv BTCUSDT BTC-USDT"),
        ("binance_BTCUSDT.csv", "binance BTCUSDT BTC-USDT"),
    ] {
        check("", name, rows, &[&format!("{wanted} 2025-06-21T20:00:00.955 81.01x0.495 sell #1")]);
    }
    // A day is no instrument.
    let symbol = "! line 1: nothing says the symbol of the instrument: no column, and the file's name fits none of the \
                  mapping's patterns; say it with --symbol";
    check("", "2024-01-01.csv", rows, &[symbol]);
}

#[test]
fn what_no_mapping_knows_is_refused() {
    let known = ingest::table::known();
    let unknown =
        format!("! line 1: no mapping is known for the columns a, b; choose one with --map: {known}");
    check("", "x.csv", "a,b\n1,2\n", &[&unknown]);
    let nameless =
        format!("! line 1: the file does not name its columns; say what they are with --map: {known}");
    check("", "x.csv", "1,2\n3,4\n", &[&nameless]);
    check("", "x.json", "[[1,2]]", &[&nameless.replace("line 1", "row 1")]);
    check("", "x.csv", "", &[]);
    check("trades", "x.csv", "", &[]);
    let both = "! line 1: these columns are known by several mappings; choose one with --map: bitmex-trades, bybit-trades";
    check("", "x.csv", "timestamp,symbol,side,size,price,trdMatchID\n", &[both]);
}

#[test]
fn broken_rows_are_named_and_passed_over() {
    let row = "timestamp,price,quantity,side,tradeId\n1750536000955,81.01,0.495,sell,1\n";
    let good = "csv A A 2025-06-21T20:00:00.955 81.01x0.495 sell #1";
    for (broken, fault) in [
        ("1750536000955,81.01,0.495,sell", "the row has 4 cells instead of 5"),
        ("1750536000955,81.01,0.495,sell,1,2", "the row has 6 cells instead of 5"),
        ("x,81.01,0.495,sell,1", r#"column 1 (timestamp, the mapping's time.column), "x": not an instant"#),
        (
            "1750536000955,8l.01,0.495,sell,1",
            r#"column 2 (price, the mapping's trade.price), "8l.01": not a decimal number (at byte 1)"#,
        ),
        ("1750536000955,,0.495,sell,1", r#"column 2 (price, the mapping's trade.price), "": nothing there"#),
        (
            "1750536000955,nan,0.495,sell,1",
            r#"column 2 (price, the mapping's trade.price), "nan": nothing there"#,
        ),
        (
            "1750536000955,81.01,-1,sell,1",
            r#"column 3 (quantity, the mapping's trade.size), "-1": negative where only zero or more is possible"#,
        ),
        (
            "1750536000955,81.01,1,sold,1",
            r#"column 4 (side, the mapping's trade.side), "sold": not one of the words that the mapping knows; it can be told more of them"#,
        ),
        (
            "1750536000955,0.12345678901234567890123456789012345,1,sell,1",
            r#"column 2 (price, the mapping's trade.price), "0.12345678901234567890123456789012345": more digits than fit exactly (at most 28)"#,
        ),
        ("1750536000955,81.01,1,sell,\"1", "column 5: the quotation mark is not closed on this line"),
        (
            "99999999999999999999,81.01,1,sell,1",
            r#"column 1 (timestamp, the mapping's time.column), "99999999999999999999": outside what nanoseconds since 1970 can say"#,
        ),
    ] {
        let again = "1750536000955,81.01,0.495,sell,1";
        check("", "A.csv", format!("{row}{broken}\n{again}\n"), &[good, &format!("! line 3: {fault}"), good]);
    }
    let bytes = [row.as_bytes(), b"1750536000955,81.01,0.495,sell,\xff\n"].concat();
    check(
        "",
        "A.csv",
        bytes,
        &[good, "! line 3: column 5 (tradeId, the mapping's trade.id), \"\u{fffd}\": not UTF-8"],
    );
}

#[test]
fn what_the_file_does_not_say_is_said() {
    let folder = Folder::new();
    let rows = "14400464,1674100,100,P,20002000,0\n";
    let file = folder.file("rows.csv", rows);
    let options = Options { map: Some(map("lean-equity-trade")), ..Options::default() };
    let symbol = "! line 1: nothing says the symbol of the instrument: no column, and the file's name fits none of the \
                  mapping's patterns; say it with --symbol";
    assert_eq!(read_all(&options, std::slice::from_ref(&file)), [symbol]);
    let options = Options { symbol: Some("spy".into()), ..options };
    let day = "! line 1: times count from midnight, and nothing says of which day: say it with --date";
    assert_eq!(read_all(&options, std::slice::from_ref(&file)), [day]);
    let options = Options { date: Some(Date::parse("2013-10-07").unwrap()), ..options };
    let wanted = ["usa spy SPY 2013-10-07T08:00:00.464 167.4100x100 unknown"];
    assert_eq!(read_all(&options, std::slice::from_ref(&file)), wanted);
    // In winter, New York is five hours behind; what is said counts for more than the name.
    let winter = folder.file("lean_ibm_20131007_trade.csv", rows);
    let options =
        Options { date: Some(Date::parse("2013-12-09").unwrap()), venue: Some("NYSE".into()), ..options };
    assert_eq!(read_all(&options, &[winter]), ["nyse spy SPY 2013-12-09T09:00:00.464 167.4100x100 unknown"]);
}
