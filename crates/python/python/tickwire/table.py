"""Rows that polars, PyArrow, DuckDB and pandas take without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from . import _native


class Table:
    """Rows of one channel, as Arrow holds them.

    Any library with the Arrow PyCapsule interface takes it as it is: ``polars.DataFrame(table)``,
    ``pyarrow.table(table)``, ``duckdb.sql("from table")``.
    """

    __slots__ = ("_native", "channel")

    def __init__(self, native: _native.Table, channel: str) -> None:
        self._native = native
        self.channel = channel

    def to_polars(self) -> polars.DataFrame:
        """A polars frame; its memory is this table's."""
        pl = wanted("polars")
        frame: polars.DataFrame = pl.DataFrame(self)
        return frame

    def to_pyarrow(self) -> pyarrow.Table:
        """A table of PyArrow; its memory is this table's."""
        pa = wanted("pyarrow", "pandas")
        table: pyarrow.Table = pa.table(self)
        return table

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas frame of Arrow types, so that decimals and nanoseconds stay exact."""
        pd = wanted("pandas")
        frame: pandas.DataFrame = self.to_pyarrow().to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    @property
    def columns(self) -> dict[str, str]:
        """The columns, with their types as Arrow names them."""
        return dict(self._native.columns)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._native.nbytes

    def __len__(self) -> int:
        return self._native.num_rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def __repr__(self) -> str:
        return f"<Table of {self.channel}: {len(self):,} rows, {len(self._native.columns)} columns>"


def wanted(name: str, extra: str | None = None) -> Any:
    """A library that is wanted and may be missing."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = f"this needs {name}: pip install 'tickwire[{extra or name}]'"
        raise ImportError(hint, name=name) from error
