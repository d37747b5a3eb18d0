"""What the artist draws on a picture and selects together with it: shapes mark where detail goes, open lines give
strokes their direction.

Shapes become a detail map, a small grey picture in the picture's own frame; lines become polylines in shares of its
width and height. So both are right however the picture is turned or stretched in the document, and small enough to be
kept with the result for running it again.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Iterable, List

import numpy as np
from inkex import Transform

from ..ui.messages import ngettext
from . import placement, styles
from .drawings import Place
from .namespaces import GRADVEC, RUN, STROKE, Element, local_name
from .outlines import bounds, covered, is_open_line, is_outlined, near, plain_data, polygons
from .pictures import Picture
from .placement import to_root

#: Where the map and the lines stand on the layer of a picture.
DETAIL_MAP, GUIDES = GRADVEC + "detail-map", GRADVEC + "guides"
#: What the engine calls it.
PAYLOAD = "detail-map"
#: Longest side of a map, px; and how many times finer it is drawn before it is made smooth.
SIDE, FINER = 256, 3
#: A shape that covers more of the picture than this is a frame or a ground, and marks nothing.
WHOLE = 0.99
#: Digits after the point of shares of a picture.
PLACES = 5
#: The engine's jobs that heed a detail map, and those that heed guides.
HEEDING_SHAPES, HEEDING_LINES = ("paint", "vectorize"), ("paint", "lines")
#: In so many parts a straight piece of a line is looked at for whether it runs over the picture.
LOOKED_AT = 32
#: [[x, y], ...] in shares of the picture's width and height.
Line = List[List[float]]


@dataclass(frozen=True)
class Marks:
    """detail_map: a grey PNG, empty where no shape marks anything. guides: lines that strokes near them run along."""

    detail_map: bytes = b""
    guides: tuple[Line, ...] = ()

    def of_use(self, kind: str) -> Marks:
        """Of these what means something to an engine's job of that kind."""
        return Marks(self.detail_map if kind in HEEDING_SHAPES else b"", self.guides if kind in HEEDING_LINES else ())

    def or_else(self, others: Marks) -> Marks:
        """These, and ``others`` of each sort of which there are none."""
        return Marks(self.detail_map or others.detail_map, self.guides or others.guides)

    def payloads(self) -> dict[str, bytes]:
        """The map as the engine expects it."""
        return payloads(self.detail_map)

    def info(self) -> dict[str, Any]:
        """The lines as the engine expects them."""
        return {"guides": list(self.guides)} if self.guides else {}

    def notes(self) -> dict[str, str]:
        """What the layer of the result is to say."""
        stored = {DETAIL_MAP: base64.b64encode(self.detail_map).decode()} if self.detail_map else {}
        return {**stored, **({GUIDES: json.dumps(self.guides, separators=(",", ":"))} if self.guides else {})}


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
    return [element for element in svg.iter() if element in inside
            and (is_outlined(element) or local_name(element) == "line")
            and element.get(STROKE) is None and not styles.hidden(element)]


def of_use(shapes: list[Element], kind: str) -> list[Element]:
    """Those of shapes and lines that can mean something to an engine's job of that kind."""
    return [shape for shape in shapes if kind in (HEEDING_LINES if is_open_line(shape) else HEEDING_SHAPES)]


def marks_on(place: Place, shapes: list[Element]) -> tuple[Marks, list[Any]]:
    """What ``shapes`` come to on a picture, and those of them that mark or guide something there.

    Raises:
        InputError: the picture is squeezed to nothing.
    """
    png, marking = detail_map(place, [shape for shape in shapes if not is_open_line(shape)])
    lines, guiding = guides(place, [shape for shape in shapes if is_open_line(shape)])
    return Marks(png, tuple(lines)), [*marking, *guiding]


def guides(place: Place, shapes: list[Element]) -> tuple[list[Line], list[Any]]:
    """Open lines as polylines in shares of the picture, as far as they run over it, and the elements that do.

    Raises:
        InputError: the picture is squeezed to nothing.
    """
    lines, guiding = [], []
    for shape in shapes:
        seen = [line for line in polygons(plain_data(shape, _to_shares(place) @ to_root(shape), PLACES), 2)
                if _crosses(line)]
        lines += [line.round(PLACES).tolist() for line in seen]
        guiding += [shape] if seen else []
    return lines, guiding


def _crosses(line: np.ndarray) -> bool:
    """Whether a polyline (n, 2) in shares runs over the picture."""
    t = np.linspace(0, 1, LOOKED_AT)[:, None, None]
    points = line[:-1] * (1 - t) + line[1:] * t
    return bool(((points >= 0) & (points <= 1)).all(-1).any())


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
    lines = [line for shape in shapes for line in polygons(plain_data(shape, _to_shares(place) @ to_root(shape)), 2)]
    return bounds(lines) if lines else None


def _to_shares(place: Place) -> Transform:
    return Transform(scale=(1 / place.size[0], 1 / place.size[1])) @ place.from_root


def payloads(png: bytes) -> dict[str, bytes]:
    """The map as the engine expects it; nothing where it is empty."""
    return {PAYLOAD: png} if png else {}


def note(used: Iterable[Element], others: int) -> str:
    """Lines about how many shapes mark something, how many guide strokes, and how many do nothing."""
    found = list(used)
    guiding = sum(map(is_open_line, found))
    return "\n".join(filter(None, (marking_note(len(found) - guiding), guiding_note(guiding), others_note(others))))


def note_for(kind: str, used: list[Any], shapes: list[Any]) -> str:
    """What becomes of the shapes and lines that are selected as well; used: those that mark or guide something."""
    if kind == "paint" or not shapes:
        return note(used, len(shapes) - len(used))
    working = of_use(used, kind)
    idle = len(shapes) - len(working)
    words = ""
    if idle and kind == "lines":
        words = ngettext("The selected shape marks nothing: a line drawing needs no marks",
                         "The selected shapes mark nothing: a line drawing needs no marks", idle)
    elif idle:
        words = ngettext("{count} selected line or shape does nothing: free shapes heed closed shapes over the picture",
                         "{count} selected lines or shapes do nothing: free shapes heed closed shapes over the picture",
                         idle).format(count=idle)
    return "\n".join(filter(None, (note(working, 0), words)))


def marking_note(count: int) -> str:
    return ngettext("{count} selected shape marks where detail goes", "{count} selected shapes mark where detail goes",
                    count).format(count=count) if count else ""


def guiding_note(count: int) -> str:
    return ngettext("{count} selected line gives strokes near it their direction",
                    "{count} selected lines give strokes near them their direction",
                    count).format(count=count) if count else ""


def others_note(count: int) -> str:
    return ngettext("{count} selected shape lies beside the picture or covers all of it, and marks nothing",
                    "{count} selected shapes lie beside the picture or cover all of it, and mark nothing",
                    count).format(count=count) if count else ""


def kept(layer: Element) -> Marks:
    """What a layer keeps; nothing where that is damaged."""
    try:
        png = base64.b64decode(layer.get(DETAIL_MAP) or "", validate=True)
    except ValueError:
        png = b""
    try:
        lines = tuple([[float(x), float(y)] for x, y in line] for line in json.loads(layer.get(GUIDES) or "[]"))
    except (ValueError, TypeError):
        lines = ()
    sound = all(len(line) > 1 and np.isfinite(line).all() for line in lines)
    return Marks(png, lines if sound else ())


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
