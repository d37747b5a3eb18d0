"""numba kernels of the cpu engine: what colour a fill has at a place.

All arithmetic is in the dtype of the parameters. numba takes a whole number times a float32 for a float64, which halves
what a vector register holds: whole numbers and plain constants are cast first.
"""

from __future__ import annotations

import math

import numpy as np

from ..kernel_cache import njit
from .kernels import _APART, _INNER, _SHARED, HEAD, PER_STOP

SOLID, LINEAR, RADIAL, ELLIPTIC = 0, 1, 2, 3
#: As reference.py has it: px up to which a gradient is a point.
DEGENERATE = 1e-6


@njit(**_SHARED)
def locate(u, stop_offset, first, last):
    """Index of the last stop at or before u, the fraction towards the next one, and one over their distance.

    Before the first stop and from the last one on, fraction and inverse distance are 0.
    """
    zero, one = stop_offset.dtype.type(0), stop_offset.dtype.type(1)
    if u < stop_offset[first]:
        return first, zero, zero
    k = first
    while k + 1 < last and u >= stop_offset[k + 1]:
        k += 1
    if k + 1 >= last:
        return last - 1, zero, zero
    gap = stop_offset[k + 1] - stop_offset[k]
    return k, (u - stop_offset[k]) / gap, one / gap


@njit(**_SHARED)
def ramp(geometry, n):
    """Linear gradient as u = base + ax (x - x1) + ay (y - y1); a point paints its last stop: u = base = 1."""
    zero, one = geometry.dtype.type(0), geometry.dtype.type(1)
    dx, dy = geometry[n, 2] - geometry[n, 0], geometry[n, 3] - geometry[n, 1]
    square = dx * dx + dy * dy
    if square <= DEGENERATE * DEGENERATE:
        return zero, zero, one
    return dx / square, dy / square, zero


@njit(**_SHARED)
def form(kind, geometry, n):
    """(m0, m1, m2, m3, base): linear as :func:`ramp` has it; elliptic the matrix, row by row, from px to where the
    ellipse is the unit circle, and base 1 where there is none."""
    zero, one = geometry.dtype.type(0), geometry.dtype.type(1)
    if kind != ELLIPTIC:
        ax, ay, base = ramp(geometry, n)
        return ax, ay, zero, zero, base
    ax, ay, bx, by = geometry[n, 2], geometry[n, 3], geometry[n, 4], geometry[n, 5]
    det = ax * by - ay * bx
    if det * det <= DEGENERATE * DEGENERATE * (ax * ax + ay * ay + bx * bx + by * by):
        return zero, zero, zero, zero, one
    return by / det, -bx / det, -ay / det, ax / det, zero


@njit(**_SHARED)
def is_simple(kind, stop_offset, first, last):
    """Solid fills and linear gradients between two stops run through the vectorized loops."""
    return last - first == 1 or (kind == LINEAR and last - first == 2 and stop_offset[first] < stop_offset[first + 1])


@njit(**_SHARED)
def is_alone(n, lone, kind, stop_index, stop_offset):
    """Whether alone.py paints outline n; lone: (N,) whether it has a small canvas to itself."""
    return lone[n] and is_simple(kind[n], stop_offset, stop_index[n], stop_index[n + 1])


@njit(**_SHARED)
def simple_fill(n, geometry, stop_offset, stop_color, first, last):
    """(ax, ay, base, inverse, colour at its start (4), its change (4)) of a fill that is simple.

    The colour is start + clamp(base + (ax (x - x1) + ay (y - y1)) * inverse, 0, 1) * change; ax and ay come multiplied
    by the inverse already.
    """
    zero, one = geometry.dtype.type(0), geometry.dtype.type(1)
    ax = ay = base = inverse = zero
    if last - first == 2:
        ax, ay, base = ramp(geometry, n)
        inverse = one / (stop_offset[first + 1] - stop_offset[first])
        ax, ay, base = ax * inverse, ay * inverse, (base - stop_offset[first]) * inverse
    c, e = first, last - 1
    return (ax, ay, base, inverse, stop_color[c, 0], stop_color[c, 1], stop_color[c, 2], stop_color[c, 3],
            stop_color[e, 0] - stop_color[c, 0], stop_color[e, 1] - stop_color[c, 1],
            stop_color[e, 2] - stop_color[c, 2], stop_color[e, 3] - stop_color[c, 3])


@njit(**_SHARED)
def place(n, px, py, kind, geometry, m0, m1, m2, m3, base):
    """(u, distance) at px, py from the gradient's start; distance is that from a radial gradient's centre, else 0.

    m0 to base: as :func:`form` has them.
    """
    zero, one = geometry.dtype.type(0), geometry.dtype.type(1)
    if kind[n] == LINEAR:
        return base + m0 * px + m1 * py, zero
    if kind[n] == ELLIPTIC:
        return base + math.hypot(m0 * px + m1 * py, m2 * px + m3 * py), zero
    if geometry[n, 2] > DEGENERATE:
        distance = math.hypot(px, py)
        return distance / geometry[n, 2], distance
    return one, zero


@njit(**_SHARED)
def simple_pixel_backward(cell, v, t, d_s, d_r, d_g, d_b, op, inv, dr, dg, db, s0, ds):
    """One px with winding ``cell`` at place v, t when clamped, of a fill that is simple.

    d_r, d_g, d_b: the px's derivative; d_s: that of what covers it, coverage times alpha.
    Returns what covers it and the derivatives of coverage, of coverage times alpha's stops, and of u.
    """
    zero, one = type(cell)(0), type(cell)(1)
    cov = min(abs(cell), one)
    seen = op * (s0 + t * ds)
    s, d_cov = cov * seen, cov * d_s
    d_t = s * (d_r * dr + d_g * dg + d_b * db) + d_cov * op * ds
    d_u = d_t * inv if (v >= zero) & (v < one) else zero
    return s, d_s * seen, d_cov, d_u


@njit(**_SHARED, **_APART)
def paint_kept(y0, y1, row, origin, stride, spans, cells, red, green, blue, alpha, k0, k1, k2, k3, used, steps, u0, ax,
               ay, r0, g0, b0, a0, dr, dg, db, da):
    """Paints rows y0 to y1 of a crop, whose fill is simple, and keeps what was behind in k0 to k3, from ``used`` on.

    row: pitch of ``cells``. origin, stride: of red to alpha, for the crop's first px. spans (., 2): of the crop's rows.
    u0: at the crop's first px. steps: 0, 1, ... Returns the place after what is kept.

    No slices: each would be counted, atomically, and some dozen of them take longer than what a row of 30 px needs.
    Whole numbers without a sign spare the question whether they are below 0.
    """
    zero, one = cells.dtype.type(0), cells.dtype.type(1)
    for y in range(y0, y1):
        a, size = spans[y, 0], spans[y, 1] - spans[y, 0]
        if size <= 0:
            continue
        at, p, q = np.uint64(y * row + a), np.uint64(origin + y * stride + a), np.uint64(used)
        used += size
        u = u0 + ax * cells.dtype.type(a) + ay * cells.dtype.type(y)
        for i in range(np.uint64(size)):
            t = min(max(u + ax * steps[i], zero), one)
            s = min(abs(cells[at + i]), one) * (a0 + t * da)
            r, g, b, o = red[p + i], green[p + i], blue[p + i], alpha[p + i]
            k0[q + i] = r
            k1[q + i] = g
            k2[q + i] = b
            k3[q + i] = o
            red[p + i] = r + s * (r0 + t * dr - r)
            green[p + i] = g + s * (g0 + t * dg - g)
            blue[p + i] = b + s * (b0 + t * db - b)
            alpha[p + i] = o + s * (one - o)
    return used


@njit(**_INNER, **_APART)
def kept_backward(y0, y1, row, origin, stride, spans, cells, d_cells, red, green, blue, alpha, k0, k1, k2, k3, used,
                  steps, part, stops, from_x, from_y, u0, ax, ay, op, inv, r0, g0, b0, s0, dr, dg, db, ds):
    """The derivative of :func:`paint_kept`, added into ``part``, that of coverage into d_cells.

    red to alpha hold the derivative of the picture and leave as that of what was behind. from_x, from_y: the crop's
    first px from the gradient's start.
    """
    zero, one = cells.dtype.type(0), cells.dtype.type(1)
    all_u, all_ux, all_uy, all_ut, all_cover, all_cover_t = zero, zero, zero, zero, zero, zero
    all_r, all_g, all_b, all_rt, all_gt, all_bt = zero, zero, zero, zero, zero, zero
    for y in range(y0, y1):
        a, size = spans[y, 0], spans[y, 1] - spans[y, 0]
        if size <= 0:
            continue
        at, p, q = np.uint64(y * row + a), np.uint64(origin + y * stride + a), np.uint64(used)
        used += size
        u = u0 + ax * cells.dtype.type(a) + ay * cells.dtype.type(y)
        sum_u, sum_ux, sum_ut, cover, cover_t = zero, zero, zero, zero, zero
        sum_r, sum_g, sum_b, sum_rt, sum_gt, sum_bt = zero, zero, zero, zero, zero, zero
        for i in range(np.uint64(size)):
            v = u + ax * steps[i]
            t = min(max(v, zero), one)
            g_r, g_g, g_b, g_a = red[p + i], green[p + i], blue[p + i], alpha[p + i]
            d_s = (g_r * (r0 + t * dr - k0[q + i]) + g_g * (g0 + t * dg - k1[q + i])
                   + g_b * (b0 + t * db - k2[q + i]) + g_a * (one - k3[q + i]))
            s, d_cells[at + i], d_cov, d_u = simple_pixel_backward(cells[at + i], v, t, d_s, g_r, g_g, g_b, op, inv, dr,
                                                                   dg, db, s0, ds)
            c_r, c_g, c_b = s * g_r, s * g_g, s * g_b
            cover += d_cov
            cover_t += d_cov * t
            sum_r += c_r
            sum_g += c_g
            sum_b += c_b
            sum_rt += c_r * t
            sum_gt += c_g * t
            sum_bt += c_b * t
            sum_u += d_u
            sum_ux += d_u * steps[i]
            sum_ut += d_u * t
            rest = one - s
            red[p + i] = g_r * rest
            green[p + i] = g_g * rest
            blue[p + i] = g_b * rest
            alpha[p + i] = g_a * rest
        all_cover += cover
        all_cover_t += cover_t
        all_r += sum_r
        all_g += sum_g
        all_b += sum_b
        all_rt += sum_rt
        all_gt += sum_gt
        all_bt += sum_bt
        all_u += sum_u
        all_ux += sum_ux + sum_u * (from_x + cells.dtype.type(a))
        all_uy += sum_u * (from_y + cells.dtype.type(y))
        all_ut += sum_ut
    add_sums(part, stops, op, s0, ds, zero, zero, all_u, all_ux, all_ut, all_cover, all_cover_t, all_r, all_g, all_b,
             all_rt, all_gt, all_bt)
    part[3] += all_uy


@njit(**_SHARED)
def add_sums(part, stops, op, s0, ds, from_x, from_y, sum_u, sum_ux, sum_ut, cover, cover_t, sum_r, sum_g, sum_b,
             sum_rt, sum_gt, sum_bt):
    """Adds the sums over a row to the partial derivatives of an outline whose fill is simple.

    from_x, from_y: the row's first px from the gradient's start. Moments are taken about that start: far from the
    canvas' origin nothing cancels.
    """
    part[0] += s0 * cover + ds * cover_t
    part[1] += sum_u
    part[2] += sum_ux + sum_u * from_x
    part[3] += sum_u * from_y
    # A stop's offset moves t by -(1 - t) / gap at its start and by -t / gap at its end.
    part[HEAD] -= sum_u - sum_ut
    part[HEAD + 1] += sum_r - sum_rt
    part[HEAD + 2] += sum_g - sum_gt
    part[HEAD + 3] += sum_b - sum_bt
    part[HEAD + 4] += op * (cover - cover_t)
    e = HEAD + PER_STOP * (stops - 1)
    part[e] -= sum_ut
    part[e + 1] += sum_rt
    part[e + 2] += sum_gt
    part[e + 3] += sum_bt
    part[e + 4] += op * cover_t
