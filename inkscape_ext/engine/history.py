"""How long runs took on this computer, to say beforehand how long the next one will take."""

from __future__ import annotations

import contextlib
import json
import os
from statistics import median
from typing import Any

RUNS_KEPT = 20
#: From tries: time grows more slowly than strokes and than the working picture's area.
STROKES_POWER, SIZE_POWER = 0.8, 1.2
#: An automatic size takes about as long as this one, px.
AUTOMATIC = 640


class History:
    """Past runs in a small JSON file; a file that is missing or damaged is an empty history."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._runs: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            with open(path, encoding="utf-8") as file:
                loaded = json.load(file)
            self._runs = [{"kind": str(run.get("kind", "paint")),
                           **{name: float(run[name]) for name in ("strokes", "size", "seconds")}} for run in loaded]

    def estimate(self, kind: str, options: dict[str, Any]) -> float | None:
        """Seconds that a job of this kind will take with these options, None where nothing is known."""
        guesses = [run["seconds"] * (options["strokes"] / run["strokes"]) ** STROKES_POWER
                   * ((options["size"] or AUTOMATIC) / run["size"]) ** SIZE_POWER
                   for run in self._runs if run["kind"] == kind and run["strokes"] > 0 and run["size"] > 0]
        return median(guesses[-5:]) if guesses else None

    def add(self, kind: str, options: dict[str, Any], seconds: float) -> None:
        """Remembers a run; where the disk says no, nothing happens."""
        run = {"kind": kind, "strokes": options["strokes"], "size": options["size"] or AUTOMATIC, "seconds": seconds}
        self._runs = [*self._runs, run][-RUNS_KEPT:]
        with contextlib.suppress(OSError):
            beside = f"{self._path}.{os.getpid()}"
            with open(beside, "w", encoding="utf-8") as file:
                json.dump(self._runs, file)
            os.replace(beside, self._path)
