"""diffvg's scenes as ours. What is counted (chords, loops, who belongs to whom) is kept from call to call."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..render.build import Fill, Linear, Radial, as_cubics, fill_arrays, offsets_of, shared_topology
from ..render.cpu.outlines import Pen, needs, outlines
from ..render.reference import bernstein
from ..render.scene import Scene
from ..render.strokes import LEAST_CHORDS, TOLERANCE, checked_width, counted
from .paths import Curves, ToCubics, structure_of
from .types import LinearGradient, RadialGradient

#: px that a fill's chords may stray, and the numbers of chords per segment.
_STRAY = 0.03
_CHORDS = np.array([1, 2, 4, 8, 16, 32, 64, 128])
#: Shapes keep chords that they needed before, as long as all of them together have no more than so many times what
#: they need now: of a thousand shapes that move, some need more and some need fewer in each step.
_MOST_OF_NEEDED = 3
#: Times what they need when they turn out to have too few.
_SPARE = 1.5
#: Structures that are kept.
_KEPT = 8


@dataclass(frozen=True)
class Serialized:
    """A scene as it was when it was serialized: later changes of shapes and groups do not reach it."""

    width: int
    height: int
    shapes: tuple[Any, ...]
    groups: tuple[Any, ...]


@dataclass(frozen=True)
class _Stroked:
    """Strokes that are computed in one call. shapes: their indices; index: (N, K) control points of theirs.

    width: (N, 1) or (N, K) px across. needs: (N, 3), chords, points of a join and of a cap.
    """

    shapes: tuple[int, ...]
    index: torch.Tensor
    closed: bool
    width: torch.Tensor
    needs: np.ndarray

    def outlines(self, curves: Curves, rooms: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """Vertices, one stroke after the other, and how many each has: ``rooms``, or more where that is too little."""
        pen = Pen(self.closed, "round", "round", self.needs, rooms)
        points = torch.index_select(curves.control, 0, self.index.reshape(-1)).reshape(*self.index.shape, 2)
        return outlines(points, self.width / 2, pen), pen.rooms


class _Layout:
    """Where everything goes, of one structure."""

    def __init__(self, curves: Curves, groups: tuple[tuple, ...], chords: tuple[int, ...], stroked: list[_Stroked],
                 rooms: list[np.ndarray], kinds: tuple[tuple, ...], size: tuple[int, int]) -> None:
        self.rooms, self.chords = rooms, chords
        sources, rows, weights = [], [], []
        at = 0
        for shape, count in enumerate(chords):
            row, weight = fill_chords(curves, shape, count)
            rows.append(row)
            weights.append(weight)
            sources.append([np.arange(at, at + len(row))])
            at += len(row)
        self.index = torch.as_tensor(np.concatenate(rows)) if rows else torch.zeros(0, 4, dtype=torch.long)
        self.weight = torch.as_tensor(np.concatenate(weights) if rows else np.zeros((0, 3)), dtype=torch.float32)
        lines: dict[int, list[np.ndarray]] = {}
        for batch, own in zip(stroked, rooms, strict=True):
            for shape, room in zip(batch.shapes, own.tolist(), strict=True):
                lines[shape] = [np.arange(at, at + room)]
                at += room
        outlines, owner, rules = [], [], []
        for g, (ids, has_fill, has_stroke, even_odd) in enumerate(groups):
            for present, parts, rule in ((has_stroke, lines, 0), (has_fill, dict(enumerate(sources)), even_odd)):
                if present:
                    outlines.append([loop for i in ids for loop in parts[i]])
                    owner.append(g)
                    rules.append(rule)
        loops_all = [loop for outline in outlines for loop in outline]
        order = np.concatenate(loops_all) if loops_all else np.zeros(0, np.int64)
        self.order = None if np.array_equal(order, np.arange(at)) else torch.as_tensor(order)
        sizes = [sum(map(len, outline)) for outline in outlines]
        self.group_of_vertex = torch.as_tensor(np.repeat(owner, sizes) if owner else np.zeros(0, np.int64))
        kind, stops = kinds
        self.topology = shared_topology(
            offsets_of([3 * len(loop) for loop in loops_all]), offsets_of([len(o) for o in outlines]),
            offsets_of(stops), np.array(kind, np.uint8), np.zeros(len(outlines), np.int64), np.array([size]), 1,
            np.array(rules, np.uint8))


_layouts: OrderedDict[tuple, _Layout] = OrderedDict()


def serialize(width: int, height: int, shapes: Sequence[Any], groups: Sequence[Any]) -> Serialized:
    return Serialized(int(width), int(height), tuple(map(_copied, shapes)), tuple(map(_copied, groups)))


def _copied(given: Any) -> Any:
    """copy.copy of a shape or group, several times as fast."""
    if not hasattr(given, "__dict__"):
        return copy.copy(given)
    result = object.__new__(type(given))
    result.__dict__.update(given.__dict__)
    return result


@lru_cache(maxsize=_KEPT)
def _to_cubics(structures: tuple[tuple, ...]) -> ToCubics:
    return ToCubics(structures)


def scene_of(given: Serialized, width: int, height: int) -> Scene:
    """The scene on a picture of width x height px, which its canvas is stretched to; without a background."""
    shape_structures = tuple(structure_of(s, i) for i, s in enumerate(given.shapes))
    curves = _to_cubics(shape_structures)(list(given.shapes)) if given.shapes else None
    groups = tuple(_group_structure(g, len(given.shapes)) for g in given.groups)
    fills = [fill for g in given.groups for fill in (g.stroke_color, g.fill_color) if fill is not None]
    scale = (width / given.width, height / given.height)
    kinds, geometry, offsets, colors, stops = fill_arrays(
        [_fill(f, scale) for f in fills], len(fills), torch.zeros(0, 2))
    if curves is None:
        raise InputError("A scene without shapes has nothing to render.")
    filled = {i for ids, has_fill, _, _ in groups if has_fill for i in ids}
    chords = _chord_counts(curves, filled)
    stroked = _stroke_batches(curves, sorted({i for ids, _, has_stroke, _ in groups if has_stroke for i in ids}))
    key = (shape_structures, groups, tuple(b.shapes for b in stroked), tuple(kinds), tuple(stops), width, height)
    known = _layouts.get(key)
    before = known.rooms if known is not None else [np.zeros(len(b.shapes), np.int64) for b in stroked]
    if known is not None and sum(known.chords) <= _MOST_OF_NEEDED * sum(chords):
        enough = all(have >= need for have, need in zip(known.chords, chords, strict=True))
        chords = known.chords if enough else tuple(map(max, _chord_counts(curves, filled, _SPARE), known.chords))
    drawn = [b.outlines(curves, room) for b, room in zip(stroked, before, strict=True)]
    rooms = [room for _, room in drawn]
    layout = _kept(key, chords, rooms,
                   lambda: _Layout(curves, groups, chords, stroked, rooms, (kinds, stops), (width, height)))
    vertices = [v for v, _ in drawn]
    if len(layout.index):
        start = curves.control[layout.index[:, 0]]
        vertices.insert(0, start + ((curves.control[layout.index[:, 1:]] - start[:, None])
                                    * layout.weight[..., None]).sum(1))
    chain = torch.cat(vertices)
    if layout.order is not None:
        chain = torch.index_select(chain, 0, layout.order)
    chain = _transformed(chain, given.groups, layout.group_of_vertex)
    if scale != (1, 1):
        chain = chain * torch.tensor(scale)
    return Scene(layout.topology, as_cubics(chain), geometry, offsets, colors, torch.ones(len(fills)),
                 torch.zeros(1, 4))


def _kept(key: tuple, chords: tuple[int, ...], rooms: list[np.ndarray], make: Callable[[], _Layout]) -> _Layout:
    """The layout of this structure, made anew where shapes have come to need more chords or vertices than it has."""
    old = _layouts.get(key)
    if old is None or old.chords != chords or not all(map(np.array_equal, old.rooms, rooms)):
        _layouts[key] = make()
        if len(_layouts) > _KEPT:
            _layouts.popitem(last=False)
    _layouts.move_to_end(key)
    return _layouts[key]


def _group_structure(group: Any, shapes: int) -> tuple:
    ids = tuple(int(i) for i in torch.as_tensor(group.shape_ids).reshape(-1).tolist())
    if not all(0 <= i < shapes for i in ids):
        raise InputError(f"A group names shape {max(ids)}, but there are {shapes} shapes.")
    return ids, group.fill_color is not None, group.stroke_color is not None, int(bool(group.use_even_odd_rule))


def fill_chords(curves: Curves, shape: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(V, 4) control points of a shape's chords' starts and (V, 3) weights of the last three; none for count 0."""
    if count == 0:
        return np.zeros((0, 4), np.int64), np.zeros((0, 3))
    first, last = int(curves.first[shape]), int(curves.first[shape + 1])
    segments = (last - first) // 3
    own = first + (3 * np.arange(segments)[:, None] + np.arange(4)) % (last - first)
    rows, weights = np.repeat(own, count, 0), np.tile(bernstein(count)[:-1, 1:], (segments, 1))
    if not curves.closed[shape]:  # a line from its end to its start closes it
        rows = np.concatenate([rows, np.full((1, 4), last - 1)])
        weights = np.concatenate([weights, np.zeros((1, 3))])
    return rows, weights


def _chord_counts(curves: Curves, wanted: set[int], times: float = 1.0) -> tuple[int, ...]:
    """Chords per segment of each shape for its border to stray no more than _STRAY; 0 for those without a fill.

    times: how many times as many as that takes.
    """
    p = curves.control.detach().numpy()[curves.segments]
    bends = np.abs(p[:, 2:] - 2 * p[:, 1:-1] + p[:, :-2]).max((1, 2))
    # A cubic's second derivative is at most 6 times its control points' second difference, here of one coordinate.
    need = times * np.sqrt(6 / 8 * 2**0.5 * np.maximum.reduceat(bends, curves.segment_first) / _STRAY)
    chords = _CHORDS[np.minimum(np.searchsorted(_CHORDS, need), len(_CHORDS) - 1)]
    least = (1 if lines else LEAST_CHORDS for lines in curves.lines)
    return tuple(max(n, low) if i in wanted else 0
                 for i, (n, low) in enumerate(zip(chords.tolist(), least, strict=True)))


def _stroke_batches(curves: Curves, shapes: list[int]) -> list[_Stroked]:
    """Strokes of as many segments, closed or open."""
    alike: dict[tuple[int, bool, bool, bool], list[int]] = {}
    for i in shapes:
        size = int(curves.first[i + 1] - curves.first[i])
        alike.setdefault((size, curves.closed[i], curves.varies[i], curves.lines[i]), []).append(i)
    batches = []
    for (count, closed, varies, lines), ids in alike.items():
        index = torch.as_tensor(curves.first[np.array(ids)])[:, None] + torch.arange(count)
        width = checked_width(_width_across(curves, index, varies), len(ids), count, curves.control)
        with torch.no_grad():
            needed = counted(needs(curves.control[index], width / 2, closed, TOLERANCE), closed, "round", "round",
                             1 if lines else LEAST_CHORDS)
        batches.append(_Stroked(tuple(ids), index, closed, width, needed))
    return batches


def _width_across(curves: Curves, index: torch.Tensor, varies: bool) -> torch.Tensor:
    return 2 * (curves.width[index] if varies else curves.width[index[:, 0]])


def _fill(color: Any, scale: tuple[float, float]) -> Fill:
    """A colour on the processor, a gradient in px of the picture."""
    stretch = torch.tensor(scale)
    if isinstance(color, LinearGradient):
        return Linear(_here(color.begin) * stretch, _here(color.end) * stretch, _here(color.offsets),
                      _here(color.stop_colors))
    if isinstance(color, RadialGradient):
        return Radial(_here(color.center) * stretch, _here(color.radius) * stretch, _here(color.offsets),
                      _here(color.stop_colors))
    return _here(color)


def _here(value: torch.Tensor) -> torch.Tensor:
    return value.to("cpu", torch.float32)


def _transformed(vertices: torch.Tensor, groups: Sequence[Any], of_vertex: torch.Tensor) -> torch.Tensor:
    """Vertices under their groups' shape_to_canvas, which stretches strokes, too."""
    if not any(g.shape_to_canvas.requires_grad for g in groups):
        matrices = torch.stack([_here(g.shape_to_canvas) for g in groups])
        if torch.equal(matrices, torch.eye(3).expand_as(matrices)):
            return vertices
    matrix = torch.stack([_here(g.shape_to_canvas) for g in groups])[of_vertex]
    moved = (matrix[:, :, :2] @ vertices[..., None])[..., 0] + matrix[:, :, 2]
    return moved[:, :2] / moved[:, 2:]
