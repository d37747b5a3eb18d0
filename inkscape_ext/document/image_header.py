"""The size and the turning of a picture, read from the first bytes of its file. Standard library only.

Only what placing needs: Inkscape fits a picture by its width and height in pixels, so the host has to know them before
anything decodes the pixels.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator

#: Kinds whose EXIF orientation Inkscape follows (tried in 1.2.2: a PNG or WebP is shown as it is stored).
TURNED_KINDS = ("jpeg", "tiff")


@dataclass(frozen=True)
class Raster:
    """kind: png, jpeg, gif, webp, bmp or tiff. width, height: px as stored. orientation: EXIF, 1 to 8."""

    kind: str
    width: int
    height: int
    orientation: int = 1

    @property
    def shown(self) -> tuple[int, int]:
        """(width, height) px as Inkscape shows it: after turning, where it turns."""
        if self.kind in TURNED_KINDS and self.orientation >= 5:
            return self.height, self.width
        return self.width, self.height


def read(data: bytes) -> Raster | None:
    """The raster that ``data`` begins with, or None where the kind is unknown or the header is damaged."""
    for magic, kind in _READERS:
        if data.startswith(magic):
            try:
                found = kind(data)
            except (struct.error, IndexError):
                return None
            return found if found and found.width > 0 and found.height > 0 else None
    return None


def is_drawing(data: bytes) -> bool:
    """Whether ``data`` is an SVG (also a compressed one): a drawing, which has no pixels to paint."""
    if data.startswith(b"\x1f\x8b"):
        return True
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and b"<svg" in data[:65536]


def as_shown(data: bytes, raster: Raster | None) -> bytes:
    """``data`` without an orientation that Inkscape does not follow, so that the engine sees what the artist sees."""
    if raster is None or raster.orientation == 1 or raster.kind in TURNED_KINDS:
        return data
    if raster.kind == "png":
        kept = b"".join(data[start:end] for name, start, end in _png_chunks(data) if name != b"eXIf")
        return data[:8] + kept
    if raster.kind == "webp":
        body = b"".join(data[start:end] for name, start, end in _riff_chunks(data) if name != b"EXIF")
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    return data


def _png(data: bytes) -> Raster:
    width, height = struct.unpack(">II", data[16:24])
    orientation = 1
    for name, start, end in _png_chunks(data):
        if name == b"eXIf":
            orientation = _tiff_tags(data[start + 8:end - 4]).get(0x0112, 1)
        if name == b"IDAT":
            break
    return Raster("png", width, height, _valid(orientation))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, end) of every chunk, length and checksum included."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + struct.unpack(">I", data[at:at + 4])[0]
        yield data[at + 4:at + 8], at, end
        at = end


def _jpeg(data: bytes) -> Raster | None:
    orientation, at = 1, 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 2
            continue
        length = struct.unpack(">H", data[at + 2:at + 4])[0]
        if marker == 0xE1 and data[at + 4:at + 10] == b"Exif\0\0":
            orientation = _tiff_tags(data[at + 10:at + 2 + length]).get(0x0112, 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5:at + 9])
            return Raster("jpeg", width, height, _valid(orientation))
        at += 2 + length
    return None


def _gif(data: bytes) -> Raster:
    width, height = struct.unpack("<HH", data[6:10])
    return Raster("gif", width, height)


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack("<I", data[at + 4:at + 8])[0]
        end = at + 8 + size + size % 2
        yield data[at:at + 4], at, end
        at = end


def _webp(data: bytes) -> Raster | None:
    if data[8:12] != b"WEBP":
        return None
    size, orientation = (0, 0), 1
    for name, start, end in _riff_chunks(data):
        body = data[start + 8:start + 8 + 10]
        if name == b"VP8X":
            size = (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
        elif name == b"VP8 " and size == (0, 0):
            width, height = struct.unpack("<HH", body[6:10])
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and size == (0, 0):
            bits = struct.unpack("<I", body[1:5])[0]
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif name == b"EXIF":
            exif = data[start + 8:end]
            orientation = _tiff_tags(exif[6:] if exif.startswith(b"Exif\0\0") else exif).get(0x0112, 1)
    return Raster("webp", size[0], size[1], _valid(orientation))


def _bmp(data: bytes) -> Raster:
    if struct.unpack("<I", data[14:18])[0] == 12:
        width, height = struct.unpack("<HH", data[18:22])
    else:
        width, height = struct.unpack("<ii", data[18:26])
    return Raster("bmp", width, abs(height))


def _tiff(data: bytes) -> Raster:
    tags = _tiff_tags(data)
    return Raster("tiff", tags.get(256, 0), tags.get(257, 0), _valid(tags.get(0x0112, 1)))


def _tiff_tags(data: bytes) -> dict[int, int]:
    """The first directory's tags that hold one short or long number; empty where the block is damaged."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return {}
    at = struct.unpack(order + "I", data[4:8])[0]
    if at + 2 > len(data):
        return {}
    tags = {}
    for entry in range(struct.unpack(order + "H", data[at:at + 2])[0]):
        raw = data[at + 2 + 12 * entry:at + 14 + 12 * entry]
        if len(raw) < 12:
            break
        tag, kind, count = struct.unpack(order + "HHI", raw[:8])
        if count == 1 and kind in (3, 4):
            tags[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), raw[8:10 if kind == 3 else 12])[0]
    return tags


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


_READERS = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
)
