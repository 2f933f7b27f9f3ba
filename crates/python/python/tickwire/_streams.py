"""Streams as a client has them: how far it got in each, whether anything is missing, and the books."""

from __future__ import annotations

from collections.abc import Iterable

from . import _wire
from ._wire import Json
from .book import Book
from .records import BookDelta, BookSnapshot, Candle, Gap, Record

Key = tuple[str, str, "str | None"]


class _Stream:
    __slots__ = ("position", "seen", "void")

    def __init__(self) -> None:
        #: Up to where everything was had or explained; ``None``: not known.
        self.position: int | None = None
        #: The newest that was had.
        self.seen = 0
        #: A book that waits for a snapshot.
        self.void = False


class Streams:
    """Takes messages of data and gives records that are new, each once, and the gaps between them."""

    def __init__(self, *, once: bool = False) -> None:
        self._streams: dict[Key, _Stream] = {}
        self.books: dict[str, Book] = {}
        #: Symbols whose books were not the server's: their state is to be asked for again.
        self.broken: list[str] = []
        #: How they stand may be told of a time that is over: then it is left out.
        self.once = once

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, key: Key) -> bool:
        return key in self._streams

    def adopt(self, other: Streams) -> None:
        """Goes on with what others have come to."""
        for key, stream in other._streams.items():
            if key not in self._streams:
                self._streams[key] = stream
                if key[0] == "book" and key[1] in other.books:
                    self.books[key[1]] = other.books[key[1]]

    def forget(self, channels: Iterable[str], symbols: Iterable[str]) -> None:
        """These are not subscribed to any more."""
        gone = set(symbols)
        for key in [key for key in self._streams if key[0] in channels and key[1] in gone]:
            del self._streams[key]
            if key[0] == "book":
                self.books.pop(key[1], None)

    def snapshot(self, message: Json) -> list[Record | Gap]:
        """State, which replaces what was known."""
        told: list[Record | Gap] = []
        channel = message["channel"]
        for data in message["data"]:
            record = _wire.record(channel, data, True)
            stream = self._of(record)
            if self.once and stream.position is not None and record.sequence <= stream.position:
                continue
            is_new = record.sequence > stream.seen
            stream.position = max(stream.position or 0, record.sequence)
            stream.seen = max(stream.seen, record.sequence)
            if isinstance(record, BookSnapshot):
                self.books[record.symbol] = Book(record)
                is_new, stream.void = True, False
                told.extend(self._checked(record, stream))
            if is_new:
                told.append(record)
        empty = message.get("symbols", [])
        for symbol, place in zip(empty, message.get("sequences", [0] * len(empty))):
            if channel == "candles" or (self.once and (channel, symbol, None) in self._streams):
                continue  # It does not say of which interval; or it is known.
            stream = self._streams.setdefault((channel, symbol, None), _Stream())
            stream.position = place if stream.position is None else stream.position
            if channel == "book":
                self.books[symbol] = Book(BookSnapshot(symbol, place, None, None, place, 0, True, None, [], []))
                stream.void = False
        return told

    def update(self, message: Json) -> list[Record | Gap]:
        """News; what was had before, as after coming back, is left out."""
        told: list[Record | Gap] = []
        for data in message["data"]:
            record = _wire.record(message["channel"], data, False)
            stream = self._of(record)
            if stream.position is not None:
                if record.sequence <= stream.position:
                    continue
                if record.prev_sequence > stream.position:
                    told.append(self._hole(record, stream))
            stream.position = stream.seen = record.sequence
            if isinstance(record, BookDelta) and not stream.void:
                if record.symbol not in self.books:
                    head = (record.symbol, 0, None, None, 0, 0, True, None)
                    self.books[record.symbol] = Book(BookSnapshot(*head, [], []))
                self.books[record.symbol].apply(record)
                told.extend(self._checked(record, stream))
            told.append(record)
        return told

    def gap(self, message: Json) -> Gap | None:
        """What will not come; nothing where all of it was had."""
        gap = _wire.gap(message)
        stream = self._streams.setdefault((gap.channel, gap.symbol, gap.interval), _Stream())
        if gap.to_sequence is None or gap.from_sequence is None:
            # Of another life of the server, whose sequences say nothing of this one's.
            stream.position, stream.seen = None, 0
            self._lose(stream, gap)
            return gap
        begin = gap.from_sequence if stream.position is None else max(gap.from_sequence, stream.position + 1)
        if begin > gap.to_sequence:
            return None
        self._lose(stream, gap)
        gap.from_sequence, gap.count = begin, gap.to_sequence - begin + 1
        stream.position = gap.to_sequence
        return gap

    def _of(self, record: Record) -> _Stream:
        interval = record.interval if isinstance(record, Candle) else None
        return self._streams.setdefault((record.channel, record.symbol, interval), _Stream())

    def _hole(self, record: Record, stream: _Stream) -> Gap:
        begin, end = (stream.position or 0) + 1, record.prev_sequence
        if record.channel == "book":
            self._void(record.symbol, stream)
            self.broken.append(record.symbol)
        interval = record.interval if isinstance(record, Candle) else None
        return Gap(record.channel, record.symbol, begin, end, end - begin + 1, "hole", None, interval, record.ts_recv)

    def _checked(self, record: BookSnapshot | BookDelta, stream: _Stream) -> Iterable[Gap]:
        if record.checksum is None or self.books[record.symbol].checksum() == record.checksum:
            return ()
        self._void(record.symbol, stream)
        self.broken.append(record.symbol)
        return (Gap("book", record.symbol, None, None, None, "checksum", ts_recv=record.ts_recv),)

    def _lose(self, stream: _Stream, gap: Gap) -> None:
        if gap.channel == "book":
            self._void(gap.symbol, stream)

    def _void(self, symbol: str, stream: _Stream) -> None:
        stream.void = True
        self.books.pop(symbol, None)
