//! OKX v5: channel and instrument by message; the text `ping` keeps a connection alive.
//!
//! Source: OKX, "WebSocket: Connect" (cut after 30 s of silence, 3 connections a second, 480 requests an hour,
//! 64 KB of channels) and "Order book channel" (`seqId`, `prevSeqId`). A notice (`event` `notice`, code 64008)
//! comes a minute before the service is upgraded.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Bounds, Dialect, Heard, Route, Subject, Tag, Twins, Want, address, no_depth, wants};
use crate::live::{LiveChannel, LiveError, LiveSpec};

/// Arguments of one request: far below 64 KB.
const ARGS_MAX: usize = 100;

pub(super) struct Okx;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Option<&'a str>,
    #[serde(borrow)]
    id: Option<&'a str>,
    #[serde(borrow)]
    arg: Option<Arg<'a>>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    action: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arg<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow, default)]
    inst_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    seq_id: Option<i64>,
    prev_seq_id: Option<i64>,
    #[serde(borrow)]
    trade_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ts: Option<&'a str>,
}

impl Dialect for Okx {
    fn check(&self, spec: &LiveSpec) -> Result<(), LiveError> {
        match spec.depth {
            None | Some(400) => Ok(()),
            Some(depth) => Err(no_depth(&spec.feed, depth, "400")),
        }
    }

    fn routes(&self, spec: &LiveSpec) -> Vec<Route> {
        let url = address(spec.ws_url.as_ref(), "wss://ws.okx.com:8443", "/ws/v5/public");
        let mut list = Vec::new();
        for symbol in &spec.symbols {
            for (channel, topic) in [
                (LiveChannel::Trades, "trades"),
                (LiveChannel::Quotes, "bbo-tbt"),
                (LiveChannel::Ticker, "tickers"),
            ] {
                if wants(spec, channel) {
                    list.push(Want::new(topic, symbol));
                }
            }
            if wants(spec, LiveChannel::Book) {
                list.push(Want::book("books", symbol));
            }
        }
        let symbols = spec.symbols.clone();
        vec![Route { url, wants: list, books: Vec::new(), symbols, twins: Twins::Merge }]
    }

    fn parts<'w>(&self, wants: &'w [Want]) -> Vec<&'w [Want]> {
        wants.chunks(ARGS_MAX).collect()
    }

    fn message(&self, op: &str, wants: &[Want], number: u64) -> String {
        let arg = |want: &Want| {
            let symbol = serde_json::Value::from(want.symbol.as_str());
            format!(r#"{{"channel":"{}","instId":{symbol}}}"#, want.topic)
        };
        let args = wants.iter().map(arg).collect::<Vec<_>>().join(",");
        format!(r#"{{"id":"{number}","op":"{op}","args":[{args}]}}"#)
    }

    fn hear<'a>(&self, text: &'a str) -> Heard<'a> {
        if text == "pong" {
            return Heard::Pong;
        }
        let Ok(message) = serde_json::from_str::<Message<'a>>(text) else { return Heard::Foreign };
        let number = message.id.and_then(|id| id.parse().ok());
        match (message.event, message.arg) {
            (Some("subscribe"), Some(arg)) => {
                let (topic, symbol) = (Some(arg.channel), Some(arg.inst_id));
                Heard::Accepted(vec![Subject { number, topic, symbol }])
            }
            (Some("error"), arg) => {
                let (topic, symbol) = arg.map(|arg| (arg.channel, arg.inst_id)).unzip();
                let reason = message.msg.unwrap_or_default();
                let symbol = symbol.or_else(|| named(&reason));
                Heard::Refused(Subject { number, topic, symbol }, reason)
            }
            (Some("notice"), _) => Heard::Leaving(message.msg.unwrap_or(Cow::Borrowed("notice"))),
            (Some(_), _) => Heard::Other,
            (None, Some(arg)) => data(arg, message.action, message.data.map_or("null", RawValue::get)),
            (None, None) => Heard::Foreign,
        }
    }

    fn ping(&self, _number: u64) -> Option<String> {
        Some("ping".to_owned())
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            send_every: Duration::from_millis(350),
            connects: (3, Duration::from_secs(1)),
            weight: (40, Duration::from_secs(2)),
            ping_every: Duration::from_secs(15),
            lifetime: None,
        }
    }
}

fn data<'a>(arg: Arg<'a>, action: Option<&'a str>, raw: &'a str) -> Heard<'a> {
    let rows: Vec<Row<'a>> = serde_json::from_str(raw).unwrap_or_default();
    let symbol = arg.inst_id;
    let tag = match (&*arg.channel, rows.first(), rows.last()) {
        ("trades", Some(_), _) => match rows.into_iter().map(|row| row.trade_id).collect() {
            Some(ids) => Tag::Trades { symbol, ids },
            None => Tag::Bare { book: None },
        },
        ("books", Some(first), Some(last)) => match (first.prev_seq_id, last.seq_id, action) {
            (_, Some(last), Some("snapshot")) => Tag::Start { symbol, topic: "books", last },
            (Some(previous), Some(last), _) => Tag::Chain { symbol, topic: "books", previous, last },
            _ => Tag::Bare { book: Some(symbol) },
        },
        ("books", ..) => Tag::Bare { book: Some(symbol) },
        ("bbo-tbt", Some(first), _) => match first.seq_id {
            Some(key) => Tag::Newest { symbol, topic: "bbo-tbt", key },
            None => Tag::Bare { book: None },
        },
        ("tickers", Some(first), _) => match first.ts.and_then(|ts| ts.parse().ok()) {
            Some(key) => Tag::Newest { symbol, topic: "tickers", key },
            None => Tag::Bare { book: None },
        },
        _ => Tag::Bare { book: None },
    };
    Heard::Data(tag)
}

/// The instrument that an error names: `… instId:BTC-USDX doesn't exist…`.
fn named(reason: &str) -> Option<Cow<'static, str>> {
    let name = reason.split_once("instId:")?.1;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(name.len());
    Some(Cow::Owned(name[..end].to_owned()))
}
