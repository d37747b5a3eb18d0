"""The sockets that an engine listens on, and the files in its state directory that lead callers to them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import stat
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from ..errors import EngineError
from .state import KEY_BYTES, TOKEN_FILES, Address, State, is_ours

#: macOS allows 103 bytes in a socket's path, Linux 107.
SOCKET_PATH_MAX = 100
_SOCKET_DIR_PREFIX = "gradvec-engine-"


class Publication:
    """The listening sockets of an engine that holds the lock, and the files that lead to them."""

    def __init__(self, state: State, version: str, tcp: bool = False) -> None:
        """Listens, then tells where.

        tcp: also on a loopback port, for callers in a sandbox; systems without Unix sockets get it anyway.

        Raises:
            EngineError: no socket could be made or the files could not be written.
        """
        self.state = state
        self._version = version
        self._token = secrets.token_hex(4)
        self._socket_dir: Path | None = None
        self.key = secrets.token_bytes(KEY_BYTES)
        self.listeners: list[socket.socket] = []
        try:
            self._clean_up_after_others()
            self.address = self._listen(tcp)
            _write_private(state.directory / self.address.key, self.key)
            self._announce()
        except OSError as error:
            self.withdraw()
            raise EngineError(f"The engine cannot listen in {state.directory}: {error.strerror or error}.",
                              "Look whether the disk is full, or set GRADVEC_STATE_DIR to another directory.",
                              "engine.directory") from error

    def intact(self) -> bool:
        """Whether callers still find this engine; somebody may have swept the directory."""
        try:
            there = not self.address.socket or stat.S_ISSOCK(os.lstat(self.address.socket).st_mode)
        except OSError:
            return False
        return there and self.state.address() == self.address and self.state.key(self.address) == self.key

    def replaced(self) -> bool:
        """Whether another engine has taken the place of this one."""
        other = self.state.address()
        return other is not None and other.pid != self.address.pid

    def withdraw(self) -> None:
        """Stops listening and removes this engine's own files, and nobody else's."""
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.listeners = []
        address = getattr(self, "address", None)
        if address is not None and self.state.address() == address:
            _remove(self.state.directory / "engine.json")
        for suffix in (".key", ".sock", ".json"):
            _remove(self.state.directory / (self._token + suffix))
        if self._socket_dir is not None:
            _remove_socket_dir(self._socket_dir)

    def _listen(self, tcp: bool) -> Address:
        path, port = "", 0
        if hasattr(socket, "AF_UNIX"):
            path = self._socket_path()
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listeners.append(listener)
            listener.bind(path)
            os.chmod(path, 0o600)
        if tcp or not path:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.listeners.append(listener)
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        for listener in self.listeners:
            listener.listen(64)
        return Address(os.getpid(), self._version, self._token + ".key", path, port)

    def _socket_path(self) -> str:
        """In the private directory, or in a fresh private one under the system's where that path is too long."""
        path = str(self.state.directory.resolve() / (self._token + ".sock"))
        if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
            return path
        self._socket_dir = Path(tempfile.mkdtemp(prefix=_SOCKET_DIR_PREFIX))
        path = str(self._socket_dir / "sock")
        if len(os.fsencode(path)) > SOCKET_PATH_MAX:
            self._socket_dir.rmdir()
            self._socket_dir = Path(tempfile.mkdtemp(prefix=_SOCKET_DIR_PREFIX, dir="/tmp"))
            path = str(self._socket_dir / "sock")
        return path

    def _announce(self) -> None:
        data = json.dumps(asdict(self.address)).encode("ascii")
        beside = self.state.directory / (self._token + ".json")
        _write_private(beside, data)
        os.replace(beside, self.state.directory / "engine.json")

    def _clean_up_after_others(self) -> None:
        """Removes what engines that were killed left behind; we hold the lock, so none of it is in use."""
        stale = self.state.address()
        if stale is not None and stale.socket:
            folder = Path(stale.socket).parent
            if folder.name.startswith(_SOCKET_DIR_PREFIX) and sys.platform != "win32" and is_ours(folder):
                _remove_socket_dir(folder)
        for path in self.state.directory.iterdir():
            if path.name == "engine.json" or TOKEN_FILES.fullmatch(path.name):
                _remove(path)


def _write_private(path: Path, data: bytes) -> None:
    """A new file that only this user may read; never through a link or over a file that is there.

    Raises:
        OSError: it is there already, or the disk is full.
    """
    fd = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def _remove_socket_dir(folder: Path) -> None:
    """Removes a directory that holds a socket of ours and nothing else."""
    _remove(folder / "sock")
    with contextlib.suppress(OSError):
        folder.rmdir()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
