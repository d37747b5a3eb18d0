"""numba kernels of the cpu engine: the tracks of pens along curves.

The geometry is stroke_geometry.py's, which computes it with torch. Sizes: N strokes of S segments with n chords each. A
*track* holds, at each chord's ends, (n + 1) a segment, TRACK numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ..kernel_cache import njit
from .kernels import _INNER, _PARALLEL, _SHARED

#: Steps per segment in which a curve is measured, and how often.
FINE, LOOKS = 32, 3
#: Numbers of a place: C, T, r, length of the slope, its place t, and the slope's weights for the four control points.
TRACK = 11


@njit(**_SHARED)
def weights_at(t):
    s = 1.0 - t
    return s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t


@njit(**_SHARED)
def control_index(points, closed, segment, q):
    """Index of control point q of a segment."""
    i = 3 * segment + q
    return 0 if closed and i == points.shape[0] else i


@njit(**_SHARED)
def _control(points, radius, closed, segment, control):
    """Sets control (4, 3): x, y and half width of a segment's control points."""
    for q in range(4):
        i = control_index(points, closed, segment, q)
        control[q, 0], control[q, 1] = points[i, 0], points[i, 1]
        control[q, 2] = radius[i if radius.shape[0] > 1 else 0]


@njit(**_SHARED)
def _along(control, places, track):
    """Fills track (m, TRACK) at places (m,)."""
    count = places.shape[0]
    size = 0.0
    for q in range(3):
        size = max(size, math.hypot(control[q + 1, 0] - control[q, 0], control[q + 1, 1] - control[q, 1]))
    low = False
    for k in range(count):
        t = places[k]
        _, w1, w2, w3 = weights_at(t)
        s = 1.0 - t
        for c in range(2):
            a = control[0, c]
            track[k, c] = a + (w1 * (control[1, c] - a) + w2 * (control[2, c] - a) + w3 * (control[3, c] - a))
        track[k, 4] = ((1.0 - w1 - w2 - w3) * control[0, 2] + w1 * control[1, 2] + w2 * control[2, 2]
                       + w3 * control[3, 2])
        b0, b1, b2 = s * s, 2.0 * s * t, t * t
        track[k, 6] = t
        track[k, 7], track[k, 8], track[k, 9], track[k, 10] = -b0, b0 - b1, b1 - b2, b2
        hx = (b0 * (control[1, 0] - control[0, 0]) + b1 * (control[2, 0] - control[1, 0])
              + b2 * (control[3, 0] - control[2, 0]))
        hy = (b0 * (control[1, 1] - control[0, 1]) + b1 * (control[2, 1] - control[1, 1])
              + b2 * (control[3, 1] - control[2, 1]))
        norm = math.sqrt(hx * hx + hy * hy)
        track[k, 5] = norm
        if norm > 1e-4 * size:
            track[k, 2], track[k, 3] = hx / norm, hy / norm
        else:
            low = True
    if low:
        _headings(track, size)


@njit(**_SHARED)
def _headings(track, size):
    """At a handle that lies on its anchor the curve has no slope; the way to the next place, or from the last, has."""
    count = track.shape[0]
    for k in range(count):
        if track[k, 5] > 1e-4 * size:
            continue
        track[k, 2], track[k, 3], track[k, 5] = 1.0, 0.0, 1.0
        track[k, 7:11] = 0
        for way in range(2):
            a = min(k, count - 2) if way == 0 else max(k - 1, 0)
            hx, hy = track[a + 1, 0] - track[a, 0], track[a + 1, 1] - track[a, 1]
            norm = math.sqrt(hx * hx + hy * hy)
            if norm > 1e-4 * size:
                track[k, 2], track[k, 3], track[k, 5] = hx / norm, hy / norm, norm
                before, after = weights_at(track[a, 6]), weights_at(track[a + 1, 6])
                for q in range(4):
                    track[k, 7 + q] = after[q] - before[q]
                break


@njit(**_SHARED)
def turning(ax, ay, bx, by):
    """Angle in (-pi, pi] from unit vectors a to b, towards the left side."""
    cross, dot = ax * by - ay * bx, ax * bx + ay * by
    if dot > 0.999:  # the sine is small: two terms of its inverse have all digits
        return cross * (1.0 + cross * cross / 6.0)
    return math.atan2(cross, dot)


@njit(**_SHARED)
def _bend(track, k):
    """Root of turning times outer length of the step from place k, and the step's length."""
    turn = abs(turning(track[k, 2], track[k, 3], track[k + 1, 2], track[k + 1, 3]))
    length = math.sqrt((track[k + 1, 0] - track[k, 0])**2 + (track[k + 1, 1] - track[k, 1])**2)
    return math.sqrt(turn * (length + turn * track[k + 1, 4])), length


@njit(**_INNER)
def _inverse(total, places, found):
    """Places at which ``total`` (rising from 0 to 1) reaches 0, 1/n, ..., 1; linear between."""
    last, i = total.shape[0] - 1, 1
    count = found.shape[0] - 1
    for k in range(1, count):
        wanted = k / count
        while i < last and total[i] <= wanted:
            i += 1
        f = min(max((wanted - total[i - 1]) / max(total[i] - total[i - 1], 1e-30), 0.0), 1.0)
        found[k] = places[i - 1] * (1.0 - f) + places[i] * f
    found[0], found[count] = 0.0, 1.0


@njit(**_INNER)
def draw_track(points, radius, closed, chords, track, control, look, fine, other, total):
    """Fills the track (S (n + 1), TRACK) of one stroke, its places close where the border bends.

    The others are scratch: control (4, 3), look (FINE + 1, TRACK), fine, other and total of max(FINE, chords) + 1.
    """
    fine, total = fine[:FINE + 1], total[:FINE + 1]
    for segment in range(track.shape[0] // (chords + 1)):
        _control(points, radius, closed, segment, control)
        for k in range(FINE + 1):
            fine[k] = k / FINE
        for _ in range(LOOKS):
            _along(control, fine, look)
            need = length = 0.0
            for k in range(FINE):
                b, step = _bend(look, k)
                other[k], total[k] = b, step
                need += b
                length += step
            before = 0.0
            for k in range(FINE):
                own = other[k] + (0.02 * need + 1e-6) * (total[k] / max(length, 1e-30) + 1.0 / FINE)
                total[k] = before
                before += own
            total[FINE] = before
            for k in range(FINE + 1):
                total[k] /= before
            _inverse(total, fine, other[:FINE + 1])
            fine[:] = other[:FINE + 1]
        for k in range(FINE + 1):
            total[k] = k / FINE
        at = segment * (chords + 1)
        _inverse(total, fine, other[:chords + 1])
        _along(control, other[:chords + 1], track[at:at + chords + 1])


@njit(**_PARALLEL)
def needs(points, radius, closed, tolerance, result):
    """Fills result (N, 3): chords of a stroke's neediest segment, its sharpest corner, the angle of an arc's chord."""
    for n in prange(points.shape[0]):
        own, wide = points[n], radius[n]
        segments = (own.shape[0] - (0 if closed else 1)) // 3
        control, look = np.empty((4, 3)), np.empty((FINE + 1, TRACK))
        places = np.linspace(0.0, 1.0, FINE + 1)
        most = sharpest = widest = 0.0
        first_x = first_y = last_x = last_y = 0.0
        for segment in range(segments):
            _control(own, wide, closed, segment, control)
            _along(control, places, look)
            need = 0.0
            for k in range(FINE):
                need += _bend(look, k)[0]
            most = max(most, need)
            for k in range(FINE + 1):
                widest = max(widest, look[k, 4])
            if segment > 0:
                sharpest = max(sharpest, abs(turning(last_x, last_y, look[0, 2], look[0, 3])))
            else:
                first_x, first_y = look[0, 2], look[0, 3]
            last_x, last_y = look[FINE, 2], look[FINE, 3]
        if closed:
            sharpest = max(sharpest, abs(turning(last_x, last_y, first_x, first_y)))
        result[n, 0], result[n, 1] = most / math.sqrt(8.0 * tolerance), sharpest
        result[n, 2] = 2.0 * math.acos(max(1.0 - tolerance / max(widest, tolerance), 0.0))
