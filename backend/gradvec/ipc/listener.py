"""The sockets that an engine listens on, the files in its state directory that lead callers to them, and the engine's
half of the handshake.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import EngineError
from .protocol import (
    NONCE_BYTES,
    PROTOCOL,
    STRANGER,
    Frame,
    ProtocolError,
    error_frame,
    proof,
    read_nonce,
    same_proof,
)
from .state import KEY_BYTES, TOKEN_FILES, Address, Lock, State, is_ours, private_dir
from .stream import Link, Stream, log

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
        """Whether callers still find this engine; another program may have removed the files."""
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
        """Stops listening and removes this engine's own files, and no others."""
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
        for sock in self.listeners:
            sock.listen(64)
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


class Listener:
    """Open from the start; ``admit`` gets every accepted socket, on a thread of the listener."""

    def __init__(self, state: State, lock: Lock, version: str, tcp: bool,
                 admit: Callable[[socket.socket], None]) -> None:
        """Takes ownership of the lock.

        Raises:
            EngineError: the directory is unusable or no socket could be made.
        """
        self._state, self._lock = state, lock
        self._version, self._tcp, self._admit = version, tcp, admit
        lock.sign(os.getpid())
        try:
            self._publication = self._open()
        except EngineError:
            lock.release()
            raise

    @property
    def key(self) -> bytes:
        return self._publication.key

    @property
    def address(self) -> str:
        return str(self._publication.address)

    def keep_reachable(self) -> bool:
        """Writes the files again when another program has removed them; false when callers have to go elsewhere,
        because another engine has come or nothing can be written any more."""
        if self._publication.intact():
            return True
        if self._publication.replaced():
            return False
        log("The files that lead callers to the engine were removed; they are written again.")
        self._publication.withdraw()
        try:
            self._publication = self._open()
        except EngineError as error:
            log(str(error))
            return False
        return True

    def close(self) -> None:
        """Takes no more callers and leaves the place to another engine."""
        self._publication.withdraw()
        self._lock.release()

    def _open(self) -> Publication:
        private_dir(self._state.directory)
        publication = Publication(self._state, self._version, self._tcp)
        for listener in publication.listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return publication

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                if listener.fileno() < 0:
                    return
                time.sleep(0.1)  # out of descriptors, say, or closed in this moment
                continue
            self._admit(sock)


class Connection:
    """What the supervisor knows of one client. joined: it has proved that it knows the key."""

    def __init__(self, link: Link | None = None) -> None:
        self.link = link
        self.since = time.monotonic()
        self.joined = False
        self.proof = ""

    def send(self, frame: Frame, replace: bool = False) -> None:
        if self.link is not None:
            self.link.send(frame, replace)

    def close(self) -> None:
        if self.link is not None:
            self.link.close()


@dataclass(frozen=True)
class Caller:
    """A caller that knows the key. proof: ours, for it to check. warm: it means to submit a job."""

    proof: str
    warm: bool


def handshake(stream: Stream, key: bytes) -> Caller | None:
    """The engine's half of the handshake; None for a caller that does not know the key.

    Raises:
        OSError: the caller is gone.
    """
    ours = secrets.token_bytes(NONCE_BYTES)
    stream.send(Frame("challenge", {"protocol": PROTOCOL, "nonce": ours.hex()}))
    try:
        frame = stream.receive(STRANGER)
    except ProtocolError:
        return None
    theirs = read_nonce(frame) if frame is not None and frame.type == "auth" else None
    if frame is None or theirs is None:
        return None
    if not same_proof(frame.body.get("proof"), proof(key, "client", ours, theirs)):
        stream.send(error_frame(EngineError("The engine refused the key.", "", "engine.refused")))
        return None
    return Caller(proof(key, "server", ours, theirs), frame.body.get("warm") is True)
