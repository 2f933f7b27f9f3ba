"""Limits and origins become others: for what comes after, and for nobody who is there.

usage: limited_anew.py ADDRESS ADMIN CA FOLDER PID      (a token with the scope admin in TICKWIRE_TOKEN)
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
from websockets.exceptions import InvalidStatus

PATIENCE = 30
ADDRESS, ADMIN, CONTEXT = sys.argv[1], sys.argv[2], ssl.create_default_context(cafile=sys.argv[3])
FILE, PID = Path(sys.argv[4]) / "tickwire.toml", int(sys.argv[5])
HEADERS = {"Authorization": f"Bearer {os.environ['TICKWIRE_TOKEN']}"}


def get(url, headers=HEADERS):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=CONTEXT, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def metric(name):
    with urllib.request.urlopen(f"http://{ADMIN}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


async def come():
    socket = await connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=HEADERS)
    return socket, json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["limits"]


async def refused():
    """The code and the detail of a refused handshake."""
    try:
        await come()
    except InvalidStatus as refusal:
        problem = json.loads(refusal.response.body)
        return problem["code"], problem["detail"]
    raise AssertionError("let in")


async def ask(socket, request):
    await socket.send(json.dumps(request | {"id": 1}))
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if message.get("id") == 1:
            return message


async def reload(text, result="ok"):
    name = f'tickwire_reloads_total{{result="{result}"}}'
    before = metric(name)
    FILE.write_text(text)
    os.kill(PID, signal.SIGHUP)
    while metric(name) == before:
        await asyncio.sleep(0.02)


def shown():
    status, config = get(f"http://{ADMIN}/v1/config")
    assert status == 200, config
    return config


async def main():
    text = FILE.read_text()
    old, limits = await come()
    other, _ = await come()
    assert (limits["max_symbols"], limits["max_connections"]) == (5, 5), limits
    origin = HEADERS | {"Origin": "https://new.example"}
    assert get(f"https://{ADDRESS}/v1/symbols", origin)[1]["code"] == "forbidden_origin"

    lower = text.replace("symbols = 5\nsubject_connections = 5", "symbols = 2\nsubject_connections = 1\nmessage_bytes = \"2KiB\"")
    lower = lower.replace("old.example", "new.example").replace("shards = 1", "shards = 2") + "[logs]\nevents = 2048\n"
    await reload(lower)
    # Who is there stays, and has what it was told; who comes now is one too many.
    ack = await ask(old, {"op": "subscribe", "channels": ["status"], "symbols": ["*"]})
    assert len(ack["symbols"]) == 5, ack
    assert await refused() == ("connection_limit", "alice has as many sessions as it may: 1. Close one of them.")
    await other.close()
    await old.close()
    while True:
        try:
            new, limits = await come()
            break
        except InvalidStatus:
            await asyncio.sleep(0.05)
    assert [limits[name] for name in ("max_symbols", "max_connections", "max_message_bytes")] == [2, 1, 2048], limits
    ack = await ask(new, {"op": "subscribe", "channels": ["status"], "symbols": ["*"]})
    assert len(ack["symbols"]) == 2 and ack["rejected"][0]["code"] == "symbol_limit", ack
    assert get(f"https://{ADDRESS}/v1/symbols", origin)[0] == 200
    old_origin = HEADERS | {"Origin": "https://old.example"}
    assert get(f"https://{ADDRESS}/v1/symbols", old_origin)[1]["code"] == "forbidden_origin"
    # What is shown is in force.
    config = shown()
    assert config["limits"]["symbols"] == {"value": 2, "origin": "file"}, config
    assert config["server"]["allowed_origins"]["value"] == ["https://new.example"], config
    assert config["server"]["shards"]["value"] == 1 and config["logs"]["events"]["value"] == 1024, config

    # What is broken is refused as a whole.
    await reload(lower.replace("symbols = 2", "symbols = 9").replace("subject_connections = 1", "subject_connections = 0"), "refused")
    assert shown() == config
    assert (await refused())[0] == "connection_limit"

    # Fewer connections than there are: nobody goes, and nobody comes.
    await reload(text.replace("symbols = 5\nsubject_connections = 5", "symbols = 4\nconnections = 1"))
    more = None
    try:
        more, _ = await come()
        raise AssertionError("let in")
    except (OSError, ssl.SSLError, EOFError):
        pass
    assert more is None and (await ask(new, {"op": "ping"}))["type"] == "pong"
    await reload(text)
    more, limits = await come()
    assert limits["max_symbols"] == 5, limits
    await asyncio.gather(new.close(), more.close())


asyncio.run(main())
