"""Times cryptofeed's message handlers on a capture, from memory.

usage: captures.py ROUNDS CAPTURE [checked]

With `checked`, checksums are looked at, where the venue sends them and cryptofeed knows how. CAPTURE is a capture envelope, unpacked. Its frames are fed to the handler of a fresh feed in each round, with callbacks
that do nothing; REST answers are those of the capture. Prints a line of JSON: messages, processor seconds of the quickest round, and
what the callbacks of a first round, which is not timed, counted.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from decimal import Decimal
from difflib import get_close_matches

from cryptofeed.connection import HTTPAsyncConn, HTTPSync
from cryptofeed.exchanges import EXCHANGE_MAP
from yapic import json as yapic

KINDS = ["l2_book", "trades", "ticker"]


class Capture:
    """What a capture holds."""

    def __init__(self, path: str) -> None:
        self.exchange, self.config = "", {}
        self.answers: dict[str, list[str]] = {}
        self.frames: list[tuple[str | bytes, float]] = []
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                kind = record["t"]
                if kind == "header":
                    self.exchange = record["exchange"]
                    known = EXCHANGE_MAP[self.exchange].websocket_channels
                    kinds = [kind for kind in KINDS if kind in known and kind in record["config"]]
                    self.config = {kind: record["config"][kind] for kind in kinds}
                elif kind == "http":
                    self.answers.setdefault(record["url"], []).append(record["data"])
                elif kind == "recv":
                    frame = record["data"] if "data" in record else base64.b64decode(record["b64"])
                    self.frames.append((frame, record["ts"]))


class Wire:
    """Stands for a connection: nothing is sent."""

    conn_type, uuid, subscription, address = "wss", "1", {}, "wss://nowhere"

    async def write(self, *_args: object, **_more: object) -> None:
        pass


async def play(capture: Capture, checked: bool, callback) -> float:
    """Feeds everything once and returns how long that took."""
    answers = {url: list(bodies) for url, bodies in capture.answers.items()}

    async def read(_self: object, url: str, **_more: object) -> str:
        return answers[url].pop(0)

    HTTPAsyncConn.read = read
    # Names stand for the keys that some ask for.
    config = {capture.exchange.lower(): {"key_id": "none", "key_secret": "none", "key_passphrase": "none"}}
    feed = EXCHANGE_MAP[capture.exchange](
        config=config,
        subscription=capture.config,
        callbacks={kind: callback(kind) for kind in capture.config},
        checksum_validation=checked,
    )
    wire = Wire()
    wire.subscription = {
        feed.std_channel_to_exchange(kind): [feed.std_symbol_to_exchange_symbol(symbol) for symbol in symbols]
        for kind, symbols in capture.config.items()
    }
    for _, subscribe, handler, _ in feed.connect():
        await subscribe(wire)
    began = time.process_time()
    for frame, at in capture.frames:
        await handler(frame, wire, at)
    return time.process_time() - began


async def main(rounds: int, path: str, checked: bool) -> None:
    capture = Capture(path)

    def instruments(_self: object, url: str, **_more: object) -> object:
        # Addresses change a little from one version to the next.
        (nearest,) = get_close_matches(url, capture.answers, n=1, cutoff=0)
        return yapic.loads(capture.answers[nearest][0], parse_float=Decimal)

    def token(_self: object, *_args: object, **_more: object) -> object:
        server = {"endpoint": "wss://nowhere", "pingInterval": 10_000}
        return {"data": {"instanceServers": [server], "token": "none"}}

    HTTPSync.read, HTTPSync.write = instruments, token
    counts: Counter[str] = Counter()

    def counting(kind: str):
        async def count(_what: object, _at: float) -> None:
            counts[kind] += 1

        return count

    def quiet(_kind: str):
        async def nothing(_what: object, _at: float) -> None:
            pass

        return nothing

    await play(capture, checked, counting)
    best = min([await play(capture, checked, quiet) for _ in range(rounds)])
    print(json.dumps({"messages": len(capture.frames), "seconds": best, "callbacks": counts}))


asyncio.run(main(int(sys.argv[1]), sys.argv[2], "checked" in sys.argv[3:]))
