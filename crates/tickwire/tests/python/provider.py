"""An identity provider that changes its keys, breaks, and comes back.

usage: provider.py ADDRESS ADMIN CA PID PORT      (tokens in OLD, NEW, OWN; published keys in OLD_KEY, NEW_KEY)
"""

import asyncio
import base64
import json
import os
import signal
import ssl
import sys
import threading
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE = 60
# So soon a name that is not known is looked for again.
LOOKED_FOR_AGAIN = 5.5
refused = Counter()
ADDRESS, ADMIN, CONTEXT = sys.argv[1], sys.argv[2], ssl.create_default_context(cafile=sys.argv[3])
PID, PORT = int(sys.argv[4]), int(sys.argv[5])
OLD, NEW, OWN = (os.environ[name] for name in ("OLD", "NEW", "OWN"))
OLD_KEY, NEW_KEY = (json.loads(os.environ[name]) for name in ("OLD_KEY", "NEW_KEY"))


class Provider(BaseHTTPRequestHandler):
    answer, asked = (500, "not yet"), 0

    def do_GET(self):
        Provider.asked += 1
        status, text = Provider.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def publish(*keys):
    Provider.answer = 200, json.dumps({"keys": keys})


async def come(token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=headers)


async def is_good(token):
    try:
        await (await come(token)).close()
        return True
    except InvalidStatus as refusal:
        refused[refusal.response.status_code] += 1
        # Not known, or not known yet: then it is told when to try again.
        if refusal.response.status_code == 503:
            assert int(refusal.response.headers["Retry-After"]) >= 1, refusal.response.headers
            assert json.loads(refusal.response.body)["code"] == "unavailable", refusal.response.body
        else:
            assert refusal.response.status_code == 401, refusal
        return False


def named(token, name):
    """The token as if its key had another name."""
    _, claims, signature = token.split(".")
    header = json.dumps({"alg": "ES256", "typ": "JWT", "kid": name}).encode()
    return f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{claims}.{signature}"


async def says(connection, kind):
    """The next message of a kind, or the error that comes instead."""
    while True:
        message = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        if message["type"] in (kind, "error"):
            return message


async def becomes(token, good):
    for _ in range(PATIENCE * 4):
        if await is_good(token) == good:
            return
        await asyncio.sleep(0.25)
    raise AssertionError(f"the token does not become {good}")


def metric(name):
    with urllib.request.urlopen(f"http://{ADMIN}/metrics", timeout=PATIENCE) as response:
        return sum(float(line.split()[-1]) for line in response.read().decode().splitlines() if line.startswith(name))


async def main():
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Nobody has published anything so far: the keys of the configuration are good, and no others.
    assert await is_good(OWN) and not await is_good(OLD)
    publish(OLD_KEY)
    await becomes(OLD, True)

    # Names that are made up are looked for now and then, not each time.
    asked = Provider.asked
    for n in range(100):
        assert not await is_good(named(OLD, f"made-up-{n}"))
    assert Provider.asked <= asked + 2, (asked, Provider.asked)
    assert refused[503] > 90, refused
    # For those that came meanwhile it is looked once more.
    await asyncio.sleep(2 * LOOKED_FOR_AGAIN)
    # What was looked for in vain is no good, and what may still come may come again.
    refused.clear()
    assert not await is_good(named(OLD, "made-up-0")) and not await is_good(named(OLD, "made-up-0"))
    assert refused == {401: 2}, refused

    # The keys change: the first token by the new one is the reason to look, and waits for that. Whoever came with the
    # old one goes.
    await asyncio.sleep(LOOKED_FOR_AGAIN)
    session = await come(OLD)
    publish(NEW_KEY)
    assert await is_good(NEW)
    assert not await is_good(OLD)
    try:
        while True:
            await asyncio.wait_for(session.recv(), PATIENCE)
    except ConnectionClosed as closed:
        assert closed.rcvd.code == 4501, closed

    # What is broken changes nothing, and neither does reading the configuration again.
    session = await come(NEW)
    for broken in ((200, "<html>"), (200, json.dumps({"keys": []})), (404, ""), (200, "x" * 300_000)):
        Provider.answer, asked = broken, Provider.asked
        assert not await is_good(OLD)
    os.kill(PID, signal.SIGHUP)
    while metric("tickwire_reloads_total") < 1:
        await asyncio.sleep(0.05)
    while metric('tickwire_jwks_fetches_total{result="error"}') < 2:
        assert not await is_good(OLD)
        await asyncio.sleep(0.25)
    assert await is_good(NEW) and await is_good(OWN)
    await session.send('{"op":"ping"}')
    while json.loads(await asyncio.wait_for(session.recv(), PATIENCE))["type"] != "pong":
        pass
    # The same where the token is the first message, and what is asked behind it waits with it.
    await asyncio.sleep(2 * LOOKED_FOR_AGAIN)
    publish(OLD_KEY, NEW_KEY)
    late = await come(None)
    await late.send(json.dumps({"op": "auth", "id": 1, "token": OLD}))
    await late.send(json.dumps({"op": "subscribe", "id": 2, "channels": ["quotes"], "symbols": ["*"]}))
    for id in (1, 2):
        ack = await says(late, "ack")
        assert (ack["type"], ack["id"]) == ("ack", id), ack
    await late.close()
    # While nobody can tell, a token may be tried again, and costs nothing.
    Provider.answer = 500, "broken"
    late = await come(None)
    for _ in range(5):
        await late.send(json.dumps({"op": "auth", "id": 3, "token": named(OLD, "newest")}))
        error = await says(late, "ack")
        assert (error["code"], error["retryable"]) == ("unavailable", True), error
        assert error["details"]["retry_after_ms"] > 0, error
    await late.send(json.dumps({"op": "auth", "id": 4, "token": OLD}))
    assert (await says(late, "ack"))["id"] == 4
    await late.close()
    assert await is_good(NEW)
    await session.close()


asyncio.run(main())
