"""A hundred tokens that are forged, confused, mistyped or stale: all refused before the upgrade, and none told of.

usage: forged.py ADDRESS CA      (a good token in TICKWIRE_TOKEN, the HS256 secret in SECRET)
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import ssl
import sys
import time

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

ADDRESS, CONTEXT = sys.argv[1], ssl.create_default_context(cafile=sys.argv[2])
SECRET, GOOD = os.environ["SECRET"].encode(), os.environ["TICKWIRE_TOKEN"]
NOW = int(time.time())
HEADER = {"alg": "HS256", "typ": "JWT", "kid": "main"}
CLAIMS = {"sub": "eve", "iss": "tickwire", "aud": "tickwire", "exp": NOW + 600, "scopes": ["stream:*"]}


def part(data):
    data = data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header, claims, secret=SECRET, digest=hashlib.sha256):
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), digest).digest())}"


def without(name):
    return {key: value for key, value in CLAIMS.items() if key != name}


def forgeries():
    head, body, signature = sign(HEADER, CLAIMS).split(".")
    unsigned = [f"{part({'alg': alg, 'typ': 'JWT'})}.{body}{rest}"
                for alg in ("none", "None", "NONE", "nOnE", "") for rest in (".", f".{signature}", "")]
    yield from (("unsigned", token) for token in unsigned)
    for alg in ("hs256", "HS384", "HS512", "RS256", "RS384", "PS256", "ES256", "ES384", "EdDSA", "A128KW", " HS256",
                None, 1, True, [], {}, ["HS256"]):
        yield "algorithm", sign(HEADER | {"alg": alg}, CLAIMS)
    yield "algorithm", sign({"typ": "JWT", "kid": "main"}, CLAIMS)
    yield "digest", sign(HEADER | {"alg": "HS512"}, CLAIMS, digest=hashlib.sha512)
    for kid in ("", "Main", "main ", "main\0", "../../dev/null", "/etc/passwd", "' OR 1=1 --", "x" * 65, "x" * 7_000,
                "http://127.0.0.1/", "\u4e3b", 1, [], {}, True):
        yield "key id", sign(HEADER | {"kid": kid}, CLAIMS)
    for secret in (b"", b"secret", SECRET + b"\n", SECRET[:-1], b"\0" * 64, hashlib.sha256(SECRET).digest()):
        yield "secret", sign(HEADER, CLAIMS, secret)
    # A key that the token brings itself (CVE-2018-0114 and its kind).
    own = {"kty": "oct", "k": part(b"mine" * 8), "kid": "main"}
    for header in ({"jwk": own}, {"jku": "http://127.0.0.1/keys"}, {"x5u": "http://127.0.0.1/"}):
        yield "own key", sign(HEADER | header, CLAIMS, b"mine" * 8)
    # What must be understood, and is not (RFC 7515, 4.1.11).
    yield "critical", sign(HEADER | {"crit": ["exp"]}, CLAIMS)
    yield "critical", sign(HEADER | {"crit": ["b64"], "b64": False}, CLAIMS)
    for name in ("sub", "iss", "aud", "exp", "scopes"):
        yield "missing claim", sign(HEADER, without(name))
        for value in (None, True, {}, [1], 1.5e300 if name != "exp" else "soon"):
            yield "mistyped claim", sign(HEADER, CLAIMS | {name: value})
    for change in ({"iss": "Tickwire"}, {"iss": ["tickwire"]}, {"aud": "others"}, {"aud": []}, {"aud": ["a", "b"]},
                   {"aud": ""}, {"scopes": "stream:*"}, {"scopes": ["stream:"]}, {"scopes": ["stream:" + "x" * 500]},
                   {"nbf": NOW + 300}, {"nbf": "now"}, {"exp": -1}, {"exp": NOW + 10**9}):
        yield "claim", sign(HEADER, CLAIMS | change)
    for exp in (0, 1, NOW - 6, NOW - 86_400, NOW - 60.5):
        yield "stale", sign(HEADER, CLAIMS | {"exp": exp})
    for text in ('{"sub":"a","sub":"b"' + json.dumps(CLAIMS)[1:], json.dumps(CLAIMS)[:-1], "[]", "", "null"):
        yield "claims", sign(HEADER, text)
    for token in (f"{head}.{body}", f"{head}.{body}.", f"{head}.{body}.{signature[:-1]}", f"{head}.{body}.{signature}A",
                  f"{head}.{body}.{signature}.{signature}", f"{head}.{body}.{signature[::-1]}", f".{body}.{signature}",
                  f"{head}..{signature}", "..", ".", "....", "null", f"{body}.{head}.{signature}", f"{head}.{body}.{'A' * 43}",
                  head, f"{head}.{body}.{part(b'')}", f"{head}={'.'}{body}.{signature}", f"{head}.{body}%2e{signature}",
                  "tw_" + "0" * 32, "tw_"):
        yield "shape", token
    for place in (0, 10, len(GOOD) // 2, len(GOOD) - 2):
        letter = "A" if GOOD[place] != "A" else "B"
        yield "bit", GOOD[:place] + letter + GOOD[place + 1:]


async def refused(what, token):
    try:
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers=headers):
            raise AssertionError(f"let in: {what} {token[:300]}")
    except InvalidStatus as refusal:
        response = refusal.response
        problem = json.loads(response.body)
        expected = "token_expired" if what == "stale" else "token_invalid"
        assert (response.status_code, problem["code"]) == (401, expected), (what, token[:300], problem)
        assert "Bearer" in response.headers["WWW-Authenticate"]
        assert len(token) < 8 or token not in response.body.decode(), "told of"


async def main():
    async with connect(f"wss://{ADDRESS}/v1/stream", ssl=CONTEXT, additional_headers={"Authorization": f"Bearer {sign(HEADER, CLAIMS)}"}):
        pass  # So that what is refused is refused for what it is.
    tokens = [(what, token) for what, token in forgeries() if token.isascii() and "\0" not in token]
    assert len({token for _, token in tokens}) >= 100, len(tokens)
    for what, token in tokens:
        await refused(what, token)
    print(f"{len(tokens)} refused")


asyncio.run(main())
