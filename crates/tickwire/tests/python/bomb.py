"""Zeros, compressed as well as they can be, in one frame: the server must say 1009.

    bomb.py ADDRESS CA PATH MEBIBYTES
"""

import base64
import json
import os
import socket
import ssl
import struct
import sys
import zlib

ADDRESS, CA, PATH, MEBIBYTES = sys.argv[1:]
HOST, PORT = ADDRESS.rsplit(":", 1)

sock = socket.create_connection((HOST, int(PORT)), timeout=60)
sock = ssl.create_default_context(cafile=CA).wrap_socket(sock, server_hostname=HOST)
key = base64.b64encode(os.urandom(16)).decode()
sock.sendall(
    f"GET {PATH} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    f"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
)
stream = sock.makefile("rb")
head = b""
while not head.endswith(b"\r\n\r\n"):
    head += stream.readline()
assert b" 101 " in head and b"permessage-deflate" in head, head

deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
bomb = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(int(MEBIBYTES)))
bomb += deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]
assert len(bomb) < 64 << 10, len(bomb)
sock.sendall(b"\xc1\xfe" + struct.pack(">H", len(bomb)) + bytes(4) + bomb)
while True:
    first, length = stream.read(2)
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    payload = stream.read(length)
    if first & 0x0F == 8:
        break
code = struct.unpack(">H", payload[:2])[0]
assert code == 1009, code
