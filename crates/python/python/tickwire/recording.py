"""Recordings at rest: looked at, scanned lazily, asked for a book."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from . import _native
from ._scan import scan
from ._selecting import Frames, Options, channels, listed, selection, warn
from ._times import Time, maybe_ns, to_text
from .book import Book
from .parquet import Tables, is_parquet
from .records import Channel

if TYPE_CHECKING:
    import polars
    from typing_extensions import Unpack


class Instrument(NamedTuple):
    """What is traded, and where."""

    symbol: str
    venue: str
    #: The name that it has there.
    venue_symbol: str


class Recording(Frames):
    """A recording in a folder of segments: what it holds, and a lazy frame for each channel.

    Frames read what a query asks for: its columns, its symbols, from its first time on.
    """

    def __init__(self, path: str | os.PathLike[str], **options: Unpack[Options]) -> None:
        self.path = Path(path)
        self._native = _native.Recording(self.path)
        self._symbols = listed(options.get("symbols"))
        self._from = maybe_ns(options.get("from_"))
        self._to = maybe_ns(options.get("to"))
        self._told = (options.get("prices", "decimal"), options.get("timestamps", "utc"))

    def frame(self, channel: Channel) -> polars.LazyFrame:
        """The rows of a channel, in the total order; of a book one for each level that changed."""
        [only] = channels(channel)
        return scan(self._native, only, self._symbols, (self._from, self._to), *self._told)

    @property
    def records(self) -> int:
        """How many records it has."""
        span = self._native.span
        return 0 if span is None else span[0]

    @property
    def start(self) -> int | None:
        """When the first record was received: nanoseconds since 1970."""
        span = self._native.span
        return None if span is None else span[1]

    @property
    def end(self) -> int | None:
        """The latest time of receipt."""
        span = self._native.span
        return None if span is None else span[2]

    @property
    def nbytes(self) -> int:
        """Bytes of its files."""
        return self._native.nbytes

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What stands in its ``manifest.json``."""
        text = self._native.manifest()
        return None if text is None else json.loads(text)

    def instruments(self) -> list[Instrument]:
        """What is listed at its end."""
        return [Instrument(*told) for told in self._native.instruments()]

    def book_at(self, symbol: str, at: Time | None = None, depth: int = 0) -> Book:
        """The book of a symbol at a time, or at the end; ``LookupError`` where there was none.

        ``depth`` is how many levels a side; 0: all.
        """
        snapshot, faults = self._native.book(symbol, maybe_ns(at), depth)
        warn(faults)
        return Book(snapshot)

    def digest(self) -> str:
        """The digest of what is selected: two runs that have one have given the same records."""
        wanted = selection((), self._symbols, self._from, self._to)
        _, digest, faults = self._native.digest(wanted)
        warn(faults)
        return digest

    def __repr__(self) -> str:
        span = self._native.span
        told = "empty" if span is None else f"{span[0]:,} records, {to_text(span[1])} to {to_text(span[2])}"
        return f"<Recording {self.path.name}: {told}>"


@overload
def read(path: str | os.PathLike[str], channel: Channel, **options: Unpack[Options]) -> polars.LazyFrame: ...
@overload
def read(path: str | os.PathLike[str], channel: None = None, **options: Unpack[Options]) -> Recording | Tables: ...
def read(
    path: str | os.PathLike[str], channel: Channel | None = None, **options: Unpack[Options]
) -> Recording | Tables | polars.LazyFrame:
    """A recording, or a folder of Parquet files made of one, to be scanned lazily.

    ``read("rec").trades`` is a polars ``LazyFrame``, and so is ``read("rec", "trades")``; a channel each: ``trades``,
    ``quotes``, ``ticker``, ``book``, ``candles``, ``status``. Options select ``symbols`` (names and patterns) and a
    span of time, ``from_`` (included) and ``to`` (not included), and say how ``prices`` and ``timestamps`` of a
    recording are told.
    """
    found = Tables(path, **options) if is_parquet(Path(path)) else Recording(path, **options)
    return found if channel is None else found.frame(channel)
