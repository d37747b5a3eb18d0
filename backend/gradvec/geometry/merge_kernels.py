"""Numba kernels that take nodes out of smooth outlines: two cubics become one that keeps their outer tangents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..render.kernel_cache import njit

_JIT: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

#: Rounds of re-parametrization when one cubic takes the place of two.
_ROUNDS = 4

#: A handle is at least this share of the straight way between its segment's ends.
_SHORTEST = 0.05


@njit(**_JIT)
def unit(ax, ay, bx, by, cx, cy, dx, dy):
    """Direction in which a cubic leaves its first point: towards the first of its other points that is elsewhere."""
    for x, y in ((bx - ax, by - ay), (cx - ax, cy - ay), (dx - ax, dy - ay)):
        length = math.hypot(x, y)
        if length > 1e-3:
            return x / length, y / length
    return 1.0, 0.0


@njit(**_JIT)
def fit_between(points, weight, first, last, size, tx, ty, ux, uy, t, cubic):
    """Least-squares cubic through samples first..last (counted round a loop of ``size``), whose ends are kept, and
    which leaves along (tx, ty) and arrives along (ux, uy). ``t`` holds the samples' parameters and is improved. Fills
    ``cubic`` (4, 2); returns the weighted sum of squared distances, px^3.
    """
    n = last - first
    ax, ay = points[first % size, 0], points[first % size, 1]
    bx, by = points[last % size, 0], points[last % size, 1]
    chord = math.hypot(bx - ax, by - ay)
    length = 0.0
    for k in range(n):
        i, j = (first + k + 1) % size, (first + k) % size
        length += math.hypot(points[i, 0] - points[j, 0], points[i, 1] - points[j, 1])
    error = 0.0
    for _ in range(_ROUNDS + 1):
        c11 = c12 = c22 = x1 = x2 = 0.0
        for k in range(1, n):
            i = (first + k) % size
            s, w = t[k], weight[i]
            r = 1.0 - s
            b1, b2 = 3.0 * r * r * s, 3.0 * r * s * s
            b0, b3 = r * r * r, s * s * s
            dx = points[i, 0] - ax * (b0 + b1) - bx * (b2 + b3)
            dy = points[i, 1] - ay * (b0 + b1) - by * (b2 + b3)
            c11 += w * b1 * b1
            c12 -= w * b1 * b2 * (tx * ux + ty * uy)
            c22 += w * b2 * b2
            x1 += w * b1 * (dx * tx + dy * ty)
            x2 -= w * b2 * (dx * ux + dy * uy)
        det = c11 * c22 - c12 * c12
        if det > 1e-9 * c11 * c22:
            alpha, beta = (c22 * x1 - c12 * x2) / det, (c11 * x2 - c12 * x1) / det
        else:
            alpha = beta = length / 3.0
        least = _SHORTEST * chord + 1e-3
        alpha, beta = min(max(alpha, least), length), min(max(beta, least), length)
        cubic[0, 0], cubic[0, 1], cubic[3, 0], cubic[3, 1] = ax, ay, bx, by
        cubic[1, 0], cubic[1, 1] = ax + alpha * tx, ay + alpha * ty
        cubic[2, 0], cubic[2, 1] = bx - beta * ux, by - beta * uy
        error = 0.0
        for k in range(1, n):
            i = (first + k) % size
            s = t[k]
            r = 1.0 - s
            px = r * r * r * ax + 3 * r * r * s * cubic[1, 0] + 3 * r * s * s * cubic[2, 0] + s * s * s * bx
            py = r * r * r * ay + 3 * r * r * s * cubic[1, 1] + 3 * r * s * s * cubic[2, 1] + s * s * s * by
            vx = 3 * (r * r * (cubic[1, 0] - ax) + 2 * r * s * (cubic[2, 0] - cubic[1, 0]) + s * s * (bx - cubic[2, 0]))
            vy = 3 * (r * r * (cubic[1, 1] - ay) + 2 * r * s * (cubic[2, 1] - cubic[1, 1]) + s * s * (by - cubic[2, 1]))
            dx, dy = points[i, 0] - px, points[i, 1] - py
            error += weight[i] * (dx * dx + dy * dy)
            t[k] = min(max(s + (dx * vx + dy * vy) / (vx * vx + vy * vy + 1e-12), 0.0), 1.0)
    return error


@njit(**_JIT)
def without(loop, samples, weight, parameter, start, n, k, t, cubic):
    """What one cubic in place of the two at node ``k`` of ``n`` costs, px^3; ``t`` and ``cubic`` are filled.

    Parameters of a cubic that was cut in two go on at the rate at which its handles at the cut say that it ran.
    """
    size = len(samples)
    a, b = (k - 1) % n, (k + 1) % n
    first, middle, last = start[a], start[k], start[b]
    middle += size if middle <= first else 0
    last += size if last <= first else 0
    p, q, r = 3 * a, 3 * k, 3 * b
    into = math.hypot(loop[q, 0] - loop[p + 2, 0], loop[q, 1] - loop[p + 2, 1]) + 1e-9
    out = math.hypot(loop[q + 1, 0] - loop[q, 0], loop[q + 1, 1] - loop[q, 1]) + 1e-9
    cut = into / (into + out)
    for i in range(first, last):
        own = parameter[i % size]
        t[i - first] = cut * own if i < middle else cut + (1.0 - cut) * own
    t[last - first] = 1.0
    tx, ty = unit(loop[p, 0], loop[p, 1], loop[p + 1, 0], loop[p + 1, 1], loop[p + 2, 0], loop[p + 2, 1],
                  loop[q, 0], loop[q, 1])
    ux, uy = unit(loop[r, 0], loop[r, 1], loop[q + 2, 0], loop[q + 2, 1], loop[q + 1, 0], loop[q + 1, 1],
                  loop[q, 0], loop[q, 1])
    return fit_between(samples, weight, first, last, size, tx, ty, -ux, -uy, t, cubic)


@njit(**_JIT)
def merge_loop(loop, samples, weight, per, corner, fewest, allowed):
    """Takes nodes out of one loop, cheapest first, until the next would take the sum above ``allowed`` px^3.

    loop (3 S, 2), samples (S * per, 2) of it in order, weight (S * per,) px, corner (S,) bool: nodes that stay.

    Returns:
        How many segments are left; their control points lie at the front of ``loop``.
    """
    count, size = len(loop) // 3, len(samples)
    start, kept, stale = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.bool_)
    own, cost, parameter = np.empty(count), np.empty(count), np.empty(size)
    for k in range(count):  # loops, as in crossings.py
        start[k], kept[k], stale[k], own[k], cost[k] = k * per, k, True, 0.0, np.inf
    for i in range(size):
        parameter[i] = (i % per) / per
    t, cubic = np.empty(size + 1), np.empty((4, 2))
    spent, n = 0.0, count
    while n > fewest:
        best, least = -1, np.inf
        for k in range(n):
            if stale[k]:
                stale[k] = False
                cost[k] = np.inf
                if not corner[kept[k]]:
                    now = own[(k - 1) % n] + own[k]
                    cost[k] = without(loop, samples, weight, parameter, start, n, k, t, cubic) - now
            if cost[k] < least:
                best, least = k, cost[k]
        if best < 0 or spent + max(least, 0.0) > allowed:
            break
        k, a = best, (best - 1) % n
        without(loop, samples, weight, parameter, start, n, k, t, cubic)
        end = start[(k + 1) % n]
        end += size if end <= start[a] else 0
        for i in range(start[a], end):
            parameter[i % size] = t[i - start[a]]
        spent += least
        own[a] += own[k] + least
        for axis in range(2):
            loop[3 * a + 1, axis], loop[3 * a + 2, axis] = cubic[1, axis], cubic[2, axis]
            for i in range(3 * k, 3 * n - 3):
                loop[i, axis] = loop[i + 3, axis]
        for m in range(k, n - 1):
            start[m], own[m], kept[m] = start[m + 1], own[m + 1], kept[m + 1]
            cost[m], stale[m] = cost[m + 1], stale[m + 1]
        n -= 1
        a = a if a < k else a - 1
        stale[a], stale[(a + 1) % n] = True, True
    return n


@njit(**_JIT)
def merge(points, loops, samples, weight, per, corner, fewest, squared_accuracy, count):
    """:func:`merge_loop` for many loops, control points loops[l]..loops[l + 1]; merging one may cost
    ``squared_accuracy`` px^2 times its length. ``count`` (L,): segments that are left, at the front of each range."""
    for i in range(len(loops) - 1):
        a, b = loops[i], loops[i + 1]
        s, e = a // 3, b // 3
        own, length = weight[s * per:e * per], 0.0
        for k in range(len(own)):
            length += own[k]
        count[i] = merge_loop(points[a:b], samples[s * per:e * per], own, per, corner[s:e], fewest,
                              squared_accuracy * length)
