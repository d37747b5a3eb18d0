"""The lines along a picture's edges, the most telling first: few and long."""

from __future__ import annotations

import heapq

import numpy as np
from scipy.ndimage import map_coordinates

from .edges import Edges
from .streams import follow, sampled

#: A line begins where its strength is at least the first, and goes on while it is at least the second.
BEGIN, GO_ON = 0.5, 0.28
#: Seeds that are followed at most, the strongest; px of a 512 px picture: a line's length each way, how far it goes on
#: without an edge, what of it is too short to count, and how near two lines may run beside each other.
SEEDS, LONGEST, PATIENCE, SHORTEST, APART = 3000, 300, 7, 9, 3.2
#: A line counts as its strength summed, to this power of its length: long ones are worth more than their parts.
LENGTH_POWER = 1.25


def contours(edges: Edges, most: int) -> list[np.ndarray]:
    """Up to ``most`` polylines (n, 2) px in steps of about 1 px, best first."""
    unit = edges.unit
    seeds = _ridge(edges)
    if not len(seeds):
        return []
    lines = follow(seeds, edges.tangent, lambda at, _: sampled(edges.strength, at) > GO_ON, round(LONGEST * unit),
                   round(PATIENCE * unit), edges.strength)
    worth = [sampled(edges.strength, line) for line in lines]
    return _chosen(lines, worth, edges.strength.shape, most, APART * unit, SHORTEST * unit)


def _ridge(edges: Edges) -> np.ndarray:
    """(n, 2) px centres that are stronger than both neighbours across the line, the strongest first."""
    strength, (tx, ty) = edges.strength, edges.tangent
    y, x = np.mgrid[0:strength.shape[0], 0:strength.shape[1]].astype(float)
    sides = [map_coordinates(strength, [y + d * tx, x - d * ty], order=1, mode="nearest") for d in (-1.0, 1.0)]
    top = (strength > BEGIN) & (strength >= sides[0]) & (strength > sides[1])
    rows, columns = np.nonzero(top)
    order = np.argsort(-strength[rows, columns], kind="stable")
    order = order[::max(1, len(order) // SEEDS)]
    return np.stack([columns[order], rows[order]], 1) + 0.5


def _chosen(lines: list[np.ndarray], worth: list[np.ndarray], size: tuple[int, ...], most: int, apart: float,
            shortest: float) -> list[np.ndarray]:
    """Greedily the line that is worth most where no earlier one runs; what runs beside one counts no more."""
    taken = np.zeros(size, bool)
    waiting = [(-_value(w), n) for n, w in enumerate(worth)]
    heapq.heapify(waiting)
    found: list[np.ndarray] = []
    while waiting and len(found) < most:
        before, n = heapq.heappop(waiting)
        start, end = _free_run(lines[n], taken)
        if end - start < shortest:
            continue
        value = _value(worth[n][start:end])
        if value > -before - 1e-9:
            end = start + _once_round(lines[n][start:end], apart)
            value = _value(worth[n][start:end])
        if value < -before - 1e-9:
            lines[n], worth[n] = lines[n][start:end], worth[n][start:end]
            heapq.heappush(waiting, (-value, n))
            continue
        found.append(lines[n][start:end])
        _mark(taken, found[-1], apart)
    return found


def _value(worth: np.ndarray) -> float:
    return float(worth.sum() * max(len(worth), 1) ** (LENGTH_POWER - 1))


def _free_run(line: np.ndarray, taken: np.ndarray) -> tuple[int, int]:
    """The longest run of a line's points that lie where none is."""
    x = np.clip(line[:, 0].astype(int), 0, taken.shape[1] - 1)
    y = np.clip(line[:, 1].astype(int), 0, taken.shape[0] - 1)
    blocked = np.flatnonzero(np.concatenate([[True], taken[y, x], [True]]))
    k = int(np.diff(blocked).argmax())
    return int(blocked[k]), int(blocked[k + 1]) - 1


def _once_round(line: np.ndarray, apart: float) -> int:
    """How many of a line's points there are until it comes back to itself, as round a cup's rim; all, if it never does.
    """
    step = 3
    coarse = line[::step]
    far = np.square(coarse[:, None] - coarse[None]).sum(-1)
    least = int(4 * apart)
    again = (far < apart * apart) & (np.arange(len(coarse))[:, None] - np.arange(len(coarse)) > least)
    back = np.flatnonzero(again.any(1))
    return len(line) if not len(back) else int(back[0]) * step + 1


def _mark(taken: np.ndarray, line: np.ndarray, radius: float) -> None:
    """Marks all px within ``radius`` of a line's points."""
    reach = int(np.ceil(radius))
    dy, dx = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    near = dx * dx + dy * dy <= radius * radius
    x = line[:, 0].astype(int)[:, None] + dx[near]
    y = line[:, 1].astype(int)[:, None] + dy[near]
    inside = (x >= 0) & (y >= 0) & (x < taken.shape[1]) & (y < taken.shape[0])
    taken[y[inside], x[inside]] = True
