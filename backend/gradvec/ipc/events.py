"""What a client is told, as plain types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

from ..errors import GradvecError, from_wire
from .messages import Frame, ProtocolError


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

    def error(self) -> GradvecError:
        """The same as an exception to raise."""
        return from_wire(self.code, self.message, self.remedy)


Event = Union[Hello, ProgressEvent, PreviewEvent, ResultEvent, ErrorEvent]  # noqa: UP007, evaluated on Python 3.9


def error_frame(error: GradvecError) -> Frame:
    return Frame("error", {"code": error.code, "message": error.message, "remedy": error.remedy})


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
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"The engine sent a {frame.type!r} message that lacks something.") from error
    return None
