"""A bar for a person who waits: with tqdm, in a terminal or a notebook, and nowhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from .table import wanted

#: What is done before this is done before a bar could be read.
_DELAY_SECONDS = 0.5


class Progress:
    """Counts up to a total. ``show``: ``True`` always, ``False`` never, ``None`` where somebody looks on."""

    def __init__(self, total: int, what: str, show: bool | None) -> None:
        self._bar: Any = None
        if show is None:
            show = _somebody_looks() and _there()
        if show:
            auto = wanted("tqdm.auto", "progress")
            self._bar = auto.tqdm(total=total, desc=what, unit=" records", unit_scale=True, delay=_DELAY_SECONDS)

    def to(self, count: int) -> None:
        """So many are done by now."""
        if self._bar is not None:
            self._bar.update(count - self._bar.n)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _somebody_looks() -> bool:
    return "ipykernel" in sys.modules or sys.stderr.isatty()


def _there() -> bool:
    from importlib.util import find_spec

    return find_spec("tqdm") is not None
