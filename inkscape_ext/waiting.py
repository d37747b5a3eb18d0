"""How the artist waits: a window where GTK is at hand, plainly where it is not.

A wait is a loop that calls ``tick`` until it says that it is done. What the artist presses is only noted (``wish``);
the tick reads it. So the work itself knows nothing about windows.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

TICK_SECONDS = 0.04
CANCEL, KEEP = "cancel", "keep"


class Waiting:
    """Waits without a window; also what a window builds on. SIGTERM, which newer Inkscapes send, means Cancel."""

    def __init__(self) -> None:
        self.wish = ""
        self._terminated = False
        signal.signal(signal.SIGTERM, self._on_terminate)

    def title(self, text: str, note: str = "") -> None:
        """What is being worked on, and a line about what will come of it."""

    def progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        """stage in words; fraction of all the work in [0, 1]."""

    def preview(self, png: bytes) -> None:
        """The picture as it grows."""

    def may_keep(self, possible: bool) -> None:
        """Whether "stop and keep" makes sense by now."""

    def wait(self, tick: Callable[[], bool]) -> None:
        """Calls ``tick`` every :data:`TICK_SECONDS` until it returns true; its exceptions come out here."""
        while not tick():
            time.sleep(TICK_SECONDS)

    def close(self) -> None:
        """Takes the window away."""

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_terminate(self, _signal: int, _frame: object) -> None:
        self.wish = CANCEL


def waiting() -> Waiting:
    """A window, or plain waiting where there is none to be had."""
    module = window_module()
    return module.Window() if module else Waiting()


def show_message(message: str, remedy: str) -> bool:
    """Tells the artist something in a window of its own and waits until it is read; false where there is none.

    Inkscape would show it under a heading of its own, that the results may not be as expected.
    """
    module = window_module()
    if module:
        module.show_message(message, remedy)
    return bool(module)


def window_module() -> Any:
    """The module of windows; None where there is no GTK 3 or no display, or where the environment forbids windows."""
    if os.environ.get("GRADVEC_NO_WINDOW"):
        return None
    try:
        from . import window

        return window if window.usable() else None
    except Exception as error:  # a broken GTK must not keep anybody from painting
        print(f"no window: {error!r}", file=sys.stderr)
        return None
