"""A closed polyline as few cubics, for brush outlines."""

from __future__ import annotations

import numpy as np

from ..model import Stamp
from .templates import flatten


def fit_loop(contour: np.ndarray, segments: int) -> np.ndarray:
    """Control points (3 * segments, 2) of cubics close to a closed polyline (n, 2), least squares piece by piece.

    Anchors are the corners that remain when the polyline's least important points are dropped one by one
    (Visvalingam and Whyatt 1993).
    """
    contour = _resampled(contour, 240)
    anchors = _corners(contour, segments)
    points = []
    for a, b in zip(anchors, np.roll(anchors, -1), strict=True):
        arc = contour[np.arange(a, b + 1 if b > a else b + 1 + len(contour)) % len(contour)]
        points += [arc[0], *_handles(arc)]
    return np.array(points)


def _resampled(contour: np.ndarray, count: int) -> np.ndarray:
    """``count`` points at equal distances along a closed polyline."""
    closed = np.concatenate([contour, contour[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.arange(count) / count * along[-1]
    return np.stack([np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])], 1)


def _corners(contour: np.ndarray, count: int) -> np.ndarray:
    """Indices of the ``count`` points whose polygon keeps most of the shape."""
    kept = list(range(len(contour)))
    while len(kept) > count:
        p = contour[kept]
        before, after = np.roll(p, 1, 0) - p, np.roll(p, -1, 0) - p
        kept.pop(int(np.argmin(np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]))))
    return np.array(kept)


def _handles(arc: np.ndarray) -> np.ndarray:
    """The two handles (2, 2) of the cubic that lies closest to an arc and ends where it ends."""
    step = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(arc, axis=0).T))])
    t = (step / max(step[-1], 1e-12))[:, None]
    fixed = (1 - t) ** 3 * arc[0] + t**3 * arc[-1]
    basis = np.concatenate([3 * t * (1 - t) ** 2, 3 * t * t * (1 - t)], 1)
    # A pull towards thirds of the chord keeps short arcs, which hold few points, in place.
    chord = arc[0] + np.array([[1 / 3], [2 / 3]]) * (arc[-1] - arc[0])
    pull = 1e-3
    return np.linalg.solve(basis.T @ basis + pull * np.eye(2), basis.T @ (arc - fixed) + pull * chord)


def with_segments(stamp: Stamp, segments: int) -> np.ndarray:
    """The stamp's outline in exactly ``segments`` cubics."""
    loop = stamp.outline.loops[0]
    return loop if len(loop) == 3 * segments else fit_loop(flatten(loop, 32), segments)
