"""How a caller and the engine prove to each other that both can read the key of the engine's private directory.

The caller's half is in client.py, because a client never blocks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from ..errors import EngineError
from .events import error_frame
from .messages import PROTOCOL, STRANGER, Frame, ProtocolError
from .stream import Stream

NONCE_BYTES = 32


def proof(key: bytes, role: str, server_nonce: bytes, client_nonce: bytes) -> str:
    """What ``role`` ("client" or "server") shows to prove that it knows ``key``: HMAC-SHA-256, hexadecimal."""
    return hmac.new(key, role.encode("ascii") + b"\0" + server_nonce + client_nonce, hashlib.sha256).hexdigest()


def same_proof(got: Any, expected: str) -> bool:
    """Whether ``got`` is the expected proof, in constant time; anything that is no ASCII text is not."""
    return isinstance(got, str) and got.isascii() and hmac.compare_digest(got, expected)


def read_nonce(frame: Frame) -> bytes | None:
    """The nonce that a frame carries, None when it does not."""
    try:
        nonce = bytes.fromhex(frame.body["nonce"])
    except (KeyError, TypeError, ValueError):
        return None
    return nonce if len(nonce) == NONCE_BYTES else None


@dataclass(frozen=True)
class Greeted:
    """A caller that knows the key. proof: ours, for it to check. warm: it means to submit a job."""

    proof: str
    warm: bool


def greet(stream: Stream, key: bytes) -> Greeted | None:
    """The engine's half of the greeting; None for a caller that does not know the key.

    Raises:
        OSError: the caller is gone.
    """
    ours = secrets.token_bytes(NONCE_BYTES)
    stream.send(Frame("challenge", {"protocol": PROTOCOL, "nonce": ours.hex()}))
    try:
        frame = stream.receive(STRANGER)
    except ProtocolError:
        return None
    theirs = read_nonce(frame) if frame is not None and frame.type == "auth" else None
    if frame is None or theirs is None:
        return None
    if not same_proof(frame.body.get("proof"), proof(key, "client", ours, theirs)):
        stream.send(error_frame(EngineError("The engine refused the key.", "", "engine.refused")))
        return None
    return Greeted(proof(key, "server", ours, theirs), frame.body.get("warm") is True)
