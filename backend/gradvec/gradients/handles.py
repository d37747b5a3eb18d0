"""From solved gradients to the model's fills, with handles where an artist expects them: inside the stroke.

A linear ramp may be re-ended: the line of its axis may be shifted sideways, and each end moved along it where the ramp
goes on, as long as the end's colour moves with it. What is painted stays the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry.inside import polygons
from ..model import Fill, LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from .gradient_fit import Ramps, colors_at
from .pixels import Pixels

_SIDEWAYS = (0.0, 0.12, -0.12, 0.25, -0.25, 0.38, -0.38)
_SHORTEST = 1e-4
#: Stops that differ by less are one colour in any picture of 8 bits.
_SAME = 1 / 510


def linear_fill(pixels: Pixels, ramps: Ramps, k: int, outline: Outline) -> Fill:
    """Stroke k's linear gradient in px, its ends within the outline's extent along it, running left to right."""
    slope, base = ramps.geometry[k, :2] / pixels.size[k], ramps.geometry[k, 2]
    steepness = float(np.hypot(*slope))
    offsets, stops = ramps.offsets[k], ramps.stops[k]
    if np.ptp(stops, axis=0).max() < _SAME:
        return SolidColor(_color(stops.mean(0)))
    if steepness * pixels.size[k] < _SHORTEST:
        return SolidColor(_color(colors_at(np.array([base]), np.zeros(1, int), offsets[None], stops[None])[0]))
    own = _extent(pixels, k, outline)
    u = own @ slope + base
    low, high = max(0.0, float(u.min())), min(1.0, float(u.max()))
    if high - low < 1e-6:  # all of the stroke lies on one side of the ramp
        return SolidColor(_color(stops[0] if high <= 0.5 else stops[-1]))
    offsets, stops = re_ended(offsets, stops, low, high)
    direction = slope / steepness
    ends = np.outer((np.array([low, high]) - base) / steepness, direction)
    ends = ends + pixels.middle[k] + _sideways(ends, own, np.array([-direction[1], direction[0]]))
    if tuple(ends[1]) < tuple(ends[0]):
        ends, offsets, stops = ends[::-1], 1 - offsets[::-1], stops[::-1]
    (x1, y1), (x2, y2) = ends.tolist()
    return LinearGradient(x1, y1, x2, y2, _stops(offsets, stops))


def drawn_in(shape: Shape) -> Shape:
    """The shape with the handles of its linear gradient drawn into it; what is painted stays the same.

    A gradient that shows one colour in all of the shape becomes that colour. Other fills stay as they are.
    """
    fill = shape.fill
    if not isinstance(fill, LinearGradient) or not shape.outline.loops:
        return shape
    start, axis = np.array([fill.x1, fill.y1]), np.array([fill.x2 - fill.x1, fill.y2 - fill.y1])
    length = float(np.hypot(*axis))
    offsets = np.array([stop.offset for stop in fill.stops])
    stops = np.array([(*stop.color, stop.opacity) for stop in fill.stops])
    if length < 1e-6 or np.ptp(stops, axis=0).max() < _SAME:
        return _in_one_color(shape, stops[-1])
    own = np.concatenate(polygons(shape.outline))
    u = (own - start) @ axis / length**2
    # Pixels on the boundary have their centre up to 0.7 px outside, and are painted in the colour there.
    least, most = float(u.min()) - 1 / length, float(u.max()) + 1 / length
    low, high = max(float(offsets[0]), least), min(float(offsets[-1]), most)
    if high - low < 1e-6:  # all of the shape lies on one side of the ramp
        return _in_one_color(shape, stops[0] if most <= offsets[0] + 1e-6 else stops[-1])
    offsets, stops = re_ended(offsets, stops, low, high)
    if np.ptp(stops, axis=0).max() < _SAME:
        return _in_one_color(shape, stops.mean(0))
    normal = np.array([-axis[1], axis[0]]) / length
    across = own @ normal
    ends = start + np.outer([low, high], axis) + normal * ((across.min() + across.max()) / 2 - start @ normal)
    ends = ends + _sideways(ends, own, normal)
    (x1, y1), (x2, y2) = ends.tolist()
    made = tuple(Stop(float(o), _color(c[:3]), float(np.clip(c[3], 0, 1))) for o, c in zip(offsets, stops, strict=True))
    return replace(shape, fill=LinearGradient(x1, y1, x2, y2, made))


def _in_one_color(shape: Shape, rgba: np.ndarray) -> Shape:
    return replace(shape, fill=SolidColor(_color(rgba[:3])), opacity=shape.opacity * float(np.clip(rgba[3], 0, 1)))


def re_ended(offsets: np.ndarray, stops: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """(offsets, stops) of the part of a gradient from u = low to u = high, stretched to [0, 1]."""
    inner = (offsets > low + 1e-9) & (offsets < high - 1e-9)
    at = np.concatenate([[low], offsets[inner], [high]])
    colors = np.stack([np.interp(at, offsets, channel) for channel in stops.T], -1)
    return (at - low) / (high - low), colors


def radial_fill(pixels: Pixels, ramps: Ramps, k: int) -> Fill:
    """Stroke k's radial gradient in px."""
    (x, y), radius = ramps.geometry[k, :2] * pixels.size[k] + pixels.middle[k], ramps.geometry[k, 2] * pixels.size[k]
    return RadialGradient(float(x), float(y), float(radius), _stops(ramps.offsets[k], ramps.stops[k]))


def _extent(pixels: Pixels, k: int, outline: Outline) -> np.ndarray:
    """(M, 2) px from stroke k's middle: its outline, or the places of its pixels where it has none."""
    if outline.loops:
        return np.concatenate(polygons(outline)) - pixels.middle[k]
    end = pixels.start[k + 1] if k + 1 < pixels.count else len(pixels.weight)
    return pixels.xy[pixels.start[k]:end] * pixels.size[k]


def _sideways(ends: np.ndarray, outline: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The shift along ``normal`` that brings both ends into the stroke, or as far in as it goes.

    Ends are pulled a little inwards for the test, because they lie on the outline's extent.
    """
    span = float(np.ptp(outline @ normal))
    inner = ends + 0.1 * (ends[::-1] - ends)
    shifts = np.array(_SIDEWAYS)[:, None, None] * span * normal
    held = _inside((inner + shifts).reshape(-1, 2), outline).reshape(-1, 2).sum(1)
    return shifts[int(np.argmax(held)), 0]


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """(Q,) which points (Q, 2) a polygon holds; several loops one after the other are near enough for this."""
    (x, y), (x2, y2) = polygon.T, np.concatenate([polygon[1:], polygon[:1]]).T
    px, py = points[:, :1], points[:, 1:]
    crosses = (y > py) != (y2 > py)
    at = x + (py - y) * ((x2 - x) / np.where(y2 == y, 1, y2 - y))
    return np.count_nonzero(crosses & (px < at), axis=1) % 2 == 1


def _stops(offsets: np.ndarray, colors: np.ndarray) -> tuple[Stop, ...]:
    return tuple(Stop(float(offset), _color(color)) for offset, color in zip(offsets, colors, strict=True))


def _color(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.clip(values, 0, 1))
    return red, green, blue
