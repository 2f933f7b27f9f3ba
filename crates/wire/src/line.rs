//! Lines of NDJSON, as they are written and read back: a record that stands alone, with where it comes from and,
//! where its line says so, its place in the total order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Body, BookChange, Channel, FeedGap, GapReason, Instrument, Placed, Seq, Side, Symbol, UnixNanos, Venue,
};
use serde::Deserialize;

use crate::decode::{DecodeError, Record, RecordBody};
use crate::record::line;

/// Writes a record as [`line()`] does, with its place in the total order behind all else: `"position":17`,
/// and when the venue sent it, where that is known.
pub fn placed_line(record: &Placed, out: &mut Vec<u8>) {
    line(record, out);
    if out.last() == Some(&b'}') {
        out.pop();
        out.extend_from_slice(b",\"position\":");
        out.extend_from_slice(itoa::Buffer::new().format(record.position).as_bytes());
        if let Some(at) = record.ts_source {
            out.extend_from_slice(format!(",\"ts_source\":\"{at}\"").as_bytes());
        }
        out.push(b'}');
    }
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct LineError {
    /// Where it was found: a byte of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads lines back. Lines without a place are numbered as they come, from 1.
#[derive(Default)]
pub struct Lines {
    known: HashMap<Symbol, Vec<Arc<Instrument>>>,
    position: u64,
}

/// What a line says beside what a record of a message does.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    r#type: Option<Cow<'a, str>>,
    #[serde(default)]
    venue: Cow<'a, str>,
    #[serde(default)]
    venue_symbol: Cow<'a, str>,
    symbol: Cow<'a, str>,
    sequence: u64,
    ts_event: Option<Cow<'a, str>>,
    ts_source: Option<Cow<'a, str>>,
    ts_recv: Option<Cow<'a, str>>,
    #[serde(default)]
    snapshot: bool,
    side: Option<Cow<'a, str>>,
    cause: Option<Cow<'a, str>>,
    venue_from_sequence: Option<u64>,
    venue_to_sequence: Option<u64>,
    position: Option<u64>,
}

impl Lines {
    /// The record of a line.
    ///
    /// # Errors
    /// The line is none, with where and why. Those after it may be good.
    pub fn read(&mut self, text: &str) -> Result<Placed, LineError> {
        let bad = |field: &str, what: &str| {
            let column = text.find(&format!("\"{field}\"")).map_or(1, |at| at + 1);
            LineError { column, what: format!("{what} {field:?}") }
        };
        let head: Head<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        let channel: Channel = head.channel.parse().map_err(|_| bad("channel", "unknown"))?;
        let symbol = Symbol::parse(&head.symbol).map_err(|_| bad("symbol", "bad"))?;
        let time = |field: &'static str, told: &Option<Cow<'_, str>>| {
            let told = told.as_deref().ok_or_else(|| bad(field, "it lacks"))?;
            UnixNanos::from_rfc3339(told).map_err(|_| bad(field, "bad"))
        };
        let (ts_event, ts_recv) = (time("ts_event", &head.ts_event)?, time("ts_recv", &head.ts_recv)?);
        let body = match head.r#type.as_deref() {
            Some("gap") if channel == Channel::Book => {
                let reason = head.cause.as_deref().and_then(GapReason::from_name);
                let reason = reason.ok_or_else(|| bad("cause", "no gap has such a"))?;
                let (venue_from, venue_to) = (head.venue_from_sequence, head.venue_to_sequence);
                Body::Book(BookChange::Gap(FeedGap { reason, venue_from, venue_to }))
            }
            Some(_) => return Err(bad("type", "it is a message, and no record: it has a")),
            None => self::body(channel, &head, text, &bad)?,
        };
        if head.position == Some(0) {
            return Err(bad("position", "places begin at 1: bad"));
        }
        let position = head.position.unwrap_or(self.position + 1);
        self.position = position;
        let instrument = self.instrument(symbol, &head.venue, &head.venue_symbol);
        let told = head.ts_source.as_deref().map(UnixNanos::from_rfc3339).transpose();
        let (seq, ts_source) = (Seq(head.sequence), told.map_err(|_| bad("ts_source", "bad"))?);
        Ok(Placed { instrument, seq, position, ts_event, ts_source, ts_recv, body })
    }

    fn instrument(&mut self, symbol: Symbol, venue: &str, venue_symbol: &str) -> Arc<Instrument> {
        let known = self.known.entry(symbol.clone()).or_default();
        let same =
            |known: &&Arc<Instrument>| known.venue.as_str() == venue && *known.venue_symbol == *venue_symbol;
        if let Some(found) = known.iter().find(same) {
            return Arc::clone(found);
        }
        let named = Arc::new(Instrument::named(symbol, Venue::new(venue), venue_symbol));
        known.push(Arc::clone(&named));
        named
    }
}

fn body(
    channel: Channel,
    head: &Head<'_>,
    text: &str,
    bad: &dyn Fn(&str, &str) -> LineError,
) -> Result<Body, LineError> {
    let record = Record::parse(channel, text).map_err(|error| match error {
        DecodeError::Json(error) => not_json(&error),
        DecodeError::Missing { field, .. } => bad(field, "it lacks"),
        DecodeError::Bad { field, .. } => bad(field, "bad"),
        error @ DecodeError::Channel(_) => LineError { column: 1, what: error.to_string() },
    })?;
    // What stands for several is not what happened.
    if record.prev.next() != record.seq {
        return Err(bad("prev_sequence", "it stands for several, as messages may: it has a"));
    }
    Ok(match record.body {
        RecordBody::Trade(trade) => {
            if head.side.as_deref() != Some(trade.side.as_str()) && trade.side == Side::Unknown {
                return Err(bad("side", "bad"));
            }
            if head.snapshot {
                return Err(bad("snapshot", "a trade from before the subscription has no place: it has a"));
            }
            Body::Trade(trade)
        }
        RecordBody::Correction(correction) => Body::Correction(correction),
        RecordBody::Summary(_) => return Err(bad("summary", "it stands for several: it has a")),
        RecordBody::Quote(quote) => Body::Quote(quote),
        RecordBody::Ticker(ticker) => Body::Ticker(ticker),
        RecordBody::Book(levels, notes) if notes.snapshot => Body::Book(BookChange::Snapshot(levels)),
        RecordBody::Book(levels, _) => Body::Book(BookChange::Delta(levels)),
        RecordBody::Candle(bar) => Body::Candle(bar),
        RecordBody::Status(status) => Body::Status(status),
    })
}

fn not_json(error: &serde_json::Error) -> LineError {
    let what = error.to_string();
    // It is the only line.
    let end = what.rfind(" at line 1 column ").unwrap_or(what.len());
    LineError { column: error.column().max(1), what: what[..end].to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 6] = [
        r#"{"channel":"trades","venue":"v","venue_symbol":"a","symbol":"A","sequence":1,"trade_id":"7","price":"1.50","size":"2","side":"buy","ts_event":"2026-11-20T14:30:00.000000001Z","ts_recv":"2026-11-20T14:30:00.000000002Z","position":5}"#,
        r#"{"channel":"book","venue":"v","venue_symbol":"a","symbol":"A","sequence":1,"snapshot":true,"ts_event":"2026-11-20T14:30:00.000000001Z","ts_recv":"2026-11-20T14:30:00.000000002Z","bids":[["1.50","2.0"]],"asks":[],"position":6}"#,
        r#"{"channel":"book","venue":"v","venue_symbol":"a","symbol":"A","sequence":2,"ts_event":"2026-11-20T14:30:00.000000001Z","ts_recv":"2026-11-20T14:30:00.000000002Z","bids":[],"asks":[["1.60","0"]],"position":8}"#,
        r#"{"type":"gap","channel":"book","venue":"v","venue_symbol":"a","symbol":"A","sequence":3,"reason":"feed_gap","cause":"checksum","venue_from_sequence":4,"ts_event":"2026-11-20T14:30:00.000000001Z","ts_recv":"2026-11-20T14:30:00.000000002Z","position":9}"#,
        r#"{"channel":"quotes","venue":"v","venue_symbol":"a","symbol":"A","sequence":1,"derived":true,"bid_price":null,"bid_size":null,"ask_price":"1.60","ask_size":"1","ts_event":"2026-11-20T14:30:00.000000001Z","ts_recv":"2026-11-20T14:30:00.000000002Z","position":10}"#,
        r#"{"channel":"trades","venue":"v","venue_symbol":"a","symbol":"A","sequence":2,"correction":"correct","trade_id":"7","original_sequence":1,"original_price":"1.50","original_size":"2","original_side":"buy","original_ts_event":"2026-11-20T14:30:00.000000001Z","new_trade_id":"8","price":"1.60","size":"2","side":"sell","ts_event":"2026-11-20T14:30:01.000000000Z","ts_recv":"2026-11-20T14:30:01.000000002Z","position":11,"ts_source":"2026-11-20T14:30:01.000000001Z"}"#,
    ];

    #[test]
    fn lines_come_back_as_they_were() {
        let mut lines = Lines::default();
        for text in LINES {
            let mut out = Vec::new();
            placed_line(&lines.read(text).unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        let plain = LINES[0].replace(",\"position\":5", "");
        assert_eq!(lines.read(&plain).unwrap().position, 12, "numbered as they come");
    }

    #[test]
    fn what_is_no_line_is_said() {
        let broken = |from: &str, to: &str| {
            let error = Lines::default().read(&LINES[0].replace(from, to)).unwrap_err();
            (error.column, error.to_string())
        };
        let at = |field: &str| LINES[0].find(field).unwrap() + 1;
        for (from, to, column, what) in [
            ("\"1.50\"", "\"1,50\"", at("\"price\""), "bad \"price\""),
            ("\"buy\"", "\"long\"", at("\"side\""), "bad \"side\""),
            ("\"channel\":\"trades\"", "\"channel\":\"deals\"", 2, "unknown \"channel\""),
            ("\"ts_recv\"", "\"received\"", 1, "it lacks \"ts_recv\""),
            ("\"position\":5}", "\"position\":0}", at("\"position\""), "places begin at 1: bad \"position\""),
            ("\"position\":5}", "\"position\":5", LINES[0].len() - 1, "EOF while parsing an object"),
            (
                "{\"channel",
                "{\"type\":\"ack\",\"channel",
                2,
                "it is a message, and no record: it has a \"type\"",
            ),
        ] {
            assert_eq!(broken(from, to), (column, what.to_owned()), "{to}");
        }
    }
}
