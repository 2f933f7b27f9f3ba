"""The server goes away while clients read: all are told when to come back, and served until they are closed.

usage: drain.py ADDRESS CA ADMIN PID WINDOW      (the token in TICKWIRE_TOKEN; WINDOW in seconds)
"""

import asyncio
import http.client
import json
import os
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from doors import WANTED, Server
from promise import Client

COUNT = 40


async def client(url, context, begun):
    """What one client sees of the drain: when it is to come back, when it was closed, what came between."""
    mine = Client(url, context, os.environ["TICKWIRE_TOKEN"])
    async with await mine.open() as connection:
        await connection.send(json.dumps({"op": "subscribe", "channels": ["trades", "book"], "symbols": ["*"]}))
        draining, between = None, 0
        begun.release()
        try:
            while True:
                text = await connection.recv()
                message = json.loads(text)
                if message["type"] == "draining":
                    assert draining is None, "told twice"
                    draining = message
                else:
                    mine.take(text)
                    between += draining is not None and message["type"] == "update"
        except ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (1012, "shutdown"), closed
        assert draining["cursor"] and len(draining["ledger"]) > 1
        return draining["reconnect_after_ms"] / 1000, time.monotonic(), between


def events(server):
    """A client of the events: told with a `retry` of its own, served on, then the end."""
    kinds = []
    for event in server.events(WANTED):
        kinds.append(event.get("event"))
        if kinds[-1] == "draining":
            assert int(event["retry"]) == json.loads(event["data"])["reconnect_after_ms"], event
    assert kinds.count("draining") == 1 and kinds[-1] != "draining", kinds[-5:]


def asked(connection):
    """The list of symbols over a connection that is kept: status, and whether it is kept on."""
    headers = {"Authorization": "Bearer " + os.environ["TICKWIRE_TOKEN"]}
    connection.request("GET", "/v1/symbols", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("Connection")


def ready(admin):
    try:
        with urllib.request.urlopen(f"http://{admin}/readyz") as answer:
            return answer.status, json.load(answer)["status"]
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["status"]


async def main(address, ca, admin, pid, window):
    window, context, begun = float(window), ssl.create_default_context(cafile=ca), asyncio.Semaphore(0)
    url = f"wss://{address}/v1/stream"
    clients = [asyncio.create_task(client(url, context, begun)) for _ in range(COUNT)]
    for _ in clients:
        await begun.acquire()
    listener = asyncio.create_task(asyncio.to_thread(events, Server(address, ca)))
    await asyncio.sleep(0.5)
    kept = http.client.HTTPSConnection(address, context=context)
    assert await asyncio.to_thread(asked, kept) == (200, None)
    began = time.monotonic()
    os.kill(int(pid), signal.SIGTERM)
    while ready(admin) != (503, "draining"):
        assert time.monotonic() - began < 10, ready(admin)
        await asyncio.sleep(0.01)
    # The next request is for whoever serves next.
    assert await asyncio.to_thread(asked, kept) == (200, "close")
    try:
        async with connect(url, ssl=context):
            raise AssertionError("a server that goes away takes nobody")
    except OSError:
        pass
    seen = await asyncio.gather(*clients)
    await listener
    overlap = min(2, window / 2)
    returns = sorted(after for after, _, _ in seen)
    # Evenly: of forty, each has its fortieth of the time.
    step = (window - overlap) / (COUNT + 1)
    assert all(step * 0.9 < b - a < step * 1.1 for a, b in zip(returns, returns[1:])), returns
    for after, closed, between in seen:
        # Not before the new connection can be there; a busy machine may be late.
        assert closed - began > after + overlap - 0.05, (after, closed - began)
        assert between > 0, "served until it is closed"
    print(returns[0], returns[-1], max(closed for _, closed, _ in seen) - began)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
