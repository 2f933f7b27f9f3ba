"""Replays over the protocol: the same records as the command line's, at any speed, with pauses and seeks between.

usage: replays.py ADDRESS CA TICKWIRE FOLDER RECORDING
(tokens in TICKWIRE_TOKEN, NARROW: trades of AAPL, NO_REPLAY: all streams and no replays)
"""

import asyncio
import json
import os
import random
import ssl
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from decimal import Decimal
from http.client import HTTPSConnection

from websockets.asyncio.client import connect

ADDRESS, CA, TICKWIRE, FOLDER, NAME = sys.argv[1:6]
RECORDING = f"{FOLDER}/{NAME}"
CHANNELS = ["trades", "quotes", "ticker", "book", "candles", "status"]
PATIENCE = 30


def tickwire(*args):
    return subprocess.run([TICKWIRE, *args], capture_output=True, text=True, check=True).stdout


def lines(*args):
    """What the command line plays, of the candles those of a minute."""
    all = map(json.loads, tickwire("replay", RECORDING, *args).splitlines())
    return [line for line in all if line.get("interval", "1m") == "1m"]


class Session:
    """A connection, and what its replays have sent."""

    def __init__(self, connection):
        self.connection, self.count, self.waiting = connection, 0, []

    async def next(self):
        return json.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE))

    async def until(self, wanted, seen=None):
        """Reads until a message is wanted; all before it goes to `seen`."""
        until = time.monotonic() + PATIENCE
        while True:
            message = self.waiting.pop(0) if self.waiting else await self.next()
            assert time.monotonic() < until, ("what was wanted did not come; the last was", message)
            if wanted(message):
                return message
            if seen is not None:
                seen.append(message)

    async def ask(self, op, seen=None, **fields):
        self.count += 1
        id = self.count
        await self.connection.send(json.dumps({"op": op, "id": id, **fields}))
        return await self.until(lambda message: message.get("id") == id, seen)

    async def open(self, seen=None, **fields):
        fields = {"recording": NAME, "channels": CHANNELS, "symbols": ["*"], "depth": 0, **fields}
        ack = await self.ask("replay_open", seen, **fields)
        assert ack["type"] == "ack", ack
        return ack

    async def state(self, *states, seen=None):
        return await self.until(lambda message: message["type"] == "replay" and message["state"] in states, seen)


@asynccontextmanager
async def session(token="TICKWIRE_TOKEN", **options):
    context = ssl.create_default_context(cafile=CA)
    bearer = {"Authorization": f"Bearer {os.environ[token]}"}
    async with connect(f"wss://{ADDRESS}/v1/stream", ssl=context, additional_headers=bearer, max_size=None, **options) as connection:
        one = Session(connection)
        assert (await one.next())["type"] == "welcome"
        yield one


def records(messages, kinds=("update", "snapshot")):
    """The records of messages, each with its channel."""
    for message in messages:
        if message["type"] in kinds and "replay" in message:
            for record in message["data"]:
                yield message["channel"], record


def same(messages, expected):
    """That messages have the records of these lines, in their order."""
    found = list(records(messages))
    assert len(found) == len(expected), (len(found), len(expected))
    for (channel, record), line in zip(found, expected):
        line = {key: value for key, value in line.items() if key not in ("channel", "venue", "venue_symbol", "snapshot")}
        record = {key: value for key, value in record.items() if key != "depth"}
        assert line == record, (channel, record, line)


def position(cursor):
    name, _, number = cursor.partition(":")
    return name, int(number)


async def as_it_was(expected):
    """All of it, as fast as it goes: record by record what the command line says, in one order."""
    async with session() as one:
        ack, seen = await one.open(speed="max"), []
        end = await one.state("finished", seen=seen)
        same(seen, expected)
        assert (end["records"], end["progress"]) == (len(expected), 1), end
        cursors = [position(message["cursor"]) for message in seen if "replay" in message and "cursor" in message]
        assert {name for name, _ in cursors} == {"r1"} and cursors == sorted(cursors)
        # What is told now and then has the newest page each time.
        told = [message["digest"] for message in seen if message["type"] == "replay" and "digest" in message]
        pages = dict.fromkeys((page["records"], page["sha256"]) for page in told)
        assert [records for records, _ in pages] == list(range(10_000, end["records"] + 1, 10_000)), told
        assert ack["records"] >= len(expected) and ack["rejected"] == [], ack
        return end["digest"]


async def again(digest):
    """The same digest at other speeds, with pauses and steps in between."""
    for speed in [50, 1000]:
        async with session() as one:
            await one.open(speed=speed, paused=True)
            await one.state("paused")
            dice, finished = random.Random(speed), False
            await one.ask("replay_resume", replay="r1")
            while not finished:
                wait = time.monotonic() + dice.random()
                while time.monotonic() < wait and not finished:
                    message = await one.next()
                    if message.get("state") == "finished":
                        end, finished = message, True
                if not finished:
                    before, seen = [], []
                    assert (await one.ask("replay_pause", before, replay="r1"))["op"] == "replay_pause"
                    ends = [message for message in before if message.get("state") == "finished"]
                    if ends:
                        end = ends[0]
                        break
                    steps = dice.randrange(1, 2000)
                    assert (await one.ask("replay_step", seen, replay="r1", records=steps))["records"] == steps
                    # Between the acks nothing was played.
                    assert not list(records(seen)), seen
                    state = await one.until(lambda message: message.get("state") in ("paused", "finished"), seen)
                    while state["state"] == "paused" and not list(records(seen)):
                        state = await one.state("paused", "finished", seen=seen)
                    if state["state"] == "finished":
                        end, finished = state, True
                    else:
                        assert len(list(records(seen))) == steps, (len(list(records(seen))), steps)
                        await one.ask("replay_resume", replay="r1")
            assert end["digest"] == digest, (speed, end, digest)


async def at_its_own_speed(expected):
    """At once and ten times as fast: how long it takes, and how late a record is at most."""
    times = sorted({line["ts_recv"] for line in expected})
    begin = times[len(times) // 3]
    for speed, seconds in [(1, 2), (10, 20)]:
        to = add(begin, seconds)
        async with session() as one:
            await one.open(speed=speed, to=to, **{"from": begin})
            seen, began = [], time.monotonic()
            end = await one.state("finished", seen=seen)
            took, late = time.monotonic() - began, max([m.get("late_ms", 0) for m in seen + [end] if m["type"] == "replay"])
            wanted = [line for line in clocked(expected) if begin <= line["clock"] < to]
            assert end["records"] == len(wanted), (end, len(wanted))
            last = seconds_between(begin, wanted[-1]["clock"]) / speed
            # A loaded machine may be late, but never early.
            assert last - 0.05 <= took, (took, last)
            print(f"{speed}x: {len(wanted)} records in {took:.3f} s, the last due after {last:.3f} s, at most {late} ms late")


def clocked(all):
    """Each line with the latest time of receipt so far: what a replay goes by."""
    clock, out = "", []
    for line in all:
        clock = max(clock, line["ts_recv"])
        out.append(line | {"clock": clock})
    return out


def nanos(text):
    date, _, fraction = text.rstrip("Z").partition(".")
    import datetime

    whole = datetime.datetime.fromisoformat(date + "+00:00")
    return int(whole.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def text_of(nanos):
    import datetime

    whole = datetime.datetime.fromtimestamp(nanos // 10**9, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S.") + f"{nanos % 10**9:09}Z"


def add(text, seconds):
    return text_of(nanos(text) + int(seconds * 10**9))


def seconds_between(one, other):
    return (nanos(other) - nanos(one)) / 10**9


def books_at(all, time):
    """Every book after all that was received before a time, made anew of its lines."""
    books = {}
    for line in all:
        if line["clock"] >= time:
            break
        if line["channel"] == "book":
            book = books.setdefault(line["symbol"], {"bids": {}, "asks": {}})
            for side in book:
                if line.get("snapshot"):
                    book[side].clear()
                for price, size in line[side]:
                    if size == "0":
                        book[side].pop(Decimal(price), None)
                    else:
                        book[side][Decimal(price)] = [price, size]
    return {
        symbol: {
            side: [levels for _, levels in sorted(book[side].items(), reverse=side == "bids")] for side in book
        }
        for symbol, book in books.items()
    }


async def seeks(expected, digest):
    """There and back: each place begins with the state that all lines before it come to."""
    all = clocked(expected)
    dice = random.Random(7)
    async with session() as one:
        await one.open(speed="max", paused=True)
        for turn in range(12):
            at = dice.randrange(len(all))
            place = all[at]["clock"]
            by_cursor = turn % 3 == 2
            target = {"cursor": f"r7:{turn * 4000 + 1}"} if by_cursor else {"to": place}
            began = time.monotonic()
            await one.ask("replay_seek", replay="r1", **target)
            seen = []
            await one.state("paused", seen=seen)
            took = time.monotonic() - began
            found = {}
            for message in seen:
                assert message["type"] != "update", "nothing before the state"
                for record in message["data"] if message["type"] == "snapshot" and message["channel"] == "book" else []:
                    found[record["symbol"]] = {side: record[side] for side in ("bids", "asks")}
            if not by_cursor:
                assert found == books_at(all, place), (turn, place)
                for symbol in list(found)[:1]:
                    before = text_of(nanos(place) - 1)
                    told = json.loads(tickwire("book", RECORDING, "--at", before, "-s", symbol, "--depth", "0"))
                    assert {side: told[side] for side in ("bids", "asks")} == found[symbol]
                rest = [line for line in all if line["clock"] >= place]
                ten = []
                await one.ask("replay_step", ten, replay="r1", records=min(10, len(rest)))
                await one.state("paused", "finished", seen=ten)
                while not list(records(ten, ["update"])):
                    await one.state("paused", "finished", seen=ten)
                changes = [(channel, record) for channel, record in records(ten, ["update"])]
                wanted = [(line["channel"], line["sequence"], line["symbol"]) for line in rest[:10]]
                assert [(channel, record["sequence"], record["symbol"]) for channel, record in changes] == wanted
            print(f"seek {turn}: {took * 1000:.1f} ms")
        # From the beginning it is what it always was.
        await one.ask("replay_seek", replay="r1", cursor="r1:0")
        await one.ask("replay_resume", replay="r1")
        end = await one.state("finished")
        assert end["digest"] == digest, end
        ack = await one.ask("replay_close", replay="r1")
        for entry in ack["ledger"]:
            sum = entry["delivered"] + entry["coalesced"] + entry["skipped"] + entry["pending"]
            assert entry["published"] == sum and entry["pending"] == entry["coalesced"] == entry["skipped"] == 0, entry


async def beside_what_is_live(expected):
    """Four at once and a subscription, on one connection that is read slowly: none loses anything."""
    async with session(max_queue=1) as one:
        await one.ask("subscribe", channels=["trades"], symbols=["*"])
        early = []
        for n in range(4):
            await one.open(early, speed="max", channels=[CHANNELS[n]], depth=5)
        refused = await one.ask("replay_open", early, recording=NAME, channels=["trades"], symbols=["*"])
        assert refused["code"] == "replay_limit", refused
        one.waiting = early
        counts, ended, live = dict.fromkeys(["r1", "r2", "r3", "r4"], 0), set(), 0
        places = {}
        while len(ended) < 4 or live == 0:
            message = one.waiting.pop(0) if one.waiting else await one.next()
            await asyncio.sleep(0.0005)
            replay = message.get("replay")
            if message["type"] == "replay":
                ended |= {replay} if message["state"] == "finished" else set()
            elif replay is None:
                live += message["type"] == "update"
            elif message["type"] in ("update", "snapshot"):
                assert message["channel"] == CHANNELS[int(replay[1:]) - 1]
                for record in message["data"]:
                    stream = replay, record["symbol"]
                    before = record.get("prev_sequence", record["sequence"] - 1)
                    if message["type"] == "update":
                        assert places.get(stream, 0) == before, (stream, record)
                        assert message["channel"] == "book" or "coalesced" not in record, record
                    places[stream] = record["sequence"]
                    counts[replay] += 1
        for n in range(3):
            wanted = sum(line["channel"] == CHANNELS[n] for line in expected)
            assert counts[f"r{n + 1}"] == wanted, (CHANNELS[n], counts, wanted)


async def refused():
    """What cannot be had, with its code; and nothing outside of the folder."""
    open = {"recording": NAME, "channels": ["trades"], "symbols": ["*"]}
    cases = [
        ({"recording": "../secret"}, "unknown_recording"),
        ({"recording": "%2e%2e"}, "unknown_recording"),
        ({"recording": "a" * 65}, "unknown_recording"),
        ({"recording": NAME[:-1] + "x"}, "unknown_recording"),
        ({"recording": "/etc"}, "unknown_recording"),
        ({"speed": 0}, "invalid_request"),
        ({"speed": 1001}, "invalid_request"),
        ({"speed": 1e308}, "invalid_request"),
        ({"speed": "10"}, "invalid_request"),
        ({"from": "yesterday"}, "invalid_request"),
        ({"from": "-5y"}, "invalid_request"),
        ({"to": "2026-11-20"}, "invalid_request"),
        ({"from": "2026-11-20T00:00:00Z", "cursor": "r1:5"}, "invalid_request"),
        ({"live": True, "to": "2026-11-20T00:00:00Z"}, "invalid_request"),
        ({"channels": ["nope"]}, "unknown_channel"),
        ({"resume": "r1:5"}, "invalid_request"),
    ]
    for changed, code in cases:
        async with session() as one:
            answer = await one.ask("replay_open", **(open | changed))
            assert (answer["type"], answer["code"]) == ("error", code), (changed, answer)
    async with session() as one:
        for op, fields in [("replay_seek", {}), ("replay_step", {"records": 0}), ("replay_speed", {}), ("replay_pause", {})]:
            answer = await one.ask(op, replay="r9", **fields)
            assert answer["code"] == "invalid_request", answer
    async with session() as one:
        times = {"from": "2026-11-20T14:30:10Z", "to": "2026-11-20T14:30:05Z"}
        answer = await one.ask("replay_open", **open, **times)
        assert answer["code"] == "invalid_request" and answer["details"] == {"field": "from"}, answer
        assert all(time[:19] in answer["message"] for time in times.values()), answer
        answer = await one.ask("replay_open", **(open | {"symbols": ["NO-SUCH", "NOR-THIS"]}))
        assert answer["code"] == "unknown_symbol" and len(answer["details"]["rejected"]) == 2, answer
        ack = await one.open(speed="max", channels=["trades"])
        await one.state("finished")
        for op, fields in [("replay_resume", {}), ("replay_step", {"records": 3}), ("replay_seek", {"to": "2099-01-01T00:00:00Z"})]:
            assert (await one.ask(op, replay=ack["replay"], **fields))["type"] == "ack"
            assert (await one.state("finished"))["progress"] == 1
    async with session("NO_REPLAY") as one:
        answer = await one.ask("replay_open", **open)
        assert answer["code"] == "forbidden", answer
    async with session("NARROW") as one:
        ack = await one.ask("replay_open", speed="max", **(open | {"channels": CHANNELS, "symbols": ["AAPL", "BTC-USD", "NO-SUCH"]}))
        assert ack["symbols"] == ["AAPL"], ack
        codes = {entry["symbol"]: entry["code"] for entry in ack["rejected"]}
        assert codes["BTC-USD"] == "forbidden" and codes["NO-SUCH"] == "unknown_symbol", ack
        seen = []
        await one.state("finished", seen=seen)
        found = {(channel, record["symbol"]) for channel, record in records(seen)}
        assert found == {("trades", "AAPL")}, found


def get(path, token="TICKWIRE_TOKEN", status=200):
    """What a door of recordings answers."""
    host, port = ADDRESS.rsplit(":", 1)
    context = ssl.create_default_context(cafile=CA)
    connection = HTTPSConnection(host, int(port), context=context, timeout=PATIENCE)
    connection.putrequest("GET", f"/v1/recordings{path}", skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {os.environ[token]}")
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == status, (path, response.status, body)
    return body


def over_http(expected):
    """The same without a socket: which there are, what is in one, its lines, a book at a time; and nothing else."""
    listed = {entry["recording"]: entry for entry in json.loads(get(""))["recordings"]}
    assert listed[NAME]["complete"] and not listed[NAME]["running"], listed
    assert sum(entry["running"] for entry in listed.values()) == 1, listed
    whole = json.loads(get(f"/{NAME}"))
    assert whole["records"] == listed[NAME]["records"] and whole["digest"]["sha256"] in tickwire("verify", RECORDING)
    assert {stream["symbol"] for stream in json.loads(get(f"/{NAME}", "NARROW"))["streams"]} == {"AAPL"}
    found = [json.loads(line) for line in get(f"/{NAME}?format=ndjson").splitlines()]
    assert found == expected, (len(found), len(expected))
    all = clocked(expected)
    begin, end = all[len(all) // 3]["clock"], all[len(all) // 2]["clock"]
    some = get(f"/{NAME}?format=ndjson&from={begin}&to={end}&channels=trades,book&symbols=A*", "TICKWIRE_TOKEN")
    wanted = [line for line in all if begin <= line["clock"] < end and line["channel"] in ("trades", "book") and line["symbol"][0] == "A"]
    assert [json.loads(line)["sequence"] for line in some.splitlines()] == [line["sequence"] for line in wanted]
    assert {json.loads(line)["channel"] for line in get(f"/{NAME}?format=ndjson", "NARROW").splitlines()} == {"trades"}
    for depth in [0, 5]:
        book = json.loads(get(f"/{NAME}/book?symbol=AAPL&at={begin}&depth={depth}"))["data"][0]
        told = json.loads(tickwire("book", RECORDING, "--at", begin, "-s", "AAPL", "--depth", str(depth)))
        assert all_but(book, "depth") == all_but(told, "depth", "channel", "venue", "venue_symbol", "snapshot"), (book, told)
    for path, status in [
        ("/%2e%2e%2fsecret", 404),
        ("/..%2f..%2fetc", 404),
        ("/nope", 404),
        (f"/{NAME}?format=xml", 400),
        (f"/{NAME}?form=ndjson", 400),
        (f"/{NAME}?from={begin}", 400),
        (f"/{NAME}?format=ndjson&channels=nope", 400),
        (f"/{NAME}/book?symbol=NO-SUCH", 404),
        (f"/{NAME}/book?symbol=AAPL&depth=7", 400),
        (f"/{NAME}/book", 400),
    ]:
        problem = json.loads(get(path, status=status))
        assert problem["status"] == status and problem["detail"], problem
    get("", "NO_REPLAY", 403)
    rules = {json.loads(get(f"/{NAME}/book?symbol=AAPL&depth={depth}", status=400))["detail"] for depth in ["7", "51", "-1", "x"]}
    assert len(rules) == 1, rules
    assert "Did you mean AAPL?" in json.loads(get(f"/{NAME}/book?symbol=AAPLE", status=404))["detail"]
    # Records as they are would be more than these tokens give.
    problem = json.loads(get(f"/{NAME}?format=ndjson&channels=book&symbols=AAPL", "BOUNDED", 403))
    assert problem["code"] == "forbidden", problem
    lone = json.loads(get(f"/{NAME}/book?symbol=AAPL&depth=20", "BOUNDED"))["data"][0]
    assert len(lone["bids"]) == 1 and lone["depth"] == 1, lone
    get(f"/{NAME}/book?symbol=AAPL", "NARROW", 403)


def all_but(record, *names):
    return {key: value for key, value in record.items() if key not in names}


async def main():
    expected = lines()
    over_http(expected)
    digest = await as_it_was(expected)
    await again(digest)
    whole = tickwire("replay", RECORDING, "--digest", "-c", ",".join(CHANNELS[:4])).strip()
    async with session() as one:
        await one.open(speed="max", channels=CHANNELS[:4])
        end = await one.state("finished")
        assert end["digest"]["sha256"] == whole, (end, whole)
    await at_its_own_speed(expected)
    await seeks(expected, digest)
    await beside_what_is_live(expected)
    await refused()


if __name__ == "__main__":
    asyncio.run(main())
