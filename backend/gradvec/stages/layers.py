"""Which stroke goes into which layer, and what the layers are called.

A layer is a run of the paint order, so grouping must never change the picture: strokes are sorted into layers before
the joint refinement where their order is ours to choose, and cut into runs where it is not (strokes that came as a
folder of pictures).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..color.css import hex_color
from ..geometry.sizes import CLASSES, optimal_cuts, size_classes, sizes
from ..model import Color, Layer, Line, Outline, Shape, SolidColor

#: Words for size classes, largest first; docs and tests know them too.
SIZE_NAMES = ("large shapes", "middle shapes", "details")
UNDERPAINTING = "underpainting"
#: Layers of a drawing, by the level of its lines.
LINE_NAMES = ("contours", "hatching")


def assign(shapes: list[Shape], how: str, keep_order: bool) -> tuple[list[Shape], list[int]]:
    """Shapes in the order in which they will be painted, and the layer of each (rising).

    Args:
        how: size, level, ink or none; layers by ink are found where inks are.
        keep_order: the paint order is given; layers become runs of it.
    """
    if not shapes or how in ("none", "ink"):
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
        elif how == "ink":
            fill = members[0].fill
            name = f"ink {hex_color(fill.color)}" if isinstance(fill, SolidColor) else f"ink {key + 1}"
            result.append((name, f"ink-{key + 1}", members))
        elif how == "level":
            result.append((f"level {key + 1}", f"level-{key + 1}", members))
        else:
            result.append(("strokes", "strokes", members))
    return tuple(Layer(f"{n} {name}" if len(result) > 1 else name, members, key)
                 for n, (name, key, members) in enumerate(result, 1))


def of_lines(lines: list[Line], how: str, ground: Color | None, width: int, height: int) -> tuple[Layer, ...]:
    """A drawing's layers, bottom to top: ``ground``, hatching, contours; or all lines in one, with how none. Lines come
    bottom to top, and get their ids from that."""
    named = [replace(line, id=f"stroke-{n:04d}", label=f"stroke {n}") for n, line in enumerate(lines, 1)]
    paper = () if ground is None else (Layer(UNDERPAINTING, (underpainting(ground, width, height),), UNDERPAINTING),)
    levels = sorted({line.level for line in named}, reverse=True)
    drawn = [Layer("strokes", (), "strokes", tuple(named))] if how == "none" else [
        Layer(LINE_NAMES[level], (), LINE_NAMES[level], tuple(line for line in named if line.level == level))
        for level in levels]
    found = (*paper, *drawn)
    return tuple(replace(layer, name=f"{n} {layer.name}" if len(found) > 1 else layer.name)
                 for n, layer in enumerate(found, 1))


def underpainting(color: Color, width: int, height: int) -> Shape:
    """A rectangle of the picture's size that lies under all strokes."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor(color), id=UNDERPAINTING, label=UNDERPAINTING)


def name_strokes(shapes: list[Shape]) -> list[Shape]:
    """Ids and labels from the paint order: stroke-0001 is the lowest."""
    return [replace(shape, id=f"stroke-{n:04d}", label=f"stroke {n}") for n, shape in enumerate(shapes, 1)]
