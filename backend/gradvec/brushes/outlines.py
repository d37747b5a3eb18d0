"""The brushes: differentiable maps from stroke parameters to closed cubic outlines.

What the 8 columns of ``Strokes.shape`` mean, in px and radians (x right, y down, so positive angles turn clockwise
on a screen):

| brush | columns | outline |
|---|---|---|
| oil | cx cy length width angle shear - - | a rough-ended template, sheared along its length, scaled, turned |
| tape | cx cy length width angle shear - - | a rectangle (shear 0) or parallelogram |
| dry | cx cy length width angle shear - - | as oil while it is painted, then a dab that is torn into streaks |
| watercolor | x0 y0 x1 y1 x2 y2 r0 r1 | a sweep along a quadratic Bezier, radius r0 at its start to r1 at its end |
| marker | x0 y0 x1 y1 x2 y2 r - | the same with one radius |

The brushes are those of Stylized Neural Painting (Zou et al. 2021, section 3); the outlines are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..model import Fill, LinearGradient, Outline, Painting, Shape, SolidColor, Stamp, Stop, Strokes
from . import dabs, templates
from .loop_fit import with_segments

NAMES = ("oil", "watercolor", "marker", "tape", "dry")
OIL, WATERCOLOR, MARKER, TAPE, DRY = range(5)
#: Brushes whose outline is a template under an affine map; the others are swept.
STAMPED = (OIL, TAPE, DRY)
#: From which share of the picture's longest side on a dry stroke is wide: its streaks are as fine as others' are.
WIDE = 0.035
#: Distance from an anchor to its handle for a quarter and for half a unit circle.
QUARTER, HALF = 0.5522847498, 4 / 3
#: Strokes whose axes are tidied at once, so that memory stays small.
_AT_ONCE = 1024
#: Keeps lengths of vectors differentiable where they vanish, px^2.
TINY = 1e-8


def is_stamped(brush: np.ndarray) -> np.ndarray:
    """(N,) bool: which strokes of these brushes (N,) are a template under an affine map."""
    return np.isin(brush, STAMPED)


def segments(brush: int, cubics: int = 8) -> int:
    """How many cubics an outline of this brush has when a path may have at most ``cubics`` (at least 4)."""
    if brush == TAPE:
        return 4
    if brush in (OIL, DRY):
        return min(max(cubics, 4), templates.SEGMENTS_MAX)
    side, cap = _sweep_segments(cubics)
    return 2 * (side + cap)


def _sweep_segments(cubics: int) -> tuple[int, int]:
    """Cubics of each long side and of each round end of a swept stroke."""
    return (2 if cubics >= 6 else 1), (2 if cubics >= 8 else 1)


def template_count(brush: int) -> int:
    return {OIL: len(templates.OIL), DRY: dabs.DRY}.get(brush, 1)


def template_points(brush: int, cubics: int = 8, stamps: Sequence[Stamp] = ()) -> torch.Tensor:
    """(templates, 3 * segments, 2) control points in the stroke's frame, x and y in [-0.5, 0.5].

    ``stamps`` come after the built-in oil templates and have the same number of segments.
    """
    if brush == TAPE:
        return torch.from_numpy(_straight(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])))[None].float()
    count = segments(OIL, cubics)
    if brush == DRY:
        return torch.from_numpy(np.array([templates.oil_outline(0, count)] * dabs.DRY)).float()
    outlines = [templates.oil_outline(i, count) for i in range(len(templates.OIL))]
    outlines += [with_segments(stamp, count) for stamp in stamps]
    return torch.from_numpy(np.array(outlines)).float()


def _straight(corners: np.ndarray) -> np.ndarray:
    """A polygon's corners (n, 2) as (3 n, 2) control points."""
    step = np.roll(corners, -1, 0) - corners
    return np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)


def stamped_points(shape: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """Control points (n, K, 2) px of n strokes (n, 8) with their templates (n, K, 2)."""
    x = (template[..., 0] + shape[:, 5:6] * template[..., 1]) * shape[:, 2:3]
    y = template[..., 1] * shape[:, 3:4]
    cos, sin = torch.cos(shape[:, 4:5]), torch.sin(shape[:, 4:5])
    return torch.stack([shape[:, 0:1] + cos * x - sin * y, shape[:, 1:2] + sin * x + cos * y], -1)


def swept_points(shape: torch.Tensor, cubics: int = 8, one_radius: bool = False) -> torch.Tensor:
    """Control points (n, K, 2) px of n sweeps (n, 8) along quadratic Beziers.

    Sides are Hermite cubics of the true offset curve c(t) +- r(t) n(t), exact in position and derivative where
    cubics meet; ends are half circles. The error grows with the curve's bend times radius: below 0.1 px for a
    40 px stroke that turns by a quarter circle.
    """
    side, cap = _sweep_segments(cubics)
    r0 = shape[:, 6:7]
    r1 = r0 if one_radius else shape[:, 7:8]
    t = torch.linspace(0, 1, side + 1, dtype=shape.dtype, device=shape.device)[None, :, None]
    p0, p1, p2 = shape[:, None, 0:2], shape[:, None, 2:4], shape[:, None, 4:6]
    center = (1 - t) ** 2 * p0 + 2 * t * (1 - t) * p1 + t**2 * p2
    speed = 2 * (1 - t) * (p1 - p0) + 2 * t * (p2 - p1)
    bend = 2 * (p0 - 2 * p1 + p2)
    length2 = (speed**2).sum(-1, keepdim=True) + TINY
    tangent = speed * length2.rsqrt()
    normal = torch.stack([-tangent[..., 1], tangent[..., 0]], -1)
    turning = (speed[..., :1] * bend[..., 1:] - speed[..., 1:] * bend[..., :1]) / length2
    radius = r0[:, None] + t * (r1 - r0)[:, None]
    growth = (r1 - r0)[:, None] * normal
    step = 1 / (3 * side)
    loops = []
    for sign in (-1, 1):
        on = center + sign * radius * normal
        # A curve bent more tightly than its radius would run backwards on the inside; there it halts instead.
        along = (length2.sqrt() - sign * radius * turning).clamp(min=0) * tangent + sign * growth
        loops.append((on, along * step))
    (upper, upper_step), (lower, lower_step) = loops
    points = [*_hermite(upper, upper_step), *_cap(center[:, -1], normal[:, -1], tangent[:, -1], r1, cap),
              *_hermite(lower.flip(1), -lower_step.flip(1)),
              *_cap(center[:, 0], -normal[:, 0], -tangent[:, 0], r0, cap)]
    return torch.stack(points, 1)


def _hermite(on: torch.Tensor, handle: torch.Tensor) -> list[torch.Tensor]:
    """Control points, the last anchor left out, of cubics through ``on`` (n, k, 2) with ``handle`` offsets."""
    points = []
    for i in range(on.shape[1] - 1):
        points += [on[:, i], on[:, i] + handle[:, i], on[:, i + 1] - handle[:, i + 1]]
    return points


def _cap(center: torch.Tensor, normal: torch.Tensor, tangent: torch.Tensor, radius: torch.Tensor,
         count: int) -> list[torch.Tensor]:
    """Half a circle from center - radius * normal over its tip to center + radius * normal, the end left out."""
    n, t = radius * normal, radius * tangent
    if count == 1:
        return [center - n, center - n + HALF * t, center + n + HALF * t]
    return [center - n, center - n + QUARTER * t, center + t - QUARTER * n,
            center + t, center + t + QUARTER * n, center + n + QUARTER * t]


def points(brush: int, shape: torch.Tensor, template: torch.Tensor | None = None, cubics: int = 8) -> torch.Tensor:
    """Control points (n, 3 * segments, 2) px of n strokes of one brush.

    shape: (n, 8). template: (n, 3 * segments, 2) from :func:`template_points`, for stamped brushes.
    """
    if brush in STAMPED:
        assert template is not None
        return stamped_points(shape, template)
    return swept_points(shape, cubics, one_radius=brush == MARKER)


def frame(brush: int, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre (n, 2) px and unit direction (n, 2) of strokes: what their gradient moves and turns with."""
    if brush in STAMPED:
        return shape[:, :2], torch.stack([torch.cos(shape[:, 4]), torch.sin(shape[:, 4])], -1)
    center = 0.25 * shape[:, 0:2] + 0.5 * shape[:, 2:4] + 0.25 * shape[:, 4:6]
    chord = shape[:, 4:6] - shape[:, 0:2]
    return center, chord * ((chord**2).sum(-1, keepdim=True) + TINY).rsqrt()


def from_frame(local: torch.Tensor, center: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """(n, 2) px from coordinates (n, 2) px along and across the stroke."""
    across = torch.stack([-direction[:, 1], direction[:, 0]], -1)
    return center + local[:, :1] * direction + local[:, 1:] * across


@dataclass(frozen=True)
class Groups:
    """N strokes sorted by brush for batched maps, and the way back to paint order.

    rows: per brush present, (brush, (n,) int64 index into the strokes). counts: (N,) control points of each stroke.
    """

    rows: tuple[tuple[int, torch.Tensor], ...]
    counts: np.ndarray
    _gather: torch.Tensor

    @classmethod
    def of(cls, brush: np.ndarray, cubics: int) -> Groups:
        rows = [(b, np.nonzero(brush == b)[0]) for b in range(len(NAMES)) if (brush == b).any()]
        per_brush = np.array([3 * segments(b, cubics) for b in range(len(NAMES))])
        counts = per_brush[np.asarray(brush, np.int64)]
        start = np.concatenate([[0], np.cumsum(counts)])
        order = [start[i] + np.arange(counts[i]) for _, index in rows for i in index]
        where = np.concatenate(order) if order else np.zeros(0, np.int64)
        gather = np.empty_like(where)
        gather[where] = np.arange(len(where))
        return cls(tuple((b, torch.from_numpy(index)) for b, index in rows), counts, torch.from_numpy(gather))

    def to(self, device: torch.device) -> Groups:
        """The same with its indices on a device."""
        return Groups(tuple((brush, index.to(device)) for brush, index in self.rows), self.counts,
                      self._gather.to(device))

    def flat(self, per_brush: list[torch.Tensor]) -> torch.Tensor:
        """(K, 2) control points in paint order from (n, k, 2) of each brush in the order of ``rows``."""
        if len(per_brush) == 1:
            return per_brush[0].reshape(-1, 2)
        return torch.cat([p.reshape(-1, 2) for p in per_brush])[self._gather]


def outlines(strokes: Strokes, cubics: int = 8, stamps: Sequence[Stamp] = ()) -> list[Outline]:
    """The outline of every stroke, float64, in paint order."""
    groups = Groups.of(strokes.brush, cubics)
    shape = torch.from_numpy(np.asarray(strokes.shape, np.float64))
    kinds = torch.from_numpy(np.asarray(strokes.template, np.int64))
    result: list[Outline] = [Outline(())] * len(strokes)
    for brush, index in groups.rows:
        template = template_points(brush, cubics, stamps).double()[kinds[index]] if brush in STAMPED else None
        loops = points(brush, shape[index], template, cubics).numpy()
        for i, loop in zip(index.tolist(), loops, strict=True):
            result[i] = Outline((loop,))
    return result


def shapes(painting: Painting, fine: bool = False) -> list[Shape]:
    """Every stroke as its brush outline and its own two-stop gradient, or one colour where both ends are the same.

    fine: with the bristle ends of oil and the streaks of a dry brush, which take more segments than painting does.
    """
    strokes = painting.strokes
    own = outlines(strokes, painting.cubics, painting.stamps)
    if fine:
        side = max(painting.width, painting.height)
        own = [_fine(strokes, i, side) or outline for i, outline in enumerate(own)]
    return [Shape(outline, _fill(strokes, i), float(strokes.opacity[i]), int(strokes.level[i]), f"stroke-{i + 1}",
                  brush=NAMES[strokes.brush[i]]) for i, outline in enumerate(own)]


def _fine(strokes: Strokes, i: int, side: float) -> Outline | None:
    """A stroke as its brush really leaves it on a picture whose longest side is ``side`` px; None where its painted
    outline is that already."""
    brush, template = int(strokes.brush[i]), int(strokes.template[i])
    if brush == OIL and template < len(templates.OIL):
        loops = dabs.loaded(template)
    elif brush == DRY:
        loops = dabs.broken(template, bool(strokes.shape[i, 3] > WIDE * side))
    else:
        return None
    shape = torch.from_numpy(np.asarray(strokes.shape[i:i + 1], np.float64))
    return Outline(tuple(stamped_points(shape, torch.from_numpy(loop)[None])[0].numpy() for loop in loops))


def _fill(strokes: Strokes, i: int) -> Fill:
    start, end = strokes.color0[i].tolist(), strokes.color1[i].tolist()
    if start == end:
        return SolidColor((start[0], start[1], start[2]))
    x1, y1, x2, y2 = strokes.axis[i].tolist()
    return LinearGradient(x1, y1, x2, y2, (Stop(0.0, (start[0], start[1], start[2])),
                                           Stop(1.0, (end[0], end[1], end[2]))))


def tidy_axes(painting: Painting, draw_in: bool = True) -> Strokes:
    """The same strokes with each axis on its stroke's centre line and no longer than the stroke.

    Moving an axis sideways changes nothing; where it reaches beyond the stroke its ends are drawn in and take the
    colours that they have there. So the picture stays as it was and an artist finds the handles inside the stroke.
    draw_in: whether ends may move along the axis and colours change.
    """
    strokes = painting.strokes
    axis, first, last = strokes.axis.copy(), strokes.color0.copy(), strokes.color1.copy()
    loops = [outline.loops[0] for outline in outlines(strokes, painting.cubics, painting.stamps)]
    start = axis[:, :2].astype(np.float64)
    span = axis[:, 2:] - start
    length2 = (span**2).sum(1)
    for size in {len(loop) for loop in loops}:  # all strokes of as many points at once
        rows = np.array([i for i, loop in enumerate(loops) if len(loop) == size and length2[i] >= 1e-12], np.int64)
        for some in (rows[n:n + _AT_ONCE] for n in range(0, len(rows), _AT_ONCE)):
            dense = templates.flatten(np.stack([loops[i] for i in some]), 8) - start[some, None]
            u = (dense * span[some, None]).sum(2) / length2[some, None]
            low, high = _drawn_in(u) if draw_in else (np.zeros(len(some)), np.ones(len(some)))
            sideways = dense.mean(1)
            sideways -= ((sideways * span[some]).sum(1) / length2[some])[:, None] * span[some]
            c0, change = first[some], last[some] - first[some]
            first[some], last[some] = (c0 + at.astype(np.float32)[:, None] * change for at in (low, high))
            ends = [start[some] + at[:, None] * span[some] + sideways for at in (low, high)]
            axis[some] = np.concatenate(ends, 1)
    return replace(strokes, axis=axis, color0=first, color1=last)


def _drawn_in(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From where to where (n,) gradients run in outlines whose points lie at ``u`` (n, k) along them; one colour where
    all of an outline lies beyond an end."""
    least, most = u.min(1), u.max(1)
    low, high = np.maximum(0.0, least), np.minimum(1.0, most)
    empty, beyond = high <= low, least > 1
    within = (least >= 0) & ~beyond
    low = np.where(empty, np.where(within | ~beyond, 0.0, 1.0), low)
    high = np.where(empty, np.where(within | beyond, 1.0, 0.0), high)
    return low, high
