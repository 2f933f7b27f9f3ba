//! Records: one event or state of one symbol, as it stands in a message's `data`, on a line of
//! NDJSON, and later in a row of a recording. Field names and order are the same everywhere.

use model::{
    Body, BookChange, Candle, Channel, Correction, FeedGap, Levels, Placed, Quote, Seq, StatusChange, Symbol,
    Ticker, Trade, TradeSummary, UnixNanos,
};

use crate::json::Object;
use crate::view::View;

/// What every record says: whose it is, where it stands in its stream, and when it was.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The symbol.
    pub symbol: &'a Symbol,
    /// Its position in the stream.
    pub seq: Seq,
    /// The position that the reader has before it. Where that is not `seq` − 1, the record also
    /// stands for what lies between, and says so in `prev_sequence` and `coalesced`.
    pub prev: Seq,
    /// The venue's time.
    pub ts_event: Option<UnixNanos>,
    /// When the venue sent it, and when it was sequenced: for those who name these fields.
    pub ts_source: Option<UnixNanos>,
    /// See [`Self::ts_source`].
    pub ts_seq: Option<UnixNanos>,
    /// When it was received.
    pub ts_recv: Option<UnixNanos>,
}

/// Where a record of a capture comes from: written in front of it on a line of NDJSON.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The venue's name.
    pub venue: &'a str,
    /// The symbol as the venue writes it.
    pub venue_symbol: &'a str,
}

/// What a book record says besides its levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookNotes {
    /// Written as `"snapshot":true`: the levels replace the whole book (NDJSON only; in a message
    /// its `type` says so).
    pub snapshot: bool,
    /// Levels a side that were asked for, on snapshots; 0 = all.
    pub depth: Option<usize>,
    /// Checksum of the resulting book.
    pub checksum: Option<u32>,
    /// The best bid is at or above the best ask.
    pub crossed: bool,
    /// The best bid is the best ask.
    pub locked: bool,
}

/// Writes a record as a line of NDJSON, without its line feed: it names its channel and where it comes from.
pub fn line(record: &Placed, out: &mut Vec<u8>) {
    let stamp = Stamp {
        symbol: &record.instrument.symbol,
        seq: record.seq,
        prev: record.seq.prev(),
        ts_event: Some(record.ts_event),
        ts_source: record.ts_source,
        ts_seq: None,
        ts_recv: Some(record.ts_recv),
    };
    let (venue, venue_symbol) = (record.instrument.venue.as_str(), &*record.instrument.venue_symbol);
    Writer::with_origin(out, Origin { venue, venue_symbol }).body(&stamp, &record.body);
}

/// Writes records as JSON objects.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    origin: Option<Origin<'a>>,
    view: View,
}

impl<'a> Writer<'a> {
    /// Records for a message.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, origin: None, view: View::ALL }
    }

    /// Records with the fields of a view only.
    pub const fn with_view(out: &'a mut Vec<u8>, view: View) -> Self {
        Self { out, origin: None, view }
    }

    /// Records that stand alone: each names its channel and where it comes from.
    pub const fn with_origin(out: &'a mut Vec<u8>, origin: Origin<'a>) -> Self {
        Self { out, origin: Some(origin), view: View::ALL }
    }

    /// Any event of a feed.
    pub fn body(&mut self, stamp: &Stamp<'_>, body: &Body) {
        match body {
            Body::Trade(trade) => self.trade(stamp, trade, false),
            Body::OldTrade(trade) => self.trade(stamp, trade, true),
            Body::Correction(correction) => self.correction(stamp, correction),
            Body::Quote(quote) => self.quote(stamp, quote),
            Body::Ticker(ticker) => self.ticker(stamp, ticker),
            Body::Book(BookChange::Snapshot(levels)) => {
                self.book(stamp, levels, BookNotes { snapshot: true, ..BookNotes::default() });
            }
            Body::Book(BookChange::Delta(levels)) => self.book(stamp, levels, BookNotes::default()),
            Body::Book(BookChange::Gap(gap)) => self.feed_gap(stamp, *gap),
            Body::Candle(candle) => self.candle(stamp, candle),
            Body::Status(status) => self.status(stamp, status),
        }
    }

    /// A trade; `old` marks one from before the subscription.
    pub fn trade(&mut self, stamp: &Stamp<'_>, trade: &Trade, old: bool) {
        let mut object = self.begin(Channel::Trades, stamp);
        if old {
            object.flag("snapshot", true);
        }
        if let Some(id) = &trade.id {
            object.text("trade_id", id);
        }
        object.decimal("price", trade.price.value());
        object.decimal("size", trade.size.value());
        object.plain("side", trade.side.as_str());
        end(object, stamp);
    }

    /// A trade taken back, or said anew. It has a price, a size and a side where something holds instead.
    pub fn correction(&mut self, stamp: &Stamp<'_>, correction: &Correction) {
        let mut object = self.begin(Channel::Trades, stamp);
        object.plain("correction", correction.as_str());
        object.text("trade_id", &correction.id);
        if let Some(original) = &correction.original {
            // What is in front of the stream's beginning is of no stream.
            if let Some(seq) =
                original.back.and_then(|back| stamp.seq.0.checked_sub(back)).filter(|seq| *seq > 0)
            {
                object.number("original_sequence", seq);
            }
            object.decimal("original_price", original.trade.price.value());
            object.decimal("original_size", original.trade.size.value());
            object.plain("original_side", original.trade.side.as_str());
            if let Some(at) = original.ts_event {
                object.time("original_ts_event", at);
            }
        }
        if let Some(becomes) = &correction.becomes {
            if let Some(id) = becomes.id.as_ref().filter(|id| **id != correction.id) {
                object.text("new_trade_id", id);
            }
            object.decimal("price", becomes.price.value());
            object.decimal("size", becomes.size.value());
            object.plain("side", becomes.side.as_str());
        }
        end(object, stamp);
    }

    /// Many trades as one record.
    pub fn summary(&mut self, stamp: &Stamp<'_>, summary: &TradeSummary) {
        let mut object = self.begin(Channel::Trades, stamp);
        object.flag("summary", true);
        object.number("trades", summary.trades);
        object.decimal("open", summary.open.value());
        object.decimal("high", summary.high.value());
        object.decimal("low", summary.low.value());
        object.decimal("price", summary.last.value());
        object.decimal("volume", summary.volume);
        object.decimal("notional", summary.notional);
        object.decimal("buy_volume", summary.buy_volume);
        object.decimal("sell_volume", summary.sell_volume);
        object.plain("side", "unknown");
        object.time("first_ts_event", summary.first_ts_event);
        end(object, stamp);
    }

    /// Best bid and offer; an empty side is `null`.
    pub fn quote(&mut self, stamp: &Stamp<'_>, quote: &Quote) {
        let told = self.origin.is_none();
        let mut object = self.begin(Channel::Quotes, stamp);
        if quote.derived {
            object.flag("derived", true);
        }
        for (side, price, size) in
            [(quote.bid, "bid_price", "bid_size"), (quote.ask, "ask_price", "ask_size")]
        {
            if let Some(level) = side {
                object.decimal(price, level.price.value());
                object.decimal(size, level.size.value());
            } else {
                object.null(price);
                object.null(size);
            }
        }
        for (name, source) in [("bid_source", &quote.bid_source), ("ask_source", &quote.ask_source)] {
            if let Some(source) = source {
                object.text(name, source.as_str());
            }
        }
        // On lines of captures the contract of `normalize` has no room for what follows from the prices.
        if told && quote.is_crossed() {
            object.flag("crossed", true);
            if quote.is_locked() {
                object.flag("locked", true);
            }
        }
        end(object, stamp);
    }

    /// Last price and 24-hour totals; what is not known is absent.
    pub fn ticker(&mut self, stamp: &Stamp<'_>, ticker: &Ticker) {
        let mut object = self.begin(Channel::Ticker, stamp);
        let prices =
            |level: Option<model::Level>| (level.map(|l| l.price.value()), level.map(|l| l.size.value()));
        let (bid_price, bid_size) = prices(ticker.bid);
        let (ask_price, ask_size) = prices(ticker.ask);
        for (key, value) in [
            ("last_price", ticker.last_price.map(model::Price::value)),
            ("last_size", ticker.last_size.map(model::Size::value)),
            ("bid_price", bid_price),
            ("bid_size", bid_size),
            ("ask_price", ask_price),
            ("ask_size", ask_size),
            ("open", ticker.open.map(model::Price::value)),
            ("high", ticker.high.map(model::Price::value)),
            ("low", ticker.low.map(model::Price::value)),
            ("volume", ticker.volume),
            ("change", ticker.change),
            ("change_percent", ticker.change_percent),
        ] {
            if let Some(value) = value {
                object.decimal(key, value);
            }
        }
        object.plain("window", "24h");
        end(object, stamp);
    }

    /// Levels of a book.
    pub fn book(&mut self, stamp: &Stamp<'_>, levels: &Levels, notes: BookNotes) {
        let mut object = self.begin(Channel::Book, stamp);
        if notes.snapshot {
            object.flag("snapshot", true);
        }
        times(&mut object, stamp);
        if let Some(depth) = notes.depth {
            object.number("depth", depth as u64);
        }
        object.levels("bids", &levels.bids);
        object.levels("asks", &levels.asks);
        if notes.crossed {
            object.flag("crossed", true);
        }
        if notes.locked {
            object.flag("locked", true);
        }
        if let Some(checksum) = notes.checksum {
            object.number("checksum", u64::from(checksum));
        }
        object.end();
    }

    /// A bar.
    pub fn candle(&mut self, stamp: &Stamp<'_>, candle: &Candle) {
        let mut object = self.begin(Channel::Candles, stamp);
        object.plain("interval", candle.interval.as_str());
        object.time("start", candle.start);
        object.decimal("open", candle.open.value());
        object.decimal("high", candle.high.value());
        object.decimal("low", candle.low.value());
        object.decimal("close", candle.close.value());
        object.decimal("volume", candle.volume);
        object.number("trades", candle.trades);
        object.flag("closed", candle.closed);
        if candle.corrected {
            object.flag("corrected", true);
        }
        end(object, stamp);
    }

    /// A state.
    pub fn status(&mut self, stamp: &Stamp<'_>, status: &StatusChange) {
        let mut object = self.begin(Channel::Status, stamp);
        object.plain("state", status.state.as_str());
        if !status.reason.is_empty() {
            object.text("reason", &status.reason);
        }
        object.text("feed", &status.feed);
        if let Some(since) = status.since {
            object.time("since", since);
        }
        end(object, stamp);
    }

    /// Updates that a feed lost (NDJSON only; clients get a `gap` message).
    pub fn feed_gap(&mut self, stamp: &Stamp<'_>, gap: FeedGap) {
        let mut object = self.begin_with("gap", Channel::Book, stamp);
        object.plain("reason", "feed_gap");
        object.plain("cause", gap.reason.as_str());
        if let Some(from) = gap.venue_from {
            object.number("venue_from_sequence", from);
        }
        if let Some(to) = gap.venue_to {
            object.number("venue_to_sequence", to);
        }
        end(object, stamp);
    }

    fn begin(&mut self, channel: Channel, stamp: &Stamp<'_>) -> Object<'_> {
        self.begin_with("", channel, stamp)
    }

    fn begin_with(&mut self, kind: &str, channel: Channel, stamp: &Stamp<'_>) -> Object<'_> {
        let mut object = Object::begin(self.out, self.view);
        if !kind.is_empty() {
            object.plain("type", kind);
        }
        if let Some(origin) = self.origin {
            object.plain("channel", channel.as_str());
            object.plain("venue", origin.venue);
            object.text("venue_symbol", origin.venue_symbol);
        }
        object.plain("symbol", stamp.symbol.as_str());
        object.number("sequence", stamp.seq.0);
        if stamp.prev.next() != stamp.seq {
            object.number("prev_sequence", stamp.prev.0);
            object.number("coalesced", stamp.seq.since(stamp.prev).saturating_sub(1));
        }
        object
    }
}

fn end(mut object: Object<'_>, stamp: &Stamp<'_>) {
    times(&mut object, stamp);
    object.end();
}

fn times(object: &mut Object<'_>, stamp: &Stamp<'_>) {
    if let Some(at) = stamp.ts_event {
        object.time("ts_event", at);
    }
    if let Some(at) = stamp.ts_source {
        object.time_asked_for("ts_source", at);
    }
    if let Some(at) = stamp.ts_recv {
        object.time("ts_recv", at);
    }
    if let Some(at) = stamp.ts_seq {
        object.time_asked_for("ts_seq", at);
    }
}
