"""How a painting is painted, measured from a picture of it: how long, how wide, how aligned and how opaque strokes are.

No model and no weights. What varies slowly is what is shown and is taken away first; what is left is handiwork. Turned
into the local direction of its structure tensor, its autocorrelation falls off across strokes by their width and along
them by their length. Strokes that cover each other are dead leaves (Matheron 1968): of two places so far apart that
a stroke has the share g of itself in common with itself moved there, g / (2 - g) lie under one stroke. That is a half
where g is two thirds, at a third of a stroke's extent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from ..geometry.slopes import structure_tensor
from ..model import Target

#: What is larger than this share of the longest side is what is shown, not how it is painted.
SHOWN = 1 / 10
#: Smoothing of the structure tensor: of a stroke, of the way that some of them run, and of their neighbourhood, as
#: shares of the longest side.
NEAR, WAY, AROUND = 1 / 80, 1 / 25, 1 / 12
#: Places that are looked at, and the largest lag, as a share of the longest side.
PLACES, REACH = 2000, 1 / 8
#: What is fainter than this share of the strong edges is grain. Opaque strokes' edges as a share of all pixels, times
#: the strokes' width.
GRAIN, CROWDED = 0.05, 0.33


@dataclass(frozen=True)
class Manner:
    """Of a painting: how its strokes are.

    width, length: of a usual stroke, shares of the picture's longest side. spread: standard deviation of directions
    around that of their neighbourhood, radians, up to pi / 4 (none is like another). opacity: in (0, 1]."""

    width: float
    length: float
    spread: float
    opacity: float

    @property
    def aspect(self) -> float:
        """Length over width, at least 1."""
        return max(1.0, self.length / self.width)


def manner_of(painting: Target, seed: int = 0) -> Manner:
    """The manner in which a painting of any size is painted. Of a picture without any structure: one large stroke."""
    side = max(painting.width, painting.height)
    planes = painting.rgb.astype(np.float64) * painting.alpha[..., None]
    work = planes - gaussian_filter(planes, (side * SHOWN, side * SHOWN, 0))
    tensor = structure_tensor(work)
    near = gaussian_filter(tensor, (0, side * NEAR, side * NEAR))
    if near[2].max() < 1e-7:
        return Manner(1.0, 1.0, 0.0, 1.0)
    rng = np.random.default_rng(seed)
    y, x = rng.integers(0, painting.height, PLACES), rng.integers(0, painting.width, PLACES)
    way = gaussian_filter(tensor[:2], (0, side * WAY, side * WAY))
    along = np.arctan2(way[1, y, x], way[0, y, x]) / 2 + math.pi / 2
    lags = np.arange(0.0, max(4.0, side * REACH), 0.5)
    width = _extent(work, x, y, along + math.pi / 2, lags)
    length = max(width, _extent(work, x, y, along, lags))
    return Manner(width / side, length / side, _spread(near, side), _opacity(work, width))


def _extent(work: np.ndarray, x: np.ndarray, y: np.ndarray, angle: np.ndarray, lags: np.ndarray) -> float:
    """px: three times the lag at which the correlation along ``angle`` (n,) has fallen to a half."""
    here = np.stack([plane[y, x] for plane in np.moveaxis(work, -1, 0)])
    usual = float((here**2).sum(0).mean())
    before = 1.0
    for k, lag in enumerate(lags[1:], 1):
        total = 0.0
        for sign in (-1, 1):
            at = np.stack([y + sign * lag * np.sin(angle), x + sign * lag * np.cos(angle)])
            there = np.stack([map_coordinates(p, at, order=1, mode="nearest") for p in np.moveaxis(work, -1, 0)])
            total += float((here * there).sum(0).mean()) / 2
        now = total / usual
        if now < 0.5:
            return 3 * float(lags[k - 1] + (before - 0.5) / (before - now) * (lag - lags[k - 1]))
        before = now
    return 3 * float(lags[-1])


def _spread(near: np.ndarray, side: int) -> float:
    """Radians: how far directions stray from those around them, the circular deviation of their doubled angles."""
    length = np.hypot(near[0], near[1])
    # A place without any direction of its own strays as it likes.
    clear = np.maximum(near[2], 1e-12)
    around = gaussian_filter(near[:2] / clear * np.sqrt(clear), (0, side * AROUND, side * AROUND))
    total = gaussian_filter(length / clear * np.sqrt(clear), side * AROUND)
    agreed = np.hypot(*around) / np.maximum(total, 1e-12)
    mean = float(np.clip(np.average(agreed, weights=np.sqrt(clear)), 1e-3, 1.0))
    return min(math.pi / 4, math.sqrt(-2 * math.log(mean)) / 2)


def _opacity(work: np.ndarray, width: float) -> float:
    """In [0.3, 1], from how many edges there are for strokes so wide (px): opaque ones hide those under them,
    see-through ones let some show. Calibrated on paintings made by code; the least certain figure."""
    trace = np.sqrt(structure_tensor(gaussian_filter(work, (0.7, 0.7, 0)))[2])
    ridge = trace == maximum_filter(trace, 3)
    strong = np.quantile(trace[ridge], 0.95)
    crowded = width * float((ridge & (trace > GRAIN * strong)).mean())
    return float(np.clip(1 - (crowded - CROWDED) / CROWDED * 0.63, 0.3, 1.0))
