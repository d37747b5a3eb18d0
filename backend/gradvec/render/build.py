"""Scenes straight from tensors: ragged lists of outlines and fills become the flat arrays that engines render.

The topology is built and looked at once: scenes of the same structure share it, and the engines' buffers with it, for
as long as one of them is alive. So a training loop may make its scene anew in every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch.nn.functional import pad

from ..errors import EngineError
from .reference import bernstein
from .scene import ELLIPTIC, LINEAR, PIECES, RADIAL, SOLID, Scene, Topology
from .shapes import transformed
from .strokes import Polygons

RULES = ("nonzero", "evenodd")


@dataclass(frozen=True)
class Linear:
    """A gradient from start to end (2,) px. offsets: (T,) rising in [0, 1]. colors: (T, 4) or (T, 3) straight."""

    start: torch.Tensor
    end: torch.Tensor
    offsets: torch.Tensor
    colors: torch.Tensor


@dataclass(frozen=True)
class Radial:
    """A gradient around center (2,) px. The others as in Linear.

    radius: px, one number; (2,) half axes along x and y; or (2, 2) two conjugate half axes, one a row, of an ellipse
    that is turned: where a matrix takes (1, 0) and (0, 1).
    """

    center: torch.Tensor
    radius: torch.Tensor
    offsets: torch.Tensor
    colors: torch.Tensor


Fill = torch.Tensor | Linear | Radial
Shape = torch.Tensor | Sequence[torch.Tensor] | Polygons

_kept: WeakValueDictionary[tuple, Topology] = WeakValueDictionary()


def half_axes(radii: torch.Tensor, angle: torch.Tensor | float) -> torch.Tensor:
    """(2, 2) for Radial.radius: half axes of (2,) px, turned by ``angle``, radians from x towards y; differentiable."""
    turn = torch.as_tensor(angle, dtype=radii.dtype, device=radii.device)
    cos, sin = torch.cos(turn), torch.sin(turn)
    return torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])]) * radii[:, None]


def transformed_fill(fill: Fill, matrix: torch.Tensor) -> Any:
    """A fill of the same type under a (2, 3) or affine (3, 3) matrix, as a gradientTransform; differentiable in both.

    Circles become ellipses. Lines of equal colour stay lines, though no longer upright to the way of the points that
    said where they are: those of the result are upright again.
    """
    if isinstance(fill, torch.Tensor):
        return fill
    inner = matrix[:2, :2]
    if isinstance(fill, Radial):
        axes = fill.radius if fill.radius.dim() == 2 else torch.diag(fill.radius.reshape(-1).expand(2))
        return replace(fill, center=transformed(fill.center, matrix[:2]), radius=axes @ inner.T)
    way = fill.end - fill.start
    slope = torch.linalg.solve(inner.T, way / (way * way).sum())
    start = transformed(fill.start, matrix[:2])
    return replace(fill, start=start, end=start + slope / (slope * slope).sum())


def scene_from_tensors(width: int, height: int, outlines: Sequence[Shape], fills: torch.Tensor | Sequence[Fill],
                       opacity: torch.Tensor | None = None, background: Any = (0.0, 0.0, 0.0, 0.0),
                       rule: str | Sequence[str] = "nonzero", pieces: int = PIECES) -> Scene:
    """One canvas of width x height px with ``outlines`` from bottom to top; see :meth:`Scene.from_tensors`."""
    loops, counts, polygons = _loops(outlines)
    like = loops[0] if loops else torch.zeros(0, 2)
    sizes = np.array([len(loop) for loop in loops], np.int64)
    points = torch.cat(loops) if loops else like
    if any(polygons):
        points, sizes = _as_chords(points, sizes, np.array(polygons, bool), pieces)
        pieces = 1
    kinds, geometry, offsets, colors, stops = fill_arrays(fills, len(counts), like)
    rules = [rule] * len(counts) if isinstance(rule, str) else list(rule)
    if len(rules) != len(counts) or not set(rules) <= set(RULES):
        raise EngineError(f"rule expects {' or '.join(RULES)}, or one of them for each of {len(counts)} outlines.")
    even_odd = np.array([r == "evenodd" for r in rules], np.uint8)
    topology = shared_topology(offsets_of(sizes), offsets_of(counts), offsets_of(stops), np.array(kinds, np.uint8),
                               np.zeros(len(counts), np.int64), np.array([[width, height]]), pieces, even_odd)
    ground = torch.as_tensor(background, dtype=like.dtype, device=like.device).reshape(1, -1)
    scene = Scene(topology, points, geometry, offsets, colors,
                  like.new_ones(len(counts)) if opacity is None else opacity, with_alpha(ground))
    scene.check()
    return scene


def shared_topology(*fields: Any) -> Topology:
    """The topology of these fields: the one that is alive, or a new one."""
    key = tuple(f if isinstance(f, int) else np.ascontiguousarray(f).tobytes() for f in fields)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = Topology(*fields)
    return found


def join_scenes(scenes: Sequence[Scene]) -> Scene:
    """Scenes of one type and device as one with all their canvases, to be rendered in one call of render_flat().

    Raises:
        EngineError: there are none, or they differ in ``pieces``.
    """
    topologies = [s.topology for s in scenes]
    if len({t.pieces for t in topologies}) != 1:
        raise EngineError("join_scenes() expects scenes with the same number of line pieces per segment.")
    before = np.cumsum([0, *(len(t.sizes) for t in topologies)])

    def joined(name: str) -> np.ndarray:
        return offsets_of(np.concatenate([np.diff(getattr(t, name)) for t in topologies]))

    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(t, name) for t in topologies])

    canvas = np.concatenate([t.canvas + n for t, n in zip(topologies, before[:-1], strict=True)])
    topology = shared_topology(joined("loop_points"), joined("outline_loops"), joined("stop_index"), all_of("kind"),
                               canvas, all_of("sizes"), topologies[0].pieces, all_of("even_odd"))
    columns = max(s.geometry.shape[1] for s in scenes)
    wide = [replace(s, geometry=pad(s.geometry, (0, columns - s.geometry.shape[1]))) for s in scenes]
    return Scene(topology, *(torch.cat(p) for p in zip(*(s.parameters for s in wide), strict=True)))


def crop_scene(scene: Scene, x: int, y: int, width: int, height: int) -> Scene:
    """The part of a scene's one canvas whose top left corner is (x, y), as a scene of width x height px."""
    t = scene.topology
    if len(t.sizes) != 1:
        raise EngineError(f"crop_scene() expects a scene with one canvas, got {len(t.sizes)}.")
    topology = shared_topology(t.loop_points, t.outline_loops, t.stop_index, t.kind, t.canvas,
                               np.array([[width, height]]), t.pieces, t.even_odd)
    corner = scene.points.new_tensor([x, y])
    far = torch.as_tensor(t.kind == LINEAR, device=scene.points.device)[:, None]
    first, second, rest = scene.geometry[:, :2], scene.geometry[:, 2:4], scene.geometry[:, 4:]
    moved = torch.cat([first - corner, torch.where(far, second - corner, second), rest], 1)
    return Scene(topology, scene.points - corner, moved, *scene.parameters[2:])


def with_alpha(color: torch.Tensor) -> torch.Tensor:
    """(..., 4) from (..., 3) or (..., 4): opaque where nothing else is said."""
    if color.shape[-1:] not in ((3,), (4,)):
        raise EngineError(f"A colour expects 3 or 4 numbers, got {tuple(color.shape)}.")
    return color if color.shape[-1] == 4 else torch.cat([color, torch.ones_like(color[..., :1])], -1)


def _loops(outlines: Sequence[Shape]) -> tuple[list[torch.Tensor], list[int], list[bool]]:
    """All loops one after the other, how many each outline has, and which are polygons' vertices."""
    loops: list[torch.Tensor] = []
    counts: list[int] = []
    polygons: list[bool] = []
    for shape in outlines:
        if isinstance(shape, Polygons):
            for outline in shape.points.unbind(0):
                loops += [outline[a:b] for a, b in zip(shape.loops[:-1], shape.loops[1:], strict=True)]
            parts = len(shape.loops) - 1
            counts += [parts] * len(shape.points)
            polygons += [True] * (parts * len(shape.points))
            continue
        own = [shape] if isinstance(shape, torch.Tensor) else list(shape)
        for loop in own:
            if loop.dim() != 2 or loop.shape[1] != 2 or len(loop) % 3:
                raise EngineError(f"Outline {len(counts)} expects loops of shape (3 S, 2), got {tuple(loop.shape)}.",
                                  "gradvec.render.shapes closes polygons and turns lines and quadratics into cubics.")
        loops += own
        counts.append(len(own))
        polygons += [False] * len(own)
    return loops, counts, polygons


def _as_chords(points: torch.Tensor, sizes: np.ndarray, polygons: np.ndarray,
               pieces: int) -> tuple[torch.Tensor, np.ndarray]:
    """All loops as cubics of one chord each: polygons' vertices as they are, other cubics cut into ``pieces``."""
    first = np.concatenate([[0], np.cumsum(sizes)])
    rows: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    basis = bernstein(pieces)[:-1]
    for n, size in enumerate(sizes.tolist()):
        if polygons[n]:
            rows.append(np.repeat(np.arange(first[n], first[n + 1])[:, None], 4, 1))
            weights.append(np.tile([1.0, 0.0, 0.0, 0.0], (size, 1)))
        else:
            own = (3 * np.arange(size // 3)[:, None] + np.arange(4)) % max(size, 1) + first[n]
            rows.append(np.repeat(own, pieces, 0))
            weights.append(np.tile(basis, (size // 3, 1)))
    index = torch.as_tensor(np.concatenate(rows), device=points.device)
    weight = torch.as_tensor(np.concatenate(weights), dtype=points.dtype, device=points.device)
    start = points[index[:, 0]]
    vertices = start + ((points[index[:, 1:]] - start[:, None]) * weight[:, 1:, None]).sum(1)
    return as_cubics(vertices), np.where(polygons, 3 * sizes, sizes * pieces)


def as_cubics(vertices: torch.Tensor) -> torch.Tensor:
    """(3 V, 2) control points of one-chord cubics between (V, 2) vertices; their handles are never looked at."""
    handles = vertices.detach()
    return torch.stack([vertices, handles, handles], 1).reshape(-1, 2)


def fill_arrays(fills: torch.Tensor | Sequence[Fill], count: int, like: torch.Tensor) -> tuple[Any, ...]:
    """(kinds, geometry (N, 4), offsets (T,), colors (T, 4), stops of each)."""
    if len(fills) != count:
        raise EngineError(f"There are {count} outlines, but {len(fills)} fills.")
    if isinstance(fills, torch.Tensor):
        return ([SOLID] * count, like.new_zeros(count, 4), like.new_zeros(count), with_alpha(fills), [1] * count)
    kinds, geometry, offsets, colors = [], [], [], []
    nothing = like.new_zeros(4)
    plain = [fill for fill in fills if isinstance(fill, torch.Tensor) and fill.shape == (4,)]
    if count and len(plain) == count:
        return fill_arrays(torch.stack(plain), count, like)
    for fill in fills:
        if isinstance(fill, torch.Tensor):
            kinds.append(SOLID)
            geometry.append(nothing)
            offsets.append(nothing[:1])
            colors.append(with_alpha(fill).reshape(1, 4))
            continue
        kinds.append(LINEAR if isinstance(fill, Linear) else RADIAL)
        if isinstance(fill, Linear):
            geometry.append(torch.cat([fill.start, fill.end]))
        else:
            if fill.radius.numel() != 1:
                kinds[-1] = ELLIPTIC
            geometry.append(torch.cat([fill.center, _radius(fill.radius)]))
        offsets.append(fill.offsets.reshape(-1))
        colors.append(with_alpha(fill.colors))
    stops = [len(c) for c in colors]
    if stops != [len(o) for o in offsets]:
        raise EngineError("A gradient expects as many offsets as colours.")
    if ELLIPTIC in kinds:
        geometry = [torch.cat([g, nothing[:6 - len(g)]]) for g in geometry]
    return (kinds, torch.stack(geometry) if geometry else like.new_zeros(0, 4),
            torch.cat(offsets) if offsets else like.new_zeros(0),
            torch.cat(colors) if colors else like.new_zeros(0, 4), stops)


def _radius(radius: torch.Tensor) -> torch.Tensor:
    """What follows a radial gradient's centre: (2,) radius and 0, or (4,) two half axes."""
    if radius.shape == (2, 2):
        return radius.reshape(4)
    if radius.shape == (2,):
        return torch.diag(radius).reshape(4)
    if radius.numel() != 1:
        raise EngineError(f"A radial gradient expects a radius of one number, (2,) or (2, 2), got "
                          f"{tuple(radius.shape)}.")
    return torch.cat([radius.reshape(1), radius.new_zeros(1)])


def offsets_of(lengths: Any) -> np.ndarray:
    """(n + 1,) offsets of parts of these lengths, from 0 to their total."""
    return np.fromiter(chain([0], np.cumsum(np.asarray(lengths, np.int64))), np.int64)
