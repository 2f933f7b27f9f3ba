"""Times: nanoseconds since 1970 (UTC), as integers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from ._native import format_time, parse_time

#: A point in time: nanoseconds since 1970, an RFC 3339 text, or a datetime with a zone.
Time: TypeAlias = "int | str | datetime"

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def to_ns(time: Time) -> int:
    """Nanoseconds since 1970 of a time; a ``datetime`` must have a zone, an integer is taken as it is."""
    if isinstance(time, int):
        return time
    if isinstance(time, str):
        return parse_time(time)
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone; write datetime(..., tzinfo=timezone.utc)")
    return (time - _EPOCH) // _MICROSECOND * 1_000


def to_datetime(nanos: int) -> datetime:
    """A time as ``datetime`` in UTC, which has microseconds: what is finer is cut off."""
    return _EPOCH + timedelta(microseconds=nanos // 1_000)


def to_text(nanos: int) -> str:
    """A time as RFC 3339 in UTC, with all nine digits."""
    return format_time(nanos)


def maybe_ns(time: Time | None) -> int | None:
    """As `to_ns`, where there is a time."""
    return None if time is None else to_ns(time)


_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

#: How long: a text such as ``"5m"`` (``ms``, ``s``, ``m``, ``h``, ``d``), or a timedelta.
Span: TypeAlias = "str | timedelta"


def to_ms(span: Span) -> int:
    """Milliseconds of a span."""
    if isinstance(span, timedelta):
        return span // timedelta(milliseconds=1)
    number = span.rstrip("mshd")
    factor = _UNITS.get(span[len(number) :])
    if factor is None or not (number.isascii() and number.isdigit()):
        raise ValueError(f"{span!r} is no span of time; write it as 5m, 30s or 250ms")
    return int(number) * factor


def since(time: Time) -> str:
    """A time as the protocol writes it; also how long ago, such as ``"-5m"``."""
    if isinstance(time, str) and time.startswith("-"):
        return f"-{to_ms(time[1:])}ms"
    return to_text(to_ns(time))
