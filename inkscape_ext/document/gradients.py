"""Gradients as they are drawn: hrefs followed, units and transforms worked in; and their life in the document."""

from __future__ import annotations

import re
from collections import Counter

from inkex import Transform
from lxml import etree

from . import placement, styles, transform
from .namespaces import INKSCAPE, SVG, Element, local_name
from .sources import href

KINDS = ("linearGradient", "radialGradient")
_URL = re.compile(r"url\(\s*['\"]?#([^)'\"]+)")
_GEOMETRY = {"linearGradient": (("x1", "0%"), ("y1", "0%"), ("x2", "100%"), ("y2", "0%")),
             "radialGradient": (("cx", "50%"), ("cy", "50%"), ("r", "50%"))}


class Definitions:
    """The document's elements by id, and how often each is referred to."""

    def __init__(self, svg: Element) -> None:
        self.svg = svg
        self._by_id: dict[str, Element] = {}
        self._uses: Counter = Counter()
        for element in svg.iter():
            if isinstance(element.tag, str):
                if element.get("id"):
                    self._by_id[element.get("id")] = element
                self._uses.update(_references(element))
        self._runs = max((int(match.group(1)) for match in map(re.compile(r"gv(\d+)-").match, self._by_id) if match),
                         default=0)

    def find(self, identifier: str) -> Element:
        return self._by_id.get(identifier) if identifier else None

    def uses(self, identifier: str) -> int:
        """How many references to this id there are."""
        return self._uses[identifier]

    def chain(self, identifier: str) -> list[Element]:
        """The gradient of this id and those that it builds on, nearest first; empty where it is not a gradient."""
        found: list[Element] = []
        while identifier and len(found) < 20:
            element = self.find(identifier)
            if element is None or element in found or local_name(element) not in KINDS:
                break
            found.append(element)
            address = href(element)
            identifier = address[1:] if address.startswith("#") else ""
        return found

    def add(self, element: Element, wanted: str) -> str:
        """Puts ``element`` among the definitions under the id ``wanted`` or one like it; returns the id."""
        identifier, count = wanted, 1
        while identifier in self._by_id:
            count += 1
            identifier = f"{wanted}-{count}"
        element.set("id", identifier)
        self.svg.defs.append(element)
        self.note(element)
        return identifier

    def note(self, element: Element) -> None:
        """Takes a new element into account."""
        self._by_id[element.get("id")] = element
        self._uses.update(_references(element))

    def new_prefix(self) -> str:
        """A prefix for ids that nothing in the document has yet."""
        self._runs += 1
        return f"gv{self._runs}-"

    def paint(self, element: Element, paint: str) -> None:
        """Gives ``element`` this fill and takes away the gradient that it leaves unused."""
        before = set(_references(element))
        styles.put(element, "fill", paint)
        after = set(_references(element))
        self._uses.update(after - before)
        for name in before - after:
            self._release(name)

    def remove(self, element: Element) -> None:
        """Takes ``element`` out of the document, and gradients that only it used."""
        names = [name for inner in element.iter() if isinstance(inner.tag, str) for name in _references(inner)]
        element.getparent().remove(element)
        for name in names:
            self._release(name)

    def _release(self, identifier: str) -> None:
        if not identifier:
            return
        self._uses[identifier] -= 1
        element = self.find(identifier)
        if (element is None or self._uses[identifier] > 0 or local_name(element) not in KINDS
                or element.get(INKSCAPE + "collect") != "always" or element.getparent() is None):
            return
        names = list(_references(element))
        element.getparent().remove(element)
        del self._by_id[identifier]
        for name in names:
            self._release(name)


def drawn(chain: list[Element], matrix: Transform, box: tuple[float, float, float, float]) -> Element | None:
    """A new gradient element, complete in itself, in the space that ``matrix`` leads to.

    chain: from :meth:`Definitions.chain`. box: left, top, width and height of the filled path in its own space.
    Returns None where the gradient has fewer than two stops. A circle keeps its mean radius under an uneven scale.
    """
    stops = stops_of(chain)
    if len(stops) < 2:
        return None
    kind = local_name(chain[0])
    own_box = _first(chain, "gradientUnits", "objectBoundingBox") != "userSpaceOnUse"
    if own_box:
        matrix = matrix @ Transform((box[2] or 1e-6, 0, 0, box[3] or 1e-6, box[0], box[1]))
    matrix = matrix @ Transform(_first(chain, "gradientTransform", ""))
    whole = (1.0, 1.0) if own_box else placement.viewport_of(chain[0])
    lengths = {}
    for index, (name, default) in enumerate(_GEOMETRY[kind]):
        side = whole[index % 2] if name != "r" else (whole[0] + whole[1]) / 2
        text = _first(chain, name, default)
        lengths[name] = placement.length(text, side) or 0.0
    result = etree.Element(SVG + kind)
    result.set("gradientUnits", "userSpaceOnUse")
    if kind == "radialGradient":
        a, b, c, d, _e, _f = matrix.to_hexad()
        x, y = matrix.apply_to_point((lengths["cx"], lengths["cy"]))
        lengths = {"cx": x, "cy": y, "r": lengths["r"] * abs(a * d - b * c) ** 0.5}
        matrix = Transform()
    for name, value in lengths.items():
        result.set(name, transform.number(value, 9))
    transform.gradient(result, matrix, 4)
    for offset, color, opacity in stops:
        stop = etree.SubElement(result, SVG + "stop")
        stop.set("offset", transform.number(offset, 4))
        stop.set("stop-color", styles.hex_of(color))
        if opacity < 1:
            stop.set("stop-opacity", transform.number(opacity, 3))
    return result


def stop_elements(chain: list[Element]) -> list[Element]:
    """The ``<stop>`` elements that hold for a gradient."""
    for element in chain:
        found = [child for child in element if local_name(child) == "stop"]
        if found:
            return found
    return []


def stops_of(chain: list[Element]) -> list[tuple[float, styles.Rgb, float]]:
    """(offset, colour, opacity) of every stop, offsets never falling."""
    found, last = [], 0.0
    for stop in stop_elements(chain):
        last = max(last, styles.share(stop.get("offset") or "0", 0.0))
        color = styles.own(stop, "stop-color") or "#000000"
        if color.lower() == "currentcolor":
            color = styles.inherited(stop, "color", "#000000")
        found.append((last, styles.rgb(color) or (0.0, 0.0, 0.0),
                      styles.share(styles.own(stop, "stop-opacity")) * styles.alpha(color)))
    return found


def _references(element: Element) -> list[str]:
    """What ``element`` refers to, each once: Inkscape writes a fill into the style beside the attribute it was in."""
    names = [name for value in element.attrib.values() if "url(" in value for name in _URL.findall(value)]
    address = href(element)
    return list(dict.fromkeys([*names, address[1:]] if address.startswith("#") else names))


def _first(chain: list[Element], name: str, default: str) -> str:
    return next((element.get(name) for element in chain if element.get(name) is not None), default)
