"""Shapes that lie behind others are seen in part or in pieces: what of a region is hidden is guessed from its hull.

A bar that crosses over a bar leaves two pieces of the lower one. They become one path again where all that lies
between them is shown by other paths, or is still wrong and will be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull, QhullError

from ...geometry.inside import inside
from ...model import Shape
from .error_regions import SEEN, Component

#: Regions whose mean colours differ by less than this, root mean square, may be pieces of one shape.
SAME_COLOR = 6.0 / 255.0
#: So many of the best regions are looked at in pairs.
PAIRED = 24
#: What share of a bridge may be right already without being shown by a path.
SLACK = 0.03
#: A bridge smaller than this share of its region changes nothing.
WORTH = 0.04


@dataclass(frozen=True)
class Whole:
    """A region as it may go on behind others: mask, bridge (H, W) bool, apart; below: the index of the path that it
    belongs under, None for on top; gain: of the mask."""

    mask: np.ndarray
    bridge: np.ndarray
    below: int | None
    gain: float


def owners(shapes: list[Shape], height: int, width: int) -> np.ndarray:
    """(H, W) index of the topmost shape at each pixel, -1 where there is none."""
    result = np.full((height, width), -1, np.int64)
    for n, shape in enumerate(shapes):
        left, top, right, bottom = shape.outline.bounds()
        x, y = max(0, math.floor(left)), max(0, math.floor(top))
        right, bottom = min(width, math.ceil(right)), min(height, math.ceil(bottom))
        if right > x and bottom > y:
            result[y:bottom, x:right][inside(shape.outline, x, y, right - x, bottom - y)] = n
    return result


def whole(parts: list[Component], wanted: np.ndarray, shown: np.ndarray, owner: np.ndarray, most: int) -> list[Whole]:
    """The best ``most`` distinct regions as they are, and those of the best that go on behind others once more."""
    kept = distinct(parts, most)
    nothing = np.zeros(owner.shape, bool)
    masks = [_full(part, owner.shape) for part in kept]
    result = [Whole(mask, nothing, None, part.gain) for mask, part in zip(masks, kept, strict=True)]
    wrong = np.square(wanted - shown).sum(-1) > 3 * SEEN**2
    best = list(range(min(PAIRED, len(kept))))
    groups = [[i] for i in best] + [[i, j] for i in best for j in best if i < j and _pieces(kept[i], kept[j])]
    for group in groups:
        mask = np.any([masks[i] for i in group], 0)
        found = _behind(mask, wrong, owner)
        if found is not None:
            result.append(Whole(mask, *found, sum(kept[i].gain for i in group)))
    return result


def distinct(parts: list[Component], most: int) -> list[Component]:
    """The best ``most`` of the regions, without those that nearly repeat a better one."""
    kept: list[Component] = []
    for part in parts:
        if len(kept) == most:
            break
        if not any(_alike(part, other) for other in kept):
            kept.append(part)
    return kept


def _alike(a: Component, b: Component) -> bool:
    """Whether two regions have nearly the same box and area."""
    edges = [abs(p - q) for s, t in zip(a.box, b.box, strict=True) for p, q in ((s.start, t.start), (s.stop, t.stop))]
    return max(edges) <= 2 and min(a.area, b.area) > 0.9 * max(a.area, b.area)


def _pieces(a: Component, b: Component) -> bool:
    return float(np.square(a.color - b.color).mean()) < SAME_COLOR**2


def _full(part: Component, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[part.box] = part.mask
    return mask


def _behind(mask: np.ndarray, wrong: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, int | None] | None:
    """(bridge, below) where all of the region's hull can be behind others, else None."""
    bridge = _hull(mask) & ~mask
    if bridge.sum() < WORTH * mask.sum():
        return None
    right = bridge & ~wrong
    if (right & (owner < 0)).sum() > SLACK * bridge.sum():
        return None
    if right.sum() <= SLACK * bridge.sum():
        return bridge, None
    values, counts = np.unique(owner[right & (owner >= 0)], return_counts=True)
    below = int(values[counts > SLACK * bridge.sum()].min(initial=values[np.argmax(counts)]))
    return (bridge, below) if (owner[mask] >= below).mean() <= SLACK else None


def _hull(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels whose centres lie in the convex hull of those of the mask."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], 1)
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:  # all on one line
        return mask
    picture = Image.new("1", mask.shape[::-1])
    ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in corners], fill=1)
    return np.asarray(picture) | mask
