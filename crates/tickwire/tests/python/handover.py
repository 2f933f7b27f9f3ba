"""A server is replaced under its clients, several times: they come back to the next one and miss nothing.

usage: handover.py URL CA TOKEN CLIENTS MOVES [LIGHT]

Prints a line when all have begun; ends when each was sent away MOVES times. LIGHT: two streams of one symbol each,
for many clients.
"""

import asyncio
import json
import ssl
import sys
import time

from websockets.exceptions import ConnectionClosed

from promise import CHANNELS, PATIENCE, Client

TOTALS = {"clients": 0, "moves": 0, "missing": 0, "delivered": 0, "coalesced": 0, "skipped": 0, "duplicates": 0,
          "epochs": 0, "checksums": 0}
EPOCHS = set()
RETURNS = []


def wanted(n, light):
    if light:
        return {"channels": ["trades", "quotes"], "symbols": [light[n % len(light)]]}
    # Every depth is a view of its own, with a log of its own.
    return {"channels": CHANNELS, "symbols": ["*"], "checksum": True, "depth": [10, 20, 0][n % 3]}


class Rider:
    def __init__(self, n, client, light):
        self.n, self.client = n, client
        self.request = {"op": "subscribe", "id": 1, **wanted(n, light)}

    async def begin(self):
        for attempt in range(50):
            try:
                self.socket = await self.client.open(open_timeout=PATIENCE)
                break
            except OSError:
                # A full backlog in a storm.
                await asyncio.sleep(0.1 * attempt)
        request = dict(self.request, resume=self.client.cursor) if self.client.cursor else self.request
        ack = await self.client.ask(self.socket, request)
        if "resume" in request:
            states = [entry for entry in ack["streams"] if entry["state"] != "filled"]
            TOTALS["missing"] += len(states)
        EPOCHS.add(ack["cursor"].split(":")[0])

    async def moves(self):
        """Reads until it was told to go, and goes, each in its own way."""
        leave = None
        while leave is None or time.monotonic() < leave:
            try:
                left = PATIENCE if leave is None else max(0.001, leave - time.monotonic())
                message = self.client.take(await asyncio.wait_for(self.socket.recv(), left))
            except TimeoutError:
                assert leave is not None, "silence"
                break
            if message["type"] == "draining":
                leave = time.monotonic() + message["reconnect_after_ms"] / 1000
        if leave is not None:
            RETURNS.append(leave)
        old = self.socket
        if self.n % 3 == 0:
            # Breaks off without a word.
            old.transport.abort()
            await self.begin()
        elif self.n % 3 == 1:
            # Make before break.
            await self.begin()
            await self.client.leave(old)
        else:
            # Waits until it is put out.
            try:
                while True:
                    self.client.take(await asyncio.wait_for(old.recv(), PATIENCE))
            except ConnectionClosed as closed:
                assert closed.rcvd.code == 1012, closed
            await self.begin()
        TOTALS["moves"] += 1


async def ride(n, client, moves, light, begun):
    rider = Rider(n, client, light)
    await rider.begin()
    await client.read(rider.socket, 2 if light else 20)
    begun.release()
    for _ in range(moves):
        await rider.moves()
    await client.read(rider.socket, 2 if light else 50)
    ack = await client.ask(rider.socket, {"op": "ledger", "id": 2})
    client.check_ledger(ack["subscriptions"])
    await client.leave(rider.socket)
    TOTALS["clients"] += 1
    for name in ("delivered", "coalesced", "skipped", "duplicates", "checksums"):
        TOTALS[name] += sum(getattr(stream, name) for stream in client.streams.values())


async def main(url, ca, token, clients, moves, *light):
    context = None if ca == "-" else ssl.create_default_context(cafile=ca)
    begun = asyncio.Semaphore(0)
    riders = []
    for n in range(int(clients)):
        riders.append(asyncio.create_task(ride(n, Client(url, context, token), int(moves), light, begun)))
        # As fast as one core can shake hands.
        if n % 50 == 49:
            await begun.acquire()
            begun.release()
    for _ in riders:
        await begun.acquire()
    print(json.dumps({"begun": len(riders)}), flush=True)
    await asyncio.gather(*riders)
    TOTALS["epochs"] = len(EPOCHS)
    if RETURNS and int(moves) == 1:
        # How even: in tenths of a second, the fullest against the mean.
        slots, first = {}, min(RETURNS)
        for at in RETURNS:
            slots[int((at - first) * 10)] = slots.get(int((at - first) * 10), 0) + 1
        TOTALS["fullest_slot"] = max(slots.values()) / (len(RETURNS) / (max(slots) + 1))
        TOTALS["seconds"] = round(max(RETURNS) - first, 1)
    print(json.dumps(TOTALS), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
