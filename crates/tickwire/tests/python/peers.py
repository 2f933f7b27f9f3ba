"""The `websockets` library as a client: echoes of every kind and size, and the stream, with and
without compression.

    peers.py ADDRESS CA COMPRESSED_STREAM

COMPRESSED_STREAM is `yes` where the stream's server compresses. The token is in TICKWIRE_TOKEN.
"""

import asyncio
import json
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

ADDRESS, CA, COMPRESSED = sys.argv[1:]
TRUST = ssl.create_default_context(cafile=CA)
PATIENCE = 60

OFFERS = {
    "none": None,
    "default": [ClientPerMessageDeflateFactory()],
    "small windows": [ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)],
    "refused, then good": [
        ClientPerMessageDeflateFactory(server_max_window_bits=8),
        ClientPerMessageDeflateFactory(server_max_window_bits=12, server_no_context_takeover=True),
    ],
}


def client(path, extensions, **more):
    url = f"wss://{ADDRESS}{path}"
    return connect(url, ssl=TRUST, compression=None, extensions=extensions, max_size=None, **more)


async def soon(waited):
    return await asyncio.wait_for(waited, PATIENCE)


async def echoes(name, extensions):
    async with client("/echo", extensions) as server:
        agreed = [extension.name for extension in server.protocol.extensions]
        assert agreed == ([] if extensions is None else ["permessage-deflate"]), (name, agreed)
        for size in (0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20):
            for sent in ("tick " * (size // 5) + "∀" * (size % 5), os.urandom(size), bytes(size)):
                await soon(server.send(sent))
                got = await soon(server.recv())
                assert got == sent, (name, size, type(sent))
        await soon(server.send(["in ", "three ", "parts"]))
        assert await soon(server.recv()) == "in three parts"
        await soon(await server.ping(b"there?"))
        await soon(server.close(3_999, "done"))
        assert server.close_code == 3_999, (name, server.close_code)


async def stream(extensions):
    token = os.environ["TICKWIRE_TOKEN"]
    more = {"additional_headers": {"Authorization": f"Bearer {token}"}, "subprotocols": ["tickwire.v1.json"]}
    async with client("/v1/stream", extensions, **more) as server:
        agreed = [extension.name for extension in server.protocol.extensions]
        wanted = ["permessage-deflate"] if extensions and COMPRESSED == "yes" else []
        assert agreed == wanted, agreed
        await server.send(json.dumps({"op": "subscribe", "channels": ["trades", "book"], "symbols": ["*"]}))
        kinds, records = set(), 0
        while records < 200:
            message = json.loads(await soon(server.recv()))
            kinds.add(message["type"])
            records += len(message.get("data", []))
        assert {"welcome", "ack", "snapshot", "update"} <= kinds, kinds


async def bomb():
    """60 MiB of zeros in as many KiB: ended by the limit, not by the memory."""
    try:
        async with client("/v1/stream", OFFERS["default"]) as server:
            await soon(server.recv())
            await soon(server.send("0" * (60 << 20)))
            while True:
                await soon(server.recv())
    except ConnectionClosed as closed:
        assert closed.rcvd.code == 1009, closed


async def main():
    for name, extensions in OFFERS.items():
        await echoes(name, extensions)
    await stream(None)
    await stream(OFFERS["default"])
    if COMPRESSED == "yes":
        await bomb()


asyncio.run(main())
