"""The example does what it says, on a recording and on a server; its types are checked with the package's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import PATIENCE, TOP, Plant


def spread(source: str, token: str = "") -> list[str]:
    command: list[str | Path] = [sys.executable, TOP / "crates/python/examples/spread.py", source]
    environment = {**os.environ, "TICKWIRE_TOKEN": token}
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    return [line.split()[0] for line in done.stdout.splitlines()]


def test_the_example_does_what_it_says(sim: Path, plant: Plant) -> None:
    assert spread(str(sim)) == ["BTC-USD", "ETH-USD", "EUR-USD"]
    assert "BTC-USD" in spread(plant.url, plant.token())
