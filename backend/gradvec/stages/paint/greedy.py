"""Which strokes gain most: those that gain more than their neighbours, and a greedy choice among them, in which each
that is taken leaves nothing to gain where it lies."""

from __future__ import annotations

import heapq
import math

import numpy as np

from ...render.kernel_cache import njit


@njit(nogil=True, error_model="numpy")
def peaks(wrong, left, extra, follows):
    """Where a stroke gains something, and no less than at the eight places around in the same direction.

    Args:
        wrong, left: (M, h, w) float32 for M directions: squared error there now, and what the best stroke leaves.
        extra, follows: (M, h, w) float32, or empty: what it makes besides, and which share of the gain counts.

    Returns:
        (places as indices into the flattened arrays, gains).
    """
    directions, height, width = wrong.shape
    gain = np.full((height + 2, width + 2), -np.inf, np.float32)
    places, gains, count = np.empty(wrong.size, np.int64), np.empty(wrong.size, np.float32), 0
    for m in range(directions):
        for y in range(height):
            for x in range(width):
                value = wrong[m, y, x] - left[m, y, x]
                if len(extra) > 0:
                    value -= extra[m, y, x]
                if len(follows) > 0:
                    value *= follows[m, y, x]
                gain[y + 1, x + 1] = value
        for y in range(1, height + 1):
            for x in range(1, width + 1):
                value = gain[y, x]
                if (value > 0 and value >= gain[y, x - 1] and value >= gain[y, x + 1]
                        and value >= gain[y - 1, x - 1] and value >= gain[y - 1, x] and value >= gain[y - 1, x + 1]
                        and value >= gain[y + 1, x - 1] and value >= gain[y + 1, x] and value >= gain[y + 1, x + 1]):
                    places[count], gains[count] = (m * height + y - 1) * width + x - 1, value
                    count += 1
    return places[:count], gains[:count]


@njit(nogil=True, error_model="numpy")
def choose(candidates, error, count, cell, clear_min):
    """The candidates with the most gain that is still there to be had.

    Args:
        candidates: (n, 6 or more) float64: gain, centre x, y, length, width, angle.
        error: (rows, columns) of the cells at whose corners it is kept what is taken. Where little error is left of
            what a candidate lies on, it gains little: a bright speck is not painted over and over by all directions.
        count: how many are taken at most. cell: of that grid, px.
        clear_min: a candidate of which less than this share lies clear of those taken before is left out.

    Returns:
        (indices, gains) of those that were taken, in that order; a gain is that of the clear part, by its area or its
        error, whichever is less: strokes that cross others gain little even where those lie on little error.
    """
    free = np.ones(error.shape, np.bool_)
    heap = [(-candidates[i, 0], i) for i in range(len(candidates))]
    heapq.heapify(heap)
    indices, gains, taken = np.empty(count, np.int64), np.empty(count), 0
    while len(heap) > 0 and taken < count:
        negative, i = heapq.heappop(heap)
        clear, share = _clear_shares(candidates[i], error, cell, free, False)
        if clear < clear_min:
            continue
        gain = candidates[i, 0] * min(clear, share)
        if gain < -negative * 0.95:  # others may have more by now
            heapq.heappush(heap, (-gain, i))
            continue
        _clear_shares(candidates[i], error, cell, free, True)
        indices[taken], gains[taken] = i, gain
        taken += 1
    return indices[:taken], gains[:taken]


@njit(nogil=True, error_model="numpy")
def _clear_shares(candidate, error, cell, free, take):
    """Which share of a candidate's cells is free, and which share of their error; 0 where it has none. ``take`` leaves
    none of them free."""
    cx, cy, length, width, angle = candidate[1], candidate[2], candidate[3], candidate[4], candidate[5]
    cos, sin = math.cos(angle), math.sin(angle)
    rx = (abs(cos) * length + abs(sin) * width) / 2
    ry = (abs(sin) * length + abs(cos) * width) / 2
    half_length, half_width = length / 2 + 0.25 * cell, width / 2 + 0.25 * cell
    area, clear, wrong, clear_wrong = 0, 0, 1e-12, 0.0
    for row in range(max(0, int((cy - ry) / cell)), min(free.shape[0], int((cy + ry) / cell) + 2)):
        y = row * cell - cy
        for column in range(max(0, int((cx - rx) / cell)), min(free.shape[1], int((cx + rx) / cell) + 2)):
            x = column * cell - cx
            if abs(x * cos + y * sin) <= half_length and abs(y * cos - x * sin) <= half_width:
                area += 1
                wrong += error[row, column]
                if free[row, column]:
                    clear += 1
                    clear_wrong += error[row, column]
                if take:
                    free[row, column] = False
    return (clear / area, clear_wrong / wrong) if area > 0 else (0.0, 0.0)
