"""Which stroke goes into which layer, and what the layers are called.

A layer is a run of the paint order, so grouping must never change the picture: strokes are sorted into layers before
the joint refinement where their order is ours to choose, and cut into runs where it is not (strokes that came as a
folder of pictures).
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from ..model import Color, Layer, Outline, Shape, SolidColor

#: Words for size classes, largest first; docs and tests know them too.
SIZE_NAMES = ("large shapes", "middle shapes", "details")
UNDERPAINTING = "underpainting"
CLASSES = 3


def sizes(shapes: list[Shape]) -> np.ndarray:
    """(N,) size of each shape, px: square root of its control polygon's area, at least 1."""
    return np.array([max(1.0, sum(_area(loop) for loop in shape.outline.loops)) ** 0.5 for shape in shapes])


def _area(loop: np.ndarray) -> float:
    x, y = loop[:, 0].astype(float), loop[:, 1].astype(float)
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


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


def assign(shapes: list[Shape], how: str, keep_order: bool) -> tuple[list[Shape], list[int]]:
    """Shapes in the order in which they will be painted, and the layer of each (rising).

    Args:
        how: size, level or none.
        keep_order: the paint order is given; layers become runs of it.
    """
    if not shapes or how == "none":
        return list(shapes), [0] * len(shapes)
    if how == "level":
        keys = np.array([shape.level for shape in shapes])
        if keep_order:
            keys = np.maximum.accumulate(keys)
    elif keep_order:
        cuts = optimal_cuts(np.log(sizes(shapes)), min(CLASSES, len(shapes)))
        keys = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
    else:
        keys = size_classes(sizes(shapes))
    order = np.argsort(keys, kind="stable")
    return [shapes[i] for i in order], [int(k) for k in keys[order]]


def build(shapes: list[Shape], layer: list[int], how: str, ground: Color | None, width: int,
          height: int) -> tuple[Layer, ...]:
    """Layers bottom to top, numbered and named; empty ones are left out. ``ground`` becomes the underpainting."""
    result: list[tuple[str, str, tuple[Shape, ...]]] = []
    if ground is not None:
        result.append((UNDERPAINTING, UNDERPAINTING, (underpainting(ground, width, height),)))
    for key in sorted(set(layer)):
        members = tuple(shape for shape, own in zip(shapes, layer, strict=True) if own == key)
        if how == "size":
            result.append((SIZE_NAMES[min(key, CLASSES - 1)], f"size-{key + 1}", members))
        elif how == "level":
            result.append((f"level {key + 1}", f"level-{key + 1}", members))
        else:
            result.append(("strokes", "strokes", members))
    return tuple(Layer(f"{n} {name}" if len(result) > 1 else name, members, key)
                 for n, (name, key, members) in enumerate(result, 1))


def underpainting(color: Color, width: int, height: int) -> Shape:
    """A rectangle of the picture's size that lies under all strokes."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor(color), id=UNDERPAINTING, label=UNDERPAINTING)


def name_strokes(shapes: list[Shape]) -> list[Shape]:
    """Ids and labels from the paint order: stroke-0001 is the lowest."""
    return [replace(shape, id=f"stroke-{n:04d}", label=f"stroke {n}") for n, shape in enumerate(shapes, 1)]
