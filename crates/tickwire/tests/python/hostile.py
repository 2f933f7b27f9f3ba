"""Twenty thousand requests that are wrong in some way, each of which gets its documented code.

usage: hostile.py ADDRESS CA SEED COUNT      (the token in TICKWIRE_TOKEN)

Requests of every op are taken as they should be and broken in one place. A connection makes nine offences, hears its
nine errors with good requests between them, and is closed with the tenth. A bystander reads on all the while.
"""

import asyncio
import json
import os
import random
import ssl
import sys

from promise import Client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE, AT_A_TIME, OFFENCES = 60, 40, 10
ADDRESS, CONTEXT = sys.argv[1], ssl.create_default_context(cafile=sys.argv[2])
SEED, COUNT, TOKEN = int(sys.argv[3]), int(sys.argv[4]), os.environ["TICKWIRE_TOKEN"]

SUBSCRIBE = {"op": "subscribe", "channels": ["trades", "quotes"], "symbols": ["BTC-USD"]}
GOOD = [
    {"op": "auth", "token": TOKEN},
    SUBSCRIBE,
    SUBSCRIBE | {"channels": ["book"], "depth": 5, "conflate_ms": 100, "checksum": True, "snapshot": True},
    SUBSCRIBE | {"filter": {"min_size": "0.5", "side": "buy"}, "fields": ["price", "size"], "max_age_ms": 500},
    SUBSCRIBE | {"overflow": "gap", "priority": "low", "stamp": True, "trade_safe": False, "snapshot_limit": 5},
    SUBSCRIBE | {"channels": ["candles"], "interval": "1m", "resume": "mwpzsdba:918230"},
    {"op": "unsubscribe", "channels": ["trades"], "symbols": ["BTC-USD"]},
    {"op": "pause", "channels": ["trades"], "symbols": ["*"]},
    {"op": "unpause", "channels": ["trades"], "symbols": ["*"]},
    {"op": "pace", "bytes_per_second": 64000, "adaptive": True, "credit": False},
    {"op": "credit", "flushes": 3},
    {"op": "list"},
    {"op": "ledger"},
    {"op": "ping", "ts": "2026-11-20T14:30:11.000000000Z"},
]
# What a field's value must not be, by what it is.
KINDS = {str: [1, True, None, [], {}, 1.5], list: ["x", 1, True, {}, [1], [None], [[]]], bool: ["true", 1, 0, [], {}],
         int: ["1", -1, 1.5, True, [], 2**70, -2**70], dict: ["x", 1, [], True, {"nonsense": 1}, {"min_size": 1}]}
# A null is as good as nothing where nothing is good; echo's payload may be anything.
WORDS = {"interval": "2m", "overflow": "drop", "priority": "urgent", "depth": 7, "resume": "nonsense"}


class Hostile:
    """Makes requests that are wrong, with the code that each must get."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ways = [self.unknown_op, self.no_op, self.unknown_field, self.missing, self.wrong_kind, self.wrong_word,
                     self.unknown_channel, self.twice, self.cut, self.garbage, self.deep, self.not_an_object, self.bad_id]

    def next(self):
        while True:
            made = self.random.choice(self.ways)(dict(self.random.choice(GOOD)))
            if made is not None:
                return made

    def word(self):
        letters = "abcdefghijklmnopqrstuvwxyz_-*\u00e4\u4e2d\U0001f600\u0000\"\\\n"
        return "".join(self.random.choices(letters, k=self.random.randint(1, 40)))

    def unknown_op(self, request):
        word = self.word()
        known = {good["op"] for good in GOOD} | {"echo"}
        return (json.dumps(request | {"op": word}), "unknown_op") if word not in known else None

    def no_op(self, request):
        broken = self.random.choice([None, 1, True, [], {}])
        if broken is None:
            del request["op"]
        else:
            request["op"] = broken
        return json.dumps(request), "invalid_request"

    def unknown_field(self, request):
        word = "x" + self.word()
        return json.dumps(request | {word: self.random.choice([1, "x", None, [], {}])}), "invalid_request"

    def missing(self, request):
        needed = {"auth": ["token"], "subscribe": ["channels", "symbols"], "unsubscribe": ["channels", "symbols"],
                  "pause": ["channels", "symbols"], "unpause": ["channels", "symbols"], "credit": ["flushes"]}
        fields = needed.get(request["op"])
        if not fields:
            return None
        del request[self.random.choice(fields)]
        return json.dumps(request), "invalid_request"

    def wrong_kind(self, request):
        fields = [name for name in request if name != "op"]
        if not fields:
            return None
        field = self.random.choice(fields)
        value = self.random.choice(KINDS[type(request[field])])
        if value is None and field not in ("token", "channels", "symbols", "flushes"):
            return None
        return json.dumps(request | {field: value}), "invalid_request"

    def wrong_word(self, request):
        field = self.random.choice([name for name in request if name in WORDS] or [None])
        return field and (json.dumps(request | {field: WORDS[field]}), "invalid_request")

    def unknown_channel(self, request):
        word = "x" + self.word()
        return "channels" in request and (json.dumps(request | {"channels": ["trades", word]}), "unknown_channel") or None

    def twice(self, request):
        field = self.random.choice(list(request))
        text = json.dumps(request)
        return f"{text[:-1]}, {json.dumps(field)}: {json.dumps(request[field])}}}", "invalid_request"

    def cut(self, request):
        text = json.dumps(request)
        return text[:self.random.randint(0, len(text) - 1)], "invalid_json"

    def garbage(self, request):
        text = list(json.dumps(request))
        text[0] = self.random.choice("}]),:x'\u00e4")
        return "".join(text), "invalid_json"

    def deep(self, _):
        depth = self.random.choice([200, 2_000, 8_000])
        # What begins as a list is no object, whatever comes of it.
        return self.random.choice([('{"op":' * depth, "invalid_json"), ("[" * depth, "invalid_request"),
                                   ("[" * depth + "]" * depth, "invalid_request")])

    def not_an_object(self, _):
        return self.random.choice(["1", "null", "true", '"subscribe"', "[]", '[{"op":"list"}]', "-0.0"]), "invalid_request"

    def bad_id(self, request):
        value = self.random.choice([1.5, -1, 2**53 + 1, True, [], {}, "x" * 1_000])
        return json.dumps(request | {"id": value}), "invalid_request"


async def answer(socket):
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if message["type"] in ("ack", "error", "pong"):
            return message


async def offend(hostile, seen):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"wss://{ADDRESS}/v1/stream"
    async with connect(url, ssl=CONTEXT, additional_headers=headers, compression=None, ping_interval=None) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "welcome"
        for offence in range(1, OFFENCES + 1):
            text, code = hostile.next()
            await socket.send(text)
            message = await answer(socket)
            assert message["type"] == "error" and message["code"] == code, (text[:500], code, message)
            assert message["message"] and not message["retryable"], message
            assert TOKEN not in json.dumps(message), "a token in an error"
            seen[code] = seen.get(code, 0) + 1
            if offence < OFFENCES:
                # A session that has been spoken to rudely still answers.
                await socket.send('{"op":"ping","id":"still"}')
                assert (await answer(socket)) ["id"] == "still"
        try:
            while True:
                await asyncio.wait_for(socket.recv(), PATIENCE)
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 4502, closed


async def bystander(done):
    client = Client(f"wss://{ADDRESS}/v1/stream", CONTEXT, TOKEN)
    records = 0
    async with await client.open() as socket:
        await socket.send(json.dumps({"op": "subscribe", "channels": ["trades", "quotes"], "symbols": ["*"]}))
        while not done.is_set():
            records += client.take(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "update"
    return records


async def main():
    hostile, seen, done = Hostile(SEED), {}, asyncio.Event()
    beside = asyncio.create_task(bystander(done))
    left = iter(range(COUNT // OFFENCES))

    async def worker():
        for _ in left:
            await offend(hostile, seen)

    await asyncio.gather(*(worker() for _ in range(AT_A_TIME)))
    done.set()
    assert await beside > 10
    assert sum(seen.values()) == COUNT // OFFENCES * OFFENCES and len(seen) == 4, seen
    print(seen)


asyncio.run(main())
