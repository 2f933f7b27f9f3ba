"""One connection too many: who is refused, who makes room, and what they are told.

usage: limits.py refuse|evict|address|attempts ADDRESS CA      (tokens in ALICE, BOB)
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


asyncio.run({"refuse": refuse, "evict": evict, "address": address, "attempts": attempts}[sys.argv[1]]())
