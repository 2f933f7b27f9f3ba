"""The Socket.IO door by the book: what Engine.IO v4 and Socket.IO v5 say, byte by byte, and what they forbid.

usage: socketio_rules.py ADDRESS CA          (the token in TICKWIRE_TOKEN, the allowed origin is https://good.example)
       socketio_rules.py ADDRESS CA PROCESS  the server is told to go, and says goodbye

The server's ping is 300ms, its silence 400ms, its auth_timeout 1s.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
from http.client import HTTPSConnection

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

TOKEN = os.environ["TICKWIRE_TOKEN"]
ROOT = "/socket.io/?EIO=4"
POLL = f"{ROOT}&transport=polling"
CONNECT = "40" + json.dumps({"token": TOKEN})
REFUSED = {
    0: (400, "Transport unknown"), 1: (400, "Session ID unknown"), 2: (400, "Bad handshake method"),
    3: (400, "Bad request"), 4: (403, "Forbidden"), 5: (400, "Unsupported protocol version"),
}


class Server:
    def __init__(self, address, ca):
        self.address, self.context = address, ssl.create_default_context(cafile=ca)

    def open(self, path, method="GET", body=None, headers={}):
        host, port = self.address.rsplit(":", 1)
        connection = HTTPSConnection(host, int(port), context=self.context, timeout=30)
        connection.request(method, path, body.encode() if isinstance(body, str) else body, headers)
        return connection

    def ask(self, path, method="GET", body=None, headers={}):
        connection = self.open(path, method, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text

    def refuses(self, code, *args, **more):
        response, text = self.ask(*args, **more)
        status, message = REFUSED[code]
        assert (response.status, json.loads(text)) == (status, {"code": code, "message": message}), (args, text)

    def session(self, body=None):
        """A session by polling; what it is told first is taken away."""
        response, text = self.ask(POLL)
        assert response.status == 200 and text[0] == "0", text
        session = Session(self, json.loads(text[1:]))
        if body:
            assert session.post(body) == "ok"
        return session

    def socket(self, path=f"{ROOT}&transport=websocket"):
        return Socket(f"wss://{self.address}{path}", self.context)


class Socket:
    """A WebSocket for those who do one thing at a time. (The library's own for them writes and reads a TLS
    connection from two threads at once, which loses what it writes now and then.)"""

    LOOP = asyncio.new_event_loop()

    def __init__(self, url, context):
        self.socket = self.now(connect(url, ssl=context, max_size=None, ping_interval=None))

    def now(self, coroutine):
        async def soon():
            return await asyncio.wait_for(coroutine, 30)
        return self.LOOP.run_until_complete(soon())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.now(self.socket.close())

    def send(self, packet):
        self.now(self.socket.send(packet))

    def recv(self):
        return self.now(self.socket.recv())


class Session:
    def __init__(self, server, opened):
        self.server, self.opened = server, opened
        self.path = f"{POLL}&sid={opened['sid']}"
        self.packets = []

    def get(self):
        response, text = self.server.ask(self.path)
        assert response.status == 200, text
        return text.split("\x1e")

    def post(self, body):
        response, text = self.server.ask(self.path, "POST", body)
        assert response.status == 200, text
        return text

    def until(self, found):
        """Polls on, answering pings, until a packet is what is looked for."""
        while True:
            self.packets = self.packets or self.get()
            packet = self.packets.pop(0)
            if packet == "2":
                self.post("3")
            if found(packet):
                return packet

    def is_gone(self):
        self.server.refuses(1, self.path)

    def waiting(self):
        """A poll that is under way: what it answers, when it does."""
        return self.server.open(self.path)


def finish(connection):
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def text_until(socket, found):
    while True:
        packet = socket.recv()
        if packet == "2":
            socket.send("3")
        if found(packet):
            return packet


def closes(socket):
    """Until the server closes: its code."""
    try:
        while True:
            socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code


def handshakes(server):
    response, text = server.ask(POLL)
    opened = json.loads(text[1:])
    assert response.status == 200 and response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert opened.keys() == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert (opened["upgrades"], opened["pingInterval"], opened["pingTimeout"]) == (["websocket"], 300, 400)
    with server.socket() as socket:
        opened = json.loads(socket.recv()[1:])
        assert opened["upgrades"] == [] and opened["maxPayload"] == (64 << 10) + (4 << 10)
        # Nobody can poll what began as a WebSocket.
        server.refuses(1, f"{POLL}&sid={opened['sid']}")
    for path in (ROOT, f"{ROOT}&transport=abc", f"{ROOT}&transport="):
        server.refuses(0, path)
    for version in ("", "EIO=abc&", "EIO=3&"):
        server.refuses(5, f"/socket.io/?{version}transport=polling")
    for method in ("POST", "PUT", "DELETE"):
        server.refuses(2, POLL, method)
    server.refuses(1, f"{POLL}&sid=abc")
    server.refuses(1, f"{POLL}&sid=abc", "POST", "3")
    server.refuses(3, f"{ROOT}&transport=websocket")
    server.refuses(2, server.session().path, "PUT", "3")
    server.refuses(4, POLL, headers={"Origin": "https://evil.example"})
    response, _ = server.ask(POLL, headers={"Origin": "https://good.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://good.example"
    for path, status in ((f"{ROOT}&transport=abc", 400), ("/socket.io/?transport=websocket", 400),
                         (f"{ROOT}&transport=websocket&sid=abc", 400)):
        try:
            with server.socket(path):
                raise AssertionError(f"{path} was let in")
        except InvalidStatus as error:
            assert error.response.status_code == status


def polls(server):
    session = server.session()
    for _ in range(3):
        assert session.get() == ["2"]
        assert session.post("3") == "ok"
    session = server.session(CONNECT)
    first = session.until(lambda packet: packet != "2")
    assert first.startswith('40{"sid":"') and json.loads(first[2:])["sid"] != session.opened["sid"], first
    # The welcome comes right behind the answer to the connection.
    assert session.until(lambda packet: packet != "2").startswith('42["welcome",{"type":"welcome"')
    session.post('421["echo",{"payload":1.50}]\x1e422["nope"]')
    assert session.until(lambda packet: packet.startswith("431[")) == '431[{"type":"echo","payload":1.50}]'

    for broken in ("abc", "", "0", "2", "5", "6", "4", "4abc", "42{}", '42abc["x",{}]', '42["x"]', "41", "4€",
                   "\x1e", b"\xff\xfe", "\x1e".join(["3"] * 257)):
        session = server.session()
        server.refuses(3, session.path, "POST", broken)
        session.is_gone()

    # Two polls at a time: the first is let go, the second refused, and neither goes on.
    session = server.session()
    first = session.waiting()
    second = session.waiting()
    answers = sorted([finish(first), finish(second)])
    assert answers == [(200, "1"), (400, '{"code":3,"message":"Bad request"}')], answers
    session.is_gone()

    # A poll that breaks off takes the session with it: what it would have carried is nobody's.
    session = server.session()
    session.waiting().close()
    while server.ask(session.path, "POST", "3")[0].status == 200:
        pass
    session.is_gone()

    session = server.session()
    poll = session.waiting()
    assert session.post("1") == "ok"
    assert finish(poll) == (200, "6")
    session.is_gone()

    # Who does not answer is gone; so is who does not connect.
    session = server.session()
    assert session.get() == ["2"]
    answer = session.get()
    assert answer == ["1"], answer
    session.is_gone()
    session = server.session()
    beats = 0
    while (answer := session.get()) == ["2"]:
        session.post("3")
        beats += 1
    assert answer == ["1"] and beats == 3, (answer, beats)
    session.is_gone()

    session = server.session()
    response, _ = server.ask(session.path, "POST", "4" * (69 << 10))
    assert response.status == 413


def sockets(server):
    for broken in ("abc", "", "0", "2", "5", "6", "4abc", "42{}", '42["x"]', "41", b"x",
                   CONNECT + "x", "44{}", "40[]"):
        with server.socket() as socket:
            socket.recv()
            socket.send(broken)
            assert closes(socket) == 1000, broken
    with server.socket() as socket:
        socket.recv()
        for _ in range(3):
            assert socket.recv() == "2"
            socket.send("3")
        # Nobody has connected.
        assert closes(socket) == 1000
    with server.socket() as socket:
        socket.recv()
        socket.send("1")
        assert closes(socket) == 1000
    with server.socket() as socket:
        socket.recv()
        assert socket.recv() == "2"
        assert closes(socket) == 1000, "who does not answer is gone"
    with server.socket() as socket:
        socket.recv()
        socket.send(CONNECT)
        assert socket.recv().startswith("40{")
        assert text_until(socket, lambda packet: packet != "2").startswith('42["welcome",{')
        socket.send('42["echo",{"id":"x","payload":[1.0]}]')
        assert text_until(socket, lambda packet: '"echo"' in packet) == '42["echo",{"type":"echo","id":"x","payload":[1.0]}]'
        # An attachment is refused with its event, and passed over.
        socket.send('451-3["echo",{"payload":{"_placeholder":true,"num":0}}]')
        socket.send(b"x")
        assert "Binary attachments are not taken" in text_until(socket, lambda packet: packet.startswith("433["))
        socket.send('40/admin,')
        assert text_until(socket, lambda packet: packet.startswith("44")) == '44/admin,{"message":"Invalid namespace"}'
        # Whoever leaves the namespace is still there, and may come back.
        socket.send("41")
        assert text_until(socket, lambda packet: packet == "2")
        socket.send(CONNECT)
        text_until(socket, lambda packet: packet.startswith("40{"))
        socket.send(CONNECT)
        assert closes(socket) == 1000, "connected twice"
    for path in ("", "/custom,"):
        with server.socket() as socket:
            socket.recv()
            for _ in range(5):
                socket.send(f'40{path}{{"token":"x.y.z"}}')
                error = text_until(socket, lambda packet: packet.startswith("44"))
                told = json.loads(error[error.index("{"):])
                assert told["message"] == "Invalid namespace" if path else told["data"]["code"] == "token_invalid"
            assert closes(socket) == 1000
    with server.socket() as socket:
        socket.recv()
        socket.send(CONNECT)
        socket.send('42["echo",{"payload":"' + "x" * (70 << 10) + '"}]')
        assert "message_too_big" in text_until(socket, lambda packet: packet.startswith('42["error"'))
        assert text_until(socket, lambda packet: packet != "2") == "41"
        assert closes(socket) == 1009
    # Who comes and goes without end is let go; so is who does not say in time who it is.
    with server.socket() as socket:
        socket.recv()
        try:
            for _ in range(200):
                socket.send(CONNECT)
                socket.send("41")
        except ConnectionClosed:
            pass
        assert closes(socket) == 1000
    with server.socket() as socket:
        socket.recv()
        socket.send("40")
        socket.send("41")
        try:
            text_until(socket, lambda _: False)
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 1000, closed


def upgrades(server):
    session = server.session(CONNECT)
    path = session.path.replace("polling", "websocket")
    session.until(lambda packet: packet.startswith("40"))
    with server.socket(path) as socket:
        socket.send("2probe")
        assert socket.recv() == "3probe"
        # A second one comes too late.
        with server.socket(path) as second:
            assert closes(second) == 1000
        # No poll is kept waiting any more.
        while session.get() != ["6"]:
            pass
        socket.send("5")
        socket.send('421["echo",{"payload":1}]')
        text_until(socket, lambda packet: packet == '431[{"type":"echo","payload":1}]')
        server.refuses(3, session.path)
        server.refuses(3, session.path, "POST", "1")
        with server.socket(path) as second:
            assert closes(second) == 1000
        socket.send('422["echo",{"payload":2}]')
        text_until(socket, lambda packet: packet == '432[{"type":"echo","payload":2}]')
    for wrong in (["5"], ["4x"], ["2probe", "4x"], [b"2probe"]):
        session = server.session(CONNECT)
        with server.socket(session.path.replace("polling", "websocket")) as socket:
            for packet in wrong:
                socket.send(packet)
            assert closes(socket) == 1000, wrong
        # It goes on as it was.
        session.post('421["echo",{"payload":1}]')
        session.until(lambda packet: packet == '431[{"type":"echo","payload":1}]')


def goodbye(server, process):
    """Who is to come back loses its connection and is not sent away, and knows why before."""
    host, port = server.address.rsplit(":", 1)
    connection = HTTPSConnection(host, int(port), context=server.context, timeout=30)
    said = []

    def exchange(path, method="GET", body=None):
        connection.request(method, path, body)
        return connection.getresponse().read().decode()

    path = f"{POLL}&sid={json.loads(exchange(POLL)[1:])['sid']}"
    assert exchange(path, "POST", CONNECT) == "ok"
    while not any(packet.startswith('42["welcome"') for packet in said):
        said = exchange(path).split("\x1e")
    with server.socket() as socket:
        socket.recv()
        socket.send(CONNECT)
        text_until(socket, lambda packet: packet.startswith('42["welcome"'))
        os.kill(process, signal.SIGTERM)
        told = []
        while told[-1:] != ["1"]:
            answer = exchange(path).split("\x1e")
            assert "1" not in answer or answer == ["1"], answer
            if "2" in answer:
                exchange(path, "POST", "3")
            told += answer
        text_until(socket, lambda packet: packet.startswith('42["draining",{"type":"draining"'))
        assert closes(socket) == 1012
    kinds = [packet.partition(",")[0] for packet in told if packet != "2"]
    assert [kind for kind in kinds if "heartbeat" not in kind] == ['42["draining"', "1"], told


def main(address, ca, process=None):
    server = Server(address, ca)
    if process:
        return goodbye(server, int(process))
    handshakes(server)
    polls(server)
    sockets(server)
    upgrades(server)


main(*sys.argv[1:])
