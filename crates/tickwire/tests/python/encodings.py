"""Two connections, one in each encoding: the same records, field by field and digit by digit.

usage: encodings.py ADDRESS CA      (the token in TICKWIRE_TOKEN)
"""

import asyncio
import json
import os
import ssl
import sys
from datetime import datetime, timezone

import msgpack
from websockets.asyncio.client import connect

CHANNELS = ["trades", "quotes", "ticker", "book", "candles", "status"]
ENOUGH = 3000


def text(value):
    """A message of the binary encoding with its times as texts; what is no time there is none here."""
    if isinstance(value, msgpack.Timestamp):
        whole = datetime.fromtimestamp(value.seconds, timezone.utc)
        return f"{whole:%Y-%m-%dT%H:%M:%S}.{value.nanoseconds:09}Z"
    if isinstance(value, dict):
        return {key: text(inner) for key, inner in value.items()}
    return [text(inner) for inner in value] if isinstance(value, list) else value


class Json:
    protocol, wrong = "tickwire.v1.json", b"\x80"
    write, read = staticmethod(json.dumps), staticmethod(json.loads)


class Packed:
    protocol, wrong = "tickwire.v1.msgpack", "{}"
    write = staticmethod(msgpack.packb)

    @staticmethod
    def read(message):
        assert isinstance(message, bytes)
        return text(msgpack.unpackb(message))


class Reader:
    def __init__(self, encoding, address, context):
        self.encoding, self.url, self.context = encoding, f"wss://{address}/v1/stream", context
        self.records, self.bytes = {}, 0

    async def run(self, other):
        headers = {"Authorization": f"Bearer {os.environ['TICKWIRE_TOKEN']}"}
        options = dict(ssl=self.context, additional_headers=headers, subprotocols=[self.encoding.protocol])
        async with connect(self.url, **options) as self.connection:
            assert self.connection.subprotocol == self.encoding.protocol
            welcome = await self.hear()
            assert welcome["type"] == "welcome" and welcome["ts_sent"].endswith("Z"), welcome
            await self.speak({"op": "echo", "id": 1, "payload": {"n": [1, -1, 2**40, 1.5, "é", None, True]}})
            assert (await self.hear())["payload"]["n"] == [1, -1, 2**40, 1.5, "é", None, True]
            await self.connection.send(self.encoding.wrong)
            error = await self.hear()
            assert error["code"] == "invalid_json", error
            await self.speak({"op": "subscribe", "id": "s", "channels": CHANNELS, "symbols": ["*"], "checksum": True})
            assert (await self.hear())["type"] == "ack"
            while len(self.records) < ENOUGH or len(other.records) < ENOUGH:
                message = await self.hear()
                if message["type"] == "update":
                    for record in message["data"]:
                        key = message["channel"], record["symbol"], record.get("interval"), record["sequence"]
                        self.records[key] = record
            await self.speak({"op": "ledger", "id": 9})
            while (message := await self.hear())["type"] != "ack":
                pass
            assert sum(entry["published"] for entry in message["subscriptions"]) >= ENOUGH

    async def speak(self, request):
        await self.connection.send(self.encoding.write(request))

    async def hear(self):
        message = await self.connection.recv()
        self.bytes += len(message)
        return self.encoding.read(message)


async def main(address, ca):
    context = ssl.create_default_context(cafile=ca)
    one, two = Reader(Json, address, context), Reader(Packed, address, context)
    await asyncio.gather(one.run(two), two.run(one))
    both = one.records.keys() & two.records.keys()
    assert len(both) > ENOUGH / 2, (len(both), len(one.records), len(two.records))
    for key in both:
        mine, other = one.records[key], two.records[key]
        # Where one of them was slower, its record stands for more.
        if mine.get("coalesced") == other.get("coalesced"):
            assert mine == other, (mine, other)
    print(len(both), one.bytes / len(one.records), two.bytes / len(two.records))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
