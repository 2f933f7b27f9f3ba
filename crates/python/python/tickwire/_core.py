"""A session without its socket: messages in, records and requests out. It reads no clock and waits for nothing."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ._asked import Playing, Request, Subscription, fields, seeking
from ._gaps import OnGap, tell
from ._selecting import warn
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

#: Fields of a replay that a subscription does not have.
_OF_REPLAYS = {"recording", "from", "cursor", "to", "speed", "paused", "live", "share", "join", "client_bytes_per_second"}

Token = str | Callable[[], str] | None


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
        #: Subscriptions that begin with what was recorded, and that were cut off in it.
        self._cut_off: list[Subscription] = []
        #: What has just become of a replay; its streams are still to be named.
        self._turning: Subscription | None = None
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
        """The token of this moment; `AuthError` where it cannot be one."""
        return clean(self._token() if callable(self._token) else self._token)

    def _lacks_token(self) -> bool:
        return not callable(self._token) and clean(self._token) is None

    def ask(self, op: str, **named: Any) -> Request:
        """A request; fields that are ``None`` are left out."""
        return self._ask(Request({"op": op, **fields(**named)}))

    def subscribe(self, channels: list[str], symbols: list[str], options: Json) -> Request:
        resume = options.pop("resume", None)
        new = Subscription(channels, symbols, options)
        self._subscriptions.append(new)
        return self._ask(Request(new.opening(resume)), new)

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
            if one.rewinds is not None and (kept or stay):
                wish = "unsubscribe from all of it, or once it is live"
                raise ValueError(f"{', '.join(gone)} of {', '.join(one.symbols)} is being rewound: {wish}")
            if one.rewinds:
                self.ask("replay_close", replay=one.rewinds)
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
        return playing, self._ask(Request(playing.opening()), playing)

    def seek(self, playing: Playing, place: Json) -> Request:
        """Has a replay go on from another place."""
        request = seeking(playing, place)
        return self._ask(request, playing if request.body["op"] == "replay_open" else None)

    def stop(self, playing: Playing) -> Request | None:
        """Closes a replay, where the server still has it; what has become of it ends, too."""
        was, playing.state = playing.state, "closed"
        self._playing = [other for other in self._playing if other is not playing]
        if was == "live":
            return self.unsubscribe(playing.options["channels"], playing.options["symbols"])
        if was in ("failed", "closed") or playing.name is None:
            return None
        return self.ask("replay_close", replay=playing.name)

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
        """The next record of a replay; once that is live, of the session."""
        while playing.records:
            record = playing.records.popleft()
            if isinstance(record, Record):
                return record
            tell(record, self._on_gap)
        return self.pop() if playing.state == "live" else None

    # What happens to the connection.

    def connected(self, now: float) -> None:
        """There is a connection: all that was asked for is asked for on it."""
        self.state, self._heard, self._leave = "live", now, None
        self.outbox.clear()
        self._timers.clear()
        lost, self._pending = list(self._pending.values()), {}
        self._turning = None
        self._cut_off = [one for one in self._subscriptions if one.rewinds is not None]
        for one in self._subscriptions:
            waiting = next((request for request, about in lost if about is one), None)
            if one.rewinds is None:
                self._again(one, waiting)
        for playing in self._playing:
            self._return(playing, lost)
        for request, about in lost:
            if request is None or about is not None:
                continue
            if not request.body["op"].startswith("replay_"):
                self._ask(request)
            elif request.body["op"] == "replay_close":
                # It ended with its connection.
                request.answer = {}
            elif not any(request in playing.waiting for playing in self._playing):
                # It was heeded, or not: nobody knows.
                request.error = RequestError("lost", "The connection was lost before the answer.", retryable=True)

    def _return(self, playing: Playing, lost: list[tuple[Request | None, Subscription | Playing | None]]) -> None:
        """Has a replay go on where it stood; what is asked of it, and does no harm twice, is asked again then."""
        waiting = next((request for request, about in lost if about is playing), None)
        about_it = [request for request, _ in lost if request and request.body.get("replay", "") == playing.name]
        if playing.over or playing.state == "live":
            playing.name = None
            return
        if playing.joins and playing.opened:
            message = "The connection was lost, and what was played meanwhile with it: join again."
            playing.told, playing.state = {"code": "lost", "message": message}, "failed"
            return
        playing.waiting = [request for request in about_it if request.body["op"] not in ("replay_step", "replay_close")]
        playing.lose()
        self._ask(waiting or Request(playing.opening(), watched=False), playing)

    def _again(self, one: Subscription, waiting: Request | None) -> None:
        """Comes back to a subscription's streams; asks for the state of those of which there is none yet."""
        if one.found is None or self._newest_cursor is None:
            self._ask(waiting or Request(one.opening()), one)
            return
        self._ask(Request(one.opening(self._newest_cursor), watched=False), one)
        interval = one.options.get("interval", "1m")
        for channel in one.channels:
            kind = interval if channel == "candles" else None
            bare = [symbol for symbol in one.found if (channel, symbol, kind) not in self.streams]
            if bare and one.options.get("snapshot", True):
                self._ask(Request(Subscription([channel], bare, one.options).opening(), watched=False))

    def _rewind_on(self, epoch: str) -> None:
        """Goes on with what subscriptions begin with, where the server is the same; with what is live, where not."""
        for one in self._cut_off:
            same = one.began is not None and one.began.partition(":")[0] == epoch
            # It has no name before the answer.
            one.rewinds = ""
            if one.rewound is None:
                # Nothing had come.
                self._ask(Request(one.opening(), watched=False), one)
            elif same:
                self.streams.once = True
                self._ask(Request(one.going_on(), watched=False), one)
            else:
                # It has another recording, and says what is missing.
                self._ask(Request(one.opening(one.began), watched=False), one)
                one.rewinds = None
                del one.options["rewind_ms"]
        self._cut_off = []

    def lost(self, code: int, reason: str) -> None:
        """The connection is gone.

        Raises where another one would be of no use.
        """
        if code in _AGAIN:
            self.state = "reconnecting"
            return
        self.state = "closed"
        if code == _UNAUTHORISED:
            hint = "" if not self._lacks_token() else " (no token was given: set TICKWIRE_TOKEN, or token=)"
            raise AuthError(f"the server ended the session: {reason or 'the token is not good any more'}{hint}")
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
            self._rewind_on(message["epoch"])
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
            self._ask(Request({"op": "auth", "token": self.token()}, watched=False))

    def _data(self, kind: str, message: Json) -> None:
        # Only a connection that brings something ends the waiting between attempts.
        self._attempts = 0
        if "replay" in message:
            self._played(kind, message)
            return
        self._put(_told(self.streams, kind, message), message.get("cursor"))
        self._mend()

    def _played(self, kind: str, message: Json) -> None:
        for one in self._subscriptions:
            if one.rewinds == message["replay"]:
                one.rewound = message["cursor"]
                self._put(_told(self.streams, kind, message), None)
                self.streams.broken.clear()
        for playing in self._playing:
            if playing.name == message["replay"]:
                playing.stand(message["cursor"])
                playing.take(kind, message, _told(playing.streams, kind, message))
                _bounded(playing.records)

    def _mend(self) -> None:
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
            if one.rewinds is None and "book" in one.channels and symbol in (one.found or ()):
                self._ask(Request(Subscription(["book"], [symbol], one.options).opening(), watched=False))
                return

    def _answer(self, message: Json) -> None:
        request, about = self._pending.pop(message.get("id", -1), (None, None))
        if message.get("op") == "subscribe" and "cursor" in message:
            self._newest_cursor = message["cursor"]
        if message.get("op") == "unsubscribe":
            self.streams.forget(message["channels"], message["symbols"])
        if message.get("op") == "subscribe" and "id" not in message:
            self._listed(message)
        if isinstance(about, Subscription):
            about.found = list(message["symbols"])
            self.rejected = [one for one in self.rejected if one not in message["rejected"]] + message["rejected"]
            about.rewinds = message.get("replay")
            if about.rewinds is not None:
                about.began = message.get("cursor", about.began)
        elif isinstance(about, Playing):
            self._opened(about, message)
        elif request is not None and "replay" in message:
            for playing in self._playing:
                if playing.name == message["replay"]:
                    playing.change(message["op"], request.body)
        if request is not None:
            request.answer = message

    def _listed(self, message: Json) -> None:
        """What was listed later and matches a pattern, or what a replay has become."""
        turning, self._turning = self._turning, None
        for one in [turning] if turning else self._subscriptions:
            if one.found is not None and set(message["channels"]) <= set(one.channels):
                one.found += [symbol for symbol in message["symbols"] if symbol not in one.found]

    def _opened(self, playing: Playing, message: Json) -> None:
        if playing.state == "closed":
            # It was given up meanwhile.
            self._ask(Request({"op": "replay_close", "replay": message["replay"]}, watched=False))
            return
        playing.open(message)
        for request in playing.waiting:
            request.body["replay"] = playing.name
            self._ask(request)
        playing.waiting = []

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
        told = message["message"]
        if message["code"] == "unauthenticated" and self._lacks_token():
            told += " No token was given: set TICKWIRE_TOKEN, or token=."
        request.error = RequestError(message["code"], told, retryable=message["retryable"])
        if not request.watched:
            raise request.error

    def _replay(self, message: Json) -> None:
        for one in self._subscriptions:
            if one.rewinds == message["replay"]:
                warn(message.get("damages", ()))
                if message["state"] == "live":
                    del one.options["rewind_ms"]
                    one.rewinds, one.rewound, self._turning, self.streams.once = None, None, one, False
                    self._put((), message["cursor"])
                elif message["state"] == "failed":
                    why = message.get("message", "The server cannot go on with it.")
                    raise RequestError("replay_failed", why)
                else:
                    one.rewound = message["cursor"]
        for playing in self._playing:
            if playing.name == message["replay"] and not playing.over:
                playing.tell(message)
                if playing.state == "paused" and playing.steps and playing.owed == 0:
                    # Those that another connection did not bring.
                    playing.steps, playing.owed = 0, playing.steps
                    body = {"op": "replay_step", "replay": playing.name, "records": playing.owed}
                    self._ask(Request(body, watched=False))
                elif playing.state == "live":
                    self._turn(playing, message["cursor"])

    def _turn(self, playing: Playing, cursor: str) -> None:
        """A replay goes on as a subscription."""
        options = {name: value for name, value in playing.options.items() if name not in _OF_REPLAYS}
        symbols = list(playing.opened["symbols"])
        self._turning = Subscription(playing.options["channels"], playing.options["symbols"], options, symbols)
        self._subscriptions.append(self._turning)
        self.streams.adopt(playing.streams)
        playing.name, playing.streams = None, self.streams
        self._put((), cursor)

    def _ask(self, request: Request, about: Subscription | Playing | None = None) -> Request:
        self._id += 1
        request.body["id"] = self._id
        self._pending[self._id] = (request, about)
        self.outbox.append(json.dumps(request.body))
        return request


def clean(token: str | None) -> str | None:
    """A token without the white space that files and shells leave around it; none where there is nothing else.

    What cannot be one is refused without being told: errors end up in logs.
    """
    if token is None:
        return None
    if not isinstance(token, str):
        raise AuthError(f"the token is a {type(token).__name__}, and must be a text (TICKWIRE_TOKEN, or token=)")
    token = token.strip()
    for place, letter in enumerate(token, 1):
        if not "!" <= letter <= "~":
            kind = "a space" if letter == " " else "a line's end" if letter in "\r\n" else f"U+{ord(letter):04X}"
            raise AuthError(
                f"the token has {kind} in it, after {place - 1} letters of {len(token)}, which no token has "
                "(it is TICKWIRE_TOKEN, or token=)"
            )
    return token or None


def _told(streams: Streams, kind: str, message: Json) -> list[Record | Gap]:
    if kind == "gap":
        gap = streams.gap(message)
        return [] if gap is None else [gap]
    return streams.snapshot(message) if kind == "snapshot" else streams.update(message)


def _bounded(records: deque[Any]) -> None:
    if len(records) > QUEUE_MAX:
        raise TickwireError(f"more than {QUEUE_MAX:,} records wait: loop over all that is subscribed to or replayed")
