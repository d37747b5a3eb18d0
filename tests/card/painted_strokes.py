"""Strokes to fit, made by numbers."""

import numpy as np
from gradvec.stages.paint.placement import strokes_from_seeds
from gradvec.stages.paint.seeds import Seeds
from gradvec.stages.paint.stroke_variables import StrokeVariables


def painted(brush: str, count: int = 6) -> StrokeVariables:
    """Strokes of a brush at random places."""
    rng = np.random.default_rng(count)
    seeds = Seeds(**{name: rng.uniform(2, 20, (count, *shape)).astype(np.float32) for name, shape in {
        "center": (2,), "length": (), "width": (), "angle": (), "axis": (4,), "color0": (3,), "color1": (3,),
        "gain": ()}.items()})
    return strokes_from_seeds(seeds, brush, 0, rng)
