"""The client: a session with a server, for loops without ``async``."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

from . import _socket
from ._asked import Playing, Request
from ._core import Core, Token
from ._gaps import OnGap
from ._remote import RemoteState, SessionState
from ._remote import opening as wished
from ._selecting import channels as named
from ._selecting import listed
from ._times import Span, Time, to_ms
from ._wire import Json
from .errors import ConnectError, RequestError
from .records import Channel, Record


class Session(SessionState):
    """A connection that comes back by itself, and misses nothing that the server still has.

    Loop over it for the records of all that is subscribed to.
    """

    def __init__(self, url: str, core: Core, reconnect: bool, ca: str | os.PathLike[str] | None) -> None:
        super().__init__(url, core)
        self._reconnect = reconnect
        self._ca = ca
        self._socket: ClientConnection | None = None
        self._open()

    def subscribe(
        self,
        channels: Channel | Iterable[Channel],
        symbols: str | Iterable[str] = "*",
        *,
        rewind: Span | None = None,
        **options: Any,
    ) -> Session:
        """Subscribes to channels of symbols (names and patterns), and gives the session to loop over.

        ``options`` are those of the protocol: ``depth``, ``interval``, ``conflate_ms``, ``overflow``, ``checksum``,
        ``snapshot``, ``snapshot_limit``, ``max_age_ms``, ``trade_safe``, ``priority``, ``filter``, and ``resume``, the
        `cursor` of an earlier session. What the server rejects is in `rejected`. ``rewind``, such as ``"5m"``, begins
        so long ago with what the server has recorded, and goes on with what happens now: nothing is missing between.
        """
        options |= {} if rewind is None else {"rewind_ms": to_ms(rewind)}
        self._result(self._core.subscribe(named(channels), listed(symbols), options))
        return self

    def unsubscribe(self, channels: Channel | Iterable[Channel], symbols: str | Iterable[str] = "*") -> None:
        """Ends subscriptions: symbols and patterns as they were subscribed to."""
        self._result(self._core.unsubscribe(named(channels), listed(symbols)))

    def ledger(self) -> Json:
        """The server's account of every stream: ``published = delivered + coalesced + skipped + pending``."""
        return self._result(self._core.ask("ledger"))

    def replay(
        self,
        recording: str | None = None,
        *,
        speed: float | Literal["max"] = "max",
        from_: Time | None = None,
        to: Time | None = None,
        symbols: str | Iterable[str] | None = None,
        channels: Channel | Iterable[Channel] | None = None,
        paused: bool = False,
        live: bool = False,
        share: bool = False,
        join: str | None = None,
        client_bytes_per_second: int | None = None,
        **options: Any,
    ) -> RemoteReplay:
        """Plays a recording on the server, or the one that is being made; the same loop as `tickwire.replay`.

        ``from_`` may be how long ago, such as ``"-5m"``. With ``live`` it goes on with what happens now, as a
        subscription: in its loop comes what comes in the session's. With ``share``, others ``join`` what `share` names
        then, and play by its clock. ``client_bytes_per_second`` tells what a client that is so slow would have had.
        Other options are those of `subscribe`, and ``cursor``, instead of ``from_``: behind a message of another replay.
        """
        options |= {"live": live, "share": share, "join": join, "client_bytes_per_second": client_bytes_per_second}
        wish = wished(recording, speed, from_, to, symbols, channels, paused, options)
        playing, request = self._core.play(wish)
        self._result(request)
        return RemoteReplay(self, playing)

    def __iter__(self) -> Iterator[Record]:
        while True:
            record = self._core.pop()
            if record is not None:
                yield record
            elif self._core.state == "closed":
                return
            else:
                self._step()

    def close(self) -> None:
        """Says goodbye; a loop ends with what it has."""
        self._core.state = "closed"
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _result(self, request: Request) -> Json:
        self._flush()
        while not request.done:
            if self._core.state == "closed":
                raise ConnectError("the session is closed")
            self._step()
        return request.result()

    def _step(self) -> None:
        """Takes a message, or heeds what else has happened."""
        core = self._core
        try:
            assert self._socket is not None
            core.take(self._socket.recv(timeout=core.patience(time.monotonic())), time.monotonic())
        except TimeoutError:
            if core.is_due(time.monotonic()):
                self._again()
        except ConnectionClosed as closed:
            if core.state == "closed":
                return
            core.lost(*_socket.ended(closed))
            self._again()
        self._flush()

    def _again(self) -> None:
        """Another connection, however long it takes."""
        core = self._core
        core.state = "reconnecting"
        if self._socket is not None:
            # Somebody who does not answer is not waited for.
            self._socket.close_timeout = 0
            self._socket.close()
        if not self._reconnect:
            core.state = "closed"
            raise ConnectError(f"the connection to {_socket.shown(self.url)} was lost")
        wait = 0.0
        while core.state == "reconnecting":
            time.sleep(max(wait, core.backoff()))
            try:
                self._open()
                core.reconnects += 1
            except _socket.Refused as refused:
                wait = refused.wait
            except Exception:
                core.state = "closed"
                raise

    def _open(self) -> None:
        try:
            opening = open_socket(self.url, **_socket.options(self.url, self._core.token(), self._ca))
            # The library wants to be entered; a session outlives any block.
            self._socket = opening.__enter__()
        except Exception as error:
            raise _socket.refused(self.url, error) from None
        self._core.connected(time.monotonic())
        self._flush()

    def _flush(self) -> None:
        # What cannot be sent is asked for again on the next connection, which reading finds to be needed.
        with contextlib.suppress(ConnectionClosed):
            while self._core.outbox and self._socket is not None:
                self._socket.send(self._core.outbox.popleft())


class RemoteReplay(RemoteState):
    """A replay on the server: every record, at the pace of the loop. It can be stopped, moved and sped up.

    Its loop ends with it, and where it is paused and all has come; loop again once it goes on.
    """

    def __init__(self, session: Session, playing: Playing) -> None:
        super().__init__(session._core, playing)
        self._session = session

    def __iter__(self) -> Iterator[Record]:
        while True:
            record = self._core.pop_of(self._playing)
            if record is not None:
                yield record
            elif self._ended():
                return
            else:
                self._session._step()

    def pause(self) -> None:
        """Stops it where it stands."""
        self._ask("replay_pause")

    def resume(self) -> None:
        """Goes on."""
        self._ask("replay_resume")

    def step(self, records: int = 1) -> None:
        """So many records more, while it is paused."""
        self._ask("replay_step", records=records)

    def seek(self, to: Time | None = None, *, cursor: str | None = None) -> None:
        """Goes elsewhere, forwards or back: to a time, or behind a `cursor` (``r1:905112``: a place in the order)."""
        self._session._result(self._core.seek(self._playing, self._place(to, cursor)))

    def set_speed(self, speed: float | Literal["max"]) -> None:
        """How many times faster than it happened."""
        self._ask("replay_speed", speed=speed)

    def close(self) -> None:
        """Ends it."""
        request = self._core.stop(self._playing)
        if request is not None:
            self._session._result(request)

    def _ask(self, op: str, **fields: Any) -> None:
        if self._playing.name is None or self._playing.state == "closed":
            raise RequestError("closed", f"The replay is {self._playing.state}.")
        self._session._result(self._core.ask(op, replay=self._playing.name, **fields))

    def __enter__(self) -> RemoteReplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    url: str | None = None,
    *,
    token: Token = None,
    on_gap: OnGap | None = None,
    reconnect: bool = True,
    ca: str | os.PathLike[str] | None = None,
) -> Session:
    """Connects to a server: ``url``, or ``TICKWIRE_URL``, or a demonstration on this machine.

    ``token`` is a text or a function that gives one, which is asked for each connection and before it expires;
    without it, ``TICKWIRE_TOKEN``. ``on_gap`` is called with each `Gap`; without it, gaps are warnings. ``ca`` is a
    file of certificates to trust. A lost connection is opened anew, with back-off, and goes on where it was.
    """
    core = Core(os.environ.get("TICKWIRE_TOKEN") if token is None else token, on_gap)
    return Session(_socket.address(url), core, reconnect, ca)
