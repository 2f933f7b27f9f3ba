#!/usr/bin/env python3
"""Asks each query of the dashboards of a Prometheus that watches plants under load: none may be without data.

Two plants: one whose market, clients, recording and keys give all there is to see, and one with a certificate. Exit code 1
if a query is not understood, or is without data when the time is over. The last line is `N queries with data, M without`.
"""

import argparse
import asyncio
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import captures
import check
import clients
import faults
import files
import watch
from plants import free_port, lived, played, sim


def market(stage):
    """All kinds of feeds, of clients and of settings at one plant."""
    made = {f"{make.__name__}.jsonl": make() for make in (captures.silent, captures.late, captures.garbled, captures.holes)}
    lists = "".join(played(name, f"-{name.upper()}") for name in ("silent", "late", "garbled", "holes"))
    venue = stage.venue("cuts", "reset:at=5,count=1000")
    recording = '[recording]\nfolder = "recordings"\nkeep_bytes = "1MiB"\n'
    streams = '[streams]\ndelays = ["5s"]\n[limits]\ndelayed_events = 50\n[logs]\nevents = 512\n'
    stage.plant("market", streams + recording + sim(20, 4000) + lists + lived("cuts", venue.address), files=made)


async def load(stage):
    """Clients of every kind, until they are ended."""
    plant = stage.plants["market"]
    address, token = plant.address, plant.token()

    def come(count, **options):
        for _ in range(count):
            stage.go(clients.session(address, token, **options))

    come(5)
    come(2, channels=("quotes", "trades", "book", "ticker", "status"))
    come(4, channels=("quotes", "book"), receive_bytes=4096, bytes_a_second=4000, overflow="gap")
    come(2, channels=("book",), depth=0, receive_bytes=4096, wait=3600)
    for _ in range(4):
        make = lambda: clients.session(address, token, ("quotes", "book"), overflow="disconnect", wait=6, receive_bytes=4096)
        stage.go(clients.again(make))
    stage.go(clients.knock(address, "no.token.atall", every=1))
    stage.go(reloads(plant))


async def reloads(plant):
    while True:
        await asyncio.sleep(4)
        plant.tell(signal.SIGHUP)


def asked_by_boards():
    for where, expression in files.queries():
        if where.split(":")[0].endswith(".json"):
            yield where, expression


def without_data(service, queries):
    """The queries that give nothing, and those that are not understood, each with why."""
    empty = []
    for where, expression in queries:
        found, error = check.ask(service.url, watch.shortened(expression))
        if error or not found:
            empty.append((where, expression, error))
    return empty


async def run(asked, home):
    stage, service = faults.Stage(asked.binary, home), None
    try:
        lacks = not shutil.which("openssl")
        for make in [market] + [faults.operators] * (not lacks):
            make(stage)
        for plant in stage.plants.values():
            plant.start()
        for plant in stage.plants.values():
            plant.wait_until_live()
        targets = {name: plant.admin for name, plant in stage.plants.items()}
        service = watch.prometheus(asked.tools / "prometheus", home, free_port(), targets, None)
        service.wait("/-/ready")
        await load(stage)
        queries = list(asked_by_boards())
        if lacks:
            print("-     without openssl there is no plant with a certificate and published keys")
            queries = [query for query in queries if not re.search("_tls_|_jwks_", query[1])]
        empty, until = queries, time.monotonic() + asked.seconds
        while empty and time.monotonic() < until:
            await asyncio.sleep(2)
            empty = await asyncio.to_thread(without_data, service, [query[:2] for query in empty])
        for where, expression, error in empty:
            print(f"FAIL  {where}: {error or 'no data'}: {' '.join(expression.split())}")
        print(f"{len(queries) - len(empty)} queries with data, {len(empty)} without")
        return 1 if empty else 0
    finally:
        await stage.end()
        if service:
            service.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the program")
    parser.add_argument("--tools", required=True, type=pathlib.Path, help="the folder of prometheus")
    parser.add_argument("--seconds", type=int, default=120, help="how long data is waited for")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tickwire-boards-") as home:
        return asyncio.run(run(asked, pathlib.Path(home)))


if __name__ == "__main__":
    sys.exit(main())
