"""Triton kernels of the cuda engine: outlines into tiles, and the picture. docs/engine.md has the mathematics,
reference.py the definition and the ties; derivative.py has the way back.

The picture is cut into tiles of TILE x TILE px; one program works one tile and keeps it in registers while it walks
the outlines that reach into the tile, in paint order. Coverage is the dense formula on the tile's pixels, one Bezier
segment (its chords side by side) at a time; segments that cannot matter to the tile are skipped by their boxes.

Arrays, all flat and on the device: N outlines, S segments, T tiles, E entries (an outline in a tile), M chords a
segment.

- chain (S, M + 1, 4): vertices as (floor x, x - floor x, floor y, y - floor y), so that float32 keeps its digits far
  from the origin: whole parts cancel exactly against the tile's corner.
- segment_box (S, 4), outline_box (N, 4): left, top, right, bottom in whole px, right and bottom exclusive.
- canvases (B, 9) int64: width, height, first pixel, first tile, tiles a row, first super tile, super tiles a row, first
  outline, end of outlines. Super tiles (several tiles square) keep the sorting of outlines into tiles cheap.
- saved (E, 5, TILE * TILE): winding and what was behind (premultiplied RGBA), for the derivative.

Numbers that change from scene to scene are not specialized: Triton would compile each kernel again, in the middle of a
run, whenever one of them comes to be 1 or a multiple of 16.
"""

from __future__ import annotations

import triton
import triton.language as tl

TILE = tl.constexpr(16)
#: Numbers of a row of the table of canvases.
COLUMNS = tl.constexpr(9)
LINEAR = tl.constexpr(1)
RADIAL = tl.constexpr(2)
ELLIPTIC = tl.constexpr(3)
#: px; as reference.py has it.
DEGENERATE = tl.constexpr(1e-6)


@triton.jit(do_not_specialize=["segments"])
def flatten(points, segment_points, basis, chain, segment_box, segments, TIE: tl.constexpr, CHORDS: tl.constexpr,
            BLOCK: tl.constexpr):
    """Vertices and box of BLOCK segments. basis: (CHORDS + 1, 4) float64."""
    s = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = s < segments
    i0 = tl.load(segment_points + s * 4, live, 0)
    i1 = tl.load(segment_points + s * 4 + 1, live, 0)
    i2 = tl.load(segment_points + s * 4 + 2, live, 0)
    i3 = tl.load(segment_points + s * 4 + 3, live, 0)
    for axis in tl.static_range(2):
        p0 = tl.load(points + i0 * 2 + axis, live, 0.0).to(tl.float64)
        p1 = tl.load(points + i1 * 2 + axis, live, 0.0).to(tl.float64)
        p2 = tl.load(points + i2 * 2 + axis, live, 0.0).to(tl.float64)
        p3 = tl.load(points + i3 * 2 + axis, live, 0.0).to(tl.float64)
        low = p0
        high = p0
        for m in range(CHORDS + 1):
            # From p0 on: chords of a side that is level or upright are exactly so.
            value = p0 + (tl.load(basis + m * 4 + 1) * (p1 - p0) + tl.load(basis + m * 4 + 2) * (p2 - p0)
                          + tl.load(basis + m * 4 + 3) * (p3 - p0))
            value = tl.where(m == CHORDS, p3, value)
            whole = tl.floor(value)
            at = (s * (CHORDS + 1) + m) * 4 + 2 * axis
            tl.store(chain + at, whole.to(chain.dtype.element_ty), live)
            tl.store(chain + at + 1, (value - whole).to(chain.dtype.element_ty), live)
            low = tl.minimum(low, value)
            high = tl.maximum(high, value)
        # What a segment touches from outside has a derivative, too.
        tl.store(segment_box + s * 4 + axis, _whole(tl.ceil(low - TIE)) - 1, live)
        tl.store(segment_box + s * 4 + 2 + axis, _whole(tl.floor(high + TIE)) + 1, live)


@triton.jit
def _whole(value):
    """int32 of a whole number, held inside a range in which sums cannot overflow."""
    return tl.minimum(tl.maximum(value, -1e9), 1e9).to(tl.int32)


@triton.jit
def outline_boxes(segment_box, outline_segments, outline_canvas, canvases, outline_box, BLOCK: tl.constexpr):
    """The box of one outline, cut to its canvas; left == right where nothing is to be seen."""
    n = tl.program_id(0)
    first = tl.load(outline_segments + n)
    last = tl.load(outline_segments + n + 1)
    left = tl.full([BLOCK], 1 << 30, tl.int32)
    top = left
    right = -left
    bottom = -left
    for start in range(first, last, BLOCK):
        s = start + tl.arange(0, BLOCK)
        live = s < last
        left = tl.minimum(left, tl.load(segment_box + s * 4, live, 1 << 30))
        top = tl.minimum(top, tl.load(segment_box + s * 4 + 1, live, 1 << 30))
        right = tl.maximum(right, tl.load(segment_box + s * 4 + 2, live, -(1 << 30)))
        bottom = tl.maximum(bottom, tl.load(segment_box + s * 4 + 3, live, -(1 << 30)))
    canvas = canvases + tl.load(outline_canvas + n) * COLUMNS
    width = tl.load(canvas).to(tl.int32)
    height = tl.load(canvas + 1).to(tl.int32)
    x0 = tl.maximum(tl.min(left, 0), 0)
    y0 = tl.maximum(tl.min(top, 0), 0)
    x1 = tl.minimum(tl.max(right, 0), width)
    y1 = tl.minimum(tl.max(bottom, 0), height)
    seen = (x1 > x0) & (y1 > y0)
    tl.store(outline_box + n * 4, x0)
    tl.store(outline_box + n * 4 + 1, y0)
    tl.store(outline_box + n * 4 + 2, tl.where(seen, x1, x0))
    tl.store(outline_box + n * 4 + 3, tl.where(seen, y1, y0))


@triton.jit
def _hits(outline_box, n, live, x0, y0, x1, y1):
    """Whether the boxes of outlines n reach into [x0, x1) x [y0, y1)."""
    left = tl.load(outline_box + n * 4, live, 0)
    top = tl.load(outline_box + n * 4 + 1, live, 0)
    right = tl.load(outline_box + n * 4 + 2, live, 0)
    bottom = tl.load(outline_box + n * 4 + 3, live, 0)
    return live & (left < x1) & (right > x0) & (top < y1) & (bottom > y0) & (left < right)


@triton.jit
def fill_super_tiles(outline_box, canvases, super_canvas, super_start, super_count, super_list,
                     SIDE: tl.constexpr, BLOCK: tl.constexpr):
    """The outlines that reach into one super tile of SIDE px, in paint order."""
    k = tl.program_id(0)
    b = tl.load(super_canvas + k)
    canvas = canvases + b * COLUMNS
    index = (k - tl.load(canvas + 5)).to(tl.int32)
    across = tl.load(canvas + 6).to(tl.int32)
    x0 = (index % across) * SIDE
    y0 = (index // across) * SIDE
    first = tl.load(canvas + 7).to(tl.int32)
    last = tl.load(canvas + 8).to(tl.int32)
    out = super_list + tl.load(super_start + k)
    count = 0
    for start in range(first, last, BLOCK):
        n = start + tl.arange(0, BLOCK)
        hit = _hits(outline_box, n, n < last, x0, y0, x0 + SIDE, y0 + SIDE)
        place = count + tl.cumsum(hit.to(tl.int32), 0) - 1
        tl.store(out + place, n, hit)
        count += tl.sum(hit.to(tl.int32), 0)
    tl.store(super_count + k, count)


@triton.jit
def _tile_corner(canvases, tile_canvas, t):
    """(row of the table, left, top) of tile t."""
    canvas = canvases + tl.load(tile_canvas + t) * COLUMNS
    index = (t - tl.load(canvas + 3)).to(tl.int32)
    across = tl.load(canvas + 4).to(tl.int32)
    return canvas, (index % across) * TILE, (index // across) * TILE


@triton.jit(do_not_specialize=["capacity"])
def fill_tiles(outline_box, canvases, tile_canvas, super_start, super_count, super_list, tile_start, entries, capacity,
               SIDE: tl.constexpr, STORE: tl.constexpr, BLOCK: tl.constexpr):
    """Counts the entries of one tile into tile_start[t + 1], or, when STORE, writes them in paint order."""
    t = tl.program_id(0)
    canvas, x0, y0 = _tile_corner(canvases, tile_canvas, t)
    k = tl.load(canvas + 5) + (y0 // SIDE) * tl.load(canvas + 6) + x0 // SIDE
    source = super_list + tl.load(super_start + k)
    total = tl.load(super_count + k)
    first = 0
    if STORE:
        first = tl.load(tile_start + t)
    count = 0
    for start in range(0, total, BLOCK):
        i = start + tl.arange(0, BLOCK)
        n = tl.load(source + i, i < total, 0)
        hit = _hits(outline_box, n, i < total, x0, y0, x0 + TILE, y0 + TILE)
        if STORE:
            place = first + count + tl.cumsum(hit.to(tl.int32), 0) - 1
            tl.store(entries + place, n, hit & (place < capacity))
        count += tl.sum(hit.to(tl.int32), 0)
    if not STORE:
        tl.store(tile_start + t + 1, count)


@triton.jit
def _chords(chain, s, x, y, CHORDS: tl.constexpr, LANES: tl.constexpr):
    """Both ends of a segment's chords relative to (x, y), each (LANES, 1, 1); lanes without a chord are a point."""
    j = tl.arange(0, LANES)
    live = j < CHORDS
    at = chain + (s * tl.full([], CHORDS + 1, tl.int64) + j) * 4
    x0 = (tl.load(at, live, 0.0) - x) + tl.load(at + 1, live, 0.0)
    y0 = (tl.load(at + 2, live, 0.0) - y) + tl.load(at + 3, live, 0.0)
    x1 = (tl.load(at + 4, live, 0.0) - x) + tl.load(at + 5, live, 0.0)
    y1 = (tl.load(at + 6, live, 0.0) - y) + tl.load(at + 7, live, 0.0)
    return x0[:, None, None], y0[:, None, None], x1[:, None, None], y1[:, None, None]


@triton.jit
def _winding(chain, segment_box, outline_segments, even_odd, n, x, y, CHORDS: tl.constexpr, LANES: tl.constexpr):
    """(TILE, TILE) signed winding area of outline n on the tile whose corner is (x, y).

    Under the even-odd rule it is folded into [-1, 1]: either way coverage is min(|winding|, 1).
    """
    winding = tl.zeros([TILE, TILE], chain.dtype.element_ty)
    row = tl.arange(0, TILE).to(chain.dtype.element_ty)[None, :, None]
    right = tl.arange(0, TILE).to(chain.dtype.element_ty)[None, None, :] + 1.0
    for s in range(tl.load(outline_segments + n), tl.load(outline_segments + n + 1)):
        box = segment_box + s * 4
        # What lies right of the tile adds nothing to it; what lies left of it fills its rows.
        near = ((tl.load(box + 1) < y + TILE) & (tl.load(box + 3) > y) & (tl.load(box) < x + TILE))
        if near:
            x0, y0, x1, y1 = _chords(chain, s, x, y, CHORDS, LANES)
            upper = tl.maximum(tl.minimum(y0, row + 1.0), row)
            lower = tl.maximum(tl.minimum(y1, row + 1.0), row)
            dy = y1 - y0
            slope = (x1 - x0) / tl.where(dy == 0, 1.0, dy)
            low = tl.minimum(x0, x1)
            high = tl.maximum(x0, x1)
            xa = tl.maximum(tl.minimum(x0 + (upper - y0) * slope, high), low)
            xb = tl.maximum(tl.minimum(x0 + (lower - y0) * slope, high), low)
            a = right - tl.maximum(xa, xb)
            b = right - tl.minimum(xa, xb)
            # From a and b, not from xa and xb: what rounding took from the parts it must take from the whole.
            length = b - a
            still = length < 1e-30
            inverse = tl.where(still, 0.0, 1.0 / tl.where(still, 1.0, length))
            ca = tl.minimum(tl.maximum(a, 0.0), 1.0)
            cb = tl.minimum(tl.maximum(b, 0.0), 1.0)
            above = tl.maximum(b - 1.0, 0.0) - tl.maximum(a - 1.0, 0.0)
            mean = tl.where(still, ca, ((cb - ca) * (cb + ca) * 0.5 + above) * inverse)
            winding += tl.sum((lower - upper) * mean, 0)
    return tl.where(tl.load(even_odd + n) != 0, winding - 2.0 * tl.floor(winding * 0.5 + 0.5), winding)


@triton.jit
def _along(kind, geometry, n, px, py, COLUMNS: tl.constexpr):
    """(u, dx, dy, scale): place along the gradient, px from its start, and 1 / |axis|^2 or 1 / r; 0 when a point.

    Elliptic: (dx, dy) is where the ellipse is the unit circle, scale 1.
    """
    g = geometry + n * COLUMNS
    gx = tl.load(g)
    gy = tl.load(g + 1)
    g2 = tl.load(g + 2)
    g3 = tl.load(g + 3)
    dx = px - gx
    dy = py - gy
    if tl.load(kind + n) == RADIAL:
        dull = g2 <= DEGENERATE
        scale = tl.where(dull, 0.0, 1.0 / tl.where(dull, 1.0, g2))
        u = tl.where(dull, 1.0, tl.sqrt(dx * dx + dy * dy) * scale)
    else:
        ax = g2 - gx
        ay = g3 - gy
        square = ax * ax + ay * ay
        dull = square <= DEGENERATE * DEGENERATE
        scale = tl.where(dull, 0.0, 1.0 / tl.where(dull, 1.0, square))
        u = tl.where(dull, 1.0, (dx * ax + dy * ay) * scale)
    if COLUMNS == 6:  # only scenes with ellipses pay for them
        zero = (dx + dy) * 0.0
        dx += zero
        dy += zero
        if tl.load(kind + n) == ELLIPTIC:
            m0, m1, m2, m3, flat = _to_circle(g2, g3, tl.load(g + 4), tl.load(g + 5))
            vx = m0 * dx + m1 * dy
            dy = m2 * dx + m3 * dy
            dx = vx
            scale = tl.where(flat, 0.0, 1.0).to(scale.dtype)
            u = tl.where(flat, 1.0, tl.sqrt(dx * dx + dy * dy))
    return u, dx, dy, scale


@triton.jit
def _to_circle(ax, ay, bx, by):
    """The matrix from px to where the ellipse is the unit circle, row by row, and whether there is none."""
    det = ax * by - ay * bx
    flat = det * det <= DEGENERATE * DEGENERATE * (ax * ax + ay * ay + bx * bx + by * by)
    inverse = tl.where(flat, 0.0, 1.0 / tl.where(flat, 1.0, det))
    return by * inverse, -bx * inverse, -ay * inverse, ax * inverse, flat


@triton.jit
def _fraction(u, stop_offset, k):
    """(fraction, between, 1 / gap) of u between stops k and k + 1: 0 before, 1 from the second one on."""
    o0 = tl.load(stop_offset + k)
    o1 = tl.load(stop_offset + k + 1)
    gap = o1 - o0
    inverse = tl.where(gap > 0, 1.0 / tl.where(gap > 0, gap, 1.0), 0.0)
    between = (u >= o0) & (u < o1)
    return tl.where(u >= o1, 1.0, tl.where(between, (u - o0) * inverse, 0.0)), between, inverse


@triton.jit
def _fill(u, stop_index, stop_offset, stop_color, n):
    """Straight RGBA at u, each (TILE, TILE)."""
    first = tl.load(stop_index + n)
    c = stop_color + first * 4
    zero = u * 0.0
    r = zero + tl.load(c)
    g = zero + tl.load(c + 1)
    b = zero + tl.load(c + 2)
    a = zero + tl.load(c + 3)
    for k in range(first, tl.load(stop_index + n + 1) - 1):
        f, _, _ = _fraction(u, stop_offset, k)
        c = stop_color + k * 4
        r += f * (tl.load(c + 4) - tl.load(c))
        g += f * (tl.load(c + 5) - tl.load(c + 1))
        b += f * (tl.load(c + 6) - tl.load(c + 2))
        a += f * (tl.load(c + 7) - tl.load(c + 3))
    return r, g, b, a


@triton.jit(do_not_specialize=["capacity", "pixels"])
def composite(chain, segment_box, outline_segments, canvases, tile_canvas, tile_start, entries, capacity, kind,
              even_odd, geometry, stop_index, stop_offset, stop_color, opacity, background, picture, pixels, saved,
              CHORDS: tl.constexpr, LANES: tl.constexpr, SAVE: tl.constexpr, COLUMNS: tl.constexpr):
    """Paints one tile of the planar picture (4, pixels)."""
    t = tl.program_id(0)
    canvas, x, y = _tile_corner(canvases, tile_canvas, t)
    row = tl.arange(0, TILE)[:, None]
    column = tl.arange(0, TILE)[None, :]
    real = picture.dtype.element_ty
    px = (x + column).to(real) + 0.5
    py = (y + row).to(real) + 0.5
    ground = background + tl.load(tile_canvas + t) * 4
    ga = tl.load(ground + 3)
    zero = tl.zeros([TILE, TILE], real)
    r = zero + tl.load(ground) * ga
    g = zero + tl.load(ground + 1) * ga
    b = zero + tl.load(ground + 2) * ga
    a = zero + ga
    for e in range(tl.load(tile_start + t), tl.minimum(tl.load(tile_start + t + 1), capacity)):
        n = tl.load(entries + e)
        winding = _winding(chain, segment_box, outline_segments, even_odd, n, x, y, CHORDS, LANES)
        if SAVE:
            at = saved + e * tl.full([], 5 * TILE * TILE, tl.int64) + row * TILE + column
            tl.store(at, winding)
            tl.store(at + TILE * TILE, r)
            tl.store(at + 2 * TILE * TILE, g)
            tl.store(at + 3 * TILE * TILE, b)
            tl.store(at + 4 * TILE * TILE, a)
        u, _, _, _ = _along(kind, geometry, n, px, py, COLUMNS)
        fr, fg, fb, fa = _fill(u, stop_index, stop_offset, stop_color, n)
        alpha = tl.minimum(tl.abs(winding), 1.0) * tl.load(opacity + n) * fa
        r += alpha * (fr - r)
        g += alpha * (fg - g)
        b += alpha * (fb - b)
        a += alpha * (1.0 - a)
    width = tl.load(canvas).to(tl.int32)
    inside = (x + column < width) & (y + row < tl.load(canvas + 1).to(tl.int32))
    at = picture + tl.load(canvas + 2) + (y + row).to(tl.int64) * width + x + column
    tl.store(at, r, inside)
    tl.store(at + pixels, g, inside)
    tl.store(at + 2 * pixels, b, inside)
    tl.store(at + 3 * pixels, a, inside)
