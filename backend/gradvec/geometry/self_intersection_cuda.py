"""The check for self-crossings of :mod:`.self_intersection` on a card: one program an outline, nobody waits for it.

The same line pieces, pairs and roundings as there, so the outcome is the same to the last bit: multiply and add are not
fused, and what numba computes in float64 is float64 here.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import triton
import triton.language as tl

from ..render.cpu.kernels import bezier_basis
from ..render.scene import Topology
from .self_intersection import PIECES, RELAX, ROUNDS

_ROUNDS, _RELAX = tl.constexpr(ROUNDS), tl.constexpr(RELAX)
#: Line pieces of a side of a square of pairs that a program looks at in one go, and control points that it takes back.
_SIDE, _POINTS = 16, 128


class CardUntangler:
    """As Untangler, for points (K, 2) float32 on a card (or on the processor, under Triton's interpreter).

    pieces: line pieces per segment when crossings are looked for.
    """

    def __init__(self, topology: Topology, device: torch.device, pieces: int = PIECES) -> None:
        t = topology

        def put(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        lengths = np.diff(t.loop_points) // 3
        starts = t.loop_points[:-1] // 3
        self._count, self._pieces = t.count, pieces
        self._segments = put((t.loop_points[t.outline_loops] // 3).astype(np.int32))
        self._loops = put(np.stack([np.repeat(starts, lengths), np.repeat(starts + lengths, lengths)], 1)
                          .astype(np.int32))
        self._basis = put(bezier_basis(pieces).astype(np.float32))
        self._marks = torch.zeros(max(1, len(self._loops)), dtype=torch.int32, device=device)
        self._tangled = torch.zeros(max(1, t.count), dtype=torch.int32, device=device)
        self._known = False

    def crossings(self, points: torch.Tensor) -> torch.Tensor:
        """(N,) bool: which outlines cross themselves."""
        found = torch.zeros_like(self._tangled)
        self._run(points, points, found, False)
        return found[:self._count] != 0

    def hold(self, points: torch.Tensor, before: torch.Tensor) -> None:
        """Takes back, in place, what tangles an outline that was simple in ``before``, the points before the step.

        Outlines that came in tangled move freely until they are simple.
        """
        if not self._known:
            self._run(before, before, self._tangled, False)
            self._known = True
        self._run(points, before, self._tangled, True)

    def _run(self, points: torch.Tensor, before: torch.Tensor, tangled: torch.Tensor, hold: bool) -> None:
        if self._count:
            launch(self._count, points, before, self._segments, self._loops, self._basis, self._marks, tangled,
                   self._pieces, hold)


def warm_up(pieces: Iterable[int], device: str = "cuda") -> None:
    """Compiles the kernel for so many line pieces a segment, or loads it from Triton's cache on the disk."""
    each = np.arange(2)
    topology = Topology(3 * each, each, each, np.zeros(1, np.uint8), each[:1], np.array([[4, 4]], np.int64))
    points = torch.tensor([[0.0, 0], [4, 1], [1, 4]], device=device)
    for number in pieces:
        CardUntangler(topology, points.device, number).hold(points, points.clone())


def launch(count: int, points: torch.Tensor, before: torch.Tensor, outline_segments: torch.Tensor,
           segment_loop: torch.Tensor, basis: torch.Tensor, marks: torch.Tensor, tangled: torch.Tensor, pieces: int,
           hold: bool) -> None:
    """Runs the kernel for ``count`` outlines."""
    untangle[(count,)](points, before, outline_segments, segment_loop, basis, marks, tangled, PIECES=pieces, HOLD=hold,
                       SIDE=_SIDE, BLOCK=_POINTS, enable_fp_fusion=False)


@triton.jit
def untangle(points, before, outline_segments, segment_loop, basis, marks, tangled, PIECES: tl.constexpr,
             HOLD: tl.constexpr, SIDE: tl.constexpr, BLOCK: tl.constexpr):
    """One outline. HOLD: takes back what tangles it, unless it is marked in ``tangled``, and takes the mark off where
    it is simple; else: sets the mark.

    points, before: (K, 2). outline_segments: (N + 1,). segment_loop: (S, 2) first segment of a segment's loop, and the
    one after its last. basis: (PIECES, 4). marks: (S,) int32, for this kernel's own use.
    """
    n = tl.program_id(0)
    first = tl.load(outline_segments + n)
    last = tl.load(outline_segments + n + 1)
    going = 1
    for attempt in range(_ROUNDS + 1):
        if going != 0:
            for start in range(first, last, BLOCK):
                s = start + tl.arange(0, BLOCK)
                tl.store(marks + s, 0, s < last)
            tl.debug_barrier()  # marks, like points below, pass between threads of this program
            found = _mark(points, segment_loop, basis, marks, first, last, PIECES, SIDE)
            tl.debug_barrier()
            going = 0
            if HOLD:
                if found == 0:
                    tl.store(tangled + n, 0)
                elif tl.load(tangled + n) == 0:
                    _take_back(points, before, segment_loop, marks, first, last, attempt, BLOCK)
                    tl.debug_barrier()
                    going = 1
            else:
                tl.store(tangled + n, found)


@triton.jit
def _piece(points, segment_loop, basis, u, live, PIECES: tl.constexpr):
    """(x, y of both ends, first line piece of the loop, its last) of line pieces u."""
    s = u // PIECES
    m = u % PIECES
    loop_first = tl.load(segment_loop + 2 * s, live, 0)
    loop_last = tl.load(segment_loop + 2 * s + 1, live, 0)
    a = 3 * s
    d = tl.where(s + 1 < loop_last, a + 3, 3 * loop_first)
    px = _at(points, basis, a, d, m, 0, live)
    py = _at(points, basis, a, d, m, 1, live)
    ends = m + 1 == PIECES
    after = tl.where(ends, 0, m + 1)
    qx = tl.where(ends, tl.load(points + 2 * d, live, 0.0), _at(points, basis, a, d, after, 0, live))
    qy = tl.where(ends, tl.load(points + 2 * d + 1, live, 0.0), _at(points, basis, a, d, after, 1, live))
    return px, py, qx, qy, loop_first * PIECES, loop_last * PIECES - 1


@triton.jit
def _at(points, basis, a, d, m, axis: tl.constexpr, live):
    """A coordinate of the polyline's corner m of the segments that begin at control points a and end at d."""
    total = tl.load(basis + 4 * m, live, 0.0) * tl.load(points + 2 * a + axis, live, 0.0)
    total += tl.load(basis + 4 * m + 1, live, 0.0) * tl.load(points + 2 * a + 2 + axis, live, 0.0)
    total += tl.load(basis + 4 * m + 2, live, 0.0) * tl.load(points + 2 * a + 4 + axis, live, 0.0)
    return total + tl.load(basis + 4 * m + 3, live, 0.0) * tl.load(points + 2 * d + axis, live, 0.0)


@triton.jit
def _mark(points, segment_loop, basis, marks, first, last, PIECES: tl.constexpr, SIDE: tl.constexpr):
    """Marks the segments of one outline that cross each other or themselves; returns 1 where there are any, else 0."""
    begin = first * PIECES
    end = last * PIECES
    found = 0
    for row in range(begin, end, SIDE):
        u = row + tl.arange(0, SIDE)
        here = u < end
        px, py, qx, qy, loop_first, _ = _piece(points, segment_loop, basis, u, here, PIECES)
        left, right, top, bottom = _extent(px, py, qx, qy, here)
        for column in range(row, end, SIDE):
            v = column + tl.arange(0, SIDE)
            there = v < end
            rx, ry, sx, sy, its_first, its_last = _piece(points, segment_loop, basis, v, there, PIECES)
            l2, r2, t2, b2 = _extent(rx, ry, sx, sy, there)
            if (right >= l2) & (r2 >= left) & (bottom >= t2) & (b2 >= top):
                i = u[:, None]
                j = v[None, :]
                # Neighbours on a loop share an end.
                same = loop_first[:, None] == its_first[None, :]
                joined = same & ((j == i + 1) | ((i == its_first[None, :]) & (j == its_last[None, :])))
                hit = (here[:, None] & there[None, :] & (j > i) & (joined == 0)
                       & _cross(px[:, None], py[:, None], qx[:, None], qy[:, None],
                                rx[None, :], ry[None, :], sx[None, :], sy[None, :])).to(tl.int32)
                tl.store(marks + u // PIECES, 1, tl.max(hit, 1) > 0)
                tl.store(marks + v // PIECES, 1, tl.max(hit, 0) > 0)
                found = tl.maximum(found, tl.max(tl.max(hit, 1), 0))
    return found


@triton.jit
def _extent(px, py, qx, qy, live):
    """(left, right, top, bottom) of some line pieces together."""
    left = tl.min(tl.where(live, tl.minimum(px, qx), 1e30), 0)
    right = tl.max(tl.where(live, tl.maximum(px, qx), -1e30), 0)
    top = tl.min(tl.where(live, tl.minimum(py, qy), 1e30), 0)
    bottom = tl.max(tl.where(live, tl.maximum(py, qy), -1e30), 0)
    return left, right, top, bottom


@triton.jit
def _cross(px, py, qx, qy, rx, ry, sx, sy):
    """Whether the line pieces pq and rs cross or touch."""
    apart = ((tl.maximum(px, qx) < tl.minimum(rx, sx)) | (tl.maximum(rx, sx) < tl.minimum(px, qx))
             | (tl.maximum(py, qy) < tl.minimum(ry, sy)) | (tl.maximum(ry, sy) < tl.minimum(py, qy)))
    a = (qx - px) * (ry - py) - (qy - py) * (rx - px)
    b = (qx - px) * (sy - py) - (qy - py) * (sx - px)
    c = (sx - rx) * (py - ry) - (sy - ry) * (px - rx)
    d = (sx - rx) * (qy - ry) - (sy - ry) * (qx - rx)
    return (apart == 0) & ((a > 0) != (b > 0)) & ((c > 0) != (d > 0))


@triton.jit
def _take_back(points, before, segment_loop, marks, first, last, attempt, BLOCK: tl.constexpr):
    """The control points of marked segments of one outline go back to where they were, by RELAX nearer to the middle of
    their neighbours there; in the last attempt all do, and quite."""
    for start in range(3 * first, 3 * last, BLOCK):
        x = start + tl.arange(0, BLOCK)
        live = x < 3 * last
        whole = (x - x + attempt) == _ROUNDS
        s = x // 3
        loop_first = tl.load(segment_loop + 2 * s, live, 0)
        loop_last = tl.load(segment_loop + 2 * s + 1, live, 0)
        arriving = tl.where(s > loop_first, s, loop_last) - 1
        marked = tl.load(marks + s, live, 0) | (tl.load(marks + arriving, live, 0) * (x % 3 == 0))
        left = tl.where(x > 3 * loop_first, x, 3 * loop_last) - 1
        right = tl.where(x + 1 < 3 * loop_last, x + 1, 3 * loop_first)
        relax = tl.where(whole, 0.0, _RELAX).to(tl.float64)
        for axis in tl.static_range(2):
            sides = tl.load(before + 2 * left + axis, live, 0.0) + tl.load(before + 2 * right + axis, live, 0.0)
            here = tl.load(before + 2 * x + axis, live, 0.0).to(tl.float64)
            back = here + relax * (sides.to(tl.float64) / 2 - here)
            tl.store(points + 2 * x + axis, back.to(points.dtype.element_ty), live & ((marked != 0) | whole))
