"""numba kernels of the cpu engine: what a pen draws along its track, as vertices whose derivative is known.

In y-down px the left side is C + r N with N = (-T_y, T_x), the right side C - r N, where C, T and r are a track's
(track.py). Every vertex is C + r (s N + u T + d) with s, u and d constant. That suffices, since a vertex that slides
along its own border changes no area: points of an arc keep their direction d from its centre, and where the lines of
two sides meet, each line has a vertex of its own in the same place.
"""

from __future__ import annotations

import math

import numpy as np

from ..kernel_cache import njit
from .kernels import _INNER, _SHARED
from .track import turning

#: Numbers of a vertex: place of the track, s, u, d.
VERTEX = 5
ROUND, BUTT, SQUARE = 0, 1, 2
MITER = 1
MITER_LIMIT = 4.0


@njit(**_INNER)
def _put(vertices, count, k, s, u, dx, dy):
    vertices[count, 0], vertices[count, 1], vertices[count, 2], vertices[count, 3], vertices[count, 4] = k, s, u, dx, dy
    return count + 1


@njit(**_INNER)
def _meeting(track, k, side):
    """Where the cross sections at places k and k + 1 meet, as s at place k, if the chord turned round on this side.

    Else NaN. The cross section goes from the left side, s = 1, to the right one, s = -1.
    """
    r, q = track[k, 4], track[k + 1, 4]
    nx, ny, mx, my = -track[k, 3], track[k, 2], -track[k + 1, 3], track[k + 1, 2]
    gx, gy = track[k + 1, 0] - track[k, 0], track[k + 1, 1] - track[k, 1]
    cross = nx * my - ny * mx
    if 4.0 * r * q * abs(cross) < 1e-9:
        return np.nan
    # C + a N = C' + b N'
    a, b = (gx * my - gy * mx) / cross, (gx * ny - gy * nx) / cross
    if abs(a) >= r or abs(b) >= q:
        return np.nan
    # The side that runs against the middle has turned round.
    ox, oy = gx, gy
    left = (gx + q * mx - r * nx) * ox + (gy + q * my - r * ny) * oy
    right = (gx - q * mx + r * nx) * ox + (gy - q * my + r * ny) * oy
    return a / r if (left < right) == (side > 0) else np.nan


@njit(**_INNER)
def _put_side(vertices, count, track, segment, chords, side, trim_start, trim_end):
    """One segment's side in the curve's direction. trim_start, trim_end: u of its ends.

    Where chords turned round, the side goes to their end, back to their start, and again to the end, the two times that
    it goes on along the places where cross sections meet: so what it goes round counts as covered, not as taken away.
    """
    at, k = segment * (chords + 1), 0
    count = _put(vertices, count, at, side, trim_start, 0.0, 0.0)
    while k < chords:
        run = k
        while run < chords and not math.isnan(_meeting(track, at + run, side)):
            run += 1
        if run == k:
            k += 1
            count = _put(vertices, count, at + k, side, trim_end if k == chords else 0.0, 0.0, 0.0)
            continue
        for again in range(2):
            for i in range(k, run):
                count = _put(vertices, count, at + i, _meeting(track, at + i, side), 0.0, 0.0, 0.0)
            count = _put(vertices, count, at + run, side, trim_end if run == chords else 0.0, 0.0, 0.0)
            if again == 0:
                for i in range(run - 1, k - 1, -1):
                    count = _put(vertices, count, at + i, side, trim_start if i == 0 else 0.0, 0.0, 0.0)
        k = run
    return count


@njit(**_INNER)
def _corner(track, chords, segment, after):
    """The turn between two segments, the tangent of its half, and whether both chords have room for it."""
    a, b = segment * (chords + 1) + chords, after * (chords + 1)
    turn = turning(track[a, 2], track[a, 3], track[b, 2], track[b, 3])
    half = math.tan(min(max(turn, -3.1), 3.1) / 2.0)
    room = min(math.hypot(track[a, 0] - track[a - 1, 0], track[a, 1] - track[a - 1, 1]),
               math.hypot(track[b + 1, 0] - track[b, 0], track[b + 1, 1] - track[b, 1]))
    return turn, half, abs(half) * track[a, 4] < 0.9 * room


@njit(**_INNER)
def _put_join(vertices, count, track, chords, segment, after, side, turn, half, short, join, points):
    """Between both segments' ends."""
    a, b = segment * (chords + 1) + chords, after * (chords + 1)
    if turn * side >= 0:
        return count if short else _put(vertices, count, a, 0.0, 0.0, 0.0, 0.0)
    if join == MITER and math.cos(turn / 2.0) * MITER_LIMIT >= 1.0:
        count = _put(vertices, count, a, side, -side * half, 0.0, 0.0)
        return _put(vertices, count, b, side, side * half, 0.0, 0.0)
    if join == ROUND:
        nx, ny = -side * track[a, 3], side * track[a, 2]
        for i in range(1, points + 1):
            cos, sin = math.cos(turn * i / (points + 1)), math.sin(turn * i / (points + 1))
            count = _put(vertices, count, a, 0.0, 0.0, cos * nx - sin * ny, cos * ny + sin * nx)
    return count


@njit(**_INNER)
def _put_line(vertices, count, track, closed, chords, side, join, points):
    """All of one side in the curve's direction."""
    segments = track.shape[0] // (chords + 1)
    start = 0.0
    if closed:
        turn, half, short = _corner(track, chords, segments - 1, 0)
        start = side * half if short and turn * side >= 0 else 0.0
    for segment in range(segments):
        after = (segment + 1) % segments
        if segment + 1 < segments or closed:
            turn, half, short = _corner(track, chords, segment, after)
            trim = half if short and turn * side >= 0 else 0.0
            count = _put_side(vertices, count, track, segment, chords, side, start, -side * trim)
            count = _put_join(vertices, count, track, chords, segment, after, side, turn, half, short, join, points)
            start = side * trim
        else:
            count = _put_side(vertices, count, track, segment, chords, side, start, 0.0)
    return count


@njit(**_INNER)
def _put_cap(vertices, count, track, k, way, cap, points):
    """Around an end: way 1 from the right side to the left at the curve's end, -1 from left to right at its start."""
    if cap == SQUARE:
        count = _put(vertices, count, k, -way, way, 0.0, 0.0)
        return _put(vertices, count, k, way, way, 0.0, 0.0)
    if cap == ROUND:
        ox, oy = way * track[k, 2], way * track[k, 3]
        for i in range(1, points + 1):
            cos, sin = math.cos(math.pi * i / (points + 1)), math.sin(math.pi * i / (points + 1))
            count = _put(vertices, count, k, 0.0, 0.0, cos * oy + sin * ox, sin * oy - cos * ox)
    return count


@njit(**_INNER)
def put_outline(vertices, track, closed, chords, join, join_points, cap, cap_points):
    """Fills vertices (., VERTEX) with one closed loop around all that a stroke covers; returns how many there are.

    Its winding is nowhere below 0. A closed curve's two sides are joined by a cross section, there and back.
    """
    count = _put_line(vertices, 0, track, closed, chords, -1.0, join, join_points)
    if closed:
        for q in range(VERTEX):
            vertices[count, q] = vertices[0, q]
        count += 1
    else:
        count = _put_cap(vertices, count, track, track.shape[0] - 1, 1.0, cap, cap_points)
    first = count
    count = _put_line(vertices, count, track, closed, chords, 1.0, join, join_points)
    if closed:
        for q in range(VERTEX):
            vertices[count, q] = vertices[first, q]
        count += 1
    for i in range((count - first) // 2):
        for q in range(VERTEX):
            a, b = vertices[first + i, q], vertices[count - 1 - i, q]
            vertices[first + i, q], vertices[count - 1 - i, q] = b, a
    if not closed:
        count = _put_cap(vertices, count, track, 0, -1.0, cap, cap_points)
    return count


@njit(**_SHARED)
def place_of(vertices, i, track):
    """x, y of a vertex."""
    k = int(vertices[i, 0])
    r, tx, ty = track[k, 4], track[k, 2], track[k, 3]
    s, u = vertices[i, 1], vertices[i, 2]
    return (track[k, 0] + r * (u * tx - s * ty + vertices[i, 3]), track[k, 1] + r * (u * ty + s * tx + vertices[i, 4]))
