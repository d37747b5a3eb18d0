"""A drawing that shows its own making: SVG with SMIL, which browsers play without a script, in <img> too.

A viewer that plays nothing shows the finished drawing.
"""

from __future__ import annotations

from lxml import etree

from ..io.svg.attributes import share
from ..io.svg.read import size_of
from ..io.svg.write import SVG
from .parts import drawing, parts_of
from .timing import Timing

#: A part that takes less than this to appear is there at once, s: nobody sees it fade.
SUDDEN_S = 0.04


def animated_svg(data: bytes, timing: Timing, by: str, loop: bool, size: float | None = None) -> bytes:
    """The SVG ``data`` with its parts appearing one after the other.

    loop: again and again. size: px of its longest side, None: as the drawing is.

    Raises:
        InputError: not an SVG, or nothing is to be seen in it.
    """
    root = drawing(data)
    if size is not None:
        width, height = size_of(root)
        root.set("viewBox", root.get("viewBox") or f"0 0 {width} {height}")
        root.set("width", f"{width * size / max(width, height):g}")
        root.set("height", f"{height * size / max(width, height):g}")
    parts = parts_of(root, by)
    for part, (begin, end) in zip(parts, timing.spans(len(parts)).tolist(), strict=True):
        part.insert(0, _animation(share(part, "opacity"), begin, end, timing, loop))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _animation(opacity: float, begin: float, end: float, timing: Timing, loop: bool) -> etree._Element:
    from_, to = (opacity, 0.0) if timing.reverse else (0.0, opacity)
    if end - begin < SUDDEN_S:
        keys = [(0.0, from_), (begin / timing.total, to)]
    else:
        keys = [(0.0, from_), (begin / timing.total, from_), (end / timing.total, to), (1.0, to)]
    times = [_share(time) for time, _ in keys]
    element = etree.Element(f"{{{SVG}}}animate", attributeName="opacity", dur=f"{timing.total:g}s",
                            values=";".join(f"{value:g}" for _, value in keys), keyTimes=";".join(times))
    if len(keys) == 2:
        element.set("calcMode", "discrete")
    element.set(*(("repeatCount", "indefinite") if loop else ("fill", "freeze")))
    return element


def _share(value: float) -> str:
    return f"{min(max(value, 0.0), 1.0):.5f}".rstrip("0").rstrip(".") or "0"
