"""How a run tells where it is: a bar on a terminal, JSON lines for programs, or nothing. All of it on stderr.

JSON lines, one object each:

    {"event": "progress", "stage": "painting", "fraction": 0.42, "seconds_left": 12.3}    seconds_left may be null
    {"event": "note", "message": "..."}
    {"event": "done", "output": "out.svg", "bytes": 210344, "paths": 500, ...}            the run's report follows
    {"event": "error", "code": "input", "message": "...", "remedy": "..."}
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from typing import Any, TextIO

from ..progress import Progress
from .interrupt import MESSAGE
from .streams import say

#: Reports that come faster than this are left out, s.
INTERVAL_S = 0.1


class Silent:
    """Says nothing.

    cancelling: what is to be written when the user presses Ctrl-C.
    """

    cancelling = b""

    def progress(self, progress: Progress) -> None:
        """Takes a report of the run."""

    def note(self, text: str) -> None:
        """A sentence for the user that is no error."""

    def done(self, output: str, report: dict[str, Any]) -> None:
        """The run is over and ``output`` is written."""

    def close(self) -> None:
        """Leaves the terminal as it was found."""


class Plain(Silent):
    """Only the closing line."""

    cancelling = f"{MESSAGE}\n".encode()

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr

    def note(self, text: str) -> None:
        say(text + "\n", self.stream)

    def done(self, output: str, report: dict[str, Any]) -> None:
        say(closing_line(output, report) + "\n", self.stream)


class _Throttled:
    """Lets a report through when its stage is new, when it is the last, or when the interval has passed."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def lets_through(self, progress: Progress) -> bool:
        now = time.monotonic()
        if progress.stage == self._stage and now < self._next and progress.fraction < 1:
            return False
        self._stage, self._next = progress.stage, now + INTERVAL_S
        return True


class Bar(Plain):
    """One line that is written over: stage, bar, per cent, time left."""

    cancelling = b"\n" + Plain.cancelling

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._throttle = _Throttled()
        self._drawn = 0
        encoding = (getattr(self.stream, "encoding", None) or "ascii").lower()
        self._full, self._empty = ("█", "░") if encoding.startswith("utf") else ("#", ".")

    def progress(self, progress: Progress) -> None:
        if self._throttle.lets_through(progress):
            width = shutil.get_terminal_size((80, 24)).columns - 1
            self._draw(bar_line(progress, width, self._full, self._empty))

    def note(self, text: str) -> None:
        self.close()
        super().note(text)

    def done(self, output: str, report: dict[str, Any]) -> None:
        self.close()
        super().done(output, report)

    def close(self) -> None:
        if self._drawn:
            self._draw("")
            say("\r", self.stream)
            self._drawn = 0

    def _draw(self, line: str) -> None:
        say("\r" + line + " " * (self._drawn - len(line)), self.stream)
        self._drawn = len(line)


class JsonLines(Silent):
    """One JSON object a line, as the module says."""

    cancelling = json.dumps({"event": "note", "message": MESSAGE}).encode() + b"\n"

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self._throttle = _Throttled()

    def progress(self, progress: Progress) -> None:
        if self._throttle.lets_through(progress):
            left = None if progress.seconds_left is None else round(progress.seconds_left, 1)
            self._line({"event": "progress", "stage": progress.stage, "fraction": round(progress.fraction, 4),
                        "seconds_left": left})

    def note(self, text: str) -> None:
        self._line({"event": "note", "message": text})

    def done(self, output: str, report: dict[str, Any]) -> None:
        self._line({"event": "done", "output": output, **report})

    def _line(self, event: dict[str, Any]) -> None:
        say(json.dumps(event, default=str) + "\n", self.stream)


def reporter(args: argparse.Namespace) -> Silent:
    """What --progress, --quiet and the terminal ask for."""
    if args.progress == "json":
        return JsonLines()
    if args.quiet:
        return Silent()
    wanted = args.progress or ("bar" if sys.stderr.isatty() else "none")
    return Bar() if wanted == "bar" else Plain()


def bar_line(progress: Progress, width: int, full: str = "#", empty: str = ".") -> str:
    """``painting            ######......  42 %, 12 s left`` in at most ``width`` characters."""
    tail = f" {progress.fraction * 100:3.0f} %"
    if progress.seconds_left is not None and progress.fraction < 1:
        tail += f", {in_words(progress.seconds_left)} left"
    head = f"{progress.stage:<20.20} "
    room = min(30, width - len(head) - len(tail))
    if room < 4:
        return (head.rstrip() + tail)[:max(width, 0)]
    done = round(room * progress.fraction)
    return head + full * done + empty * (room - done) + tail


def in_words(seconds: float) -> str:
    """``72.4`` as ``1 min 12 s``."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


#: What the closing line may hold.
_FACTS = (("painted", "{} painted"), ("kept", "{} done before"), ("failed", "{} failed"), ("left", "{} left"),
          ("frames", "{} frame(s)"), ("shots", "{} shot(s)"), ("paths", "{} path(s)"), ("gradients", "{} gradient(s)"),
          ("psnr", "{:.1f} dB"), ("total_seconds", "{:.1f} s"))


def closing_line(output: str, report: dict[str, Any]) -> str:
    """What a run came to, in one line."""
    facts = []
    for key, form in _FACTS:
        if isinstance(report.get(key), (int, float)) and (report[key] or key not in ("kept", "failed", "left")):
            facts.append(form.format(report[key]).replace("(s)", "" if report[key] == 1 else "s"))
    if "bytes" in report:
        facts.append(f"{report['bytes'] / 1000:.0f} kB")
    dropped = (report.get("refined") or {}).get("dropped", 0)
    if dropped:
        facts.append(f"{dropped} hidden {'path' if dropped == 1 else 'paths'} left out")
    return f"{output}: {', '.join(facts)}"
