"""Progress and previews of a job, as frames."""

from __future__ import annotations

import math
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

from ..errors import GradvecError
from ..progress import Progress
from .messages import Frame
from .quiet import in_short, log

#: Reports are for eyes: more of them cost time and nothing is seen.
PROGRESS_SECONDS = 0.05
#: A preview may take this share of the run's time.
PREVIEW_SHARE = 0.1
PREVIEW_SIDE_MAX = 1024


class Reports:
    """Progress and previews of one job, not more often than somebody can see."""

    def __init__(self, send: Callable[[Frame], None], preview_seconds: float) -> None:
        self._send = send
        self._preview_seconds = preview_seconds
        self._stage = ""
        self._next_progress = 0.0
        self._next_preview = 0.0 if preview_seconds > 0 else math.inf

    def progress(self, report: Progress) -> None:
        now = time.monotonic()
        too_soon = now < self._next_progress and report.stage == self._stage
        if too_soon or not math.isfinite(report.fraction):
            return
        self._stage, self._next_progress = report.stage, now + PROGRESS_SECONDS
        left = report.seconds_left
        body = {"stage": report.stage, "fraction": report.fraction,
                "seconds_left": left if left is not None and math.isfinite(left) else None}
        self._send(Frame("progress", body))

    def preview(self, make: Callable[[], Any]) -> None:
        started = time.monotonic()
        if started < self._next_preview:
            return
        try:
            picture = make()
            png = picture if isinstance(picture, bytes) else encode_png(picture)
        except GradvecError:
            raise
        except Exception as error:  # a preview that fails is no reason to lose the run
            log("The previews stop, because one failed: " + in_short(error))
            self._next_preview = math.inf
            return
        self._send(Frame("preview", {}, {"png": png}))
        spent = time.monotonic() - started
        self._next_preview = started + max(self._preview_seconds, spent / PREVIEW_SHARE)


def encode_png(picture: Any) -> bytes:
    """An (H, W, 3) uint8 array as a PNG, thinned out to at most PREVIEW_SIDE_MAX pixels a side.

    Works on anything that has ``shape``, slices and ``tobytes``, so numpy need not be imported for it.
    """
    step = -(-max(picture.shape[0], picture.shape[1]) // PREVIEW_SIDE_MAX)
    picture = picture[::step, ::step]
    height, width, channels = picture.shape
    if channels != 3 or str(picture.dtype) != "uint8":
        raise ValueError(f"a preview must be (H, W, 3) uint8, not {picture.shape} {picture.dtype}")
    data, row = picture.tobytes(), 3 * width
    lines = b"".join(b"\0" + data[start:start + row] for start in range(0, height * row, row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks)
