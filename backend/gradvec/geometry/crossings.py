"""Numba kernels that find where the edges of closed polygons cross, and whether a loop can be handed out as it is."""

from __future__ import annotations

import math

import numpy as np

from ..render.kernel_cache import njit

#: Points are moved apart by about this much, px, each in a direction of its own, so that a crossing that falls
#: exactly on corners is one crossing as well.
_APART_PX = 1e-7

# What follows are loops, where numpy has a word for it, because numba takes seconds for each such word: it
# compiles broadcasting with its messages, and sorting of any kind of number.


@njit(cache=True)
def _rising(values):
    """Places of values (n,) from the least to the greatest; equal ones in their order."""
    n = len(values)
    order, other = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        order[i] = i
    run = 1
    while run < n:
        for start in range(0, n, 2 * run):
            a, middle = start, min(start + run, n)
            b, end = middle, min(start + 2 * run, n)
            for k in range(start, end):
                if b >= end or (a < middle and values[order[a]] <= values[order[b]]):
                    other[k] = order[a]
                    a += 1
                else:
                    other[k] = order[b]
                    b += 1
        order, other = other, order
        run *= 2
    return order


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
    follow = np.empty(n, np.int64)
    for i in range(n):
        follow[i] = i + 1
    for loop in range(len(start) - 1):
        if start[loop + 1] > start[loop]:
            follow[start[loop + 1] - 1] = start[loop]
    left = np.empty(n)
    for i in range(n):
        left[i] = min(x[i], x[follow[i]])
    order = _rising(left)
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


@njit(cache=True, nogil=True)
def rounded_as_it_is(loop, basis, scale, longest, least):
    """(whether a loop (3 S, 2) needs no more than rounding to be handed out, the loop rounded).

    It needs none where it is finite, no segment is a point and no handle too long, where it is no speck, and crosses
    itself nowhere. One that runs against the clock on the screen comes back the other way round.

    basis: (pieces, 4), what a cubic's points are of its control points. scale: what is rounded to a whole number is
    ``scale`` times as large. longest: of a handle, in chords + 1 px. least: size of a speck, px.
    """
    segments, pieces = len(loop) // 3, len(basis)
    result, polygon = np.empty_like(loop), np.empty((segments * pieces, 2))
    if segments < 2:
        return False, result
    for i in range(len(loop)):
        if not (math.isfinite(loop[i, 0]) and math.isfinite(loop[i, 1])):
            return False, result
    for s in range(segments):
        a, d = 3 * s, (3 * s + 3) % len(loop)
        size = 0.0
        for other in (a + 1, a + 2, d):
            size = max(size, abs(loop[other, 0] - loop[a, 0]), abs(loop[other, 1] - loop[a, 1]))
        reach = longest * (math.hypot(loop[d, 0] - loop[a, 0], loop[d, 1] - loop[a, 1]) + 1.0)
        if size <= 0.5 / scale:
            return False, result
        for handle, anchor in ((a + 1, a), (a + 2, d)):
            if math.hypot(loop[handle, 0] - loop[anchor, 0], loop[handle, 1] - loop[anchor, 1]) > reach:
                return False, result
        for axis in range(2):
            here, there = loop[a, axis], loop[d, axis]
            result[a, axis] = np.rint(here * scale) / scale + 0.0
            result[a + 1, axis] = np.rint((here + (loop[a + 1, axis] - here)) * scale) / scale + 0.0
            result[a + 2, axis] = np.rint((there + (loop[a + 2, axis] - there)) * scale) / scale + 0.0
    area, low, high = 0.0, np.empty(2), np.empty(2)
    low[0], low[1], high[0], high[1] = result[0, 0], result[0, 1], result[0, 0], result[0, 1]
    for s in range(segments):
        a, d = 3 * s, (3 * s + 3) % len(loop)
        for m in range(pieces):
            for axis in range(2):
                value = (basis[m, 0] * result[a, axis] + basis[m, 1] * result[a + 1, axis]
                         + basis[m, 2] * result[a + 2, axis] + basis[m, 3] * result[d, axis])
                polygon[s * pieces + m, axis] = value
                low[axis], high[axis] = min(low[axis], value), max(high[axis], value)
    for k in range(1, len(polygon) - 1):
        area += 0.5 * ((polygon[k, 0] - polygon[0, 0]) * (polygon[k + 1, 1] - polygon[0, 1])
                       - (polygon[k + 1, 0] - polygon[0, 0]) * (polygon[k, 1] - polygon[0, 1]))
    if abs(area) < 0.25 * least**2 or max(high[0] - low[0], high[1] - low[1]) < least:
        return False, result
    if area <= 0:
        for k in range(1, (len(result) + 1) // 2):
            for axis in range(2):
                other = result[-k, axis]
                result[-k, axis] = result[k, axis]
                result[k, axis] = other
    start = np.empty(2, np.int64)
    start[0], start[1] = 0, len(polygon)
    return edge_crossings(polygon, start, np.int64(0))[0] == 0, result
