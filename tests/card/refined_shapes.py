"""Shapes to refine, made by numbers."""

import numpy as np
from gradvec.model import Outline, Shape, SolidColor

SIDE = 24


def some_shapes(count: int) -> list[Shape]:
    """Rough discs; every second one has more segments."""
    rng = np.random.default_rng(count)
    result = []
    for n in range(count):
        points = 12 if n % 2 else 18
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        radius = rng.uniform(4, 6, (points, 1))
        loop = rng.uniform(6, SIDE - 6, 2) + radius * np.stack([np.cos(angle), np.sin(angle)], -1)
        color = SolidColor(tuple(rng.uniform(0, 1, 3)))
        result.append(Shape(Outline((loop,)), color, id=str(n), brush=("oil", "tape", "watercolor")[n % 3]))
    return result
