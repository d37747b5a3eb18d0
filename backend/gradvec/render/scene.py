"""The one scene type that every engine renders.

Ragged and flat, so that one outline or 20,000 are the same few arrays. The *topology* (what exists) is plain numpy
and constant during an optimization; the *parameters* (where it is, how it looks) are torch tensors and may require
grad.

Sizes: N outlines, L loops, K control points, T stops, B canvases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from ..errors import EngineError
from ..model import LinearGradient, RadialGradient, Shape, SolidColor
from .topology_check import checked_arrays

SOLID, LINEAR, RADIAL, ELLIPTIC = 0, 1, 2, 3
#: A scene's tensors, in the order of Scene.parameters.
PARAMETERS = ("points", "geometry", "stop_offset", "stop_color", "opacity", "background")

#: Line pieces per cubic segment unless a scene says otherwise: for strokes of about 40 px with 4 cubics the chord
#: error stays below 0.05 px.
PIECES = 8


@dataclass(frozen=True, eq=False)
class Topology:
    """What exists. All offset arrays start at 0 and end at the total, int64. It is looked at once, when it is made.

    loop_points: (L + 1,) first control point of each loop; each loop holds 3 points per segment.
    outline_loops: (N + 1,) first loop of each outline.
    stop_index: (N + 1,) first stop of each outline; a solid fill has exactly one stop.
    kind: (N,) uint8, SOLID, LINEAR, RADIAL or ELLIPTIC.
    canvas: (N,) int64 which canvas an outline is on; must not decrease.
    sizes: (B, 2) int64 (width, height) px of each canvas. One canvas is the usual case; many canvases are unrelated
        small scenes rendered in one call.
    pieces: line pieces per cubic segment.
    even_odd: (N,) uint8, 1 where the even-odd rule says what is inside, 0 (and all without it) for the non-zero rule.

    Raises:
        EngineError: the arrays contradict each other; the message names which and where.
    """

    loop_points: np.ndarray
    outline_loops: np.ndarray
    stop_index: np.ndarray
    kind: np.ndarray
    canvas: np.ndarray
    sizes: np.ndarray
    pieces: int = PIECES
    even_odd: np.ndarray = None  # type: ignore[assignment]  # __post_init__ makes it an array

    def __post_init__(self) -> None:
        for name, value in checked_arrays(self).items():
            object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle and copy take along: not the buffers and tables that engines keep with a topology."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topology):
            return NotImplemented
        return self is other or all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = object.__hash__

    def forget(self) -> None:
        """Gives up what engines keep with it from one rendering to the next, which is memory of the picture's size."""
        for name in vars(self).keys() - {f.name for f in fields(self)}:
            del vars(self)[name]

    @property
    def count(self) -> int:
        return len(self.kind)

    @property
    def canvas_start(self) -> np.ndarray:
        """(B + 1,) first pixel of each canvas in the flat picture."""
        return np.concatenate([[0], np.cumsum(self.sizes[:, 0] * self.sizes[:, 1])]).astype(np.int64)

    @property
    def point_outline(self) -> np.ndarray:
        """(K,) which outline a control point belongs to."""
        loops = np.diff(self.outline_loops)
        return np.repeat(np.repeat(np.arange(self.count), loops), np.diff(self.loop_points))

    @property
    def stop_outline(self) -> np.ndarray:
        """(T,) which outline a stop belongs to."""
        return np.repeat(np.arange(self.count), np.diff(self.stop_index))


@dataclass(frozen=True, eq=False)
class Scene:
    """Topology and parameters. Paint order is index order: 0 is painted first.

    The parameters are of one floating point type and on one device. Two scenes are equal where their topologies and all
    values are.

    points: (K, 2) px. geometry: (N, 4) px: linear x1 y1 x2 y2, radial cx cy r 0, solid ignored; (N, 6) where there are
    elliptic ones: cx cy ax ay bx by, with two conjugate half axes a and b, which is what a matrix makes of (1, 0) and
    (0, 1); the last two numbers of all others are ignored.
    stop_offset: (T,) in [0, 1], rising inside an outline. stop_color: (T, 4) straight RGBA.
    opacity: (N,). background: (B, 4) straight RGBA under each canvas.
    """

    topology: Topology
    points: torch.Tensor
    geometry: torch.Tensor
    stop_offset: torch.Tensor
    stop_color: torch.Tensor
    opacity: torch.Tensor
    background: torch.Tensor

    @property
    def parameters(self) -> tuple[torch.Tensor, ...]:
        return (self.points, self.geometry, self.stop_offset, self.stop_color, self.opacity, self.background)

    def with_parameters(self, *parameters: torch.Tensor) -> Scene:
        """The same topology with other parameters, in the order of :attr:`parameters`."""
        given: dict[str, Any] = dict(zip(PARAMETERS, parameters, strict=True))
        return replace(self, **given)

    def to(self, dtype: torch.dtype | None = None, device: str | torch.device | None = None) -> Scene:
        return self.with_parameters(*(p.to(dtype=dtype, device=device) for p in self.parameters))

    @classmethod
    def from_tensors(cls, width: int, height: int, outlines: Sequence[Any], fills: Any,
                     opacity: torch.Tensor | None = None, background: Any = (0.0, 0.0, 0.0, 0.0),
                     rule: str | Sequence[str] = "nonzero", pieces: int = PIECES) -> Scene:
        """One canvas of width x height px with N outlines from bottom to top; differentiable in all that is given.

        The topology is shared with every scene of the same structure that is alive, so a training loop may call this in
        every step.

        Args:
            outlines: each one loop (3 S, 2), a sequence of loops, or what strokes() returns, which counts for as many
                outlines as it holds. px; gradvec.render.shapes makes loops.
            fills: (N, 3) or (N, 4) straight RGBA, or a sequence of colours and of Linear and Radial gradients
                (gradvec.render.build).
            opacity: (N,), 1 where it is not given.
            background: a colour of 3 or 4 numbers under all of them; render() takes pictures.
            rule: nonzero or evenodd, for all or one for each outline.
            pieces: line pieces per cubic segment.

        Raises:
            EngineError: a shape does not fit; the message names which.
        """
        from .build import scene_from_tensors
        return scene_from_tensors(width, height, outlines, fills, opacity, background, rule, pieces)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scene):
            return NotImplemented
        same = self.topology == other.topology
        return same and all(torch.equal(a, b) for a, b in zip(self.parameters, other.parameters, strict=True))

    __hash__ = object.__hash__

    def check(self) -> None:
        """Raises EngineError where a parameter has the wrong shape or type or is not finite; names the outline."""
        t = self.topology
        self._check_types()
        expected = {"points": (int(t.loop_points[-1]), 2), "geometry": (t.count, 4),
                    "stop_offset": (int(t.stop_index[-1]),), "stop_color": (int(t.stop_index[-1]), 4),
                    "opacity": (t.count,), "background": (len(t.sizes), 4)}
        for name, shape in expected.items():
            got = tuple(getattr(self, name).shape)
            wider = name == "geometry" and got == (t.count, 6)
            if wider or (name == "geometry" and bool((t.kind == ELLIPTIC).any())):
                shape = (t.count, 6)
            if got != shape:
                raise EngineError(f"Scene.{name} expects shape {shape}, got {got}.")
        # A sum is finite only if all of it is: one cheap look and one wait for a device before the place is looked for.
        if bool(torch.isfinite(torch.stack([p.detach().sum() for p in self.parameters]).sum())):
            return
        owners = {"points": t.point_outline, "geometry": np.arange(t.count), "stop_offset": t.stop_outline,
                  "stop_color": t.stop_outline, "opacity": np.arange(t.count), "background": None}
        for name, owner in owners.items():
            value = getattr(self, name).detach()
            bad = ~torch.isfinite(value).flatten(1).all(1) if value.dim() > 1 else ~torch.isfinite(value)
            if bool(bad.any()):
                first = int(bad.nonzero()[0, 0])
                where = f"canvas {first}" if owner is None else f"outline {owner[first]}"
                raise EngineError(f"Scene.{name} of {where} is not a finite number.")

    def _check_types(self) -> None:
        dtype, device = self.points.dtype, self.points.device
        for name, value in zip(PARAMETERS, self.parameters, strict=True):
            if value.dtype != dtype or value.device != device:
                raise EngineError(f"Scene.{name} is {value.dtype} on {value.device}, but Scene.points is {dtype} on "
                                  f"{device}.", "Bring all to one type and device, for example with Scene.to().")
        if not dtype.is_floating_point:
            raise EngineError(f"A scene's parameters must be floating point numbers, not {dtype}.",
                              "Use torch.float32 or torch.float64.")


def scene_from_shapes(shapes: Iterable[Shape], width: int, height: int,
                      background: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0), dtype: torch.dtype = torch.float32,
                      pieces: int = PIECES) -> Scene:
    """One canvas of width x height px with ``shapes`` from bottom to top on a straight RGBA background."""
    shapes = list(shapes)
    loops = [loop for shape in shapes for loop in shape.outline.loops]
    stops, offsets, kinds, geometry = [], [], [], []
    for shape in shapes:
        kind, numbers, fill_stops = _fill_numbers(shape)
        kinds.append(kind)
        geometry.append(numbers)
        stops.append([(*s.color, s.opacity) for s in fill_stops])
        offsets.append([s.offset for s in fill_stops])
    topology = Topology(
        loop_points=_offsets(len(loop) for loop in loops),
        outline_loops=_offsets(len(shape.outline.loops) for shape in shapes),
        stop_index=_offsets(len(s) for s in stops),
        kind=np.array(kinds, np.uint8),
        canvas=np.zeros(len(shapes), np.int64),
        sizes=np.array([[width, height]], np.int64),
        pieces=pieces,
    )

    def tensor(values: Any, *shape: int) -> torch.Tensor:
        return torch.tensor(np.array(values, np.float64).reshape(shape), dtype=dtype)

    return Scene(
        topology,
        points=tensor(np.concatenate(loops) if loops else [], -1, 2),
        geometry=tensor(geometry, len(shapes), 4),
        stop_offset=tensor([o for group in offsets for o in group], -1),
        stop_color=tensor([c for group in stops for c in group], -1, 4),
        opacity=tensor([shape.opacity for shape in shapes], -1),
        background=tensor([background], 1, 4),
    )


def _offsets(lengths: Iterable[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(list(lengths), dtype=np.int64)]).astype(np.int64)


def _fill_numbers(shape: Shape) -> tuple[int, tuple[float, ...], list]:
    from ..model import Stop

    fill = shape.fill
    if isinstance(fill, SolidColor):
        return SOLID, (0.0, 0.0, 0.0, 0.0), [Stop(0.0, fill.color)]
    if isinstance(fill, LinearGradient):
        return LINEAR, (fill.x1, fill.y1, fill.x2, fill.y2), list(fill.stops)
    assert isinstance(fill, RadialGradient)
    return RADIAL, (fill.cx, fill.cy, fill.r, 0.0), list(fill.stops)
