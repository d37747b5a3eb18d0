"""What a sheet of paper adds to a painting: light places left bare, and the rims that washes dry with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .layers import sizes
from .model import Color, Rim, Shape, SolidColor, Target
from .rules import Edge, rules_of

#: How far below the lightness that is left bare paper colours begin to fade into it (Oklab).
FADE = 0.30
#: Paper darker than this (Oklab) is no place to leave bare for light.
LIGHT_PAPER = 0.8


def lightness(rgb: np.ndarray) -> np.ndarray:
    """(...,) Oklab L in [0, 1] of sRGB colours (..., 3) (Ottosson 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array([[0.4122214708, 0.2119034982, 0.0883024619],
                               [0.5363325363, 0.6806995451, 0.2817188376],
                               [0.0514459929, 0.1073969566, 0.6299787005]])
    bright: np.ndarray = np.cbrt(cones) @ np.array([0.2104542553, 0.7936177850, -0.0040720468])
    return bright


def left_bare(target: Target, ground: Color | None, paper: float) -> Target:
    """The picture with its light places in the paper's own colour, so that nobody paints them.

    paper: from which lightness on (see BrushRules.paper). On a dark ground, or none, the picture stays as it is.
    """
    if ground is None or paper > 1 or lightness(np.array(ground)) < LIGHT_PAPER:
        return target
    share = np.clip((lightness(target.rgb.astype(np.float64)) - paper + FADE) / FADE, 0, 1)[..., None] ** 1.6
    rgb = target.rgb + (np.array(ground) - target.rgb) * share
    return replace(target, rgb=rgb.astype(np.float32))


def with_rims(shapes: list[Shape], fidelity: float) -> list[Shape]:
    """The shapes, those of brushes whose paint gathers at the edge with a rim."""
    rules = [rules_of(shape.brush, fidelity).edge for shape in shapes]
    return [shape if edge is None else replace(shape, rim=_rim(shape, float(size), edge))
            for shape, edge, size in zip(shapes, rules, sizes(shapes), strict=True)]


def _rim(shape: Shape, size: float, edge: Edge) -> Rim:
    colors = [shape.fill.color] if isinstance(shape.fill, SolidColor) else [stop.color for stop in shape.fill.stops]
    red, green, blue = (np.mean(colors, 0) * (1 - edge.darker)).tolist()
    return Rim((red, green, blue), min(edge.widest, edge.width * size), edge.opacity)
