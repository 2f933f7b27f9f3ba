"""Recordings played: the same loop as live, or all at once as a table."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from . import _native
from ._gaps import OnGap, tell
from ._progress import Progress
from ._selecting import Prices, Timestamps, channels, listed, selection, warn
from ._times import Time, maybe_ns, to_text
from .book import Book
from .records import BookDelta, BookSnapshot, Channel, Gap, Record
from .table import Table

if TYPE_CHECKING:
    import pandas
    import polars

_SPEED_MIN, _SPEED_MAX = 0.001, 1000


class Replay:
    """A recording, or a part of it, in its total order. Each loop over it begins anew."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        speed: float | Literal["max"] = "max",
        from_: Time | None = None,
        to: Time | None = None,
        symbols: str | Iterable[str] | None = None,
        channels: str | Iterable[str] | None = None,
        snapshot: bool = True,
        on_gap: OnGap | None = None,
        progress: bool | None = None,
    ) -> None:
        if speed != "max" and not _SPEED_MIN <= speed <= _SPEED_MAX:
            raise ValueError(f"speed is {speed!r}; it is 'max' or from {_SPEED_MIN} to {_SPEED_MAX}")
        self.path = Path(path)
        self.speed = speed
        self._native = _native.Recording(self.path)
        self._channels = _channels(channels)
        self._selection = selection(self._channels, symbols, from_, to)
        self._symbols = listed(symbols)
        self._span = (maybe_ns(from_), maybe_ns(to))
        self._snapshot = snapshot
        self._on_gap = on_gap
        self._progress = progress
        self._books: dict[str, Book] = {}
        #: The latest time of receipt that was played: nanoseconds since 1970.
        self.clock: int | None = None
        #: The place in the total order of the newest record that was played.
        self.position: int | None = None

    def __iter__(self) -> Iterator[Record]:
        pace = self._begin()
        with self._bar() as bar:
            for records in self._blocks(bar):
                for record in records:
                    due = pace.due(record)
                    if due is not None and (wait := due - time.monotonic()) > 0:
                        time.sleep(wait)
                    if (told := self._take(record)) is not None:
                        yield told

    async def __aiter__(self) -> AsyncIterator[Record]:
        pace = self._begin()
        with self._bar() as bar:
            blocks = self._blocks(bar)
            # The event loop goes on while a block is read.
            while records := await asyncio.to_thread(next, blocks, None):
                for record in records:
                    due = pace.due(record)
                    if due is not None and (wait := due - time.monotonic()) > 0:
                        await asyncio.sleep(wait)
                    if (told := self._take(record)) is not None:
                        yield told

    def book(self, symbol: str) -> Book | None:
        """The book of a symbol as of the newest record of the loop; ``None`` where there is none to be trusted."""
        return self._books.get(symbol)

    @overload
    def to_arrow(self, channel: Channel, *, prices: Prices = ..., timestamps: Timestamps = ...) -> Table: ...
    @overload
    def to_arrow(
        self, channel: None = None, *, prices: Prices = ..., timestamps: Timestamps = ...
    ) -> dict[str, Table]: ...
    def to_arrow(
        self, channel: Channel | None = None, *, prices: Prices = "decimal", timestamps: Timestamps = "utc"
    ) -> Table | dict[str, Table]:
        """A table of a channel, or a table for each, read at once; rows in the total order."""
        wanted = self._channels if channel is None else _channels(channel)
        for name in wanted:
            if name not in self._channels:
                raise ValueError(f"this replay has no {name}: it was asked for {', '.join(self._channels)}")
        wish = selection(wanted, self._symbols, *self._span)
        with self._bar() as bar:
            tables, faults = self._native.tables(wish, prices, timestamps, bar.to)
        warn(faults)
        made = {name: Table(tables[name], name) for name in wanted}
        return made if channel is None else made[channel]

    @overload
    def to_polars(
        self, channel: Channel, *, prices: Prices = ..., timestamps: Timestamps = ...
    ) -> polars.DataFrame: ...
    @overload
    def to_polars(
        self, channel: None = None, *, prices: Prices = ..., timestamps: Timestamps = ...
    ) -> dict[str, polars.DataFrame]: ...
    def to_polars(
        self, channel: Channel | None = None, *, prices: Prices = "decimal", timestamps: Timestamps = "utc"
    ) -> polars.DataFrame | dict[str, polars.DataFrame]:
        """As `to_arrow`, as frames of polars."""
        if channel is not None:
            return self.to_arrow(channel, prices=prices, timestamps=timestamps).to_polars()
        tables = self.to_arrow(prices=prices, timestamps=timestamps)
        return {name: table.to_polars() for name, table in tables.items()}

    def to_pandas(
        self, channel: Channel, *, prices: Prices = "decimal", timestamps: Timestamps = "utc"
    ) -> pandas.DataFrame:
        """As `to_arrow`, as a frame of pandas with Arrow's types."""
        return self.to_arrow(channel, prices=prices, timestamps=timestamps).to_pandas()

    @cached_property
    def digest(self) -> str:
        """The digest of its records, as ``tickwire replay --digest`` has it: two runs with one gave the same."""
        with self._bar() as bar:
            _, digest, faults = self._native.digest(self._selection, bar.to)
        warn(faults)
        return digest

    def _begin(self) -> _Pace:
        self._books.clear()
        self.clock = self.position = None
        return _Pace(None if self.speed == "max" else self.speed)

    def _blocks(self, bar: Progress) -> Iterator[list[Record | Gap]]:
        player = self._native.play(self._selection, self._snapshot)
        while True:
            records, read = player.next()
            bar.to(read)
            if not records:
                break
            yield records
        warn(player.faults)

    def _take(self, record: Record | Gap) -> Record | None:
        """Notes what a record changes; gives it, where it is one of the loop's."""
        if record.ts_recv is not None:
            self.clock = max(self.clock or 0, record.ts_recv)
        self.position = record.position
        if isinstance(record, Gap):
            self._books.pop(record.symbol, None)
            tell(record, self._on_gap)
            return None
        if isinstance(record, BookSnapshot):
            self._books[record.symbol] = Book(record)
        elif isinstance(record, BookDelta) and (book := self._books.get(record.symbol)):
            if book.sequence == record.prev_sequence:
                book.apply(record)
            else:
                # Damage, or a disk that did not follow.
                del self._books[record.symbol]
                tell(Gap("book", record.symbol, book.sequence + 1, record.prev_sequence, None, "hole"), self._on_gap)
        return record

    def _bar(self) -> Progress:
        span = self._native.span
        return Progress(0 if span is None else span[0], self.path.name, self._progress)

    def __repr__(self) -> str:
        place = "" if self.clock is None else f", at {to_text(self.clock)}"
        return f"<Replay {self.path.name} of {', '.join(self._channels)}, speed {self.speed}{place}>"


class _Pace:
    """When records are due."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._began = 0.0
        self._first: int | None = None
        self._clock = 0

    def due(self, record: Record | Gap) -> float | None:
        """The monotonic time of a record; ``None``: at once."""
        if self._speed is None or record.ts_recv is None:
            return None
        # States of before the beginning are due when it begins.
        if isinstance(record, Record) and record.snapshot and self._first is None:
            return None
        self._clock = max(self._clock, record.ts_recv)
        if self._first is None:
            self._first, self._began = self._clock, time.monotonic()
        return self._began + (self._clock - self._first) / 1e9 / self._speed


def replay(
    path: str | os.PathLike[str],
    *,
    speed: float | Literal["max"] = "max",
    from_: Time | None = None,
    to: Time | None = None,
    symbols: str | Iterable[str] | None = None,
    channels: str | Iterable[str] | None = None,
    snapshot: bool = True,
    on_gap: OnGap | None = None,
    progress: bool | None = None,
) -> Replay:
    """Plays a recording: loop over it (``for`` or ``async for``), or take all of it as a table.

    ``speed`` is ``"max"``, or how many times faster than it happened. ``from_`` is included, ``to`` is not; a replay
    that begins in the middle tells first how things stood then (records with ``snapshot``), unless told not to.
    ``on_gap`` is called with each `Gap`, where it stands; without it, gaps are warnings.
    """
    return Replay(
        path,
        speed=speed,
        from_=from_,
        to=to,
        symbols=symbols,
        channels=channels,
        snapshot=snapshot,
        on_gap=on_gap,
        progress=progress,
    )


# The names of parameters hide it.
_channels: Callable[[str | Iterable[str] | None], list[str]] = channels
