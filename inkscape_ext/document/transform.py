"""Moves the engine's drawing from canvas px into user units: coordinates are rewritten, nothing is left under a scale.

An artist then reads and types the document's own units, and a stroke width set on a path is what it says. Linear
gradients stay free of gradientTransform even where the picture is stretched or skewed.
"""

from __future__ import annotations

import math
import re

from inkex import Transform

from .namespaces import SVG, Element, local_name

_N = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"[\s,]*({_N})[\s,]*({_N})")
_PLAIN_PATH = re.compile(r"[MLCZz\d\s,.eE+-]*\Z")
_ROUND = 1e-6


def can_apply(root: Element) -> bool:
    """Whether everything drawn in ``root`` is plain: paths of absolute M, L, C, Z with fills and no transform, their
    lines with a width of their own."""
    drawn = (e for e in root.iter() if isinstance(e.tag, str) and not _in_defs(e))
    for element in drawn:
        name = local_name(element)
        if name in ("svg", "metadata", "defs", "title", "desc") or not element.tag.startswith(SVG):
            continue
        if name not in ("g", "path") or element.get("transform"):
            return False
        if element.get("stroke", "none") != "none" and not element.get("stroke-width"):
            return False
        if name == "path" and not _PLAIN_PATH.match(element.get("d", "")):
            return False
    return True


def apply(root: Element, matrix: Transform) -> None:
    """Applies ``matrix`` (canvas px to user units) to all paths, gradients and filters in ``root``; see
    :func:`can_apply`."""
    places = decimals(matrix)
    for element in root.iter(SVG + "path"):
        if not _in_defs(element):
            element.set("d", path_data(element.get("d", ""), matrix, places))
            if element.get("stroke-width"):
                element.set("stroke-width", number(float(element.get("stroke-width")) * _size(matrix), places))
    for element in root.iter(SVG + "filter"):
        _filter(element, matrix, places)
    for element in root.iter(SVG + "mask"):
        _region(element, "maskUnits", matrix, places)
        for path in element.iter(SVG + "path"):
            path.set("d", path_data(path.get("d", ""), matrix, places))
    for element in root.iter(SVG + "linearGradient"):
        _linear(element, matrix, places)
    for element in root.iter(SVG + "radialGradient"):
        _radial(element, matrix, places)


def gradient(element: Element, matrix: Transform, places: int) -> None:
    """Moves one gradient by ``matrix``, rounded to ``places`` digits."""
    if element.tag == SVG + "linearGradient":
        _linear(element, matrix, places)
    elif element.tag == SVG + "radialGradient":
        _radial(element, matrix, places)


def decimals(matrix: Transform) -> int:
    """Digits after the point that keep 0.01 canvas px in user units."""
    a, b, c, d = _linear_part(matrix)
    scale = max(min(math.hypot(a, b), math.hypot(c, d)), 1e-9)
    return min(max(math.ceil(2 - math.log10(scale)), 0), 9)


def path_data(data: str, matrix: Transform, places: int) -> str:
    """Path data of absolute M, L, C and Z with every point moved by ``matrix``, rounded to ``places`` digits."""
    a, b, c, d, e, f = matrix.to_hexad()

    def moved(match: re.Match) -> str:
        x, y = float(match.group(1)), float(match.group(2))
        return f" {number(a * x + c * y + e, places)} {number(b * x + d * y + f, places)}"

    return _PAIR.sub(moved, data)


def number(value: float, places: int) -> str:
    """``value`` rounded to ``places`` digits after the point, written as short as it goes."""
    text = f"{value:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _linear(gradient: Element, matrix: Transform, places: int) -> None:
    """A linear gradient is u(p) = k . p + u0; its ends are chosen so that u is the same at every moved point."""
    values = [gradient.get(name) for name in ("x1", "y1", "x2", "y2")]
    if gradient.get("gradientUnits") != "userSpaceOnUse" or None in values:
        return
    if gradient.get("gradientTransform"):
        _prepend(gradient, matrix)
        return
    x1, y1, x2, y2 = (float(v) for v in values)
    a, b, c, d = _linear_part(matrix)
    start = tuple(matrix.apply_to_point((x1, y1)))
    along = ((x2 - x1), (y2 - y1))
    squared = along[0] ** 2 + along[1] ** 2
    determinant = a * d - b * c
    if squared < 1e-18 or abs(determinant) < 1e-18:
        end = tuple(matrix.apply_to_point((x2, y2)))
    else:
        kx, ky = along[0] / squared, along[1] / squared
        nx, ny = (d * kx - b * ky) / determinant, (a * ky - c * kx) / determinant
        length = nx * nx + ny * ny
        end = (start[0] + nx / length, start[1] + ny / length)
    for name, value in zip(("x1", "y1", "x2", "y2"), (*start, *end)):
        gradient.set(name, number(value, places))


def _radial(gradient: Element, matrix: Transform, places: int) -> None:
    """A circle stays a circle where ``matrix`` turns, mirrors or scales evenly; else gradientTransform takes over."""
    if gradient.get("gradientUnits") != "userSpaceOnUse" or gradient.get("r") is None:
        return
    a, b, c, d = _linear_part(matrix)
    size = math.hypot(a, b)
    even = abs(size - math.hypot(c, d)) < _ROUND * size and abs(a * c + b * d) < _ROUND * size * size
    if not even or gradient.get("gradientTransform"):
        _prepend(gradient, matrix)
        return
    for x, y in (("cx", "cy"), ("fx", "fy")):
        if gradient.get(x) is not None:
            point = matrix.apply_to_point((float(gradient.get(x)), float(gradient.get(y))))
            gradient.set(x, number(point.x, places))
            gradient.set(y, number(point.y, places))
    gradient.set("r", number(float(gradient.get("r")) * size, places))


def _region(element: Element, units: str, matrix: Transform, places: int) -> None:
    """The region of a filter or mask becomes the box around what it was."""
    if element.get(units) != "userSpaceOnUse":
        return
    x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
    corners = [matrix.apply_to_point((a, b)) for a in (x, x + width) for b in (y, y + height)]
    low, high = ([pick(corner[axis] for corner in corners) for axis in (0, 1)] for pick in (min, max))
    for name, value in zip(("x", "y", "width", "height"), (*low, high[0] - low[0], high[1] - low[1])):
        element.set(name, number(value, places))


def _filter(element: Element, matrix: Transform, places: int) -> None:
    """A filter's region moves; lengths inside grow by the mean scale, and waves are as much fewer."""
    _region(element, "filterUnits", matrix, places)
    size = _size(matrix)
    for primitive in element.iter():
        for name, factor in (("dx", size), ("dy", size), ("scale", size), ("stdDeviation", size),
                             ("baseFrequency", 1 / size)):
            if primitive.get(name):
                primitive.set(name, " ".join(f"{float(value) * factor:.6g}" for value in primitive.get(name).split()))


def _size(matrix: Transform) -> float:
    """By how much lengths grow, on average over directions."""
    a, b, c, d = _linear_part(matrix)
    return max(math.sqrt(abs(a * d - b * c)), 1e-9)


def _prepend(gradient: Element, matrix: Transform) -> None:
    gradient.set("gradientTransform", str(matrix @ Transform(gradient.get("gradientTransform"))))


def _linear_part(matrix: Transform) -> tuple[float, float, float, float]:
    a, b, c, d, _e, _f = matrix.to_hexad()
    return a, b, c, d


def _in_defs(element: Element) -> bool:
    parent = element
    while parent is not None:
        if isinstance(parent.tag, str) and parent.tag in (SVG + "defs", SVG + "clipPath", SVG + "mask"):
            return True
        parent = parent.getparent()
    return False
