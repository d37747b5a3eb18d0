"""Numba kernels of the closed cubic fit with smooth joints: a joint is a corner only where that has been earned."""

from __future__ import annotations

import math

import numpy as np

from ..render.kernel_cache import njit
from .fit_kernels import _bernstein, _fit_points, _project

#: A smooth joint keeps this share of the way between its handles to either of them.
_LEAST_SHARE = 0.1

#: A corner mends at least this share of a loop's squared error: where segments are too few, not every joint is one.
_SHARE = 0.3


@njit(cache=True)
def _turns(controls, cosine, ratio):
    """Cosines of the angles by which handles turn at each joint; ``ratio`` becomes where the joint lies between them.
    A joint without handles counts as one that turns least."""
    size = len(controls)
    cosine[:] = 1.0
    for s in range(size // 3):
        a, before, after = 3 * s, (3 * s - 1) % size, 3 * s + 1
        inx, iny = controls[a, 0] - controls[before, 0], controls[a, 1] - controls[before, 1]
        outx, outy = controls[after, 0] - controls[a, 0], controls[after, 1] - controls[a, 1]
        lin, lout = math.hypot(inx, iny), math.hypot(outx, outy)
        if lin > 1e-6 and lout > 1e-6:
            cosine[s] = (inx * outx + iny * outy) / (lin * lout)
            ratio[s] = min(max(lin / (lin + lout), _LEAST_SHARE), 1.0 - _LEAST_SHARE)


@njit(cache=True)
def _error(points, weight, segment, t, controls):
    """Weighted sum of squared distances, px^3, of the points to the curve at their parameters."""
    size = len(controls)
    total = 0.0
    for k in range(len(points)):
        a = 3 * segment[k]
        b0, b1, b2, b3 = _bernstein(t[k])
        for axis in range(2):
            away = (b0 * controls[a, axis] + b1 * controls[a + 1, axis] + b2 * controls[a + 2, axis]
                    + b3 * controls[(a + 3) % size, axis] - points[k, axis])
            total += weight[k] * away * away
    return total


@njit(cache=True)
def _smooth_where_it_pays(points, weight, segment, t, keep, cosine, price, smooth, ratio, controls):
    """Makes joints smooth, those that turn least first, unless that costs more than ``price`` px^3
    and :data:`_SHARE` of what is wrong. Those that turn by
    less than the angle of ``cosine`` are made smooth whatever it costs; those in ``keep`` never."""
    count = len(smooth)
    turn = np.empty(count)
    other, own_segment, own_t = np.empty_like(controls), np.empty_like(segment), np.empty_like(t)
    error = _error(points, weight, segment, t, controls)
    tried = smooth | keep
    while not tried.all():
        _turns(controls, turn, ratio)
        s = -1
        for k in range(count):
            if not tried[k] and (s < 0 or turn[k] > turn[s]):
                s = k
        tried[s], smooth[s] = True, True
        own_segment[:], own_t[:] = segment, t
        _fit_points(points, weight, own_segment, own_t, smooth, ratio, other)
        _project(points, own_segment, own_t, other)
        _fit_points(points, weight, own_segment, own_t, smooth, ratio, other)
        found = _error(points, weight, own_segment, own_t, other)
        if found - error > max(price, _SHARE * error) and turn[s] < cosine:
            smooth[s] = False
            continue
        error = found
        segment[:], t[:], controls[:] = own_segment, own_t, other


@njit(cache=True, nogil=True)
def fit_closed(points, start, weight, fixed, breaks, break_start, rounds, cosine, price, controls):
    """Least squares with re-parametrization, joints smooth but for corners that are worth more than ``price`` px^3, and
    that turn by more than the angle of ``cosine``.

    fixed: (P,) points at which a joint may be a corner at no price. breaks: contour-relative cuts, break_start:
    (C + 1,); controls: (3 * breaks, 2) out.
    """
    for c in range(len(start) - 1):
        p, w = points[start[c]:start[c + 1]], weight[start[c]:start[c + 1]]
        cut = breaks[break_start[c]:break_start[c + 1]]
        n, count = len(p), len(cut)
        segment, t = np.zeros(n, np.int64), np.zeros(n)
        keep = np.zeros(count, np.bool_)
        for s in range(count):
            first = cut[s]
            last = cut[s + 1] if s + 1 < count else cut[0] + n
            keep[s] = fixed[start[c] + first % n]
            length = 0.0
            for k in range(first, last):
                i, j = k % n, (k + 1) % n
                segment[i], t[i] = s, length
                length += math.hypot(p[j, 0] - p[i, 0], p[j, 1] - p[i, 1])
            for k in range(first, last):
                t[k % n] /= max(length, 1e-9)
        own = controls[3 * break_start[c]:3 * break_start[c + 1]]
        smooth, ratio, turn = np.zeros(count, np.bool_), np.full(count, 0.5), np.empty(count)
        for r in range(rounds):
            _fit_points(p, w, segment, t, smooth, ratio, own)
            if r == rounds // 2:
                _smooth_where_it_pays(p, w, segment, t, keep, cosine, price, smooth, ratio, own)
            elif r > rounds // 2:
                _turns(own, turn, ratio)
            if r + 1 < rounds:
                _project(p, segment, t, own)
