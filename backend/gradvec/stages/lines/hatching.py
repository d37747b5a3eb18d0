"""Lines that give tone: long ones along the form, one after the other where most of it is missing."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from .streams import follow

#: Tone is compared on a picture of this side, which is quick and as fine as hatching is.
SIDE = 224
#: Places that are followed at a time, of which the best few that keep apart are drawn.
TRIED, DRAWN = 48, 8
#: A line goes on while at least this share of a full line is missing, and is worth drawing where it is so long (px of
#: a 512 px picture).
GO_ON, SHORTEST, LONGEST = 0.35, 14, 90


def hatching(missing: np.ndarray, direction: np.ndarray, width: float, unit: float, most: int,
             rng: np.random.Generator) -> list[np.ndarray]:
    """Up to ``most`` polylines (n, 2) px.

    Args:
        missing: (H, W) in [0, 1], share of each place that lines are yet to cover. direction: (2, H, W), unit.
        width: of a line, px. unit: px that stand for one px of a 512 px picture.
    """
    scale = min(1.0, SIDE / max(missing.shape))
    spread = max(1.6 * width * scale, 1.2)
    left = gaussian_filter(zoom(missing, scale, order=1), spread)
    field = np.stack([zoom(plane, scale, order=0) for plane in direction])
    # One line of this width, spread over its surroundings, takes so much at its middle.
    full = width * scale / (spread * np.sqrt(2 * np.pi))
    found: list[np.ndarray] = []
    shortest, longest = SHORTEST * unit * scale, max(3, round(LONGEST * unit * scale))
    fails = 0
    while len(found) < most and fails < 6:
        lines = _tried(left, field, full, longest, rng)
        lines = [line for line in lines if len(line) >= shortest]
        fails = fails + 1 if not lines else 0
        own = np.zeros_like(left)
        for line in lines[:min(DRAWN, most - len(found))]:
            rows, columns = (np.clip(line[:, k].astype(int), 0, left.shape[1 - k] - 1) for k in (1, 0))
            if own[rows, columns].mean() > 0.3 * full:
                continue
            mark = np.zeros_like(left)
            np.add.at(mark, (rows, columns), width * scale)
            own += gaussian_filter(mark, spread)
            found.append(line / scale)
        left -= own
    return found


def _tried(left: np.ndarray, field: np.ndarray, full: float, longest: int,
           rng: np.random.Generator) -> list[np.ndarray]:
    """Lines from the places where most is missing, the one that gives most first."""
    noisy = left * (0.8 + 0.4 * rng.random(left.shape))
    best = np.argpartition(-noisy.ravel(), min(TRIED, noisy.size - 1))[:TRIED]
    best = best[left.ravel()[best] > GO_ON * full]
    seeds = np.stack([best % left.shape[1], best // left.shape[1]], 1) + 0.5
    if not len(seeds):
        return []

    def good(at: np.ndarray, _: np.ndarray) -> np.ndarray:
        x, y = (np.clip(at[:, k].astype(int), 0, left.shape[1 - k] - 1) for k in (0, 1))
        return left[y, x] > GO_ON * full

    lines = follow(seeds, field, good, longest, 1)
    gain = [float(left[np.clip(line[:, 1].astype(int), 0, left.shape[0] - 1),
                       np.clip(line[:, 0].astype(int), 0, left.shape[1] - 1)].sum()) for line in lines]
    return [lines[k] for k in np.argsort(gain)[::-1]]
