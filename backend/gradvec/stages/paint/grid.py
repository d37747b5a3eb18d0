"""Regular seeding: blocks of equal size, strokes along the picture's own edges."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates, sobel

from .canvas import Goal
from .seeds import Seeds


def regular(goal: Goal, count: int, rng: np.random.Generator, gradient: bool = True) -> Seeds:
    """``count`` strokes on a grid of blocks as square as can be, each about as large as its block, in px of the whole.

    Directions follow the structure tensor, so strokes run along edges. Bare parts get no strokes. gradient: whether
    colours are taken at both ends rather than once.
    """
    width, height = goal.size
    rows = max(1, round(math.sqrt(count * height / width)))
    columns = math.ceil(count / rows)
    block_y, block_x = height / rows, width / columns
    places = np.array([(block_x * (c + 0.5), block_y * (r + 0.5)) for r in range(rows) for c in range(columns)])
    places = places[np.sort(rng.permutation(len(places))[:count])]
    places += rng.uniform(-0.15, 0.15, places.shape) * (block_x, block_y)
    rgba = goal.rgba.numpy()
    places = places[_sample(rgba[3], places) > 0.5] if rgba[3].min() < 1 else places
    n = len(places)
    size = math.sqrt(block_x * block_y)
    angle = _sample_angle(rgba[:3], places, size)
    length, across = np.full(n, 1.9 * size), np.full(n, 1.05 * size)
    end = np.stack([np.cos(angle), np.sin(angle)], 1) * length[:, None] * 0.35
    soft = [gaussian_filter(plane, size / 4) for plane in rgba]
    ends = []
    for sign in (-1, 1):
        spot = places + sign * end * gradient
        alpha = np.maximum(_sample(soft[3], spot), 1e-3)
        ends.append(np.clip(np.stack([_sample(plane, spot) / alpha for plane in soft[:3]], 1), 0, 1))
    axis = np.zeros((n, 4))
    axis[:, 0], axis[:, 2] = -length * 0.35, length * 0.35
    return Seeds(*(np.asarray(a, np.float32) for a in (places, length, across, angle, axis, *ends, np.ones(n)))
                 ).scaled(1 / goal.scale)


def _sample(plane: np.ndarray | torch.Tensor, places: np.ndarray) -> np.ndarray:
    """Values of a plane at places (n, 2) = x, y px, pixel centres at +0.5."""
    return map_coordinates(np.asarray(plane), [places[:, 1] - 0.5, places[:, 0] - 0.5], order=1, mode="nearest")


def _sample_angle(colors: np.ndarray, places: np.ndarray, size: float) -> np.ndarray:
    """Direction along which the picture changes least around each place, radians."""
    smooth = gaussian_filter(colors, (0, 1, 1))
    dx, dy = sobel(smooth, 2), sobel(smooth, 1)
    xx, yy, xy = (gaussian_filter(p.sum(0), max(size / 3, 0.5)) for p in (dx * dx, dy * dy, dx * dy))
    steepest = 0.5 * np.arctan2(2 * _sample(xy, places), _sample(xx, places) - _sample(yy, places))
    return (steepest + math.pi / 2).astype(np.float64)
