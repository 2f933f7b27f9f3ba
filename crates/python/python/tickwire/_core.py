"""A session without its socket: messages in, records and requests out. It reads no clock and waits for nothing."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ._gaps import OnGap, tell
from ._native import format_time
from ._streams import Streams
from ._wire import Json
from .errors import AuthError, Closed, ProtocolError, RequestError, TickwireError
from .records import Gap, Record

SUBPROTOCOL = "tickwire.v1.json"

#: Records that wait to be looped over. Who loops over one thing while another one fills up is told.
QUEUE_MAX = 1_000_000

_BACKOFF_FIRST_SECONDS = 0.25
_BACKOFF_MAX_SECONDS = 30.0
#: Silence that is borne before the server has said how often it speaks.
_SILENCE_FIRST_SECONDS = 20.0
#: Who was away for longer looks at what has come meanwhile before it calls that silence.
_PATIENCE_MIN_SECONDS = 0.05
_AGAIN = {1001, 1006, 1011, 1012, 1013, *range(4000, 4500)}
_UNAUTHORISED = 4501

Token = str | Callable[[], str] | None


class Request:
    """A request that waits for its answer; ``watched``: somebody asks for it."""

    def __init__(self, body: Json, watched: bool = True) -> None:
        self.body = body
        self.watched = watched
        self.answer: Json | None = None
        self.error: RequestError | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def result(self) -> Json:
        """The answer, or what was said instead."""
        if self.error is not None:
            raise self.error
        assert self.answer is not None, "it is asked for when it is there"
        return self.answer


@dataclass
class Subscription:
    """What was subscribed to, to be asked for again on another connection."""

    channels: list[str]
    symbols: list[str]
    options: Json
    #: What the patterns came to; none before the server has said.
    found: list[str] | None = None


@dataclass
class Playing:
    """A replay on the server, as it was asked for and as it stands."""

    options: Json
    name: str | None = None
    opened: Json = field(default_factory=dict)
    state: str = "opening"
    told: Json = field(default_factory=dict)
    streams: Streams = field(default_factory=Streams)
    records: deque[Record | Gap] = field(default_factory=deque)
    #: The latest time of receipt of what was taken.
    clock: int | None = None

    @property
    def over(self) -> bool:
        return self.state in ("finished", "failed", "closed")


class Core:
    """What a session knows, whichever way its bytes travel."""

    def __init__(self, token: Token, on_gap: OnGap | None) -> None:
        self._token = token
        self._on_gap = on_gap
        self._id = 0
        self._pending: dict[int, tuple[Request | None, Subscription | Playing | None]] = {}
        self._records: deque[tuple[Record | Gap | None, str | None]] = deque()
        self._subscriptions: list[Subscription] = []
        self._playing: list[Playing] = []
        self._timers: list[tuple[float, Json]] = []
        self._newest_cursor: str | None = None
        self._passing: str | None = None
        self._heard = 0.0
        self._leave: float | None = None
        self._attempts = 0
        self._silence = _SILENCE_FIRST_SECONDS
        self.streams = Streams()
        self.outbox: deque[str] = deque()
        self.cursor: str | None = None
        self.welcome: Json = {}
        self.state = "connecting"
        self.behind = False
        self.count = 0
        self.reconnects = 0
        self.rejected: list[Json] = []

    # What users do.

    def token(self) -> str | None:
        """The token of this moment."""
        return self._token() if callable(self._token) else self._token

    def ask(self, op: str, **fields: Any) -> Request:
        """A request; fields that are ``None`` are left out."""
        return self._ask(Request({"op": op, **{name: value for name, value in fields.items() if value is not None}}))

    def subscribe(self, channels: list[str], symbols: list[str], options: Json) -> Request:
        resume = options.pop("resume", None)
        new = Subscription(channels, symbols, options)
        self._subscriptions.append(new)
        return self._ask(Request(_subscribe(new, resume)), new)

    def unsubscribe(self, channels: list[str], symbols: list[str]) -> Request:
        """No more of these: symbols and patterns as they were subscribed to."""
        left: list[Subscription] = []
        for one in self._subscriptions:
            gone = [channel for channel in one.channels if channel in channels]
            stay = [symbol for symbol in one.symbols if symbol not in symbols]
            if not gone or len(stay) == len(one.symbols):
                left.append(one)
                continue
            kept = [channel for channel in one.channels if channel not in gone]
            left.extend(
                Subscription(of, names, one.options, one.found)
                for of, names in ((kept, one.symbols), (gone, stay))
                if of and names
            )
        self._subscriptions = left
        return self.ask("unsubscribe", channels=channels, symbols=symbols)

    def play(self, options: Json) -> tuple[Playing, Request]:
        playing = Playing(options)
        self._playing.append(playing)
        return playing, self._ask(Request({"op": "replay_open", **options}), playing)

    def stop(self, playing: Playing) -> Request | None:
        """Closes a replay, where the server still has it."""
        was_over, playing.state = playing.over, "closed"
        self._playing = [other for other in self._playing if other is not playing]
        return None if was_over or playing.name is None else self.ask("replay_close", replay=playing.name)

    def pop(self) -> Record | None:
        """The next record of the live streams; gaps before it are told."""
        # Whoever asks for the next has handled the one before.
        self.cursor, self._passing = self._passing or self.cursor, None
        while self._records:
            record, cursor = self._records.popleft()
            if isinstance(record, Record):
                self._passing = cursor
                self.count += 1
                return record
            if record is not None:
                tell(record, self._on_gap)
            self.cursor = cursor or self.cursor
        return None

    def pop_of(self, playing: Playing) -> Record | None:
        """The next record of a replay."""
        while playing.records:
            record = playing.records.popleft()
            if isinstance(record, Record):
                return record
            tell(record, self._on_gap)
        return None

    # What happens to the connection.

    def connected(self, now: float) -> None:
        """There is a connection: all that was asked for is asked for on it."""
        self.state, self._heard, self._leave = "live", now, None
        self.outbox.clear()
        self._timers.clear()
        lost, self._pending = list(self._pending.values()), {}
        for one in self._subscriptions:
            waiting = next((request for request, about in lost if about is one), None)
            self._again(one, waiting)
        for playing in self._playing:
            waiting = next((request for request, about in lost if about is playing), None)
            if not playing.over:
                self._ask(waiting or Request(_reopen(playing), watched=False), playing)
        for request, about in lost:
            if request is None:
                continue
            if about is None and not request.body["op"].startswith("replay_"):
                self._ask(request)
            elif about is None:
                # It was about a replay of a connection that is gone; that was opened anew.
                request.error = RequestError("lost", "The connection was lost before the answer.", retryable=True)

    def _again(self, one: Subscription, waiting: Request | None) -> None:
        """Comes back to a subscription's streams; asks for the state of those of which there is none yet."""
        if one.found is None or self._newest_cursor is None:
            self._ask(waiting or Request(_subscribe(one)), one)
            return
        self._ask(Request(_subscribe(one, self._newest_cursor), watched=False), one)
        interval = one.options.get("interval", "1m")
        for channel in one.channels:
            kind = interval if channel == "candles" else None
            bare = [symbol for symbol in one.found if (channel, symbol, kind) not in self.streams]
            if bare and one.options.get("snapshot", True):
                self._ask(Request(_subscribe(Subscription([channel], bare, one.options)), watched=False))

    def lost(self, code: int, reason: str) -> None:
        """The connection is gone.

        Raises where another one would be of no use.
        """
        if code in _AGAIN:
            self.state = "reconnecting"
            return
        self.state = "closed"
        if code == _UNAUTHORISED:
            raise AuthError(f"the server ended the session: {reason or 'the token is not good any more'}")
        raise Closed(code, reason)

    def backoff(self) -> float:
        """Seconds until the next attempt: anything up to a bound that doubles, so that not all come at once."""
        bound = min(_BACKOFF_MAX_SECONDS, _BACKOFF_FIRST_SECONDS * 2**self._attempts)
        self._attempts = min(self._attempts + 1, 16)
        return random.uniform(0, bound)

    def patience(self, now: float) -> float:
        """Seconds that may pass before `is_due` has to be asked."""
        dues = [self._heard + self._silence, *(at for at, _ in self._timers)]
        if self._leave is not None:
            dues.append(self._leave)
        return max(_PATIENCE_MIN_SECONDS, min(dues) - now)

    def is_due(self, now: float) -> bool:
        """Time has passed: whether this connection is to be left for another one."""
        due = [body for at, body in self._timers if at <= now]
        self._timers = [(at, body) for at, body in self._timers if at > now]
        self.outbox.extend(json.dumps(body) for body in due)
        return now >= self._heard + self._silence or (self._leave is not None and now >= self._leave)

    # What the server says.

    def take(self, text: str | bytes, now: float) -> None:
        """A message. What is not known is passed over: the protocol grows."""
        self._heard = now
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(f"the server does not speak tickwire.v1: {text[:80]!r}") from error
        if kind in ("snapshot", "update", "gap"):
            self._data(kind, message)
        elif kind == "welcome":
            self.welcome = message
            self._silence = 2 * message["heartbeat_ms"] / 1000
        elif kind in ("ack", "pong", "echo"):
            self._answer(message)
        elif kind == "error":
            self._error(message, now)
        elif kind == "heartbeat":
            self._put((), message.get("cursor"))
        elif kind == "replay":
            self._replay(message)
        elif kind == "notice" and message.get("code") == "slow_consumer":
            self.behind = message["state"] == "started"
        elif kind == "draining":
            self._leave = now + message["reconnect_after_ms"] / 1000
        elif kind == "token_expiring" and callable(self._token):
            self._ask(Request({"op": "auth", "token": self._token()}, watched=False))

    def _data(self, kind: str, message: Json) -> None:
        # Only a connection that brings something ends the waiting between attempts.
        self._attempts = 0
        if "replay" in message:
            playing = next((one for one in self._playing if one.name == message["replay"]), None)
            if playing is not None:
                told = _told(playing.streams, kind, message)
                times = [one.ts_recv for one in told if isinstance(one, Record) and one.ts_recv is not None]
                if kind == "update" and times:
                    playing.clock = max(playing.clock or 0, *times)
                playing.records.extend(told)
                _bounded(playing.records)
            return
        self._put(_told(self.streams, kind, message), message.get("cursor"))
        for symbol in self.streams.broken:
            self._restate(symbol)
        self.streams.broken.clear()

    def _put(self, records: Iterable[Record | Gap], cursor: str | None) -> None:
        """With the last record of a message, the message is handled."""
        *firsts, last = [*records] or [None]  # type: ignore[list-item]
        self._records.extend((record, None) for record in firsts)
        self._records.append((last, cursor))
        self._newest_cursor = cursor or self._newest_cursor
        _bounded(self._records)

    def _restate(self, symbol: str) -> None:
        for one in self._subscriptions:
            if "book" in one.channels and symbol in (one.found or ()):
                self._ask(Request(_subscribe(Subscription(["book"], [symbol], one.options)), watched=False))
                return

    def _answer(self, message: Json) -> None:
        request, about = self._pending.pop(message.get("id", -1), (None, None))
        if message.get("op") == "subscribe" and "cursor" in message:
            self._newest_cursor = message["cursor"]
        if message.get("op") == "unsubscribe":
            self.streams.forget(message["channels"], message["symbols"])
        if about is None and message.get("op") == "subscribe" and "id" not in message:
            # What was listed later, and matches a pattern.
            for one in self._subscriptions:
                if one.found is not None and set(message["channels"]) <= set(one.channels):
                    one.found += [symbol for symbol in message["symbols"] if symbol not in one.found]
        if isinstance(about, Subscription):
            about.found = list(message["symbols"])
            self.rejected = [one for one in self.rejected if one not in message["rejected"]] + message["rejected"]
        elif isinstance(about, Playing):
            about.name, about.opened, about.state = message["replay"], message, "playing"
        if message.get("op") == "replay_seek":
            # What comes from here on is of another place: nothing of before counts.
            for playing in self._playing:
                if playing.name == message["replay"]:
                    playing.streams, playing.clock = Streams(), None
                    playing.records.clear()
        if request is not None:
            request.answer = message

    def _error(self, message: Json, now: float) -> None:
        request, about = self._pending.pop(message.get("id", -1), (None, None))
        if request is None:
            return  # What ends the session comes with its close code, too.
        wait = message.get("details", {}).get("retry_after_ms")
        if message["retryable"] and wait is not None:
            self._pending[request.body["id"]] = (request, about)
            self._timers.append((now + wait / 1000, request.body))
            return
        if isinstance(about, Subscription):
            self._subscriptions = [one for one in self._subscriptions if one is not about]
        elif isinstance(about, Playing):
            about.state = "failed"
        request.error = RequestError(message["code"], message["message"], retryable=message["retryable"])
        if not request.watched:
            raise request.error

    def _replay(self, message: Json) -> None:
        playing = next((one for one in self._playing if one.name == message["replay"]), None)
        if playing is not None and not playing.over:
            playing.told, playing.state = {**playing.told, **message}, message["state"]

    def _ask(self, request: Request, about: Subscription | Playing | None = None) -> Request:
        self._id += 1
        request.body["id"] = self._id
        self._pending[self._id] = (request, about)
        self.outbox.append(json.dumps(request.body))
        return request


def _told(streams: Streams, kind: str, message: Json) -> list[Record | Gap]:
    if kind == "gap":
        gap = streams.gap(message)
        return [] if gap is None else [gap]
    return streams.snapshot(message) if kind == "snapshot" else streams.update(message)


def _subscribe(one: Subscription, resume: str | None = None) -> Json:
    body = {"op": "subscribe", "channels": one.channels, "symbols": one.symbols, **one.options}
    return body if resume is None else {**body, "resume": resume}


def _reopen(playing: Playing) -> Json:
    """The same replay, from where it stood; what was had of that moment is left out when it comes again."""
    since = {} if playing.clock is None else {"from": format_time(playing.clock)}
    return {"op": "replay_open", **playing.options, **since}


def _bounded(records: deque[Any]) -> None:
    if len(records) > QUEUE_MAX:
        raise TickwireError(f"more than {QUEUE_MAX:,} records wait: loop over all that is subscribed to or replayed")
