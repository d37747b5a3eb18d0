"""Strokes that do nothing are wasted: which those are, and where they would do more."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..geometry.slopes import slopes
from ..model import Target
from .variables import Places, Variables
from .visibility import visible_areas


class OrientationField:
    """Along which way the picture runs at every pixel (structure tensor, Gaussian 4 px): angle (H, W)."""

    def __init__(self, target: Target) -> None:
        grey = ndimage.gaussian_filter((target.rgb * target.alpha[..., None]).mean(2), 1.5)
        gx, gy = slopes(grey)
        xx, yy, xy = (ndimage.gaussian_filter(v, 4) for v in (gx * gx, gy * gy, gx * gy))
        self.angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2


def places_by_error(error: np.ndarray, count: int, target: Target, field: OrientationField, rng: np.random.Generator,
                    size: float) -> Places:
    """``count`` places, drawn by the error that is left within about ``size`` px, apart from each other."""
    height, width = error.shape
    smooth = ndimage.gaussian_filter(error, size / 2) * (target.alpha > 0.5)
    centres = np.zeros((count, 2))
    rows, columns = np.mgrid[0:height, 0:width]
    for k in range(count):
        total = smooth.sum()
        share = smooth.ravel() if total > 0 else np.ones(height * width)
        at = int(np.searchsorted(np.cumsum(share), rng.uniform() * share.sum()))
        y, x = divmod(min(at, height * width - 1), width)
        centres[k] = x + 0.5, y + 0.5
        far = int(2 * size)
        near = slice(max(0, y - far), y + far + 1), slice(max(0, x - far), x + far + 1)
        distance = (rows[near] - y) ** 2 + (columns[near] - x) ** 2
        smooth[near] *= 1 - np.exp(-distance / (2 * size * size))
    xi, yi = centres[:, 0].astype(int), centres[:, 1].astype(int)
    return Places(centres, np.full(count, size), field.angle[yi, xi], target.rgb[yi, xi])


def idle_last(variables: Variables, engine: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Takes up to ``most`` shapes that are hardly seen to the top of the paint order.

    Returns:
        (order, idle): the new order as old indices, and which of the new rows (N,) bool are those.
    """
    seen = visible_areas(variables, engine)
    dead = np.flatnonzero(seen < max(8.0, 0.08 * float(np.median(seen))))
    dead = dead[np.argsort(seen[dead], kind="stable")][:most]
    order = np.concatenate([np.setdiff1d(np.arange(variables.count), dead), dead])
    return order, np.arange(variables.count) >= variables.count - len(dead)
