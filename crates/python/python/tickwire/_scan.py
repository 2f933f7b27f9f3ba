"""A channel of a recording as a lazy frame of polars."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import _native
from ._selecting import selection, warn
from .table import wanted

if TYPE_CHECKING:
    import polars

_TURNED = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq"}
_NANOS = {"Nanoseconds": 1, "Microseconds": 1_000, "Milliseconds": 1_000_000}


def scan(
    recording: _native.Recording,
    channel: str,
    symbols: list[str],
    span: tuple[int | None, int | None],
    prices: str,
    timestamps: str,
) -> polars.LazyFrame:
    """The rows of a channel; a query reads its columns, its symbols, and from its first time on."""
    pl = wanted("polars")
    plugins = wanted("polars.io.plugins", "polars")

    def schema() -> Any:
        return pl.DataFrame(recording.schema(channel, prices, timestamps)).schema

    def source(
        with_columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        columns = with_columns
        only, (start, end) = symbols, span
        if predicate is not None:
            asked = pushed_down(predicate)
            # Patterns that were asked for first cannot be narrowed by names: both must hold.
            only = symbols or asked.symbols
            start = max((at for at in (start, asked.start) if at is not None), default=None)
            if columns is not None:
                columns = list({*columns, *predicate.meta.root_names()})
        wished = selection([channel], only, start, end)
        read = recording.scan(wished, columns, batch_size or n_rows, prices, timestamps)
        for table in read:
            frame = pl.DataFrame(table)
            if predicate is not None:
                frame = frame.filter(predicate)
            if with_columns is not None:
                frame = frame.select(with_columns)
            if n_rows is not None:
                frame = frame.head(n_rows)
                n_rows -= frame.height
            yield frame
            if n_rows == 0:
                break
        warn(read.faults)

    frame: polars.LazyFrame = plugins.register_io_source(source, schema=schema, is_pure=True)
    return frame


class Asked:
    """What a predicate says of symbols and of times of receipt; nothing where that is not clear."""

    def __init__(self) -> None:
        self.symbols: list[str] = []
        self.start: int | None = None


def pushed_down(predicate: polars.Expr) -> Asked:
    """What can be read less for a predicate, which is applied to what is read all the same."""
    asked = Asked()
    try:
        _look(json.loads(predicate.meta.serialize(format="json")), asked)
    except Exception:
        # How polars writes expressions down is its own affair and may change: then all is read.
        return Asked()
    return asked


def _look(node: dict[str, Any], asked: Asked) -> None:
    """Takes in what an expression, or a part of one that must hold, says."""
    if "BinaryExpr" in node:
        left, op, right = (node["BinaryExpr"][part] for part in ("left", "op", "right"))
        if op == "And":
            _look(left, asked)
            _look(right, asked)
            return
        if "Column" in right:
            left, right, op = right, left, _TURNED.get(op, op)
        if left == {"Column": "symbol"} and op == "Eq":
            _among(asked, [right["Literal"]["Scalar"]["String"]])
        elif left == {"Column": "ts_recv"} and op in ("Gt", "GtEq", "Eq"):
            value, unit, _ = right["Literal"]["Scalar"]["Datetime"]
            asked.start = max(asked.start or 0, value * _NANOS[unit])
    elif "Function" in node and "IsIn" in node["Function"]["function"].get("Boolean", ()):
        column, among = node["Function"]["input"]
        if column == {"Column": "symbol"}:
            packed = bytes(among["Literal"]["Scalar"]["List"])
            _among(asked, wanted("polars").read_ipc_stream(io.BytesIO(packed)).to_series().to_list())


def _among(asked: Asked, symbols: list[str]) -> None:
    """The first word counts; what follows only asks for less."""
    asked.symbols = asked.symbols or symbols
