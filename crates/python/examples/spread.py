"""How wide the spread of each symbol is, on average over its quotes: typed throughout, live and recorded alike.

usage: spread.py RECORDING        all of a recording
       spread.py wss://HOST       a thousand quotes of a server, with the token in TICKWIRE_TOKEN
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

import tickwire


def spreads(records: Iterable[tickwire.Record]) -> dict[str, Decimal]:
    """The mean spread of each symbol."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    counts: defaultdict[str, int] = defaultdict(int)
    for record in records:
        if isinstance(record, tickwire.Quote) and record.ask_price is not None and record.bid_price is not None:
            sums[record.symbol] += record.ask_price - record.bid_price
            counts[record.symbol] += 1
    return {symbol: sums[symbol] / counts[symbol] for symbol in sums}


def main(source: str) -> None:
    """Tells the spreads of a recording or a server."""
    if "://" in source:
        with tickwire.connect(source) as session:
            found = spreads(islice(session.subscribe("quotes"), 1000))
    else:
        found = spreads(tickwire.replay(source, channels="quotes"))
    for symbol, spread in sorted(found.items()):
        print(f"{symbol:12} {spread:.6f}")


if __name__ == "__main__":
    main(sys.argv[1])
