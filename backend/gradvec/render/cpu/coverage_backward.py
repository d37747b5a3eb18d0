"""numba kernels of the cpu engine: the derivative of coverage with respect to control points.

Exact and local: moving an edge by v changes the area of a pixel by the integral of v x edge over the part of the edge
inside that pixel (Reynolds' transport theorem), so only pixels on the boundary count. Ties are decided as reference.py
says.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ..kernel_cache import njit
from .alone import alone_backward
from .fills import is_alone
from .kernels import _APART, _INNER, _PARALLEL, chord, pitch
from .tasks import next_task


@njit(**_INNER)
def _slope_up(w, tie, beyond):
    """How coverage changes when winding w grows; when it shrinks, that is -_slope_up(-w).

    beyond: how it changes beyond 1: 0, or -1 under the even-odd rule.
    """
    if w >= 1 - tie:
        return beyond
    if w >= -tie:
        return 1.0
    return -1.0 if w >= -1 - tie else 0.0


@njit(**_INNER)
def _slope(w, tie, beyond):
    """The mean of both slopes of coverage at winding w."""
    size = abs(w)
    if (size > tie) & (size < 1 - tie):
        return 1.0 if w > 0 else -1.0
    return (_slope_up(w, tie, beyond) - _slope_up(-w, tie, beyond)) / 2


@njit(**_INNER)
def _row_weights(cells, d_cover, row, width, xa, xb, ta, tb, tie, beyond):
    """What the cells under one edge part in one row weigh for the edge's start and for its end.

    The part goes from xa to xb while the edge's parameter goes from ta to tb. row: place of the row's first cell.
    """
    start, end = 0.0, 0.0
    lo, hi = (xa, xb) if xa <= xb else (xb, xa)
    if hi < 0 or lo >= width:
        return start, end
    c = int(max(lo, 0.0))
    if lo >= 0 and hi <= c + 1:
        half = (tb - ta) * (tb + ta) / 2
        g = d_cover[row + c] * _slope(cells[row + c], tie, beyond)
        return g * (tb - ta - half), g * half
    per_x = (tb - ta) / (xb - xa)
    for cell in range(c, math.ceil(min(hi, float(width)))):
        t1 = ta + (max(lo, float(cell)) - xa) * per_x
        t2 = ta + (min(hi, float(cell + 1)) - xa) * per_x
        half = (t2 - t1) * (t2 + t1) / 2
        g = d_cover[row + cell] * _slope(cells[row + cell], tie, beyond)
        g = g if t2 >= t1 else -g
        start += g * (t2 - t1 - half)
        end += g * half
    return start, end


@njit(**_INNER)
def _weights(cells, d_cover, row, width, x0, y0, x1, y1, tie, beyond):
    """What the cells under an edge weigh for its start and for its end; it goes down or level inside the crop.

    The same walk as coverage's _leave_areas.
    """
    c, r, last_c, last_r = int(x0), int(y0), int(x1), max(math.ceil(y1) - 1, int(y0))
    step, border = (1, c + 1.0) if x1 >= x0 else (-1, float(c))
    down_per_x, per_x, per_y = (y1 - y0) / (x1 - x0), 1 / (x1 - x0), 1 / (y1 - y0)
    start, end, ta = 0.0, 0.0, 0.0
    for left_over in range(abs(last_c - c) + last_r - r, -1, -1):
        side = ((y0 + (border - x0) * down_per_x < r + 1) | (r == last_r)) & (c != last_c)
        tb = (border - x0) * per_x if side else (r + 1 - y0) * per_y
        if left_over == 0:
            tb = 1.0
        if c < width:
            cell = np.uint64(r * row + c)
            g = d_cover[cell] * _slope(cells[cell], tie, beyond)
            half = (tb - ta) * (tb + ta) / 2
            start += g * (tb - ta - half)
            end += g * half
        aside = step if side else 0
        c += aside
        border += aside
        r += 0 if side else 1
        ta = tb
    return start, end


@njit(**_INNER)
def _weights_clipped(cells, d_cover, row, width, height, x0, y0, x1, y1, tie, beyond):
    """As :func:`_weights`, of an edge that may leave the crop."""
    if y0 == y1:
        # A horizontal edge sweeps area too: it weighs the row that it lies in.
        r = math.floor(y0)
        if x0 == x1 or r < 0 or r >= height:
            return 0.0, 0.0
        return _row_weights(cells, d_cover, r * row, width, x0, x1, 0.0, 1.0, tie, beyond)
    start, end = 0.0, 0.0
    per_edge = 1 / (y1 - y0)
    per_y = (x1 - x0) * per_edge
    y = max(y0, 0.0)
    r = int(y)
    ta = (y - y0) * per_edge
    xa = x0 + (y - y0) * per_y
    stop = min(y1, float(height))
    while y < stop:
        y = min(float(r + 1), stop)
        tb = (y - y0) * per_edge
        xb = x1 if y == y1 else x0 + (y - y0) * per_y
        s, e = _row_weights(cells, d_cover, r * row, width, xa, xb, ta, tb, tie, beyond)
        start += s
        end += e
        xa, ta = xb, tb
        r += 1
    return start, end


@njit(**_INNER)
def _border_weights(cells, d_cover, a0, a1, length, along, border, size, across, grows, tie, beyond):
    """As :func:`_weights`, of an edge from a0 to a1 on the border of two lines of cells.

    length, size: cells along the edge and across it; along, across: how far apart they are. border: the first cell
    beyond the edge. grows: whether winding grows there when the edge goes that way; it shrinks before the edge, then,
    when the edge goes back.
    """
    start, end = 0.0, 0.0
    if a0 == a1:
        return start, end
    # Both are cut to the crop: what lies far beyond it has no whole number.
    low, high = max(min(a0, a1, float(length)), 0.0), min(max(a0, a1), float(length))
    for i in range(int(low), math.ceil(high)):
        ta, tb = (max(float(i), low) - a0) / (a1 - a0), (min(i + 1.0, high) - a0) / (a1 - a0)
        ta, tb = min(ta, tb), max(ta, tb)
        half = (tb - ta) * (tb + ta) / 2
        g = 0.0
        for line in range(max(border - 1, 0), min(border + 1, size)):
            at = i * along + line * across
            up = _slope_up(cells[at], tie, beyond) if grows == (line == border) else -_slope_up(-cells[at], tie, beyond)
            g += d_cover[at] * up / 2
        start += g * (tb - ta - half)
        end += g * half
    return start, end


@njit(**_INNER)
def _edge_weights(cells, d_cover, row, width, height, x0, y0, x1, y1, tie, beyond):
    """What the cells under an edge weigh for its start and for its end: (along x: start, end, along y: start, end).

    Coordinates are those of the crop.
    """
    if abs(x1 - x0) <= 2 * tie or abs(y1 - y0) <= 2 * tie:
        column, line = round(x0), round(y0)
        upright = abs(x0 - column) <= tie and abs(x1 - column) <= tie
        level = abs(y0 - line) <= tie and abs(y1 - line) <= tie
        if upright or level:
            s, e, t, f = 0.0, 0.0, 0.0, 0.0
            if upright:
                s, e = _border_weights(cells, d_cover, y0, y1, height, row, np.int64(column), width, 1, y0 > y1, tie,
                                       beyond)
            if level:
                t, f = _border_weights(cells, d_cover, x0, x1, width, 1, np.int64(line), height, row, x1 > x0, tie,
                                       beyond)
            return s, e, t, f
    flip = y0 > y1
    if flip:
        x0, x1 = x1, x0
        y0, y1 = y1, y0
    if min(x0, x1) >= 0 and max(x0, x1) <= width and y0 >= 0 and y1 <= height:
        if y0 >= height or (x0 == x1 and y0 == y1):
            return 0.0, 0.0, 0.0, 0.0
        s, e = _weights(cells, d_cover, row, width, x0, y0, x1, y1, tie, beyond)
    else:
        s, e = _weights_clipped(cells, d_cover, row, width, height, x0, y0, x1, y1, tie, beyond)
    return (e, s, e, s) if flip else (s, e, s, e)


@njit(**_INNER)
def _to_control_points(d_poly, d_points, basis, first, last):
    """Adds a loop's derivative from its chords' start points to its control points ``first`` to ``last``."""
    pieces = basis.shape[0]
    for a in range(first, last, 3):
        d = a + 3 if a + 3 < last else first
        for axis in range(2):
            k0, k1, k2, k3 = 0.0, 0.0, 0.0, 0.0
            for m in range(pieces):
                g = d_poly[a // 3 * pieces + m, axis]
                k0 += basis[m, 0] * g
                k1 += basis[m, 1] * g
                k2 += basis[m, 2] * g
                k3 += basis[m, 3] * g
            d_points[a, axis] += k0
            d_points[a + 1, axis] += k1
            d_points[a + 2, axis] += k2
            d_points[d, axis] += k3


@njit(**_INNER, **_APART)
def _outline_backward(n, poly, loop_points, outline_loops, box, crop_start, basis, tie, even_odd, d_cover, d_poly,
                      d_points, lone, canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color,
                      opacity, background, row_start, winding, span, band_start, part_start, d_picture, partial,
                      d_background_part, wants_background):
    """One outline of :func:`coverage_backward`."""
    pieces = basis.shape[0]
    left, top = box[n, 0], box[n, 1]
    width, height = box[n, 2] - left, box[n, 3] - top
    start, end = loop_points[outline_loops[n]], loop_points[outline_loops[n + 1]]
    d_points[start:end] = 0
    if width <= 0 or height <= 0:
        return
    if is_alone(n, lone, kind, stop_index, stop_offset):
        b = canvas[n]
        partial[part_start[n]:part_start[n + 1]] = 0
        d_background_part[band_start[b]:band_start[b + 1]] = 0
        alone_backward(n, b, d_picture, partial[part_start[n]:part_start[n + 1]], d_background_part[band_start[b]],
                       wants_background, canvas_start, sizes, winding, d_cover, span, box, crop_start, row_start,
                       geometry, stop_index, stop_offset, stop_color, opacity, background)
    cells, d_cells = winding[crop_start[n]:crop_start[n + 1]], d_cover[crop_start[n]:crop_start[n + 1]]
    row, beyond = pitch(width), -1.0 if even_odd[n] else 0.0
    d_poly[start // 3 * pieces:end // 3 * pieces] = 0
    for loop in range(outline_loops[n], outline_loops[n + 1]):
        first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
        for i in range(first, last):
            j, x0, y0, x1, y1 = chord(poly, i, first, last, left, top)
            if x0 == x1 and y0 == y1:
                continue
            early_x, late_x, early_y, late_y = _edge_weights(cells, d_cells, row, width, height, x0, y0, x1, y1,
                                                             tie, beyond)
            d_poly[i, 0] -= (y1 - y0) * early_x
            d_poly[i, 1] += (x1 - x0) * early_y
            d_poly[j, 0] -= (y1 - y0) * late_x
            d_poly[j, 1] += (x1 - x0) * late_y
        _to_control_points(d_poly, d_points, basis, loop_points[loop], loop_points[loop + 1])


@njit(**_PARALLEL)
def coverage_backward(queues, poly, loop_points, outline_loops, box, crop_start, basis, tie, even_odd, d_cover, d_poly,
                      d_points, lone, canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color,
                      opacity, background, row_start, winding, span, band_start, part_start, d_picture, partial,
                      d_background_part, wants_background):
    """Derivative with respect to the control points, from the derivative with respect to each pixel's coverage.

    d_poly: scratch like poly. Of outlines that are alone it computes everything else before: see composite_backward.
    """
    for me in prange(queues.shape[0]):
        n = next_task(queues, me)
        while n >= 0:
            _outline_backward(n, poly, loop_points, outline_loops, box, crop_start, basis, tie, even_odd, d_cover,
                              d_poly, d_points, lone, canvas, sizes, canvas_start, kind, geometry, stop_index,
                              stop_offset, stop_color, opacity, background, row_start, winding, span, band_start,
                              part_start, d_picture, partial, d_background_part, wants_background)
            n = next_task(queues, me)
