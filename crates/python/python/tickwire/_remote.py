"""What sessions and replays on a server show, whether their loops are ``async`` or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from . import _socket
from ._asked import Playing, fields
from ._core import Core
from ._selecting import channels as named
from ._selecting import listed
from ._times import Time, since, to_ns, to_text
from ._wire import Json
from .book import Book
from .errors import RequestError


class SessionState:
    """How a session stands."""

    def __init__(self, url: str, core: Core) -> None:
        self.url = url
        self._core = core

    def book(self, symbol: str) -> Book | None:
        """The book of a symbol; ``None`` where there is none, or none to be trusted. It goes on with the session."""
        return self._core.streams.books.get(symbol)

    @property
    def state(self) -> str:
        """``connecting``, ``live``, ``reconnecting`` or ``closed``."""
        return self._core.state

    @property
    def cursor(self) -> str | None:
        """Where to go on with ``resume``, in another process: up to here the loop has had everything."""
        return self._core.cursor

    @property
    def rejected(self) -> list[Json]:
        """What the server did not give of what was asked for: ``symbol``, ``code``, ``message``."""
        return self._core.rejected

    @property
    def behind(self) -> bool:
        """Whether the loop is slower than the market, and gets merged records."""
        return self._core.behind

    @property
    def reconnects(self) -> int:
        """How often the connection was opened anew."""
        return self._core.reconnects

    def __repr__(self) -> str:
        core = self._core
        told = [f"{len(core.streams)} streams", f"{core.count:,} records"]
        told += [f"{core.reconnects} reconnects"] if core.reconnects else []
        told += ["behind"] if core.behind else []
        return f"<{type(self).__name__} {_socket.shown(self.url)} {core.state}: {', '.join(told)}>"


class RemoteState:
    """How a replay on a server stands."""

    def __init__(self, core: Core, playing: Playing) -> None:
        self._core = core
        self._playing = playing

    def book(self, symbol: str) -> Book | None:
        """The book of a symbol, as of the newest record that came."""
        return self._playing.streams.books.get(symbol)

    @property
    def state(self) -> str:
        """``opening``, ``seeking``, ``paused``, ``playing``, ``finished``, ``live``, ``failed`` or ``closed``."""
        return self._playing.state

    @property
    def recording(self) -> str:
        """The recording's name."""
        return str(self._playing.opened["recording"])

    @property
    def rejected(self) -> list[Json]:
        """What the server does not play of what was asked for: ``symbol``, ``code``, ``message``."""
        return list(self._playing.opened["rejected"])

    @property
    def share(self) -> str | None:
        """What others give as ``join``, to play by the same clock."""
        return self._playing.opened.get("share")

    @property
    def total(self) -> int | None:
        """How many records it has, as far as the server says."""
        return self._playing.opened.get("records")

    @property
    def records(self) -> int:
        """How many the server has sent, as far as it has said, since the beginning or the last seek or connection."""
        return int(self._playing.told.get("records", 0))

    @property
    def progress(self) -> float:
        """How much of it is over, from 0 to 1."""
        return float(self._playing.told.get("progress", 0.0))

    @property
    def position(self) -> int | None:
        """The time that it has come to: nanoseconds since 1970."""
        at = self._playing.told.get("position")
        return None if at is None else to_ns(at)

    @property
    def cursor(self) -> str | None:
        """Where to `seek`, or to open it with ``cursor=``, to go on behind what has come."""
        return self._playing.since.get("cursor")

    @property
    def late_ms(self) -> int:
        """By how many milliseconds a record was later than its speed says, at most, at the server."""
        return self._playing.late_ms

    @property
    def digest(self) -> str | None:
        """The digest of what was sent, as far as the server has said; none after a lost connection."""
        told: Json = {} if self._playing.is_rest else self._playing.told.get("digest") or {}
        return told.get("sha256")

    def _ended(self) -> bool:
        if self._playing.state == "failed":
            message = self._playing.told.get("message", "The server cannot go on with it.")
            raise RequestError(self._playing.told.get("code", "replay_failed"), message)
        return self._playing.over or self._playing.rests or self._core.state == "closed"

    def _place(self, to: Time | None, cursor: str | None) -> Json:
        if (to is None) == (cursor is None):
            raise ValueError("a seek goes to a time or behind a cursor: give one of them")
        if self._playing.state in ("closed", "live"):
            raise RequestError("closed", f"The replay is {self._playing.state}.")
        return {"cursor": cursor} if to is None else {"to": to_text(to_ns(to))}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.recording} {self.state}: {self.progress:.0%}, {self.records:,} records>"


def opening(
    recording: str | None,
    speed: float | Literal["max"],
    from_: Time | None,
    to: Time | None,
    symbols: str | Iterable[str] | None,
    channels: str | Iterable[str] | None,
    paused: bool,
    options: dict[str, Any],
) -> Json:
    """The fields of a request that opens a replay."""
    wish: Json = {"channels": named(channels), "symbols": listed(symbols) or ["*"]}
    wish |= fields(recording=recording)
    wish |= {} if from_ is None else {"from": since(from_)}
    wish |= {} if to is None else {"to": to_text(to_ns(to))}
    flags = ("live", "share", "join", "client_bytes_per_second")
    options = {name: value for name, value in options.items() if name not in flags or not (value is None or value is False)}
    if "join" not in options:
        wish |= {"speed": speed, "paused": paused}
    elif speed != "max" or paused:
        raise ValueError("who joins a replay plays by its clock: give neither speed nor paused")
    return {**wish, **options}
