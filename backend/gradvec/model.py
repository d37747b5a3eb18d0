"""The plain types that stages hand to each other. Immutable, numpy only.

Units: px of the working picture, origin top left, y down, pixel centres at +0.5. Colours: sRGB-encoded floats in
[0, 1], never premultiplied. Angles in radians.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Target:
    """The picture to paint at working size.

    rgb: (H, W, 3) float32. alpha: (H, W) float32, opacity; where it is 0 the colour means nothing.
    source_size: (width, height) px of the picture as it was handed in, after EXIF turning.
    """

    rgb: np.ndarray
    alpha: np.ndarray
    source_size: tuple[int, int]

    @property
    def width(self) -> int:
        return self.rgb.shape[1]

    @property
    def height(self) -> int:
        return self.rgb.shape[0]

    @property
    def opaque(self) -> bool:
        return bool(self.alpha.min() >= 1.0)


@dataclass(frozen=True)
class Outline:
    """Closed loops of cubic Bezier segments under the non-zero rule.

    loops: each (3 S, 2) float px: anchor, handle out, handle in, anchor, ...; the last handle leads back to the
    first anchor.
    """

    loops: tuple[np.ndarray, ...]

    @property
    def segments(self) -> int:
        return sum(len(loop) // 3 for loop in self.loops)

    def bounds(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the control points, px: never smaller than the outline itself."""
        points = np.concatenate(self.loops)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class Stop:
    """offset in [0, 1] along the gradient, colour, opacity in [0, 1]."""

    offset: float
    color: Color
    opacity: float = 1.0


@dataclass(frozen=True)
class SolidColor:
    color: Color


@dataclass(frozen=True)
class LinearGradient:
    """From (x1, y1) to (x2, y2) px; stops in rising offset, at least two."""

    x1: float
    y1: float
    x2: float
    y2: float
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class RadialGradient:
    """Around (cx, cy) px out to radius r px; stops in rising offset, at least two."""

    cx: float
    cy: float
    r: float
    stops: tuple[Stop, ...]


Fill = SolidColor | LinearGradient | RadialGradient


@dataclass(frozen=True)
class Rim:
    """A line along an outline, ``width`` px, half of it inside; an SVG stroke. opacity in [0, 1]."""

    color: Color
    width: float
    opacity: float = 1.0


@dataclass(frozen=True)
class Shape:
    """One vectorized stroke. level: painting level it came from, 0 is the coarsest. id: stable, unique. brush: name of
    the brush whose rules it keeps, "" for none. rim: drawn by viewers, unknown to the engine."""

    outline: Outline
    fill: Fill
    opacity: float = 1.0
    level: int = 0
    id: str = ""
    label: str = ""
    brush: str = ""
    rim: Rim | None = None


@dataclass(frozen=True)
class Line:
    """An open stroke of a pen: a curve with a width, with round joins; it has no fill.

    points: (3 S + 1, 2) float px: anchor, handle out, handle in, anchor, ... width: px across. opacity in [0, 1].
    cap: of its ends, "round", "butt" or "square". level: 0 for contours, 1 for hatching. id: stable, unique.
    """

    points: np.ndarray
    color: Color
    width: float
    opacity: float = 1.0
    cap: str = "round"
    level: int = 0
    id: str = ""
    label: str = ""

    @property
    def segments(self) -> int:
        return len(self.points) // 3


@dataclass(frozen=True)
class Layer:
    """Shapes from bottom to top under one name, and above them lines. key: stable word for programs, for example
    "size-1"."""

    name: str
    shapes: tuple[Shape, ...]
    key: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Document:
    """What becomes an SVG: layers from bottom to top; meta: settings, seed and where it came from, JSON types.
    texture: a name of gradvec.io.svg.texture that lies over all of them, or none; softness: px, how far the texture
    "soft" blurs. mask: grey shapes, bottom to top, whose brightness is the opacity of the whole drawing; none: it is
    opaque."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    texture: str = "none"
    mask: tuple[Shape, ...] = ()
    softness: float = 0.25

    @property
    def shapes(self) -> list[Shape]:
        return [shape for layer in self.layers for shape in layer.shapes]

    @property
    def lines(self) -> list[Line]:
        return [line for layer in self.layers for line in layer.lines]


@dataclass(frozen=True)
class StrokePatch:
    """One isolated stroke.

    alpha: (h, w) float32 opacity in [0, 1]. color: (h, w, 3) float32; meaningless where alpha is 0.
    offset: (x, y) whole px of the patch's top left corner in the picture.
    outline: the brush's own outline where it is known (picture px), else None.
    level: painting level, 0 is the coarsest.
    """

    alpha: np.ndarray
    color: np.ndarray
    offset: tuple[int, int]
    outline: Outline | None = None
    level: int = 0


@dataclass(frozen=True)
class Strokes:
    """N brush strokes in paint order, as physical values.

    brush: (N,) int8, index into gradvec.brushes.outlines.NAMES. template: (N,) int16, which template of that brush.
    shape: (N, 8) float32; what the columns mean is the brush's own business (paint/brushes.py says it).
    axis: (N, 4) float32, x1 y1 x2 y2 px: the line along which the stroke's colour runs.
    color0, color1: (N, 3) float32, at the start and the end of the axis. opacity: (N,) float32.
    level: (N,) int16, painting level, 0 is the coarsest.
    """

    brush: np.ndarray
    template: np.ndarray
    shape: np.ndarray
    axis: np.ndarray
    color0: np.ndarray
    color1: np.ndarray
    opacity: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.brush)

    def take(self, index: np.ndarray) -> Strokes:
        """The strokes that a boolean mask or an index array names, in that order."""
        return replace(self, **{name: value[index] for name, value in vars(self).items()})


@dataclass(frozen=True)
class Stamp:
    """One template of a stamped brush, in a frame of its own: x and y in [-0.5, 0.5], x along the stroke.

    outline: one loop. texture: (h, w) float32 in [0, 1], how much paint the bristles leave, spread over the frame.
    """

    outline: Outline
    texture: np.ndarray


@dataclass(frozen=True)
class Painting:
    """Strokes in paint order (index 0 is painted first) on a canvas of width x height px.

    background: colour under all strokes, or None for a bare (transparent) ground.
    cubics: most segments of a stroke's outline. stamps: templates of the user's own brush, numbered after the
    built-in ones.
    """

    strokes: Strokes
    width: int
    height: int
    background: Color | None
    cubics: int = 8
    stamps: tuple[Stamp, ...] = ()
