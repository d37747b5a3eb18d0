"""Which pixels count how much while paths are still being added."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...geometry.cubics import flatten
from ...model import Shape, Target

#: Near the contours of new paths a pixel counts so many times more, fading over a share of the picture's longest side.
NEAR, FADE = 4.0, 0.02
#: A squared error that counts a quarter while further paths are to come.
OUTSTANDING = 3 * (16.0 / 255.0) ** 2


def distance_weight(shapes: list[Shape], target: Target) -> np.ndarray:
    """(H, W) factor of each pixel's squared difference, mean 1: larger near the contours of ``shapes`` (LIVE's
    distance-weighted loss), so that new paths learn their own edges first."""
    apart = np.ones((target.height, target.width), bool)
    if not shapes:
        return apart.astype(np.float32)
    points = np.concatenate([flatten(loop, 24) for shape in shapes for loop in shape.outline.loops])
    column, row = np.floor(points).astype(int).T
    seen = (column >= 0) & (row >= 0) & (column < target.width) & (row < target.height)
    apart[row[seen], column[seen]] = False
    if apart.all():
        return np.ones(apart.shape, np.float32)
    reach = max(2.0, FADE * max(apart.shape))
    weight = 1.0 + NEAR * np.exp(-0.5 * (ndimage.distance_transform_edt(apart) / reach) ** 2)
    return (weight / weight.mean()).astype(np.float32)


def patience(error: np.ndarray) -> np.ndarray:
    """(H, W) factor in (0, 1] of each pixel, small where the squared error (H, W) is large all around: another path has
    still to come there, and those that are there would only be spoilt by it. Edges that are a pixel off count in full.
    """
    solid = ndimage.grey_opening(error, (5, 5))
    return np.square(OUTSTANDING / (OUTSTANDING + solid)).astype(np.float32)
