//! Files that look like those that are known, and are others: columns with other names, rows that are no trades.

use super::check;

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
    let rows: String = [
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
    .collect();
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
