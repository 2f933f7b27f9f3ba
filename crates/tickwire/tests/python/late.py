"""Who has a market a second late: never anything of the last second, and then what everybody had.

usage: late.py ADDRESS CA      (tokens in LIVE, LATE and MIXED, which has BTC-USD live)
"""

import asyncio
import json
import os
import ssl
import sys
import time
import urllib.request
from datetime import datetime, timezone
from urllib.parse import urlencode

from websockets.asyncio.client import connect

PATIENCE, DELAY, SECONDS = 60, 1.0, 6
ADDRESS, CONTEXT = sys.argv[1], ssl.create_default_context(cafile=sys.argv[2])
LIVE, LATE, MIXED = (os.environ[name] for name in ("LIVE", "LATE", "MIXED"))
CHANNELS = ["trades", "quotes", "ticker", "book", "candles", "status"]
QUERY = {"checksum": "true", "depth": 10}


def seconds(text):
    whole, nanos = text.rstrip("Z").split(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    return moment.timestamp() + int(nanos) / 1e9


def get(path, query, token):
    url = f"https://{ADDRESS}{path}?{urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, context=CONTEXT, timeout=PATIENCE) as response:
        return json.load(response)


class Reader:
    """What one session is sent: every record by stream and sequence, and what each sequence's age was."""

    def __init__(self):
        self.records, self.states, self.cursors = {}, {}, []
        self.youngest = {}

    def take(self, message):
        now = time.time()
        if "cursor" in message:
            self.cursors.append(int(message["cursor"].split(":")[1]))
        if message["type"] not in ("snapshot", "update"):
            return
        for record in message["data"]:
            symbol = record["symbol"]
            age = now - seconds(record["ts_recv"])
            self.youngest[symbol] = min(age, self.youngest.get(symbol, age))
            key = message["channel"], symbol, record.get("interval"), record["sequence"]
            (self.states if message["type"] == "snapshot" else self.records)[key] = record

    async def run(self, token, until):
        url, headers = f"wss://{ADDRESS}/v1/stream", {"Authorization": f"Bearer {token}"}
        async with connect(url, ssl=CONTEXT, additional_headers=headers, max_size=None) as socket:
            wanted = {"op": "subscribe", "channels": CHANNELS, "symbols": ["*"], "checksum": True, "depth": 10}
            await socket.send(json.dumps(wanted))
            while time.monotonic() < until:
                message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
                assert message["type"] not in ("error", "gap"), message
                if message["type"] == "ack":
                    self.ack = message
                self.take(message)
            return self


def same(late, live):
    """Records that both had one by one are the same; of what the live one had, nothing is missing."""
    compared = 0
    of = lambda reader, stream: sorted(key[3] for key in reader.records if key[:3] == stream)
    for stream in {key[:3] for key in late.records}:
        ours, theirs = of(late, stream), of(live, stream)
        for sequence in ours:
            record = late.records[*stream, sequence]
            other = live.records.get((*stream, sequence))
            if other is not None and "prev_sequence" not in record and "prev_sequence" not in other:
                assert record == other, (record, other)
                compared += 1
            if other is not None and "checksum" in record:
                assert record["checksum"] == other["checksum"], (record, other)
        if theirs and not any("prev_sequence" in late.records[*stream, sequence] for sequence in ours):
            both = set(range(max(ours[0], theirs[0]), min(ours[-1], theirs[-1]) + 1))
            assert both.issubset(ours), (stream, sorted(both.difference(ours)))
    return compared


async def states(live, until):
    """States over plain HTTP: a second old, and such as the live session had them."""
    looks, pages, found = 0, 0, []
    while time.monotonic() < until:
        for channel in ("quotes", "book", "trades"):
            query = {"channel": channel, "symbols": "*"} | (QUERY if channel == "book" else {})
            asked = time.time()
            state = await asyncio.to_thread(get, "/v1/snapshot", query, LATE)
            answered = time.time()
            for record in state["data"]:
                assert answered - seconds(record["ts_recv"]) >= DELAY, (answered, asked, record)
                found.append(((channel, record["symbol"], None, record["sequence"]), record))
            looks += 1
        past = {"channel": "trades", "symbol": "BTC-USD", "order": "desc", "limit": 20}
        page = await asyncio.to_thread(get, "/v1/history", past, LATE)
        answered = time.time()
        assert all(answered - seconds(record["ts_recv"]) >= DELAY for record in page["data"]), page
        pages += len(page["data"])
        await asyncio.sleep(0.3)
    known = [(record, live.records[key]) for key, record in found if key in live.records]
    for record, other in known:
        if "checksum" in record:
            assert record["checksum"] == other["checksum"], (record, other)
        elif "prev_sequence" not in other:
            assert record == other, (record, other)
    assert looks >= 6 and pages >= 20 and len(known) >= 20, (looks, pages, len(known))


async def other_doors():
    query = {"channels": "trades,quotes,book", "symbols": "*"}
    cursor = (await asyncio.to_thread(get, "/v1/poll", query, LATE))["cursor"]
    for _ in range(3):
        news = await asyncio.to_thread(get, "/v1/poll", query | {"cursor": cursor}, LATE)
        now, cursor = time.time(), news["cursor"]
        records = [record for message in news["messages"] for record in message.get("data", [])]
        assert records and all(now - seconds(record["ts_recv"]) >= DELAY for record in records)
        await asyncio.sleep(0.2)
    names = [
        [entry["symbol"] for entry in (await asyncio.to_thread(get, "/v1/symbols", {}, token))["symbols"]]
        for token in (LIVE, LATE, MIXED)
    ]
    assert names[0] == names[1] == names[2] and len(names[0]) == 5, names

    def events():
        url = f"https://{ADDRESS}/v1/events?{urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {LATE}"})
        seen = 0
        with urllib.request.urlopen(request, context=CONTEXT, timeout=PATIENCE) as response:
            while seen < 50:
                line = response.readline().decode()
                if line.startswith("data: "):
                    for record in json.loads(line[6:]).get("data", []):
                        assert time.time() - seconds(record["ts_recv"]) >= DELAY, record
                        seen += 1

    await asyncio.to_thread(events)


async def main():
    until = time.monotonic() + SECONDS
    live, late, mixed = Reader(), Reader(), Reader()
    await asyncio.gather(
        live.run(LIVE, until + 0.5),
        late.run(LATE, until),
        mixed.run(MIXED, until),
        states(live, until),
        other_doors(),
    )
    assert "narrowed" not in live.ack, live.ack
    told = {entry["channel"]: entry["delay_ms"] for entry in late.ack["narrowed"]}
    assert told == {channel: 1000 for channel in CHANNELS}, late.ack
    assert min(late.youngest.values()) >= DELAY, late.youngest
    assert max(live.youngest.values()) < DELAY / 2, live.youngest
    compared = same(late, live)
    # Live and late in one session, and one cursor for both.
    ages = {symbol: age >= DELAY for symbol, age in mixed.youngest.items()}
    assert ages == {symbol: symbol != "BTC-USD" for symbol in live.ack["symbols"]}, mixed.youngest
    assert mixed.cursors == sorted(mixed.cursors)
    compared += same(mixed, live)
    assert compared > 1000, compared
    print(compared, "records compared")


asyncio.run(main())
