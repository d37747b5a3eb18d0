"""What comes back from the engine, brought into the document: new outlines and fills, new strokes, strokes that go."""

from __future__ import annotations

import re

import inkex
from gradvec.errors import EngineError
from inkex import Transform
from lxml import etree

from ..document import runs, styles, transform
from ..document.gradients import KINDS, Definitions
from ..document.namespaces import INKSCAPE, LABEL, LEVEL, SODIPODI, STROKE, SVG, Element
from ..document.placement import inverse, to_root
from ..ui.messages import _
from .export_svg import ExportSvg

_STROKE_NUMBER = re.compile(r"stroke-(\d+)\Z")


class Answer:
    """The paths of the engine's SVG in paint order."""

    def __init__(self, payloads: dict[str, bytes]) -> None:
        """Raises:
            EngineError: the answer is not the SVG that was expected.
        """
        parser = etree.XMLParser(huge_tree=True, resolve_entities=False, remove_blank_text=True)
        try:
            root = etree.fromstring(payloads["svg"], parser)
        except (KeyError, etree.XMLSyntaxError, ValueError) as error:
            raise EngineError(_("The engine's drawing cannot be read."), code="engine.drawing") from error
        self._definitions = {e.get("id"): e for e in root.iter(*(SVG + kind for kind in KINDS))}
        self.paths = {path.get("id"): path for path in root.iter(SVG + "path") if path.get("d") and path.get("id")}
        for path in self.paths.values():
            name = styles.reference(path.get("fill") or "")
            if name and name not in self._definitions:
                raise EngineError(_("The engine's drawing cannot be read."), code="engine.drawing")

    def gradient(self, path: Element) -> Element:
        """A copy of the gradient that fills ``path``, None for a flat colour."""
        name = styles.reference(path.get("fill") or "")
        return etree.fromstring(etree.tostring(self._definitions[name], with_tail=False)) if name else None


class Editor:
    """Changes the document. Nothing here waits for anything or can be refused: everything is asked beforehand."""

    def __init__(self, svg: Element, definitions: Definitions) -> None:
        self._svg = svg
        self._definitions = definitions
        self._fingerprints = runs.Fingerprints(svg, definitions)

    def update(self, export: ExportSvg, answer: Answer, outlines: bool = True) -> int:
        """Gives elements of ``export`` the outlines and fills of the answer's paths; returns how many it found."""
        count = 0
        for key, path in answer.paths.items():
            element = export.elements.get(key)
            matrix = _into(element, export) if element is not None else None
            if element is None or matrix is None:
                continue
            changed = self._fingerprints.changed(element)
            if outlines:
                element = self._as_path(element)
                element.set("d", transform.path_data(path.get("d"), matrix, transform.decimals(matrix)))
                if styles.inherited(element, "fill-rule") == "evenodd":  # the engine knows the non-zero rule only
                    styles.put(element, "fill-rule", "nonzero")
            self._fill(element, path, answer, matrix)
            if element.get(STROKE) is not None and not changed:
                self._fingerprints.sign(element)
            count += 1
        return count

    def remove(self, elements: list[Element]) -> None:
        for element in elements:
            self._definitions.remove(element)

    def insert(self, paths: list[Element], answer: Answer, to_root_units: Transform, parent: Element, index: int,
               run: str) -> list[Element]:
        """Puts new strokes into ``parent`` from ``index`` on, bottom to top; returns them. run: whose they are."""
        back = inverse(to_root(parent))
        if back is None:
            raise EngineError(_("The layer of these strokes is squeezed to nothing, so nothing can be put into it."))
        matrix = back @ to_root_units
        prefix = self._definitions.new_prefix()
        new: list[Element] = []
        for path in paths:
            element = self._svg.makeelement(SVG + "path")
            element.set("id", prefix + path.get("id"))
            element.set("d", transform.path_data(path.get("d"), matrix, transform.decimals(matrix)))
            element.set(STROKE, run or prefix[:-1])
            element.set(LABEL, path.get(LABEL) or _label(path.get("id")))
            if path.get(LEVEL):
                element.set(LEVEL, path.get(LEVEL))
            parent.insert(index + len(new), element)
            self._definitions.note(element)
            self._fill(element, path, answer, matrix)
            self._fingerprints.sign(element)
            new.append(element)
        return new

    def _fill(self, element: Element, path: Element, answer: Answer, matrix: Transform) -> None:
        gradient = answer.gradient(path)
        if gradient is None:
            self._definitions.paint(element, path.get("fill") or "#000000")
        else:
            gradient.set(INKSCAPE + "collect", "always")
            transform.gradient(gradient, matrix, transform.decimals(matrix))
            before = styles.reference(styles.own(element, "fill"))
            if before and self._definitions.uses(before) == 1:
                self._definitions.paint(element, "none")
            name = self._definitions.add(gradient, f"{element.get('id')}-fill")
            self._definitions.paint(element, f"url(#{name})")
        around = styles.opacity_around(element)
        opacity = min(styles.share(path.get("fill-opacity") or "1") / around, 1.0) if around > 0 else 1.0
        styles.put(element, "fill-opacity", transform.number(opacity, 3) if opacity < 0.9995 else None)
        if opacity >= 0.9995 and styles.share(styles.inherited(element, "fill-opacity", "1")) < 1:
            element.set("fill-opacity", "1")

    def _as_path(self, element: Element) -> Element:
        """``element`` itself where it is a plain path; else a path in its place, with its id, style and transform."""
        live = (INKSCAPE + "original-d", INKSCAPE + "path-effect")
        if element.tag == SVG + "path":
            for name in [n for n in element.attrib if n in live or n.startswith(SODIPODI)]:
                if name != SODIPODI + "insensitive":
                    del element.attrib[name]
            return element
        path = inkex.PathElement()
        shape = ("x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "points")
        for name, value in element.attrib.items():
            if name not in shape and not (name.startswith(SODIPODI) and not name.endswith("insensitive")):
                path.set(name, value)
        for child in list(element):
            path.append(child)
        element.getparent().replace(element, path)
        self._definitions.note(path)
        return path


def _into(element: Element, export: ExportSvg) -> Transform | None:
    """Picture px to the coordinates that ``element`` is written in."""
    back = inverse(to_root(element))
    return None if back is None else back @ export.place.to_root


def _label(identifier: str) -> str:
    match = _STROKE_NUMBER.match(identifier)
    return _("stroke {number}").format(number=int(match.group(1))) if match else identifier
