"""What is wrong with a scene, in words. Looked for only after a rendering has failed, so good scenes pay nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from .types import Circle, Ellipse, LinearGradient, Path, Polygon, RadialGradient, Rect


def faults(shapes: tuple[Any, ...], groups: tuple[Any, ...], size: tuple[float, float]) -> Iterator[str]:
    """Sentences, each about one field that is not what diffvg's types say. size: of the canvas, px."""
    if not min(size) >= 1:
        yield f"The canvas expects a width and height from 1 px, got {size[0]} x {size[1]}."
    for i, shape in enumerate(shapes):
        for name, expected, is_right in _fields_of(shape):
            value, whose = getattr(shape, name), f"{name} of shape {i}, a {type(shape).__name__},"
            if not is_right(value):
                yield f"{whose} expects {expected}, got {_told(value)}."
            elif not _is_finite(value):
                yield f"{whose} has a number that is not finite, as steps that are too large bring about."
    for i, group in enumerate(groups):
        for name in ("fill_color", "stroke_color"):
            yield from (f"{name} of group {i} {fault}" for fault in _faults_of_color(getattr(group, name)))
        if not _has_shape(3, 3)(group.shape_to_canvas):
            yield (f"shape_to_canvas of group {i} expects a tensor of shape (3, 3), got "
                   f"{_told(group.shape_to_canvas)}.")
        for name in ("fill_color", "stroke_color", "shape_to_canvas"):
            if not _is_finite(getattr(group, name)):
                yield f"{name} of group {i} has a number that is not finite."


def _fields_of(shape: Any) -> Iterator[tuple[str, str, Callable[[Any], bool]]]:
    """(name, what it expects, whether a value is that) of what can be wrong with a shape."""
    points = 1
    if isinstance(shape, Circle):
        yield "radius", "a tensor of one number", _has_numbers(1)
    if isinstance(shape, Ellipse):
        yield "radius", "a tensor of shape (2,)", _has_shape(2)
    if isinstance(shape, (Circle, Ellipse)):
        yield "center", "a tensor of shape (2,)", _has_shape(2)
        points = 12
    if isinstance(shape, Rect):
        yield "p_min", "a tensor of shape (2,)", _has_shape(2)
        yield "p_max", "a tensor of shape (2,)", _has_shape(2)
        points = 4
    if isinstance(shape, Path):
        yield "num_control_points", "numbers from 0 to 2, one for each segment", _counts
    if isinstance(shape, (Path, Polygon)):
        least = 1 if shape.is_closed else 2
        yield ("points", f"a tensor of shape (K, 2) with K from {least} on",
               lambda v: isinstance(v, torch.Tensor) and v.dim() == 2 and v.shape[1] == 2 and len(v) >= least)
        points = len(shape.points) if isinstance(shape.points, torch.Tensor) and shape.points.dim() else 1
    yield "stroke_width", f"a number, or one for each of {points} points", _has_numbers(1, points)


def _faults_of_color(color: Any) -> Iterator[str]:
    if color is None:
        return
    if isinstance(color, (LinearGradient, RadialGradient)):
        stops = color.stop_colors
        if not (isinstance(stops, torch.Tensor) and stops.dim() == 2 and stops.shape[1] == 4 and len(stops)):
            yield f"expects stop_colors of shape (T, 4), got {_told(stops)}."
        elif not _has_shape(len(stops))(color.offsets):
            yield f"expects as many offsets as stop_colors, {len(stops)}, got {_told(color.offsets)}."
        return
    if not _has_shape(4)(color):
        yield f"expects a tensor of shape (4,), a gradient or None, got {_told(color)}."


def _has_shape(*shape: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, torch.Tensor) and tuple(value.shape) == shape


def _has_numbers(*counts: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, (int, float)) or (isinstance(v, torch.Tensor) and v.numel() in counts)


def _is_finite(value: Any) -> bool:
    return not isinstance(value, torch.Tensor) or bool(torch.isfinite(value).all())


def _counts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, torch.Tensor) and value.dim() == 1)


def _told(value: Any) -> str:
    return f"one of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else f"{value!r:.60}"
