"""An SVG as a Document: the inverse of :func:`~gradvec.io.svg.write`, also after Inkscape has saved and moved things.

Only filled paths are read. What an editor leaves behind is undone: transforms of groups, paths and gradients, stop
lists shared by href, styles instead of attributes, the bounding box as a gradient's unit.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import numpy as np
from lxml import etree

from ...errors import InputError
from ...model import Color, Document, Fill, Layer, LinearGradient, Outline, RadialGradient, Rim, Shape, SolidColor, Stop
from .path import parse_path
from .write import INKSCAPE, NAMESPACE, SVG

_HREFS = ("{http://www.w3.org/1999/xlink}href", "href")
_NAMED = {"black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
          "yellow": "#ffff00", "gray": "#808080", "grey": "#808080"}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def read(data: bytes) -> Document:
    """The filled paths of an SVG.

    Shapes outside any Inkscape layer come in a layer without a name. Radial gradients under a skew or an uneven scale
    keep their mean radius.

    Raises:
        InputError: not an SVG, or a path or gradient that cannot be understood.
    """
    root = parse(data)
    width, height = size_of(root)
    by_id = {e.get("id"): e for e in root.iter(etree.Element) if e.get("id")}
    layers: list[tuple[etree._Element | None, list[Shape]]] = []
    for element, layer, matrix, opacity in _paths(root, None, _view_matrix(root), 1.0):
        shape = _shape(element, matrix, opacity, by_id)
        if shape is None:
            continue
        if not layers or layers[-1][0] is not layer:
            layers.append((layer, []))
        layers[-1][1].append(shape)
    return Document(width, height, tuple(_layer(element, shapes) for element, shapes in layers), stored_run(root))


def parse(data: bytes) -> etree._Element:
    """The root element of an SVG; entities are not resolved and nothing is fetched.

    Raises:
        InputError: not well-formed, or not an SVG.
    """
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
    box = [float(n) for n in _NUMBER.findall(root.get("viewBox", ""))]
    if len(box) != 4:
        box = [0.0, 0.0, *(_length(root.get(name, "")) for name in ("width", "height"))]
    if not (box[2] > 0 and box[3] > 0):
        raise InputError("The SVG does not say how large it is.", "Give its root a viewBox.")
    return max(1, round(box[2])), max(1, round(box[3]))


def _length(text: str) -> float:
    match = _NUMBER.match(text.strip())
    return float(match[0]) if match and not text.strip().endswith("%") else 0.0


def _view_matrix(root: etree._Element) -> np.ndarray:
    box = [float(n) for n in _NUMBER.findall(root.get("viewBox", ""))]
    matrix = np.eye(3)
    if len(box) == 4:
        matrix[:2, 2] = -box[0], -box[1]
    return matrix


def _paths(element: etree._Element, layer: etree._Element | None, matrix: np.ndarray,
           opacity: float) -> Iterator[tuple[etree._Element, etree._Element | None, np.ndarray, float]]:
    """(path, its nearest layer, matrix to px, opacity of its groups) in paint order; what is hidden is left out."""
    for child in element:
        if not isinstance(child.tag, str) or _property(child, "display") == "none":
            continue
        inner = matrix @ _matrix(child.get("transform", ""))
        if child.tag == f"{{{SVG}}}g":
            is_layer = child.get(f"{{{INKSCAPE}}}groupmode") == "layer"
            yield from _paths(child, child if is_layer else layer, inner, opacity * _share(child, "opacity"))
        elif child.tag == f"{{{SVG}}}path":
            yield child, layer, inner, opacity


def _layer(element: etree._Element | None, shapes: list[Shape]) -> Layer:
    if element is None:
        return Layer("", tuple(shapes))
    key = element.get("id", "").removeprefix("gradvec-")
    return Layer(element.get(f"{{{INKSCAPE}}}label", ""), tuple(shapes), key)


def stored_run(root: etree._Element) -> dict:
    """Settings and seed that a document of ours carries; empty where it carries none."""
    element = root.find(f".//{{{NAMESPACE}}}run")
    if element is None or not element.text:
        return {}
    try:
        meta = json.loads(element.text)
    except ValueError as error:
        raise InputError("The settings stored in the SVG cannot be read.", "Remove its gradvec:run element.") from error
    return meta if isinstance(meta, dict) else {}


def _shape(element: etree._Element, matrix: np.ndarray, opacity: float,
           by_id: dict[str, etree._Element]) -> Shape | None:
    paint = next((own for e in (element, *element.iterancestors()) if (own := _property(e, "fill"))), "#000000")
    outline = parse_path(element.get("d", ""))
    if paint == "none" or not outline.loops:
        return None
    fill = _fill(paint, outline, matrix, by_id)
    moved = Outline(tuple(loop @ matrix[:2, :2].T + matrix[:2, 2] for loop in outline.loops))
    level = element.get(f"{{{NAMESPACE}}}level", "0")
    return Shape(moved, fill, opacity * _share(element, "opacity") * _share(element, "fill-opacity"),
                 int(level) if level.isdigit() else 0, element.get("id", ""),
                 element.get(f"{{{INKSCAPE}}}label", ""), element.get(f"{{{NAMESPACE}}}brush", ""),
                 _rim(element, matrix))


def _rim(element: etree._Element, matrix: np.ndarray) -> Rim | None:
    """An outline's line in one colour; other paint along outlines is left out."""
    paint, width = _property(element, "stroke"), _length(_property(element, "stroke-width") or "1")
    if paint in ("", "none") or paint.startswith("url(") or width <= 0:
        return None
    return Rim(_color(paint), width * math.sqrt(abs(np.linalg.det(matrix[:2, :2]))), _share(element, "stroke-opacity"))


def _property(element: etree._Element, name: str) -> str:
    """A style property: from the style attribute, else from the attribute of that name."""
    for declaration in element.get("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() == name:
            return value.strip()
    return element.get(name, "").strip()


def _share(element: etree._Element, name: str) -> float:
    """An opacity or offset in [0, 1]; 1 where it is not given."""
    text = _property(element, name)
    match = _NUMBER.match(text)
    if not match:
        return 1.0
    return min(max(float(match[0]) / (100 if text.endswith("%") else 1), 0.0), 1.0)


def _color(text: str) -> Color:
    text = _NAMED.get(text.lower(), text)
    if re.fullmatch(r"#[0-9a-fA-F]{3}", text):
        text = "#" + "".join(2 * c for c in text[1:])
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255
    match = re.fullmatch(r"rgb\(([^)]*)\)", text)
    parts = [p.strip() for p in match[1].split(",")] if match else []
    if len(parts) == 3:
        red, green, blue = (float(p[:-1]) / 100 if p.endswith("%") else float(p) / 255 for p in parts)
        return red, green, blue
    raise InputError(f"The colour {text!r} cannot be read.", "Use a colour such as #aabbcc.")


def _fill(paint: str, outline: Outline, matrix: np.ndarray, by_id: dict[str, etree._Element]) -> Fill:
    reference = re.match(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)", paint)
    if not reference:
        return SolidColor(_color(paint))
    chain = list(_chain(reference[1], by_id))
    kind = etree.QName(chain[0]).localname
    if kind not in ("linearGradient", "radialGradient"):
        raise InputError(f"A path is filled with a {kind}, which is neither a colour nor a gradient.",
                         "Give it a flat colour or a linear or radial gradient.")
    stops = _stops(chain)
    if len(stops) < 2:
        return SolidColor(stops[0].color if stops else (0.0, 0.0, 0.0))
    units = _inherited(chain, "gradientUnits", "objectBoundingBox")
    own = _matrix(_inherited(chain, "gradientTransform", ""))
    box = units != "userSpaceOnUse"
    place = matrix @ (_box_matrix(outline) if box else np.eye(3)) @ own

    def length(name: str, default: float) -> float:
        text = _inherited(chain, name, str(default)).strip()
        return _length(text[:-1]) / 100 if text.endswith("%") else _length(text)

    if kind == "linearGradient":
        return _linear(np.array([length("x1", 0), length("y1", 0)]), np.array([length("x2", 1), length("y2", 0)]),
                       place, stops)
    center = place @ (length("cx", 0.5), length("cy", 0.5), 1.0)
    radius = length("r", 0.5) * math.sqrt(abs(np.linalg.det(place[:2, :2])))
    return RadialGradient(float(center[0]), float(center[1]), float(radius), stops)


def _linear(start: np.ndarray, end: np.ndarray, place: np.ndarray, stops: tuple[Stop, ...]) -> LinearGradient:
    """The gradient as it looks after ``place``: lines of equal colour are mapped, and the axis is square to them."""
    linear = place[:2, :2]
    axis = end - start
    line = linear @ np.array([-axis[1], axis[0]])
    a, b = linear @ start + place[:2, 2], linear @ end + place[:2, 2]
    normal = np.array([-line[1], line[0]])
    size = float(normal @ normal)
    if size:
        b = a + normal * float((b - a) @ normal) / size
    return LinearGradient(float(a[0]), float(a[1]), float(b[0]), float(b[1]), stops)


def _chain(name: str, by_id: dict[str, etree._Element]) -> Iterator[etree._Element]:
    """The gradient called ``name`` and those it refers to, nearest first."""
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        if name not in by_id:
            raise InputError(f"A path is filled with #{name}, which the SVG does not contain.")
        element = by_id[name]
        yield element
        name = next((element.get(h, "") for h in _HREFS if element.get(h)), "").removeprefix("#")


def _inherited(chain: list[etree._Element], name: str, default: str) -> str:
    return next((e.get(name) for e in chain if e.get(name) is not None), default)


def _stops(chain: list[etree._Element]) -> tuple[Stop, ...]:
    stops: list[Stop] = []
    for e in next((found for e in chain if (found := e.findall(f"{{{SVG}}}stop"))), ()):
        offset = _share(e, "offset") if e.get("offset") else 0.0
        offset = max(offset, stops[-1].offset) if stops else offset
        stops.append(Stop(offset, _color(_property(e, "stop-color") or "#000000"), _share(e, "stop-opacity")))
    return tuple(stops)


def _box_matrix(outline: Outline) -> np.ndarray:
    """From the unit square to the bounding box of the outline itself, found to about a thousandth of its size."""
    t = np.linspace(0, 1, 33)[:, None, None]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    corners = []
    for loop in outline.loops:
        a, b, c = loop[::3], loop[1::3], loop[2::3]
        drawn = sum(w * p for w, p in zip(weights, (a, b, c, np.roll(a, -1, 0)), strict=True))
        corners += [drawn.min((0, 1)), drawn.max((0, 1))]
    (left, top), (right, bottom) = np.min(corners, 0), np.max(corners, 0)
    return np.array([[right - left, 0, left], [0, bottom - top, top], [0, 0, 1.0]])


def _matrix(text: str) -> np.ndarray:
    """The 3 x 3 matrix of a transform attribute."""
    result = np.eye(3)
    for name, arguments in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        result = result @ _transform(name, [float(n) for n in _NUMBER.findall(arguments)])
    return result


def _transform(name: str, n: list[float]) -> np.ndarray:
    if name == "matrix" and len(n) == 6:
        return np.array([[n[0], n[2], n[4]], [n[1], n[3], n[5]], [0, 0, 1]])
    if name == "translate" and n:
        return np.array([[1, 0, n[0]], [0, 1, n[1] if len(n) > 1 else 0], [0, 0, 1]])
    if name == "scale" and n:
        return np.diag([n[0], n[1] if len(n) > 1 else n[0], 1.0])
    if name == "rotate" and len(n) in (1, 3):
        c, s = math.cos(math.radians(n[0])), math.sin(math.radians(n[0]))
        x, y = n[1:] or (0.0, 0.0)
        return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]])
    if name in ("skewX", "skewY") and len(n) == 1:
        slope = math.tan(math.radians(n[0]))
        return np.array([[1, slope if name == "skewX" else 0, 0], [slope if name == "skewY" else 0, 1, 0], [0, 0, 1]])
    raise InputError(f"The transform {name}({', '.join(map(str, n))}) cannot be read.")
