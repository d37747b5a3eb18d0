"""Shapes that the artist selects together with a picture mark where detail goes: from drawn shapes to a detail map.

A filled or closed shape marks what it encloses, an open line without a fill the band that it draws. The map is a small
grey picture in the picture's own frame, so it is right however the picture is turned or stretched in the document, and
small enough to be kept with the result for running it again.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from typing import Any

import numpy as np
from inkex import Transform

from ..ui.messages import ngettext
from . import placement, styles
from .drawings import Place
from .namespaces import GRADVEC, RUN, STROKE, Element
from .outlines import bounds, covered, is_open_line, is_outlined, near, plain_data, polygons
from .pictures import Picture
from .placement import to_root

#: Where the map stands on the layer of a picture.
DETAIL_MAP = GRADVEC + "detail-map"
#: What the engine calls it.
PAYLOAD = "detail-map"
#: Longest side of a map, px; and how many times finer it is drawn before it is made smooth.
SIDE, FINER = 256, 3
#: A shape that covers more of the picture than this is a frame or a ground, and marks nothing.
WHOLE = 0.99


def drawn(svg: Element, ids: list[str], shown: list[Picture]) -> list[Element]:
    """The selected shapes that may mark something, bottom to top.

    Strokes of ours and what else lies in their layer mark nothing, neither does what is grouped with a picture: that is
    part of the artist's drawing.
    """
    wanted = set(ids)
    inside: set[Any] = set()
    for element in svg.iter():
        if isinstance(element.tag, str) and element.get("id") in wanted:
            around = set(element.iter())
            painted = any(e.get(RUN) is not None for e in (element, *element.iterancestors()))
            if not painted and not any(picture.anchor in around for picture in shown):
                inside |= around
    return [element for element in svg.iter() if element in inside and is_outlined(element)
            and element.get(STROKE) is None and not styles.hidden(element)]


def detail_map(place: Place, shapes: list[Element]) -> tuple[bytes, list[Any]]:
    """A grey PNG that is bright where ``shapes`` lie on the picture, and the shapes that mark something on it.

    The map is empty where none does. The most opaque shape counts fully, others by their share of its opacity.

    Raises:
        InputError: the picture is squeezed to nothing.
    """
    width, height = (max(1, round(side * min(1.0, SIDE / max(place.size)))) for side in place.size)
    fine = (width * FINER, height * FINER)
    matrix = Transform(scale=(fine[0] / place.size[0], fine[1] / place.size[1])) @ place.from_root
    strength, marking = np.zeros((fine[1], fine[0])), []
    for shape in shapes:
        part, mask = _mask(shape, matrix @ to_root(shape), *fine)
        if 0 < mask.sum() <= WHOLE * strength.size:
            marking.append(shape)
            strength[part] = np.maximum(strength[part], mask * (_opacity(shape) or 1.0))
    if not marking:
        return b"", []
    smooth = strength.reshape(height, FINER, width, FINER).mean((1, 3)) / strength.max()
    return _grey_png(np.round(smooth * 255).astype(np.uint8)), marking


def box(place: Place, shapes: list[Element]) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom) around ``shapes``, in shares of the picture; None where they have no outline.

    Raises:
        InputError: the picture is squeezed to nothing.
    """
    to_shares = Transform(scale=(1 / place.size[0], 1 / place.size[1])) @ place.from_root
    lines = [line for shape in shapes for line in polygons(plain_data(shape, to_shares @ to_root(shape)), 2)]
    return bounds(lines) if lines else None


def payloads(png: bytes) -> dict[str, bytes]:
    """The map as the engine expects it; nothing where it is empty."""
    return {PAYLOAD: png} if png else {}


def note(marking: int, others: int) -> str:
    """A line about how many shapes mark something and how many do not; "" where no shape is selected."""
    lines = []
    if marking:
        lines.append(ngettext("{count} selected shape marks where detail goes",
                              "{count} selected shapes mark where detail goes", marking).format(count=marking))
    if others:
        lines.append(ngettext("{count} selected shape lies beside the picture or covers all of it, and marks nothing",
                              "{count} selected shapes lie beside the picture or cover all of it, and mark nothing",
                              others).format(count=others))
    return "\n".join(lines)


def notes(png: bytes) -> dict[str, str]:
    """What the layer of the result is to say about the map."""
    return {DETAIL_MAP: base64.b64encode(png).decode()} if png else {}


def kept(layer: Element) -> bytes:
    """The map that a layer keeps; empty where it keeps none, or a damaged one."""
    try:
        return base64.b64decode(layer.get(DETAIL_MAP) or "", validate=True)
    except ValueError:
        return b""


def _mask(shape: Element, matrix: Transform, width: int, height: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """(part of the map, true where the shape marks in it). matrix: from the shape's own units to the map's px."""
    data, radius = plain_data(shape, matrix), 0.0
    if is_open_line(shape):
        a, b, c, d, _e, _f = matrix.to_hexad()
        whole = placement.viewport_of(shape)[0]
        wide = placement.length(styles.inherited(shape, "stroke-width", "1"), whole) or 0.0
        radius = max(wide * abs(a * d - b * c) ** 0.5, FINER) / 2
    lines = polygons(data, 2 if radius else 3)
    part = _part(lines, radius, width, height)
    rows, columns = part
    size = (max(columns.stop - columns.start, 0), max(rows.stop - rows.start, 0))
    lines = [line - (columns.start, rows.start) for line in lines]
    if not radius:
        return part, covered(lines, *size, even_odd=styles.inherited(shape, "fill-rule") == "evenodd")
    found = np.zeros(size[::-1], bool)
    for line in lines:
        found |= near(line, radius, *size)
    return part, found


def _part(lines: list[np.ndarray], radius: float, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the map that lines of this radius can reach."""
    if not lines:
        return slice(0, 0), slice(0, 0)
    left, top, right, bottom = np.clip(bounds(lines), -1e6, 1e6) + np.array([-radius, -radius, radius, radius])
    return (slice(min(max(math.floor(top), 0), height), min(max(math.ceil(bottom), 0), height)),
            slice(min(max(math.floor(left), 0), width), min(max(math.ceil(right), 0), width)))


def _opacity(shape: Element) -> float:
    what = "stroke-opacity" if styles.inherited(shape, "fill", "#000000") == "none" else "fill-opacity"
    return styles.opacity_around(shape) * styles.share(styles.inherited(shape, what, "1"))


def _grey_png(grey: np.ndarray) -> bytes:
    """A PNG of (height, width) bytes."""
    height, width = grey.shape
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return png
