"""Triton kernels of the cuda engine that bring the picture's derivative back to outlines, fills and ground.

Arrays are as kernels.py says. Every program adds to numbers that others add to as well; nothing is read before the
kernel is over, so relaxed atomics do: with Triton's default each addition would wait for all memory traffic before it.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .kernels import (
    DEGENERATE,
    ELLIPTIC,
    LINEAR,
    RADIAL,
    TILE,
    _along,
    _chords,
    _fill,
    _fraction,
    _tile_corner,
    _to_circle,
)


@triton.jit
def _total(values):
    return tl.sum(tl.sum(values, 1), 0)


@triton.jit
def _inside(a, b, cell):
    """Interval of t in [0, 1] in which a + t (b - a) lies in [cell, cell + 1); reversed where there is none."""
    d = b - a
    still = d == 0
    step = tl.where(still, 1.0, d)
    enter = (cell - a) / step
    leave = (cell + 1.0 - a) / step
    here = tl.where(tl.floor(a) == cell, 1.0, 0.0)
    low = tl.minimum(tl.maximum(tl.minimum(enter, leave), 0.0), 1.0)
    high = tl.minimum(tl.maximum(tl.maximum(enter, leave), 0.0), 1.0)
    return tl.where(still, 1.0 - here, low), tl.where(still, here, high)


@triton.jit
def _slope_up(w, beyond, TIE: tl.constexpr):
    """How coverage changes when winding w grows; when it shrinks, that is -_slope_up(-w). beyond: its value at 1."""
    inside = tl.where(w >= -TIE, 1.0, -1.0)
    return tl.where(w >= 1.0 - TIE, beyond, tl.where(w >= -1.0 - TIE, inside, 0.0))


@triton.jit
def _beside(a, b, cell, TIE: tl.constexpr):
    """Whether a chord from a to b lies on a border of cells, and, in the cells beside it, whether beyond it."""
    border = tl.floor(a + 0.5)
    on = (tl.abs(a - border) <= TIE) & (tl.abs(b - border) <= TIE)
    return on, on & ((cell == border) | (cell == border - 1.0)), cell == border


@triton.jit
def _winding_backward(d_cover, winding, chain, segment_box, outline_segments, even_odd, n, x, y, d_chain,
                      TIE: tl.constexpr, CHORDS: tl.constexpr, LANES: tl.constexpr):
    """Adds the derivative with respect to outline n's vertices (S, CHORDS + 1, 2) from the tile's d_cover."""
    real = chain.dtype.element_ty
    row = tl.arange(0, TILE).to(real)[None, :, None]
    column = tl.arange(0, TILE).to(real)[None, None, :]
    beyond = tl.where(tl.load(even_odd + n) != 0, -1.0, 0.0)
    up = (d_cover * _slope_up(winding, beyond, TIE)).to(real)[None, :, :]
    down = (-d_cover * _slope_up(-winding, beyond, TIE)).to(real)[None, :, :]
    j = tl.arange(0, LANES)
    live = j < CHORDS
    for s in range(tl.load(outline_segments + n), tl.load(outline_segments + n + 1)):
        box = segment_box + s * 4
        near = ((tl.load(box + 1) < y + TILE) & (tl.load(box + 3) > y)
                & (tl.load(box) < x + TILE) & (tl.load(box + 2) > x))
        if near:
            x0, y0, x1, y1 = _chords(chain, s, x, y, CHORDS, LANES)
            ax, bx = _inside(x0, x1, column)
            ay, by = _inside(y0, y1, row)
            upright, here, right = _beside(x0, x1, column, TIE)
            ax = tl.where(upright, tl.where(here, 0.0, 1.0), ax)
            bx = tl.where(upright, tl.where(here, 1.0, 0.0), bx)
            level, here, below = _beside(y0, y1, row, TIE)
            ay = tl.where(level, tl.where(here, 0.0, 1.0), ay)
            by = tl.where(level, tl.where(here, 1.0, 0.0), by)
            aside = tl.where(right == (y0 > y1), up, down)
            ahead = tl.where(below == (x1 > x0), up, down)
            g = 0.5 * tl.where(upright, aside, tl.where(level, ahead, up + down))
            ta = tl.maximum(ax, ay)
            tb = tl.maximum(tl.minimum(bx, by), ta)
            half = (tb - ta) * (tb + ta) * 0.5
            late = tl.sum(tl.sum(half * g, 2), 1)
            early = tl.sum(tl.sum((tb - ta - half) * g, 2), 1)
            nx = tl.sum(tl.sum(y0 - y1, 2), 1)
            ny = tl.sum(tl.sum(x1 - x0, 2), 1)
            at = d_chain + (s * tl.full([], CHORDS + 1, tl.int64) + j) * 2
            tl.atomic_add(at, nx * early, live, sem="relaxed")
            tl.atomic_add(at + 1, ny * early, live, sem="relaxed")
            tl.atomic_add(at + 2, nx * late, live, sem="relaxed")
            tl.atomic_add(at + 3, ny * late, live, sem="relaxed")


@triton.jit(do_not_specialize=["capacity", "pixels"])
def composite_backward(chain, segment_box, outline_segments, canvases, tile_canvas, tile_start, entries, capacity, kind,
                       even_odd, geometry, stop_index, stop_offset, stop_color, opacity, d_picture, pixels, saved,
                       d_chain, d_moments, d_stop_offset, d_stop_color, d_opacity, d_ground,
                       TIE: tl.constexpr, CHORDS: tl.constexpr, LANES: tl.constexpr, COLUMNS: tl.constexpr):
    """Walks one tile from the top outline down. d_moments: (N, COLUMNS - 1) see finish_geometry. d_ground: (B, 4)."""
    t = tl.program_id(0)
    canvas, x, y = _tile_corner(canvases, tile_canvas, t)
    row = tl.arange(0, TILE)[:, None]
    column = tl.arange(0, TILE)[None, :]
    real = d_picture.dtype.element_ty
    px = (x + column).to(real) + 0.5
    py = (y + row).to(real) + 0.5
    width = tl.load(canvas).to(tl.int32)
    inside = (x + column < width) & (y + row < tl.load(canvas + 1).to(tl.int32))
    at = d_picture + tl.load(canvas + 2) + (y + row).to(tl.int64) * width + x + column
    gr = tl.load(at, inside, 0.0)
    gg = tl.load(at + pixels, inside, 0.0)
    gb = tl.load(at + 2 * pixels, inside, 0.0)
    ga = tl.load(at + 3 * pixels, inside, 0.0)
    begin = tl.load(tile_start + t)
    end = tl.minimum(tl.load(tile_start + t + 1), capacity)
    for i in range(0, end - begin):
        e = end - 1 - i
        n = tl.load(entries + e)
        at = saved + e * tl.full([], 5 * TILE * TILE, tl.int64) + row * TILE + column
        winding = tl.load(at)
        cover = tl.minimum(tl.abs(winding), 1.0)
        own = tl.load(opacity + n)
        u, dx, dy, scale = _along(kind, geometry, n, px, py, COLUMNS)
        fr, fg, fb, fa = _fill(u, stop_index, stop_offset, stop_color, n)
        alpha = cover * own * fa
        d_alpha = (gr * (fr - tl.load(at + TILE * TILE)) + gg * (fg - tl.load(at + 2 * TILE * TILE))
                   + gb * (fb - tl.load(at + 3 * TILE * TILE)) + ga * (1.0 - tl.load(at + 4 * TILE * TILE)))
        tl.atomic_add(d_opacity + n, _total(d_alpha * cover * fa), sem="relaxed")
        d_u = _fill_backward(u, stop_index, stop_offset, stop_color, n, alpha * gr, alpha * gg, alpha * gb,
                             d_alpha * cover * own, d_stop_offset, d_stop_color)
        if scale > 0:
            _along_backward(d_u, u, dx, dy, scale, tl.load(kind + n), d_moments + n * (COLUMNS - 1), COLUMNS)
        _winding_backward(d_alpha * own * fa, winding, chain, segment_box, outline_segments, even_odd, n, x, y, d_chain,
                          TIE, CHORDS, LANES)
        keep = 1.0 - alpha
        gr *= keep
        gg *= keep
        gb *= keep
        ga *= keep
    ground = d_ground + tl.load(tile_canvas + t) * 4
    tl.atomic_add(ground, _total(gr), sem="relaxed")
    tl.atomic_add(ground + 1, _total(gg), sem="relaxed")
    tl.atomic_add(ground + 2, _total(gb), sem="relaxed")
    tl.atomic_add(ground + 3, _total(ga), sem="relaxed")


@triton.jit
def _fill_backward(u, stop_index, stop_offset, stop_color, n, dr, dg, db, da, d_stop_offset, d_stop_color):
    """Adds the derivative with respect to the stops; returns that with respect to u. dr .. da: of the straight fill.

    The weight of stop k in the fill is the fraction reached before it less the fraction reached after it.
    """
    first = tl.load(stop_index + n)
    last = tl.load(stop_index + n + 1) - 1
    before = u * 0.0 + 1.0
    d_u = u * 0.0
    for k in range(first, last):
        f, between, inverse = _fraction(u, stop_offset, k)
        c = stop_color + k * 4
        d_f = (dr * (tl.load(c + 4) - tl.load(c)) + dg * (tl.load(c + 5) - tl.load(c + 1))
               + db * (tl.load(c + 6) - tl.load(c + 2)) + da * (tl.load(c + 7) - tl.load(c + 3)))
        slope = tl.where(between, d_f * inverse, 0.0)
        d_u += slope
        tl.atomic_add(d_stop_offset + k, -_total(slope * (1.0 - f)), sem="relaxed")
        tl.atomic_add(d_stop_offset + k + 1, -_total(slope * f), sem="relaxed")
        _add_color(d_stop_color + k * 4, before - f, dr, dg, db, da)
        before = f
    _add_color(d_stop_color + last * 4, before, dr, dg, db, da)
    return d_u


@triton.jit
def _add_color(d_color, weight, dr, dg, db, da):
    tl.atomic_add(d_color, _total(weight * dr), sem="relaxed")
    tl.atomic_add(d_color + 1, _total(weight * dg), sem="relaxed")
    tl.atomic_add(d_color + 2, _total(weight * db), sem="relaxed")
    tl.atomic_add(d_color + 3, _total(weight * da), sem="relaxed")


@triton.jit
def _along_backward(d_u, u, dx, dy, scale, kind, moments, COLUMNS: tl.constexpr):
    """Linear: adds the sums of d_u, d_u x, d_u y about the gradient's start. Radial: adds to centre and radius.

    Elliptic: the sums of d_u w and of d_u w v^T with v = (dx, dy), w = v / u.
    """
    if COLUMNS == 6:  # noqa: SIM102 (known when it is compiled, the other when it runs)
        if kind == ELLIPTIC:
            push = tl.where(u <= 0, 0.0, d_u / tl.where(u <= 0, 1.0, u))
            tl.atomic_add(moments, _total(push * dx), sem="relaxed")
            tl.atomic_add(moments + 1, _total(push * dy), sem="relaxed")
            tl.atomic_add(moments + 2, _total(push * dx * dx), sem="relaxed")
            tl.atomic_add(moments + 3, _total(push * dx * dy), sem="relaxed")
            tl.atomic_add(moments + 4, _total(push * dy * dy), sem="relaxed")
            d_u = d_u * 0.0  # nothing is left to the others
    if kind == RADIAL:
        tip = u <= 0
        push = tl.where(tip, 0.0, d_u * scale * scale / tl.where(tip, 1.0, u))
        tl.atomic_add(moments, -_total(push * dx), sem="relaxed")
        tl.atomic_add(moments + 1, -_total(push * dy), sem="relaxed")
        tl.atomic_add(moments + 2, -_total(d_u * u) * scale, sem="relaxed")
    else:
        tl.atomic_add(moments, _total(d_u), sem="relaxed")
        tl.atomic_add(moments + 1, _total(d_u * dx), sem="relaxed")
        tl.atomic_add(moments + 2, _total(d_u * dy), sem="relaxed")


@triton.jit(do_not_specialize=["count"])
def finish_geometry(kind, geometry, moments, d_geometry, count, BLOCK: tl.constexpr, COLUMNS: tl.constexpr):
    """From the sums over pixels to the derivative with respect to x1 y1 x2 y2, cx cy r or cx cy ax ay bx by.

    Linear: u = (p - p1) . d / |d|^2, so du/dd = (p - p1) / |d|^2 - 2 u d / |d|^2 and du/dp1 = -d / |d|^2 - du/dd.
    Elliptic: u = |v|, v = M (p - c), M the inverse of the half axes' matrix A: du/dc = -M^T w, du/dA = -M^T w v^T.
    """
    n = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = n < count
    which = tl.load(kind + n, live, 0)
    g = geometry + n * COLUMNS
    sums = moments + n * (COLUMNS - 1)
    dx = tl.load(g + 2, live, 0.0) - tl.load(g, live, 0.0)
    dy = tl.load(g + 3, live, 0.0) - tl.load(g + 1, live, 0.0)
    s0 = tl.load(sums, live, 0.0)
    sx = tl.load(sums + 1, live, 0.0)
    sy = tl.load(sums + 2, live, 0.0)
    square = dx * dx + dy * dy
    dull = square <= DEGENERATE * DEGENERATE
    scale = tl.where(dull, 0.0, 1.0 / tl.where(dull, 1.0, square))
    su = (dx * sx + dy * sy) * scale
    ex = (sx - 2.0 * su * dx) * scale
    ey = (sy - 2.0 * su * dy) * scale
    linear = which == LINEAR
    radial = which == RADIAL
    d0 = tl.where(linear, -dx * scale * s0 - ex, tl.where(radial, s0, 0.0))
    d1 = tl.where(linear, -dy * scale * s0 - ey, tl.where(radial, sx, 0.0))
    d2 = tl.where(linear, ex, tl.where(radial, sy, 0.0))
    d3 = tl.where(linear, ey, 0.0)
    to = d_geometry + n * COLUMNS
    if COLUMNS == 6:
        elliptic = which == ELLIPTIC
        m0, m1, m2, m3, _ = _to_circle(tl.load(g + 2, live, 0.0), tl.load(g + 3, live, 0.0),
                                       tl.load(g + 4, live, 0.0), tl.load(g + 5, live, 0.0))
        sxy = tl.load(sums + 3, live, 0.0)
        syy = tl.load(sums + 4, live, 0.0)
        d0 = tl.where(elliptic, -(m0 * s0 + m2 * sx), d0)
        d1 = tl.where(elliptic, -(m1 * s0 + m3 * sx), d1)
        d2 = tl.where(elliptic, -(m0 * sy + m2 * sxy), d2)
        d3 = tl.where(elliptic, -(m1 * sy + m3 * sxy), d3)
        tl.store(to + 4, tl.where(elliptic, -(m0 * sxy + m2 * syy), 0.0), live)
        tl.store(to + 5, tl.where(elliptic, -(m1 * sxy + m3 * syy), 0.0), live)
    tl.store(to, d0, live)
    tl.store(to + 1, d1, live)
    tl.store(to + 2, d2, live)
    tl.store(to + 3, d3, live)


@triton.jit(do_not_specialize=["segments"])
def flatten_backward(d_chain, segment_points, segment_before, basis, d_points, segments,
                     CHORDS: tl.constexpr, BLOCK: tl.constexpr):
    """From vertices to control points: each segment writes its own anchor and handles, so no two write one place."""
    s = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = s < segments
    before = tl.load(segment_before + s, live, 0)
    for axis in tl.static_range(2):
        d0 = tl.zeros([BLOCK], tl.float64)
        d1 = d0
        d2 = d0
        for m in range(CHORDS + 1):
            own = tl.load(d_chain + (s * (CHORDS + 1) + m) * 2 + axis, live, 0.0).to(tl.float64)
            end = tl.load(d_chain + (before * (CHORDS + 1) + m) * 2 + axis, live, 0.0).to(tl.float64)
            d0 += tl.load(basis + m * 4) * own + tl.load(basis + m * 4 + 3) * end
            d1 += tl.load(basis + m * 4 + 1) * own
            d2 += tl.load(basis + m * 4 + 2) * own
        at = d_points + axis
        tl.store(at + tl.load(segment_points + s * 4, live, 0) * 2, d0.to(d_points.dtype.element_ty), live)
        tl.store(at + tl.load(segment_points + s * 4 + 1, live, 0) * 2, d1.to(d_points.dtype.element_ty), live)
        tl.store(at + tl.load(segment_points + s * 4 + 2, live, 0) * 2, d2.to(d_points.dtype.element_ty), live)
