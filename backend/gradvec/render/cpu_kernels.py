"""numba kernels of the cpu engine: outlines to crops, exact area coverage and its derivative.

The mathematics is in docs/engine.md. Arrays are flat and ragged; all coordinates are px of the canvas an outline is
on. Pixels are kept in the dtype of the parameters (float32 or float64); edges are float64 always, which costs nothing
in scalar code and keeps coordinates far from the origin exact. Ties are decided as reference.py says.

One outline is one task. Each edge touches only the cells that it crosses. cpu_composite.py goes on from here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange

#: Numbers of an entry's partial derivative before its stops (opacity, three sums over the gradient's geometry), and per
#: stop (offset, red, green, blue, opacity). cpu_composite.py fills them.
HEAD, PER_STOP = 4, 5

# Derivatives of sums may be reordered; NaN and infinity must keep their meaning, so no "nnan" and no "ninf".
_FAST = {"contract", "reassoc", "nsz", "arcp", "afn"}
_SERIAL: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": _FAST, "error_model": "numpy"}
_PARALLEL = {**_SERIAL, "parallel": True}


def bezier_basis(pieces: int) -> np.ndarray:
    """(pieces, 4) cubic Bernstein weights at t = 0, 1/pieces, ... (1 belongs to the next segment)."""
    t = np.arange(pieces) / pieces
    s = 1 - t
    return np.stack([s**3, 3 * s**2 * t, 3 * s * t**2, t**3], axis=1)


@njit(**_PARALLEL)
def flatten(points, loop_points, outline_loops, canvas, sizes, basis, poly, box):
    """Fills poly (S * pieces, 2) with the line pieces' start points, box (N, 4) with each outline's crop.

    box: left, top, right, bottom in whole px, right and bottom exclusive, inside the canvas; empty: left == right.
    """
    pieces = basis.shape[0]
    for n in prange(outline_loops.shape[0] - 1):
        left, top, right, bottom = 1e30, 1e30, -1e30, -1e30
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop], loop_points[loop + 1]
            out = first // 3 * pieces
            for a in range(first, last, 3):
                d = a + 3 if a + 3 < last else first
                for m in range(pieces):
                    x = (basis[m, 0] * points[a, 0] + basis[m, 1] * points[a + 1, 0]
                         + basis[m, 2] * points[a + 2, 0] + basis[m, 3] * points[d, 0])
                    y = (basis[m, 0] * points[a, 1] + basis[m, 1] * points[a + 1, 1]
                         + basis[m, 2] * points[a + 2, 1] + basis[m, 3] * points[d, 1])
                    poly[out, 0] = x
                    poly[out, 1] = y
                    out += 1
                    left, right = min(left, x), max(right, x)
                    top, bottom = min(top, y), max(bottom, y)
        width, height = sizes[canvas[n], 0], sizes[canvas[n], 1]
        box[n, 0] = math.floor(min(max(left, 0), width))
        box[n, 1] = math.floor(min(max(top, 0), height))
        box[n, 2] = math.ceil(min(max(right, 0), width))
        box[n, 3] = math.ceil(min(max(bottom, 0), height))
        if not (box[n, 2] > box[n, 0] and box[n, 3] > box[n, 1]):
            box[n, 2] = box[n, 0]
            box[n, 3] = box[n, 1]


@njit(**_SERIAL)
def lay_out(box, band, crop_start, row_start, entry_start, stop_index, part_start):
    """Prefix sums: where each outline's crop pixels, crop rows, entries and partial derivatives begin.

    An entry is one outline in one band of ``band`` rows. Its partial derivative takes HEAD + PER_STOP * stops numbers.
    """
    for n in range(box.shape[0]):
        width, height = box[n, 2] - box[n, 0], box[n, 3] - box[n, 1]
        crop_start[n + 1] = crop_start[n] + width * height
        row_start[n + 1] = row_start[n] + height
        bands = (box[n, 3] - 1) // band - box[n, 1] // band + 1 if height > 0 else 0
        entry_start[n + 1] = entry_start[n] + bands
        numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
        part_start[n + 1] = part_start[n] + bands * numbers


@njit(**_SERIAL)
def bin_outlines(box, band, canvas, band_start, job_start, members):
    """Which outlines reach into which band: job j holds members[job_start[j]:job_start[j + 1]] in paint order."""
    job_start[:] = 0
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for i in range(box[n, 1] // band, (box[n, 3] - 1) // band + 1):
                job_start[base + i + 1] += 1
    for job in range(job_start.shape[0] - 1):
        job_start[job + 1] += job_start[job]
    at = job_start[:-1].copy()
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for i in range(box[n, 1] // band, (box[n, 3] - 1) // band + 1):
                members[at[base + i]] = n
                at[base + i] += 1


@njit(**_SERIAL)
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


@njit(**_PARALLEL)
def coverage(poly, loop_points, outline_loops, box, crop_start, row_start, pieces, winding, span):
    """Signed winding area of every crop pixel and, per crop row, the span (first, end) of columns that can be non-zero.

    winding is flat over the crops; only the spans' cells are written.
    """
    for n in prange(box.shape[0]):
        left, top = box[n, 0], box[n, 1]
        width, height = box[n, 2] - left, box[n, 3] - top
        if width <= 0 or height <= 0:
            continue
        start, rows = crop_start[n], row_start[n]
        winding[start:crop_start[n + 1]] = 0
        for r in range(height):
            span[rows + r, 0] = width
            span[rows + r, 1] = 0
        zero, wide = 0.0, float(width)
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                x0, y0 = poly[i, 0] - left, poly[i, 1] - top
                x1, y1 = poly[j, 0] - left, poly[j, 1] - top
                if y0 == y1:
                    continue
                sign = 1.0
                if y0 > y1:
                    x0, x1 = x1, x0
                    y0, y1 = y1, y0
                    sign = -sign
                if y1 <= 0 or y0 >= height:
                    continue
                per_y = (x1 - x0) / (y1 - y0)
                y = max(y0, zero)
                r = int(y)
                xa = x0 + (y - y0) * per_y
                stop = min(y1, float(height))
                while y < stop:
                    end = min(float(r + 1), stop)
                    xb = x1 if end == y1 else x0 + (end - y0) * per_y
                    dy = sign * (end - y)
                    cells = winding[start + r * width:start + (r + 1) * width]
                    lo, hi = min(xa, xb), max(xa, xb)
                    if lo < wide:
                        c = int(max(lo, zero))
                        if c < span[rows + r, 0]:
                            span[rows + r, 0] = c
                    if hi >= wide:
                        span[rows + r, 1] = width
                    else:
                        c = int(max(hi, zero)) + 2
                        if c > span[rows + r, 1]:
                            span[rows + r, 1] = min(c, width)
                    if hi <= 0:
                        cells[0] += dy
                    elif lo >= 0 and hi <= wide:
                        _add_cells(cells, xa, xb, dy, width)
                    elif lo < wide:
                        # Left of the crop the edge covers the whole row; right of it, nothing of it.
                        whole = hi - lo
                        if lo < 0:
                            cells[0] += dy * (-lo / whole)
                        _add_cells(cells, max(lo, zero), min(hi, wide),
                                   dy * ((min(hi, wide) - max(lo, zero)) / whole), width)
                    xa = xb
                    y = end
                    r += 1
        for r in range(height):
            a, b = span[rows + r, 0], span[rows + r, 1]
            cells = winding[start + r * width:start + (r + 1) * width]
            total = zero
            for c in range(a, b):
                total += cells[c]
                cells[c] = total


@njit(**_SERIAL)
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


@njit(**_SERIAL)
def _edge_weights(d_winding, first, width, height, x0, y0, x1, y1):
    """What the cells under an edge weigh for its start and for its end; coordinates within the crop."""
    if y0 == y1:
        # A horizontal edge sweeps area too: it weighs the row that it lies in.
        r = math.floor(y0)
        if x0 == x1 or r < 0 or r >= height:
            return 0.0, 0.0
        return _row_weights(d_winding, first + r * width, width, x0, x1, 0.0, 1.0)
    flip = y0 > y1
    if flip:
        x0, x1 = x1, x0
        y0, y1 = y1, y0
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
        s, e = _row_weights(d_winding, first + r * width, width, xa, xb, ta, tb)
        start += s
        end += e
        xa, ta = xb, tb
        r += 1
    return (end, start) if flip else (start, end)


@njit(**_PARALLEL)
def coverage_backward(poly, loop_points, outline_loops, box, crop_start, row_start, span, basis, d_winding, d_poly,
                      d_points):
    """Derivative with respect to the control points, from the derivative with respect to each pixel's winding.

    Exact and local: moving an edge by v changes the area of a pixel by the integral of v x edge over the part of the
    edge inside that pixel (Reynolds' transport theorem), so only pixels on the boundary count. d_poly: scratch like
    poly.

    d_winding holds nothing yet outside the spans. Edges on a line between two rows of pixels, and others by rounding,
    look at such cells all the same; nothing is painted there, so their derivative is 0.
    """
    pieces = basis.shape[0]
    for n in prange(box.shape[0]):
        left, top = box[n, 0], box[n, 1]
        width, height = box[n, 2] - left, box[n, 3] - top
        start, end = loop_points[outline_loops[n]], loop_points[outline_loops[n + 1]]
        d_points[start:end] = 0
        if width <= 0 or height <= 0:
            continue
        for r in range(height):
            a, b = span[row_start[n] + r, 0], span[row_start[n] + r, 1]
            row = crop_start[n] + r * width
            d_winding[row:row + min(a, width)] = 0
            d_winding[row + max(a, b):row + width] = 0
        d_poly[start // 3 * pieces:end // 3 * pieces] = 0
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop] // 3 * pieces, loop_points[loop + 1] // 3 * pieces
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                x0, y0 = poly[i, 0] - left, poly[i, 1] - top
                x1, y1 = poly[j, 0] - left, poly[j, 1] - top
                early, late = _edge_weights(d_winding, crop_start[n], width, height, x0, y0, x1, y1)
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


@njit(cache=True)
def thread_count():
    return get_num_threads()
