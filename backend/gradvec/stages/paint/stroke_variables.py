"""The numbers that an optimizer moves, and the one place where they become a scene.

Values are physical (px, radians, colours) and are brought back into their range after every step. Steps are in px:
an angle's step is divided by half the stroke's length, so that its tip moves by as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from ...brushes import outlines as brushes
from ...model import Color, Painting, Stamp, Strokes
from ...render.scene import LINEAR, Scene, Topology
from .keeping import Keeping
from .palette import snapped

#: Shortest gradient, px, and how far shear may go (tangent of its angle).
AXIS_MIN = 1.0
SHEAR_MAX = 0.7
#: Shortest middle line of a sweep, px.
CHORD_MIN = 0.5
#: What is fainter than this is no stroke.
OPACITY_MIN = 0.2
#: A sweep bends at most so much that its inside stays wider than this share of its outside.
BEND_MAX = 0.18
#: Line pieces per cubic segment while strokes are placed: 6 came no closer to 8 photographs (0.06 dB below 4).
PIECES = 4


@dataclass(frozen=True)
class Limits:
    """Ranges of strokes, px: ``narrowest`` width, ``longest`` length; extent of the picture they belong to.

    one_color: both ends of a stroke have one colour. palette: (k, 3) the only colours there are, or None.
    keeping: the rules of the brushes, or None where they bind nothing.
    """

    narrowest: float
    longest: float
    width: int
    height: int
    one_color: bool = False
    palette: torch.Tensor | None = None
    keeping: Keeping | None = None


@dataclass
class StrokeVariables:
    """N strokes in paint order. shape (N, 8), axis (N, 4) px along and across the stroke from its centre,
    color (N, 6), opacity (N,): float32 tensors. brush, template, level: (N,) int arrays."""

    shape: torch.Tensor
    axis: torch.Tensor
    color: torch.Tensor
    opacity: torch.Tensor
    brush: np.ndarray
    template: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.brush)

    @classmethod
    def empty(cls) -> StrokeVariables:
        none = np.zeros(0, np.int64)
        return cls(torch.zeros(0, 8), torch.zeros(0, 4), torch.zeros(0, 6), torch.zeros(0), none, none, none)

    def take(self, index: np.ndarray) -> StrokeVariables:
        """The strokes that a boolean mask or an index array names, in that order; values are copied."""
        if index.dtype == bool:
            index = np.nonzero(index)[0]
        rows = torch.from_numpy(np.asarray(index, np.int64))
        return self._of([t.detach()[rows].clone() for t in self.tensors()], [a[index] for a in self._arrays()])

    def join(self, other: StrokeVariables) -> StrokeVariables:
        """These strokes with others painted over them."""
        tensors = [torch.cat([a.detach(), b.detach()]) for a, b in zip(self.tensors(), other.tensors(), strict=True)]
        arrays = [np.concatenate(pair) for pair in zip(self._arrays(), other._arrays(), strict=True)]
        return self._of(tensors, arrays)

    def widened(self, count: int) -> StrokeVariables:
        """``count`` strokes, copied: these, at least one, then the first one again and again."""
        again = count - len(self)
        tensors = [torch.cat([t.detach(), t.detach()[:1].expand(again, *t.shape[1:])]) for t in self.tensors()]
        return self._of(tensors, [np.concatenate([a, np.repeat(a[:1], again)]) for a in self._arrays()])

    def first(self, count: int) -> StrokeVariables:
        """The first ``count`` strokes, which share their values with these."""
        return self._of([t.detach()[:count] for t in self.tensors()], [a[:count] for a in self._arrays()])

    def tensors(self) -> list[torch.Tensor]:
        return [self.shape, self.axis, self.color, self.opacity]

    def copied_to(self, device: str) -> StrokeVariables:
        """The same strokes, values copied, on another device (or this one)."""
        return self._of([t.detach().to(device, copy=True) for t in self.tensors()], self._arrays())

    @classmethod
    def _of(cls, tensors: list[torch.Tensor], arrays: list[np.ndarray]) -> StrokeVariables:
        shape, axis, color, opacity = tensors
        brush, template, level = arrays
        return cls(shape, axis, color, opacity, brush, template, level)

    def _arrays(self) -> list[np.ndarray]:
        return [self.brush, self.template, self.level]

    def lengths(self) -> torch.Tensor:
        """(N,) px from end to end of every stroke."""
        s = self.shape.detach()
        last = torch.where(self.one_radius, s[:, 6], s[:, 7])
        swept = (s[:, 4:6] - s[:, 0:2]).norm(dim=1) + s[:, 6] + last
        return torch.where(self.stamped, s[:, 2], swept)

    def step_sizes(self) -> torch.Tensor:
        """(N, 8) how far each number of ``shape`` moves when its stroke's outline is to move by one px."""
        sizes = torch.ones(len(self), 8, device=self.shape.device)
        length = self.lengths().clamp(min=4.0)[:, None]
        sizes[:, 4:6] = torch.where(self.stamped[:, None], torch.cat([2 / length, 1.5 / length], 1), sizes[:, 4:6])
        sizes[:, 6:8] = 0.5
        return sizes

    @cached_property
    def stamped(self) -> torch.Tensor:
        """(N,) bool: whose outline is a template under an affine map."""
        return torch.from_numpy(brushes.is_stamped(self.brush)).to(self.shape.device)

    @cached_property
    def one_radius(self) -> torch.Tensor:
        """(N,) bool: which sweeps are as wide at their end as at their start."""
        return torch.from_numpy(self.brush == brushes.MARKER).to(self.shape.device)

    def project(self, limits: Limits) -> None:
        """Brings all numbers back into their ranges, in place."""
        Projection(limits, self).apply(self)


class Projection:
    """Brings strokes back into their ranges; made once for strokes whose brushes and number stay the same.

    any_brush: others may take their places, see :meth:`put`.
    """

    def __init__(self, limits: Limits, variables: StrokeVariables, any_brush: bool = False) -> None:
        self._limits = limits
        self._all_stamped = not any_brush and bool(brushes.is_stamped(variables.brush).all())
        device, inf = variables.shape.device, math.inf
        self._held = None if limits.keeping is None else limits.keeping.of_strokes(variables.brush, device)
        self._low = torch.tensor([-0.2 * limits.width, -0.2 * limits.height, limits.narrowest, limits.narrowest, -inf,
                                  -SHEAR_MAX, -inf, -inf]).to(device)
        self._high = torch.tensor([1.2 * limits.width, 1.2 * limits.height, limits.longest, limits.longest, inf,
                                   SHEAR_MAX, inf, inf]).to(device)
        extent = torch.tensor([limits.width, limits.height] * 3, dtype=torch.float32).to(device)
        self._places_low, self._places_high = -0.2 * extent, 1.2 * extent
        self._east = torch.tensor([1.0, 0.0]).to(device)

    def put(self, variables: StrokeVariables) -> None:
        """For as many strokes, which may be of other brushes, from now on; the tensors stay."""
        if self._held is not None and self._limits.keeping is not None:
            self._held.put(self._limits.keeping.of_strokes(variables.brush, self._east.device))

    @torch.no_grad()
    def apply(self, variables: StrokeVariables) -> None:
        """In place."""
        own = variables
        own.color.clamp_(0, 1)
        if self._limits.one_color:
            own.color.copy_(((own.color[:, :3] + own.color[:, 3:]) / 2).repeat(1, 2))
        own.opacity.clamp_(OPACITY_MIN, 1)
        stamped = self._stamped(own.shape)
        own.shape.copy_(stamped if self._all_stamped else torch.where(
            own.stamped[:, None], stamped, self._swept(own.shape, own.one_radius[:, None])))
        if self._held is not None:
            self._held.hold(own.shape, own.axis, own.color, own.opacity)
        self._stretch(own.axis)

    def _stretch(self, axis: torch.Tensor) -> None:
        """Stretches axes that are all but a point."""
        span = axis[:, 2:] - axis[:, :2]
        length = span.norm(dim=1, keepdim=True)
        if axis.device.type == "cpu" and bool((length >= AXIS_MIN).all()):
            return  # as a rule; a card would rather do the work than be asked
        middle = (axis[:, 2:] + axis[:, :2]) / 2
        unit = torch.where(length > 1e-6, span / length.clamp(min=1e-6), self._east)
        half = unit * (AXIS_MIN / 2)
        axis.copy_(torch.where(length < AXIS_MIN, torch.cat([middle - half, middle + half], 1), axis))

    def _stamped(self, shape: torch.Tensor) -> torch.Tensor:
        return torch.minimum(torch.maximum(shape, self._low), self._high)

    def _swept(self, shape: torch.Tensor, one_radius: torch.Tensor) -> torch.Tensor:
        narrowest, longest = self._limits.narrowest, self._limits.longest
        places = torch.minimum(torch.maximum(shape[:, :6], self._places_low), self._places_high)
        radii = shape[:, 6:].clamp(narrowest / 2, max(longest / 3, narrowest / 2))
        radii = torch.where(one_radius, radii[:, :1], radii)
        p0, p1, p2 = places[:, 0:2], places[:, 2:4], places[:, 4:6]
        middle, chord = (p0 + p2) / 2, p2 - p0
        length = chord.norm(dim=1, keepdim=True)
        unit = torch.where(length > 1e-3, chord / length.clamp(min=1e-3), self._east)
        ends = radii.sum(1, keepdim=True)
        wanted = torch.minimum(length, longest - ends).clamp(min=CHORD_MIN)
        off = p1 - middle
        most = torch.minimum(0.45 * wanted, BEND_MAX * wanted**2 / radii.max(1, keepdim=True).values)
        off = off * (most / off.norm(dim=1, keepdim=True).clamp(min=1e-6)).clamp(max=1)
        return torch.cat([middle - unit * wanted / 2, middle + off, middle + unit * wanted / 2, radii], 1)


class Sheet:
    """What of a scene of N strokes stays the same: one loop and a gradient from colour to colour each.

    counts: (N,) control points of each. size: (width, height) px of the scene. background: straight RGBA. scale: px of
    the scene per px of the variables. palette: colours that the variables' own are snapped to.
    """

    def __init__(self, counts: np.ndarray, size: tuple[int, int], background: tuple[float, float, float, float],
                 scale: float, palette: torch.Tensor | None, device: torch.device) -> None:
        n = len(counts)
        per_stroke = np.arange(n + 1, dtype=np.int64)
        self.topology = Topology(
            loop_points=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            outline_loops=per_stroke, stop_index=2 * per_stroke, kind=np.full(n, LINEAR, np.uint8),
            canvas=np.zeros(n, np.int64), sizes=np.array([size], np.int64), pieces=PIECES)
        self._scale, self._palette = scale, None if palette is None else palette.to(device)
        self._offsets = torch.tensor([0.0, 1.0]).repeat(n).to(device)
        self._background = torch.tensor([background], dtype=torch.float32).to(device)

    def scene(self, v: StrokeVariables, points: torch.Tensor, lines: torch.Tensor) -> Scene:
        """points: (K, 2) outlines, and lines (N, 4) both ends of the gradients, in the variables' px."""
        n = len(v)
        color = v.color.reshape(2 * n, 3)
        if self._palette is not None:
            color = snapped(color, self._palette)
        colors = torch.cat([color, color.new_ones(2 * n, 1)], 1)
        return Scene(self.topology, points * self._scale, lines * self._scale, self._offsets, colors,
                     v.opacity, self._background)


class SceneMaker:
    """From variables to a scene, for strokes whose brushes and number stay the same. size, background, scale, palette:
    as in :class:`Sheet`."""

    def __init__(self, variables: StrokeVariables, size: tuple[int, int], background: tuple[float, float, float, float],
                 cubics: int = 8, stamps: Sequence[Stamp] = (), scale: float = 1.0,
                 palette: torch.Tensor | None = None) -> None:
        device = variables.shape.device
        groups = brushes.Groups.of(variables.brush, cubics)
        self._cubics = cubics
        kinds = torch.from_numpy(np.asarray(variables.template, np.int64))
        self._templates = [brushes.template_points(b, cubics, stamps)[kinds[i]].to(device) if b in brushes.STAMPED
                           else None for b, i in groups.rows]
        self._groups = groups.to(device)
        self._order = torch.argsort(torch.cat([index for _, index in self._groups.rows])) if groups.rows else None
        self._sheet = Sheet(groups.counts, size, background, scale, palette, device)

    def scene(self, v: StrokeVariables) -> Scene:
        """The scene of these values, differentiable in them."""
        loops, geometry = [], []
        for (brush, index), template in zip(self._groups.rows, self._templates, strict=True):
            alone = len(self._groups.rows) == 1
            shape, axis = (v.shape, v.axis) if alone else (v.shape[index], v.axis[index])
            loops.append(brushes.points(brush, shape, template, self._cubics))
            geometry.append(gradient_ends(axis, *brushes.frame(brush, shape)))
        if len(geometry) > 1:
            lines = torch.cat(geometry)[self._order]
        else:
            lines = geometry[0] if geometry else v.axis.new_zeros(0, 4)
        return self._sheet.scene(v, self._groups.flat(loops) if loops else v.shape.new_zeros(0, 2), lines)


def gradient_ends(axis: torch.Tensor, center: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """(N, 4) px of both ends of gradients from their places along and across strokes (brushes.frame)."""
    return torch.cat([brushes.from_frame(axis[:, :2], center, direction),
                      brushes.from_frame(axis[:, 2:], center, direction)], 1)


def to_painting(v: StrokeVariables, limits: Limits, background: Color | None, cubics: int,
                stamps: Sequence[Stamp] = ()) -> Painting:
    """The variables as the model's type; gradient ends are drawn inside their strokes unless a palette fixes them."""
    axis = np.zeros((len(v), 4), np.float32)
    color = v.color.detach().reshape(-1, 2, 3)
    if limits.palette is not None:
        color = snapped(color, limits.palette)
    for brush, rows in brushes.Groups.of(v.brush, cubics).rows:
        frame = brushes.frame(brush, v.shape.detach()[rows])
        axis[rows.numpy()] = gradient_ends(v.axis.detach()[rows], *frame).numpy()
    strokes = Strokes(v.brush.astype(np.int8), v.template.astype(np.int16), v.shape.detach().numpy().copy(), axis,
                      color[:, 0].numpy().copy(), color[:, 1].numpy().copy(), v.opacity.detach().numpy().copy(),
                      v.level.astype(np.int16))
    painting = Painting(strokes, limits.width, limits.height, background, cubics, tuple(stamps))
    return replace(painting, strokes=brushes.tidy_axes(painting, draw_in=limits.palette is None))
