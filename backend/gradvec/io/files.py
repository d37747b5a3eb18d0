"""Files and streams that somebody else wrote: ordinary ones only, and never more of them than is said here."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, BinaryIO

from ..errors import InputError

#: Bytes of a picture file that is read; and of a picture on standard input, which has to be held in memory.
BYTES_MAX, STDIN_BYTES_MAX = 2**30, 2**28
_CHUNK = 1 << 20


def open_file(path: Path, named: str, most: int = BYTES_MAX) -> BinaryIO:
    """The ordinary file at ``path``, opened for reading. Never waits for the other end of a pipe.

    Raises:
        InputError: there is none, it is a folder, pipe or device, it may not be read, or has more than ``most`` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
                             | getattr(os, "O_NOCTTY", 0))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {str(path)!r}.", "Check the name and the folder.") from error
    except (OSError, ValueError) as error:
        if path.is_dir():  # Windows says "permission denied"
            raise InputError(f"{named} is a folder, not a file.", "Name a file in it.") from error
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{named} cannot be read: {reason}.", "Check that you may read the file.") from error
    info = os.fstat(descriptor)
    refused = None
    if stat.S_ISDIR(info.st_mode):
        refused = InputError(f"{named} is a folder, not a file.", "Name a file in it.")
    elif not stat.S_ISREG(info.st_mode):
        refused = InputError(f"{named} is not an ordinary file.", "Name a file; what comes out of a pipe is read as -.")
    elif info.st_size > most:
        refused = InputError(f"{named} has {info.st_size / 1e6:.0f} MB; at most {most / 1e6:.0f} MB are read.",
                             "Scale it down, or save it in another format.")
    if refused is not None:
        os.close(descriptor)
        raise refused
    return os.fdopen(descriptor, "rb")


def read_file(path: Path, named: str, most: int = BYTES_MAX) -> bytes:
    """All bytes of the ordinary file at ``path``. Raises InputError as :func:`open_file`."""
    try:
        with open_file(path, named, most) as file:
            return read_stream(file, named, most)
    except OSError as error:
        raise InputError(f"{named} cannot be read: {error.strerror or error}.", "Check the disk.") from error


def read_stream(stream: IO[bytes], named: str = "What comes on standard input",
                most: int = STDIN_BYTES_MAX) -> bytes:
    """All bytes up to the end of ``stream``.

    Raises:
        InputError: more than ``most`` bytes come.
    """
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        data += chunk
        if len(data) > most:
            raise InputError(f"{named} has more than {most / 1e6:.0f} MB, which is the most that is read.",
                             "Save it as a file, or scale it down.")
    return bytes(data)
