"""numba kernels of the cpu engine: exact area coverage, tiled compositing, and the derivatives of both.

The mathematics is in docs/engine.md. Arrays are flat and ragged; all coordinates are px of the canvas an outline is
on. Pixels are kept and composited in the dtype of the parameters (float32 or float64); edges are float64 always, which
costs nothing in scalar code and keeps coordinates far from the origin exact. Ties are decided as reference.py says.

How the work is shared out:

- coverage and its derivative: one outline a task. Each edge touches only the cells that it crosses.
- compositing and its derivative: one band of rows of one canvas a task, walking the outlines that reach into the
  band in paint order, so paint order holds without any lock. The derivative composites each row again instead of
  keeping what was behind every crop pixel: the row's stack stays in the core's own cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import get_thread_id, njit, prange

#: Rows of one compositing task. 16 rows of 1024 px in 4 planes are 256 KiB: they stay in a core's second level cache.
BAND = 16

SOLID, LINEAR, RADIAL = 0, 1, 2

#: As reference.py has it: px up to which a gradient is a point, and machine epsilons that count as nothing.
DEGENERATE = 1e-6
TIE_EPS = 8

#: Numbers of an entry's partial derivative before its stops: opacity, three sums over the gradient's geometry.
HEAD = 4
#: Numbers per stop: offset, red, green, blue, opacity.
PER_STOP = 5

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
def lay_out(box, crop_start, row_start, entry_start, canvas, stop_index, part_start):
    """Prefix sums: where each outline's crop pixels, crop rows, entries and partial derivatives begin.

    An entry is one outline in one band. Its partial derivative takes HEAD + PER_STOP * stops numbers.
    """
    for n in range(box.shape[0]):
        width, height = box[n, 2] - box[n, 0], box[n, 3] - box[n, 1]
        crop_start[n + 1] = crop_start[n] + width * height
        row_start[n + 1] = row_start[n] + height
        bands = (box[n, 3] - 1) // BAND - box[n, 1] // BAND + 1 if height > 0 else 0
        entry_start[n + 1] = entry_start[n] + bands
        numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
        part_start[n + 1] = part_start[n] + bands * numbers


@njit(**_SERIAL)
def bin_outlines(box, canvas, band_start, job_start, members):
    """Which outlines reach into which band: job j holds members[job_start[j]:job_start[j + 1]] in paint order."""
    job_start[:] = 0
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for band in range(box[n, 1] // BAND, (box[n, 3] - 1) // BAND + 1):
                job_start[base + band + 1] += 1
    for job in range(job_start.shape[0] - 1):
        job_start[job + 1] += job_start[job]
    at = job_start[:-1].copy()
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for band in range(box[n, 1] // BAND, (box[n, 3] - 1) // BAND + 1):
                members[at[base + band]] = n
                at[base + band] += 1


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
def _edge_part(x0, x1, y_a, y_b, xa, xb, y0, per_edge, cells, width, sums):
    """Adds to sums (weight of the edge's start, of its end) what the cells under this part of the edge weigh.

    The edge parameter t is linear in y: t = (y - y0) * per_edge.
    """
    ta, tb = (y_a - y0) * per_edge, (y_b - y0) * per_edge
    lo, hi = (xa, xb) if xa <= xb else (xb, xa)
    if hi < 0 or lo >= width:
        return
    c = int(max(lo, 0.0))
    if lo >= 0 and hi <= c + 1:
        if c < width:
            g = cells[c]
            half = (tb * tb - ta * ta) / 2
            sums[0] += g * (tb - ta - half)
            sums[1] += g * half
        return
    per_x = (tb - ta) / (xb - xa)
    c_end = min(math.ceil(hi), width)
    while c < c_end:
        g = cells[c]
        t1 = ta + (max(lo, float(c)) - xa) * per_x
        t2 = ta + (min(hi, float(c + 1)) - xa) * per_x
        if t1 > t2:
            t1, t2 = t2, t1
        half = (t2 * t2 - t1 * t1) / 2
        sums[0] += g * (t2 - t1 - half)
        sums[1] += g * half
        c += 1


@njit(**_PARALLEL)
def coverage_backward(poly, loop_points, outline_loops, box, crop_start, pieces, basis, d_winding, d_points):
    """Derivative with respect to the control points, from the derivative with respect to each pixel's winding.

    Exact and local: moving an edge by v changes the area of a pixel by the integral of v x edge over the part of the
    edge inside that pixel (Reynolds' transport theorem), so only pixels on the boundary count.
    """
    for n in prange(box.shape[0]):
        for k in range(loop_points[outline_loops[n]], loop_points[outline_loops[n + 1]]):
            d_points[k, 0] = 0
            d_points[k, 1] = 0
        left, top = box[n, 0], box[n, 1]
        width, height = box[n, 2] - left, box[n, 3] - top
        if width <= 0 or height <= 0:
            continue
        start = crop_start[n]
        sums = np.zeros(2, np.float64)
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            base, top_point = loop_points[loop], loop_points[loop + 1]
            first, last = base // 3 * pieces, top_point // 3 * pieces
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                x0, y0 = poly[i, 0] - left, poly[i, 1] - top
                x1, y1 = poly[j, 0] - left, poly[j, 1] - top
                dx, dy = x1 - x0, y1 - y0
                sums[0] = 0
                sums[1] = 0
                if dy == 0:
                    # A horizontal edge sweeps area too: it weighs the row that it lies in.
                    r = math.floor(y0)
                    if dx != 0 and 0 <= r < height:
                        _horizontal(x0, x1, d_winding[start + r * width:start + (r + 1) * width], width, sums)
                else:
                    flip = y0 > y1
                    if flip:
                        x0, x1 = x1, x0
                        y0, y1 = y1, y0
                    if y1 > 0 and y0 < height:
                        per_y = (x1 - x0) / (y1 - y0)
                        per_edge = 1 / (y1 - y0)
                        y = max(y0, 0.0)
                        r = int(y)
                        xa = x0 + (y - y0) * per_y
                        stop = min(y1, float(height))
                        while y < stop:
                            end = min(float(r + 1), stop)
                            xb = x1 if end == y1 else x0 + (end - y0) * per_y
                            _edge_part(x0, x1, y, end, xa, xb, y0, per_edge,
                                       d_winding[start + r * width:start + (r + 1) * width], width, sums)
                            xa = xb
                            y = end
                            r += 1
                    if flip:
                        sums[0], sums[1] = sums[1], sums[0]
                if sums[0] == 0 and sums[1] == 0:
                    continue
                for side in range(2):
                    vertex = i if side == 0 else j
                    gx, gy = -dy * sums[side], dx * sums[side]
                    segment = (vertex - first) // pieces
                    m = vertex - first - segment * pieces
                    a = base + 3 * segment
                    d = a + 3 if a + 3 < top_point else base
                    d_points[a, 0] += basis[m, 0] * gx
                    d_points[a, 1] += basis[m, 0] * gy
                    d_points[a + 1, 0] += basis[m, 1] * gx
                    d_points[a + 1, 1] += basis[m, 1] * gy
                    d_points[a + 2, 0] += basis[m, 2] * gx
                    d_points[a + 2, 1] += basis[m, 2] * gy
                    d_points[d, 0] += basis[m, 3] * gx
                    d_points[d, 1] += basis[m, 3] * gy


@njit(**_SERIAL)
def _horizontal(x0, x1, cells, width, sums):
    """The horizontal edge's weights; t is linear in x."""
    lo, hi = (x0, x1) if x0 <= x1 else (x1, x0)
    if hi <= 0 or lo >= width:
        return
    per_x = 1 / (x1 - x0)
    for c in range(int(max(lo, 0.0)), min(math.ceil(hi), width)):
        t1 = (max(lo, float(c)) - x0) * per_x
        t2 = (min(hi, float(c + 1)) - x0) * per_x
        if t1 > t2:
            t1, t2 = t2, t1
        half = (t2 * t2 - t1 * t1) / 2
        sums[0] += cells[c] * (t2 - t1 - half)
        sums[1] += cells[c] * half


@njit(**_SERIAL)
def _locate(u, stop_offset, first, last):
    """Index of the last stop at or before u, the fraction towards the next one, and one over their distance.

    Before the first stop and from the last one on, fraction and inverse distance are 0.
    """
    if u < stop_offset[first]:
        return first, u * 0, u * 0
    k = first
    while k + 1 < last and u >= stop_offset[k + 1]:
        k += 1
    if k + 1 >= last:
        return last - 1, u * 0, u * 0
    gap = stop_offset[k + 1] - stop_offset[k]
    return k, (u - stop_offset[k]) / gap, 1 / gap


@njit(**_SERIAL)
def _ramp(geometry, n):
    """Linear gradient as u = base + ax (x - x1) + ay (y - y1); a point paints its last stop: u = base = 1."""
    dx, dy = geometry[n, 2] - geometry[n, 0], geometry[n, 3] - geometry[n, 1]
    square = dx * dx + dy * dy
    if square <= DEGENERATE * DEGENERATE:
        return dx * 0, dx * 0, dx * 0 + 1
    return dx / square, dy / square, dx * 0


@njit(**_SERIAL)
def _simple(kind, stop_offset, first, last):
    """Solid fills and linear gradients between two stops run through the vectorized loop."""
    return last - first == 1 or (kind == LINEAR and last - first == 2 and stop_offset[first] < stop_offset[first + 1])


@njit(**_SERIAL)
def _over_row(cells, red, green, blue, alpha, n, x, y, kind, geometry, stop_index, stop_offset, stop_color, opacity):
    """Paints one row of one outline over the four planes; cells is the winding, x the column of cells[0]."""
    first, last = stop_index[n], stop_index[n + 1]
    one = cells.dtype.type(1)
    zero = cells.dtype.type(0)
    half = cells.dtype.type(0.5)
    # Whole numbers times float32 are float64 to numba: everything in the loops is cast first.
    fx, fy = cells.dtype.type(x) + half, cells.dtype.type(y) + half
    op = opacity[n]
    if _simple(kind[n], stop_offset, first, last):
        end = last - 1
        inv = zero
        ax, ay, u0 = zero, zero, zero
        if last - first == 2:
            ax, ay, base = _ramp(geometry, n)
            u0 = base + ay * (fy - geometry[n, 1]) + ax * (fx - geometry[n, 0])
            inv = one / (stop_offset[end] - stop_offset[first])
        o0 = stop_offset[first]
        r0, g0, b0, a0 = (stop_color[first, 0], stop_color[first, 1], stop_color[first, 2], op * stop_color[first, 3])
        dr, dg, db, da = (stop_color[end, 0] - r0, stop_color[end, 1] - g0, stop_color[end, 2] - b0,
                          op * stop_color[end, 3] - a0)
        for i in range(cells.shape[0]):
            t = min(max((u0 + ax * cells.dtype.type(i) - o0) * inv, zero), one)
            a = min(abs(cells[i]), one) * (a0 + t * da)
            red[i] += a * (r0 + t * dr - red[i])
            green[i] += a * (g0 + t * dg - green[i])
            blue[i] += a * (b0 + t * db - blue[i])
            alpha[i] += a * (one - alpha[i])
        return
    ax, ay, base = _ramp(geometry, n)
    for i in range(cells.shape[0]):
        px, py = fx + cells.dtype.type(i) - geometry[n, 0], fy - geometry[n, 1]
        if kind[n] == LINEAR:
            u = base + ax * px + ay * py
        elif geometry[n, 2] > DEGENERATE:
            u = math.hypot(px, py) / geometry[n, 2]
        else:
            u = one
        k, t, inv = _locate(u, stop_offset, first, last)
        k2 = min(k + 1, last - 1)
        a = min(abs(cells[i]), one) * op * (stop_color[k, 3] + t * (stop_color[k2, 3] - stop_color[k, 3]))
        red[i] += a * (stop_color[k, 0] + t * (stop_color[k2, 0] - stop_color[k, 0]) - red[i])
        green[i] += a * (stop_color[k, 1] + t * (stop_color[k2, 1] - stop_color[k, 1]) - green[i])
        blue[i] += a * (stop_color[k, 2] + t * (stop_color[k2, 2] - stop_color[k, 2]) - blue[i])
        alpha[i] += a * (one - alpha[i])


@njit(**_PARALLEL)
def composite(winding, span, box, crop_start, row_start, job_canvas, job_top, job_order, job_start, members, sizes,
              canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background, picture):
    """Source-over in paint order into picture (4, P), premultiplied."""
    for task in prange(job_order.shape[0]):
        job = job_order[task]
        b, top = job_canvas[job], job_top[job]
        width, height = sizes[b, 0], sizes[b, 1]
        bottom = min(top + BAND, height)
        origin = canvas_start[b]
        for k in range(4):
            value = background[b, k] * (background[b, 3] if k < 3 else picture.dtype.type(1))
            picture[k, origin + top * width:origin + bottom * width] = value
        for m in range(job_start[job], job_start[job + 1]):
            n = members[m]
            left, crop_width = box[n, 0], box[n, 2] - box[n, 0]
            for y in range(max(top, box[n, 1]), min(bottom, box[n, 3])):
                r = y - box[n, 1]
                a, e = span[row_start[n] + r, 0], span[row_start[n] + r, 1]
                if a >= e:
                    continue
                cells = winding[crop_start[n] + r * crop_width + a:crop_start[n] + r * crop_width + e]
                p, q = origin + y * width + left + a, origin + y * width + left + e
                _over_row(cells, picture[0, p:q], picture[1, p:q], picture[2, p:q], picture[3, p:q], n, left + a, y,
                          kind, geometry, stop_index, stop_offset, stop_color, opacity)


@njit(**_SERIAL)
def _row_backward(cells, behind, grad, d_cells, n, x, y, kind, geometry, stop_index, stop_offset, stop_color, opacity,
                  part):
    """Derivatives of one painted row; grad (4, len) leaves as the derivative with respect to what was behind."""
    first, last = stop_index[n], stop_index[n + 1]
    one = cells.dtype.type(1)
    zero = cells.dtype.type(0)
    op = opacity[n]
    half = cells.dtype.type(0.5)
    fx, fy = cells.dtype.type(x) + half, cells.dtype.type(y) + half
    tie = cells.dtype.type(TIE_EPS * np.finfo(cells.dtype).eps)
    if _simple(kind[n], stop_offset, first, last):
        end = last - 1
        inv = zero
        ax, ay, u0 = zero, zero, zero
        # Moments are taken about the gradient's start: far from the canvas' origin nothing cancels.
        from_x, from_y = fx - geometry[n, 0], fy - geometry[n, 1]
        if last - first == 2:
            ax, ay, base = _ramp(geometry, n)
            u0 = base + ay * from_y + ax * from_x
            inv = one / (stop_offset[end] - stop_offset[first])
        o0 = stop_offset[first]
        r0, g0, b0, s0 = stop_color[first, 0], stop_color[first, 1], stop_color[first, 2], stop_color[first, 3]
        dr, dg, db, ds = (stop_color[end, 0] - r0, stop_color[end, 1] - g0, stop_color[end, 2] - b0,
                          stop_color[end, 3] - s0)
        d_op = zero
        sum_u, sum_ux, sum_ut = zero, zero, zero
        red, green, blue, see = zero, zero, zero, zero
        red_t, green_t, blue_t, see_t = zero, zero, zero, zero
        for i in range(cells.shape[0]):
            at_i = cells.dtype.type(i)
            place = (u0 + ax * at_i - o0) * inv
            t = min(max(place, zero), one)
            w = abs(cells[i])
            cov = min(w, one)
            seen = s0 + t * ds
            a = cov * op * seen
            g0_, g1_, g2_, g3_ = grad[0, i], grad[1, i], grad[2, i], grad[3, i]
            d_a = (g0_ * (r0 + t * dr - behind[0, i]) + g1_ * (g0 + t * dg - behind[1, i])
                   + g2_ * (b0 + t * db - behind[2, i]) + g3_ * (one - behind[3, i]))
            d_cov = d_a * op * seen
            d_cells[i] = (d_cov if cells[i] > zero else -d_cov) if (w > tie) & (w <= one + tie) else zero
            d_op += d_a * cov * seen
            d_see = d_a * cov * op
            cr, cg, cb = a * g0_, a * g1_, a * g2_
            red += cr
            green += cg
            blue += cb
            see += d_see
            red_t += cr * t
            green_t += cg * t
            blue_t += cb * t
            see_t += d_see * t
            d_t = cr * dr + cg * dg + cb * db + d_see * ds
            d_u = d_t * inv if (place >= zero) & (place < one) else zero
            sum_u += d_u
            sum_ux += d_u * at_i
            sum_ut += d_u * t
            keep = one - a
            grad[0, i] = g0_ * keep
            grad[1, i] = g1_ * keep
            grad[2, i] = g2_ * keep
            grad[3, i] = g3_ * keep
        part[0] += d_op
        part[1] += sum_u
        part[2] += sum_ux + sum_u * from_x
        part[3] += sum_u * from_y
        # A stop's offset moves t by -(1 - t) / gap at its start and by -t / gap at its end.
        part[4] -= sum_u - sum_ut
        part[5] += red - red_t
        part[6] += green - green_t
        part[7] += blue - blue_t
        part[8] += see - see_t
        at = HEAD + PER_STOP * (end - first)
        part[at] -= sum_ut
        part[at + 1] += red_t
        part[at + 2] += green_t
        part[at + 3] += blue_t
        part[at + 4] += see_t
        return
    ax, ay, base = _ramp(geometry, n)
    for i in range(cells.shape[0]):
        px, py = fx + cells.dtype.type(i) - geometry[n, 0], fy - geometry[n, 1]
        distance = zero
        if kind[n] == LINEAR:
            u = base + ax * px + ay * py
        elif geometry[n, 2] > DEGENERATE:
            distance = math.hypot(px, py)
            u = distance / geometry[n, 2]
        else:
            u = one
        k, t, inv = _locate(u, stop_offset, first, last)
        k2 = min(k + 1, last - 1)
        w = abs(cells[i])
        cov = min(w, one)
        seen = stop_color[k, 3] + t * (stop_color[k2, 3] - stop_color[k, 3])
        a = cov * op * seen
        d_a = grad[3, i] * (one - behind[3, i])
        d_t = zero
        at, at2 = HEAD + PER_STOP * (k - first), HEAD + PER_STOP * (k2 - first)
        for q in range(3):
            value = stop_color[k, q] + t * (stop_color[k2, q] - stop_color[k, q])
            d_a += grad[q, i] * (value - behind[q, i])
            d_value = a * grad[q, i]
            d_t += d_value * (stop_color[k2, q] - stop_color[k, q])
            part[at + 1 + q] += (one - t) * d_value
            part[at2 + 1 + q] += t * d_value
        d_see = d_a * cov * op
        d_t += d_see * (stop_color[k2, 3] - stop_color[k, 3])
        part[at + 4] += (one - t) * d_see
        part[at2 + 4] += t * d_see
        d_cov = d_a * op * seen
        d_cells[i] = (d_cov if cells[i] > zero else -d_cov) if (w > tie) & (w <= one + tie) else zero
        part[0] += d_a * cov * seen
        d_place = d_t * inv
        part[at] -= d_place * (one - t)
        part[at2] -= d_place * t
        if kind[n] == LINEAR:
            part[1] += d_place
            part[2] += d_place * px
            part[3] += d_place * py
        elif distance > 0:
            push = d_place / (distance * geometry[n, 2])
            part[1] -= push * px
            part[2] -= push * py
            part[3] -= d_place * u / geometry[n, 2]
        keep = one - a
        for q in range(4):
            grad[q, i] *= keep


@njit(**_SERIAL)
def _total(values):
    total = values.dtype.type(0)
    for i in range(values.shape[0]):
        total += values[i]
    return total


@njit(**_PARALLEL)
def composite_backward(winding, span, box, crop_start, row_start, job_canvas, job_top, job_order, job_start, members,
                       sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background,
                       entry_start, part_start, d_picture, d_winding, partial, d_background_part, stack, rows,
                       actives, wants_background):
    """Walks every row twice: bottom to top to know what was behind, then top to bottom with the derivative.

    stack: (threads, 4, longest row's sum of spans). rows: (threads, 2, 4, widest canvas). actives: (threads, most
    outlines in a band). partial: flat, per entry (see lay_out). d_background_part: (jobs, 4), with respect to the
    premultiplied ground; 0 unless wants_background.
    """
    for task in prange(job_order.shape[0]):
        job = job_order[task]
        me = get_thread_id()
        b, top = job_canvas[job], job_top[job]
        width, height = sizes[b, 0], sizes[b, 1]
        bottom = min(top + BAND, height)
        band = top // BAND
        origin = canvas_start[b]
        behind, active = stack[me], actives[me]
        line, grad = rows[me, 0], rows[me, 1]
        begin, finish = job_start[job], job_start[job + 1]
        for m in range(begin, finish):
            n = members[m]
            numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
            p = part_start[n] + (band - box[n, 1] // BAND) * numbers
            partial[p:p + numbers] = 0
        for k in range(4):
            d_background_part[job, k] = 0
        for y in range(top, bottom):
            row = origin + y * width
            # Which outlines reach into the row, and which columns: the rest of the row only feeds the background.
            count, low, high = 0, width, 0
            for m in range(begin, finish):
                n = members[m]
                if box[n, 1] <= y < box[n, 3]:
                    r = row_start[n] + y - box[n, 1]
                    if span[r, 0] < span[r, 1]:
                        active[count] = n
                        count += 1
                        low = min(low, box[n, 0] + span[r, 0])
                        high = max(high, box[n, 0] + span[r, 1])
            low = min(low, high)
            for k in range(4):
                value = background[b, k] * (background[b, 3] if k < 3 else winding.dtype.type(1))
                line[k, low:high] = value
                grad[k, low:high] = d_picture[k, row + low:row + high]
            used = 0
            for i in range(count):
                n = active[i]
                r = y - box[n, 1]
                a, e = span[row_start[n] + r, 0], span[row_start[n] + r, 1]
                left, s = box[n, 0], crop_start[n] + r * (box[n, 2] - box[n, 0])
                for k in range(4):
                    behind[k, used:used + e - a] = line[k, left + a:left + e]
                used += e - a
                _over_row(winding[s + a:s + e], line[0, left + a:left + e], line[1, left + a:left + e],
                          line[2, left + a:left + e], line[3, left + a:left + e], n, left + a, y, kind, geometry,
                          stop_index, stop_offset, stop_color, opacity)
            for i in range(count - 1, -1, -1):
                n = active[i]
                r = y - box[n, 1]
                a, e = span[row_start[n] + r, 0], span[row_start[n] + r, 1]
                left, s = box[n, 0], crop_start[n] + r * (box[n, 2] - box[n, 0])
                numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
                p = part_start[n] + (band - box[n, 1] // BAND) * numbers
                used -= e - a
                _row_backward(winding[s + a:s + e], behind[:, used:used + e - a], grad[:, left + a:left + e],
                              d_winding[s + a:s + e], n, left + a, y, kind, geometry, stop_index, stop_offset,
                              stop_color, opacity, partial[p:p + numbers])
            if wants_background:
                for k in range(4):
                    d_background_part[job, k] += (_total(d_picture[k, row:row + low]) + _total(grad[k, low:high])
                                                  + _total(d_picture[k, row + high:row + width]))


@njit(**_PARALLEL)
def reduce_partials(kind, geometry, stop_index, stop_offset, entry_start, part_start, partial, d_geometry,
                    d_stop_offset, d_stop_color, d_opacity):
    """Sums each outline's entries and turns the sums over a linear gradient's ramp into its end points' derivative."""
    for n in prange(kind.shape[0]):
        first, stops = stop_index[n], stop_index[n + 1] - stop_index[n]
        numbers = HEAD + PER_STOP * stops
        total = np.zeros(numbers, np.float64)
        for e in range(entry_start[n + 1] - entry_start[n]):
            for q in range(numbers):
                total[q] += partial[part_start[n] + e * numbers + q]
        d_opacity[n] = total[0]
        for k in range(stops):
            d_stop_offset[first + k] = total[HEAD + PER_STOP * k]
            for q in range(4):
                d_stop_color[first + k, q] = total[HEAD + PER_STOP * k + 1 + q]
        if stops == 1:
            d_stop_offset[first] = 0
        for q in range(4):
            d_geometry[n, q] = 0
        if kind[n] == RADIAL and stops > 1:
            d_geometry[n, 0], d_geometry[n, 1], d_geometry[n, 2] = total[1], total[2], total[3]
        elif kind[n] == LINEAR and stops > 1:
            ax, ay, base = _ramp(geometry, n)
            dx, dy = geometry[n, 2] - geometry[n, 0], geometry[n, 3] - geometry[n, 1]
            if base == 0:
                # u = (p - p1) . d / |d|^2, so du/dd = (p - p1) / |d|^2 - 2 u d / |d|^2 and du/dp1 = -d / |d|^2 - du/dd.
                square = dx * dx + dy * dy
                s0, sx, sy = total[1], total[2], total[3]
                su = ax * sx + ay * sy
                ddx = (sx - 2 * su * dx) / square
                ddy = (sy - 2 * su * dy) / square
                d_geometry[n, 2], d_geometry[n, 3] = ddx, ddy
                d_geometry[n, 0], d_geometry[n, 1] = -ax * s0 - ddx, -ay * s0 - ddy


@njit(**_SERIAL)
def longest_stack(box, span, row_start, job_canvas, job_top, job_start, members, sizes):
    """Largest sum of spans in one row of any band, and most outlines in one band: the scratch a thread needs."""
    longest, most = 1, 1
    sums = np.zeros(BAND, np.int64)
    for job in range(job_canvas.shape[0]):
        most = max(most, job_start[job + 1] - job_start[job])
        top = job_top[job]
        bottom = min(top + BAND, sizes[job_canvas[job], 1])
        sums[:] = 0
        for m in range(job_start[job], job_start[job + 1]):
            n = members[m]
            for y in range(max(top, box[n, 1]), min(bottom, box[n, 3])):
                r = row_start[n] + y - box[n, 1]
                sums[y - top] += max(span[r, 1] - span[r, 0], 0)
        for r in range(BAND):
            longest = max(longest, sums[r])
    return longest, most
