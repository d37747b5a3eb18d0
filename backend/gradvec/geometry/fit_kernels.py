"""Numba kernels of the closed cubic fit. Plain arrays, float64; cubics.py says what they are for.

Many contours at once, ragged: points (P, 2), start (C + 1,) first point of each contour, weight (P,) what a squared
distance at a point counts (it includes the length of contour that the point stands for).
"""

from __future__ import annotations

import math

import numpy as np

from ..render.kernel_cache import njit

#: Pull of the handles towards the thirds of their chord, against the data's weight: only decides what the data
#: leave open, for instance where a segment has fewer than two points of its own.
_RIDGE = 1e-3

#: Squared px, per mean weight, that leaving out a cut that must be there costs: more than any misfit.
_SKIP = 1e6


@njit(cache=True)
def _bernstein(t):
    s = 1.0 - t
    return s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t


@njit(cache=True)
def _span_error(points, weight, first, last, arc, lead):
    """Squared error of the best cubic with fixed ends from point ``first`` to point ``last``.

    Indices may run past the end once (they wrap); arc: (n + 1,) length up to each point; parameters by length.
    """
    n = len(weight)
    ax, ay = points[first % n, 0], points[first % n, 1]
    bx, by = points[last % n, 0], points[last % n, 1]
    whole = arc[n]
    begin = arc[first % n] + (whole if first >= n else 0.0)
    end = arc[last % n] + (whole if last >= n else 0.0)
    span = end - begin
    if span <= 0.0 or last - first < 2:
        return 0.0
    m11 = m12 = m22 = _RIDGE * lead
    m12 = 0.0
    rx1 = ry1 = rx2 = ry2 = rest = 0.0
    for k in range(first + 1, last):
        i = k - n if k >= n else k
        t = (arc[i] + (whole if k >= n else 0.0) - begin) / span
        _, b1, b2, _ = _bernstein(t)
        # Offsets from the straight cubic with handles at the thirds: b1 and b2 then carry only the bend.
        dx = points[i, 0] - (ax + (bx - ax) * t)
        dy = points[i, 1] - (ay + (by - ay) * t)
        w = weight[i]
        m11 += w * b1 * b1
        m12 += w * b1 * b2
        m22 += w * b2 * b2
        rx1 += w * b1 * dx
        ry1 += w * b1 * dy
        rx2 += w * b2 * dx
        ry2 += w * b2 * dy
        rest += w * (dx * dx + dy * dy)
    det = m11 * m22 - m12 * m12
    if det <= 1e-12:
        return rest
    gain = (m22 * (rx1 * rx1 + ry1 * ry1) - 2.0 * m12 * (rx1 * rx2 + ry1 * ry2) + m11 * (rx2 * rx2 + ry2 * ry2)) / det
    return max(rest - gain, 0.0)


@njit(cache=True, nogil=True)
def best_breaks(points, start, weight, knots, knot_start, must, most, breaks, error):
    """Where each contour is best cut into 1..most cubics: exact, by dynamic programming over candidate knots.

    knots: contour-relative point indices, rising, counted on past the contour's end; the first is a cut in every
    solution. must: per knot, whether
    every solution that can afford it cuts there.
    breaks: (C, most + 1, most) out: breaks[c, s, :s] are the cuts for s cubics. error: (C, most + 1) out, squared.
    """
    for c in range(len(start) - 1):
        a, b = start[c], start[c + 1]
        p, w = points[a:b], weight[a:b]
        n = b - a
        arc = np.zeros(n + 1)
        for i in range(n):
            j = 0 if i + 1 == n else i + 1
            arc[i + 1] = arc[i] + math.hypot(p[j, 0] - p[i, 0], p[j, 1] - p[i, 1])
        ks = knots[knot_start[c]:knot_start[c + 1]]
        m = len(ks)
        lead = 0.0
        for i in range(n):
            lead += w[i] / n
        wanted = must[knot_start[c]:knot_start[c + 1]]
        cost = np.zeros((m, m + 1))
        for i in range(m):
            skipped = 0.0
            for j in range(i + 1, m + 1):
                last = ks[j] if j < m else n + ks[0]
                cost[i, j] = _span_error(p, w, ks[i], last, arc, lead) + skipped
                if j < m and wanted[j]:
                    skipped += _SKIP * lead
        best = np.full((most + 1, m + 1), np.inf)
        came = np.zeros((most + 1, m + 1), np.int64)
        best[0, 0] = 0.0
        for s in range(1, most + 1):
            for j in range(s, m + 1):
                for i in range(s - 1, j):
                    e = best[s - 1, i] + cost[i, j]
                    if e < best[s, j]:
                        best[s, j] = e
                        came[s, j] = i
            error[c, s] = best[s, m]
            if best[s, m] < np.inf:
                j = m
                for k in range(s, 0, -1):
                    j = came[k, j]
                    breaks[c, s, k - 1] = ks[j]
        error[c, 0] = np.inf


@njit(cache=True)
def _solve(matrix, right):
    """Cholesky in place: matrix (n, n) symmetric positive, right (n, 2) becomes the solution."""
    n = len(matrix)
    for j in range(n):
        d = matrix[j, j]
        for k in range(j):
            d -= matrix[j, k] * matrix[j, k]
        d = math.sqrt(max(d, 1e-12))
        matrix[j, j] = d
        for i in range(j + 1, n):
            v = matrix[i, j]
            for k in range(j):
                v -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = v / d
    for axis in range(2):
        for i in range(n):
            v = right[i, axis]
            for k in range(i):
                v -= matrix[i, k] * right[k, axis]
            right[i, axis] = v / matrix[i, i]
        for i in range(n - 1, -1, -1):
            v = right[i, axis]
            for k in range(i + 1, n):
                v -= matrix[k, i] * right[k, axis]
            right[i, axis] = v / matrix[i, i]


@njit(cache=True)
def _fit_points(points, weight, segment, t, smooth, ratio, controls):
    """The control points (3 S, 2) that fit best for given parameters; a smooth joint lies between its handles."""
    size = len(controls)
    count = size // 3
    normal = np.zeros((size, size))
    right = np.zeros((size, 2))
    basis = np.empty(4)
    for k in range(len(points)):
        at = 3 * segment[k]
        basis[0], basis[1], basis[2], basis[3] = _bernstein(t[k])
        for i in range(4):
            row = (at + i) % size
            wb = weight[k] * basis[i]
            right[row, 0] += wb * points[k, 0]
            right[row, 1] += wb * points[k, 1]
            for j in range(4):
                normal[row, (at + j) % size] += wb * basis[j]
    total = 0.0
    for k in range(len(points)):
        total += weight[k]
    pull = _RIDGE * total / size
    place, part = np.empty(3, np.int64), np.array([-2.0 / 3.0, 1.0, -1.0 / 3.0])
    for handle in range(size):
        if handle % 3 == 0:
            continue
        # (handle - 2/3 of its own anchor - 1/3 of the other)^2
        near = handle - 1 if handle % 3 == 1 else (handle + 1) % size
        place[0], place[1] = near, handle
        place[2] = (handle + 2) % size if handle % 3 == 1 else handle - 2
        for i in range(3):
            for j in range(3):
                normal[place[i], place[j]] += pull * part[i] * part[j]
    # A smooth joint is not free: fold its row and column into its two handles.
    for s in range(count):
        if not smooth[s]:
            continue
        a, before, after = 3 * s, (3 * s - 1) % size, 3 * s + 1
        one, other = 1.0 - ratio[s], ratio[s]
        for j in range(size):
            normal[before, j] += one * normal[a, j]
            normal[after, j] += other * normal[a, j]
        for axis in range(2):
            right[before, axis] += one * right[a, axis]
            right[after, axis] += other * right[a, axis]
            right[a, axis] = 0.0
        for j in range(size):
            normal[j, before] += one * normal[j, a]
            normal[j, after] += other * normal[j, a]
        for j in range(size):
            normal[a, j] = 0.0
            normal[j, a] = 0.0
        normal[a, a] = 1.0
    _solve(normal, right)
    for s in range(count):
        if smooth[s]:
            before, after = (3 * s - 1) % size, 3 * s + 1
            for axis in range(2):
                right[3 * s, axis] = (1.0 - ratio[s]) * right[before, axis] + ratio[s] * right[after, axis]
    for i in range(size):
        controls[i, 0], controls[i, 1] = right[i, 0], right[i, 1]


@njit(cache=True)
def _project(points, segment, t, controls):
    """One Newton step of every parameter towards the nearest point of the curve; a point may change segment."""
    size = len(controls)
    count = size // 3
    for k in range(len(points)):
        a = 3 * segment[k]
        b0, b1, b2, b3 = _bernstein(t[k])
        s, u = 1.0 - t[k], t[k]
        dot = slope = 0.0
        for axis in range(2):
            p0, p1, p2 = controls[a, axis], controls[a + 1, axis], controls[a + 2, axis]
            p3 = controls[(a + 3) % size, axis]
            away = b0 * p0 + b1 * p1 + b2 * p2 + b3 * p3 - points[k, axis]
            first = 3.0 * (s * s * (p1 - p0) + 2.0 * s * u * (p2 - p1) + u * u * (p3 - p2))
            second = 6.0 * (s * (p2 - 2.0 * p1 + p0) + u * (p3 - 2.0 * p2 + p1))
            dot += away * first
            slope += first * first + away * second
        if slope > 1e-9:
            t[k] -= min(max(dot / slope, -0.2), 0.2)
        if t[k] < 0.0:
            if t[k] < -0.02:
                segment[k] = (segment[k] - 1) % count
                t[k] = 0.98
            else:
                t[k] = 0.0
        elif t[k] > 1.0:
            if t[k] > 1.02:
                segment[k] = (segment[k] + 1) % count
                t[k] = 0.02
            else:
                t[k] = 1.0


@njit(cache=True, nogil=True)
def split_longest(cubics, loop, count, half):
    """Halves the longest of ``count`` cubics (n, 4, 2) in place until there are n; the first of equally long ones.

    loop: (n,) which loop each belongs to; halves stay together. half: 0.5 in the cubics' precision.
    """
    lengths = np.empty(len(cubics))
    for k in range(count):
        lengths[k] = _rough_length(cubics[k])
    while count < len(cubics):
        at = 0
        for k in range(1, count):
            if lengths[k] > lengths[at]:
                at = k
        for k in range(count, at + 1, -1):
            cubics[k], loop[k], lengths[k] = cubics[k - 1], loop[k - 1], lengths[k - 1]
        loop[at + 1] = loop[at]
        for axis in range(2):
            a, b, c, d = cubics[at, 0, axis], cubics[at, 1, axis], cubics[at, 2, axis], cubics[at, 3, axis]
            ab, bc, cd = a + (b - a) * half, b + (c - b) * half, c + (d - c) * half
            abc, bcd = ab + (bc - ab) * half, bc + (cd - bc) * half
            mid = abc + (bcd - abc) * half
            cubics[at, 1, axis], cubics[at, 2, axis], cubics[at, 3, axis] = ab, abc, mid
            cubics[at + 1, 0, axis], cubics[at + 1, 1, axis] = mid, bcd
            cubics[at + 1, 2, axis], cubics[at + 1, 3, axis] = cd, d
        lengths[at], lengths[at + 1] = _rough_length(cubics[at]), _rough_length(cubics[at + 1])
        count += 1


@njit(cache=True)
def _rough_length(cubic):
    """Mean of chord and control polygon, px: close enough to rank segments by length."""
    chord = math.hypot(cubic[3, 0] - cubic[0, 0], cubic[3, 1] - cubic[0, 1])
    around = math.hypot(cubic[1, 0] - cubic[0, 0], cubic[1, 1] - cubic[0, 1])
    for k in range(1, 3):
        around += math.hypot(cubic[k + 1, 0] - cubic[k, 0], cubic[k + 1, 1] - cubic[k, 1])
    return 0.5 * (chord + around)
