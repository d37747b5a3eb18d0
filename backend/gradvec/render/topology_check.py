"""What a topology's arrays must be: whatever passes here, the kernels can index without looking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EngineError

if TYPE_CHECKING:
    from .scene import Topology

_KINDS = 4
#: Most line pieces per cubic, most px along a canvas' side, and most of anything: products of them fit into int64.
MOST_PIECES, MOST_SIDE, MOST = 1024, 1 << 20, 1 << 40


def checked_arrays(t: Topology) -> dict[str, Any]:
    """The fields of a topology as contiguous arrays of their own types, in O(size).

    Raises:
        EngineError: one of them is malformed; the message says which and where.
    """
    kind = _whole("kind", t.kind)
    n = len(kind)
    outline_loops = _offsets("outline_loops", t.outline_loops, n, "outlines")
    loop_points = _offsets("loop_points", t.loop_points, int(outline_loops[-1]), "loops")
    stop_index = _offsets("stop_index", t.stop_index, n, "outlines")
    canvas = _whole("canvas", t.canvas)
    sizes = _whole("sizes", t.sizes, 2)
    even_odd = np.zeros(n, np.int64) if t.even_odd is None else _whole("even_odd", t.even_odd)
    for name, value in (("canvas", canvas), ("even_odd", even_odd)):
        if len(value) != n:
            raise _error(f"{name} has {len(value)} entries, but kind has {n}.")
    _every("loop_points", np.diff(loop_points) % 3 == 0, "loop {} does not hold 3 points per segment")
    _every("stop_index", np.diff(stop_index) >= 1, "outline {} has no stop")
    _every("kind", (kind >= 0) & (kind < _KINDS), "outline {} is no SOLID (0), LINEAR (1), RADIAL (2) or ELLIPTIC (3)")
    _every("kind", (kind != 0) | (np.diff(stop_index) == 1), "outline {} is SOLID, but has not exactly one stop")
    _every("canvas", (canvas >= 0) & (canvas < len(sizes)), f"outline {{}} is on none of the {len(sizes)} canvases")
    _every("canvas", np.diff(canvas, prepend=0) >= 0, "outline {} is on an earlier canvas than the one before it")
    _every("even_odd", (even_odd >= 0) & (even_odd <= 1), "outline {} is neither 0 nor 1")
    if sizes.shape[1:] != (2,):
        raise _error(f"sizes expects shape (B, 2), got {sizes.shape}.")
    _every("sizes", ((sizes >= 1) & (sizes <= MOST_SIDE)).all(1), f"canvas {{}} is not 1 to {MOST_SIDE} px a side")
    if isinstance(t.pieces, bool) or not isinstance(t.pieces, (int, np.integer)) or not 1 <= t.pieces <= MOST_PIECES:
        raise _error(f"pieces expects a whole number from 1 to {MOST_PIECES}, got {t.pieces!r}.")
    if max(int(loop_points[-1]) * int(t.pieces), int((sizes[:, 0] * sizes[:, 1]).sum())) > MOST:
        raise _error("there are more control points or px than can be counted.")
    return {"loop_points": loop_points, "outline_loops": outline_loops, "stop_index": stop_index,
            "kind": kind.astype(np.uint8), "canvas": canvas, "sizes": sizes, "pieces": int(t.pieces),
            "even_odd": even_odd.astype(np.uint8)}


def _whole(name: str, value: Any, dimensions: int = 1) -> np.ndarray:
    """``value`` as a contiguous int64 array."""
    array = np.asarray(value)
    if array.ndim != dimensions or (array.dtype.kind not in "iub" and array.size):
        raise _error(f"{name} expects an array of whole numbers with {dimensions} dimension(s), got {array.dtype} with "
                     f"{array.ndim}.")
    return np.array(array, np.int64, order="C")  # a copy: nobody changes it after this look


def _offsets(name: str, value: Any, count: int, of: str) -> np.ndarray:
    """An array of count + 1 offsets that starts at 0 and does not fall."""
    offsets = _whole(name, value)
    if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] > MOST:
        got = f"{len(offsets)} entries" + (f" that start at {offsets[0]}" if len(offsets) else "")
        raise _error(f"{name} expects {count + 1} offsets that start at 0, one more than there are {of}, got {got}.")
    _every(name, np.diff(offsets) >= 0, "entry {} is followed by a smaller one")
    return offsets


def _every(name: str, good: Any, complaint: str) -> None:
    if not good.all():
        raise _error(f"{name}: {complaint.format(int(np.argmin(good)))}.")


def _error(message: str) -> EngineError:
    return EngineError(f"The scene's topology is malformed: {message}",
                       "docs/engine.md says what a topology is; Scene.from_tensors makes one.")
