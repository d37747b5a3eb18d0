"""numba kernels of the cpu engine: outlines to line pieces and crops, and who is where.

The mathematics is in docs/engine.md. Arrays are flat and ragged; all coordinates are px of the canvas an outline is
on. Pixels are kept in the dtype of the parameters (float32 or float64); edges are float64 always, which costs nothing
in scalar code and keeps coordinates far from the origin exact. Ties are decided as reference.py says.

One outline is one task. From here coverage.py goes on, then composite.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernel_cache import njit

#: Numbers of an entry's partial derivative before its stops (opacity, up to five sums over the gradient's geometry) and
#: per stop (offset, red, green, blue, opacity). fills.py and composite_backward.py fill them.
HEAD, PER_STOP = 6, 5
#: As reference.py has it: machine epsilons that count as nothing.
TIE_EPS = 8
#: px. Spans are a whole number of vectors long: a row of some 40 px would spend more time on the px that are left over
#: than on all others. Cells that a span has too many are 0, and nothing comes of them.
LANES = 16
PAD = 2 * LANES

# Derivatives of sums may be reordered; NaN and infinity must keep their meaning, so no "nnan" and no "ninf".
_FAST = {"contract", "reassoc", "nsz", "arcp", "afn"}
_SERIAL: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": _FAST, "error_model": "numpy"}
_PARALLEL = {**_SERIAL, "parallel": True}
# Only kernels call these: without a way in from Python they compile in half the time.
_INNER = {**_SERIAL, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# For those that more than one kernel calls. Each kernel's machine code would hold its own copy, rounded in its own way
# where sums are reordered, and call whichever copy the process came by first, one from the cache or one just compiled:
# only without calls does one scene give the same bytes in both.
_SHARED = {**_INNER, "forceinline": True}
# Beside either, for loops over rows whose arrays do not overlap.
_APART: dict[str, Any] = {"noalias": True}


def bezier_basis(pieces: int) -> np.ndarray:
    """(pieces, 4) cubic Bernstein weights at t = 0, 1/pieces, ... (1 belongs to the next segment)."""
    t = np.arange(pieces) / pieces
    s = 1 - t
    return np.stack([s**3, 3 * s**2 * t, 3 * s * t**2, t**3], axis=1)


@njit(**_INNER)
def _chord_start(weights, p0, p1, p2, p3):
    """Where a chord starts; from p0 on, so that chords of a side that is level or upright are exactly so."""
    start = np.float64(p0)
    return start + (weights[1] * (p1 - start) + weights[2] * (p2 - start) + weights[3] * (p3 - start))


@njit(**_INNER)
def _reach(low, high, size, tie):
    """First and last (exclusive) px inside ``size`` that low to high touches, be it from outside."""
    first = math.ceil(min(max(low, -1.0), size + 1.0) - tie) - 1
    last = math.floor(min(max(high, -1.0), size + 1.0) + tie) + 1
    return max(first, 0), min(last, size)


@njit(**_SERIAL)
def flatten(points, loop_points, outline_loops, canvas, sizes, basis, tie, poly, box):
    """Fills poly (S * pieces, 2) with the line pieces' start points, box (N, 4) with each outline's crop.

    box: left, top, right, bottom in whole px, right and bottom exclusive, inside the canvas; empty: left == right.
    """
    pieces = basis.shape[0]
    for n in range(outline_loops.shape[0] - 1):
        left, top, right, bottom = 1e30, 1e30, -1e30, -1e30
        for loop in range(outline_loops[n], outline_loops[n + 1]):
            first, last = loop_points[loop], loop_points[loop + 1]
            out = first // 3 * pieces
            for a in range(first, last, 3):
                d = a + 3 if a + 3 < last else first
                for m in range(pieces):
                    x = _chord_start(basis[m], points[a, 0], points[a + 1, 0], points[a + 2, 0], points[d, 0])
                    y = _chord_start(basis[m], points[a, 1], points[a + 1, 1], points[a + 2, 1], points[d, 1])
                    poly[out, 0] = x
                    poly[out, 1] = y
                    out += 1
                    left, right = min(left, x), max(right, x)
                    top, bottom = min(top, y), max(bottom, y)
        box[n, 0], box[n, 2] = _reach(left, right, sizes[canvas[n], 0], tie)
        box[n, 1], box[n, 3] = _reach(top, bottom, sizes[canvas[n], 1], tie)
        if not (box[n, 2] > box[n, 0] and box[n, 3] > box[n, 1]):
            box[n, 2] = box[n, 0]
            box[n, 3] = box[n, 1]


@njit(**_SHARED)
def pitch(width):
    """Cells from one row of a crop to the next: room for whole vectors and for what an edge leaves on its right."""
    return (width + 1 + LANES) // LANES * LANES


@njit(**_SHARED)
def chord(poly, i, first, last, left, top):
    """(place of its end in poly, x0, y0, x1, y1 from a crop's corner) of chord i of a loop that has first to last."""
    j = i + 1 if i + 1 < last else first
    return j, poly[i, 0] - left, poly[i, 1] - top, poly[j, 0] - left, poly[j, 1] - top


@njit(**_SERIAL)
def lay_out(box, band, crop_start, row_start, entry_start, stop_index, part_start):
    """Prefix sums: where each outline's crop pixels, crop rows, entries and partial derivatives begin.

    An entry is one outline in one band of ``band`` rows. Its partial derivative takes HEAD + PER_STOP * stops numbers.
    """
    for n in range(box.shape[0]):
        width, height = box[n, 2] - box[n, 0], box[n, 3] - box[n, 1]
        crop_start[n + 1] = crop_start[n] + pitch(width) * height
        row_start[n + 1] = row_start[n] + height
        bands = (box[n, 3] - 1) // band - box[n, 1] // band + 1 if height > 0 else 0
        entry_start[n + 1] = entry_start[n] + bands
        numbers = HEAD + PER_STOP * (stop_index[n + 1] - stop_index[n])
        part_start[n + 1] = part_start[n] + bands * numbers


@njit(**_SERIAL)
def bin_outlines(box, band, canvas, band_start, job_start, members, job_cells):
    """Which outlines reach into which band: job j holds members[job_start[j]:job_start[j + 1]] in paint order.

    job_cells (J,): how many crop px they have in it.
    """
    job_start[:] = 0
    job_cells[:] = 0
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for i in range(box[n, 1] // band, (box[n, 3] - 1) // band + 1):
                job_start[base + i + 1] += 1
    for job in range(job_start.shape[0] - 1):
        job_start[job + 1] += job_start[job]
    at = job_start[:-1].copy()
    for n in range(box.shape[0]):
        if box[n, 3] > box[n, 1]:
            base = band_start[canvas[n]]
            for i in range(box[n, 1] // band, (box[n, 3] - 1) // band + 1):
                rows = min((i + 1) * band, box[n, 3]) - max(i * band, box[n, 1])
                job_cells[base + i] += rows * pitch(box[n, 2] - box[n, 0])
                members[at[base + i]] = n
                at[base + i] += 1
