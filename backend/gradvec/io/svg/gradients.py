"""Gradients of an SVG as fills in px: stop lists shared by href, transforms, the bounding box as a unit."""

from __future__ import annotations

import re

import numpy as np
from lxml import etree

from ...errors import InputError
from ...model import Fill, LinearGradient, Outline, RadialGradient, SolidColor, Stop
from .attributes import bounded, color_of, length, matrix_of, share, style_property
from .write import SVG

#: Gradients that take after others, in a row; and stops of one gradient.
CHAIN_MAX, STOPS_MAX = 32, 1000
_HREFS = ("{http://www.w3.org/1999/xlink}href", "href")


class Gradients:
    """The gradients of a document by id; each is looked up once, however many paths it fills."""

    def __init__(self, root: etree._Element) -> None:
        self._by_id = {e.get("id"): e for e in root.iter(etree.Element) if e.get("id")}
        self._known: dict[str, tuple[list[etree._Element], tuple[Stop, ...]]] = {}

    def fill(self, paint: str, outline: Outline, matrix: np.ndarray) -> Fill:
        """What the value ``paint`` of a fill stands for on a path with this outline and matrix to px."""
        reference = re.match(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)", paint)
        if not reference:
            return SolidColor(color_of(paint))
        if reference[1] not in self._known:
            chain = self._chain(reference[1])
            self._known[reference[1]] = chain, _stops(chain)
        chain, stops = self._known[reference[1]]
        if len(stops) < 2:
            return SolidColor(stops[0].color if stops else (0.0, 0.0, 0.0))
        return _gradient(chain, stops, outline, matrix)

    def _chain(self, name: str) -> list[etree._Element]:
        """The gradient called ``name`` and those it refers to, nearest first."""
        chain: dict[str, etree._Element] = {}
        while name and name not in chain:
            if name not in self._by_id:
                raise InputError(f"It is filled with #{name[:40]}, which the SVG does not contain.")
            element = chain[name] = self._by_id[name]
            kind = etree.QName(element).localname
            if kind not in ("linearGradient", "radialGradient"):
                raise InputError(f"It is filled with a {kind}, which is neither a colour nor a gradient.",
                                 "Give it a flat colour or a linear or radial gradient.")
            if len(chain) > CHAIN_MAX:
                raise InputError(f"Its gradient takes after more than {CHAIN_MAX} others.")
            name = next((element.get(h, "") for h in _HREFS if element.get(h)), "").removeprefix("#")
        return list(chain.values())


def _gradient(chain: list[etree._Element], stops: tuple[Stop, ...], outline: Outline, matrix: np.ndarray) -> Fill:
    box = _inherited(chain, "gradientUnits", "objectBoundingBox") != "userSpaceOnUse"
    own = matrix_of(_inherited(chain, "gradientTransform", ""))
    place = bounded(bounded(matrix @ (_box_matrix(outline) if box else np.eye(3))) @ own)

    def place_of(name: str, default: float) -> float:
        text = _inherited(chain, name, str(default)).strip()
        return length(text[:-1]) / 100 if text.endswith("%") else length(text)

    if etree.QName(chain[0]).localname == "linearGradient":
        start, end = (place_of("x1", 0), place_of("y1", 0)), (place_of("x2", 1), place_of("y2", 0))
        return _linear(np.array(start), np.array(end), place, stops)
    center = bounded(place @ (place_of("cx", 0.5), place_of("cy", 0.5), 1.0))
    radius = bounded(place_of("r", 0.5) * np.sqrt(np.abs(np.linalg.det(place[:2, :2]))))
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
    bounded(np.concatenate([a, b]))
    return LinearGradient(float(a[0]), float(a[1]), float(b[0]), float(b[1]), stops)


def _stops(chain: list[etree._Element]) -> tuple[Stop, ...]:
    stops: list[Stop] = []
    own: list[etree._Element] = next((found for e in chain if (found := e.findall(f"{{{SVG}}}stop"))), [])
    if len(own) > STOPS_MAX:
        raise InputError(f"Its gradient has {len(own)} stops; at most {STOPS_MAX} are read.")
    for e in own:
        offset = share(e, "offset") if e.get("offset") else 0.0
        offset = max(offset, stops[-1].offset) if stops else offset
        stops.append(Stop(offset, color_of(style_property(e, "stop-color") or "#000000"), share(e, "stop-opacity")))
    return tuple(stops)


def _inherited(chain: list[etree._Element], name: str, default: str) -> str:
    return next((e.get(name) for e in chain if e.get(name) is not None), default)


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
