"""Lines followed through a field of directions: all seeds step together, each until its line ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

#: A line that turns by more than this in one px has come to a corner: it ends there.
CORNER_COSINE = 0.75


def sampled(plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) values of a plane (H, W) at points (n, 2) px, between pixel centres."""
    return map_coordinates(plane, [points[:, 1] - 0.5, points[:, 0] - 0.5], order=1, mode="nearest")


def follow(seeds: np.ndarray, direction: np.ndarray, good: Callable[[np.ndarray, np.ndarray], np.ndarray], most: int,
           patience: int, centred: np.ndarray | None = None) -> list[np.ndarray]:
    """From each seed (n, 2) px both ways along a field (2, H, W) of unit directions, whose sign means nothing.

    good: tells of points (m, 2) of the seeds (m,) whether a line belongs there; a line passes over up to ``patience``
    px where none does. centred: a plane on whose ridge lines stay. most: px that a line runs each way.

    Returns:
        A line (k, 2) for each seed, in steps of 1 px.
    """
    ahead = _one_way(seeds, direction, 1.0, good, most, patience, centred)
    behind = _one_way(seeds, direction, -1.0, good, most, patience, centred)
    return [np.concatenate([b[::-1], seed[None], a]) for seed, a, b in zip(seeds, ahead, behind, strict=True)]


def _one_way(seeds: np.ndarray, direction: np.ndarray, sign: float, good: Callable, most: int, patience: int,
             centred: np.ndarray | None) -> list[np.ndarray]:
    height, width = direction.shape[1:]
    path = np.zeros((most, len(seeds), 2), np.float32)
    reached, missed = np.zeros(len(seeds), int), np.zeros(len(seeds), int)
    live, at = np.arange(len(seeds)), seeds.astype(float).copy()
    heading = sign * _direction_at(direction, at, None)
    for step in range(most):
        at = at + heading
        ahead = _direction_at(direction, at, heading)
        if centred is not None:
            at = at + _towards_ridge(centred, at, ahead)
        inside = (at > 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
        straight = (ahead * heading).sum(1) > CORNER_COSINE
        path[step, live] = at
        fine = good(at, live)
        missed[live] = np.where(fine, 0, missed[live] + 1)
        reached[live[fine & inside & straight]] = step + 1
        keep = inside & straight & (missed[live] <= patience)
        live, at, heading = live[keep], at[keep], ahead[keep]
        if not len(live):
            break
    return [path[:reached[n], n].astype(float) for n in range(len(seeds))]


def _direction_at(direction: np.ndarray, points: np.ndarray, heading: np.ndarray | None) -> np.ndarray:
    """(n, 2) the field's direction at points, turned to go on with ``heading``."""
    height, width = direction.shape[1:]
    x = np.clip(points[:, 0].astype(int), 0, width - 1)
    y = np.clip(points[:, 1].astype(int), 0, height - 1)
    found = direction[:, y, x].T
    if heading is not None:
        found = np.where((found * heading).sum(1, keepdims=True) < 0, -found, found)
    return found


def _towards_ridge(plane: np.ndarray, points: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(n, 2) a step of at most 0.35 px square to the line, towards where the plane is highest."""
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    left, here, right = (sampled(plane, points + d * normal) for d in (-1.0, 0.0, 1.0))
    bend = 2 * here - left - right
    shift = np.where(bend > 1e-6, (right - left) / (2 * np.maximum(bend, 1e-6)), np.sign(right - left))
    return normal * np.clip(shift, -0.35, 0.35)[:, None]
