"""A palette stays a palette: every colour that is written is one of those that were painted with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..model import Color, Fill, Painting, Shape, SolidColor


def palette_of(painting: Painting) -> np.ndarray:
    """(k, 3) the colours that a painting's strokes have; none, (0, 3), without strokes."""
    strokes = painting.strokes
    return np.unique(np.concatenate([strokes.color0, strokes.color1]).astype(np.float64).reshape(-1, 3), axis=0)


def nearest(color: Color, palette: np.ndarray) -> Color:
    """The palette's colour that is closest; the colour itself where the palette has none."""
    if not len(palette):
        return color
    red, green, blue = palette[np.square(palette - np.array(color)).sum(1).argmin()].tolist()
    return red, green, blue


def with_ground(painting: Painting) -> Painting:
    """The painting on the palette's colour that is closest to its ground."""
    if painting.background is None:
        return painting
    return replace(painting, background=nearest(painting.background, palette_of(painting)))


def in_palette(shapes: list[Shape], palette: np.ndarray) -> list[Shape]:
    """The shapes with every stop in the palette's closest colour."""
    return [replace(shape, fill=_fill(shape.fill, palette)) for shape in shapes]


def _fill(fill: Fill, palette: np.ndarray) -> Fill:
    if isinstance(fill, SolidColor):
        return SolidColor(nearest(fill.color, palette))
    return replace(fill, stops=tuple(replace(stop, color=nearest(stop.color, palette)) for stop in fill.stops))
