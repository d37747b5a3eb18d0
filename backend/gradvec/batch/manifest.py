"""What was done, one JSON object a line: picture, drawing, options, time, figures or error (docs/batch.md).

A line is written when its drawing is in its place. The last line of an output counts; a line that a crash cut off does
not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import InputError

NAME = "manifest.jsonl"


@dataclass(frozen=True)
class Entry:
    """One line.

    picture: as it was named. output: relative to the folder. sha256, bytes, modified (ns): of the picture's file.
    settings: what it was made with, as far as it differs from the defaults. time: when it ended, UTC. seconds: of the
    last try. tries. figures: of the drawing; none where it failed. error: code, message, remedy and outside (for a
    reason that is not the picture's own), None where it went well. version: of gradvec.
    """

    picture: str
    output: str
    sha256: str
    bytes: int
    modified: int
    settings: dict[str, Any]
    time: str
    seconds: float
    tries: int
    figures: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    version: str = ""

    @property
    def failed(self) -> bool:
        return self.error is not None


class Manifest:
    """The manifest of a folder, open for adding lines; one process at a time.

    entries: the last line of each output, by output.

    Raises:
        InputError: it cannot be opened, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        try:
            self._file = self.path.open("a+b")
            if not _locked(self._file.fileno()):
                self._file.close()
                raise InputError(f"Another run is filling the folder {folder}.",
                                 "Wait for its end, or name another folder.")
        except OSError as error:
            raise InputError(f"The manifest {self.path} cannot be written: {error.strerror or error}.",
                             "Name another folder, or free some space.") from error
        self.entries = {entry.output: entry for entry in self._read()}

    def _read(self) -> Iterator[Entry]:
        self._file.seek(0)
        last = b"\n"
        for last in self._file:
            try:
                yield Entry(**json.loads(last))
            except (ValueError, TypeError, RecursionError):  # cut off, or somebody else's
                continue
        if not last.endswith(b"\n"):
            self._file.write(b"\n")

    def add(self, entry: Entry) -> None:
        """Adds a line and has it on the disk when it returns. Raises InputError where the disk does not take it."""
        try:
            self._file.write(json.dumps(asdict(entry), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(f"The manifest {self.path} cannot be written: {error.strerror or error}.",
                             "Free some space and give the same command again.") from error
        self.entries[entry.output] = entry

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with suppress(OSError):  # what the disk did not take was told by add, and closing tries to write it again
            self._file.close()


def _locked(descriptor: int) -> bool:
    """Whether the file is ours alone now; true also where the file system knows no locks."""
    try:
        import fcntl
    except ImportError:  # Windows: a byte far behind the text
        import msvcrt

        os.lseek(descriptor, 1 << 40, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
