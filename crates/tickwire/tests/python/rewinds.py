"""Replays of what is being recorded: on into what happens now, by one clock for several, and for clients that are imagined.

usage: rewinds.py ADDRESS CA TICKWIRE FOLDER RECORDING      (the recording is being made; the token in TICKWIRE_TOKEN)
"""

import asyncio
import json
import time

from promise import Client
from replays import CHANNELS, NAME, add, records, seconds_between, session


class Reader(Client):
    """Follows streams over the border between what was recorded and what happens now."""

    def __init__(self):
        super().__init__(None, None, None)
        self.replayed = self.live = self.merged = 0

    def take(self, text):
        message = json.loads(text)
        if message["type"] == "update":
            for record in message["data"]:
                stream = self.streams[message["channel"], record["symbol"], record.get("interval")]
                # Streams begin with 1.
                stream.position = stream.position or record.get("prev_sequence", record["sequence"] - 1)
                if message["channel"] == "book" and stream.book is None:
                    stream.book = ({}, {})
            if "replay" in message:
                self.replayed += len(message["data"])
                self.merged += sum(record.get("coalesced", 0) for record in message["data"] if message["channel"] != "book")
            else:
                self.live += len(message["data"])
        return super().take(text)


async def on_into_now(request, patience=30):
    """All that was recorded since some moment, none of it merged, and then what happens: nothing missing, nothing twice."""
    async with session() as one:
        await one.connection.send(json.dumps({"id": 1, "channels": CHANNELS, "symbols": ["*"], "depth": 10, "checksum": True} | request))
        reader, turned, until = Reader(), None, time.monotonic() + patience
        while turned is None or time.monotonic() < turned + 1.5:
            assert time.monotonic() < until, (reader.replayed, reader.live, turned)
            message = reader.take(json.dumps(await one.next()))
            if message["type"] == "replay" and message["state"] == "live":
                assert turned is None and "replay" not in message["cursor"]
                turned, cursor = time.monotonic(), message["cursor"]
            if turned is not None:
                assert "replay" not in message or message["type"] == "replay", message
            assert message["type"] != "gap", message
        assert reader.replayed > 1000 and reader.live > 1000 and reader.merged == 0, vars(reader)
        for key, stream in reader.streams.items():
            assert stream.duplicates == 0, (key, stream.duplicates)
        assert sum(stream.checksums for stream in reader.streams.values()) > 200
        ack = next(ack for ack in reader.acks if ack["op"] == "subscribe" and "id" not in ack)
        assert ack["resumed"] and cursor.split(":")[0] != "r1", ack
        # They are subscriptions as any.
        ledger = await one.ask("ledger")
        assert len(ledger["subscriptions"]) == len(reader.streams), len(ledger["subscriptions"])
        print(f"{reader.replayed} records of before, {reader.live} of now, from {cursor} on")


async def over_a_thin_line():
    """What is merged, and what waits for a line that takes little, is on neither side of the border lost."""
    async with session() as one:
        await one.ask("pace", bytes_per_second=40_000)
        fields = {"channels": ["book"], "symbols": ["*"], "depth": 5, "checksum": True, "conflate_ms": 1000}
        await one.connection.send(json.dumps({"op": "subscribe", "id": 9, "rewind_ms": 3000} | fields))
        reader, turned, until = Reader(), None, time.monotonic() + 40
        while turned is None or time.monotonic() < turned + 3:
            assert time.monotonic() < until, "it never went live"
            message = reader.take(json.dumps(await one.next()))
            if message["type"] == "replay" and message["state"] == "live":
                turned = time.monotonic()
        assert sum(stream.checksums for stream in reader.streams.values()) > 10


async def who_waits_waits():
    """Paused, a replay does not go live; what is subscribed already keeps its account."""
    async with session() as one:
        await one.ask("subscribe", channels=["quotes"], symbols=["*"])
        ack = await one.ask("replay_open", channels=["quotes"], symbols=["*"], live=True, paused=True, **{"from": "-1s"})
        await one.state("paused")
        await one.ask("replay_step", replay=ack["replay"], records=1_000_000)
        seen, until = [], time.monotonic() + 1.5
        while time.monotonic() < until:
            seen.append(await one.next())
        assert not [message for message in seen if message.get("state") == "live"]
        await one.ask("replay_resume", seen, replay=ack["replay"])
        await one.state("live", seen=seen)
        ledger = await one.ask("ledger")
        for entry in ledger["subscriptions"]:
            sum = entry["delivered"] + entry["coalesced"] + entry["skipped"] + entry["pending"]
            assert entry["published"] == sum, entry


async def of_other_streams():
    """Who follows has streams of its own, also such as its leader does not read."""
    async with session() as leader, session() as second:
        to = (await leader.ask("replay_open", recording=NAME, channels=["status"], symbols=["*"], paused=True))["to"]
        ack = await leader.open(channels=["status"], to=to, speed="max", share=True)
        joined = await second.ask("replay_open", join=ack["share"], channels=["trades"], symbols=["*"])
        assert joined["type"] == "ack", joined
        end = await second.state("finished")
        assert end["records"] > 100, end
        # Where a clock tells when, the leader's streams do not, however few they are; and who waits, waits.
        begin = add(to, -6)
        ack = await leader.open(channels=["status"], to=to, speed=1, share=True, paused=True, **{"from": begin})
        joined = await second.ask("replay_open", join=ack["share"], channels=["trades"], symbols=["*"])
        await second.state("paused")
        await leader.ask("ping")
        seen, until = [], time.monotonic() + 1
        while time.monotonic() < until:
            await second.ask("ping", seen)
            await asyncio.sleep(0.1)
        assert not list(records(seen, ["update"])), seen
        await leader.ask("replay_resume", replay=ack["replay"])
        began, played = time.monotonic(), []
        await second.until(lambda message: played.append(message) or len(list(records(played, ["update"]))) > 50)
        last = max(record["ts_recv"] for _, record in records(played, ["update"]))
        assert seconds_between(begin, last) <= time.monotonic() - began + 1, (ack, last)


async def by_one_clock():
    """One leads and two follow, one of them late: with pauses, steps and seeks all stand where it stands."""
    async with session() as leader, session() as second, session() as third:
        fields = {"channels": ["trades", "quotes"], "to": None}
        to = (await leader.ask("replay_open", recording=NAME, channels=["status"], symbols=["*"], paused=True))["to"]
        await leader.ask("replay_close", replay="r1")
        ack = await leader.open(**(fields | {"to": to}), speed=2, share=True, paused=True)
        seen, follows = [[], [], []], {"join": ack["share"], "recording": None}
        ours = {"channels": fields["channels"], "symbols": ["*"], "depth": 0}
        joined = await second.ask("replay_open", join=ack["share"], **ours)
        assert (joined["share"], joined["to"]) == (ack["share"], ack["to"]), (joined, ack)
        name = [ack["replay"], joined["replay"], None]

        async def all_paused(sessions):
            for session, seen in sessions:
                await session.state("paused", seen=seen)

        await all_paused([(leader, seen[0]), (second, seen[1])])
        refused = await second.ask("replay_pause", replay=name[1])
        assert refused["code"] == "forbidden", refused
        await leader.ask("replay_step", seen[0], replay=name[0], records=500)
        await leader.state("paused", seen=seen[0])
        await second.until(lambda message: seen[1].append(message) or len(list(records(seen[1]))) >= 500)
        assert list(records(seen[0])) == list(records(seen[1])) and len(list(records(seen[0]))) == 500
        # Who comes late begins with the state there.
        late = await third.ask("replay_open", join=ack["share"], **ours)
        name[2] = late["replay"]
        await third.state("paused", seen=seen[2])
        assert list(records(seen[2], ["snapshot"])) and not list(records(seen[2], ["update"]))
        for each in seen:
            each.clear()
        await leader.ask("replay_seek", seen[0], replay=name[0], cursor="r1:2000")
        await leader.ask("replay_resume", seen[0], replay=name[0])
        await asyncio.sleep(0.5)
        await leader.ask("replay_speed", seen[0], replay=name[0], speed="max")
        ends = [await one.state("finished", seen=some) for one, some in zip((leader, second, third), seen)]
        assert ends[0]["digest"] == ends[1]["digest"] == ends[2]["digest"], ends
        found = [list(records(some, ["update"])) for some in seen]
        assert found[0] == found[1] == found[2][-len(found[0]):] and len(found[0]) > 1000, [len(all) for all in found]
        await leader.ask("replay_close", replay=name[0])
        failed = await second.state("failed")
        assert "over" in failed["message"], failed
        refused = await third.ask("replay_open", join=ack["share"], **ours)
        assert refused["code"] == "invalid_request", refused


async def what_a_slow_one_gets():
    """What a client of 20 kB/s would have got: merged, and the same each time, however the real one reads."""
    runs, until = [], None
    for nap in (0, 0.002, 0):
        async with session(max_queue=2) as one:
            if until is None:
                until = (await one.open(channels=["status"], paused=True))["to"]
                await one.ask("replay_close", replay="r1")
            await one.open(speed="max" if nap == 0 else 20, to=until, client_bytes_per_second=20_000, depth=5, checksum=True)
            out, ended = [], False
            while not ended:
                message = one.waiting.pop(0) if one.waiting else await one.next()
                await asyncio.sleep(nap)
                ended = message.get("state") == "finished"
                if message["type"] in ("update", "snapshot", "gap", "notice") and "replay" in message:
                    message = {key: value for key, value in message.items() if key not in ("replay", "cursor", "as_of", "ts_sent", "coalesced_since")}
                    out.append(message)
            runs.append(out)
    assert runs[0] == runs[1] == runs[2], [len(run) for run in runs]
    merged = sum(record.get("coalesced", 0) for message in runs[0] for record in message.get("data", []))
    notices = [message["state"] for message in runs[0] if message["type"] == "notice"]
    bytes = sum(len(json.dumps(message)) for message in runs[0])
    assert merged > 1000 and "started" in notices, (merged, notices)
    print(f"an imagined client of 20 kB/s: {len(runs[0])} messages, {bytes} bytes, {merged} events merged, three times the same")


async def main():
    await on_into_now({"op": "subscribe", "rewind_ms": 4000})
    await on_into_now({"op": "replay_open", "from": "-3s", "speed": "max", "live": True})
    await on_into_now({"op": "replay_open", "from": "-2s", "speed": 4, "live": True})
    await over_a_thin_line()
    await who_waits_waits()
    await by_one_clock()
    await of_other_streams()
    await what_a_slow_one_gets()


if __name__ == "__main__":
    asyncio.run(main())
