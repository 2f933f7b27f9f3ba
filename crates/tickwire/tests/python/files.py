"""More connections than a system has files for: who is told what, at what cost, and who is served next.

usage: files.py ADDRESS PID      (the token in TICKWIRE_TOKEN; the plant speaks in plain)
"""

import asyncio
import json
import os
import sys
import time

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

PATIENCE = 30
ADDRESS, PID = sys.argv[1], int(sys.argv[2])
HOST, PORT = ADDRESS.rsplit(":", 1)
HEADERS = {"Authorization": f"Bearer {os.environ['TICKWIRE_TOKEN']}"}
# Half a core, however busy the machine is with other things.
LOAD_MAX = 0.5


async def come():
    return await connect(f"ws://{ADDRESS}/v1/stream", additional_headers=HEADERS)


def busy():
    """The seconds of a processor that the plant has used so far."""
    with open(f"/proc/{PID}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def turned_away():
    """One too many, which asks for nothing and does not leave by itself."""
    reader, writer = await asyncio.open_connection(HOST, int(PORT))
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    head, body = answer.decode().split("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ") and "application/problem+json" in head, head
    assert int(head.lower().split("retry-after: ")[1].split("\r\n")[0]) >= 1, head
    assert json.loads(body)["code"] == "connection_limit", body
    return writer


async def main():
    sessions = []
    try:
        while len(sessions) < 128:
            sessions.append(await come())
    except InvalidStatus as refusal:
        assert refusal.response.status_code == 503, refusal
    assert 40 <= len(sessions) <= 64, len(sessions)
    # Many more at once, who stay: each is told, and the plant does not turn on the spot.
    writers = await asyncio.gather(*(turned_away() for _ in range(300)))
    before, began = busy(), time.monotonic()
    await asyncio.sleep(3)
    load = (busy() - before) / (time.monotonic() - began)
    print("sessions", len(sessions), "load", load)
    assert load < LOAD_MAX, load
    # Those who are there are served all the while.
    for session in (sessions[0], sessions[-1]):
        await session.send(json.dumps({"op": "ping", "id": 1}))
        while json.loads(await asyncio.wait_for(session.recv(), PATIENCE))["type"] != "pong":
            pass
    began = time.monotonic()
    await asyncio.gather(*(session.close() for session in sessions))
    left = time.monotonic()
    while True:
        try:
            await (await come()).close()
            break
        except InvalidStatus:
            assert time.monotonic() < left + 1, "nobody is served"
            await asyncio.sleep(0.02)
    print("left after", left - began, "served after", time.monotonic() - left)
    assert time.monotonic() < left + 1, time.monotonic() - left
    for writer in writers:
        writer.close()


asyncio.run(main())
