"""How steep a picture is at every pixel, and along which way: what directions of strokes and lines are read from."""

from __future__ import annotations

import numpy as np


def slopes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(across, down): change per px of a picture (H, W) or (H, W, C), each of its shape; one that is a single px wide
    or high has none."""
    if min(picture.shape[:2]) < 2:
        return np.zeros_like(picture), np.zeros_like(picture)
    down, across = np.gradient(picture, axis=(0, 1))
    return across, down


def structure_tensor(picture: np.ndarray) -> np.ndarray:
    """(3, H, W) of a picture (H, W, C), summed over its planes, not smoothed.

    The first two are the steepest way as an angle taken twice (so that there and back are one way): squared slope times
    its cosine and its sine. The last is the squared slope.
    """
    across, down = slopes(picture)
    return np.stack([(across * across - down * down).sum(2), 2 * (across * down).sum(2),
                     (across * across + down * down).sum(2)])
