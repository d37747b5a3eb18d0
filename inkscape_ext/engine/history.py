"""How long runs took on this computer, to say beforehand and on the way how long the next one will take.

The share that the engine reports is of its stages, and these take unequal time; so a run also leaves its *pace*: how
much of its time had passed when a tenth, two tenths, ... of the stages were done.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

RUNS_KEPT, RUNS_USED = 20, 5
#: From tries: time grows more slowly than strokes and than the working picture's area.
STROKES_POWER, SIZE_POWER = 0.8, 1.2
#: An automatic size takes about as long as this one, px.
AUTOMATIC = 640
#: What runs take on two cores of an ordinary computer, for one on which none has ended yet: job, strokes, seconds.
USUAL = {"paint": (500, 30.0), "vectorize": (64, 25.0), "lines": (300, 10.0)}
#: How many tenths a pace has.
TENTHS = 9


@dataclass(frozen=True)
class Expected:
    """What is known of a run before it begins. seconds: None where nothing is. tried: whether runs like it took so long
    on this computer. pace: shares of time in [0, 1] at each tenth of the stages, () for even ones."""

    seconds: float | None = None
    tried: bool = False
    pace: tuple[float, ...] = ()

    def passed(self, fraction: float) -> float:
        """The share of a run's time that has passed when ``fraction`` of its stages is done."""
        if not self.pace:
            return fraction
        marks = (0.0, *self.pace, 1.0)
        place = min(max(fraction, 0.0), 1.0) * (TENTHS + 1)
        index = min(int(place), TENTHS)
        return marks[index] + (marks[index + 1] - marks[index]) * (place - index)


@dataclass(frozen=True)
class Past:
    """A run that has ended. size: px."""

    kind: str
    look: str
    strokes: float
    size: float
    seconds: float
    pace: tuple[float, ...] = ()


class History:
    """Past runs in a small JSON file; a file that is missing or damaged is an empty history."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._runs: list[Past] = []
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            self._runs = [_past(run) for run in json.loads(Path(path).read_text("utf-8"))]

    def expected(self, kind: str, options: dict[str, Any]) -> Expected:
        """What to expect of a job of this kind with these options."""
        strokes, size = options["strokes"], options["size"] or AUTOMATIC
        runs = [run for run in self._runs if run.kind == kind and run.strokes > 0 and run.size > 0]
        runs = [run for run in runs if run.look == options.get("look", "")] or runs
        if not runs:
            if kind not in USUAL:
                return Expected()
            usual_strokes, seconds = USUAL[kind]
            return Expected(_scaled(seconds, strokes / usual_strokes, size / AUTOMATIC))
        guesses = [_scaled(run.seconds, strokes / run.strokes, size / run.size) for run in runs[-RUNS_USED:]]
        paces = [run.pace for run in runs[-RUNS_USED:] if len(run.pace) == TENTHS]
        return Expected(median(guesses), True, tuple(map(median, zip(*paces))))

    def add(self, kind: str, options: dict[str, Any], seconds: float, pace: tuple[float, ...] = ()) -> None:
        """Remembers a run; where the disk says no, nothing happens."""
        run = Past(kind, options.get("look", ""), options["strokes"], options["size"] or AUTOMATIC, seconds,
                   tuple(round(share, 4) for share in pace))
        self._runs = [*self._runs, run][-RUNS_KEPT:]
        with contextlib.suppress(OSError):
            beside = f"{self._path}.{os.getpid()}"
            with open(beside, "w", encoding="utf-8") as file:
                json.dump([vars(run) for run in self._runs], file)
            os.replace(beside, self._path)


def _past(run: dict[str, Any]) -> Past:
    numbers = {name: float(run[name]) for name in ("strokes", "size", "seconds")}
    pace = tuple(min(max(float(share), 0.0), 1.0) for share in run.get("pace", ()))
    return Past(str(run.get("kind", "paint")), str(run.get("look", "")), pace=pace, **numbers)


def _scaled(seconds: float, strokes: float, size: float) -> float:
    return float(seconds * strokes ** STROKES_POWER * size ** SIZE_POWER)
