"""What was asked for: requests that wait, and streams and replays that are to be asked for again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ._selecting import warn
from ._streams import Streams
from ._wire import Json
from .errors import RequestError
from .records import Gap, Record

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
    #: The replay that it begins with, as long as that goes on.
    rewinds: str | None = None
    #: How far that has come, and where what is live stood when it began.
    rewound: str | None = None
    began: str | None = None

    def opening(self, resume: str | None = None) -> Json:
        """The request for it."""
        if resume is None:
            return {"op": "subscribe", **self._wish(), **self.options}
        return {"op": "subscribe", **self._wish(), "resume": resume}

    def going_on(self) -> Json:
        """The request for the rest of what it begins with, and then for it."""
        return {"op": "replay_open", **self._wish(), "cursor": self.rewound, "speed": "max", "live": True}

    def _wish(self) -> Json:
        options = {name: value for name, value in self.options.items() if name != "rewind_ms"}
        return {"channels": self.channels, "symbols": self.symbols, **options}


@dataclass
class Playing:
    """A replay on the server, as it was asked for and as it stands."""

    options: Json
    name: str | None = None
    opened: Json = field(default_factory=dict)
    state: str = "opening"
    told: Json = field(default_factory=dict)
    streams: Streams = field(default_factory=lambda: Streams(once=True))
    records: deque[Record | Gap] = field(default_factory=deque)
    #: Where it goes on, on another connection; empty where it begins.
    since: Json = field(default_factory=dict)
    #: Records that were asked for by steps and have not come.
    steps: int = 0
    #: Of these, what was asked for again on another connection.
    owed: int = 0
    #: By how much the server was late, at most.
    late_ms: int = 0
    #: How it stood where it began has come.
    begun: bool = False
    #: It was opened anew, since it began or was sought.
    again: bool = False
    #: Records have come, since it began or was sought.
    had: bool = False
    #: A part of it came by a connection of before: the server's digest is of the rest.
    is_rest: bool = False
    #: What waits for it to be there again.
    waiting: list[Request] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Nothing more of it comes, unless it is sought."""
        return self.state in ("finished", "failed", "closed")

    @property
    def joins(self) -> bool:
        """Another one has its clock."""
        return "join" in self.options

    @property
    def rests(self) -> bool:
        """It waits for whoever loops over it: to be resumed, stepped or sought."""
        return self.state == "paused" and self.steps == self.owed == 0 and not self.joins

    def opening(self) -> Json:
        """The request for it, from where it stands."""
        body = {"op": "replay_open", **self.options}
        if self.opened:
            # The one that is being made may be another one by now.
            body["recording"] = self.opened["recording"]
        if self.since:
            body = {name: value for name, value in body.items() if name not in ("from", "cursor")}
        return {**body, **self.since}

    def lose(self) -> None:
        """Its connection is gone."""
        self.name, self.is_rest = None, self.is_rest or self.had
        self.steps, self.owed, self.begun, self.again = self.steps + self.owed, 0, False, True

    def open(self, ack: Json) -> None:
        """It is there."""
        self.name, self.opened, self.state = ack["replay"], ack, "opening"
        if not self.joins and "cursor" not in self.options:
            self.since = self.since or {"from": ack["from"]}

    def change(self, op: str, asked: Json) -> None:
        """A request about it was heeded."""
        if op == "replay_seek":
            self.since = {"cursor": asked["cursor"]} if "cursor" in asked else {"from": asked["to"]}
            self.begin()
            self.state = "seeking"
        elif op == "replay_speed":
            self.options["speed"] = asked["speed"]
        elif op in ("replay_pause", "replay_resume", "replay_step"):
            self.options["paused"] = op != "replay_resume"
            self.steps, self.owed = self.steps + asked["records"] if op == "replay_step" else 0, 0
            if self.state in ("playing", "paused"):
                self.state = "paused" if op == "replay_pause" else "playing"

    def begin(self) -> None:
        """It is elsewhere: nothing of before counts."""
        self.streams, self.had, self.is_rest = Streams(once=True), False, False
        self.steps, self.owed, self.begun, self.again = 0, 0, False, False
        self.records.clear()

    def tell(self, message: Json) -> None:
        """How it stands."""
        if self.joins and message["state"] == "seeking":
            # Who has its clock has sought. What waits was before.
            self.streams = Streams(once=True)
        self.told, self.state = {**self.told, **message}, message["state"]
        self.late_ms = max(self.late_ms, message.get("late_ms", 0))
        if self.state == "finished" or (self.state == "paused" and not self.again):
            self.steps = 0
        if self.state in ("paused", "playing"):
            self.begun = True
            self.stand(message["cursor"])
        warn(message.get("damages", ()))

    def stand(self, cursor: str) -> None:
        """Everything up to here has come."""
        if self.joins and place(cursor) < place(self.since.get("cursor", cursor)):
            self.streams = Streams(once=True)
        self.since = {"cursor": cursor}

    def take(self, kind: str, message: Json, told: list[Record | Gap]) -> None:
        """Records of a message."""
        if self.begun:
            self.had = True
            self.steps = max(0, self.steps - sum(1 + one.coalesced for one in told if isinstance(one, Record)))
            self.steps = max(0, self.steps - (kind == "gap" and message["reason"] == "feed_gap"))
        self.records.extend(told)


def place(cursor: str) -> int:
    """Where a cursor stands in the total order."""
    return int(cursor.rpartition(":")[2])


def seeking(playing: Playing, to: Json) -> Request:
    """Goes elsewhere; a replay that ended with its connection is opened there anew."""
    if playing.name is not None:
        return Request({"op": "replay_seek", "replay": playing.name, **to})
    playing.change("replay_seek", to)
    return Request(playing.opening())


def fields(**named: Any) -> Json:
    """Those that are not ``None``."""
    return {name: value for name, value in named.items() if value is not None}
