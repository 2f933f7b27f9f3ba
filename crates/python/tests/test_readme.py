"""What the README tells to type works: its blocks are run, in order, beside a recording and a server."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path

import pytest
import tickwire
from conftest import TOP, Plant, run


class Enough(Exception):
    """A loop that does not end by itself has gone round often enough."""


def test_what_the_readme_tells_to_type_works(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKWIRE_TOKEN", plant.token())
    run("record", "-o", "rec", "--feed", "sim", TOP / "feeds/recordings/sim.jsonl")
    text = (TOP / "crates/python/README.md").read_text()
    blocks = [rest.split("```")[0] for rest in text.split("```py\n")[1:]]
    assert len(blocks) == 3
    told = 0

    def enough(*words: object) -> None:
        nonlocal told
        told += 1
        if told >= 5:
            raise Enough

    live, later, recorded = (block.replace("127.0.0.1:8080", plant.address) for block in blocks)
    with pytest.raises(Enough):
        exec(live, {"print": enough})
    told, names = 0, {"print": enough, "tickwire": tickwire}
    exec(f"async def later():\n{textwrap.indent(later, '    ')}", names)
    with pytest.raises(Enough):
        asyncio.run(names["later"]())  # type: ignore[operator]
    exec(recorded, {})
    said = capsys.readouterr().out
    assert "6.785900000" in said and run("replay", "rec", "--digest", "-c", "trades,book").strip() in said
    assert "<Book BTC-USD" in said and "2026-11-20 14:30:1" in said
