"""What the eye sees of a gradient: how two fills of one stroke differ, in OKLab.

The measure is the Euclidean distance in OKLab (Ottosson, "A perceptual color space for image processing", 2020). 0.02
is taken as one just noticeable difference, the value that CSS Color 4 uses when it maps colours into a gamut.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from ..color.oklab import difference
from ..geometry.inside import inside, polygons
from ..model import Color, Fill, LinearGradient, Outline, RadialGradient, Shape, SolidColor

#: One just noticeable difference in OKLab.
NOTICEABLE = 0.02
#: A difference counts where it is noticeable in more than this share of what is seen of a stroke.
UNSEEN_SHARE = 0.05

_SAMPLES = 32


def simplify(fill: Fill, outline: Outline, visible_weight: np.ndarray | float | None = None) -> Fill:
    """One colour instead of a gradient that nobody sees; any other fill as it is.

    A gradient is unseen where its difference from its own mean colour is noticeable (:data:`NOTICEABLE`) in at most
    :data:`UNSEEN_SHARE` of what is visible of the outline. Gradients whose opacity changes are kept.

    visible_weight: how much of the shape is seen, in [0, 1]: a picture (H, W) of it (the shape's alpha times what lies
        above lets through), or one number for all of the shape, or None for all of it.
    """
    if not isinstance(fill, LinearGradient | RadialGradient) or len({stop.opacity for stop in fill.stops}) > 1 \
            or fill.stops[0].opacity != 1.0:
        return fill
    places, weight = _samples(outline, visible_weight)
    if weight.sum() <= 0:
        return SolidColor(_mean(fill.stops[0].color, fill.stops[-1].color))
    color = colors(fill, places)
    mean = (color * weight[:, None]).sum(0) / weight.sum()
    noticeable = difference(color, mean) * np.minimum(weight, 1) > NOTICEABLE
    if weight[noticeable].sum() > UNSEEN_SHARE * weight.sum():
        return fill
    return SolidColor(tuple(float(c) for c in np.clip(mean, 0, 1)))  # type: ignore[arg-type]


def simplify_all(shapes: list[Shape], width: int, height: int, only: Collection[str] | None = None,
                 enough: Callable[[], bool] = lambda: False) -> list[Shape]:
    """A drawing (bottom to top, on a canvas of width x height px) with one colour where nobody sees a gradient.

    What shapes hide of each other is not looked at. only: ids of the shapes that may change; None: all. enough: asked
    before each shape, from the topmost down; once it is true, those that are left stay as they are.
    """
    through = np.ones((height, width), np.float32)
    result = []
    for n, shape in enumerate(reversed(shapes)):
        if enough():
            result += shapes[:len(shapes) - n][::-1]
            break
        result.append(simplified(shape, through) if only is None or shape.id in only else shape)
        _shade(through, shape)
    return result[::-1]


def simplified(shape: Shape, visible_weight: np.ndarray | float | None = None) -> Shape:
    """The shape in one colour and opacity where its gradient is not seen, as :func:`simplify` has it; else as it is.

    A gradient whose opacity changes has to look the same over black and over white.
    """
    fill = shape.fill
    if isinstance(fill, SolidColor):
        return shape
    if all(stop.opacity == 1.0 for stop in fill.stops):
        simple = simplify(fill, shape.outline, visible_weight)
        return shape if simple is fill else replace(shape, fill=simple)
    places, weight = _samples(shape.outline, visible_weight)
    hidden = bool(weight.sum() <= 0)
    if hidden:
        places, weight = _samples(shape.outline, None)
    if not len(weight):
        return shape
    rgba = _rgba(fill, places)
    alpha = rgba[:, 3:]
    mean_alpha = float(np.average(alpha[:, 0], weights=weight))
    mean = np.average(rgba[:, :3] * alpha, axis=0, weights=weight) / max(mean_alpha, 1e-6)
    apart = [difference(rgba[:, :3] * alpha + ground * (1 - alpha), mean * mean_alpha + ground * (1 - mean_alpha))
             for ground in (0.0, 1.0)]
    noticeable = np.maximum(*apart) * np.minimum(weight, 1) * shape.opacity > NOTICEABLE
    if not hidden and weight[noticeable].sum() > UNSEEN_SHARE * weight.sum():
        return shape
    red, green, blue = (float(c) for c in np.clip(mean, 0, 1))
    return replace(shape, fill=SolidColor((red, green, blue)), opacity=shape.opacity * mean_alpha)


def _shade(through: np.ndarray, shape: Shape) -> None:
    """Takes from ``through`` (H, W) what a shape above does not let through."""
    if not shape.outline.loops:
        return
    height, width = through.shape
    left, top, right, bottom = shape.outline.bounds()
    x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    x1, y1 = min(width, int(np.ceil(right)) + 1), min(height, int(np.ceil(bottom)) + 1)
    if x1 <= x0 or y1 <= y0:
        return
    rows, columns = np.nonzero(inside(shape.outline, x0, y0, x1 - x0, y1 - y0))
    rows, columns = rows + y0, columns + x0
    alpha: float | np.ndarray = shape.opacity
    if not isinstance(shape.fill, SolidColor) and any(stop.opacity < 1.0 for stop in shape.fill.stops):
        alpha = shape.opacity * _rgba(shape.fill, np.stack([columns, rows], 1) + 0.5)[:, 3]
    through[rows, columns] *= 1.0 - alpha


def _rgba(fill: LinearGradient | RadialGradient, places: np.ndarray) -> np.ndarray:
    """(P, 4) straight colours and opacities of a gradient at places (P, 2) px."""
    faint = tuple(replace(stop, color=(stop.opacity,) * 3) for stop in fill.stops)
    return np.concatenate([colors(fill, places), colors(replace(fill, stops=faint), places)[:, :1]], 1)


def colors(fill: Fill, places: np.ndarray) -> np.ndarray:
    """(P, 3) colours of a fill at places (P, 2) px, as SVG defines them."""
    if isinstance(fill, SolidColor):
        return np.tile(fill.color, (len(places), 1)).astype(float)
    offsets = np.array([stop.offset for stop in fill.stops])
    stops = np.array([stop.color for stop in fill.stops])
    if isinstance(fill, LinearGradient):
        axis = np.array([fill.x2 - fill.x1, fill.y2 - fill.y1])
        length = float(axis @ axis)
        u = (places - (fill.x1, fill.y1)) @ axis / length if length > 1e-12 else np.ones(len(places))
    else:
        distance = np.hypot(*(places - (fill.cx, fill.cy)).T)
        u = distance / fill.r if fill.r > 1e-6 else np.ones(len(places))
    return np.stack([np.interp(u, offsets, stops[:, c]) for c in range(3)], -1)


def _samples(outline: Outline, visible_weight: np.ndarray | float | None) -> tuple[np.ndarray, np.ndarray]:
    """(places (P, 2) px inside the outline, how much is seen of each (P,))."""
    if not outline.loops:
        return np.zeros((0, 2)), np.zeros(0)
    points = np.concatenate(polygons(outline))
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
    if isinstance(visible_weight, np.ndarray) and visible_weight.ndim == 2:
        height, width = visible_weight.shape
        left, top = np.clip(low, 0, (width, height))
        right, bottom = np.clip(high, 0, (width, height))
        covered = inside(outline, left, top, right - left, bottom - top) if right > left and bottom > top \
            else np.zeros((0, 0), bool)
        rows, columns = np.nonzero(covered)
        return np.stack([columns + left, rows + top], 1) + 0.5, visible_weight[rows + top, columns + left].astype(float)
    places = _grid(outline, low, high)
    return places, np.full(len(places), 1.0 if visible_weight is None else float(visible_weight))


def _grid(outline: Outline, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Places inside the outline: pixel centres, or fewer where it is large, at least its corners' mean."""
    width, height = (int(n) for n in high - low)
    covered = inside(outline, int(low[0]), int(low[1]), width, height)
    rows, columns = np.nonzero(covered)
    if not len(rows):
        return np.concatenate(outline.loops).mean(0)[None]
    pick = slice(None, None, max(1, len(rows) // _SAMPLES**2))
    return np.stack([columns[pick] + low[0], rows[pick] + low[1]], 1) + 0.5


def _mean(first: Color, last: Color) -> Color:
    red, green, blue = (float((a + b) / 2) for a, b in zip(first, last, strict=True))
    return red, green, blue
