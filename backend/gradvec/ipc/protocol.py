"""What travels between a client and the engine: frames and their limits, the proofs of the handshake, and events.

A frame is a prefix (magic, header length, payload length), a JSON header and raw payload bytes; docs/protocol.md has
the layout. Nothing is ever pickled, and lengths are checked before memory is taken.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
import struct
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Union

from ..errors import EngineError, GradvecError, from_wire

#: Version of this protocol. The handshake, "retire" and "stop" never change, so that any two versions can part.
PROTOCOL = 1
MAGIC = b"GVF1"
PREFIX = struct.Struct(">4sIQ")


@dataclass(frozen=True)
class Limits:
    """Most that a frame may hold: header bytes, payload bytes in all, number of payloads."""

    header: int
    payload: int
    payloads: int


#: Before a peer has proved that it knows the key.
STRANGER = Limits(header=4096, payload=0, payloads=0)
TRUSTED = Limits(header=4 << 20, payload=4 << 30, payloads=65536)
#: Most levels of arrays and objects in a header.
DEPTH_MAX = 64
#: Longest number in a header; the largest float written as an integer has 309 digits.
_DIGITS_MAX = 400
#: Everything in JSON text but the brackets that count: strings whole, and all other characters.
_NOT_BRACKETS = re.compile(rb'"(?:[^"\\]+|\\.)*"?|[^][{}"]+', re.DOTALL)


class ProtocolError(EngineError):
    """The other side sent something that is not a frame, or a frame beyond the limits."""

    code = "engine.protocol"


@dataclass(frozen=True)
class Frame:
    """type: what it is. body: JSON object. payloads: bytes by name, in order."""

    type: str
    body: dict[str, Any] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)


def encode(frame: Frame) -> list[bytes]:
    """The pieces to write, in order; payloads are passed through, never copied.

    Raises:
        ProtocolError: the body is not JSON (NaN included) or the frame is beyond the limits of a trusted peer.
    """
    if not all(isinstance(data, (bytes, bytearray)) for data in frame.payloads.values()):
        raise ProtocolError(f"A message of type {frame.type!r} cannot be sent: its payloads are not all bytes.")
    sizes = [[name, len(data)] for name, data in frame.payloads.items()]
    try:
        header = json.dumps({"type": frame.type, "body": frame.body, "payloads": sizes}, allow_nan=False,
                            separators=(",", ":")).encode("ascii")
        _check_depth(header)
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"A message of type {frame.type!r} cannot be sent: {error}.") from error
    total = sum(len(data) for data in frame.payloads.values())
    _check_lengths(len(header), total, TRUSTED)
    if len(sizes) > TRUSTED.payloads:
        raise ProtocolError(f"A message may hold {TRUSTED.payloads} payloads, not {len(sizes)}.")
    return [PREFIX.pack(MAGIC, len(header), total) + header, *frame.payloads.values()]


def assemble(limits: Limits) -> Generator[int, bytes, Frame]:
    """A parser that does no input of its own: it yields how many bytes it needs next, is sent exactly those, and
    returns the frame. Whoever drives it decides whether to block.

    Raises:
        ProtocolError: out of ``next`` or ``send``, when the bytes are no frame or beyond ``limits``.
    """
    magic, header_size, total = PREFIX.unpack((yield PREFIX.size))
    if magic != MAGIC:
        raise ProtocolError("The other side does not speak gradvec's protocol.")
    _check_lengths(header_size, total, limits)
    frame, sizes = _parse_header((yield header_size), total, limits)
    for name, size in sizes:
        frame.payloads[name] = (yield size) if size else b""
    return frame


def _check_lengths(header: int, payload: int, limits: Limits) -> None:
    for what, size, most in (("header", header, limits.header), ("payload", payload, limits.payload)):
        if size > most:
            raise ProtocolError(f"A message's {what} has {size} bytes; at most {most} are allowed.")


def _parse_header(data: bytes, total: int, limits: Limits) -> tuple[Frame, list[tuple[str, int]]]:
    """The frame still without payloads, and their names and sizes, all checked."""
    try:
        _check_depth(data)
        header = json.loads(data.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
        kind, body, listed = header["type"], header["body"], header["payloads"]
        sizes: list[tuple[Any, Any]] = [(name, size) for name, size in listed]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError("A message's header is not the JSON object that it must be.") from error
    names = [name for name, _ in sizes if isinstance(name, str)]
    counts = [size for _, size in sizes if type(size) is int and size >= 0]
    if not (isinstance(kind, str) and isinstance(body, dict) and len(names) == len(counts) == len(sizes)):
        raise ProtocolError("A message's header holds values of the wrong type.")
    if len(set(names)) != len(names) or len(names) > limits.payloads:
        raise ProtocolError("A message holds two payloads of one name, or too many.")
    if sum(size for _, size in sizes) != total:
        raise ProtocolError("A message's payload sizes do not add up to its length.")
    return Frame(kind, body), sizes


def _check_depth(data: bytes) -> None:
    """Refuses JSON text whose arrays and objects lie deeper in each other than any message needs, before Python's own
    reader or writer meets the limit of its stack, which differs between versions and callers."""
    depth = 0
    for mark in _NOT_BRACKETS.sub(b"", data):
        depth += 1 if mark in b"[{" else -1
        if depth > DEPTH_MAX:
            raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(word: str) -> float:
    if len(word) > _DIGITS_MAX or not math.isfinite(float(word)):
        raise ValueError(f"the number {word[:20]}... is out of range")
    return float(word)


def _integer(word: str) -> int:
    """Integers stay in the range of floats, so that a reader may convert them without an error."""
    _finite(word)
    return int(word)


#: After so long without a sign of life a process that has work counts as hung, s. Signs come six times as often.
SILENCE_SECONDS = 30.0
NONCE_BYTES = 32


def proof(key: bytes, role: str, server_nonce: bytes, client_nonce: bytes) -> str:
    """What ``role`` ("client" or "server") shows to prove that it knows ``key``: HMAC-SHA-256, hexadecimal."""
    return hmac.new(key, role.encode("ascii") + b"\0" + server_nonce + client_nonce, hashlib.sha256).hexdigest()


def same_proof(got: Any, expected: str) -> bool:
    """Whether ``got`` is the expected proof, in constant time; anything that is no ASCII text is not."""
    return isinstance(got, str) and got.isascii() and hmac.compare_digest(got, expected)


def check_job(frame: Frame) -> None:
    """Whether a "submit" has what a job needs and can be handed on to the worker.

    Raises:
        ProtocolError: it has not, or cannot.
    """
    body = frame.body
    if not (isinstance(body.get("kind"), str) and isinstance(body.get("options"), dict)
            and isinstance(body.get("info"), dict) and type(body.get("previews", 0)) in (int, float)):
        raise ProtocolError("A job needs kind, options and info, and previews in seconds.")
    encode(Frame("job", body, frame.payloads))


def answer_challenge(frame: Frame, key: bytes, warm: bool) -> tuple[Frame, str] | None:
    """The client's answer to a "challenge", and the proof that the engine must show then; None when it is no challenge.
    """
    theirs, ours = read_nonce(frame), secrets.token_bytes(NONCE_BYTES)
    if theirs is None:
        return None
    body = {"nonce": ours.hex(), "proof": proof(key, "client", theirs, ours), "warm": warm}
    return Frame("auth", body), proof(key, "server", theirs, ours)


def read_nonce(frame: Frame) -> bytes | None:
    """The nonce that a frame carries, None when it does not."""
    try:
        nonce = bytes.fromhex(frame.body["nonce"])
    except (KeyError, TypeError, ValueError):
        return None
    return nonce if len(nonce) == NONCE_BYTES else None


def error_frame(error: GradvecError) -> Frame:
    return Frame("error", {"code": error.code, "message": error.message, "remedy": error.remedy})


@dataclass(frozen=True)
class Hello:
    """Who the engine is. device is None until the engine has loaded what it needs to tell, then Hello comes again.

    python: version; executable: path; jobs: what runs its jobs; log: path of its log file; stale: its own files
    changed on disk since it started.
    """

    protocol: int
    version: str
    python: str
    executable: str
    pid: int
    jobs: str
    log: str
    device: str | None = None
    stale: bool = False


@dataclass(frozen=True)
class ProgressEvent:
    """stage in words; fraction of the whole run in [0, 1]; seconds_left or None; ahead: jobs that come first."""

    stage: str
    fraction: float
    seconds_left: float | None = None
    ahead: int = 0


@dataclass(frozen=True)
class PreviewEvent:
    """How far the picture is, as a PNG."""

    png: bytes


@dataclass(frozen=True)
class ResultEvent:
    """The job is done."""

    payloads: dict[str, bytes]
    info: dict[str, Any]


@dataclass(frozen=True)
class ErrorEvent:
    """The job is over without a result; ``code`` "cancelled" when that was asked for."""

    code: str
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, error: GradvecError) -> ErrorEvent:
        return cls(error.code, error.message, error.remedy)

    def error(self) -> GradvecError:
        """The same as an exception to raise."""
        return from_wire(self.code, self.message, self.remedy)


Event = Union[Hello, ProgressEvent, PreviewEvent, ResultEvent, ErrorEvent]  # noqa: UP007, evaluated on Python 3.9


def event_of(frame: Frame) -> Event | None:
    """The event that a frame from the engine tells; None for a type this version does not know.

    Raises:
        ProtocolError: a known type whose body lacks what it must hold.
    """
    body = frame.body
    try:
        if frame.type == "hello":
            return Hello(**{name: body[name] for name in Hello.__dataclass_fields__ if name in body})
        if frame.type == "progress":
            left = body.get("seconds_left")
            return ProgressEvent(str(body["stage"]), float(body["fraction"]), None if left is None else float(left),
                                 int(body.get("ahead", 0)))
        if frame.type == "preview":
            return PreviewEvent(frame.payloads["png"])
        if frame.type == "result":
            return ResultEvent(frame.payloads, dict(body["info"]))
        if frame.type == "error":
            return ErrorEvent(str(body["code"]), str(body["message"]), str(body.get("remedy", "")))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"The engine sent a {frame.type!r} message that lacks something.") from error
    return None
