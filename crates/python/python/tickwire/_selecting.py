"""What is wanted of a recording, as users say it."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from ._native import Selection
from ._times import Time, maybe_ns
from .errors import DamageWarning
from .records import CHANNELS, Channel

if TYPE_CHECKING:
    import polars

#: How prices and sizes are told: exact decimals, 64-bit floats, or whole numbers of a billionth.
Prices: TypeAlias = Literal["decimal", "float", "fixed"]

#: How times are told: nanoseconds in UTC, without a zone, or as whole numbers.
Timestamps: TypeAlias = Literal["utc", "naive", "int64"]


class Options(TypedDict, total=False):
    """What is wanted of a recording, and how it is told."""

    symbols: str | Iterable[str] | None
    from_: Time | None
    to: Time | None
    prices: Prices
    timestamps: Timestamps


class Frames(ABC):
    """A lazy frame for each channel."""

    @abstractmethod
    def frame(self, channel: Channel) -> polars.LazyFrame:
        """The rows of a channel."""

    @property
    def trades(self) -> polars.LazyFrame:
        """Executions."""
        return self.frame("trades")

    @property
    def quotes(self) -> polars.LazyFrame:
        """Best bids and offers."""
        return self.frame("quotes")

    @property
    def ticker(self) -> polars.LazyFrame:
        """Totals of 24 hours."""
        return self.frame("ticker")

    @property
    def book(self) -> polars.LazyFrame:
        """Changes of books: a row for each level (``action``: ``snapshot``, ``set``, ``delete``, ``gap``)."""
        return self.frame("book")

    @property
    def candles(self) -> polars.LazyFrame:
        """Bars."""
        return self.frame("candles")

    @property
    def status(self) -> polars.LazyFrame:
        """States of symbols."""
        return self.frame("status")


def listed(of: str | Iterable[str] | None) -> list[str]:
    """One or several names as a list; none are none."""
    if of is None:
        return []
    return [of] if isinstance(of, str) else list(of)


def channels(of: str | Iterable[str] | None) -> list[str]:
    """Names of channels, in the order of the documentation; all where none is named."""
    named = listed(of)
    for name in named:
        if name not in CHANNELS:
            raise ValueError(f"{name!r} is no channel; there are {', '.join(CHANNELS)}")
    return [name for name in CHANNELS if not named or name in named]


def selection(of: Sequence[str], symbols: str | Iterable[str] | None, from_: Time | None, to: Time | None) -> Selection:
    """A selection of these channels."""
    return Selection(list(of), listed(symbols), maybe_ns(from_), maybe_ns(to))


def warn(faults: Iterable[str]) -> None:
    """Tells what could not be read."""
    for fault in faults:
        warnings.warn(fault, DamageWarning, stacklevel=3)
