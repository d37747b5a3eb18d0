"""Contours of a stroke's opacity, to sub-pixel accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..model import StrokePatch
from .contours import error_inside, march

#: A run along the picture's border of at least this many px is a clipped edge.
_CLIPPED_RUN_PX = 3.0

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Contour:
    """One closed contour, picture px.

    points: (n, 2), clockwise on the screen for an outer contour, the other way round a hole.
    weight: (n,) length of contour in px that each point stands for, times how much a miss shows there.
    fixed: (n,) whether a segment must end here: the corners where a stroke is cut off by the picture's border.
    worth: squared error of opacity, weighted as the contour is, px^2, if it were left out; infinite for the stroke's
        largest piece.
    """

    points: np.ndarray
    weight: np.ndarray
    fixed: np.ndarray
    worth: float = np.inf

    @property
    def area(self) -> float:
        """Signed area in px^2: negative for a hole."""
        return shoelace(self.points)


def shoelace(polygon: np.ndarray) -> float:
    """Signed area of a closed polygon (n, 2): positive when it runs clockwise on the screen (y down)."""
    x, y = polygon[:, 0] - polygon[0, 0], polygon[:, 1] - polygon[0, 1]
    # Seen from the first point, the last side encloses nothing.
    return float(0.5 * (x[:-1] @ y[1:] - x[1:] @ y[:-1]))


def peak(alpha: np.ndarray) -> float:
    """How opaque the stroke is where it is painted at all, in [0, 1]: its edge lies at half of that."""
    most = float(alpha.max(initial=0.0))
    if most <= 0.0:
        return 0.0
    if (alpha > 0.9).sum() > 0.1 * (alpha > 0.25 * most).sum():
        return 1.0
    return float(np.quantile(alpha[alpha > 0.25 * most], 0.9))


def picture_bounds(patches: list[StrokePatch]) -> Bounds:
    """(left, top, right, bottom) px that all patches lie in: strokes that reach it are cut off there."""
    corners = [(x, y, x + p.alpha.shape[1], y + p.alpha.shape[0]) for p in patches for x, y in (p.offset,)]
    box = np.array(corners, float).reshape(-1, 4)
    left, top = box[:, :2].min(0)
    right, bottom = box[:, 2:].max(0)
    return float(left), float(top), float(right), float(bottom)


def contours(patch: StrokePatch, importance: np.ndarray | None = None, bounds: Bounds | None = None, *,
             holes: bool = True, min_size_px: float = 2.0) -> list[Contour]:
    """The contours of a stroke at half of its opacity: its largest piece, then further pieces, then holes.

    None where nothing is to be seen.

    Args:
        importance: (h, w) how much a miss shows at a pixel; None counts all pixels alike.
        bounds: the picture's borders; where the stroke reaches one it is taken to be cut off there, and its contour
            runs exactly along the border. None: nothing is cut off.
        holes: also trace holes.
        min_size_px: contours whose larger side is shorter are specks.
    """
    level = 0.5 * peak(patch.alpha)
    if level < 1e-3:
        return []
    pad = 2
    grid = np.pad(patch.alpha.astype(np.float64), pad)
    corner = np.array(patch.offset, float)
    cut = _cut_sides(patch, bounds)
    _extend(grid, cut, pad)
    points, start = march(grid, level)
    points += corner + (0.5 - pad)
    if any(cut):
        low, high = _limits(patch, cut)
        np.clip(points, low, high, out=points)
    loops = [_without_repeats(points[a:b]) for a, b in pairwise(start)]
    wrong = _wrong(patch, importance)
    found: list[Contour] = []
    for loop in _large_enough(loops, holes, min_size_px):
        worth = np.inf
        if found:
            worth = error_inside(loop, wrong[int(shoelace(loop) < 0)], float(corner[0]), float(corner[1]))
        found.append(_weighed(loop, worth, patch, importance, bounds if any(cut) else None))
    return found


def _cut_sides(patch: StrokePatch, bounds: Bounds | None) -> tuple[bool, bool, bool, bool]:
    if bounds is None:
        return False, False, False, False
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    return x <= bounds[0], y <= bounds[1], x + w >= bounds[2], y + h >= bounds[3]


def _extend(grid: np.ndarray, cut: tuple[bool, bool, bool, bool], pad: int) -> None:
    """Carries the stroke on beyond the sides where it is cut off, but leaves the grid's own frame bare."""
    left, top, right, bottom = cut
    if left:
        grid[:, 1:pad] = grid[:, pad:pad + 1]
    if right:
        grid[:, -pad:-1] = grid[:, -pad - 1:-pad]
    if top:
        grid[1:pad] = grid[pad]
    if bottom:
        grid[-pad:-1] = grid[-pad - 1]


def _limits(patch: StrokePatch, cut: tuple[bool, bool, bool, bool]) -> tuple[np.ndarray, np.ndarray]:
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    low = np.array([x if cut[0] else -np.inf, y if cut[1] else -np.inf], float)
    high = np.array([x + w if cut[2] else np.inf, y + h if cut[3] else np.inf], float)
    return low, high


def _without_repeats(loop: np.ndarray) -> np.ndarray:
    return loop[np.hypot(*(loop - np.roll(loop, 1, axis=0)).T) > 1e-6]


def _wrong(patch: StrokePatch, importance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) weighted squared error per pixel where paint is left out, and where a hole is painted over."""
    alpha = np.minimum(patch.alpha / max(peak(patch.alpha), 1e-3), 1.0).astype(np.float64)
    weight = np.ones_like(alpha) if importance is None else importance
    return weight * alpha**2, weight * (1.0 - alpha) ** 2


def _large_enough(loops: list[np.ndarray], holes: bool, min_size_px: float) -> list[np.ndarray]:
    """The pieces that are no specks, largest first, then the holes in them."""
    sized = [(shoelace(loop), loop) for loop in loops
             if len(loop) >= 3 and float(np.ptp(loop, axis=0).max()) >= min_size_px]
    sized = [(area, loop) for area, loop in sized if abs(area) >= 0.5 * min_size_px**2]
    sized.sort(key=lambda pair: -abs(pair[0]))
    pieces = [loop for area, loop in sized if area > 0]
    gaps = [loop for area, loop in sized if area < 0] if holes and pieces else []
    return pieces + [gap for gap in gaps if any(inside(piece, gap[0]) for piece in pieces)]


def inside(polygon: np.ndarray, point: np.ndarray) -> bool:
    """Whether a polygon (n, 2) holds a point, by the even-odd rule."""
    a, b = polygon - point, np.roll(polygon, -1, axis=0) - point
    spans = (a[:, 1] > 0) != (b[:, 1] > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = a[:, 0] - a[:, 1] * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool((spans & (x > 0)).sum() % 2)


def _weighed(loop: np.ndarray, worth: float, patch: StrokePatch, importance: np.ndarray | None,
             bounds: Bounds | None) -> Contour:
    step = np.hypot(*(np.roll(loop, -1, axis=0) - loop).T)
    weight = 0.5 * (step + np.roll(step, 1))
    if importance is not None:
        h, w = importance.shape
        column, row = np.floor(loop - np.array(patch.offset)).astype(int).T
        weight = weight * importance[np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
    fixed = np.zeros(len(loop), bool)
    if bounds is not None:
        for axis in (0, 1):
            for line in (bounds[axis], bounds[axis + 2]):
                fixed |= _run_ends(loop[:, axis] == line, step)
    return Contour(loop, weight, fixed, worth)


def _run_ends(on_line: np.ndarray, step: np.ndarray) -> np.ndarray:
    """First and last point of every long enough run of points that lie on a border."""
    ends = np.zeros(len(on_line), bool)
    if not on_line.any() or on_line.all():
        return ends
    first = np.nonzero(on_line & ~np.roll(on_line, 1))[0]
    for a in first:
        length, b, n = 0.0, a, len(on_line)
        while on_line[(b + 1) % n]:
            length += step[b % n]
            b += 1
        if length >= _CLIPPED_RUN_PX:
            ends[[a, b % n]] = True
    return ends
