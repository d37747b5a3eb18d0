"""What is seen of each shape of a drawing, as areas that do not overlap: polygons in px, by shapely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError, UsageError
from ..io import svg
from ..io.svg.write import SVG
from ..model import Color, Document, Fill, Layer, Outline, Shape, SolidColor
from ..tools.render_svg import render_svg

#: Points are moved to multiples of this, px, before anything is cut, so that edges that meet do meet.
GRID_PX = 1e-3
#: Pieces smaller than this are left over from rounding, square px.
_CRUMB = 1e-4


@dataclass(frozen=True)
class Part:
    """area: polygons, px. color: what is seen there, on average. layer: the name of its layer. id: of its shape."""

    area: Any
    color: Color
    layer: str = ""
    id: str = ""


def library() -> Any:
    """shapely. Raises UsageError where it is not installed."""
    try:
        import shapely
    except ModuleNotFoundError as error:
        raise UsageError("Cutting and plotting need shapely, which is not installed.",
                         "pip install 'gradvec[export]'.") from error
    return shapely


def parts_of(document: Document, data: bytes, tolerance: float) -> list[Part]:
    """What is seen of each shape, line and rim, bottom to top. Where nothing is left, there is no part.

    Args:
        data: the drawing as SVG, whose rendering gives the colours. tolerance: how far polygons may leave curves, px.

    Raises:
        InputError: there is nothing to be seen. UsageError: shapely is not installed.
    """
    shapely = library()
    drawn = [(layer.name, name, area, fill) for layer in document.layers
             for name, area, fill in _areas(layer, tolerance)]
    box = shapely.box(0, 0, document.width, document.height)
    whole = [shapely.set_precision(area, GRID_PX) for _, _, area, _ in drawn]
    seen = without_covered(whole, box)
    if all(area.is_empty for area in seen):
        raise InputError("There is nothing in this drawing that could be cut out.",
                         "Choose a drawing with filled paths.")
    colors = _seen_colors(document, data, whole, [_middle(fill) for *_, fill in drawn])
    return [Part(area, color, layer, name)
            for (layer, name, _, _), area, color in zip(drawn, seen, colors, strict=True) if not area.is_empty]


def without_covered(areas: Sequence[Any], box: Any) -> list[Any]:
    """Of each area, bottom to top, what lies in ``box`` and under none of those above it."""
    shapely = library()
    tree = shapely.STRtree(areas)
    seen = []
    for number, area in enumerate(areas):
        above = [areas[k] for k in tree.query(area, predicate="intersects") if k > number]
        left = area.intersection(box)
        seen.append(polygons(left.difference(shapely.union_all(above)) if above else left))
    return seen


def polygons(geometry: Any) -> Any:
    """The polygons of a geometry as one; points, lines and crumbs that cutting leaves behind are left out."""
    shapely = library()
    pieces = shapely.get_parts(shapely.get_parts([geometry]))
    found = [piece for piece in pieces if piece.geom_type == "Polygon" and piece.area > _CRUMB]
    return shapely.MultiPolygon(found)


def without_hairs(parts: Sequence[Part], width: float) -> list[Part]:
    """Parts none of whose pieces is narrower than ``width`` px all over: such a piece goes to the piece that it has the
    longest common edge with, and to nothing where it stands alone."""
    shapely = library()
    pieces = [(number, piece) for number, part in enumerate(parts) for piece in shapely.get_parts(part.area)]
    wide = [(number, piece) for number, piece in pieces if not piece.buffer(-width / 2).is_empty]
    hairs = [piece for _, piece in pieces if piece.buffer(-width / 2).is_empty]
    tree = shapely.STRtree([piece for _, piece in wide])
    grown: dict[int, list[Any]] = {number: [] for number in range(len(parts))}
    for number, piece in wide:
        grown[number].append(piece)
    for hair in hairs:
        near = tree.query(hair.buffer(2 * GRID_PX), predicate="intersects")
        edges = [hair.buffer(2 * GRID_PX).intersection(wide[k][1].boundary).length for k in near]
        if edges and max(edges) > 0:
            grown[wide[near[int(np.argmax(edges))]][0]].append(hair)
    return [replace(part, area=polygons(shapely.union_all(grown[number])))
            for number, part in enumerate(parts) if grown[number]]


def in_few_colors(parts: Sequence[Part], count: int) -> list[Part]:
    """One part for each of at most ``count`` colours, the largest first: means in OKLab, weighted by area."""
    from sklearn.cluster import KMeans

    from ..color.css import hex_color
    from ..color.oklab import oklab, srgb

    shapely = library()
    lab = oklab(np.array([part.color for part in parts], np.float64))
    weight = np.array([part.area.area for part in parts])
    count = min(count, len(np.unique(lab.round(6), axis=0)))
    found = KMeans(count, n_init=4, random_state=0).fit(lab, sample_weight=weight)
    made = []
    for number, center in enumerate(found.cluster_centers_):
        area = polygons(shapely.union_all([part.area for part, label in zip(parts, found.labels_, strict=True)
                                           if label == number]))
        red, green, blue = np.clip(srgb(center[None])[0], 0, 1).tolist()
        made.append(Part(area, (red, green, blue), hex_color((red, green, blue))))
    return sorted(made, key=lambda part: -part.area.area)


def _areas(layer: Layer, tolerance: float) -> list[tuple[str, Any, Fill]]:
    shapely = library()
    found: list[tuple[str, Any, Fill]] = []
    for shape in layer.shapes:
        area = area_of(shape.outline, tolerance)
        found.append((shape.id, area, shape.fill))
        if shape.rim is not None:
            found.append((f"{shape.id}-rim", area.boundary.buffer(shape.rim.width / 2, join_style="mitre"),
                          SolidColor(shape.rim.color)))
    for line in layer.lines:
        ends = {"butt": "flat"}.get(line.cap, line.cap)
        drawn = shapely.LineString(flattened(line.points[:1], line.points[1:], tolerance))
        found.append((line.id, drawn.buffer(line.width / 2, cap_style=ends), SolidColor(line.color)))
    return found


def area_of(outline: Outline, tolerance: float) -> Any:
    """The inside of an outline under the non-zero rule."""
    shapely = library()
    rings = [shapely.LinearRing(flattened(loop[:1], np.concatenate([loop[1:], loop[:1]]), tolerance))
             for loop in outline.loops]
    if len(rings) == 1 and rings[0].is_valid:
        return shapely.Polygon(rings[0])
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(rings)]))
    inside = [face for face in faces if sum(_winding(ring, face.representative_point()) for ring in rings)]
    return shapely.union_all(inside)


def _winding(ring: Any, point: Any) -> int:
    """How often a ring goes around a point."""
    points = np.asarray(ring.coords) - (point.x, point.y)
    (x0, y0), (x1, y1) = points[:-1].T, points[1:].T
    side = x0 * y1 - x1 * y0
    return int(np.sum((y0 <= 0) & (y1 > 0) & (side > 0)) - np.sum((y0 > 0) & (y1 <= 0) & (side < 0)))


def flattened(start: np.ndarray, curve: np.ndarray, tolerance: float) -> np.ndarray:
    """(n, 2): a chain of cubics as a polyline that leaves it by less than ``tolerance`` px.

    start: (1, 2). curve: (3 S, 2), handle, handle, anchor and so on. The number of steps of a segment is that for which
    its greatest second difference bounds the error (Wang 1984).
    """
    result = [np.asarray(start, np.float64)]
    curve = np.asarray(curve, np.float64)
    for k in range(0, len(curve), 3):
        a, (b, c, d) = result[-1][-1], curve[k:k + 3]
        bend = max(np.hypot(*(a - 2 * b + c)), np.hypot(*(b - 2 * c + d)))
        t = np.linspace(0, 1, 1 + max(1, int(np.ceil(np.sqrt(0.75 * bend / tolerance)))))[1:, None]
        result.append((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d)
    return np.concatenate(result)


def _middle(fill: Fill) -> Color:
    if isinstance(fill, SolidColor):
        return fill.color
    red, green, blue = np.mean([stop.color for stop in fill.stops], 0).tolist()
    return red, green, blue


def _seen_colors(document: Document, data: bytes, areas: Sequence[Any], otherwise: Sequence[Color]) -> list[Color]:
    """The mean of what the drawing shows where each area is on top; ``otherwise`` where that is nowhere."""
    from lxml import etree

    width, height = document.width, document.height
    root = etree.Element(f"{{{SVG}}}svg", {"viewBox": f"0 0 {width} {height}", "shape-rendering": "crispEdges"})
    for number, area in enumerate(areas, 1):
        etree.SubElement(root, f"{{{SVG}}}path", d=path_data(area), fill=f"#{number:06x}", **{"fill-rule": "evenodd"})
    numbers = render_svg(etree.tostring(root), width, height, "#000000").astype(np.int64) @ (65536, 256, 1)
    shown = render_svg(data, width, height) / 255
    count = np.bincount(numbers.ravel(), minlength=len(areas) + 1)
    sums = np.stack([np.bincount(numbers.ravel(), shown[..., k].ravel(), len(areas) + 1) for k in range(3)], 1)
    return [tuple((sums[k] / count[k]).tolist()) if count[k] else other for k, other in enumerate(otherwise, 1)]


def path_data(area: Any, scale: float = 1.0) -> str:
    """Polygons as path data under the even-odd rule, three decimals; scale: units a px."""
    shapely = library()
    found = []
    for piece in shapely.get_parts([area] if area.geom_type == "Polygon" else area):
        for ring in (piece.exterior, *piece.interiors):
            points = " ".join(f"{x:.3f},{y:.3f}" for x, y in (np.asarray(ring.coords)[:-1] * scale).tolist())
            found.append(f"M{points}z")
    return "".join(found)


def flat(document: Document, parts: Sequence[Part]) -> bytes:
    """The drawing with every shape in the one colour of its part: what the parts have to look like."""
    colors = {part.id: part.color for part in parts}
    layers = [replace(layer, shapes=tuple(_plain(shape, colors) for shape in layer.shapes))
              for layer in document.layers]
    return svg.write(replace(document, layers=tuple(layers), texture="none", mask=()))


def _plain(shape: Shape, colors: dict[str, Color]) -> Shape:
    return replace(shape, fill=SolidColor(colors.get(shape.id, (0.0, 0.0, 0.0))), opacity=1.0)
