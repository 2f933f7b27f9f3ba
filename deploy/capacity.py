#!/usr/bin/env python3
"""What a plant bears on this machine: memory and processor time of sessions, and of being looked at.

capacity.py --binary target/release/tickwire [--idle 10000] [--busy 1000]

Processor time is the plant's own, as the kernel's scheduler counts it, so that other work on the machine lengthens nothing but the
run. Clients are Python's, and read all they are sent. Needs Linux, and as many open files as there are to be clients.
"""

import argparse
import asyncio
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "faults"))

import clients
from plants import Plant, sim

SCRAPES = 100


def cpu(plant):
    """Seconds that all threads of a plant have run, to the nanosecond; those that have ended are not among them."""
    total = 0
    for task in pathlib.Path(f"/proc/{plant.process.pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text(encoding="utf-8").split()[0])
        except OSError:
            pass
    return total / 1e9


def resident(plant):
    text = pathlib.Path(f"/proc/{plant.process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS"))


def metrics(plant):
    with urllib.request.urlopen(f"http://{plant.admin}/metrics", timeout=60) as answer:
        return answer.read().decode()


def total(text, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((name + "{", name + " ")))


async def cost(plant, seconds):
    """Processor seconds a second."""
    before, began = cpu(plant), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu(plant) - before) / (time.monotonic() - began)


async def scrapes(plant):
    """Processor seconds of one scrape, beyond what the plant does anyway, and its bytes."""
    base = await cost(plant, 5)
    before, began = cpu(plant), time.monotonic()
    for _ in range(SCRAPES):
        text = await asyncio.to_thread(metrics, plant)
    spent = cpu(plant) - before - base * (time.monotonic() - began)
    return max(spent, 0) / SCRAPES, len(text)


async def come(plant, token, count, **subscription):
    """So many sessions, some at a time."""
    async def one():
        reader, writer, status = await clients.connect(plant.address, token)
        assert status == 101, f"the plant says {status}"
        clients.ask(writer, op="subscribe", id=1, snapshot=True, **subscription)
        return asyncio.ensure_future(clients.listen(reader, writer)), writer
    held = []
    for n in range(0, count, 50):
        held += await asyncio.gather(*(one() for _ in range(min(50, count - n))))
    return held


async def run(asked, home):
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    limits = f"[limits]\nconnections = {asked.idle + asked.busy + 100}\nsymbols = 10000\nping = \"5m\"\nheartbeat = \"10m\"\n"
    plant = Plant("capacity", asked.binary, home, limits + sim(asked.symbols, asked.rate)).start()
    told = {}
    try:
        plant.wait_until_live()
        await asyncio.sleep(5)
        token = plant.token()
        empty = resident(plant)
        told["resident_empty_bytes"] = empty
        told["cpu_empty"] = await cost(plant, 10)
        told["scrape_empty_cpu_seconds"], told["scrape_empty_bytes"] = await scrapes(plant)
        idle = await come(plant, token, asked.idle, channels=["status"], symbols=["BTC-USD"])
        await asyncio.sleep(5)
        told["idle_sessions"] = total(metrics(plant), "tickwire_connections")
        told["idle_session_bytes"] = (resident(plant) - empty) / asked.idle
        told["cpu_idle"] = await cost(plant, 10)
        told["scrape_idle_cpu_seconds"], told["scrape_idle_bytes"] = await scrapes(plant)
        before = resident(plant)
        busy = await come(plant, token, asked.busy, channels=["trades", "quotes", "book"], symbols=asked.wanted.split(","))
        await asyncio.sleep(5)
        first, spent, began = total(metrics(plant), "tickwire_updates_delivered_total"), cpu(plant), time.monotonic()
        await asyncio.sleep(20)
        records, spent, seconds = total(metrics(plant), "tickwire_updates_delivered_total") - first, cpu(plant) - spent, time.monotonic() - began
        told["busy_session_bytes"] = (resident(plant) - before) / asked.busy
        told["busy_records_a_second"] = records / seconds
        told["cpu_busy"] = spent / seconds
        told["cpu_busy_per_million_records"] = (spent - told["cpu_idle"] * seconds) / records * 1e6
        told["scrape_busy_cpu_seconds"], told["scrape_busy_bytes"] = await scrapes(plant)
        for task, writer in [*idle, *busy]:
            task.cancel()
            writer.close()
        return told
    finally:
        plant.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--busy", type=int, default=1_000)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--rate", type=int, default=1_000, help="events a second over all symbols")
    parser.add_argument("--wanted", default="BTC-USD,ETH-USD,SOL-USD,AAPL,MSFT", help="what busy sessions subscribe to")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tickwire-capacity-") as home:
        told = asyncio.run(run(asked, pathlib.Path(home)))
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), "")
    version = subprocess.run([asked.binary, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    told |= {"machine": f"{model}, {os.cpu_count()} processors, {platform.release()}", "date": time.strftime("%Y-%m-%d"), "version": version}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
