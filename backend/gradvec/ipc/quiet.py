"""Standard streams that harm nobody: frames keep theirs for themselves, everything else goes to the log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from typing import Any

from .stream import Stream


class _Quiet(io.FileIO):
    """A descriptor to write to that nothing can make fail: a full disk must not end a job."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes


def _quiet_text(fd: int) -> io.TextIOWrapper:
    raw: Any = _Quiet(fd, "wb", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def take_standard_streams() -> Stream:
    """Keeps standard input and output for frames; from now on everybody else reads nothing and prints to the log."""
    stream = Stream.of_files(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = _quiet_text(1)
    sys.stderr = _quiet_text(2)
    return stream


def log(text: str) -> None:
    """One line with time and process into the log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} [{os.getpid()}] {text}\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode("utf-8", "backslashreplace"))


def in_short(error: BaseException) -> str:
    """Kind and first line of a foreign error, for one sentence."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        lines = []
    text = lines[0].rstrip(".")[:200] if lines else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
