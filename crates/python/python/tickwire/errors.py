"""What can go wrong, and what is worth knowing."""

from __future__ import annotations


class TickwireError(Exception):
    """Anything that goes wrong between client and server."""


class ConnectError(TickwireError):
    """There is no connection to be had; it may be tried again."""


class AuthError(TickwireError):
    """The token is missing, bad, expired or revoked, or does not cover what was asked for."""


class RequestError(TickwireError):
    """The server refuses a request."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retryable = retryable


class Closed(TickwireError):
    """The connection has ended, and something must change before the next one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection with {code}{f' ({reason})' if reason else ''}")
        self.code = code
        self.reason = reason


class ProtocolError(TickwireError):
    """The other side does not speak tickwire.v1."""


class GapWarning(UserWarning):
    """Records are missing, and nobody listens: give ``on_gap`` to be told."""


class DamageWarning(UserWarning):
    """A part of a recording cannot be read; what stands before and behind it was."""
