"""Sizes of shapes and their classes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np

from ..model import Shape

#: Size classes that shapes fall into.
CLASSES = 3
#: What is less compact is a hair: next to nothing but length.
HAIR = 0.05


def sizes(shapes: list[Shape]) -> np.ndarray:
    """(N,) size of each shape, px: square root of its control polygon's area, at least 1."""
    return np.array([max(1.0, sum(_area(loop) for loop in shape.outline.loops)) ** 0.5 for shape in shapes])


def _area(loop: np.ndarray) -> float:
    x, y = np.concatenate([loop, loop[:1]]).astype(float).T  # np.roll would take four times as long
    return abs(float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())) / 2


def compactness(polygons: Iterable[np.ndarray]) -> float:
    """4 pi area / length^2 of closed polygons (n, 2) together: 1 for a circle, near 0 for a hair. Holes run the other
    way round."""
    area = length = 0.0
    for polygon in polygons:
        x, y = polygon.T
        area += float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
        length += float(np.hypot(*(np.roll(polygon, -1, 0) - polygon).T).sum())
    return 4 * math.pi * abs(area) / max(length, 1e-9) ** 2


def size_classes(values: np.ndarray, classes: int = CLASSES) -> np.ndarray:
    """K-means of stroke sizes (of their logarithms, optimal by dynamic programming): classes, 0 the largest.

    Fewer classes where there are fewer distinct sizes.
    """
    order = np.argsort(-values, kind="stable")
    cuts = optimal_cuts(np.log(values[order]), min(classes, len(np.unique(values))))
    result = np.zeros(len(values), np.int64)
    for k, (a, b) in enumerate(itertools.pairwise(cuts)):
        result[order[a:b]] = k
    return result


def optimal_cuts(values: np.ndarray, parts: int) -> list[int]:
    """Cuts a sequence into ``parts`` runs with the least summed squared distance to the runs' means.

    Returns:
        parts + 1 rising indices from 0 to len(values). Exact (Fisher 1958), O(parts n^2), on at most 1,000 values:
        longer sequences are cut on a grid of 1,000 positions.
    """
    n = len(values)
    if n == 0 or parts <= 1:
        return [0, n]
    grid = np.unique(np.linspace(0, n, min(n, 1000) + 1).astype(int))
    one, two = (np.concatenate([[0.0], np.cumsum(v)])[grid] for v in (values, values**2))
    length = (grid[None, :] - grid[:, None]).astype(float)
    total, square = one[None, :] - one[:, None], two[None, :] - two[:, None]
    cost = np.where(length > 0, square - total**2 / np.maximum(length, 1), np.inf)
    best, back = cost[0].copy(), []
    for _ in range(parts - 1):
        choice = best[:, None] + cost
        back.append(choice.argmin(0))
        best = choice.min(0)
    at, cuts = len(grid) - 1, [n]
    for step in reversed(back):
        at = int(step[at])
        cuts.append(int(grid[at]))
    cuts.append(0)
    return sorted(cuts)
