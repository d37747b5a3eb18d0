"""numba kernels of the cpu engine: exact area coverage of outlines; coverage_backward.py has its derivative.

One outline is one task. Each edge touches only the cells that it crosses. Edges inside an outline's crop, as nearly all
are, take a short way; those that leave it are cut to it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ..kernel_cache import njit
from .alone import paint_alone
from .fills import is_alone
from .kernels import _APART, _INNER, _PARALLEL, LANES, chord, pitch
from .tasks import next_task


@njit(**_INNER)
def _add_cells(cells, x0, x1, dy, width):
    """Adds the area of an edge part inside one row, 0 <= x <= width, to the cells that it crosses."""
    first, last = (x0, x1) if x0 <= x1 else (x1, x0)
    c = int(first)
    if c >= width:
        return
    if last <= c + 1:
        area = dy * (c + 1 - (first + last) / 2)
        cells[c] += area
        if c + 1 < width:
            cells[c + 1] += dy - area
        return
    slope = dy / (last - first)
    x = first
    while x < last:
        if c >= width:
            return
        end = min(last, c + 1)
        part = slope * (end - x)
        area = part * (c + 1 - (x + end) / 2)
        cells[c] += area
        if c + 1 < width:
            cells[c + 1] += part - area
        x = end
        c += 1


@njit(**_INNER)
def _leave_areas(cells, spans, row, x0, y0, x1, y1, sign):
    """Leaves an edge's areas in the cells of a crop: in each that it crosses, and the rest in its right neighbour.

    The edge goes down (y0 < y1) inside the crop. Each round follows it through one cell, to the border that comes
    first; how many borders there are is known before. Indices without a sign spare the question whether they are below
    0.
    """
    c, r, last_c, last_r = int(x0), int(y0), int(x1), math.ceil(y1) - 1
    step, border = (1, c + 1.0) if x1 >= x0 else (-1, float(c))
    down_per_x, right_per_y = (y1 - y0) / (x1 - x0), (x1 - x0) / (y1 - y0)
    xa, ya = x0, y0
    for left_over in range(abs(last_c - c) + last_r - r, -1, -1):
        y_border = y0 + (border - x0) * down_per_x
        side = ((y_border < r + 1) | (r == last_r)) & (c != last_c)
        xb = border if side else x0 + (r + 1 - y0) * right_per_y
        yb = y_border if side else r + 1.0
        if left_over == 0:
            xb, yb = x1, y1
        cell, span = np.uint64(r * row + c), np.uint64(r)
        spans[span, 0], spans[span, 1] = min(spans[span, 0], c - 1), max(spans[span, 1], c + 2)
        whole = sign * (yb - ya)
        area = whole * (c + 1 - 0.5 * (xa + xb))
        cells[cell] += area
        cells[cell + np.uint64(1)] += whole - area
        aside = step if side else 0
        c += aside
        border += aside
        r += 0 if side else 1
        xa, ya = xb, yb


@njit(**_INNER)
def _leave_areas_clipped(cells, spans, row, width, height, x0, y0, x1, y1, sign):
    """As :func:`_leave_areas`, of an edge that may leave the crop: on its left it covers whole rows."""
    zero, wide = 0.0, float(width)
    per_y = (x1 - x0) / (y1 - y0)
    y = max(y0, zero)
    r = int(y)
    xa = x0 + (y - y0) * per_y
    stop = min(y1, float(height))
    while y < stop:
        end = min(float(r + 1), stop)
        xb = x1 if end == y1 else x0 + (end - y0) * per_y
        dy = sign * (end - y)
        line = cells[r * row:r * row + width]
        lo, hi = min(xa, xb), max(xa, xb)
        if lo < wide + 1:
            spans[r, 0] = min(spans[r, 0], int(min(max(lo, zero), wide)) - 1)
        spans[r, 1] = max(spans[r, 1], int(min(max(hi, zero), wide)) + 2)
        if hi <= 0:
            line[0] += dy
        elif lo >= 0 and hi <= wide:
            _add_cells(line, xa, xb, dy, width)
        elif lo < wide:
            # Left of the crop the edge covers the whole row; right of it, nothing of it.
            whole = hi - lo
            if lo < 0:
                line[0] += dy * (-lo / whole)
            _add_cells(line, max(lo, zero), min(hi, wide), dy * ((min(hi, wide) - max(lo, zero)) / whole), width)
        xa = xb
        y = end
        r += 1


@njit(**_INNER)
def _run_up(cells, spans, row, width):
    """Running sums along the rows turn areas into windings; spans become whole vectors.

    Four rows at a time: a sum waits for the one before it.
    """
    height = spans.shape[0]
    for r in range(height):
        cells[r * row + width] = 0
        spans[r, 0], spans[r, 1] = max(spans[r, 0], 0), min(spans[r, 1], width)
    for r in range(0, height - 3, 4):
        a = min(min(spans[r, 0], spans[r + 1, 0]), min(spans[r + 2, 0], spans[r + 3, 0]))
        b = max(max(spans[r, 1], spans[r + 1, 1]), max(spans[r + 2, 1], spans[r + 3, 1]))
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        row0, row1, row2, row3 = (cells[r * row:(r + 1) * row], cells[(r + 1) * row:(r + 2) * row],
                                  cells[(r + 2) * row:(r + 3) * row], cells[(r + 3) * row:(r + 4) * row])
        for c in range(a, b):
            s0 += row0[c]
            s1 += row1[c]
            s2 += row2[c]
            s3 += row3[c]
            row0[c] = s0
            row1[c] = s1
            row2[c] = s2
            row3[c] = s3
    for r in range(height // 4 * 4, height):
        line, s0 = cells[r * row:(r + 1) * row], 0.0
        for c in range(spans[r, 0], spans[r, 1]):
            s0 += line[c]
            line[c] = s0
    for r in range(height):
        size = (spans[r, 1] - spans[r, 0] + LANES - 1) // LANES * LANES
        if size > 0:
            spans[r, 0] = min(spans[r, 0], row - size)
            spans[r, 1] = spans[r, 0] + size


@njit(**_INNER)
def _mark_level(spans, width, x0, x1, y0, y1, tie):
    """Rows that a level edge lies in or between: it may cover nothing there, but their cells have a derivative."""
    a, b = int(min(max(min(x0, x1), 0.0), width)), int(min(max(max(x0, x1), 0.0), width))
    for r in range(max(math.ceil(y0 - tie) - 1, 0), min(math.floor(y1 + tie) + 1, spans.shape[0])):
        spans[r, 0], spans[r, 1] = min(spans[r, 0], a - 1), max(spans[r, 1], b + 2)


@njit(**_INNER)
def _fold(cells):
    """Windings to the even-odd rule's: their distance from the next even number, with a sign."""
    one, half = cells.dtype.type(1), cells.dtype.type(0.5)
    for i in range(cells.shape[0]):
        cells[i] -= (one + one) * math.floor(half * cells[i] + half)


@njit(**_INNER, **_APART)
def _cover(n, poly, loop_points, outline_loops, box, crop_start, row_start, pieces, tie, even_odd, winding, span, lone,
           canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background,
           picture):
    """One outline of :func:`coverage`."""
    left, top = box[n, 0], box[n, 1]
    width, height = box[n, 2] - left, box[n, 3] - top
    if width <= 0 or height <= 0:
        return
    row = pitch(width)
    cells, spans = winding[crop_start[n]:crop_start[n + 1]], span[row_start[n]:row_start[n + 1]]
    cells[:] = 0
    for r in range(height):
        spans[r, 0] = width
        spans[r, 1] = 0
    for loop in range(outline_loops[n], outline_loops[n + 1]):
        first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
        for i in range(first, last):
            _, x0, y0, x1, y1 = chord(poly, i, first, last, left, top)
            if x0 == x1 and y0 == y1:
                continue
            sign = 1.0
            if y0 > y1:
                x0, x1 = x1, x0
                y0, y1 = y1, y0
                sign = -sign
            if y1 - y0 <= 2 * tie:
                _mark_level(spans, width, x0, x1, y0, y1, tie)
            if y1 < 0 or y0 >= height or y0 == y1:
                continue
            if min(x0, x1) >= 0 and max(x0, x1) <= width and y0 >= 0 and y1 <= height:
                _leave_areas(cells, spans, row, x0, y0, x1, y1, sign)
            else:
                _leave_areas_clipped(cells, spans, row, width, height, x0, y0, x1, y1, sign)
    _run_up(cells, spans, row, width)
    if even_odd[n]:
        _fold(cells)
    if is_alone(n, lone, kind, stop_index, stop_offset):
        paint_alone(n, canvas[n], picture, canvas_start, sizes, winding, span, box, crop_start, row_start, geometry,
                    stop_index, stop_offset, stop_color, opacity, background)


@njit(**_PARALLEL)
def coverage(queues, poly, loop_points, outline_loops, box, crop_start, row_start, pieces, tie, even_odd, winding, span,
             lone, canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity,
             background, picture):
    """Signed winding area of every crop pixel and, per crop row, the span (first, end) of columns that can be non-zero.

    Under the even-odd rule windings are folded into [-1, 1]. Either way coverage is min(|winding|, 1).

    winding is flat over the crops, whose rows are :func:`pitch` apart. Spans are a multiple of LANES long and end
    within the pitch; where the outline is not, their cells are 0 or next to it. They hold every cell that an edge can
    be in, by rounding too, since the derivative has none elsewhere.

    Paints the canvases of outlines that are alone.
    """
    for me in prange(queues.shape[0]):
        n = next_task(queues, me)
        while n >= 0:
            _cover(n, poly, loop_points, outline_loops, box, crop_start, row_start, pieces, tie, even_odd, winding,
                   span, lone, canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color,
                   opacity, background, picture)
            n = next_task(queues, me)
