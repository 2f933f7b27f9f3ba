//! The files of those whose mappings come with the program.

use super::check;

#[test]
fn binance() {
    let old = "28457,4.0,2.5,10.0,1502942428322,True,True\n28458,4.1,1,4.1,1502942428323,False,True\n";
    let trades = [
        "binance BTCUSDT BTC-USDT 2017-08-17T04:00:28.322 4.0x2.5 sell #28457",
        "binance BTCUSDT BTC-USDT 2017-08-17T04:00:28.323 4.1x1 buy #28458",
    ];
    check("binance-trades", "BTCUSDT-trades-2017-08-17.csv", old, &trades);
    let new = "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n28457,4.0,2.5,10.0,1735689600123456,true,true\n";
    let wanted = "binance BTCUSDT BTC-USDT 2025-01-01T00:00:00.123456 4.0x2.5 sell #28457";
    check("binance-trades", "BTCUSDT-trades-2025-01-01.csv", new, &[wanted]);
    let aggregated = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n\
                      7,29223.0,0.639,1,2,1682899200101,false\n";
    let wanted = "binance-usdm BTCUSDT BTC-USDT-PERP 2023-05-01T00:00:00.101 29223.0x0.639 buy #7";
    check("binance-usdm-aggtrades", "BTCUSDT-aggTrades-2023-05.csv", aggregated, &[wanted]);
    let best = "1,20000.1,2,20000.2,3,1682899200101,1682899200102\n";
    let wanted = "binance-usdm BTCUSDT BTC-USDT-PERP 2023-05-01T00:00:00.101 quote 20000.1x2 / 20000.2x3";
    check("binance-usdm-bookticker", "BTCUSDT-bookTicker-2023-05.csv", best, &[wanted]);
}

#[test]
fn tardis() {
    let trades = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
                  binance,BTCUSDT,1583020803145000,1583020803150123,9,sell,8543.5,1\n\
                  deribit,BTC-PERPETUAL,1583020803145000,1583020803150123,,unknown,8543.5,2\n";
    check(
        "",
        "x.csv",
        trades,
        &[
            "binance BTCUSDT BTC-USDT 2020-03-01T00:00:03.145 recv 2020-03-01T00:00:03.150123 8543.5x1 sell #9",
            "deribit BTC-PERPETUAL BTC-PERPETUAL 2020-03-01T00:00:03.145 recv 2020-03-01T00:00:03.150123 8543.5x2 unknown",
        ],
    );
    let quotes = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n\
                  binance-futures,BTCUSDT,1583020803145000,1583020803150000,1,8543.5,8543,2\n\
                  binance-futures,BTCUSDT,1583020803145000,1583020803150000,,,8543,2\n";
    let at = "binance-futures BTCUSDT BTC-USDT-PERP 2020-03-01T00:00:03.145 recv 2020-03-01T00:00:03.15";
    check("", "x.csv", quotes, &[&format!("{at} quote 8543x2 / 8543.5x1"), &format!("{at} quote 8543x2 / ")]);
    let five = "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,\
                asks[1].price,asks[1].amount,bids[1].price,bids[1].amount\n\
                deribit,X,1583020803145000,1583020803150000,3,1,2,1,4,5,,\n";
    let at = "deribit X X 2020-03-01T00:00:03.145 recv 2020-03-01T00:00:03.15";
    check("", "x.csv", five, &[&format!("{at} book 2x1 / 3x1 4x5"), &format!("{at} derived 2x1 / 3x1")]);
}

#[test]
fn databento() {
    let header = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence";
    let trades = format!(
        "{header},symbol\n\
         1609160400099150057,1609160400098821953,0,1,5482,T,A,0,3720250000000,5,129,19251,1170380,ESH1\n\
         2020-12-28T13:00:00.1Z,2020-12-28T13:00:00.099Z,0,1,5482,T,N,0,3720.250000000,5,129,19251,1170380,ESH1\n"
    );
    check(
        "",
        "glbx-mdp3-20201228.trades.csv",
        trades,
        &[
            "glbx-mdp3 ESH1 ESH1 2020-12-28T13:00:00.098821953 recv 2020-12-28T13:00:00.099150057 3720.250000000x5 sell",
            "glbx-mdp3 ESH1 ESH1 2020-12-28T13:00:00.099 recv 2020-12-28T13:00:00.1 3720.250000000x5 unknown",
        ],
    );
    let one = format!(
        "{header},bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00\n\
         1609160400000000001,18446744073709551615,1,1,5482,T,B,0,2000000000,5,129,19251,1170380,1000000000,9223372036854775807,3,0,1,0\n\
         1609160400000000001,1609160400000000000,1,1,5482,A,B,0,2000000000,5,129,19251,1170380,1000000000,3000000000,3,4,1,0\n"
    );
    check(
        "",
        "x.csv",
        one,
        &[
            "databento 5482 5482 recv 2020-12-28T13:00:00.000000001 2.000000000x5 buy",
            "databento 5482 5482 recv 2020-12-28T13:00:00.000000001 quote 1.000000000x3 / ",
            "databento 5482 5482 2020-12-28T13:00:00 recv 2020-12-28T13:00:00.000000001 quote 1.000000000x3 / 3.000000000x4",
        ],
    );
}

#[test]
fn others() {
    check(
        "histdata",
        "DAT_ASCII_EURUSD_T_201202.csv",
        "20120201 000003660,1.306600,1.306770,0\n",
        &["histdata EURUSD EUR-USD 2012-02-01T05:00:03.66 quote 1.306600x0 / 1.306770x0"],
    );
    let bar = "! line 1: the row has 6 cells instead of 4";
    check("histdata", "DAT_ASCII_EURUSD_M1_2012.csv", "20120201 000000;1.1;1.2;1.0;1.1;0\n", &[bar]);
    let other = "! line 1: the row has 3 cells instead of 4";
    check("histdata", "DAT_NT_EURUSD_T_LAST_201202.csv", "20120201 000003;1.306600;0\n", &[other]);
    check(
        "truefx",
        "EURUSD-2009-05.csv",
        "EUR/USD,20090501 00:00:00.308,1.32253,1.32255\n",
        &["truefx EUR/USD EUR-USD 2009-05-01T00:00:00.308 quote 1.32253x0 / 1.32255x0"],
    );
    check(
        "kraken-trades",
        "XBTUSD.csv",
        "1381095255,123.61000,0.10000000\n",
        &["kraken XBTUSD BTC-USD 2013-10-06T21:34:15 123.61000x0.10000000 unknown"],
    );
    check(
        "bitstamp-trades",
        "bitstampUSD.csv",
        "1315922016,5.800000000000,1.000000000000\n",
        &["bitstamp BTCUSD BTC-USD 2011-09-13T13:53:36 5.800000000000x1.000000000000 unknown"],
    );
    let polygon = "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size\n\
                   A,\"12,37\",0,11,52983525035312,1712306654208705342,142.99,3807,1712306654208740096,5\n";
    check(
        "",
        "2024-04-05.csv",
        polygon,
        &[
            "polygon A A 2024-04-05T08:44:14.208705342 recv 2024-04-05T08:44:14.208740096 142.99x5 unknown #52983525035312",
        ],
    );
    let kaiko = "id,exchange,symbol,date,price,amount,sell\n7,cf,btcusd,1420070400123,321.1,0.1,true\n";
    check("", "x.csv", kaiko, &["cf btcusd BTC-USD 2015-01-01T00:00:00.123 321.1x0.1 sell #7"]);
    let bitmex = "timestamp,symbol,side,size,price,tickDirection,trdMatchID\n\
                  2020-01-01D00:00:01.123456789,XBTUSD,Buy,5,7000.5,ZeroPlusTick,a-b\n";
    check(
        "bitmex-trades",
        "20200101.csv",
        bitmex,
        &["bitmex XBTUSD XBTUSD 2020-01-01T00:00:01.123456789 7000.5x5 buy #a-b"],
    );
    let quotes =
        "timestamp,symbol,bidSize,bidPrice,askPrice,askSize\n2020-01-01D00:00:01,XBTUSD,1,7000,7000.5,2\n";
    check("", "20200101.csv", quotes, &["bitmex XBTUSD XBTUSD 2020-01-01T00:00:01 quote 7000x1 / 7000.5x2"]);
    check(
        "lean-crypto-quote",
        "crypto/coinbase/tick/btcusd/20180405_quote.csv",
        "14400001.5,0,0,6700.5,0.1,0\n",
        &["coinbase BTCUSD BTC-USD 2018-04-05T04:00:00.0015 quote  / 6700.5x0.1"],
    );
    let objects = r#"[{"id":"1","timestamp":1570752011620,"symbol":"XRP/ETH","side":"buy","price":1.4e-05,"amount":23.0,"info":{}},
                      {"timestamp":1570752011621,"id":null,"amount":1,"price":0.5,"side":"sell","symbol":"BTC/USDT:USDT","info":{}}]"#;
    check(
        "",
        "trades.json",
        objects,
        &[
            "csv XRP/ETH XRP-ETH 2019-10-11T00:00:11.62 0.000014x23.0 buy #1",
            "csv BTC/USDT:USDT BTC-USDT-PERP 2019-10-11T00:00:11.621 0.5x1 sell",
        ],
    );
}
