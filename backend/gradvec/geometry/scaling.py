"""Shapes carried from one px into another, scaled and shifted along the axes; pictures in another size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ..model import Fill, LinearGradient, Outline, RadialGradient, Shape, SolidColor

Pair = tuple[float, float]


def scaled(shape: Shape, scale: Pair, shift: Pair = (0.0, 0.0)) -> Shape:
    """The shape at x * scale + shift. A radial gradient, which stays round, gets the mean scale."""
    factor, move = np.array(scale), np.array(shift)
    outline = Outline(tuple((loop * factor + move).astype(np.float32) for loop in shape.outline.loops))
    rim = shape.rim and replace(shape.rim, width=shape.rim.width * math.sqrt(abs(scale[0] * scale[1])))
    return replace(shape, outline=outline, fill=_fill(shape.fill, scale, shift), rim=rim)


def _fill(fill: Fill, scale: Pair, shift: Pair) -> Fill:
    (a, b), (c, d) = scale, shift
    if isinstance(fill, SolidColor):
        return fill
    if isinstance(fill, LinearGradient):
        return replace(fill, x1=fill.x1 * a + c, y1=fill.y1 * b + d, x2=fill.x2 * a + c, y2=fill.y2 * b + d)
    assert isinstance(fill, RadialGradient)
    return replace(fill, cx=fill.cx * a + c, cy=fill.cy * b + d, r=fill.r * math.sqrt(abs(a * b)))


def averaged(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) as (*size, C), averaged over areas."""
    return _sized(planes, size, mode="area")


def interpolated(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) as (*size, C), each px between the four nearest."""
    return _sized(planes, size, mode="bilinear", align_corners=False)


def _sized(planes: np.ndarray, size: tuple[int, int], **how: Any) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(planes, np.float32)).permute(2, 0, 1)[None]
    return F.interpolate(tensor, size=size, **how)[0].permute(1, 2, 0).numpy()
