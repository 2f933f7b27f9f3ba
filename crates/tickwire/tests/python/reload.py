"""Keys, revocations and the certificate become others while clients read.

usage: reload.py ADDRESS CA FOLDER PID      (tokens in ALICE, BOB, CAROL; Carol's is of the key `old`)

FOLDER has tickwire.toml, with a line `revoked_file`, cert.pem and key.pem, and other.pem and other.key to replace them.
"""

import asyncio
import os
import shutil
import signal
import ssl
import sys
import time
from pathlib import Path

from promise import Client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


class Reader:
    """A session that reads on, and remembers how it ended."""

    def __init__(self, url, context, name):
        self.client = Client(url, context, os.environ[name])
        self.records, self.closed = 0, None

    async def run(self):
        async with await self.client.open() as connection:
            await connection.send('{"op": "subscribe", "channels": ["trades", "book"], "symbols": ["*"]}')
            try:
                while True:
                    text = await connection.recv()
                    if '"type":"error"' in text:
                        assert '"code":"token_revoked"' in text, text
                        continue
                    self.client.take(text)
                    self.records += 1
            except ConnectionClosed as closed:
                self.closed = closed.rcvd.code, closed.rcvd.reason, time.monotonic()

    async def reads_on(self):
        before = self.records
        while self.records < before + 20:
            assert self.closed is None, self.closed
            await asyncio.sleep(0.01)


async def ended(reader, since):
    while reader.closed is None:
        await asyncio.sleep(0.01)
    assert reader.closed[:2] == (4501, "token_revoked"), reader.closed
    print("ended after", reader.closed[2] - since)


async def main(address, ca, folder, pid):
    folder, url, context = Path(folder), f"wss://{address}/v1/stream", ssl.create_default_context(cafile=ca)
    readers = {name: Reader(url, context, name) for name in ("ALICE", "BOB", "CAROL")}
    tasks = [asyncio.create_task(reader.run()) for reader in readers.values()]
    for reader in readers.values():
        await reader.reads_on()

    def reload():
        os.kill(int(pid), signal.SIGHUP)
        return time.monotonic()

    async def try_in(name):
        headers = {"Authorization": f"Bearer {os.environ[name]}"}
        async with connect(url, ssl=context, additional_headers=headers) as connection:
            return await connection.recv()

    async def shown():
        """The certificate that a new connection is shown."""
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        host, port = address.rsplit(":", 1)
        _, writer = await asyncio.open_connection(host, int(port), ssl=anybody)
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return certificate

    # Somebody is revoked; the others read on.
    (folder / "revoked.txt").write_text("# who left\n\nsub:bob\n")
    await ended(readers["BOB"], reload())
    await readers["ALICE"].reads_on()
    await readers["CAROL"].reads_on()
    try:
        await try_in("BOB")
        raise AssertionError("he is in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 401 and b"token_revoked" in refused.response.body

    # What is broken changes nothing.
    config, before = folder / "tickwire.toml", await shown()
    good = config.read_text()
    for broken in (good + "\n[serve]\n", good.replace("revoked.txt", "nowhere.txt")):
        config.write_text(broken)
        reload()
        await readers["ALICE"].reads_on()
    config.write_text(good)
    shutil.copy(folder / "cert.pem", folder / "kept.pem")
    (folder / "cert.pem").write_text("no certificate")
    reload()
    await readers["CAROL"].reads_on()
    assert await shown() == before and "welcome" in await try_in("CAROL")

    # Another certificate, and a key less.
    shutil.copy(folder / "other.pem", folder / "cert.pem")
    shutil.copy(folder / "other.key", folder / "key.pem")
    config.write_text(good.replace('id = "old"', 'id = "new"'))
    await ended(readers["CAROL"], reload())
    await readers["ALICE"].reads_on()
    assert await shown() != before, "new connections are shown the new certificate"
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
