"""python-socketio as a client: accounts that close, refusals, a cursor that crosses transports.

usage: socketio_client.py ADDRESS CA      (the token in TICKWIRE_TOKEN)
"""

import asyncio
import json
import os
import socket
import ssl
import sys
import threading

import requests
import socketio
from websockets.asyncio.client import connect

from promise import CHANNELS, PATIENCE, Client

TOKEN = os.environ["TICKWIRE_TOKEN"]
WANTED = {"channels": CHANNELS, "symbols": ["*"], "checksum": True}


class Visitor:
    """A connection, and what a client that believes nothing makes of what comes by it."""

    def __init__(self, address, ca, transports, client=None, auth=None, refused=None):
        self.client = client or Client(None, None, None)
        self.failed, self.told = None, threading.Condition()
        http = requests.Session()
        http.verify, http.trust_env = ca, False
        options = {} if ca == "-" else {"sslopt": {"ca_certs": ca, "cert_reqs": ssl.CERT_REQUIRED}}
        self.socket = socketio.Client(http_session=http, websocket_extra_options=options, reconnection=False)
        self.socket.on("*", self.take)
        if refused is not None:
            self.socket.on("connect_error", refused.append)
        auth = {"token": TOKEN} if auth is None else auth
        scheme = "http" if ca == "-" else "https"
        self.socket.connect(f"{scheme}://{address}", transports=transports, auth=auth, wait_timeout=PATIENCE)

    def take(self, event, message):
        with self.told:
            try:
                assert event == message["type"], (event, message)
                self.client.take(json.dumps(message))
            except Exception as error:
                self.failed = self.failed or error
            self.told.notify_all()

    def until(self, met):
        with self.told:
            assert self.told.wait_for(lambda: self.failed or met(), PATIENCE), "nothing more came"
        if self.failed:
            raise self.failed

    def delivered(self):
        return sum(stream.delivered + stream.duplicates for stream in self.client.streams.values())

    def more(self, count):
        wanted = self.delivered() + count
        self.until(lambda: self.delivered() >= wanted)

    def leave(self):
        self.socket.disconnect()


def account(address, ca, transports):
    visitor = Visitor(address, ca, transports)
    assert visitor.socket.transport() == transports[-1]
    ack = visitor.socket.call("subscribe", WANTED | {"id": 5}, timeout=PATIENCE)
    assert (ack["type"], ack["id"], ack["rejected"]) == ("ack", 5, []), ack
    visitor.until(lambda: len(visitor.client.streams) == len(CHANNELS) * len(ack["symbols"]))
    visitor.more(2000)
    # Paused, nothing comes behind the account that this client's threads could take before it.
    ack = visitor.socket.call("pause", {"channels": CHANNELS, "symbols": ["*"]}, timeout=PATIENCE)
    assert ack["type"] == "ack", ack
    ledger = visitor.socket.call("ledger", timeout=PATIENCE)["subscriptions"]
    sums = lambda: {name: sum(getattr(stream, name) for stream in visitor.client.streams.values())
                    for name in ("delivered", "coalesced", "skipped")}
    told = {name: sum(entry[name] for entry in ledger) for name in ("delivered", "coalesced", "skipped")}
    visitor.until(lambda: sums() == told)
    visitor.client.check_account(ledger)
    visitor.leave()


def crossing(address, ca):
    client, filled = Client(None, None, None), 0
    for transports in (["websocket"], ["polling"], ["polling", "websocket"], ["polling"]):
        visitor = Visitor(address, ca, transports, client)
        resume = {"resume": client.cursor} if client.cursor and client.streams else {}
        ack = visitor.socket.call("subscribe", WANTED | resume, timeout=PATIENCE)
        assert ack["type"] == "ack", ack
        filled += ack["resumed"]
        visitor.more(500)
        visitor.leave()
    assert filled > 0


def stalled(address, ca):
    """Who does not read its WebSocket is coalesced, and told exactly what."""
    host, port = address.rsplit(":", 1)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    plain.connect((host, int(port)))
    plain.setblocking(False)
    # Nothing is read but while this runs.
    loop = asyncio.new_event_loop()
    now = lambda coroutine: loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))
    secure = {} if ca == "-" else {"ssl": ssl.create_default_context(cafile=ca), "server_hostname": host}
    url = f"{'wss' if secure else 'ws'}://{address}/socket.io/?EIO=4&transport=websocket"

    async def opened():
        return await connect(url, sock=plain, ping_interval=None, max_size=None, **secure)

    client, stream = Client(None, None, None), now(opened())

    def take():
        packet = now(stream.recv())
        if packet.startswith("42"):
            client.take(json.dumps(json.loads(packet[2:])[1]))
        return packet

    now(stream.send("40" + json.dumps({"token": TOKEN})))
    now(stream.send("421" + json.dumps(["subscribe", WANTED])))
    packet = take()
    while not packet.startswith("431"):
        packet = take()
    symbols = json.loads(packet[3:])[0]["symbols"]
    while len(client.streams) < len(CHANNELS) * len(symbols):
        take()
    # More than the pipe and the logs hold.
    other = Visitor(address, ca, ["websocket"])
    other.socket.call("subscribe", WANTED, timeout=PATIENCE)
    other.more(8000)
    other.leave()
    while not any(stream.coalesced for stream in client.streams.values()):
        take()
    now(stream.send('422["ledger"]'))
    while not packet.startswith("432"):
        packet = take()
    client.check_account(json.loads(packet[3:])[0]["subscriptions"])
    now(stream.close())


def refusals(address, ca):
    for transports in (["websocket"], ["polling"]):
        refused = []
        try:
            Visitor(address, ca, transports, auth={"token": "x.y.z"}, refused=refused)
            raise AssertionError("it was let in")
        except socketio.exceptions.ConnectionError:
            assert [error["data"]["code"] for error in refused] == ["token_invalid"], refused
        visitor = Visitor(address, ca, transports)
        error = visitor.socket.call("subscribr", {}, timeout=PATIENCE)
        assert (error["type"], error["code"]) == ("error", "unknown_op"), error
        visitor.leave()


def main(address, ca):
    for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
        account(address, ca, transports)
    crossing(address, ca)
    stalled(address, ca)
    refusals(address, ca)


main(*sys.argv[1:])
