"""Lines with a width as outlines: ``strokes()`` turns curves into polygons that any engine renders and differentiates.

A stroke is the area that a line segment of the stroke's width sweeps when it runs along the curve, upright to it, with
joins where the curve has corners and caps at its ends. Its outline runs along the curve's right side and back along the
left one. Where a bend is tighter than half the width, the inner side runs backwards and would take away what the outer
side covers; there the piece that turned round is added again, the right way round, twice: once against the hole and
once for itself. The non-zero rule then covers exactly what the segment swept. A union of capsules would not do: where
two overlap, the pixels on their common border are counted twice.

How many chords a stroke has, its *structure*, is decided apart from where they are, so that a topology can be kept
while a stroke moves. stroke_geometry.py has the geometry; kernels of the cpu engine compute the same (cpu/outlines.py)
and take out what a stroke covers several times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import EngineError
from . import stroke_geometry as geometry

CAPS, JOINS = ("round", "butt", "square"), ("round", "miter", "bevel")
#: px that chords may stray from a stroke's border.
TOLERANCE = 0.03
#: Least chords of a segment whose handles are free: with fewer, a straight one would not bend.
LEAST_CHORDS = 8
#: Chords per segment, and points of a join and of a cap, come in these numbers: strokes that move keep theirs for long.
_NUMBERS = np.array((1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 96))


@dataclass(frozen=True)
class Structure:
    """What of a stroke is counted.

    chords: of each segment. join, cap: points between both sides. folds: whether the inner side may run backwards;
    kernels need not know. vertices: room for an outline's vertices where kernels draw it; if too little, it is more.
    """

    chords: int
    join: int
    cap: int
    folds: bool
    vertices: int = 0


@dataclass(frozen=True)
class Polygons:
    """N outlines of the same structure. points: (N, V, 2) px. loops: offsets of the loops within V, from 0 to V."""

    points: torch.Tensor
    loops: tuple[int, ...]


def strokes(points: torch.Tensor, width: torch.Tensor | float, closed: bool = False, cap: str = "round",
            join: str = "round", structure: Structure | None = None, once: bool = True) -> Polygons:
    """Outlines of N curves drawn with a pen of some width; differentiable in points and width.

    Within 0.005 of 16 x 16 samples a pixel in root mean square, with derivatives whose cosine to those of the exact
    area is above 0.999 (docs/engine.md). One call for many strokes is far quicker than many calls.

    Args:
        points: (N, 3 S + 1, 2) px, or (N, 3 S, 2) where closed, cubic control points: anchor, handle, handle, anchor...
        width: px across the stroke: one number, (N,), or (N, K) one for each control point, interpolated by the same
            Bernstein weights. 0 paints nothing and has the derivative of a stroke that begins to be seen; what is below
            0 is 0 and has none.
        cap: round, butt or square, at both ends of an open curve.
        join: round, miter (to 4 times the width, then bevel) or bevel, where segments meet at an angle.
        structure: as :func:`structures` gives it; None: the finest that any of these strokes needs.
        once: whether what a stroke goes over several times is taken out of its outline, which then crosses itself
            nowhere: px in which two of its borders meet are exact, too. How many vertices that takes depends on where
            the curves are. Tensors on the processor only, where kernels do it, several times as fast as torch does
            without it; others, and all if False, keep the loops as they are.

    Raises:
        EngineError: a name is unknown or a shape does not fit.
    """
    points, width = checked(points, width, closed, cap, join)
    if structure is None:
        structure = finest(structures(points, width, closed, cap, join, once=once))
    if once and _on_the_processor(points):
        return _drawn(points, width / 2, closed, cap, join, structure)
    control, radius = geometry.segments(points, width / 2, closed)
    track = geometry.sample(control, radius, structure.chords)
    right, left = geometry.sides(track, closed, join, structure.join)
    loops = [right, left.flip(1)] if closed else [torch.cat([
        right, geometry.cap(track, cap, structure.cap, True), left.flip(1),
        geometry.cap(track, cap, structure.cap, False)], 1)]
    if structure.folds:
        loops += list(geometry.folds(track).unbind(1))
    ends = [0]
    for loop in loops:
        ends.append(ends[-1] + loop.shape[1])
    return Polygons(torch.cat(loops, 1), tuple(ends))


def structures(points: torch.Tensor, width: torch.Tensor | float, closed: bool = False, cap: str = "round",
               join: str = "round", tolerance: float = TOLERANCE, least: int = LEAST_CHORDS,
               once: bool = True) -> list[Structure]:
    """The structure that each of N strokes needs for its border to stray no more than ``tolerance`` px.

    least: chords per segment; 1 does where handles only follow the anchors, as those of lines. once: as in strokes().
    """
    with torch.no_grad():
        points, width = checked(points.detach(), width, closed, cap, join)
        if once and _on_the_processor(points):
            from .cpu.outlines import needs
            need = needs(points, width / 2, closed, tolerance)
            folds = [False] * len(points)
        else:
            control, radius = geometry.segments(points, width / 2, closed)
            *numbers, folding = geometry.needs(control, radius, closed, tolerance)
            need, folds = torch.stack(numbers, 1).cpu().double().numpy(), folding.tolist()
    rows = counted(need, closed, cap, join, least).tolist()
    return [Structure(a, b, c, fold) for (a, b, c), fold in zip(rows, folds, strict=True)]


def counted(need: np.ndarray, closed: bool, cap: str, join: str, least: int) -> np.ndarray:
    """(N, 3) int64: chords of each segment, points of a join and of a cap.

    need: (N, 3), chords of the neediest segment, the sharpest corner's angle and that of an arc's chord.
    """
    result = np.empty((len(need), 3), np.int64)
    arc = np.maximum(need[:, 2], 1e-9)
    result[:, 0] = _numbers(np.maximum(need[:, 0], least))
    result[:, 1] = _numbers(need[:, 1] / arc) if join == "round" else 1
    result[:, 2] = 0 if closed or cap == "butt" else 2 if cap == "square" else _numbers(np.pi / arc)
    return result


def finest(needed: list[Structure]) -> Structure:
    """One structure that does for all."""
    if not needed:
        return Structure(1, 1, 0, False)
    return Structure(max(s.chords for s in needed), max(s.join for s in needed), max(s.cap for s in needed),
                     any(s.folds for s in needed), max(s.vertices for s in needed))


def _drawn(points: torch.Tensor, radius: torch.Tensor, closed: bool, cap: str, join: str,
           structure: Structure) -> Polygons:
    """By kernels, all with the room that the one with most vertices needs."""
    from .cpu.outlines import Pen, outlines
    count = len(points)
    numbers = np.tile(np.array([structure.chords, structure.join, structure.cap], np.int64), (count, 1))
    pen = Pen(closed, cap, join, numbers, np.full(count, structure.vertices, np.int64), alike=True)
    vertices = outlines(points, radius, pen)
    room = int(pen.rooms.max(initial=0))
    return Polygons(vertices.reshape(count, room, 2), (0, room))


def _on_the_processor(points: torch.Tensor) -> bool:
    """Whether these are numbers that kernels can be given: on the processor, and not a stand-in for a tensor."""
    return points.device.type == "cpu" and type(points) in (torch.Tensor, torch.nn.Parameter)


def checked(points: torch.Tensor, width: torch.Tensor | float, closed: bool, cap: str,
            join: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Points as given and widths (N, 1) or (N, K), clamped."""
    for name, value, known in (("cap", cap, CAPS), ("join", join, JOINS)):
        if value not in known:
            raise EngineError(f"There is no {name} named {value!r}.", f"Choose one of {', '.join(known)}.")
    count = points.shape[1] if points.dim() == 3 and points.shape[2] == 2 else 0
    if count < 3 or count % 3 != (0 if closed else 1):
        expected = "(N, 3 S, 2)" if closed else "(N, 3 S + 1, 2)"
        raise EngineError(f"{'Closed' if closed else 'Open'} strokes expect points of shape {expected}, "
                          f"got {tuple(points.shape)}.")
    return points, checked_width(width, len(points), count, points)


def checked_width(width: torch.Tensor | float, strokes: int, count: int, like: torch.Tensor) -> torch.Tensor:
    """Widths (N, 1) or (N, K), clamped, of N strokes with K control points each."""
    wide = torch.as_tensor(width, dtype=like.dtype, device=like.device)
    if wide.dim() == 0:
        wide = wide.expand(strokes)
    if wide.shape not in ((strokes,), (strokes, 1), (strokes, count)):
        raise EngineError(f"A stroke's width expects one number, ({strokes},) or ({strokes}, {count}), got "
                          f"{tuple(wide.shape)}.")
    wide = wide.reshape(strokes, -1)
    # A line without width has no outside to move: the least width that has one stands for 0.
    least = geometry.LEAST_WIDTH
    return torch.where(wide < 0, torch.zeros_like(wide), wide + (least - wide.detach()).clamp_min(0))


def _numbers(least: np.ndarray) -> np.ndarray:
    """The least of _NUMBERS that is enough, or the largest."""
    found: np.ndarray = _NUMBERS[np.minimum(np.searchsorted(_NUMBERS, least), len(_NUMBERS) - 1)]
    return found
