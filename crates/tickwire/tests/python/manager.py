"""A service manager for tests: starts the program as systemd does, with a socket for words and sockets for clients.

manager.py SCENE PROGRAM FOLDER; the folder has a configuration with port 0 and a feed. Says what it has seen as JSON.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

SCENE, PROGRAM, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
PATIENCE = 60
RUNNING = set()


@atexit.register
def end():
    for process in RUNNING:
        os.kill(process, signal.SIGKILL)


class Words:
    """What services say, each with its process."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.heard = []
        #: What was waited for before.
        self.place = 0

    def listen(self, seconds):
        """All that is said in this time."""
        until, before = time.monotonic() + seconds, len(self.heard)
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
            except TimeoutError:
                break
            process = struct.unpack("iii", ancillary[0][2])[0]
            words = dict(line.split("=", 1) for line in data.decode().splitlines())
            self.heard.append((time.monotonic(), process, words))
        return self.heard[before:]

    def wait(self, key, value=None, process=None):
        """Until that is said; all of that message."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            while self.place < len(self.heard):
                _, who, words = self.heard[self.place]
                self.place += 1
                if key in words and value in (None, words[key]) and process in (None, who):
                    return words
            self.listen(0.05)
        raise AssertionError(f"nobody says {key}={value}: {self.heard[-20:]}")

    def said(self, key, process=None):
        return [words[key] for _, who, words in self.heard if key in words and process in (None, who)]


def start(words, sockets=(), log="log", **more):
    """Starts the program; `sockets`: name and socket. Each is inherited as a file from 3 on."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TICKWIRE_", "LISTEN_", "WATCHDOG_"))} | more
    if words:
        env["NOTIFY_SOCKET"] = words.name
    actions = [(os.POSIX_SPAWN_OPEN, 2, FOLDER / log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)]
    shell = 'exec "$0" "$@"'
    if sockets:
        env |= {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(name for name, _ in sockets)}
        # Out of the way of the numbers that they are to have.
        copies = [os.dup(held.fileno()) for _, held in sockets]
        high = [os.dup2(copy, 100 + n) for n, copy in enumerate(copies)]
        actions += [(os.POSIX_SPAWN_DUP2, file, 3 + n) for n, file in enumerate(high)]
        shell = 'LISTEN_PID=$$ exec "$0" "$@"'
    arguments = ["sh", "-c", shell, PROGRAM, "serve", "--log-format", "json", "-c", str(FOLDER / "tickwire.toml")]
    process = os.posix_spawn("/bin/sh", arguments, env, file_actions=actions)
    RUNNING.add(process)
    if sockets:
        for file in [*copies, *high]:
            os.close(file)
    return process


def ended(process):
    """Its exit code."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            RUNNING.discard(process)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    raise AssertionError(f"process {process} goes on")


def log(name="log"):
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines() if line.startswith("{")]


def admin(name="log"):
    serving = [line["message"] for line in log(name) if line["message"].startswith("serving ")]
    return serving[-1].split("metrics at http://")[1].removesuffix("/metrics")


def listener(port=0):
    made = socket.create_server(("127.0.0.1", port))
    return made, made.getsockname()[1]


def get(address, path="/readyz"):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
        return json.load(answer)


def wedge(process, seconds):
    """Holds the threads that serve, and none of the others."""
    tasks = [task for task in pathlib.Path(f"/proc/{process}/task").iterdir() if (task / "comm").read_text().startswith("tokio-")]
    attach = [option for task in tasks for option in ("-p", task.name)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(["strace", "-qq", *attach, "-e", f"inject=all:delay_enter={int(seconds * 1e6)}"], **quiet), tasks


def lives():
    """Ready, reloads, signs of life, and the end."""
    words = Words(f"@tickwire-test-{os.getpid()}")
    process = start(words, WATCHDOG_USEC="900000")
    ready = words.wait("READY", "1")
    assert get(admin())["status"] == "ready", "it says so when it is"
    assert ready["STATUS"].startswith("serving 127.0.0.1:") and ready["STATUS"].endswith("1 of 1 feeds live"), ready
    begun = time.monotonic_ns() // 1000
    os.kill(process, signal.SIGHUP)
    told = words.wait("RELOADING", "1")
    assert begun <= int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, (begun, told)
    words.wait("READY", "1")
    config = FOLDER / "tickwire.toml"
    good = config.read_text()
    config.write_text(good + "\nnonsense = 1\n")
    os.kill(process, signal.SIGHUP)
    words.wait("RELOADING", "1")
    refused = words.wait("READY", "1")
    assert "refused" in refused["STATUS"], refused
    config.write_text(good)
    signs = [1 for _, _, said in words.listen(3) if "WATCHDOG" in said]
    assert len(signs) >= 4, f"{len(signs)} signs of life in 3 s, for a watchdog of 0.9 s"
    held = "strace is not there"
    if shutil.which("strace"):
        strace, _ = wedge(process, 4)
        words.listen(1)
        late = [1 for _, _, said in words.listen(2) if "WATCHDOG" in said]
        strace.kill()
        strace.wait()
        assert not late, f"{len(late)} signs of life of a server that stands still"
        words.wait("WATCHDOG", "1")
        held = "held"
    os.kill(process, signal.SIGTERM)
    words.wait("STOPPING", "1")
    assert ended(process) == 0
    return {"signs": len(signs), "wedge": held}


def sockets():
    """Clients that come while nobody serves wait, and are served by the next."""
    (clients, port), (operators, admin_port) = listener(), listener()
    both = [("clients", clients), ("operators", operators)]
    words = Words(str(FOLDER / "notify"))
    process = start(words, both)
    words.wait("READY", "1")
    assert admin() == f"127.0.0.1:{admin_port}", admin()
    get(f"127.0.0.1:{admin_port}")
    os.kill(process, signal.SIGKILL)
    ended(process)
    waits = socket.create_connection(("127.0.0.1", port))
    waits.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    process = start(words, both)
    waits.settimeout(PATIENCE)
    status = int(waits.recv(64).split()[1])
    assert status == 404, f"it is answered: {status}"
    os.kill(process, signal.SIGTERM)
    assert ended(process) == 0
    refused = {}
    for why, given in {"name": [("tickwire.socket", clients)], "twice": [("clients", clients), ("clients", operators)]}.items():
        process = start(None, given, log=why)
        refused[why] = ended(process), (FOLDER / why).read_text()
    config = FOLDER / "tickwire.toml"
    config.write_text(config.read_text().replace('listen = "127.0.0.1:0"', 'listen = "127.0.0.1:1"', 1))
    process = start(None, [("clients", clients)], log="elsewhere")
    refused["elsewhere"] = ended(process), (FOLDER / "elsewhere").read_text()
    return {why: {"code": code, "said": said[-600:]} for why, (code, said) in refused.items()}


def hands_over():
    """The manager is told which process the service is."""
    words = Words(str(FOLDER / "notify"))
    first = start(words, log="first", WATCHDOG_USEC="1500000")
    words.wait("READY", "1", first)
    second = start(words, log="second", WATCHDOG_USEC="1500000")
    main = words.wait("MAINPID", process=first)
    assert int(main["MAINPID"]) == second, (main, first, second)
    assert ended(first) == 0
    words.wait("READY", "1", second)
    words.wait("WATCHDOG", "1", second)
    told = words.said("STATUS", first)
    assert any("takes over" in status for status in told), told
    assert not words.said("STOPPING"), "the service does not stop"
    os.kill(second, signal.SIGTERM)
    words.wait("STOPPING", "1", second)
    assert ended(second) == 0
    return {"statuses": told}


print(json.dumps({"lives": lives, "sockets": sockets, "hands_over": hands_over}[SCENE]()))
