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
from ..render.scene import Scene
from ..render.strokes import LEAST_CHORDS, TOLERANCE, checked_width, counted
from .chords import Chords
from .paths import Curves, ToCubics, structure_of
from .types import LinearGradient, RadialGradient

#: px that a fill's chords may stray, and how many a segment has at most.
_STRAY, _MOST_CHORDS = 0.02, 128
#: Segments keep chords that they needed before, as long as all of them together have no more than so many times what
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
    """Where everything goes, of one structure.

    chords: (S,) of each piece of the shapes' borders, 0 where there is no fill. rooms: of each batch, the vertices that
    its strokes have room for.
    """

    def __init__(self, curves: Curves, groups: tuple[tuple, ...], chords: np.ndarray, stroked: list[_Stroked],
                 rooms: list[np.ndarray], kinds: tuple[tuple, ...], size: tuple[int, int]) -> None:
        self.rooms, self.chords = rooms, chords
        self.used = np.flatnonzero(chords)
        filled = offsets_of(chords)[curves.border_first]
        loops = [np.stack([filled[:-1], np.diff(filled)], 1)]
        line_of: dict[int, int] = {}
        count, at = len(curves.closed), int(filled[-1])
        for batch, room in zip(stroked, rooms, strict=True):
            line_of.update(zip(batch.shapes, range(count, count + len(room)), strict=True))
            loops.append(np.stack([at + offsets_of(room)[:-1], room], 1))
            count, at = count + len(room), at + int(room.sum())
        wanted, loop_counts, owner, rules = [], [], [], []
        for g, (ids, has_fill, has_stroke, even_odd) in enumerate(groups):
            for present, of, rule in ((has_stroke, line_of, 0), (has_fill, None, even_odd)):
                if present:
                    wanted += [i if of is None else of[i] for i in ids]
                    loop_counts.append(len(ids))
                    owner.append(g)
                    rules.append(rule)
        start, length = np.concatenate(loops)[wanted].T
        vertices = offsets_of(length)
        order = np.repeat(start - vertices[:-1], length) + np.arange(vertices[-1])
        self.order = None if np.array_equal(order, np.arange(at)) else torch.as_tensor(order)
        outline_loops = offsets_of(loop_counts)
        self.group_of_vertex = torch.as_tensor(np.repeat(np.array(owner, np.int64), np.diff(vertices[outline_loops])))
        kind, stops = kinds
        self.topology = shared_topology(3 * vertices, outline_loops, offsets_of(stops), np.array(kind, np.uint8),
                                        np.zeros(len(owner), np.int64), np.array([size]), 1, np.array(rules, np.uint8))


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
    filled = np.zeros(len(shape_structures), bool)
    filled[[i for ids, has_fill, _, _ in groups if has_fill for i in ids]] = True
    chords = _chord_counts(curves, filled)
    stroked = _stroke_batches(curves, sorted({i for ids, _, has_stroke, _ in groups if has_stroke for i in ids}))
    key = (shape_structures, groups, tuple(b.shapes for b in stroked), tuple(kinds), tuple(stops), width, height)
    known = _layouts.get(key)
    before = known.rooms if known is not None else [np.zeros(len(b.shapes), np.int64) for b in stroked]
    if known is not None and known.chords.sum() <= _MOST_OF_NEEDED * chords.sum():
        enough = (known.chords >= chords).all()
        chords = known.chords if enough else np.maximum(_chord_counts(curves, filled, _SPARE), known.chords)
    drawn = [b.outlines(curves, room) for b, room in zip(stroked, before, strict=True)]
    rooms = [room for _, room in drawn]
    layout = _kept(key, chords, rooms,
                   lambda: _Layout(curves, groups, chords, stroked, rooms, (kinds, stops), (width, height)))
    vertices = [v for v, _ in drawn]
    if len(layout.used):
        vertices.insert(0, Chords.apply(curves.control, curves.border[layout.used], chords[layout.used]))
    chain = torch.cat(vertices) if vertices else curves.control[:0]
    if layout.order is not None:
        chain = torch.index_select(chain, 0, layout.order)
    chain = _transformed(chain, given.groups, layout.group_of_vertex)
    if scale != (1, 1):
        chain = chain * torch.tensor(scale)
    return Scene(layout.topology, as_cubics(chain), geometry, offsets, colors, torch.ones(len(fills)),
                 torch.zeros(1, 4))


def _kept(key: tuple, chords: np.ndarray, rooms: list[np.ndarray], make: Callable[[], _Layout]) -> _Layout:
    """The layout of this structure, made anew where shapes have come to need more chords or vertices than it has."""
    old = _layouts.get(key)
    if old is None or not np.array_equal(old.chords, chords) or not all(map(np.array_equal, old.rooms, rooms)):
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


def _chord_counts(curves: Curves, filled: np.ndarray, times: float = 1.0) -> np.ndarray:
    """(S,) chords of each piece of the borders for it to stray no more than _STRAY; 0 for those without a fill.

    filled: (shapes,) bool. times: how many times as many as that takes.
    """
    p = curves.control.detach().numpy()[curves.border]
    bends = np.abs(p[:, 2:] - 2 * p[:, 1:-1] + p[:, :-2]).max((1, 2)).astype(np.float64)
    # A cubic's second derivative is at most 6 times its control points' second difference, here of one coordinate.
    need = np.nan_to_num(np.ceil(times * np.sqrt(6 / 8 * 2**0.5 * bends / _STRAY))).clip(LEAST_CHORDS, _MOST_CHORDS)
    straight = np.repeat(curves.lines, np.diff(curves.border_first))
    straight |= curves.border[:, 0] == curves.border[:, 1]
    return np.where(np.repeat(filled, np.diff(curves.border_first)), np.where(straight, 1, need), 0).astype(np.int64)


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
