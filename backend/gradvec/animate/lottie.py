"""A drawing's making as Lottie: the JSON that apps and pages play (lottie.github.io/lottie-spec), with its gradients.

A layer is a layer, a stroke a group in it that holds its curves and their fill; what moves is opacity alone. Lottie has
neither filters nor SVG's masks: textures and soft edges are left out, and `left_out` says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import InputError
from ..io import svg
from ..model import Color, Fill, Layer, Line, LinearGradient, Rim, Shape, SolidColor, Stop
from .parts import drawing
from .smil import SUDDEN_S
from .timing import Timing

_CAPS = {"butt": 1, "round": 2, "square": 3}
_ROUND_JOIN, _MITER_JOIN, _NON_ZERO = 2, 1, 1
_LINEAR, _RADIAL = 1, 2
#: Steps between two stops that differ in colour and in opacity.
BETWEEN = 8


def left_out(data: bytes) -> list[str]:
    """What of an SVG Lottie cannot show, in words."""
    root = drawing(data)
    found = [("filter", "its texture"), ("mask", "its soft edges")]
    return [words for name, words in found if any(e.get(name) for e in root.iter("{*}g"))]


def lottie(data: bytes, timing: Timing, by: str, fps: float, size: float | None = None) -> bytes:
    """The making of the SVG ``data``. size: px of its longest side, None: as the drawing is.

    Raises:
        InputError: not an SVG, or without paths.
    """
    document = svg.read(data)
    scale = 1.0 if size is None else size / max(document.width, document.height)
    layers = [layer for layer in document.layers if layer.shapes or layer.lines]
    if not layers:
        raise InputError("There is nothing in this drawing that could appear.", "Choose an SVG with paths.")
    parts = len(layers) if by == "layer" else len(document.shapes) + len(document.lines)
    spans = iter((timing.spans(parts) * fps).tolist())
    end = timing.total * fps
    made = [_layer(layer, number, spans, by, timing.reverse, scale, end, fps) for number, layer in
            enumerate(layers, 1)]
    return json.dumps({"v": "5.7.0", "fr": _n(fps), "ip": 0, "op": _n(end), "w": round(document.width * scale),
                       "h": round(document.height * scale), "nm": "gradvec", "ddd": 0, "assets": [],
                       "layers": made[::-1]}, separators=(",", ":")).encode()


def _layer(layer: Layer, number: int, spans: Iterator[list[float]], by: str, reverse: bool, scale: float, end: float,
           fps: float) -> dict[str, Any]:
    whole = _appearing(next(spans), reverse, fps) if by == "layer" else _still(100)
    groups = []
    drawn: list[Shape | Line] = [*layer.shapes, *layer.lines]
    for one in drawn:
        opacity = _appearing(next(spans), reverse, fps) if by == "stroke" else _still(100)
        groups.append(_group(one, opacity))
    return {"ty": 4, "ind": number, "nm": layer.name or f"layer {number}", "ip": 0, "op": _n(end), "st": 0, "sr": 1,
            "bm": 0, "ks": _transform(whole, scale), "shapes": groups[::-1]}


def _group(one: Shape | Line, opacity: dict[str, Any]) -> dict[str, Any]:
    if isinstance(one, Line):
        items = [_curve(one.points, closed=False), _stroke(one.color, one.width, one.opacity, _CAPS[one.cap],
                                                           _ROUND_JOIN)]
    else:
        items = [_curve(loop, closed=True) for loop in one.outline.loops]
        items += _rim(one.rim)  # what comes first lies on top
        items.append(_fill(one.fill, one.opacity))
    return {"ty": "gr", "nm": one.id, "it": [*items, {"ty": "tr", **_transform(opacity, 1.0)}]}


def _curve(points: np.ndarray, closed: bool) -> dict[str, Any]:
    """Handles are told from their anchors, and each anchor has the one that arrives and the one that leaves."""
    points = np.asarray(points, np.float64)
    anchors = points[::3]
    leaving, arriving = points[1::3], points[2::3]
    if closed:
        arriving = np.roll(arriving, 1, 0)
    else:
        leaving, arriving = np.concatenate([leaving, anchors[-1:]]), np.concatenate([anchors[:1], arriving])
    return {"ty": "sh", "ks": _still({"c": closed, "v": _points(anchors), "i": _points(arriving - anchors),
                                      "o": _points(leaving - anchors)})}


def _points(values: np.ndarray) -> list[list[float]]:
    return [[_n(x), _n(y)] for x, y in values.tolist()]


def _fill(fill: Fill, opacity: float) -> dict[str, Any]:
    about = {"o": _still(_n(opacity * 100)), "r": _NON_ZERO}
    if isinstance(fill, SolidColor):
        return {"ty": "fl", "c": _still(_color(fill.color)), **about}
    stops = _stops(fill.stops)
    numbers = [number for stop in stops for number in (_n(stop.offset, 4), *_color(stop.color)[:3])]
    if any(stop.opacity < 1 for stop in stops):
        numbers += [number for stop in stops for number in (_n(stop.offset, 4), _n(stop.opacity, 4))]
    linear = isinstance(fill, LinearGradient)
    start, end = (((fill.x1, fill.y1), (fill.x2, fill.y2)) if isinstance(fill, LinearGradient)
                  else ((fill.cx, fill.cy), (fill.cx + fill.r, fill.cy)))
    return {"ty": "gf", "t": _LINEAR if linear else _RADIAL, "s": _still([_n(v) for v in start]),
            "e": _still([_n(v) for v in end]), "g": {"p": len(stops), "k": _still(numbers)}, **about}


def _stops(stops: tuple[Stop, ...]) -> list[Stop]:
    """Stops between which any player shows what SVG shows: some mix colours after, some before they are multiplied by
    their opacity, so where both change there are stops in between."""
    dense = [stops[0]]
    for one, other in pairwise(stops):
        steps = BETWEEN if one.opacity != other.opacity and one.color != other.color else 1
        for share in np.arange(1, steps + 1) / steps:
            mixed = (1 - share) * np.array(one.color) + share * np.array(other.color)
            dense.append(Stop(one.offset + share * (other.offset - one.offset), tuple(mixed.tolist()),
                              one.opacity + share * (other.opacity - one.opacity)))
    return dense


def _rim(rim: Rim | None) -> list[dict[str, Any]]:
    return [] if rim is None else [_stroke(rim.color, rim.width, rim.opacity, _CAPS["butt"], _MITER_JOIN)]


def _stroke(color: Color, width: float, opacity: float, cap: int, join: int) -> dict[str, Any]:
    return {"ty": "st", "c": _still(_color(color)), "o": _still(_n(opacity * 100)), "w": _still(_n(width)), "lc": cap,
            "lj": join, "ml": 4}


def _transform(opacity: dict[str, Any], scale: float) -> dict[str, Any]:
    percent = _n(scale * 100, 4)
    return {"o": opacity, "r": _still(0), "p": _still([0, 0]), "a": _still([0, 0]), "s": _still([percent, percent])}


def _appearing(span: list[float], reverse: bool, fps: float) -> dict[str, Any]:
    """Opacity over time; span: in frames."""
    from_, to = (100, 0) if reverse else (0, 100)
    begin, end = span
    if end - begin < SUDDEN_S * fps:
        keys: list[dict[str, Any]] = [{"t": 0, "s": [from_], "h": 1}, {"t": _n(begin, 3), "s": [to], "h": 1}]
        return {"a": 1, "k": keys if begin > 0 else keys[1:]}
    straight = {"i": {"x": [1], "y": [1]}, "o": {"x": [0], "y": [0]}}
    return {"a": 1, "k": [{"t": _n(begin, 3), "s": [from_], **straight}, {"t": _n(end, 3), "s": [to]}]}


def _still(value: Any) -> dict[str, Any]:
    return {"a": 0, "k": value}


def _color(color: Color) -> list[float]:
    return [_n(min(max(channel, 0.0), 1.0), 4) for channel in color] + [1]


def _n(value: float, places: int = 2) -> float | int:
    rounded = round(float(value), places)
    return int(rounded) if rounded == int(rounded) else rounded
