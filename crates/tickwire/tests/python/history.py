"""The past in pages: against what a WebSocket was sent meanwhile, record by record, and on from there.

usage: history.py ADDRESS CA      (tokens in TICKWIRE_TOKEN, NARROW: trades of the first symbol, SLOW: with conflate_ms)
"""

import asyncio
import json
import os
import random
import sys
from collections import defaultdict
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.client import connect

from doors import BEARER, TOKEN, Server

CHANNELS = ["trades", "quotes", "ticker", "status"]
SECONDS = 4


def ask(server, url, headers=BEARER, status=200):
    """What stands at a URL such as `next` has."""
    parts = urlsplit(url)
    response, answer = server.ask(parts.path, parse_qsl(parts.query), headers)
    assert response.status == status, (url, response.status, answer)
    return answer


def pages(server, url):
    """All pages from a URL on, up to where there is no more."""
    while url:
        page = ask(server, url)
        yield page
        url = page.get("next")


async def sent(server, channels, seconds, seen, **options):
    """What a WebSocket is sent in a while: the records of each stream."""
    url = f"wss://{server.address}/v1/stream"
    async with connect(url, ssl=server.context, additional_headers=BEARER) as connection:
        await connection.send(json.dumps({"op": "subscribe", "channels": channels, "symbols": ["*"], **options}))
        try:
            async with asyncio.timeout(seconds):
                async for text in connection:
                    message = json.loads(text)
                    if message["type"] == "update":
                        for record in message["data"]:
                            seen[message["channel"], record["symbol"]].append(record)
        except TimeoutError:
            pass


def follow(server, channel, symbol, seconds, found):
    """Pages of a stream for a while, whatever their size, by `next` and then by the cursor."""
    dice, url = random.Random(f"{channel}{symbol}"), f"/v1/history?channel={channel}&symbol={symbol}"
    until, begin = asyncio.get_running_loop().time() + seconds, url

    async def run():
        nonlocal url
        while asyncio.get_running_loop().time() < until:
            page = await asyncio.to_thread(ask, server, f"{url.split('&limit')[0]}&limit={dice.randint(1, 40)}")
            assert "gap" not in page, page
            found.extend(page["data"])
            url = page.get("next") or f"{begin}&cursor={page['cursor']}"
            await asyncio.sleep(0 if "next" in page else 0.2)

    return run()


async def beside_a_stream(server, symbols):
    """What a stream says and what its history says are the same, to the last byte, and the history has all of it."""
    seen, found = defaultdict(list), {(channel, symbol): [] for channel in CHANNELS for symbol in symbols}
    following = [follow(server, channel, symbol, SECONDS, found[channel, symbol]) for channel, symbol in found]
    await asyncio.gather(sent(server, CHANNELS, SECONDS - 1, seen), *following)
    compared = 0
    for key, records in found.items():
        sequences = [record["sequence"] for record in records]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), (key, sequences)
        history = dict(zip(sequences, records))
        for record in seen[key]:
            if "prev_sequence" not in record:
                assert history[record["sequence"]] == record, (record, history.get(record["sequence"]))
                compared += 1
    assert compared > 500, compared
    return compared


def orders(server, symbol):
    """Backwards is forwards, and a range is what lies in it."""
    query = f"channel=trades&symbol={symbol}"
    newest = ask(server, f"/v1/history?{query}&order=desc&limit=1")
    last = newest["data"][0]["sequence"]
    assert last == newest["newest_sequence"] and last > 20, newest
    url = f"/v1/history?{query}&from_sequence={last - 20}&to_sequence={last}"
    forwards = [record for page in pages(server, f"{url}&limit=7") for record in page["data"]]
    backwards = [record for page in pages(server, f"{url}&limit=4&order=desc") for record in page["data"]]
    assert len(forwards) == 21 and forwards == backwards[::-1], (forwards, backwards)
    begin, end = forwards[5]["ts_event"], forwards[15]["ts_event"]
    timed = ask(server, f"{url}&from={begin}&to={end}")["data"]
    assert timed == [record for record in forwards if begin <= record["ts_event"] < end] and timed, timed
    missing = ask(server, f"/v1/history?{query}&from_sequence=1&limit=1")
    assert missing["data"][0]["sequence"] == missing["oldest_sequence"], missing
    if missing["oldest_sequence"] > 1:
        assert missing["gap"]["to_sequence"] == missing["oldest_sequence"] - 1, missing
    other = ask(server, f"/v1/history?{query}&cursor=zzzz:1&limit=1")
    assert other["gap"] == {"reason": "another_epoch"}, other


async def bars(server, symbol):
    """Bars that were closed before a WebSocket's eyes, and the open one."""
    seen = defaultdict(list)
    await sent(server, ["candles"], 3, seen, interval="1s")
    one_way = [record for page in pages(server, f"/v1/candles?symbol={symbol}&interval=1s&limit=2") for record in page["data"]]
    history = {record["sequence"]: record for record in one_way}
    closed = [record for record in seen["candles", symbol] if record["closed"]]
    assert len(closed) >= 2, closed
    for bar in closed:
        assert history[bar["sequence"]] == {name: bar[name] for name in bar if name not in ("prev_sequence", "coalesced")}
    assert all(bar["closed"] for bar in one_way[:-2]), one_way
    start = closed[0]["start"]
    url = f"/v1/history?channel=candles&symbol={symbol}&interval=1s&from={start}&to={closed[-1]['start']}"
    assert [bar["start"] for bar in ask(server, url)["data"]] == [bar["start"] for bar in closed[:-1]]
    return len(closed)


async def going_on(server, symbol):
    """Who has the last page goes on with a stream, and lacks nothing."""
    *_, page = pages(server, f"/v1/history?channel=trades&symbol={symbol}")
    url = f"wss://{server.address}/v1/stream"
    async with connect(url, ssl=server.context, additional_headers=BEARER) as connection:
        request = {"op": "subscribe", "channels": ["trades"], "symbols": [symbol], "resume": page["cursor"]}
        await connection.send(json.dumps(request))
        async with asyncio.timeout(30):
            async for text in connection:
                message = json.loads(text)
                if message["type"] == "ack":
                    assert message["resumed"], message
                if message["type"] == "update":
                    first = message["data"][0]
                    assert first["sequence"] == page["newest_sequence"] + 1 and "coalesced" not in first, (first, page)
                    return


def refusals(server, symbols):
    narrow, slow = ({"Authorization": f"Bearer {os.environ[name]}"} for name in ("NARROW", "SLOW"))
    first, other = symbols[:2]
    ask(server, f"/v1/history?channel=trades&symbol={first}", narrow)
    ask(server, f"/v1/candles?symbol={first}", slow)
    for url, headers, status, code, detail in [
        (f"/v1/history?channel=trades&symbol={other}", narrow, 403, "forbidden", f"Your token does not cover {other} on trades."),
        (f"/v1/candles?symbol={first}", narrow, 403, "forbidden", f"Your token does not cover {first} on candles."),
        (f"/v1/history?channel=trades&symbol={first}", slow, 403, "forbidden", "Your token bounds how fast"),
        (f"/v1/history?channel=trades&symbol={first}X", BEARER, 404, "unknown_symbol", f"Unknown symbol {first}X. Did you mean {first}?"),
        ("/v1/history?channel=trades&symbol=NOPE-NOPE-NOPE", narrow, 404, "unknown_symbol", "Unknown symbol NOPE-NOPE-NOPE."),
        (f"/v1/history?channel=trade&symbol={first}", BEARER, 400, "unknown_channel", 'Unknown channel "trade". Did you mean "trades"?'),
        (f"/v1/history?channel=book&symbol={first}", BEARER, 400, "invalid_request", "A book has no history"),
        (f"/v1/history?channel=trades&symbol={first}&limit=5001", BEARER, 400, "invalid_request", 'Field "limit" must be'),
        (f"/v1/candles?symbol={first}&intervall=1m", BEARER, 400, "invalid_request", 'Unknown field "intervall". Did you mean "interval"?'),
        (f"/v1/candles?symbol={first}", {}, 401, "unauthenticated", "Send a token"),
        (f"/v1/candles?symbol={first}&ticket=x", {}, 401, "token_invalid", "The ticket was used"),
    ]:
        problem = ask(server, url, headers, status)
        assert problem["code"] == code and problem["detail"].startswith(detail), problem
    for path in ("/v1/history", "/v1/candles"):
        assert server.ask(path, method="HEAD")[0].status == 405
        origin = {"Origin": "https://good.example", "Access-Control-Request-Method": "GET"}
        response, _ = server.ask(path, headers=origin, method="OPTIONS")
        assert response.headers["Access-Control-Allow-Origin"] == "https://good.example", response.headers


async def main(server):
    _, catalogue = server.ask("/v1/symbols")
    symbols = [entry["symbol"] for entry in catalogue["symbols"]]
    print("compared", await beside_a_stream(server, symbols[:3]))
    orders(server, symbols[0])
    print("bars", await bars(server, symbols[0]))
    await going_on(server, symbols[0])
    refusals(server, symbols)


if __name__ == "__main__":
    assert TOKEN
    asyncio.run(main(Server(*sys.argv[1:3])))
