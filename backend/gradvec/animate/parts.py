"""The parts of a drawing that appear one after the other: its strokes, or its layers, as elements of the SVG itself.

Working on the elements keeps whatever lies over them: texture filters, soft edges, clips, what other programs added.
"""

from __future__ import annotations

from lxml import etree

from ..errors import InputError
from ..io.svg.attributes import style_property
from ..io.svg.read import parse
from ..io.svg.write import INKSCAPE, SVG

_DRAWN = {f"{{{SVG}}}{name}" for name in ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text",
                                          "image", "use")}
_HOLDING = {f"{{{SVG}}}{name}" for name in ("g", "a", "switch")}
_MOVING = [f"{{{SVG}}}{name}" for name in ("animate", "set", "animateTransform", "animateMotion", "script")]


def drawing(data: bytes) -> etree._Element:
    """The root of an SVG that stands still: what moves in it already, and scripts, are taken out.

    Raises:
        InputError: not an SVG.
    """
    root = parse(data)
    for element in list(root.iter(*_MOVING)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return root


def parts_of(root: etree._Element, by: str) -> list[etree._Element]:
    """Elements in paint order. by: "stroke", or "layer": the innermost Inkscape layers, and what lies in none.

    Raises:
        InputError: there is nothing to be seen in the drawing.
    """
    found: list[etree._Element] = []
    waiting = list(reversed(root))
    while waiting:
        element = waiting.pop()
        if style_property(element, "display") == "none":
            continue
        if element.tag in _DRAWN or (by == "layer" and _innermost(element)):
            found.append(element)
        elif element.tag in _HOLDING:
            waiting += reversed(element)
    if not found:
        raise InputError("There is nothing in this drawing that could appear.", "Choose an SVG that shows something.")
    return found


def _innermost(element: etree._Element) -> bool:
    return _is_layer(element) and len(element) > 0 and not any(_is_layer(inner) for inner in element.iterdescendants())


def _is_layer(element: etree._Element) -> bool:
    return element.tag == f"{{{SVG}}}g" and element.get(f"{{{INKSCAPE}}}groupmode") == "layer"
