"""Frames that break RFC 6455, and messages that this server does not take: each must end its own
connection, or be answered, with the right code.

    frames.py ADDRESS CA
"""

import base64
import json
import os
import socket
import ssl
import struct
import sys
import time

ADDRESS, CA = sys.argv[1:]
HOST, PORT = ADDRESS.rsplit(":", 1)


def connect(receive_buffer=None, early=b"", path="/v1/stream"):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(60)
    sock.connect((HOST, int(PORT)))
    sock = ssl.create_default_context(cafile=CA).wrap_socket(sock, server_hostname=HOST)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        + early
    )
    stream = sock.makefile("rb")
    assert b" 101 " in stream.readline()
    while stream.readline().strip():
        pass
    return sock, stream


def frame(opcode, payload, mask=True, first=0x80):
    head = bytes([first | opcode])
    flag = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([flag | len(payload)])
    else:
        head += bytes([flag | 126]) + struct.pack(">H", len(payload))
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


def ending(stream):
    """The code of the first error message, or of the close frame."""
    while True:
        first, length = stream.read(2)
        if length == 126:
            length = struct.unpack(">H", stream.read(2))[0]
        payload = stream.read(length)
        if first & 0x0F == 8:
            return struct.unpack(">H", payload[:2])[0]
        message = json.loads(payload)
        if message["type"] == "error":
            return message["code"]


CASES = [
    ("a binary message", frame(2, os.urandom(100)), "invalid_json"),
    ("text that is not UTF-8", frame(1, b"\xff\xfe\xfd"), 1007),
    ("a frame without a mask", frame(1, b"{}", mask=False), 1002),
    ("a reserved bit", frame(1, b"{}", first=0xC0), 1002),
    ("an unknown opcode", frame(5, b"{}"), 1002),
    ("a ping that is too long", frame(9, b"x" * 126), 1002),
    ("a continuation of nothing", frame(0, b"x"), 1002),
    ("noise", b"\xff" * 512, 1002),
    ("a length in more bytes than it needs", b"\x81\xfe\x00\x02" + bytes(4) + b"{}", 1002),
    ("half a character in each of two frames", frame(1, b"\xe2\x82", first=0) + frame(0, b""), 1007),
    ("a message that is declared too long", b"\x81\xff" + struct.pack(">Q", 1 << 40), 1009),
    ("a message that never ends", frame(1, b"", first=0) + frame(0, b"", first=0) * 2_000, 1009),
    ("a close code that nobody may send", frame(8, struct.pack(">H", 1006)), 1002),
    ("a close", frame(8, struct.pack(">H", 1014)), 1014),
]

def closes_on_whoever_does_not_read():
    """Asks for echoes and reads none: what is taken is bounded, and so is the patience."""
    sock, _ = connect(receive_buffer=4096)
    sock.settimeout(0.2)
    echo = frame(1, json.dumps({"op": "echo", "payload": "x" * 60_000}).encode())
    asked = 0
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            sock.sendall(echo)
            asked += len(echo)
            assert asked < 64 << 20, "it takes without bound"
        except TimeoutError:
            pass
        except OSError:
            return
    raise AssertionError("it never closes")


for what, sent, expected in CASES:
    sock, stream = connect()
    sock.sendall(sent)
    code = ending(stream)
    if code == "message_too_big":
        code = ending(stream)
    assert code == expected, (what, code, expected)
    sock.close()

# The echo service takes more frames, but not without end.
sock, stream = connect(path="/echo")
try:
    sock.sendall(frame(2, b"", first=0) + frame(0, b"", first=0) * (1 << 18))
except OSError:
    pass  # It has heard enough before all of it was sent.
assert ending(stream) == 1009
sock.close()

# Behind the handshake in one packet.
sock, stream = connect(early=frame(2, b"early"))
assert ending(stream) == "invalid_json"
sock.close()

closes_on_whoever_does_not_read()
