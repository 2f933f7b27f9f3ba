"""What a row of trades costs: the same text in memory, read by the libraries that Python has for it, and by ours.

usage: rows.py BENCHES

BENCHES is the program of this folder, built for release. Each library makes typed columns of 200,000 rows (time, price, size,
side, id): with prices and sizes as floats, as it does of itself, and, where it can, as exact decimals. All of them, and our steps
`a row of trades ...` (single ticks with exact decimals, the same in their places, and the libraries that Rust has) run on one core, in turns; the best of nine counts.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal

ROUNDS = 9
ROWS = 200_000


def text() -> bytes:
    """As `rows` of micro.rs makes them."""
    lines = ["timestamp,price,quantity,side,tradeId"]
    for n in range(ROWS):
        cents, milli = 8_101 + n * 7 % 331, 1 + n * 7_919 % 99_991
        side = "sell" if n % 3 == 0 else "buy"
        price, size = f"{cents // 100}.{cents % 100:02}", f"{milli // 1_000}.{milli % 1_000:03}"
        lines.append(f"{1_750_536_000_955 + n * 3},{price},{size},{side},{293_542_600 + n}")
    return ("\n".join(lines) + "\n").encode()


def libraries(rows: bytes) -> dict[str, Callable[[], object]]:
    import pandas
    import polars
    import pyarrow
    import pyarrow.csv

    exact = polars.Decimal(28, 8)
    decimals = pyarrow.csv.ConvertOptions(
        column_types={"price": pyarrow.decimal128(28, 8), "quantity": pyarrow.decimal128(28, 8)}
    )
    alone = pyarrow.csv.ReadOptions(use_threads=False)

    def arrow(options: pyarrow.csv.ConvertOptions | None = None) -> object:
        return pyarrow.csv.read_csv(io.BytesIO(rows), read_options=alone, convert_options=options)

    def plain() -> list[tuple]:
        made = []
        for line in rows.decode().split("\n")[1:-1]:
            at, price, size, side, number = line.split(",")
            made.append((int(at), Decimal(price), Decimal(size), side, number))
        return made

    return {
        f"polars {polars.__version__}, floats": lambda: polars.read_csv(rows),
        f"polars {polars.__version__}, decimals": lambda: polars.read_csv(
            rows, schema_overrides={"price": exact, "quantity": exact}
        ),
        f"pyarrow {pyarrow.__version__}, floats": arrow,
        f"pyarrow {pyarrow.__version__}, decimals": lambda: arrow(decimals),
        f"pandas {pandas.__version__}, floats": lambda: pandas.read_csv(io.BytesIO(rows)),
        "Python alone, decimals": plain,
    }


OURS = "Tickwire, ticks with decimals"
STEPS = {
    "to a tick": OURS,
    "to a sequenced event": "Tickwire, events in their order",
    "by the csv crate and rust_decimal": "Rust, the csv crate and rust_decimal",
}


def ours(program: str) -> dict[str, float]:
    """Seconds for all rows."""
    said = subprocess.run([program, "micro", "--only", "a row of", "--rounds", "3"], capture_output=True, text=True, check=True)
    nanos = dict(re.findall(r"\| a row of trades ([^|]+) \| ([0-9.]+) \|", said.stdout))
    return {name: float(nanos[step]) * ROWS / 1e9 for step, name in STEPS.items()}


def main() -> None:
    (program,) = sys.argv[1:]
    os.environ |= {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rows = text()
    ways = libraries(rows)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            best[name] = min(best.get(name, 1e9), time.perf_counter() - began)
        for name, seconds in ours(program).items():
            best[name] = min(best.get(name, 1e9), seconds)
    print("| | M rows/s | x Tickwire's |\n|---|---|---|")
    own = best[OURS]
    for name, seconds in sorted(best.items(), key=lambda pair: pair[1]):
        print(f"| {name} | {ROWS / seconds / 1e6:.1f} | {own / seconds:.2f} |")


if __name__ == "__main__":
    main()
