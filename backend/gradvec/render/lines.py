"""Lines of the model as outlines, so that whatever renders shapes renders drawings, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..model import Line, Outline, Shape, SolidColor
from .strokes import finest, strokes, structures


def outlined(lines: Sequence[Line]) -> list[Shape]:
    """What each line covers, as a shape of straight segments; in the same order."""
    found: dict[int, Shape] = {}
    kinds: dict[tuple[int, str], list[int]] = {}
    for n, line in enumerate(lines):
        kinds.setdefault((len(line.points), line.cap), []).append(n)
    for (_, cap), members in kinds.items():
        points = torch.from_numpy(np.stack([lines[n].points for n in members]).astype(np.float64))
        width = torch.tensor([lines[n].width for n in members], dtype=torch.float64)
        polygons = strokes(points, width, cap=cap, structure=finest(structures(points, width, cap=cap)))
        for n, own in zip(members, polygons.points.numpy(), strict=True):
            loops = [own[a:b] for a, b in zip(polygons.loops[:-1], polygons.loops[1:], strict=True)]
            found[n] = _shape(lines[n], [loop for loop in loops if np.ptp(loop, 0).max() > 0])
    return [found[n] for n in range(len(lines))]


def _shape(line: Line, loops: list[np.ndarray]) -> Shape:
    step = [np.roll(loop, -1, 0) - loop for loop in loops]
    outline = Outline(tuple(np.stack([a, a + d / 3, a + d * 2 / 3], 1).reshape(-1, 2)
                            for a, d in zip(loops, step, strict=True)))
    return Shape(outline, SolidColor(line.color), line.opacity, line.level, line.id, line.label)
