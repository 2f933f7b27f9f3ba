//! Messages as a client reads them: the inverse of what the server writes.

mod trades;

use std::borrow::Cow;

use model::{
    Candle, Channel, Correction, Interval, Level, Levels, Price, Quote, Seq, Size, State, StatusChange,
    Symbol, Ticker, Trade, TradeSummary, UnixNanos,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::control::Control;
use crate::record::{BookNotes, Stamp, Writer};

/// Any message of a server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// Not market data.
    Control(Box<Control>),
    /// Current state.
    Snapshot(Data),
    /// Changes.
    Update(Data),
    /// A type that this version does not know: to be ignored.
    Unknown(String),
}

/// A message with market data.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The channel of all its records.
    pub channel: Channel,
    /// The replay that it is of.
    pub replay: Option<String>,
    /// Where the session stands, or the replay.
    pub cursor: String,
    /// Of a snapshot: the position that it is the state of, where several are of the same.
    pub as_of: Option<String>,
    /// When it was sent, where that was asked for.
    pub ts_sent: Option<UnixNanos>,
    /// The records, in order.
    pub records: Vec<Record>,
    /// In a snapshot: symbols of which there is nothing.
    pub empty: Vec<String>,
    /// The places of these in their streams, where not all are 0.
    pub sequences: Vec<Seq>,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The symbol.
    pub symbol: Symbol,
    /// Its position in the stream.
    pub seq: Seq,
    /// The position before it: `seq` − 1 unless the record says otherwise.
    pub prev: Seq,
    /// The venue's time.
    pub ts_event: Option<UnixNanos>,
    /// When the venue sent it, where that was asked for and the venue says it.
    pub ts_source: Option<UnixNanos>,
    /// When the server sequenced it, where that was asked for.
    pub ts_seq: Option<UnixNanos>,
    /// When the server received it.
    pub ts_recv: Option<UnixNanos>,
    /// What it says.
    pub body: RecordBody,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordBody {
    /// One trade.
    Trade(Trade),
    /// A trade is taken back, or said anew.
    Correction(Box<Correction>),
    /// Many trades.
    Summary(Box<TradeSummary>),
    /// Best bid and offer.
    Quote(Quote),
    /// 24-hour totals.
    Ticker(Box<Ticker>),
    /// Levels.
    Book(Levels, BookNotes),
    /// A bar.
    Candle(Box<Candle>),
    /// A state.
    Status(Box<StatusChange>),
}

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not JSON, or not of the protocol's shape.
    #[error("not a tickwire.v1 message: {0}")]
    Json(#[from] serde_json::Error),
    /// A record lacks a field.
    #[error("a {channel} record lacks {field:?}")]
    Missing {
        /// The record's channel.
        channel: Channel,
        /// The field.
        field: &'static str,
    },
    /// A record's field has a value that cannot be.
    #[error("a {channel} record has a bad {field:?}")]
    Bad {
        /// The record's channel.
        channel: Channel,
        /// The field.
        field: &'static str,
    },
    /// A channel that this version does not know.
    #[error("unknown channel {0:?}")]
    Channel(String),
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawData<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(default)]
    replay: Option<String>,
    cursor: String,
    #[serde(default)]
    as_of: Option<String>,
    #[serde(borrow)]
    ts_sent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(default)]
    symbols: Vec<String>,
    #[serde(default)]
    sequences: Vec<u64>,
}

impl ServerMessage {
    /// The message of a text frame.
    ///
    /// # Errors
    /// What is not of the protocol. A message of an unknown type is not an error.
    pub fn parse(text: &str) -> Result<Self, DecodeError> {
        let peek: Peek<'_> = serde_json::from_str(text)?;
        match peek.r#type.as_ref() {
            "snapshot" => Data::parse(text).map(Self::Snapshot),
            "update" => Data::parse(text).map(Self::Update),
            "welcome" | "ack" | "error" | "pong" | "echo" | "heartbeat" | "gap" | "flushed" | "notice"
            | "token_expiring" | "draining" | "replay" | "alert" => {
                Ok(Self::Control(Box::new(serde_json::from_str(text)?)))
            }
            other => Ok(Self::Unknown(other.to_owned())),
        }
    }
}

impl Data {
    fn parse(text: &str) -> Result<Self, DecodeError> {
        let raw: RawData<'_> = serde_json::from_str(text)?;
        let channel: Channel =
            raw.channel.parse().map_err(|_| DecodeError::Channel(raw.channel.clone().into_owned()))?;
        let records =
            raw.data.iter().map(|record| Record::parse(channel, record.get())).collect::<Result<_, _>>()?;
        let ts_sent = raw.ts_sent.map(|text| Reader { channel }.time("ts_sent", Some(&text))).transpose()?;
        Ok(Self {
            channel,
            replay: raw.replay,
            cursor: raw.cursor,
            as_of: raw.as_of,
            ts_sent: ts_sent.flatten(),
            records,
            empty: raw.symbols,
            sequences: raw.sequences.into_iter().map(Seq).collect(),
        })
    }
}

/// The union of all records' fields: each channel picks its own.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the protocol")]
#[derive(Deserialize)]
struct Raw<'a> {
    symbol: Cow<'a, str>,
    sequence: u64,
    prev_sequence: Option<u64>,
    ts_event: Option<Cow<'a, str>>,
    ts_source: Option<Cow<'a, str>>,
    ts_seq: Option<Cow<'a, str>>,
    ts_recv: Option<Cow<'a, str>>,
    correction: Option<Cow<'a, str>>,
    new_trade_id: Option<Box<str>>,
    original_sequence: Option<u64>,
    original_price: Option<Cow<'a, str>>,
    original_size: Option<Cow<'a, str>>,
    original_side: Option<Cow<'a, str>>,
    original_ts_event: Option<Cow<'a, str>>,
    first_ts_event: Option<Cow<'a, str>>,
    trade_id: Option<Box<str>>,
    price: Option<Cow<'a, str>>,
    size: Option<Cow<'a, str>>,
    side: Option<Cow<'a, str>>,
    #[serde(default)]
    summary: bool,
    #[serde(default)]
    derived: bool,
    #[serde(default)]
    snapshot: bool,
    #[serde(default)]
    crossed: bool,
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    corrected: bool,
    trades: Option<u64>,
    bid_price: Option<Cow<'a, str>>,
    bid_size: Option<Cow<'a, str>>,
    ask_price: Option<Cow<'a, str>>,
    ask_size: Option<Cow<'a, str>>,
    bid_source: Option<Cow<'a, str>>,
    ask_source: Option<Cow<'a, str>>,
    last_price: Option<Cow<'a, str>>,
    last_size: Option<Cow<'a, str>>,
    open: Option<Cow<'a, str>>,
    high: Option<Cow<'a, str>>,
    low: Option<Cow<'a, str>>,
    close: Option<Cow<'a, str>>,
    volume: Option<Cow<'a, str>>,
    notional: Option<Cow<'a, str>>,
    buy_volume: Option<Cow<'a, str>>,
    sell_volume: Option<Cow<'a, str>>,
    change: Option<Cow<'a, str>>,
    change_percent: Option<Cow<'a, str>>,
    interval: Option<Cow<'a, str>>,
    start: Option<Cow<'a, str>>,
    bids: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
    asks: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
    depth: Option<usize>,
    checksum: Option<u32>,
    state: Option<Cow<'a, str>>,
    reason: Option<Box<str>>,
    feed: Option<Box<str>>,
    since: Option<Cow<'a, str>>,
}

impl Record {
    /// The record of a channel from its JSON object.
    ///
    /// # Errors
    /// Says which field is missing or bad.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, DecodeError> {
        let raw: Raw<'_> = serde_json::from_str(text)?;
        let read = Reader { channel };
        let seq = Seq(raw.sequence);
        Ok(Self {
            symbol: Symbol::parse(&raw.symbol).map_err(|_| read.bad("symbol"))?,
            seq,
            prev: raw.prev_sequence.map_or(seq.prev(), Seq),
            ts_event: read.time("ts_event", raw.ts_event.as_deref())?,
            ts_source: read.time("ts_source", raw.ts_source.as_deref())?,
            ts_seq: read.time("ts_seq", raw.ts_seq.as_deref())?,
            ts_recv: read.time("ts_recv", raw.ts_recv.as_deref())?,
            body: read.body(&raw)?,
        })
    }

    /// Appends the record as the server writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let stamp = Stamp {
            symbol: &self.symbol,
            seq: self.seq,
            prev: self.prev,
            ts_event: self.ts_event,
            ts_source: self.ts_source,
            ts_seq: self.ts_seq,
            ts_recv: self.ts_recv,
        };
        let mut writer = Writer::new(out);
        match &self.body {
            RecordBody::Trade(trade) => writer.trade(&stamp, trade, false),
            RecordBody::Correction(correction) => writer.correction(&stamp, correction),
            RecordBody::Summary(summary) => writer.summary(&stamp, summary),
            RecordBody::Quote(quote) => writer.quote(&stamp, quote),
            RecordBody::Ticker(ticker) => writer.ticker(&stamp, ticker),
            RecordBody::Book(levels, notes) => writer.book(&stamp, levels, *notes),
            RecordBody::Candle(candle) => writer.candle(&stamp, candle),
            RecordBody::Status(status) => writer.status(&stamp, status),
        }
    }
}

/// Reads the fields of one channel's records.
#[derive(Clone, Copy)]
struct Reader {
    channel: Channel,
}

type Text<'a> = Option<Cow<'a, str>>;

impl Reader {
    fn body(self, raw: &Raw<'_>) -> Result<RecordBody, DecodeError> {
        Ok(match self.channel {
            Channel::Trades if raw.summary => RecordBody::Summary(Box::new(self.summary(raw)?)),
            Channel::Trades if raw.correction.is_some() => {
                RecordBody::Correction(Box::new(self.correction(raw)?))
            }
            Channel::Trades => RecordBody::Trade(self.trade(raw, raw.trade_id.clone())?),
            Channel::Quotes => RecordBody::Quote(Quote {
                bid: self.level("bid_price", raw.bid_price.as_ref(), raw.bid_size.as_ref())?,
                ask: self.level("ask_price", raw.ask_price.as_ref(), raw.ask_size.as_ref())?,
                derived: raw.derived,
                bid_source: self.source("bid_source", raw.bid_source.as_deref())?,
                ask_source: self.source("ask_source", raw.ask_source.as_deref())?,
            }),
            Channel::Ticker => RecordBody::Ticker(Box::new(self.ticker(raw)?)),
            Channel::Book => {
                let side = |field, levels: &Option<Vec<(Cow<'_, str>, Cow<'_, str>)>>| {
                    let levels = levels.as_ref().ok_or(self.missing(field))?;
                    let level = |(price, size): &(Cow<'_, str>, Cow<'_, str>)| {
                        self.level(field, Some(price), Some(size))?.ok_or(self.missing(field))
                    };
                    levels.iter().map(level).collect::<Result<Vec<_>, _>>()
                };
                let levels = Levels { bids: side("bids", &raw.bids)?, asks: side("asks", &raw.asks)? };
                let (depth, checksum) = (raw.depth, raw.checksum);
                RecordBody::Book(
                    levels,
                    BookNotes {
                        snapshot: raw.snapshot,
                        depth,
                        checksum,
                        crossed: raw.crossed,
                        locked: raw.locked,
                    },
                )
            }
            Channel::Candles => RecordBody::Candle(Box::new(self.candle(raw)?)),
            Channel::Status => RecordBody::Status(Box::new(StatusChange {
                state: State::from_name(self.need("state", raw.state.as_deref())?)
                    .ok_or(self.bad("state"))?,
                reason: raw.reason.clone().unwrap_or_default(),
                feed: raw.feed.clone().unwrap_or_default(),
                since: self.time("since", raw.since.as_deref())?,
            })),
        })
    }

    fn ticker(self, raw: &Raw<'_>) -> Result<Ticker, DecodeError> {
        let price = |field, text: &Text<'_>| text.as_ref().map(|t| self.price(field, Some(t))).transpose();
        let number = |field, text: &Text<'_>| text.as_ref().map(|t| self.decimal(field, Some(t))).transpose();
        Ok(Ticker {
            last_price: price("last_price", &raw.last_price)?,
            last_size: raw.last_size.as_ref().map(|t| self.size("last_size", Some(t))).transpose()?,
            bid: self.level("bid_price", raw.bid_price.as_ref(), raw.bid_size.as_ref())?,
            ask: self.level("ask_price", raw.ask_price.as_ref(), raw.ask_size.as_ref())?,
            open: price("open", &raw.open)?,
            high: price("high", &raw.high)?,
            low: price("low", &raw.low)?,
            volume: number("volume", &raw.volume)?,
            change: number("change", &raw.change)?,
            change_percent: number("change_percent", &raw.change_percent)?,
        })
    }

    fn candle(self, raw: &Raw<'_>) -> Result<Candle, DecodeError> {
        let interval: Result<Interval, ()> = self.need("interval", raw.interval.as_deref())?.parse();
        Ok(Candle {
            interval: interval.map_err(|()| self.bad("interval"))?,
            start: self.time("start", raw.start.as_deref())?.ok_or(self.missing("start"))?,
            open: self.price("open", raw.open.as_ref())?,
            high: self.price("high", raw.high.as_ref())?,
            low: self.price("low", raw.low.as_ref())?,
            close: self.price("close", raw.close.as_ref())?,
            volume: self.decimal("volume", raw.volume.as_ref())?,
            trades: raw.trades.ok_or(self.missing("trades"))?,
            closed: raw.closed,
            corrected: raw.corrected,
        })
    }

    fn level(
        self,
        field: &'static str,
        price: Option<&Cow<'_, str>>,
        size: Option<&Cow<'_, str>>,
    ) -> Result<Option<Level>, DecodeError> {
        let (Some(price), Some(size)) = (price, size) else { return Ok(None) };
        Ok(Some(Level { price: self.price(field, Some(price))?, size: self.size(field, Some(size))? }))
    }

    fn price(self, field: &'static str, text: Option<&Cow<'_, str>>) -> Result<Price, DecodeError> {
        Price::parse(text.ok_or(self.missing(field))?).map_err(|_| self.bad(field))
    }

    fn size(self, field: &'static str, text: Option<&Cow<'_, str>>) -> Result<Size, DecodeError> {
        Size::parse(text.ok_or(self.missing(field))?).map_err(|_| self.bad(field))
    }

    fn decimal(self, field: &'static str, text: Option<&Cow<'_, str>>) -> Result<Decimal, DecodeError> {
        model::decimal::parse(text.ok_or(self.missing(field))?).map_err(|_| self.bad(field))
    }

    fn source(self, field: &'static str, text: Option<&str>) -> Result<Option<Symbol>, DecodeError> {
        text.map(|text| Symbol::parse(text).map_err(|_| self.bad(field))).transpose()
    }

    fn time(self, field: &'static str, text: Option<&str>) -> Result<Option<UnixNanos>, DecodeError> {
        text.map(|text| UnixNanos::from_rfc3339(text).map_err(|_| self.bad(field))).transpose()
    }

    fn need<'a>(self, field: &'static str, text: Option<&'a str>) -> Result<&'a str, DecodeError> {
        text.ok_or(self.missing(field))
    }

    const fn missing(self, field: &'static str) -> DecodeError {
        DecodeError::Missing { channel: self.channel, field }
    }

    const fn bad(self, field: &'static str) -> DecodeError {
        DecodeError::Bad { channel: self.channel, field }
    }
}
