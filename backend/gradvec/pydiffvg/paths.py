"""All shapes of a scene as cubics in one tensor, by one linear map that is kept for scenes of the same structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..render.shapes import UNIT_CIRCLE
from .types import Circle, Ellipse, Path, Polygon, Rect

_CIRCLE = torch.as_tensor(UNIT_CIRCLE, dtype=torch.float32)
#: A rectangle's corners, as shares of p_max.
_CORNERS = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])


@dataclass(frozen=True)
class Curves:
    """control: (M, 2) cubic control points of all shapes; shape i has those from first[i] to first[i + 1].

    width: (M,) px from the middle of the stroke to its border, at each. closed: of each shape. lines: whether it has no
    curves. varies: whether its width does. border: (S, 4) control points of each piece of its border: a cubic or, from
    an open shape's end to its start, a line, all four of which are the end; shape i has those from border_first[i] on.
    """

    control: torch.Tensor
    width: torch.Tensor
    first: np.ndarray
    border: np.ndarray
    border_first: np.ndarray
    closed: tuple[bool, ...]
    lines: tuple[bool, ...]
    varies: tuple[bool, ...]


def structure_of(shape: Any, number: int) -> tuple:
    """What decides a shape's cubics but where they are."""
    if isinstance(shape, Path):
        counts = tuple(torch.as_tensor(shape.num_control_points).tolist())
        _check_path(shape, counts, number)
        return counts, bool(shape.is_closed), len(shape.points)
    if isinstance(shape, Polygon):
        return (0,) * (len(shape.points) - (not shape.is_closed)), bool(shape.is_closed), len(shape.points)
    if isinstance(shape, Rect):
        return (0,) * 4, True, 4
    if isinstance(shape, (Circle, Ellipse)):
        return (2,) * 4, True, 12
    raise InputError(f"Shape {number} is a {type(shape).__name__}, which is none of diffvg's shapes.")


def _check_path(shape: Path, counts: tuple[int, ...], number: int) -> None:
    expected = sum(c + 1 for c in counts) + (not shape.is_closed)
    if not set(counts) <= {0, 1, 2} or not counts:
        raise InputError(f"num_control_points of shape {number} expects numbers from 0 to 2, got {counts}.")
    if tuple(shape.points.shape) != (expected, 2):
        raise InputError(f"Shape {number} expects points of shape ({expected}, 2), got {tuple(shape.points.shape)}.",
                         "A closed path leaves out its last point, which is its first.")


def points_of(shape: Any) -> torch.Tensor:
    """(K, 2) a shape's points before they become cubics."""
    if isinstance(shape, (Path, Polygon)):
        return shape.points
    if isinstance(shape, Rect):
        return shape.p_min + _CORNERS.to(shape.p_min) * (shape.p_max - shape.p_min)
    return shape.center + _CIRCLE.to(shape.center) * shape.radius


class ToCubics:
    """The linear map from all points of shapes of these structures to cubic control points, two terms for each."""

    def __init__(self, structures: tuple[tuple, ...]) -> None:
        index: list[tuple[int, int]] = []
        weight: list[float] = []
        first, at = [0], 0
        for counts, closed, points in structures:
            _append_cubics(counts, closed, points, at, index, weight)
            at += points
            first.append(len(index))
        self.first = np.array(first)
        border = [_border(a, b, len(s[0]), s[1]) for a, b, s in zip(first[:-1], first[1:], structures, strict=True)]
        self.border = np.concatenate(border)
        self.border_first = np.cumsum([0, *map(len, border)])
        self.index = torch.tensor(index, dtype=torch.long).reshape(-1, 2)
        self.weight = torch.tensor(weight, dtype=torch.float32)[:, None]
        self.sizes = torch.tensor([s[2] for s in structures])
        self.closed = tuple(s[1] for s in structures)
        self.lines = tuple(not any(s[0]) for s in structures)

    def __call__(self, shapes: list[Any]) -> Curves:
        points = torch.cat([points_of(s).to("cpu", torch.float32) for s in shapes])
        widths = [torch.as_tensor(s.stroke_width, dtype=torch.float32).cpu() for s in shapes]
        varies = tuple(w.numel() > 1 for w in widths)
        if any(varies):
            spread = [(w if w.numel() > 1 else w.expand(n)).reshape(-1) for w, n in
                      zip(widths, self.sizes.tolist(), strict=True)]
            width = self._mapped(torch.cat(spread)[:, None])[:, 0]
        else:
            alone = all(w.dim() == 0 for w in widths)  # as programs have them: one operation for all
            together = torch.stack(widths) if alone else torch.cat([w.reshape(-1) for w in widths])
            width = together.repeat_interleave(torch.as_tensor(np.diff(self.first)))
        return Curves(self._mapped(points), width, self.first, self.border, self.border_first, self.closed, self.lines,
                      varies)

    def _mapped(self, values: torch.Tensor) -> torch.Tensor:
        # From the first term on, so that what is level or upright stays exactly so.
        start = values[self.index[:, 0]]
        return start + self.weight * (values[self.index[:, 1]] - start)


def _border(first: int, last: int, cubics: int, closed: bool) -> np.ndarray:
    """(S, 4) :attr:`Curves.border` of the shape with the control points from first to last (exclusive)."""
    own = first + (3 * np.arange(cubics)[:, None] + np.arange(4)) % (last - first)
    return own if closed else np.concatenate([own, np.full((1, 4), last - 1)])


def _append_cubics(counts: tuple[int, ...], closed: bool, points: int, at: int, index: list[tuple[int, int]],
                   weight: list[float]) -> None:
    """Adds a path's cubic control points: lines with handles at thirds, quadratics raised by a degree.

    A control point lies at index[0] + weight * (index[1] - index[0]).
    """
    here = at
    for count in counts:
        a, b = here, at + (here - at + count + 1) % points
        handles = {0: ((a, b, 1 / 3), (a, b, 2 / 3)), 1: ((a, a + 1, 2 / 3), (b, a + 1, 2 / 3)),
                   2: ((a + 1, a + 1, 0.0), (a + 2, a + 2, 0.0))}[count]
        for first, second, share in ((a, a, 0.0), *handles):
            index.append((first, second))
            weight.append(share)
        here += count + 1
    if not closed:
        index.append((here, here))
        weight.append(0.0)
