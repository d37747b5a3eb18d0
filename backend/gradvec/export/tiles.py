"""A drawing as a PNG of any size: rendered tile by tile by resvg and written row by row, so memory does not grow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from lxml import etree

from ..errors import UsageError
from ..io.svg.attributes import numbers
from ..io.svg.read import parse, size_of
from ..progress import Run
from ..tools.render_svg import render_svg

#: Longest side, px: what common programs open.
SIDE_MAX = 65_000
#: Px of a strip of a drawing without filters. A filter takes far longer: with one there are tiles, whose sides with
#: their margins are this many px, or four times the margin.
STRIP_PX, TILE_SIDE = 2_000_000, 1100
#: How far beyond itself a strip of a drawing with filters is rendered, in shares of the longest side: so far they
#: reach (blurs of 2.2, displacements of 4.5 and offsets of 1.1 units of 1/512).
MARGIN = 0.025
_METRE = 39.37007874


def png_parts(data: bytes, width: int, background: str, run: Run, dpi: float | None = None) -> Iterator[bytes]:
    """The bytes of a PNG ``width`` px wide, in pieces. dpi: px an inch that it says of itself.

    Raises:
        UsageError: it would be too large. InputError: not an SVG, or resvg cannot render it. Cancelled.
    """
    root = parse(data)
    across, down = size_of(root)
    height = max(1, round(width * down / across))
    if max(width, height) > SIDE_MAX:
        raise UsageError(f"A picture of {width} x {height} px is larger than other programs open.",
                         f"Ask for at most {SIDE_MAX} px a side.")
    yield b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    if dpi is not None:
        metre = round(dpi * _METRE)
        yield _chunk(b"pHYs", struct.pack(">IIB", metre, metre, 1))
    packer = zlib.compressobj(6)
    with run.stage("Rendering", 0.0, 1.0):
        for strip in strips(root, width, height, background):
            run.step(strip[0] / height)
            if packed := packer.compress(_filtered(strip[1])):
                yield _chunk(b"IDAT", packed)
    yield _chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b"")


def strips(root: etree._Element, width: int, height: int, background: str) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, (rows, width, 3) uint8) of the drawing from top to bottom."""
    across, down = size_of(root)
    box = numbers(root.get("viewBox", ""))
    left, top = box[:2] if len(box) == 4 else (0.0, 0.0)
    if next(root.iter("{*}filter"), None) is None:
        margin, rows, columns = 0, max(16, STRIP_PX // width), width
    else:
        margin = int(np.ceil(MARGIN * max(width, height)))
        rows = columns = max(TILE_SIDE, 4 * margin) - 2 * margin

    def shown(x: tuple[int, int], y: tuple[int, int]) -> np.ndarray:
        root.set("viewBox", f"{left + x[0] * across / width} {top + y[0] * down / height} "
                            f"{(x[1] - x[0]) * across / width} {(y[1] - y[0]) * down / height}")
        return render_svg(etree.tostring(root), x[1] - x[0], y[1] - y[0], background)

    for begin in range(0, height, rows):
        end = min(height, begin + rows)
        tall = max(0, begin - margin), min(height, end + margin)
        tiles = []
        for first in range(0, width, columns):
            last = min(width, first + columns)
            wide = max(0, first - margin), min(width, last + margin)
            tiles.append(shown(wide, tall)[begin - tall[0]:end - tall[0], first - wide[0]:last - wide[0]])
        yield begin, np.concatenate(tiles, 1)


def _filtered(rows: np.ndarray) -> bytes:
    """Rows as PNG's filter "sub" leaves them: the difference to the px on the left."""
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    kind = np.ones((len(rows), 1), np.uint8)
    return np.concatenate([kind, differences.reshape(len(rows), -1)], 1).tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
