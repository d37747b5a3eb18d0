"""The pixels that fills are fitted to, of all strokes in one set of flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..geometry.inside import inside
from ..model import Outline, StrokePatch

#: So many pixels tell a gradient as well as all of them; larger strokes are sampled evenly.
PIXELS_MAX = 1000


@dataclass(frozen=True)
class Pixels:
    """P pixels of N strokes, those of one stroke next to each other; every stroke has at least one.

    xy: (P, 2) float64, px from the stroke's middle in units of its size. color: (P, 3). weight: (P,) coverage, > 0.
    stroke: (P,) which stroke. start: (N,) its first pixel. middle: (N, 2) px. size: (N,) px, RMS distance from the
    middle, at least half a pixel.
    """

    xy: np.ndarray
    color: np.ndarray
    weight: np.ndarray
    stroke: np.ndarray
    start: np.ndarray
    middle: np.ndarray
    size: np.ndarray

    @property
    def count(self) -> int:
        return len(self.start)

    def total(self, values: np.ndarray) -> np.ndarray:
        """(N, ...) sums of values (P, ...) over each stroke."""
        return np.add.reduceat(values, self.start, axis=0)

    def each(self, values: np.ndarray, extreme: np.ufunc) -> np.ndarray:
        """(N,) least or largest of values (P,) over each stroke; ``extreme`` is np.minimum or np.maximum."""
        return extreme.reduceat(values, self.start)

    def take(self, strokes: np.ndarray) -> Pixels:
        """The pixels of some strokes, given as a mask (N,) with at least one true."""
        inside = strokes[self.stroke]
        counts = np.bincount(self.stroke, minlength=self.count)[strokes]
        stroke = np.repeat(np.arange(len(counts)), counts)
        start = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        return Pixels(self.xy[inside], self.color[inside], self.weight[inside], stroke, start, self.middle[strokes],
                      self.size[strokes])


def gather(patches: Sequence[StrokePatch], outlines: Sequence[Outline]) -> Pixels:
    """The visible pixels of each patch within its outline (all visible ones where none lies within)."""
    parts = [_visible(patch, outline) for patch, outline in zip(patches, outlines, strict=True)]
    counts = np.array([len(part[2]) for part in parts], np.int64)
    start = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    xy, color, weight = (np.concatenate([part[k] for part in parts]).astype(np.float64) for k in range(3))
    stroke = np.repeat(np.arange(len(parts)), counts)
    mass = np.add.reduceat(weight, start)
    middle = np.add.reduceat(xy * weight[:, None], start) / mass[:, None]
    xy = xy - middle[stroke]
    size = np.sqrt(np.add.reduceat(np.einsum("pd,pd,p->p", xy, xy, weight), start) / mass)
    size = np.maximum(size, 0.5)
    return Pixels(xy / size[stroke, None], color, weight, stroke, start, middle, size)


def _visible(patch: StrokePatch, outline: Outline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(centres px, colours, coverage) of the pixels to fit."""
    height, width = patch.alpha.shape
    weight = np.where(patch.alpha > 0.02, patch.alpha, 0)
    if outline.loops:
        within = weight * inside(outline, *patch.offset, width, height)
        weight = within if within.any() else weight
    rows, columns = np.nonzero(weight)
    if not len(rows):
        middle = np.array([[patch.offset[0] + width / 2, patch.offset[1] + height / 2]])
        return middle, np.full((1, 3), 0.5), np.ones(1)
    if len(rows) > PIXELS_MAX:
        pick = (np.arange(PIXELS_MAX) * len(rows)) // PIXELS_MAX
        rows, columns = rows[pick], columns[pick]
    centers = np.stack([columns, rows], 1) + np.array(patch.offset) + 0.5
    return centers, patch.color[rows, columns], weight[rows, columns]
