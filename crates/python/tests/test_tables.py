"""Recordings as tables: the same rows as the Parquet files, whoever reads them."""

from __future__ import annotations

import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
import tickwire
from conftest import SHARED, lines, run
from polars.testing import assert_frame_equal
from tickwire import CHANNELS, Channel
from tickwire._scan import pushed_down

HIVE = ["recording", "channel", "date"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_rows_are_those_of_the_parquet_files(sim: Path, tables: Path, channel: Channel) -> None:
    known = tickwire.read(tables, channel).drop(HIVE).collect().sort("position", maintain_order=True)
    eager = tickwire.replay(sim).to_polars(channel)
    assert eager.columns == known.columns and eager.height > 0
    assert_frame_equal(eager, known, categorical_as_str=True)
    assert_frame_equal(tickwire.read(sim, channel).collect(), eager, categorical_as_str=True)
    for symbols, span in (("BTC-*", {}), (None, {"from_": "2026-11-20T14:30:10Z"})):
        options: Any = {"symbols": symbols, **span}
        one, other = (tickwire.read(path, channel, **options) for path in (sim, tables))
        same = other.drop(HIVE).collect().sort("position", maintain_order=True)
        assert_frame_equal(one.collect(), same, categorical_as_str=True)


def test_who_takes_arrow_takes_it(sim: Path) -> None:
    trades = tickwire.replay(sim).to_arrow("trades")
    known = [(Decimal(line["price"]), line["symbol"]) for line in lines(sim, "-c", "trades")]
    assert len(trades) == len(known) and repr(trades) == "<Table of trades: 177 rows, 20 columns>"
    arrow = trades.to_pyarrow()
    assert arrow.schema.field("price").type == pa.decimal128(18, 9)
    assert arrow.schema.field("ts_recv").type == pa.timestamp("ns", tz="UTC")
    assert pa.schema(trades) == arrow.schema
    named = {"polars": trades.to_polars(), "pyarrow": arrow, "pandas": trades.to_pandas()}
    assert list(zip(named["polars"]["price"], named["polars"]["symbol"])) == known
    assert list(zip(arrow["price"].to_pylist(), arrow["symbol"].to_pylist())) == known
    assert list(zip(named["pandas"]["price"], named["pandas"]["symbol"])) == known
    rows = duckdb.sql("select price, symbol from trades order by position")
    assert rows is not None and rows.fetchall() == known
    # It can be taken as often as one likes.
    assert pl.DataFrame(trades).equals(pl.DataFrame(trades))


def test_prices_and_times_are_told_as_asked(sim: Path) -> None:
    exact = tickwire.replay(sim).to_polars("trades")
    floats = tickwire.replay(sim).to_polars("trades", prices="float", timestamps="naive")
    assert floats["price"].to_list() == [float(price) for price in exact["price"]]
    assert floats.schema["ts_recv"] == pl.Datetime("ns")
    whole = tickwire.read(sim, "trades", prices="fixed", timestamps="int64").collect()
    assert whole["price"].to_list() == [int(price * 10**9) for price in exact["price"]]
    assert whole["ts_recv"].to_list() == exact["ts_recv"].cast(pl.Int64).to_list()
    with pytest.raises(ValueError, match="prices are decimal, float or fixed"):
        tickwire.replay(sim).to_arrow("trades", prices="text")  # type: ignore[call-overload]


def test_a_query_reads_what_it_asks_for(sim: Path, tables: Path) -> None:
    for path in (sim, tables):
        trades = tickwire.read(path).trades
        query = trades.filter(pl.col("symbol") == "BTC-USD", pl.col("size") > Decimal("0.05")).select(
            "price", "sequence"
        )
        eager = trades.collect().filter(pl.col("symbol") == "BTC-USD", pl.col("size") > Decimal("0.05"))
        assert_frame_equal(query.collect().sort("sequence"), eager.select("price", "sequence").sort("sequence"))
        assert query.head(3).collect().height == 3
        assert trades.select(pl.len()).collect().item() == len(lines(sim, "-c", "trades"))
        totals = trades.group_by("symbol").agg(pl.col("size").sum()).collect()
        assert totals.height == 3
    assert tickwire.read(sim, "trades").filter(pl.col("symbol") == "NO-SUCH").collect().height == 0


def test_what_is_pushed_down() -> None:
    at = tickwire.to_datetime(tickwire.to_ns("2026-11-20T14:30:10Z"))
    symbol, recv = pl.col("symbol"), pl.col("ts_recv")
    nanos = tickwire.to_ns(at)
    for predicate, symbols, start in (
        (symbol == "A", ["A"], None),
        (symbol.is_in(["A", "B"]) & (recv >= at), ["A", "B"], nanos),
        ((pl.lit(at) < recv) & (pl.col("price") > 1), [], nanos),
        ((symbol == "A") | (recv >= at), [], None),
        (~(symbol == "A"), [], None),
        (recv < at, [], None),
        (symbol != "A", [], None),
    ):
        asked = pushed_down(predicate)
        assert (asked.symbols, asked.start) == (symbols, start), predicate


def plain(value: Any) -> str:
    assert isinstance(value, Decimal)
    return format(value.normalize(), "f")


CASES = [
    ("binance-spot", ["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"], "binance_spot_btcusdt"),
    ("binance-usdm", ["binance/usdm_btcusdt_20240808.gz"], "binance_usdm_btcusdt"),
    ("kraken", ["ws/kraken.jsonl.zst"], "ws_kraken"),
    ("coinbase", ["ws/coinbase.jsonl.zst"], "ws_coinbase"),
    ("okx", ["ws/okx.jsonl.zst"], "ws_okx"),
]


@pytest.mark.parametrize(("feed", "files", "answers"), CASES)
def test_real_captures_have_their_golden_answers(tmp_path: Path, feed: str, files: list[str], answers: str) -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there")
    known = json.loads((SHARED / f"golden/{answers}.json").read_text())
    made = tmp_path / "r"
    run("record", "-o", made, "--feed", feed, *(SHARED / file for file in files))
    played = tickwire.replay(made, channels=["trades", "book"], on_gap=lambda gap: None)
    trades = played.to_polars("trades")
    compared = 0
    for instrument in tickwire.Recording(made).instruments():
        answer = known["instruments"][instrument.venue_symbol] if "instruments" in known else known
        rows = trades.filter(pl.col("symbol") == instrument.symbol)
        if "trades" in answer and answer["trades"]["count"]:
            assert rows.height == answer["trades"]["count"], instrument
            assert plain(rows["size"].sum()) == answer["trades"]["volume"]
            sides = {"buy": "B", "sell": "S", "unknown": "N"}
            columns = zip(rows["price"], rows["size"], rows["side"], rows["trade_id"], rows["ts_event"].cast(pl.Int64))
            told = "".join(f"{plain(p)}|{plain(s)}|{sides[side]}|{i or ''}|{at}\n" for p, s, side, i, at in columns)
            assert hashlib.sha256(told.encode()).hexdigest() == answer["trades"]["stream_sha256"], instrument
            compared += 1
        if "book" in answer and "final_top10" in answer["book"]:
            book = tickwire.Recording(made).book_at(instrument.symbol)
            for name, levels in (("bids", book.bids(10)), ("asks", book.asks(10))):
                assert [[plain(p), plain(s)] for p, s in levels] == answer["book"]["final_top10"][name], instrument
            compared += 1
    assert compared > 0
    for _ in played:
        pass
    for instrument in tickwire.Recording(made).instruments():
        one = played.book(instrument.symbol)
        if one is not None:
            other = tickwire.Recording(made).book_at(instrument.symbol)
            assert (one.bids(), one.asks()) == (other.bids(), other.asks())


def test_libraries_that_are_missing_are_named(sim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, extra in (("polars", "polars"), ("pyarrow", "pandas")):
        monkeypatch.setitem(sys.modules, name, None)
        table = tickwire.replay(sim).to_arrow("trades")
        with pytest.raises(ImportError, match=rf"this needs {name}: pip install 'tickwire\[{extra}\]'"):
            table.to_polars() if name == "polars" else table.to_pyarrow()
    with pytest.raises(ImportError, match="this needs polars"):
        _ = tickwire.read(sim).trades
    # The loop needs none of them.
    assert sum(1 for _ in tickwire.replay(sim)) > 1000
