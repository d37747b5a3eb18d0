"""Where the one engine of a user is found: a private directory with a lock, a key, an address and a log.

    engine.lock    held (by the kernel) as long as an engine takes jobs; its text is that engine's pid
    engine.json    address, pid, version and the name of the key file; written last, beside and renamed
    TOKEN.key      32 random bytes, one key per engine
    TOKEN.sock     the Unix socket, unless its path would be too long for the system
    engine.log     what the engine and its libraries print
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import EngineError

KEY_BYTES = 32
LOG_BYTES_MAX = 4 << 20
#: Files of single engines; the token in front keeps them apart.
TOKEN_FILES = re.compile(r"[0-9a-f]{8}\.(key|sock|json)")
OUR_FILES = re.compile(rf"engine\.(lock|json|log|log\.1)|{TOKEN_FILES.pattern}")


def default_dir() -> Path:
    """The engine's directory: $GRADVEC_STATE_DIR, else the user's runtime directory, else under the user's cache."""
    chosen = os.environ.get("GRADVEC_STATE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local") / "gradvec" / "engine"
    for runtime in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.getuid()}"):
        if runtime and is_ours(Path(runtime)):
            return Path(runtime) / "gradvec"
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / "gradvec" / "engine"
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "gradvec" / "engine"


def _home() -> Path:
    """The user's home, or for a user without one a place of its own among the temporary files."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"gradvec-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def is_ours(path: Path) -> bool:
    """A real directory of ours that nobody else may enter."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077


def private_dir(path: Path) -> Path:
    """``path`` as a directory that only this user may enter, made where it is missing.

    One that others may enter is closed to them, unless it holds anything but our own files.

    Raises:
        EngineError: it cannot be made, is a link, belongs to somebody else or is used for something else.
    """
    remedy = "Set GRADVEC_STATE_DIR to a directory of your own."
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32" and path.lstat().st_uid == os.getuid() and not path.is_symlink() and (
                all(OUR_FILES.fullmatch(name) for name in os.listdir(path))):
            path.chmod(0o700)
    except OSError as error:
        raise EngineError(f"The engine's directory {path} cannot be made: {error.strerror or error}.", remedy,
                          "engine.directory") from error
    if sys.platform != "win32" and not is_ours(path):
        raise EngineError(f"The engine's directory {path} is a link, belongs to another user, or is open to others and "
                          "used for something else.", remedy, "engine.directory")
    return path


@dataclass(frozen=True)
class Address:
    """Where a running engine listens and what it says of itself.

    socket: path of a Unix socket, or "". port: loopback TCP port, or 0. key: name of the key file.
    """

    pid: int
    version: str
    key: str
    socket: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.socket or f"127.0.0.1:{self.port}"


class State:
    """One engine's directory."""

    def __init__(self, directory: Path | None = None) -> None:
        chosen = Path(directory) if directory is not None else default_dir()
        self.directory = Path(os.path.abspath(os.path.expanduser(chosen)))
        self.log_path = self.directory / "engine.log"
        self._lock_path = self.directory / "engine.lock"
        self._address_path = self.directory / "engine.json"

    def address(self) -> Address | None:
        """Where the engine says it listens; None when there is none or the file is not to be trusted."""
        try:
            if sys.platform != "win32" and not is_ours(self.directory):
                return None
            with self._address_path.open("rb") as file:
                values = json.loads(file.read(1 << 16).decode("utf-8"))
            address = Address(**values)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        good = (isinstance(address.socket, str) and type(address.port) is int and 0 <= address.port < 65536
                and type(address.pid) is int and isinstance(address.key, str) and isinstance(address.version, str)
                and bool(address.socket or address.port) and address.key == os.path.basename(address.key))
        return address if good else None

    def key(self, address: Address) -> bytes | None:
        """The key of the engine at ``address``, None when it is gone."""
        try:
            data = (self.directory / address.key).read_bytes()
        except (OSError, ValueError):
            return None
        return data if len(data) == KEY_BYTES else None

    def lock(self) -> Lock | None:
        """The engine's lock, or None while another engine holds it. The kernel frees it with its holder's death."""
        return Lock.take(self._lock_path)

    def patient_lock(self, seconds: float = 0.5) -> Lock | None:
        """The lock, or None when an engine has it; whoever only looks whether it is held has it for a moment."""
        deadline = time.monotonic() + seconds
        while True:
            lock = self.lock()
            if lock is not None or self.serving() or time.monotonic() > deadline:
                return lock
            time.sleep(0.02)

    def holder(self) -> int | None:
        """Pid of the engine that holds the lock, None when nobody does."""
        if not self._lock_path.exists():
            return None
        lock = self.lock()
        if lock is not None:
            lock.release()
            return None
        return self._signed()

    def holder_if_known(self) -> int | None:
        """The same; None also when it cannot be told, because the lock cannot be opened."""
        with contextlib.suppress(EngineError):
            return self.holder()
        return None

    def kill_holder(self) -> bool:
        """Ends the engine that holds the lock by force; false when there is none.

        Raises:
            EngineError: it does not end.
        """
        pid = self.holder_if_known()
        if pid is None:
            return False
        # The lock is held, so the pid in it is the engine's and nobody else's.
        with contextlib.suppress(OSError):
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            if self.holder_if_known() != pid:
                return True
            time.sleep(0.02)
        raise EngineError(f"The engine (process {pid}) does not end.", "End that process by hand.", "engine.silent")

    def serving(self) -> bool:
        """Whether the engine that has signed the lock is also the one to be found here."""
        address = self.address()
        return address is not None and address.pid == self._signed()

    def _signed(self) -> int | None:
        try:
            return int(self._lock_path.read_text("ascii"))
        except (OSError, ValueError):
            return None

    def open_log(self) -> int:
        """A descriptor that appends to the log; an overlong one is set aside. Where none opens, the null device's."""
        try:
            with contextlib.suppress(OSError):
                if self.log_path.stat().st_size > LOG_BYTES_MAX:
                    os.replace(self.log_path, self.log_path.with_suffix(".log.1"))
            return _open_ordinary(self.log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError:
            return os.open(os.devnull, os.O_WRONLY)

    def trim_log(self) -> None:
        """Sets a log aside that grew past bounds while it is written to; its writers append, so they just go on."""
        with contextlib.suppress(OSError):
            if self.log_path.stat().st_size > 4 * LOG_BYTES_MAX:
                shutil.copyfile(self.log_path, self.log_path.with_suffix(".log.1"), follow_symlinks=False)
                os.truncate(self.log_path, 0)

    def log_tail(self) -> str:
        """The end of the log, and of the one before it in front."""
        parts = []
        for path in (self.log_path.with_suffix(".log.1"), self.log_path):
            with contextlib.suppress(OSError), os.fdopen(_open_ordinary(path, os.O_RDONLY), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES_MAX))
                parts.append(file.read(LOG_BYTES_MAX).decode("utf-8", "replace"))
        return "".join(parts)


def _open_ordinary(path: Path, flags: int) -> int:
    """A descriptor of an ordinary file; what is a link or a pipe raises OSError instead of waiting or leading away."""
    fd = os.open(str(path), flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not an ordinary file")
    return fd


class Lock:
    """An exclusive lock on a file, released by the kernel when its holder ends, however it ends."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """The lock, or None when another process has it.

        Raises:
            EngineError: the file cannot be opened.
        """
        try:
            fd = os.open(str(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            raise EngineError(f"The engine's lock {path} cannot be opened: {error.strerror or error}.",
                              "Look whether the disk is full and the directory is yours.",
                              "engine.directory") from error
        try:
            _lock_file(fd)
        except BlockingIOError:
            os.close(fd)
            return None
        except OSError as error:
            os.close(fd)
            if sys.platform == "win32":  # there a held lock is a plain "permission denied"
                return None
            raise EngineError(f"The file system of {path} has no locks: {error.strerror or error}.",
                              "Set GRADVEC_STATE_DIR to a directory on a local disk.", "engine.directory") from error
        with contextlib.suppress(OSError):
            os.ftruncate(fd, 0)  # the pid of an engine that was killed means nothing now
        return cls(fd)

    def sign(self, pid: int) -> None:
        """Notes who holds the lock; a full disk does not matter."""
        with contextlib.suppress(OSError):
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, str(pid).encode("ascii"))

    def release(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


def _lock_file(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, 1 << 20, os.SEEK_SET)  # beyond the text, so that others may read the pid
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
