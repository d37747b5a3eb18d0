"""What goes to the engine: outlines and fills of the document in the px of the picture, as one plain SVG."""

from __future__ import annotations

from typing import Any

from gradvec.errors import InputError
from inkex import Transform
from lxml import etree

from ..document import styles, transform
from ..document.drawings import Place
from ..document.gradients import Definitions, drawn, stops_of
from ..document.namespaces import GRADVEC, LABEL, LEVEL, SVG, Element
from ..document.outlines import bounds, encloses, is_outlined, non_zero, plain_data, polygons
from ..document.placement import to_root
from ..ui.messages import _

#: What stands for a fill that is neither a colour nor a gradient.
GREY = (128.0, 128.0, 128.0)


class ExportSvg:
    """Collects elements; each gets a key of its own, because ids of a document may be anything."""

    def __init__(self, place: Place, definitions: Definitions) -> None:
        width, height = place.size
        self.place = place
        self._definitions = definitions
        self._from_root = place.from_root
        self._root = etree.Element(SVG + "svg", nsmap={None: SVG[1:-1], "gradvec": GRADVEC[1:-1]})
        for name, value in (("width", width), ("height", height), ("viewBox", f"0 0 {width} {height}")):
            self._root.set(name, str(value))
        self._defs = etree.SubElement(self._root, SVG + "defs")
        self.elements: dict[str, Element] = {}
        self._keys: dict[Element, str] = {}

    def __len__(self) -> int:
        return len(self.elements)

    def key(self, element: Element) -> str | None:
        """The key of an element that was added."""
        return self._keys.get(element)

    def loops(self) -> list[Element]:
        """All outlines of the export as polygons, in picture px."""
        return [loop for path in self._root.iter(SVG + "path") for loop in polygons(path.get("d"))]

    def by_key(self) -> dict[str, list[Element]]:
        """The outlines of each key as polygons, in picture px."""
        return {path.get("id"): polygons(path.get("d")) for path in self._root.iter(SVG + "path")}

    def add(self, element: Element, unfilled: bool = False) -> str | None:
        """Adds a filled outline and returns its key; None for what has no outline or fill.

        unfilled: take the outline even where nothing fills it.

        Raises:
            InputError: it is filled by the even-odd rule and crosses itself; the engine knows the non-zero rule only.
        """
        matrix = self._from_root @ to_root(element)
        fill = styles.color_of(element, "fill", "#000000")
        if not is_outlined(element) or (fill == "none" and not unfilled):
            return None
        data = plain_data(element, matrix)
        if not encloses(data):
            return None
        if styles.inherited(element, "fill-rule") == "evenodd":
            data = non_zero(data) or _refuse(element)
        key = f"p{len(self.elements) + 1:05d}"
        path = etree.SubElement(self._root, SVG + "path")
        path.set("id", key)
        path.set("d", data)
        path.set("fill", self._fill(element, fill, matrix, key))
        shown = styles.opacity_around(element) * styles.share(styles.inherited(element, "fill-opacity", "1")) * (
            styles.alpha(fill))
        if shown < 1:
            path.set("fill-opacity", transform.number(shown, 4))
        if element.get(LEVEL):
            path.set(LEVEL, element.get(LEVEL))
        self.elements[key] = element
        self._keys[element] = key
        return key

    def data(self) -> bytes:
        return etree.tostring(self._root, xml_declaration=True, encoding="UTF-8")

    def _fill(self, element: Element, paint: str, matrix: Any, key: str) -> str:
        name = styles.reference(paint)
        chain = self._definitions.chain(name)
        if not chain:
            return styles.hex_of(styles.rgb(paint) or GREY)
        box = (0.0, 0.0, 0.0, 0.0)
        if any(e.get("gradientUnits") != "userSpaceOnUse" for e in chain[:1]):
            box = _own_box(element)
        gradient = drawn(chain, matrix, box)
        if gradient is None:
            stops = stops_of(chain)
            return styles.hex_of(stops[0][1] if stops else GREY)
        gradient.set("id", f"{key}-fill")
        self._defs.append(gradient)
        return f"url(#{key}-fill)"


def _refuse(element: Element) -> str:
    raise InputError(
        _("The path {name} crosses itself and has holes where it does (its fill rule is even-odd).").format(
            name=element.get(LABEL) or element.get("id")),
        _("Select it alone, choose Path > Union, which makes the holes plain, then choose this command again."))


def _own_box(element: Element) -> tuple[float, float, float, float]:
    """(left, top, width, height) of an outline in the coordinates that it is written in."""
    left, top, right, bottom = bounds(polygons(plain_data(element, Transform(), 6)))
    return left, top, right - left, bottom - top
