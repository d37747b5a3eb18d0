"""Outlines that never cross themselves: a step that would tangle an outline is taken back where it does.

A penalty only discourages crossings; here a step is checked. The segments that cross return to where they were, and
if that does not help the whole outline does: what was simple stays simple, by induction, at the polyline resolution
that the engine renders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from ..render.cpu.kernels import bezier_basis
from ..render.kernel_cache import njit
from ..render.scene import Topology

#: Line pieces per segment when crossings are looked for.
PIECES = 8
#: Rounds in which only the crossing segments go back, before the whole outline does.
ROUNDS = 3
#: Segments that go back are smoothed by this much towards the middle of each point's neighbours: a fold that is stuck
#: against itself opens instead of freezing.
RELAX = 0.25

_SERIAL: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


class Untangler:
    """Checks every step of the outlines of one topology; reorder by making a new one.

    pieces: line pieces per segment when crossings are looked for.
    """

    def __init__(self, topology: Topology, pieces: int = PIECES) -> None:
        t = topology
        self._loops, self._outlines = t.loop_points, t.outline_loops
        self._basis = bezier_basis(pieces).astype(np.float32)
        segments = int(t.loop_points[-1]) // 3
        self._lines = np.empty((segments, pieces + 1, 2), np.float32)
        self._boxes = np.empty((segments, 4), np.float32)
        self._marks = np.zeros(segments, np.bool_)
        self._tangled: np.ndarray | None = None

    def crossings(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool: which outlines of points (K, 2) cross themselves."""
        return _tangled(points, self._loops, self._outlines, self._basis, self._lines, self._boxes, self._marks)

    def hold(self, points: np.ndarray, before: np.ndarray) -> int:
        """Takes back, in place, what tangles an outline that was simple in ``before``.

        Args:
            points, before: (K, 2) float32 after and before the step.

        Returns:
            How many outlines were touched. Outlines that came in tangled move freely until they are simple.
        """
        if self._tangled is None:
            self._tangled = self.crossings(before)
        return int(_hold(points, before, self._loops, self._outlines, self._basis, self._lines, self._boxes,
                         self._marks, self._tangled))


@njit(**_SERIAL)
def _flatten(points, first, last, basis, lines, boxes):
    """Line pieces and boxes of the segments of one loop, control points first..last."""
    pieces = basis.shape[0]
    for a in range(first, last, 3):
        s = a // 3
        d = a + 3 if a + 3 < last else first
        left, top, right, bottom = np.float32(1e30), np.float32(1e30), np.float32(-1e30), np.float32(-1e30)
        for m in range(pieces + 1):
            for k in range(2):
                if m < pieces:
                    lines[s, m, k] = (basis[m, 0] * points[a, k] + basis[m, 1] * points[a + 1, k]
                                      + basis[m, 2] * points[a + 2, k] + basis[m, 3] * points[d, k])
                else:
                    lines[s, m, k] = points[d, k]
            left, right = min(left, lines[s, m, 0]), max(right, lines[s, m, 0])
            top, bottom = min(top, lines[s, m, 1]), max(bottom, lines[s, m, 1])
        boxes[s, 0], boxes[s, 1], boxes[s, 2], boxes[s, 3] = left, top, right, bottom


@njit(**_SERIAL)
def _apart(a, b):
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


@njit(**_SERIAL)
def _cross(p, q, r, s):
    """Whether the line pieces pq and rs cross or touch; pieces that share an end point are not asked."""
    if max(p[0], q[0]) < min(r[0], s[0]) or max(r[0], s[0]) < min(p[0], q[0]):
        return False
    if max(p[1], q[1]) < min(r[1], s[1]) or max(r[1], s[1]) < min(p[1], q[1]):
        return False
    a = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    b = (q[0] - p[0]) * (s[1] - p[1]) - (q[1] - p[1]) * (s[0] - p[0])
    c = (s[0] - r[0]) * (p[1] - r[1]) - (s[1] - r[1]) * (p[0] - r[0])
    d = (s[0] - r[0]) * (q[1] - r[1]) - (s[1] - r[1]) * (q[0] - r[0])
    return ((a > 0) != (b > 0)) and ((c > 0) != (d > 0))


@njit(**_SERIAL)
def _goes_on(lines, i, j):
    """Whether all pieces of segment i, and of j that follows it (or is i), run along the chord from where i starts to
    where j ends: they cannot cross then, and that is known in a tenth of the time."""
    last = lines.shape[1] - 1
    x, y = lines[j, last, 0] - lines[i, 0, 0], lines[j, last, 1] - lines[i, 0, 1]
    for s in (i, j):
        for m in range(last):
            if (lines[s, m + 1, 0] - lines[s, m, 0]) * x + (lines[s, m + 1, 1] - lines[s, m, 1]) * y <= 0:
                return False
    return True


@njit(**_SERIAL)
def _mark(loops, first_loop, last_loop, lines, boxes, marks):
    """Marks the segments of one outline that cross each other or themselves; returns whether there are any."""
    begin, end = loops[first_loop] // 3, loops[last_loop] // 3
    marks[begin:end] = False
    pieces = lines.shape[1] - 1
    found = False
    for loop_a in range(first_loop, last_loop):
        a0, a1 = loops[loop_a] // 3, loops[loop_a + 1] // 3
        for loop_b in range(loop_a, last_loop):
            b0, b1 = loops[loop_b] // 3, loops[loop_b + 1] // 3
            for i in range(a0, a1):
                for j in range(max(i, b0), b1):
                    if _apart(boxes[i], boxes[j]):
                        continue
                    follows = loop_a == loop_b and (j == i + 1)
                    leads = loop_a == loop_b and i == a0 and j == a1 - 1 and i != j
                    if not (follows and leads) and (((i == j or follows) and _goes_on(lines, i, j))
                                                    or (leads and _goes_on(lines, j, i))):
                        continue
                    for m in range(pieces):
                        low = m + 2 if i == j else 0
                        for n in range(low, pieces):
                            if follows and m == pieces - 1 and n == 0:
                                continue
                            if leads and m == 0 and n == pieces - 1:
                                continue
                            if i == j and a1 - a0 == 1 and m == 0 and n == pieces - 1:
                                continue
                            if _cross(lines[i, m], lines[i, m + 1], lines[j, n], lines[j, n + 1]):
                                marks[i] = True
                                marks[j] = True
                                found = True
    return found


@njit(parallel=True, **_SERIAL)
def _tangled(points, loops, outlines, basis, lines, boxes, marks):
    result = np.zeros(outlines.shape[0] - 1, np.bool_)
    for n in prange(outlines.shape[0] - 1):
        for loop in range(outlines[n], outlines[n + 1]):
            _flatten(points, loops[loop], loops[loop + 1], basis, lines, boxes)
        result[n] = _mark(loops, outlines[n], outlines[n + 1], lines, boxes, marks)
    return result


@njit(parallel=True, **_SERIAL)
def _hold(points, before, loops, outlines, basis, lines, boxes, marks, tangled):
    touched = 0
    for n in prange(outlines.shape[0] - 1):
        first_loop, last_loop = outlines[n], outlines[n + 1]
        for attempt in range(ROUNDS + 1):
            for loop in range(first_loop, last_loop):
                _flatten(points, loops[loop], loops[loop + 1], basis, lines, boxes)
            if not _mark(loops, first_loop, last_loop, lines, boxes, marks):
                tangled[n] = False
                break
            if tangled[n]:
                break
            if attempt == 0:
                touched += 1
            for loop in range(first_loop, last_loop):
                first, last = loops[loop], loops[loop + 1]
                for a in range(first, last, 3):
                    if marks[a // 3] or attempt == ROUNDS:
                        relax = np.float32(RELAX) if attempt < ROUNDS else np.float32(0)
                        for i in range(a, a + 4):
                            here = i if i < last else first
                            left = here - 1 if here > first else last - 1
                            right = here + 1 if here + 1 < last else first
                            for k in range(2):
                                middle = (before[left, k] + before[right, k]) / 2
                                points[here, k] = before[here, k] + relax * (middle - before[here, k])
    return touched
