"""Byte streams that carry frames: blocking ones, non-blocking ones, and links, a stream with a thread that reads and
one that writes.

A link never makes its owner wait: what is sent is queued, and reports that nobody has read yet are replaced by newer
ones, so that a slow or stopped peer costs neither memory nor time.
"""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from .protocol import TRUSTED, Frame, Limits, ProtocolError, assemble, encode

_READ_BUFFER = 1 << 16
#: Bytes that are read, and taken memory for, at a time.
_PART = 1 << 20


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

        Raises:
            ProtocolError: what came is no frame, beyond ``limits``, or more than memory holds.
        """
        parser = assemble(limits)
        need = next(parser)
        try:
            while True:
                data = self._read(need)
                if len(data) < need:
                    return None
                need = parser.send(data)
        except StopIteration as done:
            return done.value
        except (OSError, ValueError):
            return None
        except MemoryError as error:
            raise ProtocolError(f"A message of {need} bytes does not fit into memory.") from error

    def _read(self, size: int) -> bytes:
        """So many bytes, or fewer at the end; memory is taken as they arrive, whatever size was announced."""
        data = io.BytesIO()
        while data.tell() < size:
            part = self._reader.read(min(size - data.tell(), _PART))
            if not part:
                break
            data.write(part)
        return data.getvalue()

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

    handshake: runs first in the reading thread; false ends the link. on_frame, on_closed: called from the reading
    thread; on_closed exactly once, also when the handshake failed.
    """

    def __init__(self, stream: Stream, on_frame: Callable[[Frame], None], on_closed: Callable[[], None],
                 handshake: Callable[[Stream], bool] | None = None) -> None:
        self._stream = stream
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._handshake = handshake
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
            if self._handshake is not None and not self._handshake(self._stream):
                return
            while True:
                frame = self._stream.receive(TRUSTED)
                if frame is None:
                    return
                self._on_frame(frame)
                del frame  # or this thread would hold its payloads until the next one comes
        except ProtocolError as error:
            self.send(Frame("error", {"code": error.code, "message": error.message, "remedy": error.remedy}))
            self.finish()
            self.flush(0.5)  # a process that ends with its caller would take the sentence along
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
            except Exception:  # a frame that cannot be sent ends this link, or its peer would wait for ever
                log("A message could not be sent; the connection is closed.\n" + traceback.format_exc())
                break
            del frame
        with self._changed:
            self._finished = True
            self._outbox.clear()
        self._stream.close()


#: A frame of hundreds of MB is taken in portions, so that a window stays alive meanwhile.
_PORTION = 16 << 20


class NonBlockingStream:
    """Assembles frames as their bytes arrive. limits: what the next frame may hold. ended: the other side is gone.
    heard_at: when its last byte came, on the monotonic clock."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        """Takes ownership of the socket."""
        sock.setblocking(False)
        self.sock = sock
        self.limits = limits
        self.ended = False
        self.heard_at = time.monotonic()
        self._parser: Generator[int, bytes, Frame] | None = None
        self._data = io.BytesIO()  # grows as bytes arrive, whatever size was announced
        self._need = 0

    def wait(self, seconds: float, what: int = selectors.EVENT_READ) -> bool:
        """Whether there is something to read (or room to write) within so many seconds."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, what)
            return bool(selector.select(seconds))

    def send(self, frame: Frame, seconds: float) -> None:
        """Writes the whole frame, and waits ``seconds`` at most whenever the other side takes nothing.

        Raises:
            TimeoutError: it took nothing for so long.
            OSError: it is gone.
            ProtocolError: the frame cannot be encoded.
        """
        for piece in encode(frame):
            view = memoryview(piece)
            while view:
                try:
                    view = view[self.sock.send(view):]
                except BlockingIOError:
                    if not self.wait(seconds, selectors.EVENT_WRITE):
                        raise TimeoutError from None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def receive(self) -> Frame | None:
        """The next frame, or None when it is not complete yet.

        Raises:
            EOFError: the other side is gone.
            ProtocolError: what arrives is no frame.
        """
        taken = 0
        while taken < _PORTION:
            if self._parser is None:
                self._parser = assemble(self.limits)
                self._need = next(self._parser)
            missing = self._need - self._data.tell()
            if missing:
                try:
                    part = self.sock.recv(min(missing, _PART))
                except (BlockingIOError, InterruptedError):
                    return None
                except OSError:
                    part = b""
                if not part:
                    self.ended = True
                    raise EOFError
                self._data.write(part)
                self.heard_at = time.monotonic()
                taken += len(part)
                missing -= len(part)
            if not missing:
                frame = self._complete(self._parser)
                if frame is not None:
                    return frame
        return None

    def _complete(self, parser: Generator[int, bytes, Frame]) -> Frame | None:
        """Hands what was expected to the parser; the frame, if that was the last of it."""
        data, self._data = self._data.getvalue(), io.BytesIO()
        try:
            self._need = parser.send(data)
        except StopIteration as done:
            self._parser = None
            return done.value
        return None


class _Unfailing(io.FileIO):
    """A descriptor to write to that nothing can make fail: a full disk must not end a job."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes


def _unfailing_text(fd: int) -> io.TextIOWrapper:
    raw: Any = _Unfailing(fd, "wb", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def take_standard_streams() -> Stream:
    """Keeps standard input and output for frames; from now on everybody else reads nothing and prints to the log."""
    stream = Stream.of_files(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = _unfailing_text(1)
    sys.stderr = _unfailing_text(2)
    return stream


def log(text: str) -> None:
    """One line with time and process into the log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} [{os.getpid()}] {text}\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode("utf-8", "backslashreplace"))


def in_short(error: BaseException) -> str:
    """Kind and first line of a foreign error, for one sentence."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        lines = []
    text = lines[0].rstrip(".")[:200] if lines else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
