"""An operator's terminal: what is on the screen, what keys do to it, and that it outlives the plant.

usage: top.py TICKWIRE
"""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request

import pyte

TICKWIRE = sys.argv[1]
PATIENCE = 60
LEFT, RIGHT, DOWN = b"\x1b[D", b"\x1b[C", b"\x1b[B"


class Terminal:
    """A program in a terminal of our own."""

    def __init__(self, arguments, environment, columns, rows):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.said = b""
        self.master, slave = pty.openpty()
        self.slave = slave
        self.size(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        start_new_session=True)

    def size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self.screen.reset()
        self.size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            said = os.read(self.master, 65536)
            self.said += said
            self.stream.feed(said)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def until(self, what, condition):
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            self.read(0.05)
            found = condition(self.lines())
            if found:
                return found
        raise AssertionError(f"never seen: {what}\n" + "\n".join(self.lines()))

    def press(self, keys):
        os.write(self.master, keys)


def has(text):
    return lambda lines: any(text in line for line in lines)


def row_of(name):
    return lambda lines: next((line for line in lines if line.startswith(name)), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Plant:
    def __init__(self, folder):
        self.config = f"{folder}/tickwire.toml"
        self.port, self.admin = free_port(), free_port()
        with open(f"{folder}/secret.key", "w") as secret:
            secret.write("0123456789abcdefghijklmnopqrstuvwxyz")
        with open(self.config, "w") as config:
            config.write(f"""[server]
listen = "127.0.0.1:{self.port}"
admin_listen = "127.0.0.1:{self.admin}"
[[auth.keys]]
algorithm = "HS256"
secret_file = "secret.key"
[[feed]]
name = "market"
kind = "sim"
symbols = 20
rate = 2000
""")

    def start(self):
        self.process = subprocess.Popen([TICKWIRE, "serve", "-c", self.config], stderr=subprocess.DEVNULL)
        for _ in range(PATIENCE * 20):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the plant does not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def token(self, subject, scope):
        minted = subprocess.run([TICKWIRE, "token", "mint", "-c", self.config, "--sub", subject, "--scope", scope],
                                check=True, capture_output=True, text=True)
        return minted.stdout.strip()

    def reader(self, subject, channels):
        """Somebody who reads all symbols."""
        environment = os.environ | {"TICKWIRE_TOKEN": self.token(subject, "stream:*")}
        url = f"ws://127.0.0.1:{self.port}/v1/stream"
        return subprocess.Popen([TICKWIRE, "sub", "--url", url, "-c", channels, "-s", "*"],
                                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def watch(plant, readers):
    operator = plant.token("olga", "admin")
    environment = os.environ | {"TICKWIRE_TOKEN": operator, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    arguments = [TICKWIRE, "top", "--admin", f"127.0.0.1:{plant.admin}", "--interval", "500ms"]
    top = Terminal(arguments, environment, 120, 40)

    # At first: what is wrong, the plant's own figures, and who is there.
    top.until("a reader", row_of("alice"))
    lines = top.until("health", lambda lines: lines if lines[1].startswith("ok") else None)
    assert re.match(r"tickwire  \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+, up ", lines[0]), lines[0]
    assert "feeds 1 live; 2 sessions, all keep up" in lines[1], lines[1]
    for label in ("plant", "clients", "updates", "delivery"):
        assert row_of(label)(lines), label
    assert "1 sessions" in row_of(" 1 sessions")(lines) and lines[-1].startswith("q quit   ? help"), lines
    row = top.until("what alice is sent", lambda lines: re.search(r"alice +keeps up +\S+ \S+ +([\d,]+|\d+ k)  ", row_of("alice")(lines) or ""))
    assert row, lines

    # Figures stand under their titles.
    lines = top.lines()
    head, alice = row_of("SUBJECT")(lines), row_of("alice")(lines)
    assert head.index("BYTES/S") + len("BYTES/S") == re.search(r"\d [kM]?B\b", alice).end(), (head, alice)

    # The other tables.
    for key, title, row in ((b"2", "FEED ", "market"), (b"3", "SYMBOL", "BTC-USD"), (b"4", "CHANNEL", "trades"),
                            (b"5", "nothing is wrong", "doors")):
        top.press(key)
        top.until(title, row_of(title))
        top.until(row, row_of(row))
    assert re.search(r"market +live +[\d,]+ ", "\n".join(top.lines())) is None
    top.press(b"?")
    top.until("help", has("sort by another column"))
    top.press(b"x1")
    top.until("sessions again", row_of("alice"))

    # Another column decides the order, and says so.
    assert "LAG ▾" in row_of("SUBJECT")(top.lines())
    top.press(RIGHT)
    top.until("sorted by what is sent", has("SENT/S ▾"))
    top.until("the reader before who reads less", lambda lines: "\n".join(lines).find("alice") < "\n".join(lines).find("bob"))
    top.press(LEFT)
    top.until("sorted by lag again", has("LAG ▾"))

    # What is sought is sought by the plant.
    top.press(b"/NOB")
    top.until("what is typed", row_of("find: NOB"))
    top.press(b"\x7fbody\r")
    top.until("nobody", lambda lines: has('with "NObody"')(lines) and has("none")(lines) and not row_of("alice")(lines))
    top.press(b"\x1b")
    top.until("everybody", row_of("alice"))
    top.press(b"/ALI\r")
    top.until("only alice", lambda lines: row_of("alice")(lines) and not row_of("bob")(lines))
    top.press(b"\x1b")
    top.until("both", row_of("bob"))

    # Who is throttled is the first, and said to be so.
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{plant.admin}/v1/sessions?subject=bob",
                                headers={"Authorization": f"Bearer {operator}"})) as answer:
        name = re.search(r'"session":"([^"]+)"', answer.read().decode())[1]
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{plant.admin}/v1/sessions/{name}", b'{"bytes_per_second":3000}',
                           {"Authorization": f"Bearer {operator}"}, method="PATCH")).close()
    top.until("throttled", lambda lines: "throttled" in (row_of("bob")(lines) or ""))
    top.until("the note", has("no more than the bytes a second that they may"))

    # Nothing changes while it is paused.
    top.press(b" ")
    top.until("paused", has("paused at "))
    still = top.lines()
    for _ in range(15):
        top.read(0.1)
    assert top.lines() == still
    top.press(b" ")
    top.until("it goes on", lambda lines: not has("paused at ")(lines))

    # In a narrow terminal what matters stays, and nothing is wider than that; what is too small still says how it is.
    top.resize(50, 20)
    lines = top.until("a narrow table", lambda lines: lines if row_of("alice")(lines) and lines[-1].startswith("q quit") else None)
    assert "MODE" in row_of("SUBJECT")(lines) and "ADDRESS" not in row_of("SUBJECT")(lines), lines
    top.resize(30, 6)
    top.until("a tiny screen", lambda lines: lines[1].startswith("ok") and lines[1].endswith("…") and lines[-1].startswith("q quit"))
    top.resize(120, 40)
    top.until("all of it", lambda lines: "ADDRESS" in (row_of("SUBJECT")(lines) or ""))

    # The plant dies, and comes back.
    plant.kill()
    top.until("lost", lambda lines: lines[1].startswith("lost      for ") and "cannot connect" in lines[1])
    assert row_of("alice")(top.lines()), "what was known stays"
    plant.start()
    top.until("back", has("The plant has started anew"))
    top.until("health again", lambda lines: lines[1].startswith("ok"))
    readers.append(plant.reader("carol", "trades"))
    top.until("a new reader", row_of("carol"))

    # The terminal is as it was.
    top.press(b"q")
    assert top.process.wait(PATIENCE) == 0
    while select.select([top.master], [], [], 0.2)[0]:
        top.read(0)
    assert top.said.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l"), top.said[-100:]
    assert termios.tcgetattr(top.slave) == top.before
    assert operator.encode() not in top.said


def interrupted(plant):
    """Ctrl-C and SIGTERM give the terminal back, too; without colours there are none."""
    environment = os.environ | {"TICKWIRE_TOKEN": plant.token("olga", "admin"), "NO_COLOR": "1"}
    arguments = [TICKWIRE, "top", "--admin", f"127.0.0.1:{plant.admin}"]
    for end in (lambda top: top.press(b"\x03"), lambda top: top.process.terminate()):
        top = Terminal(arguments, environment, 100, 30)
        top.until("health", row_of("ok"))
        end(top)
        assert top.process.wait(PATIENCE) == 0
        while select.select([top.master], [], [], 0.2)[0]:
            top.read(0)
        assert termios.tcgetattr(top.slave) == top.before
        codes = set(re.findall(rb"\x1b\[([\d;]*)m", top.said))
        assert codes <= {b"0", b"1", b"2", b"7"}, codes


def main():
    with tempfile.TemporaryDirectory() as folder:
        plant, readers = Plant(folder), []
        plant.start()
        try:
            readers = [plant.reader("alice", "trades,quotes,book"), plant.reader("bob", "trades,quotes")]
            watch(plant, readers)
            interrupted(plant)
        finally:
            for process in [plant.process, *readers]:
                process.kill()
                process.wait()


main()
