"""Outputs: found writable before a long run starts, and never half-written when it ends.

A file is written beside its place, flushed to the disk and renamed. Standard output (as ``-``) and devices such as
/dev/null are written as they are; a named pipe is refused, because it would wait for a reader.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError, UsageError
from .streams import refuse_closed_output

#: Longest side of a painting that is saved, px.
LARGEST_PAINTING = 12_000
_PENDING: set[Path] = set()
_REMEDY = "Name another file or folder."
_QUOTA = getattr(errno, "EDQUOT", errno.ENOSPC)


def discard_pending() -> None:
    """Removes what is being written at this moment; for a process that ends at once."""
    for path in list(_PENDING):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class FileOutput:
    """One file to be written. Making one checks that it can be; ``-`` is standard output.

    Raises:
        InputError: it cannot be written: no such folder, a folder itself, one of the inputs, not permitted.
    """

    def __init__(self, name: str, inputs: Iterable[str | Path] = ()) -> None:
        self.name = name
        self.path = None if name == "-" else Path(os.path.realpath(name))
        if self.path is None:
            refuse_closed_output()
        else:
            with _translated(name):
                self._check(inputs)

    def _check(self, inputs: Iterable[str | Path]) -> None:
        path = self.path
        assert path is not None
        if path.is_dir() or self.name.endswith((os.sep, "/")):
            raise InputError(f"The output {self.name} is a folder, but a file is needed.",
                             f"Name a file in it, for example {os.path.join(self.name, 'out.svg')}.")
        for other in inputs:
            if path.exists() and os.path.exists(other) and os.path.samefile(path, other):
                raise InputError(f"The output {self.name} is the input itself, which would be lost.", _REMEDY)
        _check_folder(path.parent, self.name)
        if path.exists() and not os.access(path, os.W_OK):
            raise InputError(f"The output {self.name} is write-protected.", _REMEDY)
        if path.exists() and not (self._ordinary() or stat.S_ISCHR(path.stat().st_mode)):
            raise InputError(f"The output {self.name} is a pipe, a socket or a disk.",
                             "Name a file, or - and send standard output there.")
        if self._ordinary():
            handle, probe = tempfile.mkstemp(prefix=".gradvec-", dir=path.parent)
            os.close(handle)
            os.unlink(probe)

    def _ordinary(self) -> bool:
        assert self.path is not None
        return not self.path.exists() or stat.S_ISREG(self.path.stat().st_mode)

    def write(self, data: bytes) -> None:
        """Writes all of ``data``, or nothing.

        Raises:
            InputError: the disk is full, or something changed since the check.
        """
        self.write_parts([data])

    def write_parts(self, parts: Iterable[bytes]) -> int:
        """Writes what comes piece by piece, all of it or nothing; returns how many bytes. Raises as :meth:`write`."""
        if self.path is None:
            with _translated("on standard output"):
                size = sum(sys.stdout.buffer.write(part) for part in parts)
                sys.stdout.buffer.flush()
            return size
        with _translated(self.name):
            if self._ordinary():
                return _replace(self.path, parts)
            with open(self.path, "wb", buffering=0) as file:
                return sum(file.write(part) or 0 for part in parts)


class FolderOutput:
    """A folder to be filled: it must not exist or be empty, and appears only when it is complete.

    Raises:
        InputError: it holds something already, is a file, or cannot be made.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path(os.path.realpath(name))
        with _translated(name):
            self._check()

    def _check(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"The output {self.name} is a file, but a folder is needed.", _REMEDY)
        if self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(f"The folder {self.name} is not empty.", "Name a new folder, or empty this one.")
        _check_folder(self.path.parent, self.name)
        os.rmdir(tempfile.mkdtemp(prefix=".gradvec-", dir=self.path.parent))

    def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Fills the folder with (name, content), or leaves it as it was."""
        with _translated(self.name):
            beside = Path(tempfile.mkdtemp(prefix=".gradvec-", dir=self.path.parent))
            _PENDING.add(beside)
            try:
                for name, data in files:
                    (beside / name).write_bytes(data)
                os.chmod(beside, 0o777 & ~_umask())
                if self.path.is_dir():
                    self.path.rmdir()
                os.replace(beside, self.path)
            except BaseException:
                shutil.rmtree(beside, ignore_errors=True)
                raise
            finally:
                _PENDING.discard(beside)


def replace_file(path: Path, data: bytes) -> None:
    """Puts ``data`` in the place of a file, whole or not at all. Raises InputError where it cannot be written."""
    with _translated(str(path)):
        _replace(path, [data])


def check_apart(outputs: Iterable[FileOutput | FolderOutput | None]) -> None:
    """Raises InputError where two outputs are the same file."""
    seen: dict[Path, str] = {}
    for output in outputs:
        if output is None or output.path is None:
            continue
        if output.path in seen:
            raise InputError(f"Two outputs go to the same place, {output.name}.", "Give each a name of its own.")
        seen[output.path] = output.name


def check_painting(side: int, scale: float) -> None:
    """Raises UsageError where a painting of ``side`` px is too large to be saved ``scale`` times as large."""
    if side * scale > LARGEST_PAINTING:
        raise UsageError(f"A painting {side * scale:.0f} px long is too large to save; at most "
                         f"{LARGEST_PAINTING} px fit into memory.", "Lower --painting-scale.")


def _check_folder(folder: Path, name: str) -> None:
    if not folder.exists():
        raise InputError(f"The folder of {name} does not exist.", f"Make it first: mkdir -p {folder}")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder, so {name} cannot be written.", _REMEDY)


def _replace(path: Path, parts: Iterable[bytes]) -> int:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=".gradvec-", dir=path.parent)
    beside = Path(name)
    _PENDING.add(beside)
    try:
        with os.fdopen(handle, "wb") as file:
            size = sum(file.write(part) for part in parts)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)
        return size
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        _PENDING.discard(beside)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _translated:
    """Turns the system's errors into sentences about the output ``name``; a reader who left stays BrokenPipeError."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError) or isinstance(error, BrokenPipeError):
            return
        reason = {errno.ENOSPC: "the disk is full", _QUOTA: "your disk quota is used up",
                  errno.EROFS: "its disk is read-only", errno.EACCES: "you have no permission to write there",
                  errno.EPERM: "you have no permission to write there",
                  errno.ENAMETOOLONG: "its name is too long"}.get(error.errno or 0, str(error.strerror or error))
        remedy = "Free some space." if error.errno in (errno.ENOSPC, _QUOTA) else _REMEDY
        raise InputError(f"The output {self.name} cannot be written: {reason}.", remedy) from error
