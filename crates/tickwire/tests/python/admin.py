"""An operator's day: who is there, how they are, and what can be done about it.

usage: admin.py ADDRESS CA ADMIN      (tokens in ALICE, BOB, and in OLGA one with the scope admin)
"""

import asyncio
import json
import os
import ssl
import sys
import urllib.error
import urllib.request

from promise import Client
from websockets.exceptions import ConnectionClosed

PATIENCE = 30
ADDRESS, CONTEXT, ADMIN = sys.argv[1], ssl.create_default_context(cafile=sys.argv[2]), sys.argv[3]
ALICE, BOB, OLGA = (os.environ[name] for name in ("ALICE", "BOB", "OLGA"))


def call(method, path, body=None, token=OLGA):
    request = urllib.request.Request(f"http://{ADMIN}{path}", method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=PATIENCE) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def ask(*arguments, **options):
    return await asyncio.to_thread(call, *arguments, **options)


async def until(what, condition):
    for _ in range(600):
        found = await condition()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(what)


async def come(token):
    client = Client(f"wss://{ADDRESS}/v1/stream", CONTEXT, token)
    socket = await client.open()
    client.session = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["session"]
    return client, socket


async def read(client, socket):
    """Reads on until the server closes; the last error and how it closed."""
    error = None
    try:
        while True:
            text = await socket.recv()
            if '"type":"error"' in text:
                error = json.loads(text)["code"]
            else:
                client.take(text)
    except ConnectionClosed as closed:
        return error, closed.rcvd.code


async def main():
    # Nothing without a token, nothing with anybody's.
    for token, status, code in ((None, 401, "unauthenticated"), (ALICE, 403, "forbidden"), ("x", 401, "token_invalid")):
        for method, path in (("GET", "/v1/sessions"), ("DELETE", "/v1/sessions/x"), ("GET", "/v1/config"),
                             ("PUT", "/v1/log"), ("POST", "/v1/drain")):
            got, problem = await ask(method, path, token=token)
            assert (got, problem["code"]) == (status, code), (method, path, problem)

    clients = [await come(ALICE) for _ in range(3)] + [await come(BOB)]
    tasks = [asyncio.create_task(read(*each)) for each in clients]
    for client, socket in clients[:3]:
        await socket.send('{"op":"subscribe","channels":["trades"],"symbols":["BTC-*"]}')
    await clients[3][1].send('{"op":"subscribe","channels":["trades","book","quotes"],"symbols":["*"]}')

    # All of them, by pages, and those of one.
    names, after = [], ""
    while after is not None:
        _, page = await ask("GET", f"/v1/sessions?limit=3&after={after}")
        names += [session["session"] for session in page["sessions"]]
        after = page["next"]
    assert names == sorted(client.session for client, _ in clients), names
    bob = clients[3][0].session

    async def at_work():
        _, page = await ask("GET", "/v1/sessions?subject=bob")
        [session] = page["sessions"]
        return session if session["delivered"] > 100 else None

    session = await until("Bob is sent nothing", at_work)
    assert session["session"] == bob and session["subscriptions"] == 60, session
    assert session["address"].startswith("127.0.0.1:") and session["door"] == "websocket", session
    assert session["mode"] == "keeping_up" and "ledger" not in session, session

    # The first of them by what they are sent, with how much that is in a second.
    _, page = await ask("GET", "/v1/sessions?sort=delivered&limit=2&seconds=0.5")
    assert (page["total"], len(page["sessions"]), page["next"]) == (4, 2, None), page
    first, second = page["sessions"]
    assert first["session"] == bob and first["rates"]["delivered"] > second["rates"]["delivered"], page
    assert first["rates"]["sent_bytes"] > first["rates"]["delivered"], page
    _, page = await ask("GET", "/v1/sessions?sort=age")
    ages = [session["open_seconds"] for session in page["sessions"]]
    assert len(ages) == 4 and ages == sorted(ages, reverse=True) and "rates" not in page["sessions"][0], page
    for find, found in (("BOB", 1), ("127.0.0.1", 4), (bob[2:12], 1), ("nobody", 0)):
        _, page = await ask("GET", f"/v1/sessions?sort=bytes&find={find}")
        assert (page["total"], len(page["sessions"])) == (found, found), (find, page)
    for bad in ("sort=name", "seconds=0", "sort=lag&after=0"):
        assert (await ask("GET", f"/v1/sessions?{bad}"))[0] == 400, bad

    # One alone has its ledger, which closes.
    status, one = await ask("GET", f"/v1/sessions/{bob}")
    assert status == 200 and len(one["ledger"]) == 60, one
    for stream in one["ledger"]:
        parts = sum(stream[part] for part in ("delivered", "coalesced", "skipped", "pending"))
        assert stream["published"] == parts, stream
    assert sum(stream["delivered"] for stream in one["ledger"]) == one["delivered"], one

    # A throttled one is merged for, and accounted for; the client that asks for more has no more.
    status, one = await ask("PATCH", f"/v1/sessions/{bob}", {"bytes_per_second": 4000, "trace": True})
    assert status == 200 and one["bytes_per_second"] == 4000 and one["trace"], one
    await clients[3][1].send('{"op":"pace","bytes_per_second":1000000}')

    async def merged():
        _, one = await ask("GET", f"/v1/sessions/{bob}")
        return one if one["mode"] == "coalescing" and one["coalesced"] > 100 else None

    one = await until("Bob is not coalesced for", merged)
    assert one["bytes_per_second"] == 4000, one
    # Who is slow comes before who is not, however long that one waits by its own wish.
    _, page = await ask("GET", "/v1/sessions?sort=lag&limit=1")
    assert page["sessions"][0]["session"] == bob, page
    # Nor is what is owed forgotten because the client asks again and again.
    before = one["sent_bytes"]
    began = asyncio.get_running_loop().time()
    for _ in range(30):
        await clients[3][1].send('{"op":"pace","bytes_per_second":1000000}')
        await asyncio.sleep(0.06)
    _, one = await ask("GET", f"/v1/sessions/{bob}")
    took = asyncio.get_running_loop().time() - began
    assert one["sent_bytes"] - before < 4000 * took + 30 * 200 + 10_000, (before, one, took)
    for bad in ({"bytes_per_second": -1}, {"bytes": 1}, [], {"trace": 1}):
        status, problem = await ask("PATCH", f"/v1/sessions/{bob}", bad)
        assert (status, problem["code"]) == (400, "invalid_request"), problem
    status, one = await ask("PATCH", f"/v1/sessions/{bob}", {"bytes_per_second": 0})
    assert one["bytes_per_second"] == 1000000, one

    # One that is kicked is told, and only it.
    status, _ = await ask("DELETE", f"/v1/sessions/{bob}")
    assert status == 200
    assert await asyncio.wait_for(tasks[3], PATIENCE) == ("kicked", 4505)
    assert (await ask("DELETE", f"/v1/sessions/{bob}"))[0] == 404
    assert not any(task.done() for task in tasks[:3])

    # The log's filter.
    assert await ask("GET", "/v1/log") == (200, {"filter": "info"})
    assert await ask("PUT", "/v1/log", {"filter": "warn,gateway=debug"}) == (200, {"filter": "gateway=debug,warn"})
    status, problem = await ask("PUT", "/v1/log", {"filter": "gateway=loud"})
    assert (status, problem["code"]) == (400, "invalid_request"), problem
    assert (await ask("GET", "/v1/log"))[1] == {"filter": "gateway=debug,warn"}

    # The configuration, with origins and without secrets.
    _, config = await ask("GET", "/v1/config")
    assert config["server"]["drain"] == {"value": "1s", "origin": "file"}, config
    assert config["limits"]["symbols"] == {"value": 1000, "origin": "default"}, config
    assert "thirty-two" not in json.dumps(config)

    # Told to go, the server tells everybody else.
    assert await ask("POST", "/v1/drain") == (202, {"window_seconds": 1.0})
    for task in tasks[:3]:
        assert await asyncio.wait_for(task, PATIENCE) == (None, 1012)


asyncio.run(main())
