"""One connection too many: who is refused, who makes room, and what they are told.

usage: limits.py SCENE ADDRESS CA      (tokens in ALICE, BOB, and of the tenant acme in ALICE_ACME, BOB_ACME)
"""

import asyncio
import json
import os
import ssl
import sys
import urllib.error
import urllib.request

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE = 30
ADDRESS, CONTEXT = sys.argv[2], ssl.create_default_context(cafile=sys.argv[3])
ALICE, BOB = os.environ["ALICE"], os.environ["BOB"]
ALICE_ACME, BOB_ACME = os.environ["ALICE_ACME"], os.environ["BOB_ACME"]


async def come(token, **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    socket = await connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=headers)
    return socket, json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))


async def refused(token):
    try:
        await come(token)
    except InvalidStatus as refusal:
        response = refusal.response
        problem = json.loads(response.body)
        assert (response.status_code, problem["code"]) == (429, "connection_limit"), problem
        assert int(response.headers["Retry-After"]) >= 1, response.headers
        return problem["detail"]
    raise AssertionError("let in")


async def told(socket):
    """What a session is told last, and how it is closed."""
    last = None
    try:
        while True:
            last = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
    except ConnectionClosed as closed:
        return last["code"], closed.rcvd.code, closed.rcvd.reason


def get(path, token):
    request = urllib.request.Request(f"https://{ADDRESS}{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=CONTEXT, timeout=PATIENCE) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


LIMIT = ("connection_limit", 4503, "connection_limit")


async def refuse():
    one, welcome = await come(ALICE)
    assert welcome["limits"]["max_connections"] == 2, welcome
    two, _ = await come(ALICE)
    detail = await refused(ALICE)
    assert detail == "alice has as many sessions as it may: 2. Close one of them.", detail
    # A state is one answer, and takes nobody's place; events last, and there is none for them.
    status, state = await asyncio.to_thread(get, "/v1/snapshot?channel=quotes&symbols=*", ALICE)
    assert (status, state["type"]) == (200, "snapshot"), state
    status, problem = await asyncio.to_thread(get, "/v1/events?channels=quotes&symbols=*", ALICE)
    assert (status, problem["code"]) == (429, "connection_limit"), problem
    # Who says later who it is, is told then.
    late, _ = await come(None)
    await late.send(json.dumps({"op": "auth", "token": ALICE}))
    assert await told(late) == LIMIT
    # The others are none of hers, and those she has go on.
    bob, _ = await come(BOB)
    for socket in (one, two, bob):
        await socket.send('{"op":"ping","id":1}')
        assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "pong"
    # A place that is given up is free again.
    await one.close()
    while True:
        try:
            again, _ = await come(ALICE)
            break
        except InvalidStatus:
            await asyncio.sleep(0.05)
    await asyncio.gather(two.close(), bob.close(), again.close())


async def evict():
    sockets = [(await come(ALICE))[0] for _ in range(2)]
    bob, _ = await come(BOB)
    for _ in range(3):
        sockets.append((await come(ALICE))[0])
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await told(sockets.pop(0)) == LIMIT
        print("told after", loop.time() - began)
    for socket in (*sockets, bob):
        await socket.send('{"op":"ping","id":1}')
        assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "pong"
        await socket.close()


async def address():
    sockets = [(await come(token))[0] for token in (ALICE, ALICE, BOB)]
    try:
        await come(BOB)
        raise AssertionError("let in")
    except (OSError, ssl.SSLError, EOFError):
        pass  # Before a handshake of TLS there is nothing to be told by.
    await sockets.pop().close()
    while True:
        try:
            sockets.append((await come(BOB))[0])
            break
        except (OSError, ssl.SSLError, EOFError):
            await asyncio.sleep(0.05)
    for socket in sockets:
        await socket.close()


async def attempts():
    came = await asyncio.gather(*(come(ALICE) for _ in range(60)), return_exceptions=True)
    let_in = [each[0] for each in came if not isinstance(each, Exception)]
    turned_away = [each for each in came if isinstance(each, (OSError, ssl.SSLError, EOFError))]
    assert len(let_in) >= 10 and len(turned_away) == 60 - len(let_in) > 0, came
    while True:
        try:
            await (await come(ALICE))[0].close()
            return
        except (OSError, ssl.SSLError, EOFError):
            await asyncio.sleep(0.2)


async def ask(socket, request, kind="ack"):
    """The answer to a request, whatever else comes before it."""
    await socket.send(json.dumps(request | {"id": 1}))
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if message.get("id") == 1:
            assert message["type"] == kind, message
            return message


async def tenant():
    """Whoever they are, there are so many of a tenant, at every door."""
    one, welcome = await come(ALICE_ACME)
    assert welcome["limits"]["max_tenant_connections"] == 2, welcome
    two, _ = await come(BOB_ACME)
    detail = await refused(ALICE_ACME)
    assert detail == "Tenant acme has as many sessions as it may: 2. Close one of them.", detail
    late, _ = await come(None)
    await late.send(json.dumps({"op": "auth", "token": BOB_ACME}))
    assert await told(late) == LIMIT
    # The same people for themselves are none of it, and a state is one answer.
    alice, _ = await come(ALICE)
    status, state = await asyncio.to_thread(get, "/v1/snapshot?channel=quotes&symbols=*", BOB_ACME)
    assert (status, state["type"]) == (200, "snapshot"), state
    # A session stays with the tenant that it began with.
    error = await ask(alice, {"op": "auth", "token": ALICE_ACME}, "error")
    assert error["code"] == "token_invalid" and "another tenant" in error["message"], error
    await one.close()
    while True:
        try:
            again, _ = await come(BOB_ACME)
            break
        except InvalidStatus:
            await asyncio.sleep(0.05)
    await asyncio.gather(two.close(), alice.close(), again.close())


async def streams():
    """Streams are counted over all sessions of a tenant, and free again with each that ends."""
    one, welcome = await come(ALICE_ACME)
    assert welcome["limits"]["max_tenant_subscriptions"] == 6, welcome
    two, _ = await come(BOB_ACME)
    wanted = {"op": "subscribe", "symbols": ["*"]}
    ack = await ask(one, wanted | {"channels": ["status"]})
    assert len(ack["symbols"]) == 5 and ack["rejected"] == [], ack
    ack = await ask(two, wanted | {"channels": ["status"]})
    assert len(ack["symbols"]) == 1 and ack["rejected"][0]["code"] == "subscription_limit", ack
    assert ack["rejected"][0]["message"] == (
        "All sessions of your tenant may have 6 subscriptions; 1 of * were accepted."
    ), ack
    # What she has she may change; what he gives up she may have.
    ack = await ask(one, wanted | {"channels": ["status"], "stamp": True})
    assert len(ack["symbols"]) == 5 and ack["rejected"] == [], ack
    ack = await ask(two, wanted | {"op": "unsubscribe", "channels": ["status"]})
    ack = await ask(one, wanted | {"channels": ["quotes"]})
    assert len(ack["symbols"]) == 1, ack
    await one.close()
    while True:
        ack = await ask(two, wanted | {"channels": ["status"]})
        if not ack["rejected"]:
            break
        await asyncio.sleep(0.05)
    # A request that comes to nothing holds nothing.
    await ask(two, wanted | {"op": "unsubscribe", "channels": ["status"]})
    await ask(two, wanted | {"channels": ["book"], "snapshot": False}, "error")
    assert len((await ask(two, wanted | {"channels": ["status"]}))["symbols"]) == 5
    await two.close()


RATE = 16 << 10


async def read(socket, seconds, count):
    """Reads for a while all that there is of everything; how many bytes of data that was."""
    await socket.send(json.dumps({"op": "subscribe", "channels": ["trades", "quotes", "book"], "symbols": ["*"]}))
    loop = asyncio.get_running_loop()
    until, noticed = loop.time() + seconds, False
    while loop.time() < until:
        text = await asyncio.wait_for(socket.recv(), PATIENCE)
        kind = json.loads(text)["type"]
        noticed |= kind == "notice"
        count[0] += len(text) if kind in ("snapshot", "update", "gap") else 0
    return noticed


async def shared(tokens, free, bound, beyond):
    """Two sessions share a rate evenly; what does not fit is merged, and every ledger closes."""
    began = asyncio.get_running_loop().time()
    sockets = [await come(token) for token in tokens]
    assert all(welcome["limits"][bound] == RATE for _, welcome in sockets), sockets
    sockets = [socket for socket, _ in sockets]
    counts, other = [[0], [0]], [0]
    beside, _ = await come(free)
    noticed = await asyncio.gather(*(read(*each) for each in zip(sockets, (8, 8), counts)), read(beside, 8, other))
    seconds = asyncio.get_running_loop().time() - began
    counts = [count for count, in counts]
    print("bytes", counts, other, "in", seconds)
    assert sum(counts) <= RATE * seconds + 8192, (counts, seconds)
    assert min(counts) > RATE / 2 * 8 * 0.6, counts
    assert max(counts) < 1.3 * min(counts), counts
    assert other[0] > beyond * max(counts), "who has no part in it is not held back"
    assert noticed[:2] == [True, True], noticed
    for socket in sockets:
        answer = await ask(socket, {"op": "pace"})
        assert answer["bytes_per_second"] == RATE // 2, answer
        for entry in (await ask(socket, {"op": "ledger"}))["subscriptions"]:
            parts = [entry[part] for part in ("delivered", "coalesced", "skipped", "pending")]
            assert entry["published"] == sum(parts), entry
    # Who remains has all of it.
    await sockets.pop().close()
    while (await ask(sockets[0], {"op": "pace"}))["bytes_per_second"] != RATE:
        await asyncio.sleep(0.05)
    # An answer over plain HTTP is paid for before there is another one.
    for _ in range(30):
        status, answer = await asyncio.to_thread(get, "/v1/snapshot?channel=book&symbols=*&depth=0", tokens[0])
        if status == 429:
            assert answer["code"] == "rate_limited" and "came to more than they may" in answer["detail"], answer
            break
        assert status == 200, answer
    else:
        raise AssertionError("nobody is told to wait")
    assert (await asyncio.to_thread(get, "/v1/symbols", free))[0] == 200
    await asyncio.gather(sockets[0].close(), beside.close())


async def bytes_of_a_subject():
    # Bob has as much for himself.
    await shared([ALICE, ALICE], BOB, "max_bytes_per_second", 1.6)


async def bytes_of_a_tenant():
    await shared([ALICE_ACME, BOB_ACME], ALICE, "max_tenant_bytes_per_second", 3)


SCENES = {"refuse": refuse, "evict": evict, "address": address, "attempts": attempts, "tenant": tenant}
SCENES |= {"streams": streams, "bytes": bytes_of_a_subject, "tenant_bytes": bytes_of_a_tenant}
asyncio.run(SCENES[sys.argv[1]]())
