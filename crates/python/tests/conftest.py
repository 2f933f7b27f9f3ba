"""Recordings that are made for the tests, by the program itself."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tickwire import Recording

TOP = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("TICKWIRE_PROGRAM", TOP / "target/debug/tickwire"))
SHARED = TOP / "../shared/data"


def run(*words: str | Path) -> str:
    """What a command says on its standard output."""
    done = subprocess.run([PROGRAM, *words], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout


def lines(recording: Path, *words: str) -> list[dict[str, Any]]:
    """The records of a replay, as the program tells them."""
    return [json.loads(line) for line in run("replay", recording, *words).splitlines()]


@pytest.fixture(scope="session")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of our own: twenty seconds of a simulated market."""
    made = tmp_path_factory.mktemp("recordings") / "sim"
    run("record", "-o", made, "--feed", "sim", TOP / "feeds/recordings/sim.jsonl")
    return made


@pytest.fixture(scope="session")
def tables(sim: Path) -> Path:
    """The same as Parquet files."""
    run("convert", sim, "-o", sim.parent / "tables")
    return sim.parent / "tables"


PATIENCE = 60.0
SECRET = "a secret of at least thirty-two bytes"
SIM = '[[feed]]\nname = "sim"\nkind = "sim"\nsymbols = 4\nrate = 400\n'


class Plant:
    """A running server; it can be killed and started again at the same address."""

    def __init__(self, folder: Path, feed: str = SIM, recordings: Path | None = None) -> None:
        self.folder = folder
        #: Where its recordings are; none: it makes none.
        self.recordings = recordings
        self.more = "" if recordings is None else f'[recording]\nfolder = "{recordings}"\nname = "sim"\n'
        self.more += feed
        self.address = "127.0.0.1:0"
        (folder / "secret.key").write_text(SECRET)
        self.start()

    def start(self) -> None:
        config = (
            f'[server]\nlisten = "{self.address}"\nadmin_listen = "127.0.0.1:0"\ndrain = "0s"\n'
            "[limits]\nrequests_per_second = 1000\n"
            f'[[auth.keys]]\nid = "main"\nalgorithm = "HS256"\nsecret_file = "secret.key"\n{self.more}'
        )
        path = self.folder / "tickwire.toml"
        path.write_text(config)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--log-format", "json", "-c", path],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        for line in self.process.stderr:
            said = str(json.loads(line).get("message", ""))
            if said.startswith("serving ws://"):
                self.address = said.removeprefix("serving ws://").split("/")[0]
                break
        else:
            raise AssertionError("the server did not start")
        # It says more, and would wait if nobody listened.
        self.listener = threading.Thread(target=self.process.stderr.read)
        self.listener.start()

    @property
    def url(self) -> str:
        return f"ws://{self.address}/v1/stream"

    def token(self, *scopes: str) -> str:
        words = [word for scope in scopes or ("stream:*",) for word in ("--scope", scope)]
        return run(
            "token", "mint", "-c", self.folder / "tickwire.toml", "--sub", "alice", "--ttl", "10m", *words
        ).strip()

    def stop(self) -> None:
        """In order."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        self.kill()

    def newest(self, records: int) -> Path:
        """Its newest recording, once that has so many records."""
        assert self.recordings is not None
        until = time.monotonic() + PATIENCE
        while True:
            made = sorted(self.recordings.iterdir())
            if made and list(made[-1].glob("*.twj")) and Recording(made[-1]).records >= records:
                return made[-1]
            assert time.monotonic() < until, "nothing is recorded"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self.listener.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.kill()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a server that was stopped, in a folder of its own."""
    folder = tmp_path_factory.mktemp("plant")
    made = Plant(folder, '[[feed]]\nname = "sim"\nkind = "sim"\nsymbols = 6\nrate = 3000\n', folder / "made")
    recording = made.newest(30_000)
    made.stop()
    return recording


@pytest.fixture
def player(tmp_path: Path, recorded: Path) -> Iterator[Plant]:
    """Another server on the same folder, which goes on recording."""
    made = Plant(tmp_path, SIM, recorded.parent)
    yield made
    made.kill()
