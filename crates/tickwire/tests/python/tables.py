"""The golden answers out of Parquet files, by readers that know nothing of us: DuckDB and Polars.

tables.py FOLDER ANSWERS: FOLDER is a recording's (recording=NAME), ANSWERS what is known of it. Each figure is
asked of both where both can give it.
"""

import hashlib
import json
import sys
from decimal import Decimal, getcontext

import duckdb
import polars as pl

FOLDER, ANSWERS = sys.argv[1:]
FAULTS = []
getcontext().prec = 80


def plain(value):
    return "" if value is None else format(value.normalize(), "f")


def compare(what, ours, known):
    if ours != known:
        FAULTS.append(f"{what}: ours {ours!r}, known {known!r}")


def digest(rows):
    lines = "".join("|".join(row) + "\n" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def files(channel):
    return f"{FOLDER}/channel={channel}/**/*.parquet"


def duck(channel, columns, where, order="position"):
    query = f"select {columns} from read_parquet('{files(channel)}') where {where}"
    return duckdb.sql(f"{query} order by {order}" if order else query).fetchall()


def polars(channel):
    return pl.scan_parquet(files(channel)).filter(pl.col("venue") == VENUE, pl.col("venue_symbol") == SYMBOL)


def trades(known):
    answer = duck(
        "trades",
        """count(*), sum(size), list(struct_pack(price, size)),
        sum(size) filter (side = 'buy'), sum(size) filter (side = 'sell'),
        arg_min(price, position), max(price), min(price), arg_max(price, position),
        epoch_ns(arg_min(ts_event, position)), epoch_ns(arg_max(ts_event, position))""",
        WHERE,
        None,
    )[0]
    # Forty digits are more than a decimal of either reader holds.
    notional = sum((row["price"] * row["size"] for row in answer[2] or []), Decimal(0))
    answer = (*answer[:2], notional, *answer[3:])
    names = "count volume notional taker_buy_volume taker_sell_volume open high low close first_ts_ns last_ts_ns"
    for name, value in zip(names.split(), answer):
        if name != "count" and not name.endswith("_ns"):
            value = plain(value if value is not None else Decimal(0))
        compare(f"DuckDB trades.{name}", value, known[name])
    frame = polars("trades").sort("position").collect()
    compare("Polars trades.count", frame.height, known["count"])
    compare("Polars trades.volume", plain(frame["size"].sum()), known["volume"])
    sides = {"buy": "B", "sell": "S", "unknown": "N"}
    times = frame["ts_event"].dt.timestamp("ns")
    columns = (frame["price"], frame["size"], frame["side"], frame["trade_id"], times)
    rows = ((plain(p), plain(s), sides[side], i or "", str(at)) for p, s, side, i, at in zip(*columns))
    compare("Polars trades.stream_sha256", digest(rows), known["stream_sha256"])


def quotes(known):
    def told(row):
        # An empty side is what the venues wrote for it.
        return [plain(value) or "0" for value in row]

    columns = ["bid_price", "bid_size", "ask_price", "ask_size"]
    rows = duck("quotes", ", ".join(columns), f"{WHERE} and not derived")
    compare("DuckDB quotes.count", len(rows), known["count"])
    compare("DuckDB quotes.stream_sha256", digest(told(row) for row in rows), known["stream_sha256"])
    frame = polars("quotes").filter(~pl.col("derived")).sort("position").select(columns).collect()
    for name, row in (("first", frame.row(0)), ("last", frame.row(-1))):
        compare(f"Polars quotes.{name}", told(row), known[name])


def book(known):
    actions = dict(duck("book", "action, count(distinct sequence)", f"{WHERE} group by action", None))
    compare("DuckDB book.snapshots", actions.get("snapshot", 0), known["snapshots"])
    compare("DuckDB book.sequence_gaps", actions.get("gap", 0), known["sequence_gaps"])
    # Each level as it was last told, since the last snapshot.
    rows = duckdb.sql(f"""
        with changes as (
            select *, row_number() over (order by position, file_row_number) as n
            from read_parquet('{files("book")}', file_row_number = true) where {WHERE}),
        levels as (
            select side, level_price, arg_max(level_size, n) as size, arg_max(action, n) as action from changes
            where position >= (select max(position) from changes where action = 'snapshot') and side is not null
            group by all)
        select side, level_price, size from levels where action <> 'delete' and size > 0
    """).fetchall()
    frame = polars("book").collect()
    last = frame.filter(pl.col("action") == "snapshot")["position"].max()
    now = (
        frame.filter(pl.col("position") >= last, pl.col("side").is_not_null())
        .sort("position", maintain_order=True)
        .group_by("side", "level_price", maintain_order=True)
        .last()
        .filter(pl.col("action") != "delete", pl.col("level_size") > 0)
    )
    compare("levels, Polars and DuckDB", sorted(now.select("side", "level_price", "level_size").rows()), sorted(rows))
    for side, name in (("bid", "bids"), ("ask", "asks")):
        levels = sorted(((price, size) for of, price, size in rows if of == side), reverse=side == "bid")
        compare(f"book.final_levels.{name}", len(levels), known["final_levels"][name])
        top = [[plain(price), plain(size)] for price, size in levels[:10]]
        compare(f"book.final_top10.{name}", top, known["final_top10"][name])


def asked(channel, columns, where):
    """Rows of a channel, none where the recording has none of it."""
    try:
        return duck(channel, columns, where, None)
    except duckdb.IOException:
        return []


FETCHED = {"book": "and action not in ('snapshot', 'reset')"}
known = json.load(open(ANSWERS))
seen = set()
for channel in ("trades", "quotes", "book"):
    seen.update(asked(channel, "distinct venue, venue_symbol", "true"))
for VENUE, SYMBOL in sorted(seen):
    WHERE = f"venue = '{VENUE}' and venue_symbol = '{SYMBOL}'"
    instruments = known.get("instruments")
    if instruments is None:
        answers = known
    else:
        # Markets of one venue that share names have theirs before them.
        market = {"bitget-spot": "sp"}.get(VENUE, "mc" if VENUE.startswith("bitget") else VENUE.removeprefix("bybit-"))
        answers = instruments.get(SYMBOL) or instruments.get(f"{market}:{SYMBOL}")
        if answers is None:
            # The answers tell what was streamed: a book that was fetched, of which no change came, is not in them.
            streamed = [c for c in ("trades", "book") if asked(c, "1", f"{WHERE} {FETCHED.get(c, '')}")]
            compare(f"{SYMBOL} has no answers; channels", streamed, [])
            continue
    for name, check in (("trades", trades), ("book", book), ("venue_quotes", quotes), ("book_ticker", quotes)):
        if name in answers:
            check(answers[name])
    FAULTS[:] = [f if f.startswith(SYMBOL) else f"{SYMBOL} {f}" for f in FAULTS]
for fault in FAULTS:
    print(fault)
print(f"{len(seen)} instruments, {len(FAULTS)} faults")
sys.exit(bool(FAULTS) or not seen)
