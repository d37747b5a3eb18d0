"""numba kernels of the cpu engine: small canvases that one outline has to itself, as strokes that are fitted apart.

Nothing is under such an outline but the ground, so nothing has to be kept, copied or painted twice: forward writes
every px once, backward reads the picture's derivative where the outline is. It is done with the outline's edges, while
the winding is in the core's own cache. Only for fills that are simple.
"""

from __future__ import annotations

from ..kernel_cache import njit
from .fills import add_sums, simple_fill, simple_pixel_backward
from .kernels import _INNER, _SHARED, pitch


@njit(**_SHARED)
def fill(planes, start, end, k0, k1, k2, k3):
    """Sets px start to end of four planes."""
    planes[0, start:end] = k0
    planes[1, start:end] = k1
    planes[2, start:end] = k2
    planes[3, start:end] = k3


@njit(**_INNER)
def paint_alone(n, b, picture, canvas_start, sizes, winding, span, box, crop_start, row_start, geometry, stop_index,
                stop_offset, stop_color, opacity, background):
    """All of canvas b: its ground and outline n."""
    one, zero, half = winding.dtype.type(1), winding.dtype.type(0), winding.dtype.type(0.5)
    ax, ay, base, _, r0, g0, b0, a0, dr, dg, db, da = simple_fill(n, geometry, stop_offset, stop_color, stop_index[n],
                                                                  stop_index[n + 1])
    a0 *= opacity[n]
    da *= opacity[n]
    k3 = background[b, 3]
    k0, k1, k2 = background[b, 0] * k3, background[b, 1] * k3, background[b, 2] * k3
    r0, g0, b0 = r0 - k0, g0 - k1, b0 - k2
    clear = one - k3
    left, row = box[n, 0], pitch(box[n, 2] - box[n, 0])
    width, done, limit = sizes[b, 0], canvas_start[b], canvas_start[b + 1]
    for y in range(box[n, 1], box[n, 3]):
        r = y - box[n, 1]
        a, size = span[row_start[n] + r, 0], span[row_start[n] + r, 1] - span[row_start[n] + r, 0]
        if size <= 0:
            continue
        at = crop_start[n] + r * row + a
        p = canvas_start[b] + y * width + left + a
        fill(picture, done, p, k0, k1, k2, k3)
        # What a span has too many may be in the next row, which is painted after. The canvas ends where it ends.
        size = min(size, limit - p)
        done = p + size
        cells = winding[at:at + size]
        red, green, blue, alpha = picture[0, p:done], picture[1, p:done], picture[2, p:done], picture[3, p:done]
        u0 = (base + ax * (winding.dtype.type(left + a) + half - geometry[n, 0])
              + ay * (winding.dtype.type(y) + half - geometry[n, 1]))
        for i in range(size):
            t = min(max(u0 + ax * winding.dtype.type(i), zero), one)
            s = min(abs(cells[i]), one) * (a0 + t * da)
            red[i] = k0 + s * (r0 + t * dr)
            green[i] = k1 + s * (g0 + t * dg)
            blue[i] = k2 + s * (b0 + t * db)
            alpha[i] = k3 + s * clear
    fill(picture, done, limit, k0, k1, k2, k3)


@njit(**_SHARED)
def total(values):
    result = values.dtype.type(0)
    for i in range(values.shape[0]):
        result += values[i]
    return result


@njit(**_INNER)
def alone_backward(n, b, d_picture, part, d_ground, wants_background, canvas_start, sizes, winding, d_cover, span,
                   box, crop_start, row_start, geometry, stop_index, stop_offset, stop_color, opacity, background):
    """Derivatives of outline n alone on canvas b: added into ``part`` those of its fill, in d_cover its coverage's.

    d_ground: (4,) derivative of the premultiplied ground; 0 unless wants_background.
    """
    one, zero, half = winding.dtype.type(1), winding.dtype.type(0), winding.dtype.type(0.5)
    stops = stop_index[n + 1] - stop_index[n]
    ax, ay, base, inv, r0, g0, b0, s0, dr, dg, db, ds = simple_fill(n, geometry, stop_offset, stop_color, stop_index[n],
                                                                    stop_index[n + 1])
    op = opacity[n]
    k3 = background[b, 3]
    r0, g0, b0 = r0 - background[b, 0] * k3, g0 - background[b, 1] * k3, b0 - background[b, 2] * k3
    clear = one - k3
    left, row = box[n, 0], pitch(box[n, 2] - box[n, 0])
    start, end = canvas_start[b], canvas_start[b + 1]
    for k in range(4):
        d_ground[k] = total(d_picture[k, start:end]) if wants_background else zero
    for y in range(box[n, 1], box[n, 3]):
        r = y - box[n, 1]
        a, size = span[row_start[n] + r, 0], span[row_start[n] + r, 1] - span[row_start[n] + r, 0]
        if size <= 0:
            continue
        at = crop_start[n] + r * row + a
        p = start + y * sizes[b, 0] + left + a
        size = min(size, end - p)
        cells, d_cells = winding[at:at + size], d_cover[at:at + size]
        red, green, blue, alpha = (d_picture[0, p:p + size], d_picture[1, p:p + size], d_picture[2, p:p + size],
                                   d_picture[3, p:p + size])
        from_x = winding.dtype.type(left + a) + half - geometry[n, 0]
        from_y = winding.dtype.type(y) + half - geometry[n, 1]
        u0 = base + ax * from_x + ay * from_y
        sum_u, sum_ux, sum_ut, cover, cover_t = zero, zero, zero, zero, zero
        sum_r, sum_g, sum_b, sum_a, sum_rt, sum_gt, sum_bt = zero, zero, zero, zero, zero, zero, zero
        for i in range(size):
            at_i = winding.dtype.type(i)
            v = u0 + ax * at_i
            t = min(max(v, zero), one)
            g_r, g_g, g_b, g_a = red[i], green[i], blue[i], alpha[i]
            d_s = g_r * (r0 + t * dr) + g_g * (g0 + t * dg) + g_b * (b0 + t * db) + g_a * clear
            s, d_cells[i], d_cov, d_u = simple_pixel_backward(cells[i], v, t, d_s, g_r, g_g, g_b, op, inv, dr, dg, db,
                                                              s0, ds)
            c_r, c_g, c_b = s * g_r, s * g_g, s * g_b
            cover += d_cov
            cover_t += d_cov * t
            sum_r += c_r
            sum_g += c_g
            sum_b += c_b
            sum_a += s * g_a
            sum_rt += c_r * t
            sum_gt += c_g * t
            sum_bt += c_b * t
            sum_u += d_u
            sum_ux += d_u * at_i
            sum_ut += d_u * t
        add_sums(part, stops, op, s0, ds, from_x, from_y, sum_u, sum_ux, sum_ut, cover, cover_t, sum_r, sum_g, sum_b,
                 sum_rt, sum_gt, sum_bt)
        if wants_background:
            d_ground[0] -= sum_r
            d_ground[1] -= sum_g
            d_ground[2] -= sum_b
            d_ground[3] -= sum_a
