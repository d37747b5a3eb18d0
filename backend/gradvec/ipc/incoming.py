"""Frames out of a socket that never blocks, for callers with a main loop of their own."""

from __future__ import annotations

import socket

from .messages import Frame, Limits, assemble

#: A frame of hundreds of MB is taken in portions, so that a window stays alive meanwhile.
_PORTION = 16 << 20


class Incoming:
    """Assembles frames as their bytes arrive. ended: the other side is gone."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits
        self.ended = False
        self._begin()

    def receive(self) -> Frame | None:
        """The next frame, or None when it is not complete yet.

        Raises:
            EOFError: the other side is gone.
            ProtocolError: what arrives is no frame.
        """
        taken = 0
        while taken < _PORTION:
            if self._filled < len(self._buffer):
                try:
                    size = self._sock.recv_into(memoryview(self._buffer)[self._filled:])
                except (BlockingIOError, InterruptedError):
                    return None
                except OSError:
                    size = 0
                if not size:
                    self.ended = True
                    raise EOFError
                self._filled += size
                taken += size
            if self._filled == len(self._buffer):
                frame = self._complete()
                if frame is not None:
                    return frame
        return None

    def _begin(self) -> None:
        self._parser = assemble(self._limits)
        self._expect(next(self._parser))

    def _expect(self, size: int) -> None:
        self._buffer = bytearray(size)
        self._filled = 0

    def _complete(self) -> Frame | None:
        """Hands what was expected to the parser; the frame, if that was the last of it."""
        data, self._buffer = bytes(self._buffer), bytearray()
        try:
            self._expect(self._parser.send(data))
        except StopIteration as done:
            self._begin()
            return done.value
        return None
