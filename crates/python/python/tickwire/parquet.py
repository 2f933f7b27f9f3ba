"""Recordings as Parquet files, as ``tickwire convert`` writes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._selecting import Frames, Options, channels, listed
from ._times import maybe_ns
from .records import Channel
from .table import wanted

if TYPE_CHECKING:
    import polars
    from typing_extensions import Unpack


class Tables(Frames):
    """A folder ``recording=NAME/channel=CHANNEL/date=DAY``, or one above it, with a lazy frame for each channel."""

    def __init__(self, path: str | os.PathLike[str], **options: Unpack[Options]) -> None:
        self.path = Path(path)
        if {"prices", "timestamps"} & set(options):
            raise ValueError(f"{path} has tables: how prices and times are told was said when they were made")
        self._options = options

    def frame(self, channel: Channel) -> polars.LazyFrame:
        """The rows of a channel, of all recordings below the folder."""
        pl = wanted("polars")
        [only] = channels(channel)
        files = f"{self.path}/**/channel={only}/**/*.parquet"
        rows: polars.LazyFrame = pl.scan_parquet(files, hive_partitioning=True)
        if symbols := listed(self._options.get("symbols")):
            rows = rows.filter(
                pl.any_horizontal(*(pl.col("symbol").cast(pl.String).str.contains(as_regex(of)) for of in symbols))
            )
        start, end = maybe_ns(self._options.get("from_")), maybe_ns(self._options.get("to"))
        at = pl.col("ts_recv").cast(pl.Int64)
        if start is not None:
            rows = rows.filter(at >= start)
        return rows if end is None else rows.filter(at < end)

    def __repr__(self) -> str:
        return f"<Tables {self.path}>"


def is_parquet(path: Path) -> bool:
    """Whether a folder has tables in it, and not a recording."""
    names = ("recording=*", "channel=*", "date=*")
    return any(next(path.glob(name), None) is not None for name in names)


def as_regex(pattern: str) -> str:
    """A pattern of symbols, in which ``*`` is any text, as a regular expression."""
    import re

    return "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"
