"""Where callers come in: the engine's sockets, kept findable as long as the engine takes callers."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable

from ..errors import EngineError
from .publish import Publication
from .quiet import log
from .state import Lock, State, private_dir


class Door:
    """Open from the start; ``admit`` gets every accepted socket, on a thread of the door."""

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

    def look_after(self) -> bool:
        """Shows callers the way again when somebody has swept the directory; false when they have to go elsewhere,
        because another engine has come or nothing can be written any more."""
        if self._publication.intact():
            return True
        if self._publication.replaced():
            return False
        log("The way to the engine was gone; it is made anew.")
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
