"""Sessions with a server that says what it is told to: what a real one says seldom, or not yet."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import tickwire
from tickwire import BookDelta, Gap, Record, Trade
from tickwire._core import Core
from tickwire._streams import Streams
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

WELCOME = {
    "type": "welcome", "protocol": "tickwire.v1", "server": "tickwire/0.1.0", "session": "s", "epoch": "e",
    "authenticated": True, "heartbeat_ms": 5000, "limits": {},
}  # fmt: skip


class Line:
    """One connection, as the script has it."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.say(WELCOME)

    def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._socket.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        return dict(json.loads(self._socket.recv()))

    def answer(self, **more: Any) -> dict[str, Any]:
        """Takes a request and acknowledges it."""
        asked = self.hear()
        said = {"type": "ack", "id": asked["id"], "op": asked["op"], "rejected": [], **more}
        for name in ("channels", "symbols", "replay"):
            if name in asked:
                said.setdefault(name, asked[name])
        self.say(said)
        return asked

    def close(self, code: int, reason: str = "") -> None:
        self._socket.close(code, reason)


@contextmanager
def scripted(*scripts: Callable[[Line], None]) -> Iterator[str]:
    """A server whose first connection goes as the first script says, and so on."""
    left, faults = list(scripts), list[BaseException]()

    def handle(socket: ServerConnection) -> None:
        try:
            left.pop(0)(Line(socket))
            for _ in socket:
                pass
        except ConnectionClosed:
            pass
        except BaseException as error:
            faults.append(error)
            raise

    with serve(handle, "127.0.0.1", 0, subprotocols=["tickwire.v1.json"], max_size=None) as server:  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/stream"
        server.shutdown()
        thread.join()
    assert not faults and not left, (faults, left)


#: Of a book of one bid, 1 at 100.0.
CHECKSUM = zlib.crc32(b"10001")
AT = "2026-11-20T14:30:00.350100000Z"


def trade(sequence: int, symbol: str = "BTC-USD", **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "sequence": sequence, "price": "68900.50", "size": "0.10", "side": "buy",
            "ts_event": AT, "ts_recv": AT, **more}  # fmt: skip


def trades(cursor: str, *records: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "update", "channel": "trades", "cursor": cursor, "data": list(records), **more}


def test_who_is_sent_away_comes_back_with_the_cursor() -> None:
    def first(line: Line) -> None:
        assert line.answer(cursor="e:1") == {
            "op": "subscribe", "id": 1, "channels": ["trades"], "symbols": ["BTC-*"], "conflate_ms": 0,
        }  # fmt: skip
        line.say(trades("e:2", trade(1)), trades("e:3", trade(2)))
        line.say({"type": "draining", "reason": "shutdown", "reconnect_after_ms": 30, "deadline": AT, "ledger": []})

    def second(line: Line) -> None:
        asked = line.answer(cursor="e:3", resumed=True)
        assert (asked["resume"], asked["symbols"]) == ("e:3", ["BTC-*"])
        line.say(trades("e:4", trade(2), trade(3)))
        line.close(1012, "restart")

    def third(line: Line) -> None:
        assert line.hear()["resume"] == "e:4"
        line.close(4501, "token_revoked")

    with scripted(first, second, third) as url, tickwire.connect(url) as session:
        got = []
        with pytest.raises(tickwire.AuthError, match="the server ended the session: token_revoked"):
            for record in session.subscribe("trades", "BTC-*", conflate_ms=0):
                got.append(record.sequence)
        assert got == [1, 2, 3] and session.reconnects == 2 and session.state == "closed"


def test_what_must_change_first_is_raised() -> None:
    def kicked(line: Line) -> None:
        line.answer(cursor="e:1")
        line.close(4505, "kicked")

    with scripted(kicked) as url, tickwire.connect(url) as session:
        with pytest.raises(tickwire.Closed, match=r"closed the connection with 4505 \(kicked\)") as closed:
            list(session.subscribe("trades"))
        assert (closed.value.code, closed.value.reason) == (4505, "kicked")


def test_a_new_token_is_sent_before_the_old_one_ends() -> None:
    tokens = iter(["old", "new"])

    def expiring(line: Line) -> None:
        line.answer(cursor="e:1")
        line.say({"type": "token_expiring", "expires_at": AT, "expires_in_ms": 60000})
        asked = line.hear()
        assert (asked["op"], asked["token"]) == ("auth", "new")
        line.say(trades("e:2", trade(1)))

    with scripted(expiring) as url, tickwire.connect(url, token=lambda: next(tokens)) as session:
        assert next(iter(session.subscribe("trades"))).sequence == 1


def test_who_asks_too_often_waits() -> None:
    def busy(line: Line) -> None:
        asked = line.hear()
        line.say({"type": "error", "id": asked["id"], "op": "subscribe", "code": "rate_limited", "message": "Later.",
                  "retryable": True, "details": {"retry_after_ms": 20}})  # fmt: skip
        assert line.answer(cursor="e:1") == asked
        line.say(trades("e:2", trade(1)))

    with scripted(busy) as url, tickwire.connect(url) as session:
        assert next(iter(session.subscribe("trades"))).sequence == 1


def test_who_was_busy_does_not_call_that_silence() -> None:
    def quick(line: Line) -> None:
        line.say({**WELCOME, "heartbeat_ms": 20})
        line.answer(cursor="e:1")
        line.say(trades("e:2", trade(1)), trades("e:3", trade(2)))

    async def read(url: str) -> int:
        async with tickwire.connect_async(url) as session:
            async for record in session.subscribe("trades"):
                if record.sequence == 2:
                    break
                time.sleep(0.2)
            return session.reconnects

    with scripted(quick) as url:
        assert asyncio.run(read(url)) == 0
    with scripted(quick) as url, tickwire.connect(url) as session:
        for record in session.subscribe("trades"):
            if record.sequence == 2:
                break
            time.sleep(0.2)
        assert session.reconnects == 0


def test_silence_is_a_lost_connection() -> None:
    def silent(line: Line) -> None:
        line.say({**WELCOME, "heartbeat_ms": 20})
        line.answer(cursor="e:1")

    def speaks(line: Line) -> None:
        assert line.answer(cursor="e:1")["resume"] == "e:1"
        line.say(trades("e:2", trade(1)))

    with scripted(silent, speaks) as url, tickwire.connect(url) as session:
        assert next(iter(session.subscribe("trades"))).sequence == 1 and session.reconnects == 1


def test_what_cannot_be_had_again_is_raised() -> None:
    def first(line: Line) -> None:
        line.answer(cursor="e:1")
        line.close(1012)

    def second(line: Line) -> None:
        asked = line.hear()
        line.say({"type": "error", "id": asked["id"], "op": "subscribe", "code": "subscription_limit",
                  "message": "Too many.", "retryable": False})  # fmt: skip

    with scripted(first, second) as url, tickwire.connect(url) as session:
        with pytest.raises(tickwire.RequestError, match="subscription_limit: Too many"):
            list(session.subscribe("trades"))


def test_backoff_is_spread_and_bounded() -> None:
    core = Core(None, None)
    waits = [core.backoff() for _ in range(400)]
    assert all(0 <= wait <= 30 for wait in waits) and max(waits) > 20 and min(waits[100:]) < 5
    assert max(Core(None, None).backoff() for _ in range(100)) <= 0.25


def book(kind: str, sequence: int, bids: list[list[str]], **more: Any) -> dict[str, Any]:
    data = {"symbol": "BTC-USD", "sequence": sequence, "bids": bids, "asks": [], "ts_recv": AT, **more}
    return {"type": kind, "channel": "book", "cursor": "e:1", "data": [data]}


def test_what_is_missing_is_told_and_doubted_books_are_not_shown() -> None:
    streams = Streams()
    streams.snapshot(book("snapshot", 5, [["100.0", "1"]], checksum=CHECKSUM))
    assert [type(one) for one in streams.update(book("update", 7, [["99", "2"]], prev_sequence=5, coalesced=1))] == [
        BookDelta
    ]
    assert streams.books["BTC-USD"].best_bid == (Decimal("100.0"), Decimal(1))
    # What was had, is not had again.
    assert streams.update(book("update", 7, [])) == []
    told = streams.update(book("update", 9, [["98", "1"]]))
    assert told[0] == Gap("book", "BTC-USD", 8, 8, 1, "hole", None, None, tickwire.to_ns(AT))
    assert "BTC-USD" not in streams.books and streams.broken == ["BTC-USD"]
    streams.snapshot(book("snapshot", 10, [["100.0", "1"]]))
    assert streams.books["BTC-USD"].checksum() == CHECKSUM
    told = streams.update(book("update", 11, [["99", "1"]], checksum=1))
    assert [one.reason for one in told if isinstance(one, Gap)] == ["checksum"] and "BTC-USD" not in streams.books
    gap = {"type": "gap", "channel": "book", "symbol": "BTC-USD", "from_sequence": 10, "to_sequence": 14, "count": 5,
           "reason": "slow_consumer", "cursor": "e:2"}  # fmt: skip
    told_gap = streams.gap(gap)
    assert told_gap is not None and (told_gap.from_sequence, told_gap.count) == (12, 3)
    assert streams.gap(gap) is None


def test_a_book_that_is_not_the_servers_is_asked_for_again() -> None:
    def wrong(line: Line) -> None:
        line.answer(cursor="e:1")
        line.say(book("snapshot", 1, [["100", "1"]], checksum=1))
        again = line.answer(cursor="e:1")
        assert (again["channels"], again["symbols"], again["checksum"]) == (["book"], ["BTC-USD"], True)
        line.say(book("snapshot", 2, [["100.0", "1"]], checksum=CHECKSUM))

    gaps: list[Gap] = []
    with scripted(wrong) as url, tickwire.connect(url, on_gap=gaps.append) as session:
        for record in session.subscribe("book", "BTC-USD", checksum=True):
            if record.sequence == 2:
                break
        assert [gap.reason for gap in gaps] == ["checksum"] and session.book("BTC-USD") is not None


def test_without_a_listener_a_gap_is_a_warning() -> None:
    def gap(line: Line) -> None:
        line.answer(cursor="e:1")
        line.say({"type": "gap", "channel": "trades", "symbol": "BTC-USD", "from_sequence": 1, "to_sequence": 3,
                  "count": 3, "reason": "slow_consumer", "cursor": "e:2"}, trades("e:3", trade(4)))  # fmt: skip

    with scripted(gap) as url, tickwire.connect(url) as session:
        with pytest.warns(tickwire.GapWarning, match="trades of BTC-USD 1 to 3: slow_consumer; give on_gap to be told"):
            assert next(iter(session.subscribe("trades"))).sequence == 4


# The replay on a server, by the texts of its protocol.

LATER = "2026-11-20T14:30:01.000000000Z"


def state(name: str, of: str, **more: Any) -> dict[str, Any]:
    return {"type": "replay", "replay": name, "state": of, "position": LATER, "cursor": f"{name}:3", "speed": 10,
            "progress": 0.5, "records": 3, "ts_sent": AT, **more}  # fmt: skip


def opened(line: Line, name: str = "r1") -> dict[str, Any]:
    return line.answer(replay=name, recording="rec", **{"from": AT, "to": LATER}, records=4)


def played(line: Line) -> None:
    asked = opened(line)
    assert asked == {
        "op": "replay_open", "id": 1, "recording": "rec", "channels": ["trades"], "symbols": ["BTC-*"], "from": AT,
        "speed": 10, "paused": True, "depth": 0,
    }  # fmt: skip
    line.say(state("r1", "paused", records=0, progress=0))
    for op, fields in (
        ("replay_speed", {"speed": "max"}),
        ("replay_step", {"records": 1}),
        ("replay_resume", {}),
    ):
        asked = line.answer()
        assert asked == {"op": op, "id": asked["id"], "replay": "r1", **fields}
    line.say(state("r1", "playing"), trades("r1:2", trade(1), trade(2), replay="r1"))
    asked = line.answer()
    assert (asked["op"], asked["to"]) == ("replay_seek", AT)
    # What was under way before the seek has come before its answer, and what comes behind is had again.
    line.say(trades("r1:1", trade(1), replay="r1"), trades("r1:4", trade(2), trade(3), replay="r1"))
    line.say(state("r1", "finished", progress=1, records=5, digest={"records": 5, "sha256": "ab"}))


def test_a_replay_on_the_server_is_the_same_loop() -> None:
    with scripted(played) as url, tickwire.connect(url) as session:
        replay = session.replay("rec", channels="trades", symbols="BTC-*", from_=AT, speed=10, paused=True, depth=0)
        assert replay.total == 4
        replay.set_speed("max")
        replay.step(1)
        assert repr(replay) == "<RemoteReplay rec playing: 0%, 0 records>"
        replay.resume()
        loop = iter(replay)
        assert [next(loop).sequence for _ in range(2)] == [1, 2]
        assert (replay.progress, replay.position) == (0.5, tickwire.to_ns(LATER))
        replay.seek(AT)
        assert [record.sequence for record in replay] == [1, 2, 3]
        assert (replay.state, replay.digest, replay.records) == ("finished", "ab", 5)


def test_async_replays_on_the_server_as_well() -> None:
    async def read(url: str) -> list[Record]:
        async with tickwire.connect_async(url) as session:
            replay = await session.replay("rec", channels="trades", symbols="BTC-*", from_=AT, speed=10, paused=True, depth=0)
            await replay.set_speed("max")
            await replay.step(1)
            await replay.resume()
            async for _ in replay:
                break
            await replay.seek(AT)
            return [record async for record in replay]

    with scripted(played) as url:
        got = asyncio.run(read(url))
        assert [record.sequence for record in got] == [1, 2, 3] and all(isinstance(record, Trade) for record in got)


def test_a_replay_goes_on_after_a_lost_connection() -> None:
    def first(line: Line) -> None:
        opened(line)
        line.say(trades("r1:1", trade(1), replay="r1"), trades("r1:2", trade(2, ts_recv=LATER), replay="r1"))
        line.close(1012)

    def second(line: Line) -> None:
        asked = opened(line, "r7")
        # From the last message on; what comes again all the same is left out.
        assert asked["cursor"] == "r1:2" and "from" not in asked and asked["recording"] == "rec"
        line.say(trades("r7:1", trade(2, ts_recv=LATER), trade(3, ts_recv=LATER), replay="r7"))
        line.say(state("r7", "finished", progress=1))

    with scripted(first, second) as url, tickwire.connect(url) as session:
        assert [record.sequence for record in session.replay("rec", channels="trades")] == [1, 2, 3]


def test_a_replay_that_fails_says_so() -> None:
    def unknown(line: Line) -> None:
        asked = line.hear()
        line.say({"type": "error", "id": asked["id"], "op": "replay_open", "code": "unknown_recording",
                  "message": "Unknown recording rec.", "retryable": False})  # fmt: skip
        opened(line)
        line.say(state("r1", "failed"))

    with scripted(unknown) as url, tickwire.connect(url) as session:
        with pytest.raises(tickwire.RequestError, match=r"unknown_recording: Unknown recording rec\."):
            session.replay("rec")
        with session.replay("rec") as replay, pytest.raises(tickwire.RequestError, match="replay_failed"):
            list(replay)
        assert replay.state == "closed"


def test_what_is_damaged_on_a_server_is_a_warning() -> None:
    def damaged(line: Line) -> None:
        opened(line)
        line.say(state("r1", "finished", damages=["00000001.twj at 16: torn"], late_ms=3))
        assert line.answer()["op"] == "replay_close"

    with scripted(damaged) as url, tickwire.connect(url) as session, session.replay("rec") as replay:
        with pytest.warns(tickwire.DamageWarning, match="00000001.twj at 16: torn"):
            assert list(replay) == [] and replay.late_ms == 3


def test_another_server_does_not_go_on_with_a_rewind() -> None:
    def first(line: Line) -> None:
        line.say({**WELCOME, "epoch": "d"})
        assert line.answer(cursor="d:5", replay="r1")["rewind_ms"] == 300_000
        line.say(trades("r1:2", trade(1), trade(2), replay="r1"))
        line.close(1012)

    def second(line: Line) -> None:
        # Its places are others: it says what is missing since, and tells what happens.
        asked = line.answer(cursor="e:1")
        assert asked["resume"] == "d:5" and "rewind_ms" not in asked
        line.say(trades("e:2", trade(9, prev_sequence=8)))

    gaps: list[Gap] = []
    with scripted(first, second) as url, tickwire.connect(url, on_gap=gaps.append) as session:
        loop = iter(session.subscribe("trades", "BTC-USD", rewind="5m"))
        assert [next(loop).sequence for _ in range(3)] == [1, 2, 9]
        assert [(gap.from_sequence, gap.to_sequence) for gap in gaps] == [(3, 8)]
