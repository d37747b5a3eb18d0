"""Strokes' outlines on the processor: numba kernels behind one autograd function.

:func:`outlines` is what :func:`gradvec.render.strokes.strokes` gives for tensors on the processor. One stroke is one
task; sizes are track.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numba import prange
from torch.autograd.function import once_differentiable

from .. import threads
from ..kernel_cache import njit
from . import track as tracks
from .kernels import _PARALLEL
from .pen import VERTEX, place_of, put_outline
from .track import FINE, TRACK, control_index, draw_track, weights_at
from .union import at_edge, outer_border

#: px between vertices that count as one.
_SAME = 1e-7
CAPS, JOINS = ("round", "butt", "square"), ("round", "miter", "bevel")


@njit(**_PARALLEL)
def draw(points, radius, closed, chords, join, join_points, cap, cap_points, start, track, vertices, sizes,
         border, counts):
    """Fills the tracks, vertices (., VERTEX) with their number in sizes (N,), and border (., 2), edge and place on it,
    with their number in counts (N,).

    chords, join_points, cap_points: (N,). start (N + 1, 3): first row of each stroke's track, vertices and border.
    """
    for n in prange(points.shape[0]):
        most = max(FINE, chords[n]) + 1
        own_track = track[start[n, 0]:start[n + 1, 0]]
        draw_track(points[n], radius[n], closed, chords[n], own_track, np.empty((4, 3)), np.empty((FINE + 1, TRACK)),
                   np.empty(most), np.empty(most), np.empty(most))
        own, out = vertices[start[n, 1]:start[n + 1, 1]], border[start[n, 2]:start[n + 1, 2]]
        count = put_outline(own, own_track, closed, chords[n], join, join_points[n], cap, cap_points[n])
        place, kept = np.empty((count, 2)), 0
        for i in range(count):
            x, y = place_of(own, i, own_track)
            if kept > 0 and abs(x - place[kept - 1, 0]) + abs(y - place[kept - 1, 1]) < _SAME:
                continue
            place[kept, 0], place[kept, 1] = x, y
            for q in range(VERTEX):
                own[kept, q] = own[i, q]
            kept += 1
        sizes[n] = kept
        counts[n] = outer_border(place[:kept], out) if kept > 2 else 0
        if counts[n] == 0:
            counts[n] = kept
            for i in range(kept):
                out[i, 0], out[i, 1] = i, 0.0


@njit(**_PARALLEL)
def place_all(start, track, vertices, sizes, border, counts, rooms, result):
    """Fills result with the border's vertices, rooms[n] to rooms[n + 1] of each stroke; the last one fills the rest."""
    for n in prange(sizes.shape[0]):
        own, own_track = vertices[start[n, 1]:start[n + 1, 1]], track[start[n, 0]:start[n + 1, 0]]
        place = np.empty((sizes[n], 2))
        for i in range(sizes[n]):
            place[i, 0], place[i, 1] = place_of(own, i, own_track)
        for v in range(rooms[n + 1] - rooms[n]):
            k = start[n, 2] + min(v, counts[n] - 1)
            result[rooms[n] + v, 0], result[rooms[n] + v, 1] = at_edge(place, border[k, 0], border[k, 1])


@njit(**_PARALLEL)
def take_back(start, track, vertices, sizes, border, counts, rooms, closed, chords, grad, d_points, d_radius):
    """From the derivative of the border's vertices to that of points (N, K, 2) and radii (N, K or 1)."""
    for n in prange(sizes.shape[0]):
        places, own = track[start[n, 0]:start[n + 1, 0]], vertices[start[n, 1]:start[n + 1, 1]]
        slope = np.zeros((places.shape[0], 5))  # by C, T and r
        for v in range(rooms[n + 1] - rooms[n]):
            k = start[n, 2] + min(v, counts[n] - 1)
            i, t = int(border[k, 0]), border[k, 1]
            for end in range(2):
                share = t if end == 1 else 1.0 - t
                if share == 0.0:
                    continue
                j = i + end if i + end < sizes[n] else 0
                gx, gy = share * grad[rooms[n] + v, 0], share * grad[rooms[n] + v, 1]
                at, s, u = int(own[j, 0]), own[j, 1], own[j, 2]
                tx, ty, r = places[at, 2], places[at, 3], places[at, 4]
                slope[at, 0] += gx
                slope[at, 1] += gy
                slope[at, 2] += r * (u * gx + s * gy)
                slope[at, 3] += r * (u * gy - s * gx)
                slope[at, 4] += gx * (u * tx - s * ty + own[j, 3]) + gy * (u * ty + s * tx + own[j, 4])
        d_points[n] = 0
        d_radius[n] = 0
        for k in range(places.shape[0]):
            tx, ty = places[k, 2], places[k, 3]
            along = slope[k, 2] * tx + slope[k, 3] * ty
            hx, hy = (slope[k, 2] - along * tx) / places[k, 5], (slope[k, 3] - along * ty) / places[k, 5]
            weights = weights_at(places[k, 6])
            for q in range(4):
                i = control_index(d_points[n], closed, k // (chords[n] + 1), q)
                d_points[n, i, 0] += weights[q] * slope[k, 0] + places[k, 7 + q] * hx
                d_points[n, i, 1] += weights[q] * slope[k, 1] + places[k, 7 + q] * hy
                d_radius[n, i if d_radius.shape[1] > 1 else 0] += weights[q] * slope[k, 4]


@dataclass
class Pen:
    """How N strokes are drawn in one call.

    numbers: (N, 3) int64, each stroke's chords a segment, points of a join and of a cap. rooms: (N,) int64, vertices
    that each outline has room for; where it is too little, it becomes more in the call, for all of them where they are
    to be alike.
    """

    closed: bool
    cap: str
    join: str
    numbers: np.ndarray
    rooms: np.ndarray
    alike: bool = False


class _Outlines(torch.autograd.Function):
    """Vertices of the borders. What is kept travels as an argument, as in the engine's own function."""

    @staticmethod
    def forward(kept: list[Any], pen: Pen, points: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
        place, wide = (np.ascontiguousarray(v.detach().numpy(), np.float64) for v in (points, radius))
        count, segments = len(place), (place.shape[1] - (not pen.closed)) // 3
        chords, join_points, cap_points = np.ascontiguousarray(pen.numbers.T)
        most = 2 * segments * (4 * chords + join_points + 6) + 2 * cap_points + 8
        start = np.zeros((count + 1, 3), np.int64)
        np.cumsum(np.stack([segments * (chords + 1), most, 2 * most + 64], 1), 0, out=start[1:])
        track, vertices, border = (np.empty((int(start[-1, k]), columns)) for k, columns in
                                   enumerate((TRACK, VERTEX, 2)))
        sizes, counts = np.empty(count, np.int64), np.empty(count, np.int64)
        with threads.ALONE:
            draw(place, wide, pen.closed, chords, JOINS.index(pen.join), join_points, CAPS.index(pen.cap), cap_points,
                 start, track, vertices, sizes, border, counts)
            pen.rooms = np.where(pen.rooms >= counts, pen.rooms, roomy(counts))
            if pen.alike:
                pen.rooms[:] = pen.rooms.max(initial=0)
            rooms = np.concatenate([[0], np.cumsum(pen.rooms)])
            result = np.empty((int(rooms[-1]), 2))
            place_all(start, track, vertices, sizes, border, counts, rooms, result)
        kept += [start, track, vertices, sizes, border, counts, rooms, pen.closed, chords, place.shape, wide.shape]
        return torch.from_numpy(result).to(points.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.kept = inputs[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        *drawn, place, wide = ctx.kept
        slopes = np.empty(place), np.empty(wide)
        with threads.ALONE:
            take_back(*drawn, grad.detach().contiguous().numpy(), *slopes)
        return (None, None, *(torch.from_numpy(s).to(grad.dtype) for s in slopes))


def outlines(points: torch.Tensor, radius: torch.Tensor, pen: Pen) -> torch.Tensor:
    """(., 2) px, pen.rooms[n] vertices of one loop for each stroke: points (N, K, 2), radius (N, K) or (N, 1)."""
    threads.refuse_in_a_fork()
    result: torch.Tensor = _Outlines.apply([], pen, points, radius)
    return result


def roomy(counts: np.ndarray) -> np.ndarray:
    """Numbers of vertices somewhat above ``counts``, of few that there are: strokes that move keep theirs for long."""
    step = np.maximum(8, 2 ** (np.log2(np.maximum(counts, 4)).astype(np.int64) - 2))
    rooms: np.ndarray = -(-counts // step) * step
    return rooms


def needs(points: torch.Tensor, radius: torch.Tensor, closed: bool, tolerance: float) -> np.ndarray:
    """(N, 3): chords of a stroke's neediest segment, its sharpest corner, the angle of an arc's chord."""
    threads.refuse_in_a_fork()
    place, wide = (np.ascontiguousarray(v.detach().numpy(), np.float64) for v in (points, radius))
    result = np.empty((len(place), 3))
    with threads.ALONE:
        tracks.needs(place, wide, closed, tolerance, result)
    return result
