"""How much of a line each place of a picture asks for, and which way it runs.

The flow-based difference of Gaussians of Kang, Lee and Chui (2007), with the tangents of the smoothed structure tensor
(Kyprianidis and Kang 2011): across an edge a difference of two Gaussians, which is negative on its dark side; along the
edge, following its bends, a mean. So broken edges close, and texture without a direction goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from ...color.oklab import oklab
from ...geometry.slopes import structure_tensor

#: px of a 512 px picture: the inner Gaussian across an edge, the mean along it, smoothing of the tangents and before
#: all of it.
ACROSS, ALONG, TANGENTS, BEFORE = 1.1, 5.0, 2.6, 0.8
#: Small pictures are looked at as if they were so much of 512 px: between pixels there are no edges.
UNIT_LEAST = 0.5
#: The outer Gaussian is wider than the inner one by this, and counts a little less.
WIDER, OUTER = 1.6, 0.995
#: A line has half the full strength where its difference of lightness is this share of what the strongest twentieth of
#: the picture has; the least and the most that it may be: calm pictures keep their lines, rough ones do not drown.
HALF, HALF_LEAST, HALF_MOST = 0.4, 0.004, 0.015


@dataclass(frozen=True)
class Edges:
    """strength: (H, W) in [0, 1], how much of a line belongs there. tangent: (2, H, W) unit x and y, of either sign.
    light: (H, W) OKLab lightness in [0, 1]. unit: px that stand for one px of a 512 px picture, but no less
    than pixels can show."""

    strength: np.ndarray
    tangent: np.ndarray
    light: np.ndarray
    unit: float


def edges_of(rgb: np.ndarray, unit: float | None = None) -> Edges:
    """The lines that a picture (H, W, 3) asks for. unit: px that stand for one of a 512 px picture, None: as its own
    size has it."""
    unit = max(max(rgb.shape[:2]) / 512, UNIT_LEAST) if unit is None else unit
    lab = gaussian_filter(oklab(rgb.astype(np.float64)), (BEFORE * unit, BEFORE * unit, 0))
    tangent = _tangents(lab, TANGENTS * unit)
    difference = _across(lab[..., 0], tangent, ACROSS * unit)
    difference = _along(difference, tangent, max(2, round(ALONG * unit)))
    depth = np.maximum(-difference, 0.0)
    half = np.clip(HALF * np.quantile(depth, 0.95), HALF_LEAST, HALF_MOST)
    return Edges(depth / (depth + half), tangent, lab[..., 0], unit)


def _tangents(lab: np.ndarray, sigma: float) -> np.ndarray:
    """(2, H, W) across the steepest way, from the structure tensor of all planes, smoothed."""
    double = gaussian_filter(structure_tensor(lab)[:2], (0, sigma, sigma))
    angle = (np.arctan2(double[1], double[0]) + np.pi) / 2
    return np.stack([np.cos(angle), np.sin(angle)])


def _across(light: np.ndarray, tangent: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W) inner less outer Gaussian mean of lightness, square to the tangent."""
    y, x = np.mgrid[0:light.shape[0], 0:light.shape[1]].astype(np.float64)
    far = np.arange(-round(3 * WIDER * sigma), round(3 * WIDER * sigma) + 1)
    inner, outer = (_gaussian(far, s) for s in (sigma, WIDER * sigma))
    result = np.zeros_like(light)
    for offset, weight in zip(far, inner - OUTER * outer, strict=True):
        result += weight * map_coordinates(light, [y + offset * tangent[0], x - offset * tangent[1]], order=1,
                                           mode="nearest")
    return result


def _gaussian(at: np.ndarray, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * (at / sigma) ** 2)
    return weights / weights.sum()


def _along(plane: np.ndarray, tangent: np.ndarray, reach: int) -> np.ndarray:
    """(H, W) mean of a plane along the tangents' way, ``reach`` px in both directions."""
    height, width = plane.shape
    rows, columns = np.mgrid[0:height, 0:width]
    weights = np.exp(-0.5 * (np.arange(1, 2 * reach + 1) / reach) ** 2)
    result, total = plane.copy(), 1.0
    for sign in (1.0, -1.0):
        x, y, (tx, ty) = columns.astype(float), rows.astype(float), sign * tangent
        for weight in weights:
            x, y = np.clip(x + tx, 0, width - 1), np.clip(y + ty, 0, height - 1)
            at = np.rint(y).astype(int), np.rint(x).astype(int)
            result += weight * plane[at]
            own = tangent[:, at[0], at[1]]
            turn = np.where(own[0] * tx + own[1] * ty < 0, -1.0, 1.0)
            tx, ty = own[0] * turn, own[1] * turn
        total += weights.sum()
    return result / total
