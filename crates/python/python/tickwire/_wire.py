"""Records out of the messages of ``tickwire.v1``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ._native import parse_time
from .errors import ProtocolError
from .records import (
    BookDelta,
    BookSnapshot,
    Candle,
    Gap,
    Level,
    Quote,
    Record,
    Status,
    Ticker,
    Trade,
    TradeCorrection,
    TradeSummary,
)

Json = dict[str, Any]
_Head = tuple[str, int, "int | None", "int | None", int, int, bool, None]


def record(channel: str, data: Json, snapshot: bool) -> Record:
    """A record of a message's ``data``."""
    try:
        sequence = data["sequence"]
        head: _Head = (
            data["symbol"],
            sequence,
            _time(data.get("ts_event")),
            _time(data.get("ts_recv")),
            data.get("prev_sequence", sequence - 1),
            data.get("coalesced", 0),
            snapshot,
            None,
        )
        return _MAKERS[channel](head, data)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ProtocolError(f"a record of {channel} does not read: {data!r}") from error


def gap(message: Json) -> Gap:
    """A gap that the server tells."""
    return Gap(
        message["channel"],
        message["symbol"],
        message.get("from_sequence"),
        message.get("to_sequence"),
        message.get("count"),
        message["reason"],
        message.get("cause"),
        message.get("interval"),
        _time(message.get("ts_sent")),
    )


def _correction(head: _Head, data: Json) -> Record:
    return TradeCorrection(
        *head,
        data["correction"],
        data["trade_id"],
        data.get("original_sequence"),
        _maybe(data.get("original_price")),
        _maybe(data.get("original_size")),
        data.get("original_side"),
        _time(data.get("original_ts_event")),
        _maybe(data.get("price")),
        _maybe(data.get("size")),
        data.get("side"),
        data.get("new_trade_id"),
    )


def _trade(head: _Head, data: Json) -> Record:
    if "correction" in data:
        return _correction(head, data)
    if not data.get("summary"):
        side, price = data["side"], Decimal(data["price"])
        return Trade(*head, price, Decimal(data["size"]), side, data.get("trade_id"))
    names = ("open", "high", "low", "price", "volume", "notional", "buy_volume", "sell_volume")
    opened, high, low, price, volume, notional, bought, sold = (Decimal(data[name]) for name in names)
    first = _time(data.get("first_ts_event"))
    return TradeSummary(*head, data["trades"], opened, high, low, price, volume, notional, bought, sold, first)


def _quote(head: _Head, data: Json) -> Record:
    bid, bid_size, ask, ask_size = (_maybe(data[name]) for name in ("bid_price", "bid_size", "ask_price", "ask_size"))
    sources = (data.get("bid_source"), data.get("ask_source"))
    return Quote(*head, bid, bid_size, ask, ask_size, data.get("derived", False), *sources)


_TICKER = (
    "last_price", "last_size", "bid_price", "bid_size", "ask_price", "ask_size",
    "open", "high", "low", "volume", "change", "change_percent",
)  # fmt: skip


def _ticker(head: _Head, data: Json) -> Record:
    return Ticker(*head, *[_maybe(data.get(name)) for name in _TICKER])


def _book(head: _Head, data: Json) -> Record:
    bids, asks = _levels(data["bids"]), _levels(data["asks"])
    checksum, crossed = data.get("checksum"), data.get("crossed", False)
    if head[6]:
        return BookSnapshot(*head, bids, asks, data.get("depth", 0), checksum, crossed)
    return BookDelta(*head, bids, asks, checksum, crossed)


def _candle(head: _Head, data: Json) -> Record:
    opened, high, low, close, volume = (Decimal(data[name]) for name in ("open", "high", "low", "close", "volume"))
    start, trades = parse_time(data["start"]), data["trades"]
    closed = data["closed"], data.get("corrected", False)
    return Candle(*head, data["interval"], start, opened, high, low, close, volume, trades, *closed)


def _status(head: _Head, data: Json) -> Record:
    return Status(*head, data["state"], data.get("reason", ""), data["feed"], _time(data.get("since")))


_MAKERS: dict[str, Callable[[_Head, Json], Record]] = {
    "trades": _trade,
    "quotes": _quote,
    "ticker": _ticker,
    "book": _book,
    "candles": _candle,
    "status": _status,
}


def _levels(told: list[list[str]]) -> list[Level]:
    return [(Decimal(price), Decimal(size)) for price, size in told]


def _maybe(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _time(text: str | None) -> int | None:
    return None if text is None else parse_time(text)
