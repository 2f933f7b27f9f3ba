"""What is missing is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeAlias

from .errors import GapWarning
from .records import Gap

#: Is called with each gap.
OnGap: TypeAlias = Callable[[Gap], object]


def tell(gap: Gap, on_gap: OnGap | None) -> None:
    """Tells of a gap; as a warning, where nobody listens."""
    if on_gap is None:
        warnings.warn(f"{gap}; give on_gap to be told", GapWarning, stacklevel=3)
    else:
        on_gap(gap)
