"""What a server says at every door and for every request, one line each: KIND, a tab, and the JSON.

usage: described.py ADDRESS CA      (the token in TICKWIRE_TOKEN, the allowed origin is https://good.example)

KIND is `message` for what came over the WebSocket, else the name of the schema in openapi.json. On the way
every answer over plain HTTP is held against openapi.json: its path, method, status, headers, kind and code.
"""

import asyncio
import json
import sys
from collections import Counter
from http.client import HTTPSConnection

from websockets.asyncio.client import connect

from doors import BEARER, TOKEN, Server
from promise import CHANNELS

ALL = {"channels": CHANNELS, "symbols": ["*"]}
REQUESTS = [
    {"op": "subscribe", "id": 5, **ALL, "resume": "zzzz:1"},
    {"op": "ping", "id": 1, "ts": "now"},
    {"op": "echo", "id": "e", "payload": [1.50, None, {"any": "value"}]},
    {"op": "subscribe", "id": 2, **ALL, "checksum": True, "stamp": True, "depth": 5, "snapshot_limit": 5},
    {"op": "subscribe", "id": 3, "channels": ["trades", "quotes"], "symbols": ["NOPE-USD", "*"], "trade_safe": True,
     "max_age_ms": 500, "priority": "high", "filter": {"min_size": "0.001", "side": "buy"}},
    {"op": "subscribe", "id": 4, "channels": ["candles"], "symbols": ["*"], "interval": "1s", "conflate_ms": 100},
    {"op": "list", "id": 6},
    {"op": "ledger", "id": 7},
    {"op": "pause", "id": 8, "channels": ["book"], "symbols": ["*"]},
    {"op": "list", "id": 9},
    {"op": "unpause", "id": 10, "channels": ["book"], "symbols": ["*"]},
    {"op": "pace", "id": 11, "bytes_per_second": 20000, "adaptive": True, "credit": True},
    {"op": "credit", "id": 12, "flushes": 5},
    {"op": "subscribr", "id": 13},
    {"op": "list", "id": -1},
    {"op": "subscribe", "channels": ["trade"], "symbols": ["*"]},
]
LATER = [
    {"op": "pace", "id": 14, "bytes_per_second": 2000, "credit": False},
    {"op": "ledger", "id": 15},
]
REPLAY = [{"op": "pace", "id": 19, "bytes_per_second": 0, "adaptive": False}, {"op": "replay_open", "id": 20, "channels": ALL["channels"], "symbols": ["*"], "speed": "max", "share": True, "paused": True}]
REPLAYED = [
    {"op": op, "id": 21, "replay": "r1"} | more
    for op, more in (
        ("replay_step", {"records": 3}), ("replay_resume", {}), ("replay_pause", {}), ("replay_speed", {"speed": 0.5}),
        ("replay_seek", {"cursor": "r1:5"}), ("replay_seek", {}), ("replay_close", {}), ("replay_close", {}),
    )
] + [{"op": "subscribe", "id": 22, "channels": ["quotes"], "symbols": ["*"], "rewind_ms": 500}]
LAST = [{"op": "unsubscribe", "id": 16, "channels": ["trades"], "symbols": ["*"]}]


def told(kind, message):
    print(kind, json.dumps(message), sep="\t")


async def listen(connection, seconds, seen):
    """All that comes in a while."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = json.loads(await connection.recv())
                told("message", message)
                seen[message["type"]] += 1
    except TimeoutError:
        pass


def alerts(server):
    """Alerts that happen soon, or whose values are beyond."""
    _, state = server.ask("/v1/snapshot", {"channel": "quotes", "symbols": "*,NOPE-USD"})
    set = [
        {"op": "alert_set", "alert": f"{side}:{record['symbol']}", "symbol": record["symbol"], "field": "bid_price", side: record["bid_price"]}
        for record in state["data"][:10]
        for side in ("above", "below")
    ]
    ends = [{"op": "alert_clear", "alert": set[0]["alert"]}, {"op": "alert_clear", "alert": "nobody"}]
    return [set[0] | {"field": "change_percent", "repeat": True}, *set, {"op": "alert_list", "id": 30}, *ends, {"op": "alert_set", "alert": "x"}]


async def stream(server):
    seen = Counter()
    url = f"wss://{server.address}/v1/stream"
    async with connect(url, ssl=server.context) as connection:
        for request in ({"op": "list"}, {"op": "auth", "id": 0, "token": "x.y.z"}, {"op": "auth", "id": 0, "token": TOKEN}):
            await connection.send(json.dumps(request))
        for requests, seconds in ((REQUESTS, 3), (LATER, 6), (REPLAY, 2), (REPLAYED, 2), (alerts(server), 2), (LAST, 1)):
            for request in requests:
                await connection.send(json.dumps(request))
                await asyncio.sleep(0.06)
            await listen(connection, seconds, seen)
    return seen


class Held(Server):
    """A server whose every answer is looked up in its own description."""

    def __init__(self, address, ca):
        super().__init__(address, ca)
        response, self.document = super().ask("/v1/openapi.json", headers={})
        assert response.status == 200 and response.headers["Content-Type"] == "application/json"
        self.seen = Counter()

    def ask(self, path, query=None, headers=BEARER, method="GET"):
        response, body = super().ask(path, query, headers, method)
        self.look_up(path, method, response, body)
        return response, body

    def look_up(self, path, method, response, body):
        if response.status == 405:
            return
        parts = path.split("/")
        if parts[2] == "recordings" and len(parts) > 3:
            path = "/".join([*parts[:3], "{recording}", *parts[4:]])
        self.seen[path] += 1
        described = self.document["paths"][path][method.lower()]["responses"][str(response.status)]
        for name, header in described.get("headers", {}).items():
            value = response.headers.get(name)
            assert value is not None or not header.get("required"), (path, response.status, name)
            assert header["schema"].get("const", value) == value, (path, name, value)
        kinds = described.get("content", {})
        if not kinds:
            assert body is None, (path, body)
            return
        kind = response.headers["Content-Type"]
        schema = kinds[kind]["schema"]
        if kind == "application/problem+json":
            told("Problem", body)
            allowed = schema["allOf"][1]["properties"]
            assert allowed["status"]["const"] == response.status, (path, body)
            assert body["code"] in allowed["code"]["enum"], (path, body)
        elif "$ref" in schema:
            told(schema["$ref"].rsplit("/")[-1], body)


def described(server):
    for path in ("/v1/asyncapi.json", "/v1/openapi.json"):
        origin = {"Origin": "https://good.example"}
        response, document = server.ask(path, headers=origin)
        assert response.status == 200 and document["info"]["version"], response.status
        assert response.headers["Access-Control-Allow-Origin"] == "https://good.example"
        response, _ = server.ask(path, headers={"If-None-Match": response.headers["ETag"]})
        assert response.status == 304, response.status


def doors(server):
    every = {"channels": ",".join(CHANNELS), "symbols": "*", "checksum": "true", "stamp": "true"}
    _, answer = server.ask("/v1/poll", every)
    for _ in range(3):
        _, answer = server.ask("/v1/poll", every | {"cursor": answer["cursor"], "wait_ms": 2000})
    server.ask("/v1/poll", {"channels": "trades", "symbols": "NOPE-USD"})
    server.ask("/v1/poll", every | {"cursor": "zzzz:1", "wait_ms": 0})
    for channel in CHANNELS:
        server.ask("/v1/snapshot", {"channel": channel, "symbols": "*,NOPE-USD", "depth": 5})
    _, catalogue = server.ask("/v1/symbols")
    symbol = catalogue["symbols"][0]["symbol"]
    for channel in (*CHANNELS, "trade"):
        server.ask("/v1/history", {"channel": channel, "symbol": symbol, "limit": 3, "from_sequence": 1})
    server.ask("/v1/history", {"channel": "trades", "symbol": symbol, "cursor": "zzzz:1"})
    for symbol in (symbol, "NOPE-USD"):
        server.ask("/v1/candles", {"symbol": symbol, "interval": "1s", "limit": 1, "order": "desc"})
    server.ask("/v1/tickets", method="POST")
    _, list = server.ask("/v1/recordings")
    name = list["recordings"][0]["recording"]
    server.ask(f"/v1/recordings/{name}")
    server.ask("/v1/candles", {"symbol": "BTC-USD", "interval": "1s", "limit": 3, "recording": name})
    server.ask("/v1/candles", {"symbol": "NOPE", "interval": "1s", "recording": name})
    for query in ({"symbol": catalogue["symbols"][0]["symbol"]}, {"symbol": "NOPE-USD"}, {"symbol": "AAPL", "depth": 7}):
        server.ask(f"/v1/recordings/{name}/book", query)
    server.ask("/v1/recordings/nope")
    server.ask(f"/v1/recordings/{name}", {"format": "xml"})
    count = 0
    for event in server.events(every):
        if "event" in event:
            told("EventMessage", json.loads(event["data"]))
            count += 1
        if count > 100:
            break


def refusals(server):
    evil = {"Origin": "https://evil.example"}
    good = {"channel": "quotes", "symbols": "*"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    for path in ("/v1/events", "/v1/poll", "/v1/snapshot", "/v1/history", "/v1/candles", "/v1/symbols"):
        for query, headers in (
            ({}, {}), ({"ticket": "x"}, {}), ({}, {"Authorization": "Bearer x.y.z"}), ({}, BEARER | evil),
            ({"colour": "red"}, BEARER), (good | {"channel": "quote"}, BEARER), (good | {"wait_ms": "long"}, BEARER),
            (good | {"channel": "book", "snapshot": "false"}, BEARER), (good | {"symbols": "NOPE-USD"}, BEARER),
        ):
            # What is good is tried elsewhere, and this one would not end.
            if (path, query.get("symbols")) == ("/v1/events", "NOPE-USD") or path == "/v1/events" and "snapshot" in query:
                continue
            server.ask(path, query, headers)
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, BEARER | evil):
        server.ask("/v1/tickets", None, headers, method="POST")
    server.ask("/v1/tickets", {"for": "me"}, method="POST")
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic x"}, BEARER, evil):
        server.ask("/v1/guests", None, headers, method="POST")
    server.ask("/v1/guests", {"for": "me"}, method="POST")
    for headers in (
        {}, upgrade, upgrade | {"Sec-WebSocket-Version": "8"}, upgrade | key | evil,
        upgrade | key | {"Sec-WebSocket-Protocol": "mqtt"}, upgrade | key | {"Authorization": "Bearer x.y.z"},
    ):
        server.ask("/v1/stream", headers=headers)
    server.ask("/v1/stream", {"ticket": "x"}, upgrade | key)
    # Connected before the first of them asks: in one go, even a busy machine asks more than it may.
    host, _, port = server.address.rpartition(":")
    crowd = [HTTPSConnection(host, int(port), context=server.context, timeout=60) for _ in range(400)]
    for one in crowd:
        one.connect()
    for one in crowd:
        one.request("GET", "/v1/symbols?symbols=A", headers=BEARER)
    answers = [one.getresponse() for one in crowd]
    for answer in answers:
        server.look_up("/v1/symbols", "GET", answer, json.loads(answer.read()))
    assert 429 in {answer.status for answer in answers}, "nobody is told to ask less"
    for one in crowd:
        one.close()


if __name__ == "__main__":
    SERVER = Held(*sys.argv[1:3])
    described(SERVER)
    doors(SERVER)
    SEEN = asyncio.run(stream(SERVER))
    refusals(SERVER)
    assert SERVER.seen.keys() == SERVER.document["paths"].keys(), SERVER.seen
    print(SEEN, file=sys.stderr)
