"""Market data, live and recorded, exact.

``connect()`` streams from a server, ``replay()`` plays a recording through the same loop, and ``read()`` scans one lazily.
Prices and sizes are ``decimal.Decimal``, times are nanoseconds since 1970 (UTC), and nothing is lost in silence.
"""

from ._times import Time, to_datetime, to_ns, to_text
from .book import Book
from .errors import DamageWarning, GapWarning
from .parquet import Tables
from .recording import Recording, read
from .records import (
    CHANNELS,
    BookDelta,
    BookSnapshot,
    Candle,
    Channel,
    Gap,
    Quote,
    Record,
    Status,
    Ticker,
    Trade,
    TradeSummary,
)
from .replay import Replay, replay
from .table import Table

__all__ = [
    "CHANNELS",
    "Book",
    "BookDelta",
    "BookSnapshot",
    "Candle",
    "Channel",
    "DamageWarning",
    "Gap",
    "GapWarning",
    "Quote",
    "Record",
    "Recording",
    "Replay",
    "Status",
    "Table",
    "Tables",
    "Ticker",
    "Time",
    "Trade",
    "TradeSummary",
    "read",
    "replay",
    "to_datetime",
    "to_ns",
    "to_text",
]
