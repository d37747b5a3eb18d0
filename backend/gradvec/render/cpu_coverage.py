"""numba kernels of the cpu engine: exact area coverage of outlines and its derivative.

One outline is one task. Each edge touches only the cells that it crosses. Edges inside an outline's crop, as nearly all
are, take a short way; those that leave it are cut to it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from .cpu_alone import alone_backward, paint_alone
from .cpu_fills import is_alone
from .cpu_kernels import _INNER, _PARALLEL, LANES, pitch
from .kernel_cache import njit


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
    first; how many borders there are is known before.
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
        spans[r, 0], spans[r, 1] = min(spans[r, 0], c - 1), max(spans[r, 1], c + 2)
        whole = sign * (yb - ya)
        area = whole * (c + 1 - 0.5 * (xa + xb))
        cells[r * row + c] += area
        cells[r * row + c + 1] += whole - area
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
        if lo < wide:
            spans[r, 0] = min(spans[r, 0], int(max(lo, zero)) - 1)
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


@njit(**_PARALLEL)
def coverage(poly, loop_points, outline_loops, box, crop_start, row_start, pieces, winding, span, lone, canvas, sizes,
             canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background, picture):
    """Signed winding area of every crop pixel and, per crop row, the span (first, end) of columns that can be non-zero.

    winding is flat over the crops, whose rows are :func:`pitch` apart. Spans are a multiple of LANES long and end
    within the pitch; where the outline is not, their cells are 0 or next to it. They hold every cell that an edge can
    be in, by rounding too, since the derivative has none elsewhere.

    Paints the canvases of outlines that are alone.
    """
    for task in prange(box.shape[0]):
        n = np.int64(task)  # else functions that take it are compiled for unsigned numbers, too
        left, top = box[n, 0], box[n, 1]
        width, height = box[n, 2] - left, box[n, 3] - top
        if width <= 0 or height <= 0:
            continue
        row = pitch(width)
        cells, spans = winding[crop_start[n]:crop_start[n + 1]], span[row_start[n]:row_start[n + 1]]
        cells[:] = 0
        for r in range(height):
            spans[r, 0] = width
            spans[r, 1] = 0
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                x0, y0 = poly[i, 0] - left, poly[i, 1] - top
                x1, y1 = poly[j, 0] - left, poly[j, 1] - top
                sign = 1.0
                if y0 > y1:
                    x0, x1 = x1, x0
                    y0, y1 = y1, y0
                    sign = -sign
                if y1 < 0 or y0 >= height:
                    continue
                if y0 == y1:
                    # Covers nothing, but its row's cells have a derivative.
                    r = int(y0)
                    a, b = int(min(max(min(x0, x1), 0.0), width)), int(min(max(max(x0, x1), 0.0), width))
                    spans[r, 0], spans[r, 1] = min(spans[r, 0], a - 1), max(spans[r, 1], b + 2)
                elif min(x0, x1) >= 0 and max(x0, x1) <= width and y0 >= 0 and y1 <= height:
                    _leave_areas(cells, spans, row, x0, y0, x1, y1, sign)
                else:
                    _leave_areas_clipped(cells, spans, row, width, height, x0, y0, x1, y1, sign)
        _run_up(cells, spans, row, width)
        if is_alone(n, lone, kind, stop_index, stop_offset):
            paint_alone(n, canvas[n], picture, canvas_start, sizes, winding, span, box, crop_start, row_start, geometry,
                        stop_index, stop_offset, stop_color, opacity, background)


@njit(**_INNER)
def _row_weights(d_winding, row, width, xa, xb, ta, tb):
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
        g = d_winding[row + c]
        return g * (tb - ta - half), g * half
    per_x = (tb - ta) / (xb - xa)
    for cell in range(c, min(math.ceil(hi), width)):
        t1 = ta + (max(lo, float(cell)) - xa) * per_x
        t2 = ta + (min(hi, float(cell + 1)) - xa) * per_x
        half = (t2 - t1) * (t2 + t1) / 2
        g = d_winding[row + cell] if t2 >= t1 else -d_winding[row + cell]
        start += g * (t2 - t1 - half)
        end += g * half
    return start, end


@njit(**_INNER)
def _weights(d_cells, row, width, x0, y0, x1, y1):
    """What the cells under an edge weigh for its start and for its end; it goes down or level inside the crop.

    The same walk as :func:`_leave_areas`.
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
            g = d_cells[r * row + c]
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
def _weights_clipped(d_winding, first, row, width, height, x0, y0, x1, y1):
    """As :func:`_weights`, of an edge that may leave the crop."""
    if y0 == y1:
        # A horizontal edge sweeps area too: it weighs the row that it lies in.
        r = math.floor(y0)
        if x0 == x1 or r < 0 or r >= height:
            return 0.0, 0.0
        return _row_weights(d_winding, first + r * row, width, x0, x1, 0.0, 1.0)
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
        s, e = _row_weights(d_winding, first + r * row, width, xa, xb, ta, tb)
        start += s
        end += e
        xa, ta = xb, tb
        r += 1
    return start, end


@njit(**_INNER)
def _edge_weights(d_winding, first, end, row, width, height, x0, y0, x1, y1):
    """What the cells under an edge weigh for its start and for its end; coordinates within the crop."""
    flip = y0 > y1
    if flip:
        x0, x1 = x1, x0
        y0, y1 = y1, y0
    if min(x0, x1) >= 0 and max(x0, x1) <= width and y0 >= 0 and y1 <= height:
        if y0 >= height or (x0 == x1 and y0 == y1):
            return 0.0, 0.0
        s, e = _weights(d_winding[first:end], row, width, x0, y0, x1, y1)
    else:
        s, e = _weights_clipped(d_winding, first, row, width, height, x0, y0, x1, y1)
    return (e, s) if flip else (s, e)


@njit(**_PARALLEL)
def coverage_backward(poly, loop_points, outline_loops, box, crop_start, basis, d_winding, d_poly, d_points, lone,
                      canvas, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity,
                      background, row_start, winding, span, band_start, part_start, d_picture, partial,
                      d_background_part, wants_background):
    """Derivative with respect to the control points, from the derivative with respect to each pixel's winding.

    Exact and local: moving an edge by v changes the area of a pixel by the integral of v x edge over the part of the
    edge inside that pixel (Reynolds' transport theorem), so only pixels on the boundary count. d_poly: scratch like
    poly.

    Of outlines that are alone it computes everything else before: see composite_backward.
    """
    pieces = basis.shape[0]
    for task in prange(box.shape[0]):
        n = np.int64(task)  # else functions that take it are compiled for unsigned numbers, too
        left, top = box[n, 0], box[n, 1]
        width, height = box[n, 2] - left, box[n, 3] - top
        start, end = loop_points[outline_loops[n]], loop_points[outline_loops[n + 1]]
        d_points[start:end] = 0
        if width <= 0 or height <= 0:
            continue
        if is_alone(n, lone, kind, stop_index, stop_offset):
            b = canvas[n]
            partial[part_start[n]:part_start[n + 1]] = 0
            d_background_part[band_start[b]:band_start[b + 1]] = 0
            alone_backward(n, b, d_picture, partial[part_start[n]:part_start[n + 1]], d_background_part[band_start[b]],
                           wants_background, canvas_start, sizes, winding, d_winding, span, box, crop_start, row_start,
                           geometry, stop_index, stop_offset, stop_color, opacity, background)
        row = pitch(width)
        d_poly[start // 3 * pieces:end // 3 * pieces] = 0
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                x0, y0 = poly[i, 0] - left, poly[i, 1] - top
                x1, y1 = poly[j, 0] - left, poly[j, 1] - top
                early, late = _edge_weights(d_winding, crop_start[n], crop_start[n + 1], row, width, height, x0, y0,
                                            x1, y1)
                d_poly[i, 0] -= (y1 - y0) * early
                d_poly[i, 1] += (x1 - x0) * early
                d_poly[j, 0] -= (y1 - y0) * late
                d_poly[j, 1] += (x1 - x0) * late
            for a in range(loop_points[loop], loop_points[loop + 1], 3):
                d = a + 3 if a + 3 < loop_points[loop + 1] else loop_points[loop]
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
