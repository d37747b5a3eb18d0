"""An SVG as a Document: the inverse of :func:`~gradvec.io.svg.write`, also after Inkscape has saved and moved things.

Filled paths are read, and paths without a fill as lines. What an editor leaves behind is undone: transforms of groups,
paths and gradients, stop lists shared by href, styles instead of attributes, the bounding box as a gradient's unit.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from lxml import etree

from ...errors import InputError
from ...model import Document, Layer, Line, Outline, Rim, Shape
from .attributes import bounded, color_of, length, matrix_of, numbers, share, style_property
from .gradients import Gradients
from .path import parse_lines, parse_path
from .write import INKSCAPE, NAMESPACE, OLD_NAMESPACE, SVG

#: No picture is larger, px.
SIDE_MAX = 2**20
#: Bytes of an SVG that is read.
BYTES_MAX = 2**28


def read(data: bytes) -> Document:
    """The filled paths and the lines of an SVG.

    Shapes outside any Inkscape layer come in a layer without a name. Radial gradients under a skew or an uneven scale
    keep their mean radius. Node types are not read: which nodes are smooth follows from their handles, when shapes are
    refined and when they are written again, also where another program moved a node and left its type.

    Raises:
        InputError: not an SVG, or a path or gradient that cannot be understood.
    """
    root = parse(data)
    width, height = size_of(root)
    gradients = Gradients(root)
    layers: list[tuple[etree._Element | None, list[Shape], list[Line]]] = []
    for found in _paths(root):
        with _named(found.element):
            shape, lines = _shape(found, gradients), _lines(found)
        if shape is None and not lines:
            continue
        # Lines of a layer lie above its shapes: a shape above a line begins another part of it.
        if not layers or layers[-1][0] is not found.layer or (shape is not None and layers[-1][2]):
            layers.append((found.layer, [], []))
        layers[-1][1].extend([shape] if shape is not None else [])
        layers[-1][2].extend(lines)
    return Document(width, height, tuple(_layer(*one) for one in layers), stored_run(root))


@contextmanager
def _named(element: etree._Element) -> Iterator[None]:
    """What cannot be read inside says which element it belongs to."""
    try:
        yield
    except InputError as error:
        name = element.get("id")
        where = repr(name[:40]) if name else f"in line {element.sourceline}"
        raise InputError(f"{etree.QName(element).localname} {where}: {error.message}", error.remedy) from error


def parse(data: bytes) -> etree._Element:
    """The root element of an SVG; entities are not resolved and nothing is fetched.

    Raises:
        InputError: not well-formed, or not an SVG.
    """
    if len(data) > BYTES_MAX:
        raise InputError(f"The SVG has {len(data) / 1e6:.0f} MB; at most {BYTES_MAX / 1e6:.0f} MB are read.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"This is not a readable SVG: {str(error).splitlines()[0] if str(error) else 'empty'}.",
                         "Choose an SVG file that opens in a browser.") from error
    if root.tag != f"{{{SVG}}}svg":
        raise InputError(f"This is XML, but its root is {etree.QName(root).localname!r}, not svg.",
                         "Choose an SVG file.")
    return root


def size_of(root: etree._Element) -> tuple[int, int]:
    """(width, height) in user units: the viewBox, or width and height where there is none."""
    box = numbers(root.get("viewBox", ""))
    if len(box) != 4:
        box = [0.0, 0.0, *(length(root.get(name, "")) for name in ("width", "height"))]
    if not (box[2] > 0 and box[3] > 0):
        raise InputError("The SVG does not say how large it is.", "Give its root a viewBox.")
    if max(box[2:]) > SIDE_MAX:
        raise InputError(f"The SVG is {box[2]:.0f} x {box[3]:.0f}; at most {SIDE_MAX} a side are read.")
    return max(1, round(box[2])), max(1, round(box[3]))


def _view_matrix(root: etree._Element) -> np.ndarray:
    box = numbers(root.get("viewBox", ""))
    matrix = np.eye(3)
    if len(box) == 4:
        matrix[:2, 2] = -box[0], -box[1]
    return matrix


@dataclass(frozen=True)
class _Found:
    """A group or path with what it inherits: its nearest layer, matrix to px, opacity of its groups, fill."""

    element: etree._Element
    layer: etree._Element | None
    matrix: np.ndarray
    opacity: float
    fill: str


def _paths(root: etree._Element) -> Iterator[_Found]:
    """The paths in paint order, however deep they lie; what is hidden is left out."""
    waiting = [_Found(root, None, _view_matrix(root), 1.0, style_property(root, "fill"))]
    while waiting:
        found = waiting.pop()
        if found.element.tag == f"{{{SVG}}}path":
            yield found
            continue
        waiting += [inner for child in reversed(found.element) if (inner := _inside(child, found)) is not None]


def _inside(child: etree._Element, parent: _Found) -> _Found | None:
    if child.tag not in (f"{{{SVG}}}g", f"{{{SVG}}}path") or style_property(child, "display") == "none":
        return None
    with _named(child):
        matrix = bounded(parent.matrix @ matrix_of(child.get("transform", "")))
    group = child.tag == f"{{{SVG}}}g"
    is_layer = group and child.get(f"{{{INKSCAPE}}}groupmode") == "layer"
    return _Found(child, child if is_layer else parent.layer, matrix,
                  parent.opacity * (share(child, "opacity") if group else 1.0),
                  style_property(child, "fill") or parent.fill)


def _layer(element: etree._Element | None, shapes: list[Shape], lines: list[Line]) -> Layer:
    if element is None:
        return Layer("", tuple(shapes), lines=tuple(lines))
    key = element.get("id", "").removeprefix("gradvec-")
    return Layer(element.get(f"{{{INKSCAPE}}}label", ""), tuple(shapes), key, tuple(lines))


def stored_run(root: etree._Element) -> dict:
    """Settings and seed that a document of ours carries; empty where it carries none."""
    metadata = root.find(f"{{{SVG}}}metadata")
    text = metadata.get(f"{{{NAMESPACE}}}run") if metadata is not None else None
    if text is None:  # up to gradvec 0.1 it was an element
        found = (root.findtext(f".//{{{namespace}}}run") for namespace in (NAMESPACE, OLD_NAMESPACE))
        text = next((text for text in found if text), None)
    if not text:
        return {}
    try:
        meta = json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError("The settings stored in the SVG cannot be read.",
                         "Remove gradvec:run from its metadata.") from error
    return meta if isinstance(meta, dict) else {}


def _finite(text: str) -> float:
    return float(text) if math.isfinite(float(text)) else _not_finite(text)


def _not_finite(text: str) -> float:
    raise ValueError(f"{text[:20]} is not a finite number")


def _shape(found: _Found, gradients: Gradients) -> Shape | None:
    element, matrix = found.element, found.matrix
    outline = parse_path(element.get("d", ""))
    if found.fill == "none" or not outline.loops:
        return None
    fill = gradients.fill(found.fill or "#000000", outline, matrix)
    moved = Outline(tuple(bounded(loop @ matrix[:2, :2].T + matrix[:2, 2]) for loop in outline.loops))
    return Shape(moved, fill, found.opacity * share(element, "opacity") * share(element, "fill-opacity"),
                 _level(element), element.get("id", ""), element.get(f"{{{INKSCAPE}}}label", ""),
                 element.get(f"{{{NAMESPACE}}}brush", ""), _rim(element, matrix))


def _level(element: etree._Element) -> int:
    level = element.get(f"{{{NAMESPACE}}}level") or element.get(f"{{{OLD_NAMESPACE}}}level", "0")
    return int(level) if re.fullmatch("[0-9]{1,6}", level) else 0


def _lines(found: _Found) -> list[Line]:
    """What a path without a fill draws: a line for each of its parts."""
    element, matrix = found.element, found.matrix
    pen = _rim(element, matrix) if found.fill == "none" else None
    if pen is None:
        return []
    cap = style_property(element, "stroke-linecap")
    return [Line(bounded(points @ matrix[:2, :2].T + matrix[:2, 2]), pen.color, pen.width,
                 found.opacity * share(element, "opacity") * pen.opacity, cap if cap in ("round", "square") else "butt",
                 _level(element), element.get("id", ""), element.get(f"{{{INKSCAPE}}}label", ""))
            for points in parse_lines(element.get("d", ""))]


def _rim(element: etree._Element, matrix: np.ndarray) -> Rim | None:
    """An outline's line in one colour; other paint along outlines is left out."""
    paint = style_property(element, "stroke")
    if paint in ("", "none") or paint.startswith(("url(", "context-")):
        return None
    width = length(style_property(element, "stroke-width") or "1") * math.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    return Rim(color_of(paint), width, share(element, "stroke-opacity")) if width > 0 else None
