"""An independent client: subscribes, rebuilds the book, adds the trades up, and holds the server to
its word. Knows the protocol from PROTOCOL.md only.

    dashboard.py URL CA SYMBOL [--pace SECONDS --for SECONDS]

The token is in TICKWIRE_TOKEN. Reads until the feed has ended and nothing is pending, then prints
one JSON object with what it found. With --pace it first reads one message in so many seconds, for so
long, with a small buffer of its own, so that the backlog is the server's to deal with.
"""

import argparse
import asyncio
import hashlib
import json
import os
import socket
import ssl
import time
import zlib
from decimal import Decimal, getcontext
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

getcontext().prec = 60
CHANNELS = ["trades", "quotes", "ticker", "book", "status"]


class Book:
    """Price levels as texts; the checksum as PROTOCOL.md defines it."""

    def __init__(self):
        self.sides = {"bids": {}, "asks": {}}

    def apply(self, record, whole):
        for side, levels in self.sides.items():
            if whole:
                levels.clear()
            for price, size in record[side]:
                if size == "0":
                    levels.pop(Decimal(price), None)
                else:
                    levels[Decimal(price)] = (price, size)

    def best(self, side, count):
        levels = self.sides[side]
        return [levels[price] for price in sorted(levels, reverse=side == "bids")[:count]]

    def checksum(self):
        digits = lambda text: text.replace(".", "").lstrip("0")
        levels = self.best("asks", 10) + self.best("bids", 10)
        return zlib.crc32("".join(digits(price) + digits(size) for price, size in levels).encode())


class Client:
    def __init__(self):
        self.positions = {}
        self.streams = {}
        self.book = Book()
        self.checked = 0
        self.hash = hashlib.sha256()
        self.totals = dict.fromkeys(("trades", "volume", "notional", "buy_volume", "sell_volume"), Decimal(0))
        self.summaries = 0
        self.merged = 0
        self.notices = []
        self.largest = 0
        self.pending = None
        self.ended = False

    def hear(self, text):
        self.largest = max(self.largest, len(text))
        message = json.loads(text)
        kind = message["type"]
        if kind in ("snapshot", "update"):
            for record in message["data"]:
                self.take(message["channel"], record, kind == "snapshot")
            for symbol in message.get("symbols", []):
                self.positions[message["channel"], symbol] = 0
        elif kind == "ack" and message["op"] == "subscribe":
            assert message["rejected"] == [], message
        elif kind == "ack" and message["op"] == "ledger":
            self.account(message)
        elif kind == "notice":
            self.notices.append(message["state"])
        else:
            assert kind in ("welcome", "heartbeat"), message

    def take(self, channel, record, whole):
        stream = channel, record["symbol"]
        sequence = record["sequence"]
        if whole:
            assert "prev_sequence" not in record, record
        else:
            before = record.get("prev_sequence", sequence - 1)
            assert before == self.positions[stream], (stream, self.positions[stream], record)
            assert record.get("coalesced", 0) == sequence - before - 1, record
            self.merged += record.get("coalesced", 0)
            count = self.streams.setdefault(channel, [0, 0])
            count[0] += 1
            count[1] += sequence - before
        self.positions[stream] = sequence
        if channel == "trades" and not whole:
            self.trade(record)
        elif channel == "book":
            self.book.apply(record, whole)
            assert record["checksum"] == self.book.checksum(), record
            self.checked += 1
        elif channel == "status" and record["state"] == "source_down":
            self.ended = True

    def trade(self, record):
        if record.get("summary"):
            self.summaries += 1
            assert record["trades"] == record["coalesced"] + 1, record
            for name in self.totals:
                self.totals[name] += Decimal(record[name])
            return
        price, size = Decimal(record["price"]), Decimal(record["size"])
        self.totals["trades"] += 1
        self.totals["volume"] += size
        self.totals["notional"] += price * size
        self.totals[record["side"] + "_volume"] += size

    def account(self, ack):
        self.pending = 0
        for entry in ack["subscriptions"]:
            parts = entry["delivered"] + entry["coalesced"] + entry["skipped"] + entry["pending"]
            assert entry["published"] == parts, entry
            self.pending += entry["pending"]
        self.ledger = ack["subscriptions"]

    def report(self):
        for entry in self.ledger:
            got = self.streams.get(entry["channel"], [0, 0])
            # What a snapshot stood for was skipped, and is no update.
            assert [entry["delivered"], entry["published"] - entry["skipped"]] == got, (entry, got)
            assert entry["last_sequence"] == self.positions[entry["channel"], entry["symbol"]], entry
        return {
            "streams": self.streams,
            "checksums": self.checked,
            "top10": {side: self.book.best(side, 10) for side in ("bids", "asks")},
            "totals": {name: format(total.normalize(), "f") for name, total in self.totals.items()},
            "summaries": self.summaries,
            "merged": self.merged,
            "notices": self.notices,
            "largest_message": self.largest,
        }


def connection(options):
    url = urlsplit(options.url)
    sock = socket.socket()
    if options.pace:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    sock.connect((url.hostname, url.port))
    trust = ssl.create_default_context(cafile=options.ca)
    token = os.environ["TICKWIRE_TOKEN"]
    return connect(
        options.url,
        sock=sock,
        ssl=trust,
        subprotocols=["tickwire.v1.json"],
        additional_headers={"Authorization": f"Bearer {token}"},
        max_size=None,
        max_queue=1 if options.pace else 16,
        # Whoever reads that slowly sees the answer to a ping late, and must not think the server gone.
        ping_interval=None if options.pace else 20,
        compression=None,
    )


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("ca")
    parser.add_argument("symbol")
    parser.add_argument("--pace", type=float, default=0)
    parser.add_argument("--for", type=float, default=0, dest="slow_for")
    options = parser.parse_args()
    client = Client()
    async with connection(options) as server:
        assert server.subprotocol == "tickwire.v1.json"
        ask = {"channels": CHANNELS, "symbols": [options.symbol], "checksum": True, "depth": 20}
        await server.send(json.dumps({"op": "subscribe", "id": 1, **ask}))
        began = asked = time.monotonic()
        while client.pending != 0 or not client.ended:
            client.hear(await asyncio.wait_for(server.recv(), 60))
            if time.monotonic() - began < options.slow_for:
                await asyncio.sleep(options.pace)
            if client.ended and time.monotonic() - asked > 0.2:
                asked = time.monotonic()
                await server.send(json.dumps({"op": "ledger"}))
        print(json.dumps(client.report()))


asyncio.run(main())
