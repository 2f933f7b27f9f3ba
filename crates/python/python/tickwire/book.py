"""An order book that is kept exactly."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from .records import BookDelta, BookSnapshot, Level

_CHECKED = 10


class _Side:
    """Levels of one side: by price, and the prices in order."""

    __slots__ = ("levels", "prices")

    def __init__(self, levels: Iterable[Level]) -> None:
        self.levels = {level[0]: level for level in levels}
        self.prices = sorted(self.levels)

    def set(self, level: Level) -> None:
        price, size = level
        if size:
            if price not in self.levels:
                self.prices.insert(bisect_left(self.prices, price), price)
            # The text of a price is the newest one's: checksums are made of texts.
            self.levels[price] = level
        elif self.levels.pop(price, None) is not None:
            del self.prices[bisect_left(self.prices, price)]


class Book:
    """The levels of a symbol, and the record that they are as of.

    Equal to the source's, level by level, whatever was merged on the way.
    """

    __slots__ = ("_asks", "_bids", "depth", "sequence", "symbol", "ts_event", "ts_recv")

    def __init__(self, snapshot: BookSnapshot) -> None:
        self.symbol = snapshot.symbol
        self.depth = snapshot.depth
        self._bids = _Side(snapshot.bids)
        self._asks = _Side(snapshot.asks)
        self._stamp(snapshot)

    def apply(self, delta: BookDelta) -> None:
        """Takes a change in."""
        for side, levels in ((self._bids, delta.bids), (self._asks, delta.asks)):
            for level in levels:
                side.set(level)
        self._stamp(delta)

    def _stamp(self, record: BookSnapshot | BookDelta) -> None:
        self.sequence = record.sequence
        self.ts_event = record.ts_event
        self.ts_recv = record.ts_recv

    def bids(self, depth: int | None = None) -> list[Level]:
        """Levels of buyers, the highest first; at most so many."""
        prices = self._bids.prices
        first = 0 if depth is None else max(0, len(prices) - depth)
        return [self._bids.levels[price] for price in reversed(prices[first:])]

    def asks(self, depth: int | None = None) -> list[Level]:
        """Levels of sellers, the lowest first; at most so many."""
        return [self._asks.levels[price] for price in self._asks.prices[:depth]]

    @property
    def best_bid(self) -> Level | None:
        """The highest bid."""
        return self._bids.levels[self._bids.prices[-1]] if self._bids.prices else None

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask."""
        return self._asks.levels[self._asks.prices[0]] if self._asks.prices else None

    @property
    def mid(self) -> Decimal | None:
        """Halfway between the best prices; ``None`` where a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (bid[0] + ask[0]) / 2

    @property
    def spread(self) -> Decimal | None:
        """The best ask minus the best bid; ``None`` where a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else ask[0] - bid[0]

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        spread = self.spread
        return spread is not None and spread <= 0

    def checksum(self) -> int:
        """CRC-32 over the best ten levels (or the depth, where that is less), as Kraken defines it."""
        most = min(self.depth or _CHECKED, _CHECKED)
        levels = self.asks(most) + self.bids(most)
        digits = "".join(_digits(price) + _digits(size) for price, size in levels)
        return zlib.crc32(digits.encode())

    def __repr__(self) -> str:
        told = " / ".join(
            "-" if level is None else f"{level[1]:f} @ {level[0]:f}" for level in (self.best_bid, self.best_ask)
        )
        counts = f"{len(self._bids.prices)} bids, {len(self._asks.prices)} asks"
        return f"<Book {self.symbol} {told}, {counts}, sequence {self.sequence}>"


def _digits(value: Decimal) -> str:
    return f"{value:f}".replace(".", "").lstrip("0")
