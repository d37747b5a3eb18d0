"""Ctrl-C: the first one cancels the run in an orderly way, the second one ends at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import EXIT_CANCELLED
from ..progress import CancelToken

#: What the first Ctrl-C says.
MESSAGE = "Cancelling; press Ctrl-C again to end at once."


@contextmanager
def interruptible(token: CancelToken, message: bytes, tidy: Callable[[], None]) -> Iterator[None]:
    """While this is open, SIGINT and SIGTERM cancel ``token`` and ``message`` goes to stderr.

    A second signal calls ``tidy`` and ends the process.
    """

    def on_signal(number: int, frame: object) -> None:
        if token.cancelled:
            tidy()
            os._exit(EXIT_CANCELLED)
        token.cancel()
        with suppress(OSError):  # not through sys.stderr, which may be in the middle of a write
            os.write(2, message)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
