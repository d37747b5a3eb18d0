"""diffvg's own types under diffvg's own names: what a program puts into a scene. Fields may be replaced at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import torch

Width = torch.Tensor


def _one() -> torch.Tensor:
    return torch.tensor(1.0)


def _nowhere() -> torch.Tensor:
    return torch.zeros(2)


@dataclass(eq=False)
class Circle:
    """radius: scalar px. center: (2,). stroke_width: scalar px, half of what the stroke is wide, as everywhere here."""

    radius: torch.Tensor
    center: torch.Tensor
    stroke_width: Width = field(default_factory=_one)
    id: str = ""


@dataclass(eq=False)
class Ellipse:
    """radius: (2,) px along x and y. center: (2,)."""

    radius: torch.Tensor
    center: torch.Tensor
    stroke_width: Width = field(default_factory=_one)
    id: str = ""


@dataclass(eq=False)
class Path:
    """num_control_points: (S,) between the ends of each segment: 0 a line, 1 a quadratic, 2 a cubic.

    points: (K, 2) px, one after the other; an open path ends with its last point, a closed one goes back to its first.
    stroke_width: scalar, or (K,) for each point. use_distance_approx: changes nothing here.
    """

    num_control_points: torch.Tensor
    points: torch.Tensor
    is_closed: bool
    stroke_width: Width = field(default_factory=_one)
    id: str = ""
    use_distance_approx: bool = False


@dataclass(eq=False)
class Polygon:
    """points: (K, 2) px, joined by lines."""

    points: torch.Tensor
    is_closed: bool
    stroke_width: Width = field(default_factory=_one)
    id: str = ""


@dataclass(eq=False)
class Rect:
    """p_min, p_max: (2,) px, upper left and lower right."""

    p_min: torch.Tensor
    p_max: torch.Tensor
    stroke_width: Width = field(default_factory=_one)
    id: str = ""


@dataclass(eq=False)
class LinearGradient:
    """begin, end: (2,) px of the canvas. offsets: (T,). stop_colors: (T, 4) straight RGBA."""

    begin: torch.Tensor = field(default_factory=_nowhere)
    end: torch.Tensor = field(default_factory=_nowhere)
    offsets: torch.Tensor = field(default_factory=lambda: torch.zeros(1))
    stop_colors: torch.Tensor = field(default_factory=lambda: torch.zeros(1, 4))


@dataclass(eq=False)
class RadialGradient:
    """center: (2,) px of the canvas. radius: (2,) px along x and y.

    What diffvg does not have: radius (2, 2), the two half axes, one a row, of an ellipse that is turned. svg_to_scene()
    gives them for gradients with such a transform.
    """

    center: torch.Tensor = field(default_factory=_nowhere)
    radius: torch.Tensor = field(default_factory=_nowhere)
    offsets: torch.Tensor = field(default_factory=lambda: torch.zeros(1))
    stop_colors: torch.Tensor = field(default_factory=lambda: torch.zeros(1, 4))


@dataclass(eq=False)
class ShapeGroup:
    """Shapes that are painted as one. shape_ids: (M,) indices into the scene's shapes.

    fill_color, stroke_color: (4,) straight RGBA, a gradient, or None. shape_to_canvas: (3, 3), for points (x, y, 1).
    """

    shape_ids: torch.Tensor | Sequence[int]
    fill_color: Any
    use_even_odd_rule: bool = True
    stroke_color: Any = None
    shape_to_canvas: torch.Tensor = field(default_factory=lambda: torch.eye(3))
    id: str = ""


class FilterType(IntEnum):
    box = 0
    tent = 1
    parabolic = 2
    hann = 3
    RadialParabolic = 4


class OutputType(IntEnum):
    color = 1
    sdf = 2


class PixelFilter:
    """A box of one px, radius 0.5, is what there is."""

    def __init__(self, type: FilterType = FilterType.box, radius: torch.Tensor | float = 0.5) -> None:
        self.type, self.radius = type, radius
