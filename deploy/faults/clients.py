"""Clients as they come: that read, that do not, that are slow, that say nothing, that have no good token."""

import asyncio
import base64
import json
import os
import socket
import struct


def frame(opcode, payload):
    """A frame of a client's: masked, with a mask of zeros, which is as good as any here."""
    length = len(payload)
    head = bytes([0x80 | opcode, 0x80 | length]) if length < 126 else struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    return head + bytes(4) + payload


def handshake(address, token):
    key = base64.b64encode(os.urandom(16)).decode()
    return (f"GET /v1/stream HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: tickwire.v1.json\r\nAuthorization: Bearer {token}\r\n\r\n").encode()


async def connect(address, token, receive_bytes=None):
    """A session: what reads from it, what writes to it, and the status of the answer."""
    host, port = address.rsplit(":", 1)
    plain = socket.socket()
    if receive_bytes:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    # What is read ahead is not slow.
    reader, writer = await asyncio.open_connection(sock=plain, limit=receive_bytes or 1 << 16)
    writer.write(handshake(address, token))
    head = await reader.readuntil(b"\r\n\r\n")
    return reader, writer, int(head.split(b" ", 2)[1])


def ask(writer, **words):
    writer.write(frame(1, json.dumps(words).encode()))


async def listen(reader, writer, answers=True, bytes_a_second=None):
    """Reads to the end, and says that it is there. Frames are told apart only where pings must be answered."""
    if bytes_a_second:
        while await reader.read(bytes_a_second // 4):
            await asyncio.sleep(0.25)
        return
    while True:
        head = await reader.readexactly(2)
        length = head[1] & 0x7F
        if length == 126:
            length, = struct.unpack("!H", await reader.readexactly(2))
        elif length == 127:
            length, = struct.unpack("!Q", await reader.readexactly(8))
        payload = await reader.readexactly(length)
        opcode = head[0] & 0x0F
        if opcode == 9 and answers:
            writer.write(frame(10, payload))
        elif opcode == 8:
            return


async def session(address, token, channels=("quotes",), symbols=("*",), *, receive_bytes=None, wait=0, answers=True,
                  bytes_a_second=None, **options):
    """One that subscribes, reads nothing for so many seconds, and then as it is told, until it is ended."""
    try:
        reader, writer, status = await connect(address, token, receive_bytes)
        if status != 101:
            return
        try:
            ask(writer, op="subscribe", id=1, channels=list(channels), symbols=list(symbols), **options)
            if wait:
                # A stream that has a reader reads ahead: this one must not.
                writer.transport.pause_reading()
                await asyncio.sleep(wait)
                writer.transport.resume_reading()
            await listen(reader, writer, answers, bytes_a_second)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass


async def again(make):
    """Comes back as soon as it is ended."""
    while True:
        await make()
        await asyncio.sleep(0.2)


async def knock(address, token, every=0.05):
    """Asks to come in with what is no token, again and again."""
    while True:
        try:
            _, writer, _ = await connect(address, token)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(every)


async def admit(address, token, count):
    """So many sessions that want nothing."""
    held = []
    for _ in range(count):
        try:
            reader, writer, _ = await connect(address, token)
            held.append((writer, asyncio.ensure_future(listen(reader, writer))))
        except (OSError, asyncio.IncompleteReadError):
            break
    try:
        await asyncio.Event().wait()
    finally:
        for writer, task in held:
            task.cancel()
            writer.close()
