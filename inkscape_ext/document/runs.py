"""What a document remembers of each run: on its layer, and once more in the metadata, safe from ungrouping.

A stroke carries the run's key (``gv3``) and a fingerprint of what gradvec made, which tells whether the artist has
changed it since.
"""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
from inkex import Transform
from lxml import etree

from . import placement, styles
from .gradients import Definitions, stops_of
from .namespaces import GRADVEC, PICTURE, STROKE, SVG, Element
from .outlines import area, extent, is_open_line, plain_data, polygons
from .placement import inverse, to_root
from .transform import number

#: On the document's metadata: JSON, for each run's key what stands on its layer.
RUNS = GRADVEC + "runs"
#: On a layer: the key of its run. On a stroke: its fingerprint.
KEY, MADE = GRADVEC + "key", GRADVEC + "made"
FRAME = GRADVEC + "frame"
_NAME, _NOT_XML = re.compile(r"[a-z-]+\Z"), re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOKS = ("filter", "clip-path", "mask", "mix-blend-mode")
#: Inkscape writes eight digits: px, and as a share of the number, that say nothing.
SLACK_PX, SLACK = 0.05, 1e-4


def remember(svg: Element, layer: Element) -> None:
    """Notes in the metadata what stands on ``layer``, and forgets runs of which no stroke is left."""
    key = layer.get(KEY)
    alive = {element.get(STROKE) for element in svg.iter() if isinstance(element.tag, str)}
    notes = {name[len(GRADVEC):]: value for name, value in layer.attrib.items() if name.startswith(GRADVEC)}
    frame = frame_of(layer)
    if frame is not None:  # a layer that is ungrouped hands its transform to its strokes
        notes["frame"] = " ".join(number(n, 9) for n in (to_root(layer) @ frame).to_hexad())
    records = {**{name: kept for name, kept in _stored(svg).items() if name in alive}, key: notes}
    metadata = svg.find(SVG + "metadata")
    if metadata is None:
        metadata = svg.makeelement(SVG + "metadata")
        svg.insert(0, metadata)
    metadata.set(RUNS, json.dumps(records, sort_keys=True, separators=(",", ":")))


def remembered(svg: Element) -> dict[str, Element]:
    """By run what the metadata holds, as elements outside the document that have a layer's attributes."""
    found = {}
    for key, notes in _stored(svg).items():
        element = etree.Element(SVG + "metadata")
        for name, value in notes.items():
            element.set(GRADVEC + name, value)
        found[key] = element
    return found


def frame_of(holder: Element) -> Transform | None:
    """From canvas px to the user units in which the strokes of a run were written, as its layer or record notes it."""
    try:
        numbers = [float(n) for n in (holder.get(FRAME) or "").split()]
    except ValueError:
        return None
    return Transform(numbers) if len(numbers) == 6 else None


def canvas_of(holder: Element) -> tuple[float, float] | None:
    """(width, height) of the canvas in px, None where that is not noted."""
    try:
        width, height = (float(n) for n in (holder.get(GRADVEC + "canvas") or "").split())
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def holders(svg: Element) -> dict[str, Element]:
    """By run the element that tells what made it: its layer, or what the metadata remembers where that is gone."""
    found = remembered(svg)
    for layer in svg.iter(SVG + "g"):
        key = layer.get(KEY) or (layer.get("id") or "").partition("-layer")[0]
        if layer.get(PICTURE) and (key not in found or found[key].getparent() is None):
            found[key] = layer
    return found


def holder_of(stroke: Element, known: dict[str, Element]) -> Element | None:
    """What tells how ``stroke`` was made: the stroke itself, the nearest layer around it, or its run's of ``known``."""
    element = stroke
    while element is not None:
        if element.get(PICTURE):
            return element
        element = element.getparent()
    holder = known.get(stroke.get(STROKE))
    return holder if holder is not None and holder.get(PICTURE) else None


class Fingerprints:
    """How strokes look in the px of their canvas, so that moving or ungrouping their layer as a whole changes nothing.

    A fingerprint is the area, the middle and the length of an outline, the ends of its gradient and a sum of colours;
    of a line also how much it covers.
    """

    def __init__(self, svg: Element, definitions: Definitions) -> None:
        self._definitions = definitions
        self._known = holders(svg)
        self._to_canvas: dict[Element, Transform | None] = {}

    def sign(self, stroke: Element) -> None:
        """Writes on a stroke how it looks now, as gradvec made it."""
        words = self._words(stroke)
        if words is None:
            stroke.attrib.pop(MADE, None)
        else:
            stroke.set(MADE, " ".join([*(number(value, 2) for value in words[0]), words[1]]))

    def changed(self, stroke: Element) -> bool:
        """Whether a stroke looks different from what gradvec made; false for strokes of an older gradvec."""
        if not stroke.get(MADE):
            return False
        words = self._words(stroke)
        try:
            *numbers, colors = (stroke.get(MADE) or "").split(" ")
            before = [float(n) for n in numbers]
        except ValueError:
            return False
        if words is None:
            return False
        return words[1] != colors or len(before) != len(words[0]) or any(
            abs(now - then) > max(SLACK_PX, SLACK * abs(then)) for now, then in zip(words[0], before))

    def _words(self, stroke: Element) -> tuple[list[float], str] | None:
        """(numbers in canvas px, sum of colours); None where nothing tells where the canvas lies."""
        around = stroke.getparent()
        if around not in self._to_canvas:
            self._to_canvas[around] = self._from(around, holder_of(stroke, self._known))
        matrix = self._to_canvas[around]
        if matrix is None:
            return None
        matrix = matrix @ Transform(stroke.get("transform"))
        lines = polygons(plain_data(stroke, matrix, 6))
        chain = self._definitions.chain(styles.reference(styles.own(stroke, "fill")))
        own = [extent(stroke, matrix)] if is_open_line(stroke) else []
        return [*_measures(lines), *_ends(chain, matrix), *own], _colors(stroke, chain)

    def _from(self, around: Element, holder: Element | None) -> Transform | None:
        frame = frame_of(holder) if holder is not None else None
        back = inverse(to_root(holder) @ frame) if frame is not None else None
        return None if back is None else back @ to_root(around)


def _measures(lines: list[np.ndarray]) -> list[float]:
    """Area, middle and length of outlines."""
    if not lines:
        return [0.0, 0.0, 0.0, 0.0]
    start, end = np.concatenate(lines), np.concatenate([np.roll(line, -1, 0) for line in lines])
    length = np.hypot(*(end - start).T)
    middle = ((start + end) / 2 * length[:, None]).sum(0) / max(float(length.sum()), 1e-9)
    return [area(lines), float(middle[0]), float(middle[1]), float(length.sum())]


def _ends(chain: list[Element], matrix: Transform) -> list[float]:
    """Where a gradient in user units begins and ends."""
    if not chain or chain[0].get("gradientUnits") != "userSpaceOnUse":
        return []
    matrix = matrix @ Transform(chain[0].get("gradientTransform"))
    found: list[float] = []
    for x, y in (("x1", "y1"), ("x2", "y2"), ("cx", "cy")):
        if chain[0].get(x) and chain[0].get(y):
            whole = placement.viewport_of(chain[0])
            point = (placement.length(chain[0].get(x), whole[0]) or 0.0,
                     placement.length(chain[0].get(y), whole[1]) or 0.0)
            found += list(matrix.apply_to_point(point))
    return found


def _colors(stroke: Element, chain: list[Element]) -> str:
    words = [styles.own(stroke, name) for name in _LOOKS] + [_plain(styles.own(stroke, "fill"))] * (not chain)
    words += [_plain(styles.own(stroke, "stroke"))] * is_open_line(stroke)
    words += [f"{styles.share(styles.own(stroke, name)):.3f}" for name in ("opacity", "fill-opacity")]
    for offset, color, opacity in stops_of(chain):
        words.append(f"{offset:.4f} {styles.hex_of(color)} {opacity:.3f}")
    return f"{zlib.crc32(chr(10).join(words).encode()):08x}"


def _plain(paint: str) -> str:
    color = styles.rgb(paint)
    return styles.hex_of(color) if color else paint


def _stored(svg: Element) -> dict[str, dict[str, str]]:
    metadata = svg.find(SVG + "metadata")
    try:
        records = json.loads((metadata.get(RUNS) if metadata is not None else None) or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(records, dict):
        return {}
    return {key: {name: value for name, value in notes.items()
                  if isinstance(value, str) and _NAME.match(name) and not _NOT_XML.search(value)}
            for key, notes in records.items() if isinstance(notes, dict)}
