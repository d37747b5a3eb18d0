"""When each part of a drawing appears. Seconds throughout; a part's place is its number in paint order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Share of the time in [0, 1] at which the share p of the parts is there, and what that is the inverse of: how many are
#: there at a share of the time. Slow at its beginning is "in", slow at its end "out".
EASINGS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "linear": (lambda p: p, lambda t: t),
    "in": (np.sqrt, np.square),
    "out": (lambda p: 1 - np.sqrt(1 - p), lambda t: 1 - np.square(1 - t)),
    "in-out": (lambda p: 0.5 - np.sin(np.arcsin(1 - 2 * p) / 3), lambda t: t * t * (3 - 2 * t)),
}


@dataclass(frozen=True)
class Timing:
    """seconds: from the bare ground to the whole drawing. hold: how long that stays. reverse: the same backwards, so
    that the whole drawing comes first and its last part goes first. easing: a key of :data:`EASINGS`."""

    seconds: float = 8.0
    hold: float = 2.0
    reverse: bool = False
    easing: str = "in"

    @property
    def total(self) -> float:
        return self.seconds + self.hold

    def spans(self, parts: int) -> np.ndarray:
        """(parts, 2): from when to when each part appears (goes, in reverse). One begins where the one before ends."""
        place, _ = EASINGS[self.easing]
        edges = self.seconds * np.clip(place(np.arange(parts + 1) / parts), 0, 1)
        spans = np.stack([edges[:-1], edges[1:]], 1)
        return self.total - spans[:, ::-1] if self.reverse else spans

    def opacities(self, time: float, parts: int) -> np.ndarray:
        """(parts,) in [0, 1]: how much of each part is to be seen at ``time``; at most one of them is between."""
        time = self.total - time if self.reverse else time
        _, there = EASINGS[self.easing]
        share = float(there(np.clip(np.float64(time / self.seconds), 0, 1)))
        # A moment that was to be the end of a part's time stays so after rounding.
        return np.clip(np.round(share * parts, 9) - np.arange(parts), 0, 1)
