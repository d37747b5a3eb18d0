"""Colours as numbers in which distance is what the eye sees, and few colours that stand for many.

Oklab: Bjorn Ottosson, "A perceptual color space for image processing" (2020); its lightness runs from 0 to 1.
"""

from __future__ import annotations

import numpy as np

_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]])
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])
ROUNDS = 60


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB in [0, 255] as (n, 3) Oklab."""
    value = np.asarray(rgb, float).reshape(-1, 3) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """(n, 3) Oklab as (n, 3) sRGB, kept in [0, 255]."""
    linear = (np.asarray(lab, float).reshape(-1, 3) @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0.0, 1.0)
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(value * 255, 0, 255)


def nearest(lab: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(n,) index of the colour of ``palette`` (k, 3) that is nearest to each colour."""
    return ((lab[:, None, :] - palette[None]) ** 2).sum(-1).argmin(1)


def few(lab: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """(k, 3) colours, at most ``count``, that stand for ``lab`` (n, 3) best: weighted K-means.

    It starts from the heaviest colour and then, again and again, the one that is worst served; so there is nothing
    random in it.
    """
    centers = lab[[int(weight.argmax())]]
    while len(centers) < count:
        far = ((lab[:, None, :] - centers[None]) ** 2).sum(-1).min(1) * weight
        if far.max() <= 1e-12:
            break
        centers = np.concatenate([centers, lab[[int(far.argmax())]]])
    for _round in range(ROUNDS):
        owner = nearest(lab, centers)
        moved = np.array([np.average(lab[owner == k], 0, weight[owner == k]) if weight[owner == k].sum() > 0
                          else centers[k] for k in range(len(centers))])
        if np.abs(moved - centers).max() < 1e-7:
            break
        centers = moved
    return centers
