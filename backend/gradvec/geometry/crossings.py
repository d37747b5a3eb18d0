"""Numba kernel that finds where the edges of closed polygons cross."""

from __future__ import annotations

import math

import numpy as np

from ..render.kernel_cache import njit

#: Points are moved apart by about this much, px, each in a direction of its own, so that a crossing that falls
#: exactly on corners is one crossing as well.
_APART_PX = 1e-7


@njit(cache=True, inline="always")
def _side(ax, ay, bx, by, px, py):
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@njit(cache=True, nogil=True)
def edge_crossings(points, start, most):
    """Crossings between edges of closed polygons, of one polygon with itself or of two.

    points (P, 2) px, start (L + 1,) first point of each polygon.

    Returns:
        count, and the first ``most`` of them as (edge, position on it in [0, 1], other edge, position): edge k leads
        from point k to the next point of its polygon. By rising leftmost reach of the edges.
    """
    n = len(points)
    x, y = np.empty(n), np.empty(n)
    for i in range(n):
        x[i] = points[i, 0] + _APART_PX * math.sin(12.9898 * i + 0.5)
        y[i] = points[i, 1] + _APART_PX * math.cos(78.233 * i + 0.25)
    follow = np.arange(n) + 1
    for loop in range(len(start) - 1):
        if start[loop + 1] > start[loop]:
            follow[start[loop + 1] - 1] = start[loop]
    left = np.minimum(x, x[follow])
    order = np.argsort(left)
    found = np.empty((most, 4))
    count = 0
    for at in range(n):
        i = order[at]
        a, b = i, follow[i]
        reach = max(x[a], x[b])
        low, high = min(y[a], y[b]), max(y[a], y[b])
        for other in range(at + 1, n):
            j = order[other]
            if left[j] > reach:
                break
            c, d = j, follow[j]
            if max(y[c], y[d]) < low or min(y[c], y[d]) > high or c == b or d == a:
                continue
            s1, s2 = _side(x[a], y[a], x[b], y[b], x[c], y[c]), _side(x[a], y[a], x[b], y[b], x[d], y[d])
            if (s1 > 0.0) == (s2 > 0.0):
                continue
            s3, s4 = _side(x[c], y[c], x[d], y[d], x[a], y[a]), _side(x[c], y[c], x[d], y[d], x[b], y[b])
            if (s3 > 0.0) == (s4 > 0.0):
                continue
            if count < most:
                found[count, 0], found[count, 1] = i, s3 / (s3 - s4)
                found[count, 2], found[count, 3] = j, s1 / (s1 - s2)
            count += 1
    return count, found[:min(count, most)]
