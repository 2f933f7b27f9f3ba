//! What is asked of the past, as the query of a URL.

use std::fmt::Write;
use std::ops::RangeInclusive;

use axum::http::Uri;
use fanout::{Excerpt, Stream};
use model::{Channel, Interval, Seq, Symbol, UnixNanos};
use wire::{Cursor, ErrorCode, closest};

use super::super::given::Given;
use super::super::query::bad;
use crate::limits::{PAGE_RECORDS, PAGE_RECORDS_MAX};
use crate::problem::Problem;

/// Which part of the past of which stream.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The path that asks.
    pub(super) path: &'static str,
    pub(super) symbol: Symbol,
    pub(super) stream: Stream,
    /// Records at most.
    pub(super) limit: usize,
    pub(super) from_sequence: Option<Seq>,
    pub(super) to_sequence: Option<Seq>,
    /// Not before this time, and before that one.
    pub(super) from: Option<UnixNanos>,
    pub(super) to: Option<UnixNanos>,
    /// The newest come first.
    pub(super) backwards: bool,
    /// Only what came after this.
    pub(super) cursor: Option<Cursor>,
    /// Of a recording, by its name, instead of the logs.
    pub(super) recording: Option<String>,
}

/// What a query may say.
pub(crate) const FIELDS: [&str; 12] = [
    "channel",
    "symbol",
    "interval",
    "cursor",
    "from_sequence",
    "to_sequence",
    "from",
    "to",
    "order",
    "limit",
    "ticket",
    "recording",
];

/// Any whole number that every language reads back exactly.
const SEQUENCES: RangeInclusive<u64> = 1..=1 << 53;

impl Asked {
    /// Reads the query of `path`: its ticket, and what it asks for. Of `channel`, where the path says which.
    ///
    /// # Errors
    /// What it says is not known, comes twice, is missing or does not go together.
    pub(super) fn parse(
        uri: &Uri,
        path: &'static str,
        channel: Option<Channel>,
    ) -> Result<(Option<String>, Self), Problem> {
        // The first one is the channel; the last one only candles have.
        let known = if channel.is_some() { &FIELDS[1..] } else { &FIELDS[..FIELDS.len() - 1] };
        let mut given = Given::of(uri, known)?;
        let ticket = given.take("ticket");
        let channel = channel.map_or_else(|| channel_of(&mut given), Ok)?;
        let symbol = given.symbol()?;
        let interval = given.interval()?;
        if interval.is_some() && channel != Channel::Candles {
            return Err(bad("Only candles have an \"interval\".".to_owned()));
        }
        let limit = given.number("limit", 1..=PAGE_RECORDS_MAX as u64)?;
        let asked = Self {
            path,
            symbol,
            stream: Stream::new(channel, interval.unwrap_or(Interval::M1)),
            limit: limit.map_or(PAGE_RECORDS, |limit| usize::try_from(limit).unwrap_or(PAGE_RECORDS_MAX)),
            from_sequence: given.number("from_sequence", SEQUENCES)?.map(Seq),
            to_sequence: given.number("to_sequence", SEQUENCES)?.map(Seq),
            from: given.time("from")?,
            to: given.time("to")?,
            backwards: order_of(&mut given)?,
            cursor: given.cursor()?,
            recording: given.take("recording"),
        };
        let is_placed =
            asked.from_sequence.is_some() || asked.to_sequence.is_some() || asked.cursor.is_some();
        if asked.recording.is_some() && is_placed {
            let detail = "Bars of a recording are found by their time: ask with \"from\" and \"to\".";
            return Err(bad(detail.to_owned()));
        }
        if asked.from_sequence.zip(asked.to_sequence).is_some_and(|(from, to)| from > to) {
            return Err(bad(
                "\"from_sequence\" is beyond \"to_sequence\": nothing is between them.".to_owned()
            ));
        }
        if asked.from.zip(asked.to).is_some_and(|(from, to)| from >= to) {
            return Err(bad("\"from\" is not before \"to\": nothing is between them.".to_owned()));
        }
        Ok((ticket, asked))
    }

    /// All of it.
    pub(super) fn excerpt(&self) -> Excerpt {
        let all = Excerpt::default();
        Excerpt {
            from: self.from_sequence.unwrap_or(all.from),
            to: self.to_sequence.unwrap_or(all.to),
            after: self.cursor.as_ref().map_or(0, |cursor| cursor.position),
            backwards: self.backwards,
            most: all.most,
        }
    }

    /// The URL of what is left of it: after `cursor`, between these places.
    pub(super) fn rest(&self, cursor: &Cursor, from: Option<Seq>, to: Option<Seq>) -> String {
        let mut url = format!("{}?", self.path);
        if self.path == super::HISTORY {
            let _ = write!(url, "channel={}&", self.stream.channel());
        }
        let _ = write!(url, "symbol={}", self.symbol);
        let times = [("from", self.from), ("to", self.to)];
        let times = times.map(|(name, time)| (name, time.map(|time| time.to_string())));
        let sequences = [("from_sequence", from), ("to_sequence", to)];
        let sequences = sequences.map(|(name, seq)| (name, seq.map(|seq| seq.to_string())));
        let interval = ("interval", self.stream.interval().map(|interval| interval.to_string()));
        let order = ("order", self.backwards.then(|| "desc".to_owned()));
        for (name, value) in [interval].into_iter().chain(sequences).chain(times).chain([order]) {
            if let Some(value) = value {
                let _ = write!(url, "&{name}={value}");
            }
        }
        let _ = write!(url, "&cursor={cursor}&limit={}", self.limit);
        url
    }

    /// The URL of the bars of the same recording beyond one that began then.
    pub(super) fn beyond(&self, start: UnixNanos) -> String {
        let name = self.recording.as_deref().unwrap_or_default();
        let interval = self.stream.interval().unwrap_or(Interval::M1);
        let mut url = format!("{}?symbol={}&interval={interval}&recording={name}", self.path, self.symbol);
        let (from, to) =
            if self.backwards { (self.from, Some(start)) } else { (Some(start.later(1)), self.to) };
        for (name, time) in [("from", from), ("to", to)] {
            if let Some(time) = time {
                let _ = write!(url, "&{name}={time}");
            }
        }
        let order = if self.backwards { "&order=desc" } else { "" };
        let _ = write!(url, "{order}&limit={}", self.limit);
        url
    }
}

/// The channel; a book has no history.
fn channel_of(given: &mut Given) -> Result<Channel, Problem> {
    let name = given.required("channel", "one of trades, quotes, ticker, candles, status")?;
    let channel = name.parse().map_err(|_| {
        let hint = closest(&name, Channel::ALL.map(Channel::as_str));
        let hint = hint.map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
        Problem::of(ErrorCode::UnknownChannel, format!("Unknown channel \"{name}\".{hint}"))
    })?;
    if channel == Channel::Book {
        let detail = "A book has no history: its changes say nothing without the state before them. Ask \
                      /v1/snapshot for the state, and go on from its cursor.";
        return Err(bad(detail.to_owned()));
    }
    Ok(channel)
}

/// Whether the newest come first.
fn order_of(given: &mut Given) -> Result<bool, Problem> {
    match given.take("order").as_deref() {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(_) => Err(bad("Field \"order\" must be \"asc\" or \"desc\".".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str, path: &'static str) -> Result<Asked, (u16, &'static str, String)> {
        let channel = (path == super::super::CANDLES).then_some(Channel::Candles);
        let asked = Asked::parse(&format!("{path}?{query}").parse().unwrap(), path, channel);
        asked
            .map(|(_, asked)| asked)
            .map_err(|problem| (problem.status.as_u16(), problem.code, problem.detail))
    }

    #[test]
    fn what_is_asked_comes_back_in_what_is_left() {
        let query = "channel=candles&symbol=BTC-USD&interval=5m&from_sequence=3&to_sequence=9\
                     &from=2026-11-20T14:30:00.000000000Z&to=2026-11-21T14:30:00.000000000Z&order=desc&cursor=e:12\
                     &limit=7";
        let asked = parse(query, super::super::HISTORY).unwrap();
        let cursor = asked.cursor.clone().unwrap();
        let rest = asked.rest(&cursor, asked.from_sequence, asked.to_sequence);
        assert_eq!(rest, format!("/v1/history?{query}"));
        let wanted = Excerpt { from: Seq(3), to: Seq(9), after: 12, backwards: true, ..Excerpt::default() };
        assert_eq!(asked.excerpt(), wanted);
        let short = parse("symbol=A&from=1795185000000000001", super::super::CANDLES).unwrap();
        assert_eq!((short.limit, short.stream, short.backwards), (500, Stream::Candles(Interval::M1), false));
        let rest =
            "/v1/candles?symbol=A&interval=1m&from=2026-11-20T14:30:00.000000001Z&cursor=e:12&limit=500";
        assert_eq!(short.rest(&cursor, None, None), rest);
    }

    #[test]
    fn bars_of_a_recording_go_on_by_their_time() {
        let parse = |query: &str| parse(query, super::super::CANDLES).unwrap();
        let back = "symbol=A&interval=5m&recording=r-1&to=2026-11-20T14:30:00.000000000Z&order=desc&limit=7";
        let earlier = UnixNanos::from_rfc3339("2026-11-20T14:00:00Z").unwrap();
        let rest = back.replace("14:30", "14:00");
        assert_eq!(parse(back).beyond(earlier), format!("/v1/candles?{rest}"));
        let on = parse("symbol=A&recording=r-1&limit=7").beyond(earlier);
        let from = "from=2026-11-20T14:00:00.000000001Z";
        assert_eq!(on, format!("/v1/candles?symbol=A&interval=1m&recording=r-1&{from}&limit=7"));
        assert_eq!(parse(on.strip_prefix("/v1/candles?").unwrap()).from, Some(earlier.later(1)));
    }

    #[test]
    fn slips_are_named() {
        let good = "channel=trades&symbol=BTC-USD";
        for (query, says) in [
            ("symbol=BTC-USD", "Field \"channel\" is missing; it must be one of trades, quotes, ticker"),
            ("channel=trades", "Field \"symbol\" is missing; it must be the name of one symbol."),
            ("channel=trades&symbols=BTC-USD", "Unknown field \"symbols\". Did you mean \"symbol\"?"),
            ("channel=trades&symbol=BTC-*", "Field \"symbol\": "),
            ("channel=book&symbol=BTC-USD", "A book has no history"),
            (&format!("{good}&interval=1m"), "Only candles have an \"interval\"."),
            (&format!("{good}&limit=0"), "Field \"limit\" must be a whole number from 1 to 5000."),
            (&format!("{good}&limit=5001"), "Field \"limit\" must be"),
            (&format!("{good}&limit=7&limit=8"), "The query has \"limit\" twice."),
            (&format!("{good}&from_sequence=0"), "Field \"from_sequence\" must be"),
            (&format!("{good}&from_sequence=9&to_sequence=8"), "\"from_sequence\" is beyond"),
            (&format!("{good}&from=yesterday"), "Field \"from\" must be a time, such as"),
            // Milliseconds would be a time in 1970, before everything.
            (&format!("{good}&from=1795185000000"), "Field \"from\" must be a time, such as"),
            (
                &format!("{good}&from=2026-11-20T14:30:00Z&to=2026-11-20T14:30:00Z"),
                "\"from\" is not before \"to\"",
            ),
            (&format!("{good}&order=newest"), "Field \"order\" must be \"asc\" or \"desc\"."),
            (&format!("{good}&cursor=12"), "Field \"cursor\" must be a cursor"),
            (&format!("{good}&cursr=e:12"), "Unknown field \"cursr\". Did you mean \"cursor\"?"),
            (&format!("{good}&recording=r"), "Unknown field \"recording\"."),
        ] {
            let (status, code, detail) = parse(query, super::super::HISTORY).unwrap_err();
            assert_eq!((status, code), (400, "invalid_request"), "{query}");
            assert!(detail.starts_with(says), "{query}: {detail}");
        }
        let (_, code, detail) = parse("channel=trade&symbol=A", super::super::HISTORY).unwrap_err();
        assert_eq!(
            (code, &*detail),
            ("unknown_channel", "Unknown channel \"trade\". Did you mean \"trades\"?")
        );
        let (_, _, detail) = parse("channel=candles&symbol=A", super::super::CANDLES).unwrap_err();
        assert_eq!(detail, "Unknown field \"channel\".");
        let placed = "symbol=A&recording=r&from_sequence=4";
        let (_, _, detail) = parse(placed, super::super::CANDLES).unwrap_err();
        assert!(detail.starts_with("Bars of a recording are found by their time"), "{detail}");
        let (_, _, detail) = parse("symbol=A&interval=2m", super::super::CANDLES).unwrap_err();
        assert_eq!(detail, "Field \"interval\" must be one of 1s, 1m, 5m, 15m, 1h, 1d.");
    }
}
