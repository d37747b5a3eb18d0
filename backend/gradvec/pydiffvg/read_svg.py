"""SVG files as diffvg's shapes and groups: paths, polygons, lines, circles, ellipses, rectangles, and gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import torch
from lxml import etree

from ..color.css import parse_color
from ..errors import InputError
from ..io.svg.attributes import length, matrix_of, numbers, share
from ..io.svg.path import arc_cubics, commands
from ..io.svg.read import parse, size_of
from ..render.build import Linear, Radial, transformed_fill
from ..render.reference import bernstein
from ..render.shapes import transformed
from .paths import ToCubics, structure_of
from .types import Circle, Ellipse, LinearGradient, Path, Polygon, RadialGradient, Rect, ShapeGroup

Paint = Any
_NO_PAINT = ("none", "transparent", "")
_XLINK = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class _Look:
    """What elements inherit. stroke_width: px across, as SVG means it."""

    matrix: np.ndarray
    fill: str = "#000000"
    stroke: str = "none"
    stroke_width: float = 1.0
    opacity: float = 1.0
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0
    even_odd: bool = False


def svg_to_scene(filename: str) -> tuple[int, int, list[Any], list[ShapeGroup]]:
    """(canvas width, canvas height, shapes, groups) of a file.

    Raises:
        InputError: it is not there, is no SVG, or holds what cannot be read.
    """
    try:
        data = FilePath(filename).read_bytes()
    except OSError as error:
        raise InputError(f"{filename} cannot be read.") from error
    return svg_str_to_scene(data)


def svg_str_to_scene(svg: str | bytes) -> tuple[int, int, list[Any], list[ShapeGroup]]:
    """As :func:`svg_to_scene`, of an SVG's text."""
    root = parse(svg.encode() if isinstance(svg, str) else svg)
    size_of(root)  # says what is wrong with it
    box = numbers(root.get("viewBox", ""))
    sides = box[2:] if len(box) == 4 else [length(root.get(name, "")) for name in ("width", "height")]
    # Cut off, as diffvg has it: programs compare the picture with one of that size.
    width, height = (max(1, int(side)) for side in sides)
    matrix = np.eye(3)
    if len(box) == 4:
        matrix[:2, 2] = -box[0], -box[1]
    reader = _Reader(root, (box[2], box[3]) if len(box) == 4 else (float(width), float(height)))
    reader.walk(root, _Look(matrix))
    return width, height, reader.shapes, reader.groups


class _Reader:
    def __init__(self, root: etree._Element, size: tuple[float, float]) -> None:
        self.size = size
        self.shapes: list[Any] = []
        self.groups: list[ShapeGroup] = []
        self.named = {e.get("id"): e for e in root.iter() if isinstance(e.tag, str) and e.get("id")}
        self.classes = _style_sheet(root)

    def walk(self, element: etree._Element, look: _Look) -> None:
        for child in element:
            if not isinstance(child.tag, str):
                continue
            tag = etree.QName(child).localname
            if tag in ("defs", "clipPath", "mask", "symbol", "pattern", "metadata", "style"):
                continue
            if (_declarations(child.get("style", "")).get("display") or child.get("display", "")).strip() == "none":
                continue
            own = self._look(child, look)
            if tag in ("g", "svg", "a"):
                self.walk(child, own)
            else:
                self._shape(child, tag, own)

    def _look(self, element: etree._Element, outer: _Look) -> _Look:
        style = {name: value for name, value in element.attrib.items() if isinstance(name, str)}
        for name in element.get("class", "").split():
            style.update(self.classes.get(name, {}))
        style.update(_declarations(element.get("style", "")))

        def part(name: str, inherited: float) -> float:
            holder = etree.Element("x", {name: style[name]}) if name in style else None
            return inherited if holder is None else share(holder, name)

        matrix = outer.matrix @ matrix_of(style["transform"]) if "transform" in style else outer.matrix
        return replace(
            outer, matrix=matrix, fill=style.get("fill", outer.fill), stroke=style.get("stroke", outer.stroke),
            stroke_width=length(style["stroke-width"]) if "stroke-width" in style else outer.stroke_width,
            opacity=outer.opacity * part("opacity", 1.0), fill_opacity=part("fill-opacity", outer.fill_opacity),
            stroke_opacity=part("stroke-opacity", outer.stroke_opacity),
            even_odd=style["fill-rule"] == "evenodd" if "fill-rule" in style else outer.even_odd)

    def _shape(self, element: etree._Element, tag: str, look: _Look) -> None:
        made = _shapes_of(element, tag, look.fill.strip() not in _NO_PAINT)
        if not made:
            return
        fill = self._paint(look.fill, look.opacity * look.fill_opacity, look.matrix, made)
        stroke = self._paint(look.stroke, look.opacity * look.stroke_opacity, look.matrix, made)
        matrix = torch.tensor(look.matrix, dtype=torch.float32)
        width = look.stroke_width / 2
        if tag == "path":  # as diffvg does: a path's points are px of the canvas
            for shape in made:
                shape.points = transformed(shape.points, matrix).contiguous()
            width, matrix = width * float(abs(np.linalg.det(look.matrix[:2, :2]))) ** 0.5, torch.eye(3)
        for shape in made:
            shape.stroke_width = torch.tensor(width)
            shape.id = element.get("id", "")
        first = len(self.shapes)
        self.shapes += made
        self.groups.append(ShapeGroup(torch.arange(first, len(self.shapes)), fill, look.even_odd, stroke,
                                      matrix, element.get("id", "")))

    def _paint(self, text: str, opacity: float, matrix: np.ndarray, shapes: list[Any]) -> Paint:
        text = text.strip()
        if text in _NO_PAINT:
            return None
        if text.startswith("url("):
            element = self.named.get(text[4:].split(")")[0].strip(" '\"#"))
            return None if element is None else self._gradient(element, opacity, matrix, shapes)
        return torch.tensor(_rgba("#000000" if text == "currentColor" else text, opacity))

    def _gradient(self, element: etree._Element, opacity: float, matrix: np.ndarray, shapes: list[Any]) -> Paint:
        """In px of the canvas. What an element lacks, those that it refers to have."""
        chain = [element]
        while len(chain) < 16 and (after := self.named.get(_reference(chain[-1]))) is not None:
            chain.append(after)
        stops = next((found for e in chain if (found := [s for s in e if _is_stop(s)])), [])
        if not stops:
            return None
        looks = [_declarations(s.get("style", "")) for s in stops]
        colors = [_rgba(look.get("stop-color", s.get("stop-color", "#000000")), opacity * share(s, "stop-opacity"))
                  for s, look in zip(stops, looks, strict=True)]
        offsets = np.maximum.accumulate([share(s, "offset") if s.get("offset") else 0.0 for s in stops])

        def value(name: str, default: str) -> str:
            return next((e.get(name) for e in chain if e.get(name) is not None), default)

        in_box = value("gradientUnits", "objectBoundingBox") != "userSpaceOnUse"
        unit = (1.0, 1.0) if in_box else self.size

        def place(name: str, default: str) -> float:
            text = value(name, default).strip()
            whole = float(np.hypot(*unit) / 2**0.5) if name == "r" else unit["xy".index(name.strip("c12"))]
            return length(text[:-1]) / 100 * whole if text.endswith("%") else length(text)

        moved = matrix @ (_box_matrix(shapes) if in_box else np.eye(3)) @ matrix_of(value("gradientTransform", ""))
        if abs(np.linalg.det(moved)) < 1e-12:  # of a shape without width or height nothing is seen
            return torch.tensor(colors[-1])
        rest = torch.tensor(offsets, dtype=torch.float32), torch.tensor(colors, dtype=torch.float32)
        to_canvas = torch.from_numpy(moved)
        if etree.QName(element).localname == "linearGradient":
            start, end = (torch.tensor([place(x, otherwise), place(y, "0%")]).double()
                          for x, y, otherwise in (("x1", "y1", "0%"), ("x2", "y2", "100%")))
            if torch.equal(start, end):
                return rest[1][-1]
            linear = transformed_fill(Linear(start, end, *rest), to_canvas)
            return LinearGradient(linear.start.float(), linear.end.float(), *rest)
        center = torch.tensor([place("cx", "50%"), place("cy", "50%")]).double()
        radial = transformed_fill(Radial(center, torch.tensor(place("r", "50%")).double(), *rest), to_canvas)
        return RadialGradient(radial.center.float(), _radii(radial.radius).float(), *rest)


def _rgba(text: str, opacity: float) -> list[float]:
    color, own = parse_color(text)
    return [*color, own * opacity]


def _radii(axes: torch.Tensor) -> torch.Tensor:
    """(2,) half axes along x and y, or the (2, 2) given ones where the ellipse is turned."""
    spread = axes.T @ axes
    upright = float(spread[0, 1].abs()) <= 1e-6 * float(spread.diagonal().sum())
    return spread.diagonal().sqrt() if upright else axes


def _box_matrix(shapes: list[Any]) -> np.ndarray:
    """From the unit square to the bounding box of all shapes, found to about a thousandth of its size."""
    curves = ToCubics(tuple(structure_of(s, i) for i, s in enumerate(shapes)))(shapes)
    drawn = bernstein(32) @ curves.control.detach().double().numpy()[curves.border]
    (left, top), (right, bottom) = drawn.min((0, 1)), drawn.max((0, 1))
    return np.array([[right - left, 0, left], [0, bottom - top, top], [0, 0, 1.0]])


def _is_stop(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).localname == "stop"


def _reference(element: etree._Element) -> str:
    return (element.get(_XLINK) or element.get("href") or "").lstrip("#")


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _style_sheet(root: etree._Element) -> dict[str, dict[str, str]]:
    """Declarations of the rules that name classes: ``.a, .b { ... }``."""
    found: dict[str, dict[str, str]] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and etree.QName(element).localname == "style":
            for rule in (element.text or "").split("}"):
                selectors, opened, body = rule.partition("{")
                for name in selectors.split(",") if opened else ():
                    if name.strip().startswith("."):
                        found.setdefault(name.strip()[1:], {}).update(_declarations(body))
    return found


def _shapes_of(element: etree._Element, tag: str, filled: bool) -> list[Any]:
    def number(name: str) -> float:
        return length(element.get(name, "0"))

    if tag == "path":
        return from_svg_path(element.get("d", ""), force_close=filled)
    if tag in ("polygon", "polyline"):
        points = torch.tensor(numbers(element.get("points", "")), dtype=torch.float32)
        points = points[:len(points) // 2 * 2].reshape(-1, 2)
        return [Polygon(points, tag == "polygon" or filled)] if len(points) > 1 else []
    if tag == "line":
        ends = torch.tensor([[number("x1"), number("y1")], [number("x2"), number("y2")]])
        return [Polygon(ends, False)]
    center = torch.tensor([number("cx"), number("cy")])
    if tag == "circle":
        return [Circle(torch.tensor(number("r")), center)]
    if tag == "ellipse":
        return [Ellipse(torch.tensor([number("rx"), number("ry")]), center)]
    if tag == "rect":
        corner = torch.tensor([number("x"), number("y")])
        return [Rect(corner, corner + torch.tensor([number("width"), number("height")]))]
    return []


def from_svg_path(path_str: str, shape_to_canvas: torch.Tensor | None = None, force_close: bool = False) -> list[Path]:
    """A Path for each subpath of path data. Lines and quadratics stay what they are; arcs become cubics.

    shape_to_canvas: (3, 3), applied to the points. force_close: subpaths that are open end where they began.
    """
    pen = _Pen()
    for command, n in commands(path_str):
        pen.draw(command, n)
    pen.end(False)
    result = []
    for counts, points, closed in pen.found:
        if force_close and not closed:
            counts, closed = [*counts, 0], True
        place = torch.tensor(points, dtype=torch.float32)
        if shape_to_canvas is not None:
            place = transformed(place, shape_to_canvas).contiguous()
        result.append(Path(torch.tensor(counts, dtype=torch.int32), place, closed))
    return result


class _Pen:
    """Subpaths as diffvg counts them: (control points of each segment, points, whether it is closed)."""

    def __init__(self) -> None:
        self.found: list[tuple[list[int], list[tuple[float, float]], bool]] = []
        self.counts: list[int] = []
        self.points: list[complex] = []
        self.start = self.at = 0j
        self.handle: complex | None = None
        self.last = ""

    def end(self, closed: bool) -> None:
        """Ends a subpath. One that comes back to its first point is closed, too, unless it never left it: a dot."""
        points, counts = self.points, self.counts
        if counts:
            if abs(points[-1] - points[0]) < 1e-5 and len(points) > 2:
                points, closed = points[:-1], True
            elif closed:
                counts = [*counts, 0]
            self.found.append((counts, [(p.real, p.imag) for p in points], closed))
        self.counts, self.points = [], []

    def segment(self, *points: complex) -> None:
        if not self.points:
            self.points.append(self.at)
        self.counts.append(len(points) - 1)
        self.points += points
        self.at = points[-1]

    def draw(self, command: str, n: list[float]) -> None:
        kind = command.upper()
        base = self.at if command.islower() else 0j
        p = [base + complex(n[i], n[i + 1]) for i in range(0, len(n) - 1, 2)] if kind not in "HVA" else []
        mirrored = 2 * self.at - self.handle if self.handle is not None else self.at
        handle = None
        if kind == "M":
            self.end(False)
            self.start = self.at = p[0]
        elif kind == "Z":
            self.end(True)
            self.at = self.start
        elif kind in "LHV":
            end = {"L": lambda: p[0], "H": lambda: complex(base.real + n[0], self.at.imag),
                   "V": lambda: complex(self.at.real, base.imag + n[0])}[kind]()
            self.segment(end)
        elif kind in "CS":
            first = p[0] if kind == "C" else (mirrored if self.last in "CS" else self.at)
            handle = p[-2]
            self.segment(first, p[-2], p[-1])
        elif kind in "QT":
            handle = p[0] if kind == "Q" else (mirrored if self.last in "QT" else self.at)
            self.segment(handle, p[-1])
        else:
            for cubic in arc_cubics(self.at, base + complex(n[5], n[6]), n[:5]):
                self.segment(*cubic)
        self.handle, self.last = handle, kind
