"""Tokens of a published key and fixed ones, by header, cookie, subprotocol and message.

usage: keys.py ADDRESS ADMIN CA FOLDER PID      (Alice's token in ALICE, a fixed one in ROBOT)
"""

import asyncio
import json
import os
import signal
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE = 30
ADDRESS, ADMIN, CONTEXT = sys.argv[1], sys.argv[2], ssl.create_default_context(cafile=sys.argv[3])
FOLDER, PID = Path(sys.argv[4]), int(sys.argv[5])
ALICE, ROBOT = os.environ["ALICE"], os.environ["ROBOT"]


async def welcome(token=None, cookie=None, **options):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if cookie:
        headers["Cookie"] = cookie
        # As a browser does it, for a page of the server's own.
        options.setdefault("origin", f"https://{ADDRESS}")
    socket = await connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=headers, **options)
    return socket, json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))


async def ask(socket, **request):
    await socket.send(json.dumps(request))
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))


async def refused(**how):
    try:
        await welcome(**how)
    except InvalidStatus as refusal:
        return refusal.response.status_code, json.loads(refusal.response.body)["code"]
    raise AssertionError("let in")


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    context = CONTEXT if url.startswith("https") else None
    try:
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as response:
            return response.status, response.headers, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


async def main():
    for token in (ALICE, ROBOT):
        for how in ({"token": token}, {"cookie": f"a=b; tw={token}"},
                    {"subprotocols": ["tickwire.v1.json", f"bearer.{token}"]}):
            socket, first = await welcome(**how)
            assert first["authenticated"], (how, first)
            await socket.close()
        socket, first = await welcome()
        assert not first["authenticated"], first
        ack = await ask(socket, op="auth", token=token)
        assert ack["type"] == "ack" and ack["subject"] in ("alice", "robot"), ack
        await socket.close()

    # Over plain HTTP, by a cookie too, and with it a page of another origin has nothing.
    url = f"https://{ADDRESS}/v1/snapshot?channel=quotes&symbols=BTC-USD"
    for headers in ({"Authorization": f"Bearer {ROBOT}"}, {"Cookie": f"tw={ROBOT}", "Sec-Fetch-Site": "same-origin"},
                    {"Cookie": f"tw={ROBOT}", "Origin": f"https://{ADDRESS}"}):
        status, answered, snapshot = get(url, **headers)
        assert (status, snapshot["type"]) == (200, "snapshot"), snapshot
    status, answered, problem = get(url, Cookie=f"tw={ROBOT}", Origin="https://elsewhere.example")
    assert (status, problem["code"]) == (403, "forbidden_origin"), problem
    assert "Access-Control-Allow-Origin" not in answered
    # Nor has what another site makes the browser fetch, which brings no origin.
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}):
        status, _, problem = get(url, Cookie=f"tw={ROBOT}", **site)
        assert (status, problem["code"]) == (401, "unauthenticated"), problem
    assert await refused(cookie=f"tw={ROBOT}", origin="https://elsewhere.example") == (403, "forbidden_origin")
    assert await refused(cookie="tw=x.y.z") == (401, "token_invalid")
    assert await refused(token=ROBOT[:-1]) == (401, "token_invalid")
    socket, first = await welcome(cookie=f"tw={ROBOT}; tw={ALICE}")
    assert not first["authenticated"], "two cookies of one name are none"
    await socket.close()

    # What it allows, and on the admin port too.
    robot, _ = await welcome(ROBOT)
    error = await ask(robot, op="subscribe", channels=["trades"], symbols=["ETH-USD"])
    assert error["rejected"][0]["code"] == "forbidden", error
    assert (await asyncio.to_thread(get, f"http://{ADMIN}/v1/sessions", Authorization=f"Bearer {ROBOT}"))[0] == 200
    alice, _ = await welcome(ALICE)

    # It is taken out of the configuration: it ends within a second, and nobody else.
    config = FOLDER / "tickwire.toml"
    before, table = config.read_text().split("[[auth.tokens]]")
    config.write_text(before + table[table.index("[[feed]]"):])
    loop = asyncio.get_running_loop()
    began = loop.time()
    os.kill(PID, signal.SIGHUP)
    last = None
    try:
        while True:
            last = json.loads(await asyncio.wait_for(robot.recv(), PATIENCE))
    except ConnectionClosed as closed:
        assert (last["code"], closed.rcvd.code) == ("token_revoked", 4501), (last, closed)
        print("ended after", loop.time() - began)
    assert await refused(token=ROBOT) == (401, "token_invalid")
    assert (await ask(alice, op="ping"))["type"] == "pong"
    await alice.close()


asyncio.run(main())
