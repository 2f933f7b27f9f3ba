"""Python's websockets: its own `broadcast`, as its documentation recommends."""

import asyncio
import json
import os
import sys
import threading
import time

from websockets.asyncio.server import broadcast, serve

BATCH = 1024


def stamp(at):
    """RFC 3339 with nine digits, from nanoseconds."""
    seconds, nanos = divmod(at, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos:09}Z"


class Pace:
    """The open loop of the schedule."""

    def __init__(self, schedule):
        self.symbols, self.order = schedule["symbols"], schedule["order"]
        self.sequences = [0] * len(self.symbols)
        self.readers = {symbol: set() for symbol in self.symbols}
        self.rate, self.began, self.published, self.place = 0, 0, 0, 0
        self.told = asyncio.Event()

    def obey(self, rate):
        self.rate, self.began, self.published = rate, time.time_ns(), 0
        self.told.set()

    def at(self, number):
        return self.began + (number + 1) * 1_000_000_000 // self.rate

    def publish(self, at):
        n = self.order[self.place % len(self.order)]
        self.place += 1
        self.sequences[n] += 1
        symbol, sequence = self.symbols[n], self.sequences[n]
        text = (
            f'{{"symbol":"{symbol}","sequence":{sequence},"bid_price":"100.{sequence % 100:02}",'
            f'"bid_size":"1.500","ask_price":"101.{sequence % 100:02}","ask_size":"0.310",'
            f'"ts_event":"{stamp(at)}","ts_recv":"{stamp(time.time_ns())}"}}'
        )
        broadcast(self.readers[symbol], text)

    async def run(self):
        while True:
            if not self.rate:
                await self.told.wait()
            due = (time.time_ns() - self.began) * self.rate // 1_000_000_000
            while self.published < min(due, self.published + BATCH):
                self.publish(self.at(self.published))
                self.published += 1
            await asyncio.sleep(max(0, (self.at(self.published) - time.time_ns()) / 1e9))


async def main():
    with open(sys.argv[1]) as file:
        pace = Pace(json.load(file))

    async def handle(socket):
        names = (await socket.recv()).split(",")
        await socket.send("ok")
        for name in names:
            pace.readers[name].add(socket)
        await socket.wait_closed()
        for name in names:
            pace.readers[name].discard(socket)

    loop = asyncio.get_running_loop()

    def listen():
        for line in sys.stdin:
            loop.call_soon_threadsafe(pace.obey, int(line.split()[1]))
        os._exit(0)

    options = {"compression": None, "ping_interval": None, "backlog": 8192}
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        threading.Thread(target=listen, daemon=True).start()
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await pace.run()


asyncio.run(main())
