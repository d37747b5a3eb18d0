"""Standard output and standard error as they may be found: closed, full, or left by their reader."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TextIO

from ..errors import InputError

#: What a full disk, a used-up quota and a stream that is gone say.
_NO_ROOM = {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def open_closed_ones() -> None:
    """Gives streams that this process was started without a place that takes everything.

    Else the next file that is opened would get such a stream's number, and what is written to the stream would end in
    that file. sys.stdout stays None, because a drawing that is meant for it has to be refused.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free is this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives


def refuse_closed_output() -> None:
    """Raises InputError where there is no standard output for a drawing to go to."""
    if sys.stdout is None:
        raise InputError("Standard output is closed, so the drawing cannot go there.", "Name a file.")


def settle() -> OSError | None:
    """Writes out what standard output and standard error hold back. What they do not take is dropped, so that Python
    finds nothing to complain of when it ends. Returns what failed at standard output."""
    failed = _settled(sys.stdout)
    _settled(sys.stderr)
    return failed


def _settled(stream: TextIO | None) -> OSError | None:
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
            stream.flush()
        return error
    return None


def unwritten(error: OSError) -> OSError | None:
    """The error, where it is one of writing to a stream: such a one names no file; None for any other."""
    return error if error.filename is None and error.errno in _NO_ROOM else None


def say(text: str, stream: TextIO) -> None:
    """Writes and flushes; a stream that takes nothing any more is no reason to lose a run."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()
