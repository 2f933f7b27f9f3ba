"""The notebook runs from top to bottom, and is committed without what it said."""

from __future__ import annotations

import nbformat
import pytest
from conftest import PATIENCE, PROGRAM, TOP
from nbclient import NotebookClient

NOTEBOOK = TOP / "crates/python/examples/quickstart.ipynb"


@pytest.mark.filterwarnings("ignore")
def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_PROGRAM", str(PROGRAM))
    monkeypatch.setenv("TICKWIRE_CAPTURE", str(TOP / "feeds/recordings/sim.jsonl"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    NotebookClient(notebook, timeout=int(PATIENCE), kernel_name="python3").execute()
    said = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    for words in ("<Recording rec: 1,264 records", "<Book BTC-USD", "of 100 trades went", "of 20 trades went"):
        assert words in said, words
