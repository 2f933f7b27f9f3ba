"""Holds the server to its promise from outside: every update is delivered, folded, or named.

usage: promise.py lost URL CA TOKEN          connections break, clients come back with their cursor
       promise.py counted URL CA TOKEN ADMIN  all ledgers together are what the metrics say
       promise.py slow URL CA TOKEN HEALTHY FROZEN SLOW SECONDS
                                              so many clients read all they can, nothing, 8 kB/s; then all they can

CA is - where there is no TLS.
"""

import asyncio
import json
import re
import socket as sockets
import ssl
import sys
import urllib.request
import zlib
from collections import defaultdict
from decimal import Decimal
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

CHANNELS = ["trades", "quotes", "ticker", "book", "candles", "status"]
PATIENCE = 60


class Stream:
    """What a client makes of one stream; it believes nothing."""

    def __init__(self):
        self.position = None
        self.delivered = self.coalesced = self.skipped = 0
        self.duplicates = 0
        self.book = None
        self.checksums = 0

    def snapshot(self, channel, record):
        if channel == "book":
            # It stands for what it replaces.
            self.skipped += 0 if self.position is None else record["sequence"] - self.position
            self.position = record["sequence"]
            self.book = ({}, {})
            self.levels(record)
        self.position = max(self.position or 0, record["sequence"])

    def update(self, channel, record):
        sequence = record["sequence"]
        before = record.get("prev_sequence", sequence - 1)
        assert record.get("coalesced", 0) == sequence - before - 1, record
        if sequence <= self.position:
            self.duplicates += 1
            return
        assert before <= self.position, f"a hole: at {self.position} came {record}"
        self.delivered += 1
        self.coalesced += sequence - before - 1
        self.position = sequence
        if channel == "book":
            self.levels(record)

    def gap(self, message):
        if "from_sequence" not in message:
            return
        assert message["from_sequence"] <= self.position + 1, f"a hole: at {self.position} came {message}"
        self.skipped += max(0, message["to_sequence"] - self.position)
        self.position = max(self.position, message["to_sequence"])

    def levels(self, record):
        for side, name in zip(self.book, ("bids", "asks")):
            for price, size in record[name]:
                if size == "0":
                    side.pop(Decimal(price), None)
                else:
                    side[Decimal(price)] = (price, size)
        if "checksum" in record:
            assert self.checksum() == record["checksum"], record
            self.checksums += 1

    def checksum(self):
        bids, asks = self.book
        best = [asks[p] for p in sorted(asks)[:10]] + [bids[p] for p in sorted(bids, reverse=True)[:10]]
        digits = "".join((p.replace(".", "").lstrip("0") + s.replace(".", "").lstrip("0")) for p, s in best)
        return zlib.crc32(digits.encode())


class Client:
    def __init__(self, url, context, token):
        self.url, self.context, self.token = url, context, token
        self.streams = defaultdict(Stream)
        self.cursor = None
        self.acks = []

    async def open(self, **options):
        # Who freezes reads no pong either; that is no reason to hang up.
        options.setdefault("ping_interval", None)
        headers = {"Authorization": f"Bearer {self.token}"}
        return await connect(self.url, ssl=self.context, additional_headers=headers, max_size=None, **options)

    def take(self, text):
        message = json.loads(text)
        kind = message["type"]
        assert kind != "error", message
        if kind in ("snapshot", "update"):
            channel = message["channel"]
            for record in message["data"]:
                stream = self.streams[channel, record["symbol"], record.get("interval")]
                getattr(stream, kind)(channel, record)
            empty = message.get("symbols", [])
            for symbol, place in zip(empty, message.get("sequences", [0] * len(empty))):
                stream = self.streams[channel, symbol, "1m" if channel == "candles" else None]
                stream.position = stream.position or place
                stream.book = ({}, {})
        elif kind == "gap":
            key = message["channel"], message["symbol"], message.get("interval")
            self.streams[key].gap(message)
        elif kind == "ack":
            self.acks.append(message)
        self.cursor = message.get("cursor", self.cursor)
        return message

    async def read(self, socket, count):
        for _ in range(count):
            self.take(await asyncio.wait_for(socket.recv(), PATIENCE))

    async def leave(self, socket):
        # What is in flight is read on meanwhile: a library that has stopped reading, its queue being
        # full, would not see the answer to its close either.
        closing = asyncio.create_task(socket.close())
        try:
            while True:
                self.take(await asyncio.wait_for(socket.recv(), PATIENCE))
        except ConnectionClosed:
            await closing

    async def ask(self, socket, request):
        await socket.send(json.dumps(request))
        while True:
            message = self.take(await asyncio.wait_for(socket.recv(), PATIENCE))
            if message["type"] == "ack" and message.get("id") == request["id"]:
                return message

    def check_ledger(self, ledger):
        for entry in ledger:
            parts = entry["delivered"] + entry["coalesced"] + entry["skipped"] + entry["pending"]
            assert entry["published"] == parts, entry

    def check_account(self, ledger):
        """What the ledger says is what came, stream by stream."""
        self.check_ledger(ledger)
        assert len(ledger) == len(self.streams), (len(ledger), len(self.streams))
        for entry in ledger:
            stream = self.streams[entry["channel"], entry["symbol"], entry.get("interval")]
            assert entry["last_sequence"] == stream.position, (entry, stream.position)
            for name in ("delivered", "coalesced", "skipped"):
                assert entry[name] == getattr(stream, name), (name, entry, getattr(stream, name))


SUBSCRIBE = {"op": "subscribe", "id": 1, "channels": CHANNELS, "symbols": ["*"], "checksum": True}


async def lost(url, context, token):
    client = Client(url, context, token)
    socket = await client.open()
    names = (await client.ask(socket, SUBSCRIBE))["symbols"]
    wanted = {(channel, name) for channel in CHANNELS for name in names}
    while {(channel, name) for channel, name, _ in client.streams} != wanted:
        await client.read(socket, 1)
    filled = 0
    for turn in range(12):
        await client.read(socket, 250)
        if turn % 3 == 2:
            # Make before break: the second connection first, both are read for a while.
            second = await client.open()
            ack = await client.ask(second, {**SUBSCRIBE, "resume": client.cursor})
            await client.read(second, 100)
            await client.read(socket, 100)
            await client.leave(socket)
            socket = second
        else:
            socket.transport.abort()
            await asyncio.sleep(0.2)
            socket = await client.open()
            ack = await client.ask(socket, {**SUBSCRIBE, "resume": client.cursor})
        assert ack["resumed"] == all(entry["state"] == "filled" for entry in ack["streams"]), ack
        filled += ack["resumed"]
    ack = await client.ask(socket, {"op": "ledger", "id": 2})
    client.check_ledger(ack["subscriptions"])
    # Whatever was missed while nobody was connected came afterwards, or was named.
    total = lambda name: sum(getattr(stream, name) for stream in client.streams.values())
    stale = await client.ask(socket, {**SUBSCRIBE, "id": 3, "resume": "0:1"})
    assert {entry["state"] for entry in stale["streams"]} == {"kept"}, stale
    other = Client(url, context, token)
    foreign = await other.open()
    ack = await other.ask(foreign, {**SUBSCRIBE, "resume": "0:1"})
    assert not ack["resumed"] and {entry["state"] for entry in ack["streams"]} == {"missing"}, ack
    seen = set()
    while seen != wanted:
        message = other.take(await asyncio.wait_for(foreign.recv(), PATIENCE))
        if message["type"] == "gap":
            assert message["reason"] == "cursor_expired" and "from_sequence" not in message, message
            seen.add((message["channel"], message["symbol"]))
    print(json.dumps({"filled": filled, "delivered": total("delivered"), "duplicates": total("duplicates"),
                      "skipped": total("skipped"), "checksums": total("checksums")}))


OPTIONS = [
    {},
    {"conflate_ms": 50, "depth": 5},
    {"overflow": "gap", "depth": 1},
    {"filter": {"min_size": "1"}, "max_age_ms": 5},
    {"trade_safe": True, "conflate_ms": 20, "priority": "high"},
    {"fields": ["price", "bid_price", "bids", "asks", "close", "last_price", "state"], "priority": "low"},
]


async def one(url, context, token, options, n):
    client = Client(url, context, token)
    # A small window, and nothing read for a while: the slow ones are slow.
    socket = await client.open(max_queue=1)
    if n % 3 == 1:
        await client.ask(socket, {"op": "pace", "id": 8, "bytes_per_second": 20000, "adaptive": True})
    await client.ask(socket, {**SUBSCRIBE, **options})
    for turn in range(6):
        await client.read(socket, 10)
        if n % 2:
            await asyncio.sleep(0.3)
        if n == 2:
            op = "unpause" if turn % 2 else "pause"
            await client.ask(socket, {"op": op, "id": 20 + turn, "channels": ["quotes"], "symbols": ["*"]})
    ack = await client.ask(socket, {"op": "unsubscribe", "id": 9, "channels": CHANNELS, "symbols": ["*"]})
    client.check_ledger(ack["ledger"])
    await client.leave(socket)
    return ack["ledger"]


def connected(url):
    """A socket with little room, so that the server notices a client that does not read."""
    socket = sockets.socket()
    socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 16 << 10)
    socket.connect((urlsplit(url).hostname, urlsplit(url).port))
    return socket


async def rider(url, context, token, symbol, pace, seconds):
    """Reads all it can (None) or so many bytes a second for a while, then all it can up to its ledger."""
    client = Client(url, context, token)
    socket = await client.open(max_queue=1, compression=None, **({} if pace is None else {"sock": connected(url)}))
    await client.ask(socket, {**SUBSCRIBE, "channels": ["trades", "quotes", "book"], "symbols": [symbol]})
    clock = asyncio.get_running_loop().time
    began = clock()
    taken = 0
    while (left := began + seconds - clock()) > 0:
        ahead = 0 if pace is None else left if pace == 0 else taken / pace - (clock() - began)
        if ahead > 0:
            await asyncio.sleep(min(ahead, left))
            continue
        try:
            text = await asyncio.wait_for(socket.recv(), left)
        except TimeoutError:
            break
        client.take(text)
        taken += len(text)
    ack = await client.ask(socket, {"op": "ledger", "id": 2})
    client.check_account(ack["subscriptions"])
    await client.leave(socket)
    return client


async def slow(url, context, token, healthy, frozen, slow, seconds):
    paces = [None] * int(healthy) + [0] * int(frozen) + [8000] * int(slow)
    scout = Client(url, context, token)
    socket = await scout.open()
    names = (await scout.ask(socket, {"op": "subscribe", "id": 1, "channels": ["status"], "symbols": ["*"]}))["symbols"]
    await scout.leave(socket)
    # Every kind of client gets every kind of symbol, the busy and the calm.
    riders = (rider(url, context, token, names[n * 7 % len(names)], pace, float(seconds)) for n, pace in enumerate(paces))
    clients = await asyncio.gather(*riders)
    totals = {"clients": len(clients), "ledgers": len(clients)}
    for name in ("delivered", "coalesced", "skipped", "checksums"):
        totals[name] = sum(getattr(stream, name) for client in clients for stream in client.streams.values())
    print(json.dumps(totals))


def scrape(admin):
    text = urllib.request.urlopen(f"http://{admin}/metrics", timeout=PATIENCE).read().decode()
    found = re.findall(r'^tickwire_updates_(\w+)_total\{channel="(\w+)"\} (\d+)$', text, re.M)
    return {(name, channel): int(value) for name, channel, value in found}


async def counted(url, context, token, admin):
    ledgers = await asyncio.gather(*(one(url, context, token, options, n) for n, options in enumerate(OPTIONS)))
    sums = defaultdict(int)
    for entry in (entry for ledger in ledgers for entry in ledger):
        for name in ("delivered", "coalesced", "skipped"):
            sums[name, entry["channel"]] += entry[name]
    for _ in range(PATIENCE * 10):
        told = scrape(admin)
        if all(told.get(key, 0) == value for key, value in sums.items()):
            break
        await asyncio.sleep(0.1)
    assert all(told.get(key, 0) == value for key, value in sums.items()), (dict(sums), told)
    totals = {name: sum(v for (n, _), v in sums.items() if n == name) for name in ("delivered", "coalesced", "skipped")}
    print(json.dumps(totals))


def main():
    mode, url, ca, token, *rest = sys.argv[1:]
    context = None if ca == "-" else ssl.create_default_context(cafile=ca)
    asyncio.run({"lost": lost, "counted": counted, "slow": slow}[mode](url, context, token, *rest))


if __name__ == "__main__":
    main()
