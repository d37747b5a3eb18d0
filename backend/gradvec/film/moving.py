"""Strokes that go with the film: each by the affine map that fits how what it shows has moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..geometry.inside import inside
from ..model import Color, Fill, LinearGradient, Outline, RadialGradient, Rim, Shape, SolidColor

#: How much a pixel counts that a stroke covers but does not show.
HIDDEN = 0.02
#: What turns and stretches a stroke has to be seen in this many px^2 for each px: small ones only shift.
STIFF = 6.0
#: Residual, px, at which a pixel counts half, and rounds of weighing.
DOUBT, ROUNDS = 0.6, 4
#: Determinants beyond this and its inverse are no movement.
MOST = 1.5


@dataclass(frozen=True)
class Cover:
    """Which pixels of a picture a stroke covers. box: (x0, y0, x1, y1) px inside the picture. mask: (h, w) bool there.
    seen: (h, w) bool, where it is the topmost."""

    box: tuple[int, int, int, int]
    mask: np.ndarray
    seen: np.ndarray


def covers(shapes: Sequence[Shape], width: int, height: int) -> list[Cover | None]:
    """What each of some shapes (bottom to top) covers of a picture; None where it is nothing."""
    top = np.full((height, width), -1, np.int32)
    found: list[tuple[tuple[int, int, int, int], np.ndarray] | None] = []
    for number, shape in enumerate(shapes):
        left, upper, right, lower = shape.outline.bounds()
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(upper))
        x1, y1 = min(width, math.ceil(right) + 1), min(height, math.ceil(lower) + 1)
        if x1 <= x0 or y1 <= y0:
            found.append(None)
            continue
        mask = inside(shape.outline, x0, y0, x1 - x0, y1 - y0)
        top[y0:y1, x0:x1][mask] = number
        found.append(((x0, y0, x1, y1), mask) if mask.any() else None)
    return [None if one is None else Cover(one[0], one[1], top[one[0][1]:one[0][3], one[0][0]:one[0][2]] == number)
            for number, one in enumerate(found)]


def moved(shapes: Sequence[Shape], flow: np.ndarray, sure: np.ndarray) -> list[Shape]:
    """Every shape where the flow forward (2, H, W) takes it. sure: (H, W) in [0, 1], how much the flow is worth."""
    height, width = sure.shape
    result = []
    for shape, cover in zip(shapes, covers(shapes, width, height), strict=True):
        result.append(shape if cover is None else transformed(shape, motion(cover, flow, sure)))
    return result


def motion(cover: Cover, flow: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """(2, 3) affine map of px before to px afterwards.

    Robust weighted least squares over what a stroke covers, in which turning and stretching have a price (ridge), so
    that a stroke seen in a few pixels only shifts.
    """
    x0, y0, x1, y1 = cover.box
    rows, columns = np.nonzero(cover.mask)
    at = np.stack([columns + x0 + 0.5, rows + y0 + 0.5], 1)
    step = flow[:, y0:y1, x0:x1][:, rows, columns].T.astype(np.float64)
    worth = np.where(cover.seen[rows, columns], 1.0, HIDDEN) * (sure[y0:y1, x0:x1][rows, columns] + 1e-3)
    weight = worth
    shift = np.median(step, axis=0)
    left = step - shift
    middle, linear = at.mean(0), np.zeros((2, 2))
    for _ in range(ROUNDS):
        weight = worth / (1 + (left**2).sum(1) / DOUBT**2)
        total = weight.sum()
        middle = (weight[:, None] * at).sum(0) / total
        shift = (weight[:, None] * step).sum(0) / total
        away = at - middle
        spread = (weight[:, None] * away).T @ away / total + STIFF * np.eye(2)
        linear = np.linalg.solve(spread, (weight[:, None] * away).T @ (step - shift) / total).T
        left = step - shift - away @ linear.T
    if not 1 / MOST < np.linalg.det(np.eye(2) + linear) < MOST:
        linear = np.zeros((2, 2))
    full = np.eye(2) + linear
    return np.concatenate([full, (middle + shift - full @ middle)[:, None]], 1)


def transformed(shape: Shape, matrix: np.ndarray) -> Shape:
    """The shape under an affine map (2, 3), with its gradient and its rim."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    loops = tuple(loop @ linear.T + shift for loop in shape.outline.loops)
    grown = math.sqrt(abs(float(np.linalg.det(linear))))
    rim = None if shape.rim is None else Rim(shape.rim.color, shape.rim.width * grown, shape.rim.opacity)
    return replace(shape, outline=Outline(loops), fill=_fill(shape.fill, linear, shift, grown), rim=rim)


def _fill(fill: Fill, linear: np.ndarray, shift: np.ndarray, grown: float) -> Fill:
    def to(x: float, y: float) -> tuple[float, float]:
        new = linear @ (x, y) + shift
        return float(new[0]), float(new[1])

    if isinstance(fill, LinearGradient):
        return LinearGradient(*to(fill.x1, fill.y1), *to(fill.x2, fill.y2), fill.stops)
    if isinstance(fill, RadialGradient):
        return RadialGradient(*to(fill.cx, fill.cy), fill.r * grown, fill.stops)
    return fill


def in_light(shape: Shape, light: Callable[[np.ndarray], np.ndarray]) -> Shape:
    """The shape with all its colours as ``light`` makes them."""
    def lit(color: Color) -> Color:
        red, green, blue = light(np.array(color)).tolist()
        return red, green, blue

    fill = shape.fill
    if isinstance(fill, SolidColor):
        return replace(shape, fill=SolidColor(lit(fill.color)))
    return replace(shape, fill=replace(fill, stops=tuple(replace(stop, color=lit(stop.color)) for stop in fill.stops)))
