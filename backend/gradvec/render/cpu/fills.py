"""numba kernels of the cpu engine: what colour a fill has at a place.

All arithmetic is in the dtype of the parameters. numba takes a whole number times a float32 for a float64, which halves
what a vector register holds: whole numbers and plain constants are cast first.
"""

from __future__ import annotations

import math

from ..kernel_cache import njit
from .kernels import _SHARED, HEAD, PER_STOP

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
