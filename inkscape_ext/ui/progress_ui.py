"""How the artist waits: a window where GTK is at hand, plainly where it is not.

A wait is a loop that calls ``tick`` until it says that it is done. What the artist presses is only noted (``wish``);
the tick reads it. So the work itself knows nothing about windows.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TICK_SECONDS = 0.04
CANCEL, KEEP = "cancel", "keep"
#: What may be wished for while a draft is painted or looked at: the run itself, other settings, another draft.
GO_ON, CHANGE, AGAIN = "go on", "change", "again"
ABOUT_DRAFTS = (GO_ON, CHANGE, AGAIN)


@dataclass(frozen=True)
class Choices:
    """A list to choose from. values: (value, what the artist reads). chosen: one of the values."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    chosen: str


class ProgressUi:
    """Waits without a window; also what a window builds on. SIGTERM, which newer Inkscapes send, means Cancel."""

    def __init__(self) -> None:
        self.wish = ""
        self._terminated = False
        signal.signal(signal.SIGTERM, self._on_terminate)

    def title(self, text: str, note: str = "") -> None:
        """What is being worked on, and a line about what will come of it."""

    def progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        """stage in words; fraction of all the work in [0, 1]."""

    def original(self, data: bytes) -> None:
        """A picture file: what is going to be painted, to look at until there is something painted."""

    def preview(self, png: bytes) -> None:
        """The picture as it grows."""

    def may_keep(self, possible: bool) -> None:
        """Whether "stop and keep" makes sense by now."""

    def drafts(self, choices: tuple[Choices, ...]) -> None:
        """From now on drafts are shown, and lists from which the artist takes the next; none: drafts are over."""

    def chosen(self, name: str) -> str:
        """Which value the list of that name shows; "" where there is none."""
        return ""

    def settings(self, settings: dict[str, Any]) -> dict[str, str] | None:
        """The options of a run as the artist wants them now, in words; None where they stay as they are."""
        return None

    def wait(self, tick: Callable[[], bool]) -> None:
        """Calls ``tick`` every :data:`TICK_SECONDS` until it returns true; its exceptions come out here."""
        while not tick():
            time.sleep(TICK_SECONDS)

    def close(self) -> None:
        """Takes the window away."""

    def __enter__(self) -> ProgressUi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_terminate(self, _signal: int, _frame: object) -> None:
        self.wish = CANCEL
