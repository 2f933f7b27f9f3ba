"""Recordings with something wrong, in the form that `tickwire` reads captures: an envelope a line."""

import json

START = 1_795_185_000.0


def envelope(venue, frames):
    """`frames`: seconds from the start, and what came then."""
    lines = [{"t": "header", "format": 2, "venue": venue}, {"t": "connect", "conn": "1", "addr": venue, "ts": START}]
    lines += [{"t": "recv", "conn": "1", "ts": START + at, "data": data} for at, data in frames]
    return "".join(json.dumps(line) + "\n" for line in lines)


def quote(at, symbol="BTC-USD", late=0.0):
    """A quote of the simulated venue; `late`: how long it was on its way."""
    moment = int((START + at - late) * 1e9)
    return json.dumps({"e": "quote", "s": symbol, "t": moment, "b": [["100.1", "1"]], "a": [["100.2", "1"]]})


def steady(seconds, every=0.1, **options):
    return [(n * every, quote(n * every, **options)) for n in range(int(seconds / every))]


def silent():
    """Two seconds of a market, and then nothing for ten minutes."""
    return envelope("sim", [*steady(2), (600, quote(600))])


def late():
    """All of it six seconds old when it came."""
    return envelope("sim", steady(10, late=6.0))


def ahead():
    """All of it says that it was sent three seconds after it came."""
    return envelope("sim", steady(10, late=-3.0))


def garbled():
    """One message in ten cannot be read."""
    frames = steady(10)
    frames = [(at, data[:-9] if n % 10 == 9 else data) for n, (at, data) in enumerate(frames)]
    return envelope("sim", frames)


def holes():
    """Coinbase numbers its messages: here one in five is missing, and a snapshot comes after it."""
    frames, number = [], 0
    for n in range(100):
        at = n * 0.1
        number += 2 if n % 10 == 5 else 1
        is_whole = n % 10 == 6 or n == 0
        update = {"side": "bid", "event_time": "2026-11-20T14:30:00Z", "price_level": "100.1", "new_quantity": str(1 + n)}
        event = {"type": "snapshot" if is_whole else "update", "product_id": "BTC-USD", "updates": [update]}
        message = {"channel": "l2_data", "timestamp": "2026-11-20T14:30:00Z", "sequence_num": number, "events": [event]}
        frames.append((at, json.dumps(message)))
    return envelope("coinbase", frames)


def another_venue(symbol, seconds=10):
    """A symbol that another venue has already."""
    message = {"channel": "l2_data", "timestamp": "2026-11-20T14:30:00Z", "sequence_num": 1, "events": []}
    frames = []
    for n in range(seconds * 10):
        update = {"side": "bid", "event_time": "2026-11-20T14:30:00Z", "price_level": "100.1", "new_quantity": str(1 + n)}
        event = {"type": "snapshot" if n == 0 else "update", "product_id": symbol, "updates": [update]}
        frames.append((n * 0.1, json.dumps({**message, "sequence_num": n + 1, "events": [event]})))
    return envelope("coinbase", frames)
