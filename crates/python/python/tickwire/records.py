"""Records: what happened to one symbol, one by one. The same live and out of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from ._times import to_datetime

#: A kind of stream.
Channel: TypeAlias = Literal["trades", "quotes", "ticker", "book", "candles", "status"]

CHANNELS: tuple[Channel, ...] = ("trades", "quotes", "ticker", "book", "candles", "status")

#: Price and size.
Level: TypeAlias = "tuple[Decimal, Decimal]"

# `_native` fills the fields of all these by their places: a change here is one in `src/objects.rs`, too.


@dataclass(slots=True)
class Record:
    """What every record says: whose it is, where it stands, and when it was."""

    channel: ClassVar[Channel]

    symbol: str
    #: Its place in its stream, which counts from 1 without holes.
    sequence: int
    #: When it happened, by the venue's clock: nanoseconds since 1970.
    ts_event: int | None
    #: When it was received.
    ts_recv: int | None
    #: The place before it. Where that is not ``sequence - 1``, it stands for what lies between, too.
    prev_sequence: int
    #: How many others it stands for.
    coalesced: int
    #: Whether it says how things stand, and nothing new.
    snapshot: bool
    #: Its place in the total order of a recording; live there is none.
    position: int | None

    @property
    def time(self) -> datetime | None:
        """When it happened, or where the venue does not say, when it was received: UTC, microseconds."""
        at = self.ts_event if self.ts_event is not None else self.ts_recv
        return None if at is None else to_datetime(at)


Side: TypeAlias = Literal["buy", "sell", "unknown"]


@dataclass(slots=True)
class Trade(Record):
    """An execution."""

    channel: ClassVar[Channel] = "trades"

    price: Decimal
    size: Decimal
    #: The taker's.
    side: Side
    #: The venue's own.
    trade_id: str | None


@dataclass(slots=True)
class TradeCorrection(Record):
    """An execution is taken back (``cancel``), or something else holds instead (``correct``)."""

    channel: ClassVar[Channel] = "trades"

    #: ``cancel`` or ``correct``.
    correction: str
    #: Of the execution that it is about.
    trade_id: str
    #: Where that stood in its stream, and what was told of it: ``None`` where nobody knows any more.
    original_sequence: int | None
    original_price: Decimal | None
    original_size: Decimal | None
    original_side: Side | None
    original_ts_event: int | None
    #: What holds instead; ``None`` where the execution never was.
    price: Decimal | None
    size: Decimal | None
    side: Side | None
    #: The id of what holds, where it is another.
    new_trade_id: str | None


@dataclass(slots=True)
class TradeSummary(Record):
    """Many trades as one, for who was slow: count, volume and notional are exact."""

    channel: ClassVar[Channel] = "trades"

    trades: int
    open: Decimal
    high: Decimal
    low: Decimal
    #: The last one's.
    price: Decimal
    volume: Decimal
    #: The sum of price times size.
    notional: Decimal
    buy_volume: Decimal
    sell_volume: Decimal
    first_ts_event: int | None


@dataclass(slots=True)
class Quote(Record):
    """Best bid and offer. An empty side is ``None``."""

    channel: ClassVar[Channel] = "quotes"

    bid_price: Decimal | None
    bid_size: Decimal | None
    ask_price: Decimal | None
    ask_size: Decimal | None
    #: Computed from the book, where the venue sends none.
    derived: bool
    #: Of a consolidated quote: the symbols at whose venues bid and offer stand.
    bid_source: str | None
    ask_source: str | None

    @property
    def crossed(self) -> bool:
        """Whether the bid is at or above the ask."""
        return self.bid_price is not None and self.ask_price is not None and self.bid_price >= self.ask_price

    @property
    def locked(self) -> bool:
        """Whether bid and ask are one price."""
        return self.bid_price is not None and self.bid_price == self.ask_price


@dataclass(slots=True)
class Ticker(Record):
    """The last 24 hours. What is not known is ``None``."""

    channel: ClassVar[Channel] = "ticker"

    last_price: Decimal | None
    last_size: Decimal | None
    bid_price: Decimal | None
    bid_size: Decimal | None
    ask_price: Decimal | None
    ask_size: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    volume: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None


@dataclass(slots=True)
class BookSnapshot(Record):
    """The whole book, best levels first: replaces what was known."""

    channel: ClassVar[Channel] = "book"

    bids: list[Level]
    asks: list[Level]
    #: Levels a side that were asked for; 0: all.
    depth: int = 0
    checksum: int | None = None
    #: The best bid is at or above the best ask.
    crossed: bool = False


@dataclass(slots=True)
class BookDelta(Record):
    """Levels that changed; a size of zero removes the level."""

    channel: ClassVar[Channel] = "book"

    bids: list[Level]
    asks: list[Level]
    checksum: int | None = None
    crossed: bool = False


@dataclass(slots=True)
class Candle(Record):
    """A bar, as of its last trade: replaces the one with the same ``start``."""

    channel: ClassVar[Channel] = "candles"

    interval: str
    #: Its first instant: nanoseconds since 1970.
    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int
    closed: bool
    #: It was told as closed before, and is told anew: a trade came late, was taken back or corrected.
    corrected: bool = False


@dataclass(slots=True)
class Status(Record):
    """Whether the symbol trades, and whether its data can be trusted."""

    channel: ClassVar[Channel] = "status"

    #: ``open``, ``closed``, ``halted``, ``suspect``, ``stale``, ``source_down``, ``delayed`` or ``quiet_expected``.
    state: str
    reason: str
    feed: str
    since: int | None


@dataclass(slots=True)
class Gap:
    """Records that you will not get, and why."""

    channel: str
    symbol: str
    #: The first and the last that are missing, where that is known.
    from_sequence: int | None
    to_sequence: int | None
    count: int | None
    #: ``slow_consumer``, ``cursor_expired``, ``feed_gap`` (the venue's own stream had a hole), ``checksum`` (a book was
    #: not the server's) or ``hole`` (the server owes an explanation).
    reason: str
    cause: str | None = None
    interval: str | None = None
    ts_recv: int | None = None
    position: int | None = field(default=None)

    def __str__(self) -> str:
        range_ = "" if self.from_sequence is None else f" {self.from_sequence} to {self.to_sequence}"
        return f"{self.channel} of {self.symbol}{range_}: {self.reason}"
