"""Alerts, held against every trade and quote: none is missed, by whoever is there or away.

usage: alerts.py ADDRESS CA      (tokens of one subject in ALICE, of another in BOB)
"""

import asyncio
import json
import os
import ssl
import sys
from decimal import Decimal

from websockets.asyncio.client import connect

PATIENCE = 60
ADDRESS, CONTEXT = sys.argv[1], ssl.create_default_context(cafile=sys.argv[2])
FIELDS = {"last_price": ("trades", "price"), "bid_price": ("quotes", "bid_price"), "ask_price": ("quotes", "ask_price")}


class Client:
    """One session, and all that it was told."""

    def __init__(self, token):
        self.headers = {"Authorization": f"Bearer {token}"}
        self.values, self.alerts, self.acks = {}, {}, {}
        self.count = 0

    async def __aenter__(self):
        self.socket = await connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=self.headers, max_size=None)
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def next(self):
        message = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
        assert message["type"] not in ("error", "gap"), message
        if message["type"] == "update":
            for record in message["data"]:
                assert "coalesced" not in record, record
                for field, (channel, name) in FIELDS.items():
                    if channel == message["channel"] and name in record:
                        self.values.setdefault((field, record["symbol"]), []).append((record["sequence"], Decimal(record[name])))
        elif message["type"] == "alert":
            before = self.alerts.get(message["alert"])
            assert before is None or message["fired"] > before["fired"], (before, message)
            self.alerts[message["alert"]] = message
        elif message["type"] == "ack":
            self.acks[message.get("id")] = message
        return message

    async def ask(self, op, **fields):
        self.count += 1
        await self.socket.send(json.dumps({"op": op, "id": self.count} | fields))
        while self.count not in self.acks:
            await self.next()
        return self.acks.pop(self.count)


def beyond(alert, value):
    return value > Decimal(alert["above"]) if "above" in alert else value < Decimal(alert["below"])


def crossings(alert, values, after, until):
    """How often the values cross the alert's bound after one place, and up to another."""
    count, before = 0, None
    for sequence, value in values:
        now = beyond(alert, value)
        if after < sequence <= until and now and before is False:
            count += 1
        before = now
    return count


async def each_crossing_counts():
    """What a lossless reader sees cross is what the alert counts, from the record on at which it was set."""
    async with Client(os.environ["ALICE"]) as one:
        await one.ask("subscribe", channels=["trades", "quotes"], symbols=["*"], overflow="disconnect")
        while len(one.values) < 6 or min(map(len, one.values.values())) < 20:
            await one.next()
        begun = {}
        for (field, symbol), values in list(one.values.items()):
            middle = str(sorted(value for _, value in values[-20:])[10])
            for side in ("above", "below"):
                name = f"{field}:{symbol}:{side}"
                begun[name] = await one.ask("alert_set", alert=name, symbol=symbol, field=field, repeat=True, **{side: middle})
        until = asyncio.get_running_loop().time() + 3
        while len(one.alerts) < len(one.values) or asyncio.get_running_loop().time() < until:
            await one.next()
        listed = {entry["alert"]: entry for entry in (await one.ask("alert_list"))["alerts"]}
        told = 0
        for name, after in listed.items():
            if "last" not in after:
                continue
            start, end = begun[name]["sequence"], after["last"]["sequence"]
            values = one.values[after["field"], after["symbol"]]
            while values[-1][0] < end:
                await one.next()
            at = dict(values)
            assert str(at[end]) == after["last"]["value"] and beyond(after, at[end]), (after, at[end])
            assert beyond(after, at[start]) == begun[name]["beyond"], (begun[name], at[start])
            assert crossings(after, values, start, end) == after["fired"], (begun[name], after)
            told += after["fired"]
        assert told > 20, told
        return {name: entry["fired"] for name, entry in listed.items()}


async def who_was_away_is_told(fired):
    """They outlive their sessions, and are nobody else's."""
    async with Client(os.environ["BOB"]) as other:
        assert (await other.ask("alert_list"))["alerts"] == []
        async with Client(os.environ["ALICE"]) as one:
            listed = (await one.ask("alert_list"))["alerts"]
            assert {entry["alert"] for entry in listed} == set(fired)
            assert all(entry["fired"] >= fired[entry["alert"]] for entry in listed)
            while sum(entry["fired"] for entry in (await one.ask("alert_list"))["alerts"]) == sum(fired.values()):
                await asyncio.sleep(0.1)
            # Of whoever has asked, each is told, and no more after it was cleared.
            while not one.alerts:
                await one.next()
            for entry in listed:
                await one.ask("alert_clear", alert=entry["alert"])
            assert (await one.ask("alert_list"))["alerts"] == []
        assert not other.alerts


async def main():
    fired = await each_crossing_counts()
    await who_was_away_is_told(fired)
    print(f"{sum(fired.values())} crossings of {len(fired)} alerts")


asyncio.run(main())
