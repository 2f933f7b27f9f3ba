"""The client: a session with a server, for ``async`` loops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Generator, Iterable
from types import TracebackType
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from . import _socket
from ._asked import Playing, Request
from ._core import Core, Token
from ._gaps import OnGap
from ._remote import RemoteState, SessionState, opening
from ._selecting import channels as named
from ._selecting import listed
from ._times import Span, Time, to_ms
from ._wire import Json
from .errors import ConnectError, RequestError
from .records import Channel, Record


class AsyncSession(SessionState):
    """A connection that comes back by itself, and misses nothing that the server still has.

    It is connected by ``async with``. Loop over it with ``async for``.
    """

    def __init__(self, url: str, core: Core, reconnect: bool, ca: str | os.PathLike[str] | None) -> None:
        super().__init__(url, core)
        self._reconnect = reconnect
        self._ca = ca
        self._socket: ClientConnection | None = None

    def subscribe(
        self,
        channels: Channel | Iterable[Channel],
        symbols: str | Iterable[str] = "*",
        *,
        rewind: Span | None = None,
        **options: Any,
    ) -> Subscribing:
        """As `Session.subscribe`: ``await`` it, or loop over it with ``async for``."""
        options |= {} if rewind is None else {"rewind_ms": to_ms(rewind)}
        return Subscribing(self, self._core.subscribe(named(channels), listed(symbols), options))

    async def unsubscribe(self, channels: Channel | Iterable[Channel], symbols: str | Iterable[str] = "*") -> None:
        """Ends subscriptions: symbols and patterns as they were subscribed to."""
        await self._result(self._core.unsubscribe(named(channels), listed(symbols)))

    async def ledger(self) -> Json:
        """The server's account of every stream: ``published = delivered + coalesced + skipped + pending``."""
        return await self._result(self._core.ask("ledger"))

    async def replay(
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
    ) -> AsyncRemoteReplay:
        """Plays a recording on the server, as `Session.replay`."""
        options |= {"live": live, "share": share, "join": join, "client_bytes_per_second": client_bytes_per_second}
        wish = opening(recording, speed, from_, to, symbols, channels, paused, options)
        playing, request = self._core.play(wish)
        await self._result(request)
        return AsyncRemoteReplay(self, playing)

    async def __aiter__(self) -> AsyncIterator[Record]:
        while True:
            record = self._core.pop()
            if record is not None:
                yield record
            elif self._core.state == "closed":
                return
            else:
                await self._step()

    async def close(self) -> None:
        """Says goodbye; a loop ends with what it has."""
        self._core.state = "closed"
        if self._socket is not None:
            await self._socket.close()

    async def __aenter__(self) -> AsyncSession:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _result(self, request: Request) -> Json:
        await self._flush()
        while not request.done:
            if self._core.state == "closed":
                raise ConnectError("the session is closed")
            await self._step()
        return request.result()

    async def _step(self) -> None:
        """Takes a message, or heeds what else has happened."""
        core = self._core
        if self._socket is None:
            raise ConnectError("there is no connection yet: async with connect_async(...) as session")
        try:
            text = await asyncio.wait_for(self._socket.recv(), core.patience(time.monotonic()))
            core.take(text, time.monotonic())
        except (TimeoutError, asyncio.TimeoutError):
            if core.is_due(time.monotonic()):
                await self._again()
        except ConnectionClosed as closed:
            if core.state == "closed":
                return
            core.lost(*_socket.ended(closed))
            await self._again()
        await self._flush()

    async def _again(self) -> None:
        """Another connection, however long it takes."""
        core = self._core
        core.state = "reconnecting"
        if self._socket is not None:
            # Somebody who does not answer is not waited for.
            self._socket.transport.abort()
        if not self._reconnect:
            core.state = "closed"
            raise ConnectError(f"the connection to {_socket.shown(self.url)} was lost")
        wait = 0.0
        while core.state == "reconnecting":
            await asyncio.sleep(max(wait, core.backoff()))
            try:
                await self._open()
                core.reconnects += 1
            except _socket.Refused as refused:
                wait = refused.wait
            except Exception:
                core.state = "closed"
                raise

    async def _open(self) -> None:
        try:
            self._socket = await open_socket(self.url, **_socket.options(self.url, self._core.token(), self._ca))
        except Exception as error:
            raise _socket.refused(self.url, error) from None
        self._core.connected(time.monotonic())
        await self._flush()

    async def _flush(self) -> None:
        # What cannot be sent is asked for again on the next connection, which reading finds to be needed.
        with contextlib.suppress(ConnectionClosed):
            while self._core.outbox and self._socket is not None:
                await self._socket.send(self._core.outbox.popleft())


class Subscribing:
    """A subscription that was asked for: ``await`` it, or loop over it."""

    def __init__(self, session: AsyncSession, request: Request) -> None:
        self._session = session
        self._request = request

    def __await__(self) -> Generator[Any, None, AsyncSession]:
        yield from self._session._result(self._request).__await__()
        return self._session

    async def __aiter__(self) -> AsyncIterator[Record]:
        async for record in await self:
            yield record


class AsyncRemoteReplay(RemoteState):
    """A replay on the server: every record, at the pace of the loop. It can be stopped, moved and sped up.

    Its loop ends with it, and where it is paused and all has come; loop again once it goes on.
    """

    def __init__(self, session: AsyncSession, playing: Playing) -> None:
        super().__init__(session._core, playing)
        self._session = session

    async def __aiter__(self) -> AsyncIterator[Record]:
        while True:
            record = self._core.pop_of(self._playing)
            if record is not None:
                yield record
            elif self._ended():
                return
            else:
                await self._session._step()

    async def pause(self) -> None:
        """Stops it where it stands."""
        await self._ask("replay_pause")

    async def resume(self) -> None:
        """Goes on."""
        await self._ask("replay_resume")

    async def step(self, records: int = 1) -> None:
        """So many records more, while it is paused."""
        await self._ask("replay_step", records=records)

    async def seek(self, to: Time | None = None, *, cursor: str | None = None) -> None:
        """Goes elsewhere, forwards or back: to a time, or behind a `cursor` (``r1:905112``: a place in the order)."""
        await self._session._result(self._core.seek(self._playing, self._place(to, cursor)))

    async def set_speed(self, speed: float | Literal["max"]) -> None:
        """How many times faster than it happened."""
        await self._ask("replay_speed", speed=speed)

    async def close(self) -> None:
        """Ends it."""
        request = self._core.stop(self._playing)
        if request is not None:
            await self._session._result(request)

    async def _ask(self, op: str, **fields: Any) -> None:
        if self._playing.name is None or self._playing.state == "closed":
            raise RequestError("closed", f"The replay is {self._playing.state}.")
        await self._session._result(self._core.ask(op, replay=self._playing.name, **fields))

    async def __aenter__(self) -> AsyncRemoteReplay:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def connect_async(
    url: str | None = None,
    *,
    token: Token = None,
    on_gap: OnGap | None = None,
    reconnect: bool = True,
    ca: str | os.PathLike[str] | None = None,
) -> AsyncSession:
    """As `tickwire.connect`, for ``async with``."""
    core = Core(os.environ.get("TICKWIRE_TOKEN") if token is None else token, on_gap)
    return AsyncSession(_socket.address(url), core, reconnect, ca)
