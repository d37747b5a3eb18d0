"""A Document as SVG bytes: one Inkscape layer a Layer, one path a Shape or Line, one gradient of its own a path.

Everything is in px of the working picture, rounded to 0.01; the root's viewBox is the picture, which clips what
reaches beyond it. The same document gives the same bytes.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from xml.sax.saxutils import quoteattr

from ...errors import EngineError
from ...model import Color, Document, Fill, Layer, Line, LinearGradient, Shape, SolidColor, Stop
from .path import FARTHEST, line_data, line_node_types, node_types, number, path_data
from .texture import texture_filter

#: Our own words in a document: the run that made it and the painting level of a stroke. The name is a random UUID: an
#: address on the internet could come to belong to somebody else. Documents up to gradvec 0.1 use the old name.
NAMESPACE = "urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869"
OLD_NAMESPACE = "https://gradvec.org/ns/1"
INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"
SODIPODI = "http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
SVG = "http://www.w3.org/2000/svg"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.-]")


def write(document: Document, relative: bool = False, page_mm: tuple[float, float] | None = None) -> bytes:
    """``document`` as UTF-8 SVG.

    relative: write curves with relative coordinates, which makes the file about a quarter smaller; without it, all
        coordinates are absolute, which is easier on programs that move them.
    page_mm: width and height of a page that the drawing is to fill as far as it fits, mm: its own size is in mm then,
        as plotters take it. Without it, it is in px.

    Raises:
        EngineError: a coordinate, colour or opacity is not a finite number.
    """
    ids = _Ids()
    names = [(ids.take(f"gradvec-{layer.key or f'layer-{i}'}"),
              [ids.take(name or "stroke") for name in [s.id for s in layer.shapes] + [s.id for s in layer.lines]])
             for i, layer in enumerate(document.layers, 1)]
    gradients: list[str] = []
    body: list[str] = []
    for layer, (layer_id, shape_ids) in zip(document.layers, names, strict=True):
        body.append(_layer_start(layer, layer_id))
        for shape, shape_id in zip(layer.shapes, shape_ids, strict=False):
            body.append(_path(shape, shape_id, _fill(shape.fill, shape_id, ids, gradients), relative))
        body += [_line(line, line_id, relative)
                 for line, line_id in zip(layer.lines, shape_ids[len(layer.shapes):], strict=True)]
        body.append("</g>")
    width, height = document.width, document.height
    if document.texture != "none":
        texture_id = ids.take(f"gradvec-{document.texture}")
        gradients.append(texture_filter(document.texture, texture_id, width, height, document.softness))
        body = [f'<g inkscape:groupmode="layer" inkscape:label="texture: {document.texture}" '
                f'id="{ids.take("gradvec-texture")}" filter="url(#{texture_id})">', *body, "</g>"]
    if document.mask:
        mask_id = ids.take("gradvec-mask")
        gradients.append(_mask(document, mask_id, relative))
        body = [f'<g inkscape:groupmode="layer" inkscape:label="soft edges" id="{ids.take("gradvec-soft")}" '
                f'mask="url(#{mask_id})">', *body, "</g>"]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="{SVG}" xmlns:inkscape="{INKSCAPE}" xmlns:sodipodi="{SODIPODI}"'
        f' xmlns:gradvec="{NAMESPACE}" version="1.1"'
        f' {_size(width, height, page_mm)} viewBox="0 0 {width} {height}">',
        # an attribute, because Inkscape warns of elements in the metadata that it does not know
        f"<metadata gradvec:run={_attribute(_json(document.meta))}/>",
        "<defs>", *gradients, "</defs>", *body, "</svg>", ""]
    return "\n".join(lines).encode()


def _size(width: int, height: int, page_mm: tuple[float, float] | None) -> str:
    """The root's width and height: px, or the largest in mm that fits on a page."""
    if page_mm is None:
        return f'width="{width}" height="{height}"'
    scale = min(page_mm[0] / width, page_mm[1] / height)
    return f'width="{_decimal(width * scale, 3)}mm" height="{_decimal(height * scale, 3)}mm"'


def _mask(document: Document, identifier: str, relative: bool) -> str:
    paths = "".join(f'<path d="{path_data(shape.outline, relative)}" fill="{_hex(shape.fill.color)}"/>'
                    for shape in document.mask if isinstance(shape.fill, SolidColor))
    return (f'<mask id="{identifier}" maskUnits="userSpaceOnUse" x="0" y="0" width="{document.width}" '
            f'height="{document.height}">{paths}</mask>')


class _Ids:
    """Gives every element an id of its own; whoever asks first for a name gets it unchanged."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        stem = _NOT_IN_ID.sub("-", wanted)
        if not (stem[0].isalpha() or stem[0] == "_"):
            stem = f"_{stem}"
        name = stem
        while name in self._uses:
            self._uses[stem] += 1
            name = f"{stem}-{self._uses[stem]}"
        self._uses[name] = 1
        return name


def _layer_start(layer: Layer, layer_id: str) -> str:
    return f'<g inkscape:groupmode="layer" inkscape:label={_attribute(layer.name)} id="{layer_id}">'


def _path(shape: Shape, shape_id: str, paint: str, relative: bool) -> str:
    extra = ""
    if shape.opacity < 1:
        extra += f' fill-opacity="{_decimal(shape.opacity, 3)}"'
    if shape.rim is not None:
        extra += (f' stroke="{_hex(shape.rim.color)}" stroke-width="{_decimal(shape.rim.width, 2)}" '
                  f'stroke-opacity="{_decimal(shape.rim.opacity, 3)}"')
    if shape.label:
        extra += f" inkscape:label={_attribute(shape.label)}"
    if shape.level:
        extra += f' gradvec:level="{shape.level}"'
    if shape.brush:
        extra += f' gradvec:brush={_attribute(shape.brush)}'
    extra += f' sodipodi:nodetypes="{node_types(shape.outline)}"'
    return f'<path id="{shape_id}" d="{path_data(shape.outline, relative)}" fill="{paint}"{extra}/>'


def _line(line: Line, line_id: str, relative: bool) -> str:
    extra = f' stroke-opacity="{_decimal(line.opacity, 3)}"' if line.opacity < 1 else ""
    extra += f" inkscape:label={_attribute(line.label)}" if line.label else ""
    extra += f' gradvec:level="{line.level}"' if line.level else ""
    return (f'<path id="{line_id}" d="{line_data(line.points, relative)}" fill="none" stroke="{_hex(line.color)}" '
            f'stroke-width="{_decimal(line.width, 2)}" stroke-linecap="{line.cap}" stroke-linejoin="round"{extra} '
            f'sodipodi:nodetypes="{line_node_types(line.points)}"/>')


def _fill(fill: Fill, shape_id: str, ids: _Ids, gradients: list[str]) -> str:
    """The value of the fill attribute; a gradient's element is added to ``gradients``."""
    if isinstance(fill, SolidColor):
        return _hex(fill.color)
    gradient_id = ids.take(f"{shape_id}-fill")
    if isinstance(fill, LinearGradient):
        kind, place = "linearGradient", {"x1": fill.x1, "y1": fill.y1, "x2": fill.x2, "y2": fill.y2}
    else:
        kind, place = "radialGradient", {"cx": fill.cx, "cy": fill.cy, "r": fill.r}
    where = " ".join(f'{name}="{_decimal(value, 2)}"' for name, value in place.items())
    stops = "".join(_stop(stop) for stop in fill.stops)
    gradients.append(f'<{kind} id="{gradient_id}" inkscape:collect="always" gradientUnits="userSpaceOnUse" {where}>'
                     f"{stops}</{kind}>")
    return f"url(#{gradient_id})"


def _stop(stop: Stop) -> str:
    opacity = f' stop-opacity="{_decimal(stop.opacity, 3)}"' if stop.opacity < 1 else ""
    return f'<stop offset="{_decimal(stop.offset, 3)}" stop-color="{_hex(stop.color)}"{opacity}/>'


def _hex(color: Color) -> str:
    if not all(c == c and abs(c) < 1e9 for c in color):
        raise EngineError(f"A colour is not made of finite numbers: {color}.")
    return "#" + "".join(f"{min(max(round(float(c) * 255), 0), 255):02x}" for c in color)


def _decimal(value: float, places: int) -> str:
    """``value`` rounded to ``places`` decimals, without trailing zeros."""
    value = float(value)
    if not abs(value) <= FARTHEST:
        raise EngineError(f"A number of a fill is not finite, or too large for a drawing: {value}.")
    if places == 2:
        return number(round(value * 100))
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@lru_cache(4096)
def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _json(meta: dict) -> str:
    """ASCII only, so that no character of a file name can break the XML."""
    return json.dumps(meta, sort_keys=True, separators=(",", ":"), allow_nan=False)
