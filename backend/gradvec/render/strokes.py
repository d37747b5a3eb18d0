"""Lines with a width as outlines: ``strokes()`` turns curves into polygons that any engine renders and differentiates.

A stroke is the area that a line segment of the stroke's width sweeps when it runs along the curve, upright to it, with
joins where the curve has corners and caps at its ends. Its outline runs along the curve's right side and back along the
left one. Where a bend is tighter than half the width, the inner side runs backwards and would take away what the outer
side covers; there the piece that turned round is added again, the right way round, twice: once against the hole and
once for itself. The non-zero rule then covers exactly what the segment swept. A union of capsules would not do: where
two overlap, the pixels on their common border are counted twice.

How many chords a stroke has, its *structure*, is decided apart from where they are, so that a topology can be kept
while a stroke moves. stroke_geometry.py has the geometry.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import EngineError
from . import stroke_geometry as geometry

CAPS, JOINS = ("round", "butt", "square"), ("round", "miter", "bevel")
#: px that chords may stray from a stroke's border.
TOLERANCE = 0.03
#: Least chords of a segment whose handles are free: with fewer, a straight one would not bend.
LEAST_CHORDS = 8
#: Chords per segment, and points of a join and of a cap, come in these numbers: strokes that move keep theirs for long.
_NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)


@dataclass(frozen=True)
class Structure:
    """What of a stroke is counted.

    chords: of each segment. join, cap: points between both sides. folds: whether the inner side may run backwards.
    """

    chords: int
    join: int
    cap: int
    folds: bool


@dataclass(frozen=True)
class Polygons:
    """N outlines of the same structure. points: (N, V, 2) px. loops: offsets of the loops within V, from 0 to V."""

    points: torch.Tensor
    loops: tuple[int, ...]


def strokes(points: torch.Tensor, width: torch.Tensor | float, closed: bool = False, cap: str = "round",
            join: str = "round", structure: Structure | None = None) -> Polygons:
    """Outlines of N curves drawn with a pen of some width; differentiable in points and width.

    Good enough for line drawings: within a few thousandths of 8 x 8 samples a pixel in root mean square, with
    derivatives whose cosine to those of the exact area is above 0.999 (docs/engine.md). One call for many strokes is
    far quicker than many calls.

    Args:
        points: (N, 3 S + 1, 2) px, or (N, 3 S, 2) where closed, cubic control points: anchor, handle, handle, anchor...
        width: px across the stroke: one number, (N,), or (N, K) one for each control point, interpolated by the same
            Bernstein weights. 0 paints nothing and has the derivative of a stroke that begins to be seen; what is below
            0 is 0 and has none.
        cap: round, butt or square, at both ends of an open curve.
        join: round, miter (to 4 times the width, then bevel) or bevel, where segments meet at an angle.
        structure: as :func:`structures` gives it; None: the finest that any of these strokes needs.

    Raises:
        EngineError: a name is unknown or a shape does not fit.
    """
    points, width = checked(points, width, closed, cap, join)
    if structure is None:
        structure = finest(structures(points, width, closed, cap, join))
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
               join: str = "round", tolerance: float = TOLERANCE, least: int = LEAST_CHORDS) -> list[Structure]:
    """The structure that each of N strokes needs for its border to stray no more than ``tolerance`` px.

    least: chords per segment; 1 does where handles only follow the anchors, as those of lines.
    """
    with torch.no_grad():
        points, width = checked(points.detach(), width, closed, cap, join)
        control, radius = geometry.segments(points, width / 2, closed)
        need = geometry.needs(control, radius, closed, tolerance)
    result = []
    for chords, turn, arc, folds in zip(*(v.tolist() for v in need), strict=True):
        corner = 1 if join != "round" else _number(turn / arc)
        end = {"round": _number(3.1416 / arc), "butt": 0, "square": 2}[cap] if not closed else 0
        result.append(Structure(_number(max(chords, least)), corner, end, bool(folds)))
    return result


def finest(needed: list[Structure]) -> Structure:
    """One structure that does for all."""
    if not needed:
        return Structure(1, 1, 0, False)
    return Structure(max(s.chords for s in needed), max(s.join for s in needed), max(s.cap for s in needed),
                     any(s.folds for s in needed))


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
    wide = torch.as_tensor(width, dtype=points.dtype, device=points.device)
    if wide.dim() == 0:
        wide = wide.expand(len(points))
    if wide.shape not in ((len(points),), (len(points), 1), (len(points), count)):
        raise EngineError(f"A stroke's width expects one number, ({len(points)},) or ({len(points)}, {count}), got "
                          f"{tuple(wide.shape)}.")
    wide = wide.reshape(len(points), -1)
    # A line without width has no outside to move: the least width that has one stands for 0.
    least = geometry.LEAST_WIDTH
    return points, torch.where(wide < 0, torch.zeros_like(wide), wide + (least - wide.detach()).clamp_min(0))


def _number(least: float) -> int:
    return next((n for n in _NUMBERS if n >= least), _NUMBERS[-1])
