"""What both kinds of session know of WebSockets."""

from __future__ import annotations

import logging
import os
import ssl as tls
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from ._core import SUBPROTOCOL
from .errors import AuthError, ConnectError

URL = "ws://127.0.0.1:8080/v1/stream"

#: Seconds that a handshake may take, and a goodbye.
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class _Discreet(logging.Filter):
    """Keeps tokens out of logs, in which the library would write its headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        return not any(word in told for word in ("Authorization", "ticket=", '"token"'))


_LOG = logging.getLogger("tickwire.websockets")
_LOG.addFilter(_Discreet())


def address(url: str | None) -> str:
    """Where to connect to: what is given, or ``TICKWIRE_URL``, or a demonstration on this machine."""
    url = url or os.environ.get("TICKWIRE_URL") or URL
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.netloc:
        raise ValueError(f"{shown(url)!r} is no address of a server; write it as wss://HOST/v1/stream")
    return url if parts.path not in ("", "/") else parts._replace(path="/v1/stream").geturl()


def shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def options(url: str, token: str | None, ca: str | os.PathLike[str] | None) -> dict[str, Any]:
    """How to open a connection."""
    context = None
    if urlsplit(url).scheme == "wss":
        context = tls.create_default_context(cafile=None if ca is None else os.fspath(ca))
    return {
        "additional_headers": {} if token is None else {"Authorization": f"Bearer {token}"},
        "subprotocols": [SUBPROTOCOL],
        "ssl": context,
        "logger": _LOG,
        "open_timeout": OPEN_SECONDS,
        "close_timeout": CLOSE_SECONDS,
        "max_size": None,
    }


class Refused(ConnectError):
    """No connection for now; seconds to wait before the next attempt, where the server says so."""

    def __init__(self, told: str, wait: float = 0.0) -> None:
        super().__init__(told)
        self.wait = wait


def refused(url: str, error: Exception) -> Exception:
    """Why there is no connection, as users are told."""
    where = shown(url)
    if isinstance(error, AuthError):
        return error
    if isinstance(error, InvalidStatus):
        response = error.response
        why = f"{where} answers {response.status_code}: {_detail(response.body)}"
        if response.status_code in (401, 403):
            return AuthError(f"{why} (the token is TICKWIRE_TOKEN, or token=)")
        if response.status_code == 429 or response.status_code >= 500:
            after = response.headers.get("Retry-After", "0")
            return Refused(why, float(after) if after.isdigit() else 0.0)
        return ConnectError(why)
    if isinstance(error, InvalidURI):
        return ConnectError(f"{where} is no address of a server")
    if isinstance(error, InvalidHandshake):
        # It may be somebody else, or a server that ended in the middle of it.
        return Refused(f"{where} does not answer as a server of tickwire.v1: {error}")
    return Refused(f"{where} cannot be reached: {error or type(error).__name__}")


def _detail(body: bytes | bytearray | None) -> str:
    import json

    try:
        return str(json.loads(body or b"")["detail"])
    except (ValueError, KeyError, TypeError):
        return "no reason is given"


def ended(closed: ConnectionClosed) -> tuple[int, str]:
    """Close code and reason; 1006 where the line was cut."""
    return (1006, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)
