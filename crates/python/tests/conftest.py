"""Recordings that are made for the tests, by the program itself."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

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
