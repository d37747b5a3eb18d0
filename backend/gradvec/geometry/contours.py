"""Numba kernels that read contours off a grid of opacities: marching squares, and thinning of closed polygons."""

from __future__ import annotations

import numpy as np

from ..render.kernel_cache import njit


@njit(cache=True, nogil=True)
def march(grid, level):
    """Closed contours of ``grid`` (h, w) at ``level``, interpolated linearly between grid points.

    The frame of the grid must lie below the level. Inside is on the right hand: outer contours run clockwise as seen
    on the screen (y down). Where a cell is ambiguous its mean decides.

    Returns:
        points (P, 2) as (column, row) of the grid, start (L + 1,) first point of each contour.
    """
    h, w = grid.shape
    # Every crossed grid edge begins exactly one piece of contour. Edge 2 k runs right from point k, 2 k + 1 down.
    follow = np.full(2 * h * w, -1, np.int64)
    crossed = 0
    for r in range(h - 1):
        for c in range(w - 1):
            tl, tr = grid[r, c] >= level, grid[r, c + 1] >= level
            bl, br = grid[r + 1, c] >= level, grid[r + 1, c + 1] >= level
            if tl == tr and tl == bl and tl == br:
                continue
            k = r * w + c
            top, left, right, bottom = 2 * k, 2 * k + 1, 2 * (k + 1) + 1, 2 * (k + w)
            if tl == br and tr == bl and tl != tr:
                mean = 0.25 * (grid[r, c] + grid[r, c + 1] + grid[r + 1, c] + grid[r + 1, c + 1])
                joined = mean >= level
                if tl:
                    follow[top], follow[bottom] = (right, left) if joined else (left, right)
                else:
                    follow[right], follow[left] = (bottom, top) if joined else (top, bottom)
                crossed += 2
                continue
            # Clockwise round the cell: where inside turns to outside a piece begins, where it turns back it ends.
            begin = end = top
            if tl != tr:
                if tl:
                    begin = top
                else:
                    end = top
            if tr != br:
                if tr:
                    begin = right
                else:
                    end = right
            if br != bl:
                if br:
                    begin = bottom
                else:
                    end = bottom
            if bl != tl:
                if bl:
                    begin = left
                else:
                    end = left
            follow[begin] = end
            crossed += 1
    points = np.empty((crossed, 2))
    starts = np.empty(crossed + 1, np.int64)
    loops = count = 0
    starts[0] = 0
    for first in range(2 * h * w):
        at = first
        if follow[at] < 0:
            continue
        while follow[at] >= 0:
            k = at // 2
            r, c = k // w, k % w
            down = at % 2
            a, b = grid[r, c], grid[r + down, c + 1 - down]
            t = (level - a) / (b - a)
            points[count, 0] = c + (0.0 if down else t)
            points[count, 1] = r + (t if down else 0.0)
            count += 1
            after = follow[at]
            follow[at] = -1
            at = after
        loops += 1
        starts[loops] = count
    return points[:count], starts[:loops + 1]


@njit(cache=True, nogil=True)
def thin(points, most, keep):
    """Which points of a closed polygon to keep so that at most ``most`` are left (more only where ``keep`` is true).

    Visvalingam and Whyatt (1993): the point that spans the smallest triangle with its neighbours goes first.
    """
    n = len(points)
    alive = np.ones(n, np.bool_)
    before, after = np.arange(n) - 1, np.arange(n) + 1
    before[0], after[n - 1] = n - 1, 0
    area = np.empty(n)
    for i in range(n):
        area[i] = np.inf if keep[i] else _triangle(points, before[i], i, after[i])
    # A heap by hand: (area, index) pairs, stale ones skipped.
    heap_area, heap_index = np.empty(4 * n), np.empty(4 * n, np.int64)
    size = 0
    for i in range(n):
        if not keep[i]:
            size = _push(heap_area, heap_index, size, area[i], i)
    left = n
    while left > most and size > 0:
        least, i = heap_area[0], heap_index[0]
        size = _pop(heap_area, heap_index, size)
        if not alive[i] or least != area[i]:
            continue
        alive[i] = False
        left -= 1
        b, a = before[i], after[i]
        after[b], before[a] = a, b
        for j in (b, a):
            if not keep[j]:
                area[j] = max(_triangle(points, before[j], j, after[j]), least)
                size = _push(heap_area, heap_index, size, area[j], j)
    return np.nonzero(alive)[0]


@njit(cache=True, nogil=True)
def error_inside(loop, wrong, left, top):
    """Sum of ``wrong`` (h, w) over the pixels whose centres lie in a closed polygon (n, 2), by the even-odd rule.

    left, top: where the first pixel's corner lies, in the polygon's px.
    """
    h, w = wrong.shape
    n = len(loop)
    first_row, last_row = max(int(loop[:, 1].min() - top), 0), min(int(loop[:, 1].max() - top) + 1, h)
    first, last = max(int(loop[:, 0].min() - left), 0), min(int(loop[:, 0].max() - left) + 1, w)
    total = 0.0
    for r in range(first_row, last_row):
        y = top + r + 0.5
        for c in range(first, last):
            x = left + c + 0.5
            odd = False
            for i in range(n):
                j = i + 1 if i + 1 < n else 0
                if (loop[i, 1] > y) != (loop[j, 1] > y):
                    across = loop[i, 0] + (y - loop[i, 1]) / (loop[j, 1] - loop[i, 1]) * (loop[j, 0] - loop[i, 0])
                    odd ^= across > x
            if odd:
                total += wrong[r, c]
    return total


@njit(cache=True, inline="always")
def _triangle(points, a, b, c):
    """Twice the area."""
    return abs((points[a, 0] - points[b, 0]) * (points[c, 1] - points[b, 1])
               - (points[a, 1] - points[b, 1]) * (points[c, 0] - points[b, 0]))


@njit(cache=True)
def _push(area, index, size, value, i):
    at = size
    while at > 0 and area[(at - 1) // 2] > value:
        up = (at - 1) // 2
        area[at], index[at] = area[up], index[up]
        at = up
    area[at], index[at] = value, i
    return size + 1


@njit(cache=True)
def _pop(area, index, size):
    size -= 1
    value, i = area[size], index[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and area[child + 1] < area[child]:
            child += 1
        if area[child] >= value:
            break
        area[at], index[at] = area[child], index[child]
        at = child
    area[at], index[at] = value, i
    return size
