"""Sessions with a real server, which is killed under them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import threading
import time
import traceback
from collections import defaultdict
from decimal import Decimal

import pytest
import tickwire
from conftest import PATIENCE, Plant
from tickwire import BookDelta, Gap, Record, Trade
from tickwire._socket import shown


class Tiles:
    """Holds records to the law: every sequence once, in order, or named in a gap."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], int] = {}
        self.gaps: list[Gap] = []
        self.counts: dict[str, int] = defaultdict(int)

    def take(self, record: Record) -> None:
        key = (record.channel, record.symbol)
        if record.channel == "candles":
            return
        if not record.snapshot and key in self.at:
            assert record.prev_sequence == self.at[key], record
        assert record.snapshot or record.sequence > self.at.get(key, 0)
        self.at[key] = max(record.sequence, self.at.get(key, 0))
        self.counts[type(record).__name__] += 1

    def gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        if gap.to_sequence is None:
            self.at.pop((gap.channel, gap.symbol), None)
        else:
            self.at[gap.channel, gap.symbol] = gap.to_sequence


def test_one_call_and_one_loop(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_TOKEN", plant.token())
    monkeypatch.setenv("TICKWIRE_URL", f"ws://{plant.address}")
    tiles = Tiles()
    with tickwire.connect() as session:
        assert repr(session) == f"<Session {plant.url} live: 0 streams, 0 records>"
        for trade in itertools.islice(session.subscribe("trades", ["BTC-*"]), 100):
            assert isinstance(trade, Trade) and isinstance(trade.price, Decimal)
            assert trade.symbol.startswith("BTC-") and trade.time is not None
            tiles.take(trade)
        assert session.cursor is not None and not session.rejected
        # More of it joins the same loop.
        session.subscribe(["quotes", "book", "ticker", "status", "candles"], "*", checksum=True)
        kinds = {type(record).__name__ for record in itertools.islice(session, 2000)}
        assert kinds == {"Trade", "Quote", "BookSnapshot", "BookDelta", "Ticker", "Status", "Candle"}
        book = session.book("BTC-USD")
        assert book is not None and book.spread is not None and book.spread > 0 and len(book.bids(3)) == 3
        ledger = session.ledger()["subscriptions"]
        assert all(
            one["published"] == one["delivered"] + one["coalesced"] + one["skipped"] + one["pending"] for one in ledger
        )
        session.unsubscribe(["book", "candles"], "*")
        assert session.book("BTC-USD") is None
    assert session.state == "closed" and list(session) is not None


def test_a_cut_line_costs_nothing(plant: Plant) -> None:
    tiles = Tiles()
    with tickwire.connect(plant.url, token=plant.token(), on_gap=tiles.gap) as session:
        session.subscribe(["trades", "quotes", "book"], "*", checksum=True)
        for n, record in enumerate(itertools.islice(session, 3000)):
            tiles.take(record)
            if n in (700, 1500):
                assert session._socket is not None
                session._socket.socket.shutdown(socket.SHUT_RDWR)
        assert session.reconnects == 2 and ", 2 reconnects>" in repr(session)
    assert tiles.gaps == [] and tiles.counts["BookDelta"] > 100


def test_a_server_that_is_killed_is_come_back_to(plant: Plant) -> None:
    tiles = Tiles()
    with tickwire.connect(plant.url, token=plant.token(), on_gap=tiles.gap) as session:
        session.subscribe(["trades", "book"], "*", checksum=True)
        for record in itertools.islice(session, 500):
            tiles.take(record)
        plant.kill()
        restart = threading.Thread(target=plant.start)
        restart.start()
        deltas, until = 0, time.monotonic() + PATIENCE
        for record in session:
            tiles.take(record)
            deltas += bool(tiles.gaps) and isinstance(record, BookDelta)
            if deltas > 50:
                break
            assert time.monotonic() < until
        restart.join(PATIENCE)
        assert session.reconnects == 1 and session.state == "live"
        # Its order of events is a new one: what was missed has no numbers, and is told of every stream.
        assert {gap.reason for gap in tiles.gaps} == {"cursor_expired"}
        assert len(tiles.gaps) == len({(gap.channel, gap.symbol) for gap in tiles.gaps}) >= 8
        assert session.book("BTC-USD") is not None


def test_another_process_goes_on_where_one_ended(plant: Plant) -> None:
    tiles = Tiles()
    with tickwire.connect(plant.url, token=plant.token()) as first:
        for record in itertools.islice(first.subscribe("trades", "*"), 200):
            tiles.take(record)
        cursor = first.cursor
    with tickwire.connect(plant.url, token=plant.token()) as second:
        got = list(itertools.islice(second.subscribe("trades", "*", resume=cursor), 200))
    new = [record for record in got if record.sequence > tiles.at["trades", record.symbol]]
    assert not any(record.snapshot for record in got) and len(new) > 100
    for record in new:
        tiles.take(record)


def test_async_is_the_same_loop(plant: Plant) -> None:
    async def read() -> Tiles:
        tiles = Tiles()
        async with tickwire.connect_async(plant.url, token=plant.token(), on_gap=tiles.gap) as session:
            async for record in session.subscribe(["trades", "book"], "*", checksum=True):
                tiles.take(record)
                if len(tiles.at) and sum(tiles.counts.values()) == 300:
                    assert session._socket is not None
                    session._socket.transport.abort()
                if sum(tiles.counts.values()) > 1000:
                    break
            assert session.reconnects == 1 and (await session.ledger())["subscriptions"]
            assert await session.subscribe("quotes", "BTC-USD") is session
            await session.unsubscribe("quotes", "BTC-USD")
        return tiles

    tiles = asyncio.run(asyncio.wait_for(read(), PATIENCE))
    assert tiles.gaps == []


def test_no_error_has_the_token_in_it(plant: Plant) -> None:
    token = plant.token("stream:BTC-*")
    head, tail = token[:20], token[20:]

    def told(given: object) -> list[str]:
        """What is said of a token, by all who take one."""
        errors = []

        async def wait() -> None:
            async with tickwire.connect_async(plant.url, token=given):  # type: ignore[arg-type]
                pass

        for attempt in (
            lambda: tickwire.connect(plant.url, token=given),  # type: ignore[arg-type]
            lambda: tickwire.connect(plant.url, token=lambda: given),  # type: ignore[arg-type, return-value]
            lambda: asyncio.run(wait()),
        ):
            with pytest.raises(tickwire.AuthError, match="TICKWIRE_TOKEN, or token=") as refused:
                attempt()
            whole = "".join(traceback.format_exception(refused.value))
            assert head not in whole and tail not in whole, whole
            errors.append(str(refused.value))
        assert len(set(errors)) == 1
        return errors

    assert "a space in it, after 20 letters of" in told(f"{head} {tail}")[0]
    assert "a line's end" in told(f"{head}\r\nX-Other: 1\r\n{tail}")[0]
    assert "U+0000" in told(f"{head}\0{tail}")[0]
    assert "U+00E4" in told(f"{head}ä{tail}")[0]
    assert "is a bytes" in told(token.encode())[0]
    assert "answers 401" in told("x" + token)[0]
    # What files and shells leave around it is no part of it.
    for around in (f"{token}\n", f" \t{token}\r\n"):
        with tickwire.connect(plant.url, token=around) as session:
            assert session.subscribe("trades", "BTC-*").state == "live"


def test_who_forgets_the_token_is_told_where_it_goes(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKWIRE_TOKEN", raising=False)
    for nothing in (None, "", " \n"):
        with (
            tickwire.connect(plant.url, token=nothing) as session,
            pytest.raises(tickwire.RequestError, match="No token was given: set TICKWIRE_TOKEN, or token="),
        ):
            session.subscribe("trades")


def test_what_is_refused_says_what_to_do(plant: Plant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = plant.token("stream:BTC-*")
    with pytest.raises(tickwire.AuthError, match="answers 401: .*the token is TICKWIRE_TOKEN, or token=") as refused:
        tickwire.connect(plant.url, token="bad." + token)
    assert token not in str(refused.value)
    with pytest.raises(tickwire.ConnectError, match="cannot be reached"):
        tickwire.connect("ws://127.0.0.1:9", token=token)
    with pytest.raises(ValueError, match="is no address of a server; write it as wss://HOST/v1/stream"):
        tickwire.connect("http://localhost", token=token)
    with tickwire.connect(plant.url, token=lambda: token) as session:
        with pytest.raises(ValueError, match="'trade' is no channel"):
            session.subscribe("trade")  # type: ignore[arg-type]
        with pytest.raises(tickwire.RequestError, match="invalid_request: ") as wrong:
            session.subscribe("trades", "BTC-USD", colour="red")
        assert wrong.value.code == "invalid_request" and not wrong.value.retryable
        session.subscribe("trades", ["BTC-USD", "BTC-USDD", "ETH-USD"])
        assert [(one["symbol"], one["code"]) for one in session.rejected] == [
            ("BTC-USDD", "unknown_symbol"), ("ETH-USD", "forbidden"),
        ]  # fmt: skip
        assert next(iter(session)).symbol == "BTC-USD"
        # Nothing that is told or logged has the token in it.
        assert token not in repr(session) + repr(vars(session)) + caplog.text
    assert shown("wss://user:word@host/v1/stream?ticket=x") == "wss://host/v1/stream"
