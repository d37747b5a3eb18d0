"""Further nodes on outlines where the picture still differs from the drawing: the same shapes, freer there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..model import Outline
from .cubics import halve, polyline_basis

#: A segment's error is that of its surroundings, blurred by this, px, and looked at in so many places.
BLUR_PX, SAMPLES = 1.0, 8
#: Shorter segments are not halved, px, and those below the second length count less: they have nodes enough.
SHORTEST_PX, SHORT_PX = 4.0, 6.0
#: Rounds in which nodes are put: the halves of one round may be halved in the next.
ROUNDS = 2


def grown(outlines: Sequence[Outline], error: np.ndarray, more: int, most: int) -> list[Outline]:
    """The same outlines with up to ``more`` further nodes in all, where the error along a segment is largest.

    A segment is halved (de Casteljau), which changes no shape.

    Args:
        error: (H, W) squared difference to the picture; what lies beyond it counts nothing.
        most: segments of an outline at most; one that has more keeps them.
    """
    blurred = ndimage.gaussian_filter(np.asarray(error, np.float64), BLUR_PX)
    result = list(outlines)
    for part in range(ROUNDS, 0, -1):
        before = sum(outline.segments for outline in result)
        result = _halved(result, blurred, -(-more // part), most)
        more -= sum(outline.segments for outline in result) - before
    return result


def _halved(outlines: list[Outline], error: np.ndarray, more: int, most: int) -> list[Outline]:
    """One round: each segment is halved once at most."""
    loops = [loop for outline in outlines for loop in outline.loops]
    if not loops or more <= 0:
        return outlines
    owner = np.repeat(np.arange(len(outlines)), [outline.segments for outline in outlines])
    segments = np.concatenate([_segments(loop) for loop in loops])
    cost = _errors(segments, error)
    chosen = np.zeros(len(segments), bool)
    room = most - np.bincount(owner, minlength=len(outlines))
    for k in np.argsort(-cost, kind="stable"):
        if more <= 0 or cost[k] <= 0:
            break
        if room[owner[k]] > 0:
            chosen[k], room[owner[k]], more = True, room[owner[k]] - 1, more - 1
    first, second = halve(segments, 0.5)
    result, at = [], 0
    for outline in outlines:
        own = []
        for loop in outline.loops:
            here = slice(at, at + len(loop) // 3)
            pairs = np.stack([np.where(chosen[here, None, None], first[here], segments[here]), second[here]], 1)
            kept = np.stack([np.ones_like(chosen[here]), chosen[here]], 1)
            own.append(pairs[kept][:, :3].reshape(-1, 2).astype(loop.dtype))
            at = here.stop
        result.append(Outline(tuple(own)))
    return result


def _segments(loop: np.ndarray) -> np.ndarray:
    """(S, 4, 2) the cubics of a closed loop (3 S, 2)."""
    points = np.asarray(loop, np.float64).reshape(-1, 3, 2)
    return np.concatenate([points, np.roll(points[:, :1], -1, axis=0)], 1)


def _errors(segments: np.ndarray, error: np.ndarray) -> np.ndarray:
    """(S,) error along each segment (S, 4, 2), times px of its length; 0 for those that are too short."""
    on = np.concatenate([polyline_basis(SAMPLES) @ segments, segments[:, 3:]], 1)
    length = np.hypot(*np.moveaxis(np.diff(on, axis=1), 2, 0))
    height, width = error.shape
    x, y = np.floor(np.moveaxis(on[:, :-1], 2, 0)).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    seen = np.where(inside, error[y.clip(0, height - 1), x.clip(0, width - 1)], 0.0)
    whole = length.sum(1)
    return np.where(whole > SHORTEST_PX, (seen * length).sum(1) * np.minimum(1.0, whole / SHORT_PX), 0.0)
