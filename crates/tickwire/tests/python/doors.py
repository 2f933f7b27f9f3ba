"""The doors that are no WebSocket, from outside: events, polls, states, tickets, and cursors that cross.

usage: doors.py ADDRESS CA      (the token in TICKWIRE_TOKEN, the allowed origin is https://good.example)
"""

import asyncio
import json
import os
import socket
import ssl
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from urllib.parse import urlencode

from websockets.asyncio.client import connect

from promise import CHANNELS, Client

TOKEN = os.environ["TICKWIRE_TOKEN"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WANTED = {"channels": ",".join(CHANNELS), "symbols": "*", "checksum": "true", "depth": 10}


class Server:
    def __init__(self, address, ca):
        self.address, self.context = address, ssl.create_default_context(cafile=ca)

    def open(self, method, path, query, headers, small=False):
        host, port = self.address.rsplit(":", 1)
        connection = HTTPSConnection(host, int(port), context=self.context, timeout=60)
        if small:
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            plain.connect((host, int(port)))
            connection.sock = self.context.wrap_socket(plain, server_hostname=host)
        connection.request(method, f"{path}?{urlencode(query)}" if query else path, headers=headers)
        return connection, connection.getresponse()

    def ask(self, path, query=None, headers=BEARER, method="GET"):
        connection, response = self.open(method, path, query or {}, headers)
        body = response.read()
        connection.close()
        return response, json.loads(body) if body else None

    def events(self, query, cursor=None, small=False):
        """The events of a response, as the standard has them; the connection ends with the generator."""
        headers = BEARER | ({"Last-Event-ID": cursor} if cursor else {})
        connection, response = self.open("GET", "/v1/events", query, headers, small)
        assert response.status == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        try:
            event = {}
            while line := response.readline().decode().rstrip("\n"):
                while line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                    line = response.readline().decode().rstrip("\n")
                yield event
                event = {}
        finally:
            connection.close()


def take_events(client, events, count):
    """Checks so many messages with data, and leaves; all that is remembered is the last event's id."""
    cursor = client.cursor
    for event in events:
        cursor = event.get("id", cursor)
        if "event" not in event:
            # `retry` comes first; a comment says that there is somebody; an id says that the states are whole.
            assert event.keys() <= {"retry", "", "id"}, event
            continue
        message = json.loads(event["data"])
        assert event["event"] == message["type"] and event.get("id", message.get("cursor")) == message.get("cursor"), event
        client.take(event["data"])
        client.cursor = cursor
        count -= message["type"] in ("snapshot", "update")
        if count <= 0 and cursor:
            return
    raise AssertionError("the events ended")


def polls(server, client, count):
    for _ in range(count):
        query = WANTED | ({"cursor": client.cursor} if client.cursor else {})
        response, answer = server.ask("/v1/poll", query)
        assert response.status == 200, answer
        for message in answer["messages"]:
            client.take(json.dumps(message))
        client.cursor = answer["cursor"]


async def stream(server, client, count):
    client.url, client.context, client.token = f"wss://{server.address}/v1/stream", server.context, TOKEN
    async with await client.open() as connection:
        request = {"op": "subscribe", "channels": CHANNELS, "symbols": ["*"], "checksum": True, "depth": 10}
        await connection.send(json.dumps(request | {"resume": client.cursor}))
        for _ in range(count):
            client.take(await connection.recv())


def crossing(server):
    """One client through all doors, with nothing but its cursor."""
    client = Client(None, None, None)
    take_events(client, server.events(WANTED), 100)
    for _ in range(3):
        take_events(client, server.events(WANTED, client.cursor), 100)
        polls(server, client, 5)
        asyncio.run(stream(server, client, 100))
    take_events(client, server.events(WANTED, client.cursor), 100)
    delivered = sum(stream.delivered for stream in client.streams.values())
    checksums = sum(stream.checksums for stream in client.streams.values())
    assert delivered > 500 and checksums > 100, (delivered, checksums)
    fresh = Client(None, None, None)
    # However little it waits, the states come whole.
    _, answer = server.ask("/v1/poll", WANTED | {"wait_ms": 0})
    for message in answer["messages"]:
        fresh.take(json.dumps(message))
    fresh.cursor = answer["cursor"]
    polls(server, fresh, 10)
    assert fresh.streams.keys() >= {key for key, stream in client.streams.items() if stream.book}
    for channel in ("book", "trades"):
        stated = Client(None, None, None)
        _, state = server.ask("/v1/snapshot", {"channel": channel, "symbols": "*", "depth": 10, "checksum": "true"})
        stated.take(json.dumps(state))
        for _ in range(3):
            query = WANTED | {"channels": channel, "cursor": stated.cursor}
            for message in server.ask("/v1/poll", query)[1]["messages"]:
                stated.take(json.dumps(message))
    # Who leaves before it has all has nothing to come back with.
    for event in server.events(WANTED):
        assert "id" not in event, event
        if event.get("event") == "snapshot":
            break
    return delivered


def slow(server):
    """Who does not read is coalesced, and told exactly what."""
    client = Client(None, None, None)
    events = server.events(WANTED, small=True)
    take_events(client, events, 20)
    coalesced = 0
    while coalesced == 0:
        time.sleep(1)
        take_events(client, events, 50)
        coalesced = sum(stream.coalesced for stream in client.streams.values())
    return coalesced


def states(server):
    _, catalogue = server.ask("/v1/symbols")
    symbols = [entry["symbol"] for entry in catalogue["symbols"]]
    assert symbols and all(entry["channels"] == CHANNELS and entry["tick_size"] for entry in catalogue["symbols"])
    _, some = server.ask("/v1/symbols", {"symbols": symbols[0]})
    assert [entry["symbol"] for entry in some["symbols"]] == symbols[:1]
    for channel in ("book", "quotes", "ticker"):
        _, state = server.ask("/v1/snapshot", {"channel": channel, "symbols": ",".join(symbols)})
        assert (state["type"], state["channel"]) == ("snapshot", channel)
        assert {record["symbol"] for record in state["data"]} == set(symbols), state
        assert list(state)[:3] == ["type", "channel", "cursor"]
    _, state = server.ask("/v1/snapshot", {"channel": "quotes", "symbols": f"{symbols[0]},NOPE-USD"})
    assert state["rejected"][0]["code"] == "unknown_symbol" and len(state["data"]) == 1
    began = time.monotonic()
    _, nothing = server.ask("/v1/poll", {"channels": "status", "symbols": symbols[0], "wait_ms": 400})
    assert [message["type"] for message in nothing["messages"]] == ["snapshot"], nothing
    query = {"channels": "status", "symbols": symbols[0], "wait_ms": 400, "cursor": nothing["cursor"]}
    began = time.monotonic()
    _, nothing = server.ask("/v1/poll", query)
    assert nothing["messages"] == [] and nothing["cursor"] and time.monotonic() - began >= 0.4, nothing


def tickets(server):
    response, issued = server.ask("/v1/tickets", method="POST")
    assert response.status == 201 and issued["expires_in_ms"] == 30000
    query = {"channel": "quotes", "symbols": "*", "ticket": issued["ticket"]}
    with ThreadPoolExecutor(50) as pool:
        tries = pool.map(lambda _: server.ask("/v1/snapshot", query, headers={})[0].status, range(100))
    assert Counter(tries) == {200: 1, 401: 99}
    _, issued = server.ask("/v1/tickets", method="POST")
    response, _ = server.ask("/v1/tickets", {"ticket": issued["ticket"]}, headers={}, method="POST")
    assert response.status == 400, "a ticket makes no tickets"

    async def ticketed():
        url = f"wss://{server.address}/v1/stream?ticket={issued['ticket']}"
        async with connect(url, ssl=server.context) as connection:
            return json.loads(await connection.recv())["authenticated"]

    assert asyncio.run(ticketed())


def refusals(server):
    good = {"channel": "quotes", "symbols": "*"}
    for path, query, headers, status, code in [
        ("/v1/events", WANTED, {}, 401, "unauthenticated"),
        ("/v1/poll", WANTED, {"Authorization": "Bearer x.y.z"}, 401, "token_invalid"),
        ("/v1/snapshot", good | {"ticket": "0" * 32}, {}, 401, "token_invalid"),
        ("/v1/events", WANTED, BEARER | {"Origin": "https://evil.example"}, 403, "forbidden_origin"),
        ("/v1/events", {"channels": "tradez", "symbols": "*"}, BEARER, 400, "unknown_channel"),
        ("/v1/events", {"channels": "trades"}, BEARER, 400, "invalid_request"),
        ("/v1/events", WANTED | {"wait_ms": 5}, BEARER, 400, "invalid_request"),
        ("/v1/poll", WANTED | {"wait_ms": 60001}, BEARER, 400, "invalid_request"),
        ("/v1/poll", WANTED | {"wait_ms": "long"}, BEARER, 400, "invalid_request"),
        ("/v1/poll", WANTED | {"conflate": 5}, BEARER, 400, "invalid_request"),
        ("/v1/poll", WANTED | {"filter": "{"}, BEARER, 400, "invalid_request"),
        ("/v1/poll", WANTED | {"op": "ledger"}, BEARER, 400, "invalid_request"),
        ("/v1/poll", list(WANTED.items()) + [("symbols", "A")], BEARER, 400, "invalid_request"),
        ("/v1/snapshot", WANTED, BEARER, 400, "invalid_request"),
        ("/v1/snapshot", good | {"snapshot": "false"}, BEARER, 400, "invalid_request"),
        ("/v1/snapshot", good | {"cursor": "k3f9:1"}, BEARER, 400, "invalid_request"),
        ("/v1/snapshot", good | {"symbols": "NOPE-USD"}, BEARER, 404, "unknown_symbol"),
        ("/v1/symbols", {"symbol": "A"}, BEARER, 400, "invalid_request"),
        ("/v1/tickets", {"for": "me"}, BEARER, 405, None),
    ]:
        response, problem = server.ask(path, query, headers)
        assert response.status == status, (path, query, response.status, str(problem)[:300])
        if code:
            assert problem["code"] == code and problem["detail"], problem
            assert response.headers["Content-Type"] == "application/problem+json"
    for path in ("/v1/events", "/v1/poll"):
        response, _ = server.ask(path, WANTED, method="HEAD")
        assert response.status == 405, response.status
    began = time.monotonic()
    _, answer = server.ask("/v1/poll", {"channels": "trades", "symbols": "NOPE-USD"})
    assert answer["messages"][0]["rejected"][0]["code"] == "unknown_symbol", answer
    assert time.monotonic() - began < 20, "nothing is waited for where there is nothing"


def origins(server):
    preflight = {"Origin": "https://good.example", "Access-Control-Request-Method": "GET"}
    response, _ = server.ask("/v1/events", headers=preflight, method="OPTIONS")
    assert response.headers["Access-Control-Allow-Origin"] == "https://good.example", response.headers
    assert "authorization" in response.headers["Access-Control-Allow-Headers"]
    response, _ = server.ask("/v1/events", headers=preflight | {"Origin": "https://evil.example"}, method="OPTIONS")
    assert "Access-Control-Allow-Origin" not in response.headers
    response, _ = server.ask("/v1/symbols", headers=BEARER | {"Origin": "https://good.example"})
    assert response.status == 200 and response.headers["Access-Control-Allow-Origin"] == "https://good.example"


def rates(server):
    """Every request is a session of its own: who asks too often is told so."""
    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(lambda _: server.ask("/v1/symbols")[0], range(600)))
    counts = Counter(response.status for response in tries)
    assert counts.keys() == {200, 429} and counts[200] >= 200, counts
    assert all(int(response.headers["Retry-After"]) >= 1 for response in tries if response.status == 429)
    return dict(counts)


if __name__ == "__main__":
    SERVER = Server(*sys.argv[1:3])
    for scene in (states, tickets, refusals, origins, crossing, slow, rates):
        print(scene.__name__, scene(SERVER))
