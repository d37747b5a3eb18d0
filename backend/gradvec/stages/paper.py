"""What a sheet of paper adds to a painting: light places left bare, and the rims that washes dry with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..brushes.rules import Edge, rules_of
from ..color.oklab import oklab
from ..geometry.sizes import sizes
from ..model import Color, Rim, Shape, SolidColor, Target

#: How far below the lightness that is left bare paper colours begin to fade into it (Oklab).
FADE = 0.22
#: Chroma (Oklab) that pale colours may have; each further hundredth counts as two of lightness: a yellow is light, but
#: it is not paper.
PALE, COLORFUL = 0.04, 2.0
#: Paper darker than this (Oklab) is no place to leave bare for light.
LIGHT_PAPER = 0.8
#: Darkness (1 - Oklab's lightness) times opacity from which on a wash has all the rim that its brush gives.
PIGMENT = 0.2


def left_bare(target: Target, ground: Color | None, paper: float) -> Target:
    """The picture with its light places in the paper's own colour, so that nobody paints them.

    Pale ones, that is: colours that are as light stay. paper: from which lightness on (see BrushRules.paper). On a dark
    ground, or none, the picture stays as it is.
    """
    if ground is None or paper > 1 or oklab(np.array(ground))[0] < LIGHT_PAPER:
        return target
    lightness, a, b = np.moveaxis(oklab(target.rgb), -1, 0)
    lightness = lightness - COLORFUL * np.maximum(np.hypot(a, b) - PALE, 0)
    share = np.clip((lightness - paper + FADE) / FADE, 0, 1)[..., None] ** 2
    rgb = target.rgb + (np.array(ground) - target.rgb) * share
    return replace(target, rgb=rgb.astype(np.float32))


def with_rims(shapes: list[Shape], fidelity: float) -> list[Shape]:
    """The shapes, those of brushes whose paint gathers at the edge with a rim."""
    edges = {brush: rules_of(brush, fidelity).edge for brush in {shape.brush for shape in shapes}}
    if not any(edges.values()):
        return shapes
    rules = [edges[shape.brush] for shape in shapes]
    return [shape if edge is None else replace(shape, rim=_rim(shape, float(size), edge))
            for shape, edge, size in zip(shapes, rules, sizes(shapes), strict=True)]


def _rim(shape: Shape, size: float, edge: Edge) -> Rim:
    """Pale or thin washes have little pigment that could gather: their rims are fainter, else they look like wires."""
    colors, opacity = ([shape.fill.color], 1.0) if isinstance(shape.fill, SolidColor) else (
        [stop.color for stop in shape.fill.stops], float(np.mean([stop.opacity for stop in shape.fill.stops])))
    mean = np.mean(colors, 0)
    pigment = min(1.0, (1 - float(oklab(mean)[0])) * opacity * shape.opacity / PIGMENT)
    red, green, blue = (mean * (1 - edge.darker * pigment)).tolist()
    return Rim((red, green, blue), min(edge.widest, edge.width * size), edge.opacity * pigment**0.5)
