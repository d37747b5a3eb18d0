"""Room for a painting's strokes, made once: whatever strokes are put there, the tensors and their shapes stay, so that
a step that a card was asked for once serves every fit of a view.

Each outline has as many control points as the brush that needs most; others end in segments without length. A slot
that is empty repeats the first stroke, its outline drawn together to a point outside of the picture: it covers nothing,
has no derivative and so does not move.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import pad

from ...brushes import outlines as brushes
from ...model import Stamp
from ...render.scene import Scene
from .stroke_variables import Limits, Projection, Sheet, StrokeVariables, gradient_ends

#: Where outlines of empty slots lie, px, x and y.
AWAY = -1000.0
#: What the strokes of a room are: all of stamped brushes, all of swept ones, or of both.
ALL_STAMPED, ALL_SWEPT, BOTH = "stamped", "swept", "both"


def kind_of(brush: np.ndarray) -> str:
    """What strokes of these brushes (N,) are."""
    stamped = brushes.is_stamped(brush)
    return ALL_STAMPED if stamped.all() else BOTH if stamped.any() else ALL_SWEPT


class Slots:
    """``variables`` are as many as there is room for; the first ``count`` are strokes. Does what SceneMaker and
    Projection do for strokes that stay the same."""

    def __init__(self, strokes: StrokeVariables, room: int, kind: str, limits: Limits, size: tuple[int, int],
                 background: tuple[float, float, float, float], cubics: int = 8, stamps: Sequence[Stamp] = (),
                 scale: float = 1.0) -> None:
        """strokes: at least one and at most ``room``, of the ``kind``; the slots lie on their device. The others as in
        SceneMaker."""
        device = strokes.shape.device
        self.kind, self.room, self._cubics = kind, room, cubics
        of_kind = [b for b in range(len(brushes.NAMES)) if kind in (BOTH, kind_of(np.array([b])))]
        self._points = 3 * max(brushes.segments(b, cubics) for b in of_kind)
        self._templates = {b: _lengthened(brushes.template_points(b, cubics, stamps), self._points)
                           for b in of_kind if b in brushes.STAMPED}
        self._template = torch.zeros(room, self._points, 2).to(device)
        self._there = torch.zeros(room, 1, 1, dtype=torch.bool).to(device)
        self.variables = strokes.widened(room)
        self._stamped, self._one_radius = self.variables.stamped, self.variables.one_radius
        self._projection = Projection(limits, self.variables, any_brush=True)
        self._sheet = Sheet(np.full(room, self._points), size, background, scale, limits.palette, device)
        self._away = torch.full((1, 1, 1), AWAY).to(device)
        self.put(strokes)

    @torch.no_grad()
    def put(self, strokes: StrokeVariables) -> None:
        """These strokes and no others, in the same tensors."""
        own, wide = self.variables, strokes.widened(self.room)
        for tensor, values in zip(own.tensors(), wide.tensors(), strict=True):
            tensor.copy_(values)
        own.brush, own.template, own.level = wide.brush, wide.template, wide.level
        self._stamped.copy_(wide.stamped)
        self._one_radius.copy_(wide.one_radius)
        template = torch.zeros(self.room, self._points, 2)
        for brush, shapes in self._templates.items():
            rows = torch.from_numpy(np.flatnonzero(wide.brush == brush))
            template[rows] = shapes[torch.from_numpy(np.asarray(wide.template, np.int64))[rows]]
        self._template.copy_(template)
        self.count = len(strokes)
        self._there[:self.count] = True
        self._there[self.count:] = False
        self._projection.put(own)

    def apply(self, variables: StrokeVariables) -> None:
        """Brings the variables back into their ranges, in place."""
        self._projection.apply(variables)

    def scene(self, v: StrokeVariables) -> Scene:
        """The scene of these values, differentiable in them."""
        if self.kind == ALL_STAMPED:
            points, lines = self._as_stamped(v)
        elif self.kind == ALL_SWEPT:
            points, lines = self._as_swept(v)
        else:
            stamped, swept = self._as_stamped(v), self._as_swept(v)
            points = torch.where(self._stamped[:, None, None], stamped[0], swept[0])
            lines = torch.where(self._stamped[:, None], stamped[1], swept[1])
        return self._sheet.scene(v, torch.where(self._there, points, self._away).reshape(-1, 2), lines)

    def _as_stamped(self, v: StrokeVariables) -> tuple[torch.Tensor, torch.Tensor]:
        """Outlines (room, K, 2) and gradient ends (room, 4) of all as stamped strokes."""
        return (brushes.stamped_points(v.shape, self._template),
                gradient_ends(v.axis, *brushes.frame(brushes.OIL, v.shape)))

    def _as_swept(self, v: StrokeVariables) -> tuple[torch.Tensor, torch.Tensor]:
        """The same as sweeps."""
        last = torch.where(self._one_radius[:, None], v.shape[:, 6:7], v.shape[:, 7:8])
        points = brushes.swept_points(torch.cat([v.shape[:, :7], last], 1), self._cubics)
        return (_lengthened(points, self._points),
                gradient_ends(v.axis, *brushes.frame(brushes.WATERCOLOR, v.shape)))


def _lengthened(points: torch.Tensor, count: int) -> torch.Tensor:
    """Closed outlines (n, k, 2) with ``count`` control points: the rest lie where they close."""
    rest = count - points.shape[1]
    return torch.cat([points, points[:, :1].expand(-1, rest, -1)], 1) if rest else points


def widened(values: torch.Tensor, room: int) -> torch.Tensor:
    """(room, ...) with zeros after the values (n, ...), copied."""
    return pad(values, [0, 0] * (values.dim() - 1) + [0, room - len(values)])
