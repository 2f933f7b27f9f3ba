"""Each alert's fault, done to a plant that runs: what it is, whose it is, and what must be seen."""

import asyncio
import fcntl
import http.server
import os
import shutil
import signal
import subprocess
import threading

import captures
import clients
from plants import Emulator, Plant, lived, played, sim

#: Open files of the plant that is to be full: some for itself, all others for clients.
FEW_FILES = 700


class Stage:
    """All plants, and what goes on."""

    def __init__(self, binary, home):
        self.binary, self.home = binary, home
        self.plants, self.tasks, self.undo = {}, [], []
        #: By alert: the labels that one of its series must have; without any, it is not tried here, and why.
        self.expected, self.left_out = {}, {}

    def plant(self, name, config, **options):
        self.plants[name] = Plant(name, self.binary, self.home, config, **options)
        return self.plants[name]

    def venue(self, name, *faults):
        """One that is played for ten minutes."""
        folder = self.home / f"venue-{name}"
        folder.mkdir()
        emulator = Emulator(self.binary, folder, captures.another_venue("BTC-USD", seconds=600), *faults)
        self.undo.append(emulator.end)
        return emulator

    def expect(self, alert, **labels):
        self.expected[alert] = labels

    def go(self, coroutine):
        self.tasks.append(asyncio.ensure_future(coroutine))

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for undo in reversed(self.undo):
            undo()
        for plant in self.plants.values():
            plant.end()


def certificate(folder, days):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days),
                    "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)


# Before Prometheus starts ---------------------------------------------------------------------------------------------

def calm(stage):
    """Nothing is done to it: no alert may fire for it."""
    stage.plant("calm", sim())


def ends(stage):
    stage.plant("down", sim())
    stage.expect("TickwireDown", instance="down")
    stage.expect("TickwireAvailabilityBudgetBurn")
    stage.plant("restarting", sim(), server='drain = "0s"\n')
    stage.expect("TickwireRestarting", instance="restarting")
    stage.plant("draining", sim(), server='drain = "10m"\n')
    stage.expect("TickwireDrainingTooLong", instance="draining")


def feeds(stage):
    files = {f"{make.__name__}.jsonl": make() for make in (captures.silent, captures.late, captures.ahead, captures.garbled, captures.holes)}
    lists = "".join(played(name, f"-{name.upper()}") for name in ("silent", "late", "ahead", "garbled", "holes"))
    venue = stage.venue("cuts", "reset:at=5,count=1000")
    stage.plant("feeds", sim() + lists + lived("cuts", venue.address), files=files)
    stage.expect("TickwireFeedStale", instance="feeds", feed="silent")
    stage.expect("TickwireFeedLagging", instance="feeds", feed="late")
    stage.expect("TickwireFeedClockAhead", instance="feeds", feed="ahead")
    stage.expect("TickwireFeedReconnecting", instance="feeds", feed="cuts")
    stage.expect("TickwireFeedErrors", instance="feeds", feed="garbled")
    stage.expect("TickwireFeedGaps", instance="feeds", feed="holes")
    stage.expect("TickwireFreshnessBudgetBurn", feed="silent")
    stage.plant("silent", played("silent"), files={"silent.jsonl": captures.silent()})
    stage.expect("TickwireNoLiveFeed", instance="silent")
    stage.plant("conflict", sim(2), server='drain = "1s"\nhandover = "handover.sock"\n',
                files={"another.jsonl": captures.another_venue("BTC-USD")})
    stage.expect("TickwireSymbolConflicts", instance="conflict")


def readers(stage):
    stage.plant("slow", '[logs]\nevents = 512\n' + sim(10, 4000))
    stage.expect("TickwireSlowConsumers", instance="slow")
    stage.expect("TickwireSlowConsumersClosed", instance="slow")
    stage.expect("TickwireUpdatesSkipped", instance="slow")
    stage.plant("lost", '[limits]\nping = "1s"\nsilence = "2s"\n' + sim())
    stage.expect("TickwireClientsLost", instance="lost")
    stage.plant("doors", sim())
    stage.expect("TickwireAuthFailures", instance="doors")
    stage.expect("TickwireHandshakesRefused", instance="doors")
    stage.plant("full", sim(), prefix=["sh", "-c", f'ulimit -n {FEW_FILES}; exec "$0" "$@"'])
    stage.expect("TickwireConnectionsNearLimit", instance="full")
    stage.expect("TickwireOpenFilesNearLimit", instance="full")
    stage.plant("saturated", sim(), env={"TOKIO_WORKER_THREADS": "1"})
    for alert, labels in {"Saturated": {"instance": "saturated"}, "DeliverySlow": {"instance": "saturated"}, "DeliveryBudgetBurn": {}}.items():
        if shutil.which("strace"):
            stage.expect(f"Tickwire{alert}", **labels)
        else:
            stage.left_out[f"Tickwire{alert}"] = "a plant that has more to do than it can on any machine takes strace"


def operators(stage):
    provider = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    stage.undo.append(provider.shutdown)
    config = (f'jwks_url = "http://127.0.0.1:{provider.server_port}/keys"\njwks_refresh = "10s"\n'
              '[streams]\ndelays = ["30s"]\n[limits]\ndelayed_events = 50\n' + sim())
    plant = stage.plant("operators", "[auth]\n" + config, server='tls_cert_file = "cert.pem"\ntls_key_file = "key.pem"\n')
    certificate(plant.folder, days=1)
    for alert in ("KeysNotFetched", "DelayedStreamsIncomplete", "CertificateExpires", "ReloadRefused"):
        stage.expect(f"Tickwire{alert}", instance="operators")


class Refuses(http.server.BaseHTTPRequestHandler):
    """A provider of keys that has none."""

    def do_GET(self):
        self.send_error(503)

    def log_message(self, *_):
        pass


def disks(stage):
    plant = stage.plant("disk", '[recording]\nfolder = "recordings"\n' + sim(10, 2000))
    folder = plant.folder / "recordings"
    folder.mkdir()
    # So much is recorded in some seconds.
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode == 0:
        stage.undo.append(lambda: subprocess.run(["umount", "-l", folder], check=False))
        stage.expect("TickwireRecorderErrors", instance="disk")
    else:
        stage.left_out["TickwireRecorderErrors"] = "a full disk takes a tmpfs, and that root"
    stage.plant("hangs", '[recording]\nfolder = "recordings"\n' + sim(20, 60_000))
    if shutil.which("strace"):
        stage.expect("TickwireRecordingIncomplete", instance="hangs")
    else:
        stage.left_out["TickwireRecordingIncomplete"] = "a disk that hangs takes strace"
    # Somebody reads the oldest of what is to go, and does not end.
    stage.plant("cut", '[recording]\nfolder = "recordings"\nkeep_bytes = "1MiB"\nreaders_wait = "1s"\n' + sim(20, 60_000))
    stage.expect("TickwireRecordingCutShort", instance="cut")


STAGES = [calm, ends, feeds, readers, operators, disks]


# Once all run ---------------------------------------------------------------------------------------------------------

async def begin(stage):
    """Does what is to be done to them, and goes on doing it."""
    plants = stage.plants
    tokens = {name: plant.token() for name, plant in plants.items() if name not in ("down", "silent", "operators", "disk", "hangs", "cut")}

    def come(name, count, **options):
        for _ in range(count):
            stage.go(clients.session(plants[name].address, tokens[name], **options))

    come("calm", 5)
    come("draining", 20)
    come("saturated", 200)
    if "TickwireSaturated" in stage.expected:
        stage.go(drags(stage, plants["saturated"]))
    come("slow", 4, bytes_a_second=1 << 20)
    come("slow", 8, channels=("book",), depth=0, receive_bytes=4096, wait=3600)
    come("slow", 6, channels=("quotes", "book"), receive_bytes=4096, bytes_a_second=4000, overflow="gap")
    for _ in range(30):
        make = lambda: clients.session(plants["slow"].address, tokens["slow"], ("quotes", "book"), overflow="disconnect", wait=6, receive_bytes=4096)
        stage.go(clients.again(make))
    for _ in range(30):
        stage.go(clients.again(lambda: clients.session(plants["lost"].address, tokens["lost"], ("status",), answers=False)))
    for _ in range(3):
        stage.go(clients.knock(plants["doors"].address, "no.token.atall"))
    stage.go(clients.admit(plants["full"].address, tokens["full"], FEW_FILES - 64))
    stage.go(restarts(plants["restarting"]))
    stage.go(another(plants["conflict"]))
    stage.go(breaks(plants["operators"]))
    stage.go(reads(plants["cut"].folder / "recordings"))
    if "TickwireRecordingIncomplete" in stage.expected:
        hang(stage, plants["hangs"])
    await asyncio.sleep(8)
    plants["down"].kill()
    plants["draining"].tell(signal.SIGTERM)


async def drags(stage, plant):
    """Whatever a plant writes to a client takes its only thread three milliseconds."""
    await asyncio.sleep(6)
    inject(stage, plant, "tokio-rt-worker", "sendto,sendmsg,write,writev", 3_000)


async def restarts(plant):
    while True:
        await asyncio.sleep(5)
        plant.kill()
        plant.start()


async def another(plant):
    """A hand-over to one that has the same symbol from another venue."""
    await asyncio.sleep(6)
    plant.configure(played("another"))
    plant.start()


async def breaks(plant):
    good = (plant.folder / "tickwire.toml").read_text(encoding="utf-8")
    await asyncio.sleep(6)
    while True:
        (plant.folder / "tickwire.toml").write_text(good.replace("[limits]", "[limit]"), encoding="utf-8")
        plant.tell(signal.SIGHUP)
        await asyncio.sleep(5)


async def reads(folder):
    """A reader of whatever is the oldest, who never ends."""
    held = {}
    while True:
        for path in sorted(folder.glob("*/*.twj"))[:1]:
            if path not in held:
                try:
                    held[path] = path.open("rb")
                except FileNotFoundError:
                    # It went meanwhile.
                    continue
                fcntl.flock(held[path], fcntl.LOCK_SH)
        await asyncio.sleep(0.2)


def hang(stage, plant):
    """Each write of the recorder takes a minute."""
    inject(stage, plant, "recorder", "write,pwrite64,writev,fsync,fdatasync,openat", 60_000_000)


def inject(stage, plant, threads, calls, microseconds):
    """Makes the threads with a name wait before each of some calls of theirs."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for thread in plant.threads(threads):
        process = subprocess.Popen(["strace", "-p", thread, "-e", f"inject={calls}:delay_enter={microseconds}"], env=os.environ, **quiet)
        stage.undo.append(lambda process=process: (process.kill(), process.wait()))
