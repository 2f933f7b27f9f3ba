"""Compares levels that went through Tickwire with what Python's `decimal` makes of their texts.

usage: decimals.py FOLDER

FOLDER has `texts` (a price and a size a line, as the venue wrote them), `lines` and `packed` (changes of the book, as JSON
and as MessagePack), and `book` (what they come to). Prints how many levels were as they must be, and how many texts do not
fit, which must be in none of them.
"""

import json
import sys
from decimal import Context, Decimal, setcontext
from pathlib import Path

import msgpack

# All that is computed here is exact.
setcontext(Context(prec=200))
FOLDER = Path(sys.argv[1])
MANTISSA_MAX = 2**96 - 1
SCALE_MAX = 28


def exact(text):
    """The value with the digits that were written, or None where it does not fit."""
    value = Decimal(text)
    sign, digits, exponent = value.as_tuple()
    if exponent > 0:
        value = value.quantize(Decimal(1))
        sign, digits, exponent = value.as_tuple()
    mantissa = int("".join(map(str, digits)))
    if mantissa > MANTISSA_MAX or -exponent > SCALE_MAX:
        return None
    # Nothing has no sign.
    return abs(value) if mantissa == 0 else value


def level(line):
    """A price and a size as they must be shown; a size of nothing takes the level away."""
    price, size = map(exact, line.split())
    if price is None or size is None or size < 0:
        return None
    return price, size if size else Decimal(0)


wanted = [level(line) for line in (FOLDER / "texts").read_text().splitlines()]
fitted = [level for level in wanted if level is not None]
with open(FOLDER / "lines") as lines, open(FOLDER / "packed", "rb") as packed:
    records = [json.loads(line) for line in lines]
    unpacked = list(msgpack.Unpacker(packed, timestamp=3))
assert len(records) == len(unpacked) == len(fitted), (len(records), len(unpacked), len(fitted))
book = {}
for (price, size), record, other in zip(fitted, records, unpacked):
    shown = [[f"{price:f}", f"{size:f}"]]
    assert record["bids"] == shown and record["asks"] == [], (shown, record)
    assert other["bids"] == shown and other["asks"] == [], (shown, other)
    # The newest digits of a price are the ones that are kept.
    book.pop(price, None)
    if size:
        book[price] = size
levels = "".join(f"{price:f} {book[price]:f}\n" for price in sorted(book, reverse=True))
assert levels == (FOLDER / "book").read_text(), "the book is another one"
print(len(fitted), len(wanted) - len(fitted))
