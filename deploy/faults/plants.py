"""Plants: the program with a configuration of its own, and what can be done to it."""

import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

SECRET = "a secret of at least thirty-two bytes"
SIM = '[[feed]]\nname = "sim"\nkind = "sim"\nsymbols = {symbols}\nrate = {rate}\n'


def sim(symbols=5, rate=100):
    return SIM.format(symbols=symbols, rate=rate)


def played(name, suffix=""):
    """A capture that lies beside the configuration, again and again."""
    venue = "coinbase" if name in ("holes", "another") else "sim"
    more = f'symbol_suffix = "{suffix}"\n' if suffix else ""
    return f'[[feed]]\nname = "{name}"\nkind = "replay"\nfeed = "{venue}"\nfiles = ["{name}.jsonl"]\nspeed = "1x"\nrepeat = true\n{more}'


def lived(name, address):
    """A venue that is played at an address."""
    # It comes back at once: alerts look at minutes that are seconds here.
    return f'[[feed]]\nname = "{name}"\nkind = "live"\nbackoff_max = "1s"\nfeed = "coinbase"\nsymbols = ["BTC-USD"]\nsymbol_suffix = "-{name.upper()}"\nws_url = "ws://{address}"\n'


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Emulator:
    """A venue that is played, with faults."""

    def __init__(self, binary, folder, capture, *faults):
        self.address = f"127.0.0.1:{free_port()}"
        file = pathlib.Path(folder) / "played.jsonl"
        file.write_text(capture, encoding="utf-8")
        self.log = (pathlib.Path(folder) / "emulator.log").open("wb")
        more = [word for fault in faults for word in ("--fault", fault)]
        self.process = subprocess.Popen([binary, "emulate", "--feed", "coinbase", "--addr", self.address, *more, file],
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the emulated venue does not start: see {self.log.name}")
            time.sleep(0.1)

    def listens(self):
        host, port = self.address.split(":")
        with socket.socket() as tried:
            return tried.connect_ex((host, int(port))) == 0

    def end(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Plant:
    """One that runs until it is ended, or until something is done to it."""

    def __init__(self, name, binary, home, config, *, server="", prefix=(), files=None, env=None):
        self.name, self.binary, self.prefix = name, str(binary), list(prefix)
        self.folder = pathlib.Path(home) / name
        self.folder.mkdir()
        self.address, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("TICKWIRE_")} | (env or {})
        (self.folder / "secret.key").write_text(SECRET, encoding="utf-8")
        for file, text in (files or {}).items():
            (self.folder / file).write_text(text, encoding="utf-8")
        self.server = server
        self.configure(config)
        self.log = (self.folder / "log").open("ab")
        self.processes = []

    def configure(self, config):
        server = f'[server]\nlisten = "{self.address}"\nadmin_listen = "{self.admin}"\n{self.server}'
        keys = '[[auth.keys]]\nid = "main"\nalgorithm = "HS256"\nsecret_file = "secret.key"\n'
        (self.folder / "tickwire.toml").write_text(server + config + keys, encoding="utf-8")

    def start(self):
        command = [*self.prefix, self.binary, "serve", "--log-format", "json", "-c", self.folder / "tickwire.toml"]
        self.processes.append(subprocess.Popen(command, stdout=self.log, stderr=self.log, env=self.env, stdin=subprocess.DEVNULL))
        return self

    @property
    def process(self):
        return self.processes[-1]

    def tell(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_live(self):
        try:
            with urllib.request.urlopen(f"http://{self.admin}/livez", timeout=10):
                return True
        except OSError:
            return False

    def wait_until_live(self, seconds=60):
        until = time.monotonic() + seconds
        while not self.is_live():
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"plant {self.name} does not start: see {self.folder / 'log'}")
            time.sleep(0.1)

    def token(self):
        done = subprocess.run([self.binary, "token", "mint", "-c", self.folder / "tickwire.toml", "--sub", "faults", "--scope", "stream:*",
                               "--scope", "replay", "--ttl", "1h"], capture_output=True, text=True, check=True, env=self.env)
        return done.stdout.strip()

    def threads(self, name):
        """Those of its threads that have this name."""
        found = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text(encoding="utf-8").strip() == name:
                found.append(task.name)
        return found

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                # One that was stopped would not hear anything else.
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self.log.close()
