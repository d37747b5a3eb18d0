"""Drawings for machines, in mm: parts to be cut out, or lines for a pen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from lxml import etree

from ..color.css import hex_color
from ..color.oklab import linear_light
from ..errors import InputError
from ..io import svg
from ..io.svg.path import line_data
from ..io.svg.write import INKSCAPE, SVG
from ..model import Color, Document, Line
from .still import plain
from .visible import Part, in_few_colors, library, parts_of, path_data, polygons, without_hairs

#: Paper that would be covered by less than this stays bare.
BARE = 0.06


@dataclass(frozen=True)
class Machine:
    """width_mm: of the whole picture. hair_mm: narrower pieces go to their neighbours. pen_mm: across a pen's line.
    tolerance_mm: how far straight pieces may leave the curves. colors: how many at most, 0: each part has its own."""

    width_mm: float = 200.0
    hair_mm: float = 0.3
    pen_mm: float = 0.4
    tolerance_mm: float = 0.05
    colors: int = 0


def cut(data: bytes, machine: Machine) -> tuple[bytes, int]:
    """(SVG, how many parts): flat opaque parts that do not overlap, in the drawing's layers or in one layer a colour.

    Raises:
        InputError: not an SVG, or nothing to cut. UsageError: shapely is not installed.
    """
    document, parts, scale = _parts(data, machine)
    if machine.colors:
        parts = in_few_colors(parts, machine.colors)
    page = _Page(document, machine)
    for part in parts:
        page.add(part.layer, part.id, path_data(part.area, scale), fill=hex_color(part.color),
                 **{"fill-rule": "evenodd"})
    return page.written(), len(parts)


def plot(data: bytes, machine: Machine) -> tuple[bytes, int]:
    """(SVG, how many lines): a drawing's lines as they are, and hatching that is as dense as its areas are dark.

    Raises:
        InputError: not an SVG, or nothing to draw. UsageError: shapely is not installed.
    """
    document = svg.read(data)
    scale, page = machine.width_mm / document.width, _Page(document, machine)
    drawn = 0
    if document.shapes:
        _, parts, _ = _parts(data, machine, lines=False)
        for part in parts:
            for line in hatching(part, machine.pen_mm / scale):
                page.add("hatching", "", "M" + " ".join(f"{x:.3f},{y:.3f}" for x, y in (line * scale).tolist()),
                         **_pen((0.0, 0.0, 0.0), machine.pen_mm))
                drawn += 1
    for one in document.lines:
        page.add("lines", one.id, line_data(one.points * scale), **_pen(one.color, machine.pen_mm))
    if not drawn + len(document.lines):
        raise InputError("There is nothing in this drawing that a pen could draw.", "Choose one that is not all white.")
    return page.written(), drawn + len(document.lines)


def hatching(part: Part, pen: float) -> list[np.ndarray]:
    """(2, 2) each, px: parallel lines along the part's longer side, to and fro, whose ink takes as much light as the
    part's colour does; pen: px across a line (coverage by Murray and Davies 1936)."""
    shapely = library()
    from shapely.affinity import rotate

    covered = 1 - _luminance(part.color)
    inside = polygons(part.area.buffer(-pen / 2))
    if covered < BARE or inside.is_empty:
        return []
    degrees = _direction(part.area)
    lying = rotate(inside, -degrees, origin=(0, 0))
    left, top, right, bottom = lying.bounds
    spacing = pen / covered
    heights = np.arange(np.ceil(top / spacing), np.floor(bottom / spacing) + 1) * spacing
    rows = shapely.intersection(lying, [shapely.LineString([(left - 1, y), (right + 1, y)]) for y in heights])
    found: list[np.ndarray] = []
    for number, row in enumerate(rows):
        pieces = [np.asarray(rotate(piece, degrees, origin=(0, 0)).coords) for piece in shapely.get_parts(row)
                  if piece.geom_type == "LineString" and piece.length > pen]
        found += [piece[::-1] for piece in pieces[::-1]] if number % 2 else pieces
    return found


def _parts(data: bytes, machine: Machine, lines: bool = True) -> tuple[Document, list[Part], float]:
    """(drawing, its parts without hairs, mm a px)."""
    data = plain(data)
    document = svg.read(data)
    scale = machine.width_mm / document.width
    areas = document if lines else _without_lines(document)
    parts = without_hairs(parts_of(areas, data if lines else svg.write(areas), machine.tolerance_mm / scale),
                          machine.hair_mm / scale)
    if not parts:
        raise InputError("All parts of this drawing are narrower than a hair.", "Make it larger, or lower --hair-mm.")
    return document, parts, scale


def _without_lines(document: Document) -> Document:
    none: tuple[Line, ...] = ()
    return replace(document, layers=tuple(replace(layer, lines=none) for layer in document.layers))


def _direction(area: Any) -> float:
    """Degrees from the x axis to the longer side of the smallest rectangle around an area."""
    corners = np.asarray(area.minimum_rotated_rectangle.exterior.coords)
    sides = np.diff(corners[:3], axis=0)
    x, y = sides[int(np.argmax(np.hypot(sides[:, 0], sides[:, 1])))]
    return float(np.degrees(np.arctan2(y, x)))


def _luminance(color: Color) -> float:
    """Share of the light that a colour sends back (sRGB, IEC 61966-2-1)."""
    return float(linear_light(np.asarray(color, np.float64)) @ (0.2126, 0.7152, 0.0722))


def _pen(color: Color, width: float) -> dict[str, str]:
    return {"fill": "none", "stroke": hex_color(color), "stroke-width": f"{width:g}", "stroke-linecap": "round",
            "stroke-linejoin": "round"}


class _Page:
    """An SVG in mm, with an Inkscape layer for each name."""

    def __init__(self, document: Document, machine: Machine) -> None:
        width, height = machine.width_mm, machine.width_mm * document.height / document.width
        self._root = etree.Element(f"{{{SVG}}}svg", {
            "width": f"{width:g}mm", "height": f"{height:.4g}mm", "viewBox": f"0 0 {width:g} {height:.4g}"},
            nsmap={None: SVG, "inkscape": INKSCAPE})
        self._layers: dict[str, etree._Element] = {}

    def add(self, layer: str, name: str, d: str, **attributes: str) -> None:
        if layer not in self._layers:
            self._layers[layer] = etree.SubElement(self._root, f"{{{SVG}}}g", {
                "id": f"layer-{len(self._layers) + 1}", f"{{{INKSCAPE}}}groupmode": "layer",
                f"{{{INKSCAPE}}}label": layer})
        path = etree.SubElement(self._layers[layer], f"{{{SVG}}}path", d=d, **attributes)
        if name:
            path.set("id", name)

    def written(self) -> bytes:
        return etree.tostring(self._root, xml_declaration=True, encoding="UTF-8")

