"""numba kernels of the cpu engine: fills, composited in paint order.

One task is one band of rows of one canvas. It walks the outlines that reach into the band in paint order, each over all
its rows in the band, so paint order holds without any lock and what an outline needs is set up once a band.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ..kernel_cache import njit
from .alone import fill
from .fills import (
    form,
    is_alone,
    is_simple,
    locate,
    paint_kept,
    place,
    simple_fill,
)
from .kernels import _APART, _INNER, _PARALLEL, _SHARED, pitch
from .tasks import next_task

#: numba compiles a function once more for each plain number that it is called with.
NOWHERE = np.int64(-1)


@njit(**_SHARED)
def from_start(x, y, n, geometry):
    """A px' centre from the gradient's start. Whole numbers times float32 are float64 to numba: cast first."""
    half = geometry.dtype.type(0.5)
    return geometry.dtype.type(x) + half - geometry[n, 0], geometry.dtype.type(y) + half - geometry[n, 1]


@njit(**_SHARED)
def paint_rows(n, y0, y1, planes, origin, width, limit, behind, used, steps, winding, span, box, crop_start,
                row_start, kind, geometry, stop_index, stop_offset, stop_color, opacity):
    """Paints rows y0 to y1 of outline n over four planes, where row y begins at origin + y * width.

    limit: end of the task's own part of the planes. used: place in ``behind`` (4, L) from which on what was behind is
    kept; below 0: nothing is. Returns the place after it. steps: as paint_kept has it.
    """
    one, zero, half = winding.dtype.type(1), winding.dtype.type(0), winding.dtype.type(0.5)
    first, last = stop_index[n], stop_index[n + 1]
    left, row = box[n, 0], pitch(box[n, 2] - box[n, 0])
    op = opacity[n]
    simple = is_simple(kind[n], stop_offset, first, last)
    ax, ay, base, _, r0, g0, b0, a0, dr, dg, db, da = simple_fill(n, geometry, stop_offset, stop_color, first, last)
    m0, m1, m2, m3, start = form(kind[n], geometry, n)
    a0 *= op
    da *= op
    if simple and used >= 0:
        top = box[n, 1]
        from_x, from_y = from_start(left, top, n, geometry)
        return paint_kept(y0 - top, y1 - top, row, origin + top * width + left, width,
                          span[row_start[n]:row_start[n + 1]], winding[crop_start[n]:crop_start[n + 1]], planes[0],
                          planes[1], planes[2], planes[3], behind[0], behind[1], behind[2], behind[3], used, steps,
                          base + ax * from_x + ay * from_y, ax, ay, r0, g0, b0, a0, dr, dg, db, da)
    for y in range(y0, y1):
        r = y - box[n, 1]
        a, size = span[row_start[n] + r, 0], span[row_start[n] + r, 1] - span[row_start[n] + r, 0]
        if size <= 0:
            continue
        at = crop_start[n] + r * row + a
        p = origin + y * width + left + a
        size = min(size, limit - p)
        cells = winding[at:at + size]
        red, green, blue, alpha = (planes[0, p:p + size], planes[1, p:p + size], planes[2, p:p + size],
                                   planes[3, p:p + size])
        if used >= 0:
            k0, k1, k2, k3 = (behind[0, used:used + size], behind[1, used:used + size], behind[2, used:used + size],
                              behind[3, used:used + size])
            for i in range(size):
                k0[i] = red[i]
                k1[i] = green[i]
                k2[i] = blue[i]
                k3[i] = alpha[i]
            used += size
        # Whole numbers times float32 are float64 to numba: everything in the loops is cast first.
        from_x = winding.dtype.type(left + a) + half - geometry[n, 0]
        from_y = winding.dtype.type(y) + half - geometry[n, 1]
        if simple:
            u0 = base + ax * from_x + ay * from_y
            for i in range(size):
                t = min(max(u0 + ax * winding.dtype.type(i), zero), one)
                s = min(abs(cells[i]), one) * (a0 + t * da)
                red[i] += s * (r0 + t * dr - red[i])
                green[i] += s * (g0 + t * dg - green[i])
                blue[i] += s * (b0 + t * db - blue[i])
                alpha[i] += s * (one - alpha[i])
            continue
        for i in range(size):
            if cells[i] == zero:
                continue
            u, _ = place(n, from_x + winding.dtype.type(i), from_y, kind, geometry, m0, m1, m2, m3, start)
            k, t, _ = locate(u, stop_offset, first, last)
            j = min(k + 1, last - 1)
            s = min(abs(cells[i]), one) * op * (stop_color[k, 3] + t * (stop_color[j, 3] - stop_color[k, 3]))
            red[i] += s * (stop_color[k, 0] + t * (stop_color[j, 0] - stop_color[k, 0]) - red[i])
            green[i] += s * (stop_color[k, 1] + t * (stop_color[j, 1] - stop_color[k, 1]) - green[i])
            blue[i] += s * (stop_color[k, 2] + t * (stop_color[j, 2] - stop_color[k, 2]) - blue[i])
            alpha[i] += s * (one - alpha[i])
    return used


@njit(**_INNER, **_APART)
def _band(job, lone, winding, span, box, crop_start, row_start, band, job_canvas, job_top, job_start, members, sizes,
          canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background, picture):
    """One band of :func:`composite`."""
    b, top = job_canvas[job], job_top[job]
    width, height = sizes[b, 0], sizes[b, 1]
    bottom = min(top + band, height)
    origin = canvas_start[b]
    first = job_start[job]
    if job_start[job + 1] > first and is_alone(members[first], lone, kind, stop_index, stop_offset):
        return
    clear = background[b, 3]
    fill(picture, origin + top * width, origin + bottom * width, background[b, 0] * clear, background[b, 1] * clear,
         background[b, 2] * clear, clear)
    for m in range(job_start[job], job_start[job + 1]):
        n = members[m]
        paint_rows(n, max(top, box[n, 1]), min(bottom, box[n, 3]), picture, origin, width,
                    origin + bottom * width, picture, NOWHERE, picture[0], winding, span, box, crop_start,
                    row_start, kind, geometry, stop_index, stop_offset, stop_color, opacity)


@njit(**_PARALLEL)
def composite(queues, lone, winding, span, box, crop_start, row_start, band, job_canvas, job_top, job_start, members,
              sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background, picture):
    """Source-over in paint order into picture (4, P), premultiplied. band: rows of a task."""
    for me in prange(queues.shape[0]):
        job = next_task(queues, me)
        while job >= 0:
            _band(job, lone, winding, span, box, crop_start, row_start, band, job_canvas, job_top, job_start, members,
                  sizes, canvas_start, kind, geometry, stop_index, stop_offset, stop_color, opacity, background,
                  picture)
            job = next_task(queues, me)
