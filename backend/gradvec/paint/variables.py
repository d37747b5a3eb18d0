"""The numbers that an optimizer moves, and the one place where they become a scene.

Values are physical (px, radians, colours) and are brought back into their range after every step. Steps are in px:
an angle's step is divided by half the stroke's length, so that its tip moves by as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..model import Color, Painting, Stamp, Strokes
from ..render.scene import LINEAR, Scene, Topology
from . import brushes
from .palette import snapped

#: Shortest gradient, px, and how far shear may go (tangent of its angle).
AXIS_MIN = 1.0
SHEAR_MAX = 0.7
#: What is fainter than this is no stroke.
OPACITY_MIN = 0.2
#: A sweep bends at most so much that its inside stays wider than this share of its outside.
BEND_MAX = 0.18


@dataclass(frozen=True)
class Limits:
    """Ranges of strokes, px: ``narrowest`` width, ``longest`` length; extent of the picture they belong to.

    one_color: both ends of a stroke have one colour. palette: (k, 3) the only colours there are, or None.
    """

    narrowest: float
    longest: float
    width: int
    height: int
    one_color: bool = False
    palette: torch.Tensor | None = None


@dataclass
class Variables:
    """N strokes in paint order. shape (N, 8), axis (N, 4) px along and across the stroke from its centre,
    color (N, 6), opacity (N,): float32 tensors. brush, template, level: (N,) int arrays."""

    shape: torch.Tensor
    axis: torch.Tensor
    color: torch.Tensor
    opacity: torch.Tensor
    brush: np.ndarray
    template: np.ndarray
    level: np.ndarray

    TENSORS = ("shape", "axis", "color", "opacity")
    ARRAYS = ("brush", "template", "level")

    def __len__(self) -> int:
        return len(self.brush)

    @classmethod
    def empty(cls) -> Variables:
        none = np.zeros(0, np.int64)
        return cls(torch.zeros(0, 8), torch.zeros(0, 4), torch.zeros(0, 6), torch.zeros(0), none, none, none)

    def take(self, index: np.ndarray) -> Variables:
        """The strokes that a boolean mask or an index array names, in that order; values are copied."""
        if index.dtype == bool:
            index = np.nonzero(index)[0]
        rows = torch.from_numpy(np.asarray(index, np.int64))
        return Variables(**{n: getattr(self, n).detach()[rows].clone() for n in self.TENSORS},
                         **{n: getattr(self, n)[index] for n in self.ARRAYS})

    def join(self, other: Variables) -> Variables:
        """These strokes with others painted over them."""
        return Variables(**{n: torch.cat([getattr(self, n).detach(), getattr(other, n).detach()]) for n in self.TENSORS},
                         **{n: np.concatenate([getattr(self, n), getattr(other, n)]) for n in self.ARRAYS})

    def tensors(self) -> list[torch.Tensor]:
        return [getattr(self, n) for n in self.TENSORS]

    def clone(self) -> Variables:
        return self.take(np.arange(len(self)))

    def scaled(self, factor: float) -> Variables:
        """The same strokes on a picture ``factor`` times as large."""
        result = self.clone()
        stamped = torch.from_numpy(np.isin(self.brush, brushes.STAMPED))
        result.shape[stamped, :4] *= factor
        result.shape[~stamped] *= factor
        result.axis *= factor
        return result

    def extents(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Length and width (N,) px of every stroke."""
        s = self.shape.detach()
        stamped = torch.from_numpy(np.isin(self.brush, brushes.STAMPED))
        one = torch.from_numpy(self.brush == brushes.MARKER)
        r1 = torch.where(one, s[:, 6], s[:, 7])
        chord = (s[:, 4:6] - s[:, 0:2]).norm(dim=1)
        return (torch.where(stamped, s[:, 2].abs(), chord + s[:, 6] + r1),
                torch.where(stamped, s[:, 3].abs(), s[:, 6] + r1))

    def step_sizes(self) -> list[torch.Tensor]:
        """How far each number moves when its stroke's outline or colour is to move by one unit; as ``tensors()``."""
        length, width = self.extents()
        shape = torch.ones_like(self.shape)
        stamped = torch.from_numpy(np.isin(self.brush, brushes.STAMPED))
        turn = 2 / length.clamp(min=4.0)
        shear = 1.5 / length.clamp(min=4.0)
        shape[stamped, 4] = turn[stamped]
        shape[stamped, 5] = shear[stamped]
        shape[~stamped, 6:] = 0.5
        return [shape, torch.ones_like(self.axis), torch.ones_like(self.color), torch.ones_like(self.opacity)]

    def project(self, limits: Limits) -> None:
        """Brings all numbers back into their ranges, in place."""
        with torch.no_grad():
            self.color.clamp_(0, 1)
            if limits.one_color:
                self.color.copy_(((self.color[:, :3] + self.color[:, 3:]) / 2).repeat(1, 2))
            self.opacity.clamp_(OPACITY_MIN, 1)
            stamped = torch.from_numpy(np.isin(self.brush, brushes.STAMPED))
            if bool(stamped.any()):
                self.shape[stamped] = _project_stamped(self.shape[stamped], limits)
            if not bool(stamped.all()):
                self.shape[~stamped] = _project_swept(self.shape[~stamped], limits)
            span = self.axis[:, 2:] - self.axis[:, :2]
            length = span.norm(dim=1, keepdim=True)
            middle = (self.axis[:, 2:] + self.axis[:, :2]) / 2
            unit = torch.where(length > 1e-6, span / length.clamp(min=1e-6), torch.tensor([1.0, 0.0]))
            half = unit * (length.clamp(min=AXIS_MIN) / 2)
            self.axis.copy_(torch.where(length < AXIS_MIN, torch.cat([middle - half, middle + half], 1), self.axis))


def _project_stamped(shape: torch.Tensor, limits: Limits) -> torch.Tensor:
    shape = shape.clone()
    shape[:, 0].clamp_(-0.2 * limits.width, 1.2 * limits.width)
    shape[:, 1].clamp_(-0.2 * limits.height, 1.2 * limits.height)
    shape[:, 2:4] = shape[:, 2:4].clamp(limits.narrowest, limits.longest)
    shape[:, 5].clamp_(-SHEAR_MAX, SHEAR_MAX)
    return shape


def _project_swept(shape: torch.Tensor, limits: Limits) -> torch.Tensor:
    shape = shape.clone()
    for column in range(6):
        extent = (limits.width, limits.height)[column % 2]
        shape[:, column].clamp_(-0.2 * extent, 1.2 * extent)
    shape[:, 6:] = shape[:, 6:].clamp(limits.narrowest / 2, limits.longest / 4)
    p0, p1, p2 = shape[:, 0:2], shape[:, 2:4], shape[:, 4:6]
    middle, chord = (p0 + p2) / 2, p2 - p0
    length = chord.norm(dim=1, keepdim=True)
    unit = torch.where(length > 1e-3, chord / length.clamp(min=1e-3), torch.tensor([1.0, 0.0]))
    wanted = length.clamp(1.0, limits.longest)
    off = p1 - middle
    radius = shape[:, 6:].max(1, keepdim=True).values
    most = torch.minimum(0.45 * wanted, BEND_MAX * wanted**2 / radius)
    off = off * (most / off.norm(dim=1, keepdim=True).clamp(min=1e-6)).clamp(max=1)
    return torch.cat([middle - unit * wanted / 2, middle + off, middle + unit * wanted / 2, shape[:, 6:]], 1)


class SceneMaker:
    """From variables to a scene, for strokes whose brushes and number stay the same.

    size: (width, height) px of the scene. background: straight RGBA. scale: px of the scene per px of the variables.
    palette: colours that the variables' own are snapped to.
    """

    def __init__(self, variables: Variables, size: tuple[int, int], background: tuple[float, float, float, float],
                 cubics: int = 8, stamps: Sequence[Stamp] = (), scale: float = 1.0,
                 palette: torch.Tensor | None = None, pieces: int = 6) -> None:
        self._groups = brushes.Groups.of(variables.brush, cubics)
        self._cubics, self._scale, self._palette = cubics, scale, palette
        kinds = torch.from_numpy(np.asarray(variables.template, np.int64))
        self._templates = [brushes.template_points(b, cubics, stamps)[kinds[i]] if b in brushes.STAMPED else None
                           for b, i in self._groups.rows]
        n = len(variables)
        per_stroke = np.arange(n + 1, dtype=np.int64)
        self.topology = Topology(
            loop_points=np.concatenate([[0], np.cumsum(self._groups.counts)]).astype(np.int64),
            outline_loops=per_stroke, stop_index=2 * per_stroke, kind=np.full(n, LINEAR, np.uint8),
            canvas=np.zeros(n, np.int64), sizes=np.array([size], np.int64), pieces=pieces)
        self._offsets = torch.tensor([0.0, 1.0]).repeat(n)
        self._background = torch.tensor([background], dtype=torch.float32)

    def scene(self, v: Variables) -> Scene:
        """The scene of these values, differentiable in them."""
        loops, geometry = [], []
        for (brush, index), template in zip(self._groups.rows, self._templates, strict=True):
            alone = len(self._groups.rows) == 1
            shape, axis = (v.shape, v.axis) if alone else (v.shape[index], v.axis[index])
            loops.append(brushes.points(brush, shape, template, self._cubics))
            center, direction = brushes.frame(brush, shape)
            geometry.append(torch.cat([brushes.from_frame(axis[:, :2], center, direction),
                                       brushes.from_frame(axis[:, 2:], center, direction)], 1))
        n = len(v)
        if len(geometry) > 1:
            order = torch.cat([index for _, index in self._groups.rows])
            lines = torch.cat(geometry)[torch.argsort(order)]
        else:
            lines = geometry[0] if geometry else torch.zeros(0, 4)
        points = self._groups.flat(loops) if loops else torch.zeros(0, 2)
        color = v.color.reshape(2 * n, 3)
        if self._palette is not None:
            color = snapped(color, self._palette)
        colors = torch.cat([color, torch.ones(2 * n, 1)], 1)
        return Scene(self.topology, points * self._scale, lines * self._scale, self._offsets, colors,
                     v.opacity, self._background)


def to_painting(v: Variables, limits: Limits, background: Color | None, cubics: int,
                stamps: Sequence[Stamp] = ()) -> Painting:
    """The variables as the model's type; gradient ends are drawn inside their strokes unless a palette fixes them."""
    axis = np.zeros((len(v), 4), np.float32)
    color = v.color.detach().reshape(-1, 2, 3)
    if limits.palette is not None:
        color = snapped(color, limits.palette)
    for brush, rows in brushes.Groups.of(v.brush, cubics).rows:
        center, direction = brushes.frame(brush, v.shape.detach()[rows])
        local = v.axis.detach()[rows]
        axis[rows.numpy()] = torch.cat([brushes.from_frame(local[:, :2], center, direction),
                                        brushes.from_frame(local[:, 2:], center, direction)], 1).numpy()
    strokes = Strokes(v.brush.astype(np.int8), v.template.astype(np.int16), v.shape.detach().numpy().copy(), axis,
                      color[:, 0].numpy().copy(), color[:, 1].numpy().copy(), v.opacity.detach().numpy().copy(),
                      v.level.astype(np.int16))
    painting = Painting(strokes, limits.width, limits.height, background, cubics, tuple(stamps))
    return replace(painting, strokes=brushes.tidy_axes(painting, draw_in=limits.palette is None))
