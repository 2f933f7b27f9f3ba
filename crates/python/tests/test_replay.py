"""Recordings in a loop: the same records as the program tells."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tickwire
from conftest import SHARED, TOP, lines, run
from tickwire import BookDelta, BookSnapshot, Candle, Gap, Quote, Record, Status, Ticker, Trade

MIDDLE = "2026-11-20T14:30:10.5Z"


def told(record: Record) -> dict[str, Any]:
    """A record as a line of the program."""
    text = tickwire.to_text
    line: dict[str, Any] = {"channel": record.channel, "symbol": record.symbol, "sequence": record.sequence}

    def prices(*names: str) -> dict[str, Any]:
        values = {name: getattr(record, name) for name in names}
        return {name: None if value is None else f"{value:f}" for name, value in values.items()}

    def known(*names: str) -> dict[str, Any]:
        return {name: value for name, value in prices(*names).items() if value is not None}

    match record:
        case Trade():
            line |= {"snapshot": True} if record.snapshot else {}
            line |= {"trade_id": record.trade_id} if record.trade_id else {}
            line |= prices("price", "size") | {"side": record.side}
        case Quote():
            line |= {"derived": True} if record.derived else {}
            line |= prices("bid_price", "bid_size", "ask_price", "ask_size")
        case Ticker():
            line |= known(
                "last_price", "last_size", "bid_price", "bid_size", "ask_price", "ask_size",
                "open", "high", "low", "volume", "change", "change_percent",
            )  # fmt: skip
            line["window"] = "24h"
        case BookSnapshot() | BookDelta():
            line |= {"snapshot": True} if record.snapshot else {}
            for name, levels in (("bids", record.bids), ("asks", record.asks)):
                line[name] = [[f"{price:f}", f"{size:f}"] for price, size in levels]
        case Candle():
            line |= prices("open", "high", "low", "close", "volume")
            line |= {"interval": record.interval, "start": text(record.start)}
            line |= {"trades": record.trades, "closed": record.closed}
        case Status():
            line |= {"state": record.state, "feed": record.feed}
            line |= {"reason": record.reason} if record.reason else {}
            line |= {} if record.since is None else {"since": text(record.since)}
    assert record.ts_event is not None and record.ts_recv is not None
    assert (record.prev_sequence, record.coalesced) == (record.sequence - 1, 0)
    return line | {"ts_event": text(record.ts_event), "ts_recv": text(record.ts_recv)}


def plain(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in ("venue", "venue_symbol")}


def test_the_loop_gives_every_record_as_the_program_does(sim: Path) -> None:
    played = tickwire.replay(sim)
    records = list(played)
    assert [told(record) for record in records] == [plain(line) for line in lines(sim)]
    assert [record.position for record in records] == sorted(record.position or 0 for record in records)
    assert len({type(record) for record in records}) == 7
    assert played.position == records[-1].position and played.digest == run("replay", sim, "--digest").strip()
    # Each loop begins anew, and speed changes nothing but the time.
    assert list(played) == records == list(tickwire.replay(sim, speed=1000))


def test_async_is_the_same_loop(sim: Path) -> None:
    async def collect(speed: float | str) -> list[Record]:
        return [record async for record in tickwire.replay(sim, speed=speed, channels="trades")]  # type: ignore[arg-type]

    trades = list(tickwire.replay(sim, channels="trades"))
    assert asyncio.run(collect("max")) == asyncio.run(collect(1000)) == trades


def test_selections_are_those_of_the_program(sim: Path) -> None:
    for words, options in (
        (["-c", "trades,book"], {"channels": ["book", "trades"]}),
        (["-s", "BTC-*"], {"symbols": "BTC-*"}),
        (["--from", MIDDLE], {"from_": MIDDLE, "snapshot": False}),
        (["--to", MIDDLE], {"to": tickwire.to_datetime(tickwire.to_ns(MIDDLE))}),
        (["-c", "quotes", "-s", "ETH-USD", "--from", MIDDLE, "--snapshot"],
         {"channels": "quotes", "symbols": ["ETH-USD"], "from_": tickwire.to_ns(MIDDLE)}),
    ):  # fmt: skip
        wanted = [plain(line) for line in lines(sim, *words)]
        chosen = tickwire.replay(sim, **options)
        assert [told(record) for record in chosen] == wanted
        assert wanted
        if "--snapshot" not in words:
            assert sum(len({row["position"] for row in table.to_polars().rows(named=True)})
                       for table in chosen.to_arrow().values()) == len(wanted)  # fmt: skip
            assert chosen.digest == run("replay", sim, "--digest", *words).strip()


def test_books_are_those_of_the_program(sim: Path) -> None:
    played, asked = tickwire.replay(sim), 0
    for n, record in enumerate(played):
        if record.channel != "book" or n % 20:
            continue
        book = played.book(record.symbol)
        assert book is not None and book.sequence == record.sequence
        at = tickwire.to_text(record.ts_recv or 0)
        known = json.loads(run("book", sim, "-s", record.symbol, "--at", at, "--depth", "0"))
        if known["sequence"] != record.sequence:
            continue
        for there in (book, tickwire.Recording(sim).book_at(record.symbol, at)):
            for name, levels in (("bids", there.bids()), ("asks", there.asks())):
                assert [[f"{price:f}", f"{size:f}"] for price, size in levels] == known[name]
            assert there.checksum() == known["checksum"] and not there.crossed
        asked += 1
    assert asked > 5
    best = played.book("BTC-USD")
    assert best is not None and best.best_bid is not None and best.best_ask is not None
    assert best.mid == (best.best_bid[0] + best.best_ask[0]) / 2 and best.spread == best.best_ask[0] - best.best_bid[0]
    with pytest.raises(LookupError, match="BTC-USDD is not in the recording at that time"):
        tickwire.Recording(sim).book_at("BTC-USDD")


def test_a_replay_that_begins_in_the_middle_has_books_from_its_beginning(sim: Path) -> None:
    whole, part = tickwire.replay(sim, channels="book"), tickwire.replay(sim, channels="book", from_=MIDDLE)
    records = list(part)
    assert records[0].snapshot and records[0].ts_recv is not None and records[0].ts_recv < tickwire.to_ns(MIDDLE)
    assert list(whole)[-1] == records[-1]
    for symbol in ("BTC-USD", "ETH-USD"):
        one, other = whole.book(symbol), part.book(symbol)
        assert one is not None and other is not None
        assert (one.bids(), one.asks(), one.checksum()) == (other.bids(), other.asks(), other.checksum())


def test_what_is_wrong_is_said(sim: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no recording: it has no segment"):
        tickwire.replay(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tickwire.read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="'trade' is no channel; there are trades, quotes"):
        tickwire.replay(sim, channels="trade")
    with pytest.raises(ValueError, match='"yesterday": not an instant; write it as 2026'):
        tickwire.replay(sim, from_="yesterday")
    with pytest.raises(ValueError, match="no time zone"):
        tickwire.replay(sim, from_=tickwire.to_datetime(0).replace(tzinfo=None))
    with pytest.raises(ValueError, match="speed is 0"):
        tickwire.replay(sim, speed=0)
    with pytest.raises(ValueError, match="was asked for book"):
        tickwire.replay(sim, channels="book").to_arrow("trades")


def test_damage_is_named_and_the_rest_is_read(sim: Path, tmp_path: Path) -> None:
    captures = [SHARED / f"binance/spot_btcusdt_2024080{day}.gz" for day in (8, 9)]
    if not captures[0].exists():
        pytest.skip(f"{SHARED} is not there")
    made = tmp_path / "damaged"
    run("record", "-o", made, "--feed", "binance-spot", *captures)
    whole = sum(1 for _ in tickwire.replay(made))
    segment = made / "00000001.twj"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    gaps: list[Gap] = []
    played = tickwire.replay(made, on_gap=gaps.append)
    with pytest.warns(tickwire.DamageWarning, match="the checksum differs; positions"):
        read = sum(1 for _ in played)
    assert 0 < read < whole
    # No book is told that lacks something.
    assert [gap.reason for gap in gaps] == ["hole"] and played.book("BTC-USDT") is None
    with pytest.warns(tickwire.DamageWarning):
        assert "gap" in played.to_polars("book")["action"].to_list()


def test_a_torn_end_is_no_damage(sim: Path, tmp_path: Path) -> None:
    shutil.copytree(sim, tmp_path / "torn")
    segment = tmp_path / "torn/00000001.twj"
    # As a process leaves it that was killed in the middle of a block.
    segment.write_bytes(segment.read_bytes() + segment.read_bytes()[-64:-32])
    assert list(tickwire.replay(tmp_path / "torn")) == list(tickwire.replay(sim))


def test_python_goes_on_while_a_recording_is_read(sim: Path) -> None:
    counted, done = 0, threading.Event()

    def digest() -> None:
        while not done.is_set():
            tickwire.Recording(sim).digest()

    reader = threading.Thread(target=digest)
    reader.start()
    while counted < 100_000:
        counted += 1
    done.set()
    reader.join(60)
    assert not reader.is_alive()


def test_ctrl_c_is_heard(sim: Path) -> None:
    script = "import sys, tickwire\nprint('begun', flush=True)\nwhile True: tickwire.replay(sys.argv[1]).to_arrow()"
    child = subprocess.Popen(
        [sys.executable, "-c", script, sim], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in said and child.returncode != 0


def test_a_bar_is_for_whoever_looks(sim: Path, capfd: pytest.CaptureFixture[str]) -> None:
    list(tickwire.replay(sim))
    assert capfd.readouterr().err == ""
    seen: list[int] = []
    tickwire.replay(sim)._native.tables(tickwire.replay(sim)._selection, "decimal", "utc", seen.append)
    assert seen[-1] == len(lines(sim))
    from tickwire._progress import Progress

    with Progress(10, "reading", True) as bar:
        bar._bar.delay = 0
        bar.to(10)
    assert "reading: 100%" in capfd.readouterr().err


def test_records_are_small_and_say_what_they_are(sim: Path) -> None:
    trade = next(record for record in tickwire.replay(sim) if isinstance(record, Trade))
    assert not hasattr(trade, "__dict__") and isinstance(trade.price, Decimal)
    assert f"{trade.price:f}" == next(line["price"] for line in lines(sim, "-c", "trades"))
    assert trade.time is not None and trade.ts_event is not None
    assert tickwire.to_ns(trade.time) == trade.ts_event // 1000 * 1000
    assert tickwire.to_ns(tickwire.to_text(trade.ts_event)) == trade.ts_event
    assert repr(tickwire.replay(sim)) == "<Replay sim of trades, quotes, ticker, book, candles, status, speed max>"
    assert repr(tickwire.read(sim)).startswith("<Recording sim: 1,264 records, 2026-11-20T14:30:00.000000000Z to ")
    assert TOP.exists()
