"""Ctrl-C: the first one cancels the run in an orderly way, the second one ends at once.

Python calls handlers of signals between two steps of the main thread, and a kernel's compilation is one step of up to
half a minute. So the signals are also told through a socket, which Python's part in C writes to at once, and a thread
listens.
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import EXIT_CANCELLED
from ..progress import CancelToken

#: What the first Ctrl-C says.
MESSAGE = "Cancelling; press Ctrl-C again to end at once."
#: SIGHUP: the terminal was closed.
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def interruptible(token: CancelToken, message: bytes, tidy: Callable[[], None]) -> Iterator[None]:
    """While this is open, SIGINT, SIGTERM and SIGHUP cancel ``token`` and ``message`` goes to stderr.

    A second signal calls ``tidy`` and ends the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told, teller = socket.socketpair()
    told.setblocking(False)
    teller.setblocking(False)
    count = itertools.count()  # in one step for all threads

    def listen() -> None:
        """Answers what has come in by now: each signal is one byte, which one thread takes."""
        with suppress(OSError):
            while data := told.recv(1):
                if data[0] not in _ENDING:
                    continue
                if next(count):
                    tidy()
                    os._exit(EXIT_CANCELLED)
                token.cancel()
                with suppress(OSError):  # not through sys.stderr, which may be in the middle of a write
                    os.write(2, message)

    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            with suppress(OSError, ValueError):
                select.select([told], [], [])
            listen()

    before = {number: signal.signal(number, lambda *_: listen()) for number in _ENDING if not _by_nohup(number)}
    earlier = signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        over.set()
        teller.close()  # which wakes the watcher
        watcher.join()
        told.close()


def _by_nohup(number: int) -> bool:
    """Whether a run was started to outlive its terminal, and this signal says that the terminal is gone."""
    return number == getattr(signal, "SIGHUP", None) and signal.getsignal(number) == signal.SIG_IGN
