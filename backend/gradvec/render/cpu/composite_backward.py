"""numba kernels of the cpu engine: the derivatives of composite.py's.

The derivative composites a band again instead of keeping what was behind every crop pixel of the picture: a band stays
in the core's own cache.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..kernel_cache import njit
from .alone import total
from .composite import from_start, paint_rows
from .fills import ELLIPTIC, LINEAR, RADIAL, form, is_alone, is_simple, kept_backward, locate, place, ramp, simple_fill
from .kernels import _APART, _INNER, _PARALLEL, _SERIAL, HEAD, PAD, PER_STOP, pitch
from .tasks import next_task


@njit(**_INNER)
def _rows_backward(n, y0, y1, planes, origin, width, behind, used, part, steps, winding, d_cover, span, box, crop_start,
                   row_start, kind, geometry, stop_index, stop_offset, stop_color, opacity):
    """Derivatives of rows y0 to y1 of outline n, added into ``part``; those of its coverage into d_cover.

    planes (4, .) hold the derivative of the picture and leave as that of what was behind. behind, used: as
    :func:`paint_rows` filled them for the same rows.
    """
    one, half = winding.dtype.type(1), winding.dtype.type(0.5)
    first, last = stop_index[n], stop_index[n + 1]
    left, row = box[n, 0], pitch(box[n, 2] - box[n, 0])
    op = opacity[n]
    simple = is_simple(kind[n], stop_offset, first, last)
    ax, ay, base, inv, r0, g0, b0, s0, dr, dg, db, ds = simple_fill(n, geometry, stop_offset, stop_color, first, last)
    m0, m1, m2, m3, start = form(kind[n], geometry, n)
    if simple:
        top = box[n, 1]
        from_x, from_y = from_start(left, top, n, geometry)
        kept_backward(y0 - top, y1 - top, row, origin + top * width + left, width,
                      span[row_start[n]:row_start[n + 1]], winding[crop_start[n]:crop_start[n + 1]],
                      d_cover[crop_start[n]:crop_start[n + 1]], planes[0], planes[1], planes[2], planes[3], behind[0],
                      behind[1], behind[2], behind[3], used, steps, part, last - first, from_x, from_y,
                      base + ax * from_x + ay * from_y, ax, ay, op, inv, r0, g0, b0, s0, dr, dg, db, ds)
        return
    for y in range(y0, y1):
        r = y - box[n, 1]
        a, size = span[row_start[n] + r, 0], span[row_start[n] + r, 1] - span[row_start[n] + r, 0]
        if size <= 0:
            continue
        at = crop_start[n] + r * row + a
        p = origin + y * width + left + a
        cells, d_cells = winding[at:at + size], d_cover[at:at + size]
        red, green, blue, alpha = (planes[0, p:p + size], planes[1, p:p + size], planes[2, p:p + size],
                                   planes[3, p:p + size])
        k0, k1, k2, k3 = (behind[0, used:used + size], behind[1, used:used + size], behind[2, used:used + size],
                          behind[3, used:used + size])
        used += size
        from_x = winding.dtype.type(left + a) + half - geometry[n, 0]
        from_y = winding.dtype.type(y) + half - geometry[n, 1]
        for i in range(size):
            px = from_x + winding.dtype.type(i)
            u, distance = place(n, px, from_y, kind, geometry, m0, m1, m2, m3, start)
            k, t, inv = locate(u, stop_offset, first, last)
            j = min(k + 1, last - 1)
            c_r, c_g, c_b, c_a = (stop_color[j, 0] - stop_color[k, 0], stop_color[j, 1] - stop_color[k, 1],
                                  stop_color[j, 2] - stop_color[k, 2], stop_color[j, 3] - stop_color[k, 3])
            cov = min(abs(cells[i]), one)
            seen = stop_color[k, 3] + t * c_a
            s = cov * op * seen
            g_r, g_g, g_b, g_a = red[i], green[i], blue[i], alpha[i]
            d_s = (g_r * (stop_color[k, 0] + t * c_r - k0[i]) + g_g * (stop_color[k, 1] + t * c_g - k1[i])
                   + g_b * (stop_color[k, 2] + t * c_b - k2[i]) + g_a * (one - k3[i]))
            d_cells[i] = d_s * op * seen
            part[0] += d_s * cov * seen
            d_seen = d_s * cov * op
            e, f = HEAD + PER_STOP * (k - first), HEAD + PER_STOP * (j - first)
            part[e + 1] += (one - t) * s * g_r
            part[e + 2] += (one - t) * s * g_g
            part[e + 3] += (one - t) * s * g_b
            part[e + 4] += (one - t) * d_seen
            part[f + 1] += t * s * g_r
            part[f + 2] += t * s * g_g
            part[f + 3] += t * s * g_b
            part[f + 4] += t * d_seen
            d_u = (s * (g_r * c_r + g_g * c_g + g_b * c_b) + d_seen * c_a) * inv
            part[e] -= d_u * (one - t)
            part[f] -= d_u * t
            if kind[n] == LINEAR:
                part[1] += d_u
                part[2] += d_u * px
                part[3] += d_u * from_y
            elif kind[n] == ELLIPTIC:
                if u > 0 and start == 0:
                    vx, vy = m0 * px + m1 * from_y, m2 * px + m3 * from_y
                    push = d_u / u
                    part[1] += push * vx
                    part[2] += push * vy
                    part[3] += push * vx * vx
                    part[4] += push * vx * vy
                    part[5] += push * vy * vy
            elif distance > 0:
                push = d_u / (distance * geometry[n, 2])
                part[1] -= push * px
                part[2] -= push * from_y
                part[3] -= d_u * u / geometry[n, 2]
            rest = one - s
            red[i] = g_r * rest
            green[i] = g_g * rest
            blue[i] = g_b * rest
            alpha[i] = g_a * rest


@njit(**_INNER)
def _open_rows(line, grad, d_picture, value, source, size, rows, stride):
    """Sets ``rows`` rows of ``size`` px to the ground's value and their derivative to the picture's.

    Each row is followed by PAD px without derivative, because spans end on whole vectors.
    """
    for y in range(rows):
        at = y * (size + PAD)
        to_line, to_grad = line[at:at + size + PAD], grad[at:at + size + PAD]
        given = d_picture[source:source + size]
        for i in range(size):
            to_line[i] = value
            to_grad[i] = given[i]
        to_line[size:] = value
        to_grad[size:] = 0
        source += stride


@njit(**_INNER)
def _measure_rows(line, grad, goal, weight, source, size, rows, stride):
    """Sum of weight * (line - goal)^2 over rows of ``size`` px; sets grad, of one plane, to its derivative."""
    two = line.dtype.type(2)
    result = 0.0
    for y in range(rows):
        at = y * (size + PAD)
        shown, to_grad = line[at:at + size], grad[at:at + size]
        wanted, share = goal[source:source + size], weight[source:source + size]
        error = line.dtype.type(0)
        for i in range(size):
            off = shown[i] - wanted[i]
            pull = share[i] * off
            error += pull * off
            to_grad[i] = two * pull
        grad[at + size:at + size + PAD] = 0
        result += error
        source += stride
    return result


@njit(**_INNER, **_APART)
def _band_backward(job, me, lone, winding, span, box, crop_start, row_start, band, job_canvas, job_top, job_start,
                   members, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity,
                   background, part_start, d_picture, d_cover, partial, d_background_part, stack, rows, places,
                   wants_background, weight, error):
    """One band of :func:`composite_backward`, by the thread ``me``."""
    b, top = job_canvas[job], job_top[job]
    width, height = sizes[b, 0], sizes[b, 1]
    bottom = min(top + band, height)
    behind, first_kept, line, grad = stack[me], places[me], rows[me, 0], rows[me, 1]
    steps = np.arange(width + PAD).astype(winding.dtype)
    begin, finish = job_start[job], job_start[job + 1]
    if finish > begin and is_alone(members[begin], lone, kind, stop_index, stop_offset):
        return
    # What outlines reach of the band: the rest only feeds the background.
    measured = weight.shape[0] > 0
    low, high, upper, lower = (0, width, top, bottom) if measured else (width, 0, bottom, top)
    for m in range(begin, finish):
        n = members[m]
        low, high = min(low, box[n, 0]), max(high, box[n, 2])
        upper, lower = min(upper, max(top, box[n, 1])), max(lower, min(bottom, box[n, 3]))
    low = min(low, high)
    stride = high - low + PAD
    origin = -upper * stride - low
    limit = (lower - upper) * stride
    for k in range(4):
        value = background[b, k] * (background[b, 3] if k < 3 else winding.dtype.type(1))
        if measured:
            line[k, :limit] = value
            if k >= d_picture.shape[0]:
                grad[k, :limit] = 0
        else:
            _open_rows(line[k], grad[k], d_picture[k], value, canvas_start[b] + upper * width + low, high - low,
                       lower - upper, width)
    used = np.int64(0)
    for m in range(begin, finish):
        n = members[m]
        first_kept[m - begin] = used
        used = paint_rows(n, max(top, box[n, 1]), min(bottom, box[n, 3]), line, origin, stride, limit, behind,
                           used, steps, winding, span, box, crop_start, row_start, kind, geometry, stop_index,
                           stop_offset, stop_color, opacity)
    if measured:
        error[job] = 0
        for k in range(d_picture.shape[0]):
            error[job] += _measure_rows(line[k], grad[k], d_picture[k], weight, canvas_start[b] + top * width,
                                        width, bottom - top, width)
    for m in range(finish - 1, begin - 1, -1):
        n = members[m]
        numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
        p = part_start[n] + (top // band - box[n, 1] // band) * numbers
        partial[p:p + numbers] = 0
        _rows_backward(n, max(top, box[n, 1]), min(bottom, box[n, 3]), grad, origin, stride, behind,
                       first_kept[m - begin], partial[p:p + numbers], steps, winding, d_cover, span, box,
                       crop_start, row_start, kind, geometry, stop_index, stop_offset, stop_color, opacity)
    for k in range(4):
        d_background_part[job, k] = 0
        if wants_background and measured:
            for y in range(bottom - top):
                d_background_part[job, k] += total(grad[k, y * stride:y * stride + width])
        elif wants_background:
            for y in range(top, bottom):
                p, q = origin + y * stride, canvas_start[b] + y * width
                a, e = (low, high) if upper <= y < lower else (0, 0)
                d_background_part[job, k] += (total(d_picture[k, q:q + a]) + total(grad[k, p + a:p + e])
                                              + total(d_picture[k, q + e:q + width]))


@njit(**_PARALLEL)
def composite_backward(queues, lone, winding, span, box, crop_start, row_start, band, job_canvas, job_top, job_start,
                       members, sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity,
                       background, part_start, d_picture, d_cover, partial, d_background_part, stack, rows, places,
                       wants_background, weight, error):
    """Walks every band twice: bottom to top to know what was behind, then top to bottom with the derivative.

    weight: (P,), or of no length. Where it has one, d_picture is a goal of 3 or 4 planes instead, and error (jobs,)
    becomes the sum of weight * (picture - goal)^2 over its planes, whose derivative is walked down at once.

    stack: (threads, 4, most span cells of a band). rows: (threads, 2, 4, widest canvas * band). places: (threads, most
    outlines in a band). partial: flat, per entry (see lay_out). d_background_part: (jobs, 4), with respect to the
    premultiplied ground; 0 unless wants_background.
    """
    for me in prange(queues.shape[0]):
        job = next_task(queues, me)
        while job >= 0:
            _band_backward(job, me, lone, winding, span, box, crop_start, row_start, band, job_canvas,
                           job_top, job_start, members, sizes, canvas_start, kind, geometry, stop_index, stop_offset,
                           stop_color, opacity, background, part_start, d_picture, d_cover, partial, d_background_part,
                           stack, rows, places, wants_background, weight, error)
            job = next_task(queues, me)


@njit(**_SERIAL)
def reduce_partials(kind, geometry, stop_index, stop_offset, entry_start, part_start, partial, d_geometry,
                    d_stop_offset, d_stop_color, d_opacity):
    """Sums each outline's entries and turns the sums over a linear gradient's ramp into its end points' derivative."""
    for n in range(kind.shape[0]):
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
        for q in range(d_geometry.shape[1]):
            d_geometry[n, q] = 0
        if kind[n] == RADIAL and stops > 1:
            d_geometry[n, 0], d_geometry[n, 1], d_geometry[n, 2] = total[1], total[2], total[3]
        elif kind[n] == ELLIPTIC and stops > 1:
            # u = |v|, v = M (p - c), M the inverse of the axes' matrix: du/dc = -M^T w, du/dA = -M^T w v^T, w = v / u.
            m0, m1, m2, m3, _ = form(kind[n], geometry, n)
            for q in range(3):
                wx, wy = total[1 if q == 0 else 2 + q], total[2 if q == 0 else 3 + q]
                d_geometry[n, 2 * q], d_geometry[n, 2 * q + 1] = -(m0 * wx + m2 * wy), -(m1 * wx + m3 * wy)
        elif kind[n] == LINEAR and stops > 1:
            ax, ay, base = ramp(geometry, n)
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
