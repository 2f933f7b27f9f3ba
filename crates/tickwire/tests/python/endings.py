"""Sessions that end in every way there is.

endings.py ADDRESS ADMIN; TOKEN, SHORT (a token that ends in seconds) and ADMIN_TOKEN are in the environment. Waits for a line on
standard input before the last ones begin, which end with the server. Says the name of each session and how it ended, and what it was sent.
"""

import asyncio
import json
import os
import socket
import struct
import sys
import urllib.error
import urllib.request

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ADDRESS, ADMIN = sys.argv[1:3]
SUBSCRIBE = {"op": "subscribe", "id": 1, "channels": ["quotes", "book"], "symbols": ["*"]}


class Client:
    """A session, what it is called, and how many records it was sent."""

    def __init__(self, token="TOKEN"):
        self.token, self.name, self.records = os.environ[token], None, 0

    async def open(self, messages=20, **options):
        headers = {"Authorization": f"Bearer {self.token}"}
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        host, port = ADDRESS.split(":")
        await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
        self.line = await connect(f"ws://{ADDRESS}/v1/stream", sock=plain, additional_headers=headers, subprotocols=["tickwire.v1.json"],
                                  max_size=None, max_queue=1, compression=None)
        self.name = json.loads(await self.line.recv())["session"]
        await self.line.send(json.dumps(SUBSCRIBE | options))
        await self.read(messages)
        return self

    async def read(self, messages=None):
        """So many messages, or all of them."""
        try:
            while messages is None or messages > 0:
                message = json.loads(await self.line.recv())
                messages = None if messages is None else messages - 1
                self.records += 1 if message["type"] == "update" else 0
        except ConnectionClosed:
            pass


def ask(method, path):
    request = urllib.request.Request(f"http://{ADMIN}{path}", method=method, headers={"Authorization": f"Bearer {os.environ['ADMIN_TOKEN']}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def is_there(name):
    try:
        return bool(ask("GET", f"/v1/sessions/{name}"))
    except urllib.error.HTTPError:
        return False


async def client():
    mine = await Client().open()
    await mine.line.close()
    return "client", mine


async def goes():
    """Without a word: its machine resets the connection."""
    mine = await Client().open()
    raw = mine.line.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    mine.line.transport.abort()
    return "gone", mine


async def kicked():
    mine = await Client().open()
    reading = asyncio.ensure_future(mine.read())
    await asyncio.to_thread(ask, "DELETE", f"/v1/sessions/{mine.name}")
    await reading
    return "kicked", mine


async def slow():
    mine = await Client().open(overflow="disconnect")
    mine.line.transport.pause_reading()
    await asyncio.sleep(2.5)
    mine.line.transport.resume_reading()
    await mine.read()
    return "slow_consumer", mine


async def expires():
    mine = await Client("SHORT").open()
    await mine.read()
    return "token_expired", mine


async def breaks():
    """A frame with a bit that nobody has agreed on."""
    mine = await Client().open()
    mine.line.transport.write(b"\xf1\x80\0\0\0\0")
    await mine.read()
    return "protocol_error", mine


async def mute():
    """Has nothing to take, so that the kernel does not miss it before the server does."""
    mine = await Client().open(1, channels=["status"])
    mine.line.transport.pause_reading()
    # Until the server has given it up, however busy the machine is.
    while await asyncio.to_thread(is_there, mine.name):
        await asyncio.sleep(0.5)
    mine.line.transport.abort()
    return "ping_timeout", mine


async def stays():
    mine = await Client().open()
    return "shutdown", mine


async def main():
    ended = await asyncio.gather(*(end() for end in (client, goes, kicked, slow, expires, breaks, mute)))
    print("ended", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    left = [await stays() for _ in range(3)]
    reading = [asyncio.ensure_future(mine.read()) for _, mine in left]
    print("served", flush=True)
    await asyncio.gather(*reading)
    print(json.dumps([{"session": mine.name, "reason": reason, "records": mine.records} for reason, mine in [*ended, *left]]))


asyncio.run(main())
