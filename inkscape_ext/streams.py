"""Inkscape reads the result from standard output and shows every byte of standard error in a dialog.

So both are taken away before anything else is imported: what libraries print goes to a log file, the document goes to
the private copy of standard output, and only sentences meant for the artist go to the private copy of standard error.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
import tempfile
from typing import Any, BinaryIO

LOG_BYTES_MAX = 1 << 20


class _Lossy(io.FileIO):
    """A file that loses what cannot be written: a full disk under the log must not silence anything else."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return super().write(data) or 0
        return len(data)


def _log_stream(descriptor: int) -> io.TextIOWrapper:
    raw = _Lossy(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "replace", line_buffering=True, write_through=True)


class Streams:
    """The private copies of standard output and standard error, and the log that took their place."""

    def __init__(self, log_path: str) -> None:
        """Takes the streams. log_path: where prints go from now on; the null device where it cannot be written."""
        self.log_path = log_path
        self._out = os.dup(1)
        self._err = os.dup(2)
        log = _open_log(log_path)
        for target in (1, 2):
            os.dup2(log, target)
        os.close(log)
        for fd in (self._out, self._err):
            os.set_inheritable(fd, False)
        self.out: BinaryIO = os.fdopen(self._out, "wb", closefd=False)
        # Python's own streams were made for the old descriptors; they now lead to the log.
        sys.stdout, sys.stderr = _log_stream(1), _log_stream(2)

    def say(self, text: str) -> None:
        """Shows ``text`` to the artist in Inkscape's dialog."""
        with contextlib.suppress(OSError):
            os.write(self._err, (text.rstrip() + "\n").encode("utf-8", "replace"))

    def host_gone(self) -> bool:
        """Whether nobody reads our standard output any more: Inkscape was closed or killed.

        Windows cannot tell; there the script ends when it writes its result.
        """
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._out, 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _fd, event in poll.poll(0))


def default_log() -> str:
    """A log in the user's own folders; the same place for every run, so that it can be found."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Logs")
    else:
        base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "gradvec", "inkscape.log")


def _open_log(path: str) -> int:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > LOG_BYTES_MAX:
            os.replace(path, path + ".1")
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
