"""What a recording is worth to Python: the same capture, read by Python itself and out of a recording of it.

usage: recording.py TICKWIRE FEED CAPTURE...

TICKWIRE is the program, FEED is `binance-spot`, CAPTURE a capture of BTCUSDT by it. The bare way
is the least that does it: `json` for each line, `Decimal` for each number, a dict for each side of a book, lists of trades
and quotes. The usual way is that of libraries: each message becomes an object, with the changes of its book, and is awaited
by a callback. The tabular way makes what ours makes, rows for polars. Ours is `tickwire.replay(...).to_arrow()`, all channels at once, with the tickers and bars that are derived,
and the venue's own three. They are timed in turns, best of five; all must have the same trades, volume and book. What each ends with is printed beside it: bare Python ends with
less than the tables have, so that the fair comparison is that of tabular Python with the venue's own channels.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

import tickwire

RUNS = 5


class Plain:
    """One instrument, as plain Python keeps it."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.trades: list[tuple[int, Decimal, Decimal, str]] = []
        self.quotes: list[tuple[Decimal, Decimal, Decimal, Decimal]] = []
        self.last: int | None = None
        self.early: list[dict] = []

    def take(self, message: dict) -> None:
        data = message.get("data", message)
        stream = message.get("stream", "")
        if "lastUpdateId" in data:
            self.bids = {Decimal(price): Decimal(size) for price, size in data["bids"]}
            self.asks = {Decimal(price): Decimal(size) for price, size in data["asks"]}
            self.last = data["lastUpdateId"]
            for early in self.early:
                self.change(early)
        elif stream.endswith("@trade"):
            side = "sell" if data["m"] else "buy"
            self.trades.append((data["T"] * 1_000_000, Decimal(data["p"]), Decimal(data["q"]), side))
        elif stream.endswith("@bookTicker"):
            self.quotes.append(tuple(Decimal(data[name]) for name in "bBaA"))
        elif "@depth" in stream and self.last is None:
            self.early.append(data)
        elif "@depth" in stream:
            self.change(data)

    def change(self, data: dict) -> None:
        if self.last is None or data["u"] <= self.last:
            return
        for side, levels in ((self.bids, data["b"]), (self.asks, data["a"])):
            for price, size in levels:
                price, size = Decimal(price), Decimal(size)
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)


@dataclass(slots=True)
class Event:
    """What a callback is given."""

    exchange: str
    symbol: str
    timestamp: float
    received: float
    raw: dict


@dataclass(slots=True)
class TradeEvent(Event):
    side: str
    price: Decimal
    size: Decimal
    id: str


@dataclass(slots=True)
class QuoteEvent(Event):
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal


@dataclass(slots=True)
class BookEvent(Event):
    delta: dict[str, list[tuple[Decimal, Decimal]]]


class Usual(Plain):
    """The same, told to callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.symbols = {"BTCUSDT": "BTC-USDT"}

    async def on_trade(self, event: TradeEvent) -> None:
        self.trades.append((round(event.timestamp * 1e9), event.price, event.size, event.side))

    async def on_quote(self, event: QuoteEvent) -> None:
        self.quotes.append((event.bid, event.bid_size, event.ask, event.ask_size))

    async def on_book(self, event: BookEvent) -> None:
        pass

    async def handle(self, line: bytes) -> None:
        at = line.index(b"{")
        message, received = json.loads(line[at:], parse_float=Decimal), int(line[:at]) / 1e9
        data, stream = message.get("data", message), message.get("stream", "")
        symbol = self.symbols.get(data.get("s", "BTCUSDT"), "")
        head = ("BINANCE", symbol, data.get("E", 0) / 1e3, received, message)
        if stream.endswith("@trade"):
            side = "sell" if data["m"] else "buy"
            await self.on_trade(TradeEvent(*head, side, Decimal(data["p"]), Decimal(data["q"]), str(data["t"])))
        elif stream.endswith("@bookTicker"):
            await self.on_quote(QuoteEvent(*head, *(Decimal(data[name]) for name in "bBaA")))
        else:
            self.take(message)
            delta = {side: [(Decimal(p), Decimal(s)) for p, s in data.get(side, ())] for side in "ba"}
            await self.on_book(BookEvent(*head, delta))


async def usually(messages: list[bytes]) -> Usual:
    usual = Usual()
    for line in messages:
        await usual.handle(line)
    return usual


class Tabular(Plain):
    """The same as rows of tables, which is what `to_arrow` gives: each trade, each quote, each level that changed."""

    def __init__(self) -> None:
        super().__init__()
        self.received = 0
        self.rows: dict[str, list[tuple]] = {"trades": [], "quotes": [], "book": []}

    def take(self, message: dict) -> None:
        super().take(message)
        data, stream = message.get("data", message), message.get("stream", "")
        if stream.endswith("@trade"):
            at, price, size, side = self.trades[-1]
            self.rows["trades"].append((at, self.received, data["s"], str(data["t"]), price, size, side))
        elif stream.endswith("@bookTicker"):
            self.rows["quotes"].append((self.received, data["s"], *self.quotes[-1]))
        elif "lastUpdateId" in data:
            levels = (
                (name, price, size)
                for name, side in (("b", self.bids), ("a", self.asks))
                for price, size in side.items()
            )
            self.rows["book"].extend((self.received, "snapshot", *level) for level in levels)

    def change(self, data: dict) -> None:
        super().change(data)
        for side in "ba":
            for price, size in data[side]:
                price, size = Decimal(price), Decimal(size)
                self.rows["book"].append((self.received, "set" if size else "delete", side, price, size))

    def frames(self) -> dict[str, pl.DataFrame]:
        price, at = pl.Decimal(18, 9), pl.Int64
        schemas = {
            "trades": {"ts_event": at, "ts_recv": at, "symbol": pl.String, "trade_id": pl.String}
            | {"price": price, "size": price, "side": pl.String},
            "quotes": {"ts_recv": at, "symbol": pl.String, "bid": price, "bid_size": price}
            | {"ask": price, "ask_size": price},
            "book": {"ts_recv": at, "action": pl.String, "side": pl.String, "price": price, "size": price},
        }
        return {name: pl.DataFrame(self.rows[name], schema, orient="row") for name, schema in schemas.items()}


def tabularly(messages: list[bytes]) -> dict[str, pl.DataFrame]:
    tabular = Tabular()
    for line in messages:
        at = line.index(b"{")
        tabular.received = int(line[:at])
        tabular.take(json.loads(line[at:]))
    return tabular.frames()


def lines(capture: Path) -> list[bytes]:
    """The messages of a capture, unpacked before the clock starts."""
    opened = gzip.open(capture) if capture.suffix == ".gz" else open(capture, "rb")
    with opened:
        return opened.read().splitlines()


def plainly(messages: list[bytes]) -> Plain:
    """All of a capture: `RECEIVED {message}` a line."""
    plain = Plain()
    for line in messages:
        plain.take(json.loads(line[line.index(b"{") :]))
    return plain


def main(program: str, feed: str, *captures: str) -> None:
    messages = [line for capture in captures for line in lines(Path(capture))]
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "r"
        subprocess.run([program, "record", "-o", recording, "--feed", feed, *captures], check=True, capture_output=True)
        bare, usual, tabular, fast, venue = [], [], [], [], []
        for _ in range(RUNS):
            began = time.perf_counter()
            plain = plainly(messages)
            bare.append(time.perf_counter() - began)
            began = time.perf_counter()
            other = asyncio.run(usually(messages))
            usual.append(time.perf_counter() - began)
            began = time.perf_counter()
            frames = tabularly(messages)
            tabular.append(time.perf_counter() - began)
            began = time.perf_counter()
            tables = tickwire.replay(recording).to_arrow()
            fast.append(time.perf_counter() - began)
            began = time.perf_counter()
            tickwire.replay(recording, channels=["trades", "quotes", "book"]).to_arrow()
            venue.append(time.perf_counter() - began)
        told = tables["trades"].to_polars()
        [instrument] = tickwire.Recording(recording).instruments()
        book = tickwire.Recording(recording).book_at(instrument.symbol)
    assert told.height == len(plain.trades) and told["size"].sum() == sum(size for _, _, size, _ in plain.trades)
    assert dict(book.bids()) == plain.bids == other.bids and dict(book.asks()) == plain.asks == other.asks
    assert frames["trades"]["size"].to_list() == told["size"].to_list()
    assert (len(other.trades), other.quotes) == (told.height, plain.quotes)
    rows = sum(len(table) for table in tables.values())
    load = " ".join(f"{minutes:.1f}" for minutes in os.getloadavg())
    print(f"{len(messages):,} messages, {rows:,} rows; the same trades, volume and book in all; load {load}")
    print(f"{'':24}{'s':>8}{'messages/s':>14}{'x bare':>9}{'x usual':>9}{'x tabular':>11}  ends with")
    for name, took, end in (
        ("bare Python", bare, "trades and quotes as lists, the last book: no row for a level, no times of receipt"),
        ("usual Python", usual, "the same, and an object for each message, given to a callback"),
        ("tabular Python", tabular, "frames of polars: trades, quotes and each level of the book, with times"),
        ("to_arrow, all", fast, "tables of these rows, and of tickers and bars"),
        ("to_arrow, the venue's", venue, "tables of these rows: what tabular Python ends with"),
    ):
        best = min(took)
        rates = f"{min(bare) / best:9.1f}{min(usual) / best:9.1f}{min(tabular) / best:11.1f}"
        print(f"{name:24}{best:8.3f}{len(messages) / best:14,.0f}{rates}  {end}")


if __name__ == "__main__":
    main(*sys.argv[1:])
