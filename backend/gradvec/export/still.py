"""A drawing for programs that know no filters: its gradients, opacities and soft edges without its texture."""

from __future__ import annotations

import re

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
    for mask in root.iter("{*}mask"):
        _by_opacity(mask)
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


def _by_opacity(mask: etree._Element) -> None:
    """Makes nested grey shapes, as our masks have them, white and so opaque that they let the same through.

    Cairo takes a mask's opacity alone, SVG its brightness times its opacity. Masks of another kind stay as they are.
    """
    paths = mask.findall("{*}path")
    greys = [_grey(path.get("fill", "")) for path in paths]
    if len(paths) != len(mask) or -1.0 in greys or greys != sorted(greys):
        return
    below = 0.0
    for path, grey in zip(paths, greys, strict=True):
        path.set("fill", "#ffffff")
        path.set("fill-opacity", f"{(grey - below) / max(1 - below, 1e-9):.4f}")
        below = grey


def _grey(paint: str) -> float:
    """Brightness of a grey #rrggbb; -1 for any other paint."""
    found = re.fullmatch(r"#([0-9a-f]{2})\1\1", paint)
    return int(found[1], 16) / 255 if found else -1.0
