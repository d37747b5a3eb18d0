"""A part of a picture, for a look at what a run will come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..model import Target
from . import images

#: No part is narrower than this share of the picture.
LEAST = 0.05


@dataclass(frozen=True)
class Crop:
    """left, top, width, height: shares of the picture's width and height, in [0, 1]."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def __post_init__(self) -> None:
        right, bottom = self.left + self.width, self.top + self.height
        if not (min(self.left, self.top) >= 0 and min(self.width, self.height) >= LEAST
                and max(right, bottom) <= 1 + 1e-6):
            part = f"{self.left:g}, {self.top:g}, {self.width:g}, {self.height:g}"
            raise UsageError(f"The part {part} does not lie in the picture.",
                             f"Give left, top, width and height as shares from 0 to 1, {LEAST:g} at least.")

    @classmethod
    def from_list(cls, values: Any) -> Crop:
        """The part that four numbers name; all of the picture for None.

        Raises:
            UsageError: they are no four numbers, or the part lies outside the picture.
        """
        if values is None:
            return cls()
        try:
            left, top, width, height = (float(value) for value in values)
        except (TypeError, ValueError):
            raise UsageError(f"A part of the picture expects four numbers, not {values!r}.",
                             "Give left, top, width and height as shares from 0 to 1.") from None
        return cls(left, top, width, height)

    def read(self, source: Path | bytes, size: int) -> Target:
        """The part of a picture file, about ``size`` px long where the picture is large enough.

        Raises:
            InputError: as images.load.
        """
        return self.of(images.load(source, max(size, round(size / max(self.width, self.height)))))

    def of(self, target: Target) -> Target:
        """The part of a picture."""
        return replace(target, rgb=self.plane(target.rgb), alpha=self.plane(target.alpha))

    def plane(self, whole: np.ndarray) -> np.ndarray:
        """The part of (h, w, ...) values that show the whole picture, such as a detail map."""
        rows, columns = (self._span(start, share, length) for start, share, length in
                         ((self.top, self.height, whole.shape[0]), (self.left, self.width, whole.shape[1])))
        return np.ascontiguousarray(whole[rows, columns])

    def lines(self, whole: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Polylines (n, 2) in shares of the whole picture, in shares of the part; outside of it they are not in [0, 1].
        """
        return [(np.asarray(line, float) - (self.left, self.top)) / (self.width, self.height) for line in whole]

    @staticmethod
    def _span(start: float, share: float, length: int) -> slice:
        first = min(length - 1, round(start * length))
        return slice(first, max(first + 1, min(length, round((start + share) * length))))


def load_part(source: Path | bytes, size: images.Size, part: Crop | None) -> Target:
    """As images.load, or with a part as :meth:`Crop.read`, for which ``size`` has to be a number."""
    return part.read(source, size) if part is not None and isinstance(size, int) else images.load(source, size)
