"""Smooth outlines with fewer nodes, to a given accuracy: what a node tool's "delete, keep the shape" does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model import Outline
from .cubics import flatten
from .merge_kernels import merge

#: Fewest segments that a loop is left with, samples of each segment, and handles that turn by more make a corner.
FEWEST, SAMPLES, CORNER_DEGREES = 3, 12, 20.0


def merged(outlines: Sequence[Outline], accuracy_px: float, corner_degrees: float = CORNER_DEGREES) -> list[Outline]:
    """The outlines with nodes taken out, cheapest first, for as long as each loop stays within ``accuracy_px`` (root
    mean square distance along its length) of what it was.

    A node that goes leaves one cubic in place of two, which keeps the tangents at its ends: smooth joints stay smooth,
    and corners, joints that turn by more than ``corner_degrees``, stay where they are.
    """
    loops = [np.asarray(loop, np.float64) for outline in outlines for loop in outline.loops]
    if not loops:
        return list(outlines)
    starts = np.concatenate([[0], np.cumsum([len(loop) for loop in loops])]).astype(np.int64)
    samples = [flatten(loop, SAMPLES) for loop in loops]
    corner = np.concatenate([turns(loop) > np.radians(corner_degrees) for loop in loops])
    points, count = np.concatenate(loops), np.zeros(len(loops), np.int64)
    merge(points, starts, np.concatenate(samples), np.concatenate([_lengths(s) for s in samples]), SAMPLES, corner,
          FEWEST, accuracy_px**2, count)
    found = iter([points[a:a + 3 * n].copy() for a, n in zip(starts[:-1], count, strict=True)])
    return [Outline(tuple(next(found) for _ in outline.loops)) for outline in outlines]


def turns(loop: np.ndarray) -> np.ndarray:
    """(S,) radians in [0, pi] by which the handles of a closed loop (3 S, 2) turn at each anchor."""
    arriving, leaving = loop[0::3] - np.roll(loop[2::3], 1, axis=0), loop[1::3] - loop[0::3]
    cross = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    return np.abs(np.arctan2(cross, (arriving * leaving).sum(1)))


def _lengths(points: np.ndarray) -> np.ndarray:
    """(P,) px of a closed polyline that each of its points stands for."""
    step = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    return 0.5 * (step + np.roll(step, 1)) + 1e-9
