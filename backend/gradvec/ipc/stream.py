"""Blocking byte streams that carry frames, and links: a stream with one thread that reads and one that writes.

A link never makes its owner wait: what is sent is queued, and reports that nobody has read yet are replaced by newer
ones, so that a slow or stopped peer costs neither memory nor time.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .messages import TRUSTED, Frame, Limits, ProtocolError, assemble, encode

_READ_BUFFER = 1 << 16


class Stream:
    """Frames over a socket or a pair of pipes. One thread may receive while another sends."""

    def __init__(self, reader: Any, write: Callable[[Any], Any], close: Callable[[], None]) -> None:
        self._reader = reader
        self._write = write
        self._close = close

    @classmethod
    def of_socket(cls, sock: socket.socket) -> Stream:
        """Over a connected socket; closing shuts it down, which wakes a thread that waits in it."""
        def close() -> None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        return cls(sock.makefile("rb", buffering=_READ_BUFFER), sock.sendall, close)

    @classmethod
    def of_files(cls, read_fd: int, write_fd: int) -> Stream:
        """Over two file descriptors (pipes); closing ends the writing side, the reading side ends with the peer."""
        writer = os.fdopen(write_fd, "wb", buffering=0)

        def write(data: bytes) -> None:
            view = memoryview(data)
            while view:
                view = view[writer.write(view) or 0:]
        return cls(os.fdopen(read_fd, "rb", buffering=_READ_BUFFER), write, writer.close)

    def receive(self, limits: Limits) -> Frame | None:
        """The next frame, or None when the other side is gone, in the middle of a frame too.

        Payloads are read straight into the bytes objects that the frame hands out.

        Raises:
            ProtocolError: what came is no frame, beyond ``limits``, or more than memory holds.
        """
        parser = assemble(limits)
        need = next(parser)
        try:
            while True:
                data = self._reader.read(need)
                if data is None or len(data) < need:
                    return None
                need = parser.send(data)
        except StopIteration as done:
            return done.value
        except (OSError, ValueError):
            return None
        except MemoryError as error:
            raise ProtocolError(f"A message of {need} bytes does not fit into memory.") from error

    def send(self, frame: Frame) -> None:
        """Writes the whole frame.

        Raises:
            OSError: the other side is gone.
            ProtocolError: the frame cannot be encoded.
        """
        for piece in encode(frame):
            self._write(piece)

    def close_reader(self) -> None:
        """For the thread that receives, when it will not do so again."""
        with contextlib.suppress(OSError):
            self._reader.close()

    def close(self) -> None:
        """Ends the stream, from any thread."""
        with contextlib.suppress(OSError):
            self._close()


class Link:
    """A stream with its two threads.

    greet: runs first in the reading thread; false ends the link. on_frame, on_closed: called from the reading thread;
    on_closed exactly once, also when the greeting failed.
    """

    def __init__(self, stream: Stream, on_frame: Callable[[Frame], None], on_closed: Callable[[], None],
                 greet: Callable[[Stream], bool] | None = None) -> None:
        self._stream = stream
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._greet = greet
        self._outbox: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self._writer = threading.Thread(target=self._send_queued, daemon=True)

    def start(self) -> Link:
        self.reader.start()
        self._writer.start()
        return self

    def send(self, frame: Frame, replace: bool = False) -> None:
        """Queues a frame. replace: it takes the place of a frame of the same type that still waits."""
        with self._changed:
            if self._finished:
                return
            if replace:
                for place, queued in enumerate(self._outbox):
                    if queued.type == frame.type:
                        self._outbox[place] = frame
                        return
            self._outbox.append(frame)
            self._changed.notify()

    def finish(self) -> None:
        """Takes nothing more; what is queued is sent, then the stream is closed."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def flush(self, seconds: float) -> None:
        """Waits until a finished link has sent what was queued, ``seconds`` at the most."""
        self._writer.join(seconds)

    def close(self) -> None:
        """Ends the link at once; queued frames are lost."""
        with self._changed:
            self._outbox.clear()
        self.finish()
        self._stream.close()

    def _read(self) -> None:
        try:
            if self._greet is not None and not self._greet(self._stream):
                return
            while True:
                frame = self._stream.receive(TRUSTED)
                if frame is None:
                    return
                self._on_frame(frame)
                del frame  # or this thread would hold its payloads until the next one comes
        except ProtocolError as error:
            self.send(Frame("error", {"code": error.code, "message": error.message, "remedy": error.remedy}))
        except OSError:
            pass
        finally:
            self._stream.close_reader()
            self.finish()
            self._on_closed()

    def _send_queued(self) -> None:
        while True:
            with self._changed:
                while not self._outbox and not self._finished:
                    self._changed.wait()
                if not self._outbox:
                    break
                frame = self._outbox.popleft()
            try:
                self._stream.send(frame)
            except (OSError, ValueError):
                break
            del frame
        with self._changed:
            self._finished = True
            self._outbox.clear()
        self._stream.close()
