//! Files that each feed understands, made by hand: what garbage is made of.

/// Lines, or bytes, of a feed.
#[expect(clippy::too_many_lines, reason = "a list of files")]
pub(crate) fn seeds(feed: &str) -> Vec<Vec<u8>> {
    let lines = |lines: &[&str]| vec![lines.join("\n").into_bytes()];
    match feed {
        "dbn" => vec![dbn(), orders().concat()],
        "itch" => vec![itch_file(), capture(&mold())],
        "iex" => vec![capture(&iex())],
        "csv" => [
            lines(&[
                "timestamp,symbol,price,quantity,side,tradeId",
                "1750536000955,LTCUSDT,81.01,0.495,sell,1",
                "1750536000956,LTCUSDT,81.02,1.5e-3,\"buy\",2",
            ]),
            lines(&[
                "exchange;symbol;timestamp;local_timestamp;is_snapshot;side;price;amount",
                "d;X;1;1;true;bid;9;1",
                "d;X;2;2;false;bid;9;0",
            ]),
            lines(&[
                r#"[{"timestamp":"2026-01-01T00:00:00Z","symbol":"A/B","side":"buy","price":1.5,"amount":2,"id":null},"#,
                r#"{"timestamp":"2026-01-01T00:00:01Z","symbol":"A/B","side":"sell","price":"1","amount":2}]"#,
            ]),
        ]
        .concat(),
        "json" => lines(&[
            r#"{"t":"connect","conn":"c","ts":1.0,"addr":"wss://example.invalid"}"#,
            r#"{"t":"recv","conn":"c","ts":1.1,"data":"{\"type\":\"levels\",\"instrument\":\"A-B\",\"whole\":true,\"ms\":1,\"bids\":[[\"1\",\"2\"]],\"asks\":[]}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.2,"data":"{\"type\":\"trades\",\"instrument\":\"A-B\",\"trades\":[{\"id\":7,\"ms\":2,\"price\":\"1.5\",\"qty\":\"2\",\"taker\":\"BUY\"}]}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.3,"data":"{\"type\":\"best\",\"instrument\":\"A-B\",\"at\":\"2026-01-01T00:00:00Z\",\"bid\":[\"1\",\"2\"],\"ask\":null}"}"#,
        ]),
        "binance-spot" | "binance-json" => lines(&[
            r#"{"t":"header","format":2,"exchange":"BINANCE"}"#,
            r#"{"t":"connect","conn":"c","ts":1.0,"addr":"wss://stream.binance.com:9443/stream"}"#,
            r#"{"t":"http","ts":1.1,"url":"https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000","data":"{\"lastUpdateId\":10,\"bids\":[[\"1.0\",\"1\"]],\"asks\":[[\"2.0\",\"1\"]]}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.2,"data":"{\"stream\":\"btcusdt@depth\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":11,\"u\":12,\"b\":[[\"1.0\",\"2\"]],\"a\":[]}}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.3,"data":"{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":7,\"p\":\"1.50\",\"q\":\"2\",\"T\":3,\"m\":true,\"M\":true}}"}"#,
        ]),
        "binance-usdm" | "binance-coinm" => lines(&[
            r#"1700000000000000000 {"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSD_PERP","U":9,"u":12,"pu":8,"b":[["1.0","2"]],"a":[]}}"#,
            r#"1700000000000000001 {"lastUpdateId":10,"E":1,"T":1,"symbol":"BTCUSD_PERP","bids":[["1.0","1"]],"asks":[["2.0","1"]]}"#,
            r#"1700000000000000002 {"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSD_PERP","U":13,"u":14,"pu":12,"b":[],"a":[["2.0","0"]]}}"#,
            r#"1700000000000000003 {"stream":"btcusd_perp@bookTicker","data":{"e":"bookTicker","u":1,"E":1,"T":1,"s":"BTCUSD_PERP","b":"1","B":"1","a":"2","A":"1"}}"#,
        ]),
        "kraken" => lines(&[
            r#"[560,{"as":[["5.2","1.0","1616663113.1"]],"bs":[["5.1","1.0","1616663113.1"]]},"book-10","XBT/USD"]"#,
            r#"[560,{"a":[["5.3","2.0","1616663114.1"]]},{"b":[["5.1","0.0","1616663114.1"]]},"book-10","XBT/USD"]"#,
            r#"[561,[["5.1","0.5","1616663115.1","s","l",""]],"trade","XBT/USD"]"#,
            r#"[562,{"a":["5.2",1,"1.0"],"b":["5.1",1,"1.0"],"c":["5.1","0.5"]},"ticker","XBT/USD"]"#,
        ]),
        "kraken-v2" => lines(&[
            r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1.5,"qty":0.10,"ord_type":"market","trade_id":7,"timestamp":"2026-01-01T00:00:00.000001Z"}]}"#,
            r#"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":1.0,"bid_qty":1.0,"ask":2.0,"ask_qty":1.0,"last":1.5,"volume":9.0,"vwap":1.0,"low":1.0,"high":2.0,"change":0.1,"change_pct":0.1}]}"#,
        ]),
        "coinbase" => lines(&[
            r#"{"channel":"l2_data","timestamp":"2026-01-01T00:00:00Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"A-USD","updates":[{"side":"bid","event_time":"2026-01-01T00:00:00Z","price_level":"1","new_quantity":"2"}]}]}"#,
            r#"{"channel":"l2_data","timestamp":"2026-01-01T00:00:00Z","sequence_num":1,"events":[{"type":"update","product_id":"A-USD","updates":[{"side":"offer","event_time":"2026-01-01T00:00:00Z","price_level":"2","new_quantity":"0"}]}]}"#,
            r#"{"channel":"market_trades","timestamp":"2026-01-01T00:00:00Z","sequence_num":2,"events":[{"type":"update","trades":[{"product_id":"A-USD","trade_id":"1","price":"1","size":"1","time":"2026-01-01T00:00:00Z","side":"BUY"}]}]}"#,
        ]),
        "bybit" => lines(&[
            r#"{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[["1","1"]],"a":[["2","1"]],"u":1,"seq":1}}"#,
            r#"{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1,"data":{"s":"BTCUSDT","b":[["1","0"]],"a":[],"u":2,"seq":2}}"#,
            r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1,"s":"BTCUSDT","S":"Buy","v":"0.1","p":"1.5","i":"x"}]}"#,
        ]),
        "okx" => lines(&[
            r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["2","1","0","1"]],"bids":[["1","1","0","1"]],"ts":"1","seqId":1,"prevSeqId":-1}]}"#,
            r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[["1","0","0","0"]],"ts":"1","seqId":2,"prevSeqId":1}]}"#,
            r#"{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1","px":"1","sz":"1","side":"buy","ts":"1"}]}"#,
        ]),
        "gemini" => lines(&[
            r#"{"type":"l2_updates","symbol":"BTCUSD","changes":[["buy","1.00","2"],["sell","2.00","1"]],"trades":[{"type":"trade","symbol":"BTCUSD","event_id":1,"timestamp":1,"price":"1","quantity":"1","side":"buy"}]}"#,
            r#"{"type":"l2_updates","symbol":"BTCUSD","changes":[["buy","1.00","0"]]}"#,
        ]),
        "deribit" => lines(&[
            r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw","data":{"type":"snapshot","timestamp":1,"instrument_name":"BTC-PERPETUAL","change_id":1,"bids":[["new",1.5,2.0]],"asks":[]}}}"#,
            r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw","data":{"type":"change","timestamp":2,"instrument_name":"BTC-PERPETUAL","prev_change_id":1,"change_id":2,"bids":[["delete",1.5,0.0]],"asks":[]}}}"#,
        ]),
        "kucoin" => lines(&[
            r#"{"t":"http","ts":1.1,"url":"https://api.kucoin.com/api/v3/market/orderbook/level2?symbol=A-USDT","data":"{\"code\":\"200000\",\"data\":{\"time\":1,\"sequence\":\"1\",\"bids\":[[\"1.0\",\"5\"]],\"asks\":[]}}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.2,"data":"{\"type\":\"message\",\"topic\":\"/market/level2:A-USDT\",\"subject\":\"trade.l2update\",\"data\":{\"sequenceStart\":2,\"sequenceEnd\":2,\"symbol\":\"A-USDT\",\"changes\":{\"asks\":[],\"bids\":[[\"1.0\",\"0\",\"2\"]]}}}"}"#,
        ]),
        "bitstamp" => lines(&[
            r#"{"t":"http","ts":1.1,"url":"https://www.bitstamp.net/api/v2/order_book/btcusd","data":"{\"timestamp\":\"1\",\"microtimestamp\":\"1\",\"bids\":[[\"1.0\",\"5\"]],\"asks\":[]}"}"#,
            r#"{"t":"recv","conn":"c","ts":1.2,"data":"{\"event\":\"data\",\"channel\":\"diff_order_book_btcusd\",\"data\":{\"timestamp\":\"1\",\"microtimestamp\":\"2\",\"bids\":[[\"1.0\",\"0\"]],\"asks\":[]}}"}"#,
        ]),
        "huobi" => lines(&[
            r#"{"ch":"market.btcusdt.depth.step0","ts":1,"tick":{"bids":[[1.5,2]],"asks":[[2.5,1]],"version":1,"ts":1}}"#,
            r#"{"ch":"market.btcusdt.trade.detail","ts":1,"tick":{"id":1,"ts":1,"data":[{"id":1,"ts":1,"tradeId":1,"amount":0.1,"price":1.5,"direction":"buy"}]}}"#,
        ]),
        "bitget" => lines(&[
            r#"{"action":"snapshot","arg":{"instType":"SPOT","channel":"books","instId":"BTCUSDT"},"data":[{"asks":[["2","1"]],"bids":[["1","1"]],"ts":"1"}]}"#,
            r#"{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1","price":"1","size":"1","side":"buy","tradeId":"1"}]}"#,
        ]),
        "bitfinex" => lines(&[
            r#"{"event":"info","version":2,"serverId":"a","platform":{"status":1}}"#,
            r#"{"event":"subscribed","channel":"book","chanId":1,"symbol":"tBTCUSD","prec":"P0","freq":"F0","len":"25","pair":"BTCUSD"}"#,
            r"[1,[[1.5,1,2.0],[2.5,1,-1.0]]]",
            r"[1,[1.5,0,1]]",
        ]),
        _ => vec![
            include_bytes!("../../../feeds/recordings/sim.jsonl")
                .split(|&byte| byte == b'\n')
                .take(20)
                .collect::<Vec<_>>()
                .join(&b'\n'),
        ],
    }
}

/// MBO records of DBN: an order comes, another one, a trade, and one goes.
fn orders() -> Vec<Vec<u8>> {
    let order = |id: u64, action: u8, side: u8| {
        let mut record = vec![14, 0xa0, 1, 0, 7, 0, 0, 0];
        record.extend(1_704_153_600_000_000_000_u64.to_le_bytes());
        record.extend(id.to_le_bytes());
        record.extend(10_000_000_000_i64.to_le_bytes());
        record.extend(5_u32.to_le_bytes());
        record.extend([128, 0, action, side]);
        record.extend(1_704_153_600_000_000_500_u64.to_le_bytes());
        record.extend([0; 8]);
        record
    };
    vec![order(1, b'A', b'B'), order(2, b'A', b'A'), order(0, b'T', b'B'), order(2, b'C', b'A')]
}

/// With a header of version 3 that names instrument 7, and records of several kinds.
fn dbn() -> Vec<u8> {
    let mut body = b"GLBX.MDP3\0\0\0\0\0\0\0".to_vec();
    body.extend([0; 26]);
    body.extend([1, 0, 0, 71, 0]);
    body.extend([0; 53 + 16]);
    body.extend(1_u32.to_le_bytes());
    let name = |text: &str| format!("{text:\0<71}").into_bytes();
    body.extend(name("ESH4"));
    body.extend(1_u32.to_le_bytes());
    body.extend(20_240_101_u32.to_le_bytes());
    body.extend(20_240_105_u32.to_le_bytes());
    body.extend(name("7"));
    let mut file = b"DBN\x03".to_vec();
    file.extend(u32::try_from(body.len()).unwrap_or(0).to_le_bytes());
    file.extend(body);
    file.extend(orders().concat());
    // Best prices, ten levels, a bar, a status, a definition, a mapping, an error.
    for (kind, len) in [(1, 80), (10, 368), (0x21, 56), (0x12, 40), (0x13, 520), (0x16, 176), (0x15, 320)] {
        let mut record = vec![u8::try_from(len / 4).unwrap_or(0), kind, 1, 0, 7, 0, 0, 0];
        record.extend(1_704_153_600_000_000_000_u64.to_le_bytes());
        // Names are empty: nothing is renamed.
        record.resize(len, u8::from(len < 100));
        file.extend(record);
    }
    file
}

fn message(of: u8, fields: &[&[u8]]) -> Vec<u8> {
    let time = &34_200_000_000_000_u64.to_be_bytes()[2..];
    [&[of, 0, 7, 0, 0][..], time, &fields.concat()].concat()
}

/// Orders of ITCH that come, trade, become others and go.
fn messages() -> Vec<Vec<u8>> {
    let (one, two, three) = (1_u64.to_be_bytes(), 2_u64.to_be_bytes(), 3_u64.to_be_bytes());
    let (few, many, price) = (10_u32.to_be_bytes(), 50_u32.to_be_bytes(), 100_000_u32.to_be_bytes());
    vec![
        message(b'A', &[&one, b"B", &many, b"ABC     ", &price]),
        message(b'F', &[&two, b"S", &many, b"ABC     ", &price, b"NSDQ"]),
        message(b'E', &[&one, &few, &three]),
        message(b'C', &[&one, &few, &three, b"Y", &price]),
        message(b'X', &[&one, &few]),
        message(b'U', &[&one, &three, &few, &price]),
        message(b'D', &[&two]),
        message(b'P', &[&one, b"B", &few, b"ABC     ", &price, &three]),
        message(b'H', &[b"ABC     ", b"H T12 "]),
        message(b'S', &[b"C"]),
    ]
}

fn itch_file() -> Vec<u8> {
    let block = |of: Vec<u8>| [&u16::try_from(of.len()).unwrap_or(0).to_be_bytes()[..], &of].concat();
    messages().into_iter().flat_map(block).collect()
}

fn mold() -> Vec<u8> {
    let count = u16::try_from(messages().len()).unwrap_or(0);
    [b"SESSION   ".to_vec(), 1_u64.to_be_bytes().to_vec(), count.to_be_bytes().to_vec(), itch_file()].concat()
}

/// Levels, a quote, a trade and a state of IEX.
fn iex() -> Vec<u8> {
    let at = 1_611_692_981_000_000_000_u64.to_le_bytes();
    let price = 100_000_i64.to_le_bytes();
    let of = |kind: u8, flag: u8, rest: &[u8]| [&[kind, flag][..], &at, b"ZIEXT   ", rest].concat();
    let size = 100_u32.to_le_bytes();
    let all = [
        of(b'8', 1, &[&size[..], &price].concat()),
        of(b'5', 1, &[&size[..], &price].concat()),
        of(b'T', 0, &[&size[..], &price, &at].concat()),
        of(b'H', b'H', b"T1  "),
    ];
    let block = |of: &Vec<u8>| [&u16::try_from(of.len()).unwrap_or(0).to_le_bytes()[..], of].concat();
    let blocks: Vec<u8> = all.iter().flat_map(block).collect();
    let len = u16::try_from(blocks.len()).unwrap_or(0).to_le_bytes();
    let head =
        [&[1, 0, 4, 0x80, 1, 0, 0, 0, 9, 0, 0, 0][..], &len, &[4, 0], &[0; 8], &1_u64.to_le_bytes(), &at];
    [head.concat(), blocks].concat()
}

/// A capture of two packets that carry `payload` over UDP, the second one of the same again.
fn capture(payload: &[u8]) -> Vec<u8> {
    let short = |len: usize| u16::try_from(len).unwrap_or(0).to_be_bytes();
    let udp = [&[0, 1, 0, 2][..], &short(payload.len() + 8), &[0, 0], payload].concat();
    let ip = [&[0x45, 0][..], &short(udp.len() + 20), &[0, 0, 0x40, 0, 1, 17, 0, 0], &[9; 8], &udp].concat();
    let packet = [&[1; 12][..], &[8, 0], &ip].concat();
    let field = |value: usize| u32::try_from(value).unwrap_or(0).to_le_bytes();
    let mut file = [&0xa1b2_3c4d_u32.to_le_bytes()[..], &[0; 12], &field(65_535), &field(1)].concat();
    for _ in 0..2 {
        file.extend([field(1_692_711_000), field(0), field(packet.len()), field(packet.len())].concat());
        file.extend(&packet);
    }
    file
}
