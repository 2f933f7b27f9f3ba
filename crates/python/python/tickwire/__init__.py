"""Market data, live and recorded, exact.

``connect()`` streams from a server, ``replay()`` plays a recording through the same loop, ``read()`` scans one lazily.
Prices and sizes are ``decimal.Decimal``, times are nanoseconds since 1970 (UTC), and nothing is lost in silence.
"""

from ._replay import Replay, replay
from ._times import Time, to_datetime, to_ns, to_text
from .aio import AsyncRemoteReplay, AsyncSession, connect_async
from .book import Book
from .client import RemoteReplay, Session, connect
from .errors import (
    AuthError,
    Closed,
    ConnectError,
    DamageWarning,
    GapWarning,
    ProtocolError,
    RequestError,
    TickwireError,
)
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
    TradeCorrection,
    TradeSummary,
)
from .table import Table

__all__ = [
    "CHANNELS",
    "AsyncRemoteReplay",
    "AsyncSession",
    "AuthError",
    "Book",
    "BookDelta",
    "BookSnapshot",
    "Candle",
    "Channel",
    "Closed",
    "ConnectError",
    "DamageWarning",
    "Gap",
    "GapWarning",
    "ProtocolError",
    "Quote",
    "Record",
    "Recording",
    "RemoteReplay",
    "Replay",
    "RequestError",
    "Session",
    "Status",
    "Table",
    "Tables",
    "Ticker",
    "TickwireError",
    "Time",
    "Trade",
    "TradeCorrection",
    "TradeSummary",
    "connect",
    "connect_async",
    "read",
    "replay",
    "to_datetime",
    "to_ns",
    "to_text",
]
