"""A drawing for programs that know no filters: its gradients, opacities and soft edges without its texture."""

from __future__ import annotations

from lxml import etree

from ..io.svg.attributes import share
from ..io.svg.read import parse, size_of
from ..tools.render_svg import without_links


def plain(data: bytes, width_mm: float | None = None) -> bytes:
    """The SVG without filters and without what shows other files; width_mm: how wide it is to be, None: as it is.

    Raises:
        InputError: not an SVG.
    """
    root = parse(data)
    without_links(root)
    for element in root.iter("{*}g", "{*}path"):
        element.attrib.pop("filter", None)
    if width_mm is not None:
        width, height = size_of(root)
        root.set("viewBox", root.get("viewBox") or f"0 0 {width} {height}")
        root.set("width", f"{width_mm:g}mm")
        root.set("height", f"{width_mm * height / width:.6g}mm")
    return etree.tostring(root)


def is_textured(data: bytes) -> bool:
    """Whether something of the SVG is seen through a filter."""
    return any(element.get("filter") for element in parse(data).iter("{*}g", "{*}path"))


def is_see_through(data: bytes) -> bool:
    """Whether something of the SVG shows what is under it."""
    names = ("opacity", "fill-opacity", "stroke-opacity", "stop-opacity")
    return any(share(element, name) < 1 for element in parse(data).iter("{*}g", "{*}path", "{*}stop")
               for name in names) or any(element.get("mask") for element in parse(data).iter("{*}g"))
