"""Decoding of raster files: from a stream to rows of straight sRGB floats, whatever the file holds.

Pillow reads the files. What it leaves to its callers is done here: one plain sentence for every kind of unusable file,
16 bits a channel, grey, palette, CMYK and Lab pictures, colour keys, and embedded ICC profiles.
"""

from __future__ import annotations

import io
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from ..errors import GradvecError, InputError
from .files import open_file

#: Rows [top, bottom) as (bottom - top, W, 3 or 4) float32: straight sRGB-encoded colour and, if 4, opacity, in [0, 1].
Rows = Callable[[int, int], np.ndarray]
_Convert = Callable[[Image.Image], Image.Image]

_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "AVIF", "JPEG2000", "TGA", "ICO", "PCX",
            "SGI", "QOI", "PSD", "DDS", "ICNS", "XBM", "XPM")
_REMEDY = "Hand over a PNG, JPEG, WebP, TIFF, GIF or BMP picture."
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
#: Bytes that decoding a picture may take.
MEMORY_MAX = 3 * 2**29
#: px of a run-length encoded BMP, which Pillow's decoder, in Python, fills one by one: some 0.1 s a million.
RUN_LENGTH_MAX = 25_000_000
_limit_lock, _lifted, _limit = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS


# ---- opening ---------------------------------------------------------------------------------------------------------

@contextmanager
def opened(source: Path | str | bytes, named: str) -> Iterator[BinaryIO]:
    """A stream at the start of ``source``, after the checks that need no decoder.

    Raises:
        InputError: there is no such file, it cannot be read, or its first bytes are no picture's.
    """
    if isinstance(source, bytes):
        _check_head(source[:4096], named)
        yield io.BytesIO(source)
        return
    with open_file(Path(source), named) as stream:
        _check_head(stream.read(4096), named)
        stream.seek(0)
        yield stream


@contextmanager
def translated(named: str, silence: bool = True) -> Iterator[None]:
    """Whatever a decoder raises becomes one sentence; what it warns about is not worth an artist's time.

    silence: off where several threads decode at once, because Python's warning filters are shared between them.
    """
    try:
        with _pillow_limit(), warnings.catch_warnings() if silence else nullcontext():
            if silence:
                warnings.simplefilter("ignore")
            yield
    except GradvecError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{named} is not a picture that can be read.", _REMEDY) from error
    except MemoryError as error:
        raise InputError(f"{named} does not fit into memory.", "Scale it down first.") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, zlib.error, EOFError, ...
        raise InputError(f"{named} is damaged or cut off and cannot be decoded.",
                         "Save or download it again.") from error


def open_picture(stream: BinaryIO, named: str, pixels_max: int) -> Image.Image:
    """The picture in ``stream``, not yet decoded.

    To be called inside :func:`translated`, which lifts Pillow's own limit.

    Raises:
        InputError: more than ``pixels_max`` pixels, decoding takes more than :data:`MEMORY_MAX`, or it is done px by px
            and there are more than :data:`RUN_LENGTH_MAX`.
    """
    Image.init()
    picture = Image.open(stream, formats=[f for f in _FORMATS if f in Image.OPEN])
    width, height = picture.size
    if width * height > pixels_max:
        raise InputError(f"{named} is {width} x {height} px, {width * height / 1e6:.0f} million pixels; at most "
                         f"{pixels_max / 1e6:.0f} million can be worked on.", "Scale it down first.")
    if any(tile[0] == "bmp_rle" for tile in getattr(picture, "tile", [])) and width * height > RUN_LENGTH_MAX:
        raise InputError(f"{named} is a run-length encoded BMP of {width} x {height} px; those of more than "
                         f"{RUN_LENGTH_MAX / 1e6:.0f} million pixels take too long to decode.", "Save it as PNG first.")
    needed = memory_to_decode(picture)
    if needed > MEMORY_MAX:
        raise InputError(f"{named} is {width} x {height} px, and decoding {picture.format or 'it'} of that size takes "
                         f"{needed / 1e9:.1f} GB of memory; at most {MEMORY_MAX / 1e9:.1f} GB are used.",
                         "Scale it down first, or save it as PNG or JPEG.")
    return picture


def memory_to_decode(picture: Image.Image) -> int:
    """About how many bytes Pillow and its libraries hold at once while they decode ``picture``, measured at 100 Mpx.

    WebP and AVIF: two canvases, a copy as bytes and the picture, four bytes a px each; JPEG 2000: whole numbers of
    four bytes for each channel, and the picture; TIFF: a strip, which may be everything, and the picture; 16 bits a
    channel are read twice.
    """
    stored = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}.get(picture.mode, 4)
    beside = {"WEBP": 12, "AVIF": 12, "JPEG2000": 16, "TIFF": stored, "GIF": 4}.get(picture.format or "", 0)
    if picture.format in ("JPEG", "MPO") and picture.info.get("progressive"):
        stored, beside = 0, 6  # all coefficients; the picture itself is decoded small (see images.load)
    if any("16" in _raw_mode(tile) for tile in getattr(picture, "tile", [])) and stored == 4:
        beside += 4
    return picture.width * picture.height * (stored + beside)


@contextmanager
def _pillow_limit() -> Iterator[None]:
    """Lifts Pillow's own limit, which would call a TIFF of 180 million pixels damaged; ours is checked before."""
    global _lifted, _limit
    with _limit_lock:
        if not _lifted:
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _lifted += 1
    try:
        yield
    finally:
        with _limit_lock:
            _lifted -= 1
            if not _lifted:
                Image.MAX_IMAGE_PIXELS = _limit


def _check_head(head: bytes, named: str) -> None:
    """Tells files apart that a decoder would only call unknown."""
    if not head:
        raise InputError(f"{named} is empty (0 bytes).", _REMEDY)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"<svg" in head or head[:2] == b"\x1f\x8b" or text[:5] == b"<?xml":
        raise InputError(f"{named} is a vector drawing (SVG), not a picture of pixels.",
                         "Export it as PNG first, or select a picture inside the drawing.")
    if head[:5] == b"%PDF-" or head[:4] == b"%!PS":
        raise InputError(f"{named} is a document (PDF or PostScript), not a picture of pixels.",
                         "Export the page as PNG first.")
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        raise InputError(f"{named} is a HEIC picture, which cannot be decoded here.", "Save it as JPEG or PNG first.")
    size = _declared_size(head)
    if size is not None and 0 in size:
        raise InputError(f"{named} has no pixels ({size[0]} x {size[1]} px).", _REMEDY)


def _declared_size(head: bytes) -> tuple[int, int] | None:
    """(width, height) in the header of a PNG, GIF or BMP file, whose decoders report 0 x 0 as mere damage."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
    elif head[:4] == b"GIF8" and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
    elif head[:2] == b"BM" and len(head) >= 26:
        width, height = struct.unpack("<ii", head[18:26])
    else:
        return None
    return width, abs(height)


# ---- rows ------------------------------------------------------------------------------------------------------------

def decode(stream: BinaryIO, picture: Image.Image, named: str) -> Rows:
    """Decodes ``picture`` (opened from ``stream``) and gives its rows; ``picture.size`` is true only afterwards."""
    return decode_smaller(stream, picture, named, lambda width, height: 1)[0]


def decode_smaller(stream: BinaryIO, picture: Image.Image, named: str,
                   factor_for: Callable[[int, int], int]) -> tuple[Rows, tuple[int, int], int]:
    """(rows, their width and height, by which whole factor they are smaller than the picture).

    factor_for: from the decoded picture's width and height to the factor that is wanted; with 16 and more bits a
        channel it is 1 in any case.
    """
    _check_strips(picture)
    low = _low_bytes(stream, picture, named)
    picture.load()
    if low is not None:
        convert = _to_srgb(picture)
        joined = _sixteen_grey if low.mode == "RGBA" and _grey_alpha_16(low) else _sixteen

        def rows(top: int, bottom: int) -> np.ndarray:
            return joined(_crop(picture, top, bottom), _crop(low, top, bottom), convert)

        return rows, picture.size, 1
    factor = factor_for(*picture.size)
    small = _reduced(picture, factor) if factor > 1 else None
    return _rows(small or picture), (small or picture).size, factor if small else 1


def _check_strips(picture: Image.Image) -> None:
    """Raises ValueError where a TIFF file names fewer strips or tiles than its size needs, which Pillow takes for a
    picture that is black from there on: some hundred bytes could be half a minute of nothing."""
    if picture.format != "TIFF":
        return
    places = [tile[1] for tile in getattr(picture, "tile", []) if tile[1] is not None]
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in places)
    reach = sorted(max((place[side] for place in places), default=0) for side in (2, 3))
    # Sorted, because newer versions of Pillow tell the size as it is after the picture has been turned.
    if area < picture.width * picture.height or any(a < b for a, b in zip(reach, sorted(picture.size), strict=True)):
        raise ValueError("strips are missing")


def _rows(picture: Image.Image) -> Rows:
    """The rows of a decoded picture with at most 8 bits a channel, or of one channel of numbers."""
    if picture.mode.startswith(("I", "F")):
        return _number_rows(picture)
    convert = _to_srgb(picture)
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        return lambda top, bottom: _with_alpha(_crop(picture, top, bottom), convert)
    return lambda top, bottom: _floats(convert(_crop(picture, top, bottom)))


def _reduced(picture: Image.Image, factor: int) -> Image.Image | None:
    """A decoded picture of 8 bits a channel, smaller by a whole ``factor`` (means of squares of px, colour weighted by
    opacity), in strips; None for other pictures."""
    if picture.mode.startswith(("I", "F")):
        return None
    plain = picture.mode in ("L", "RGB", "CMYK", "LAB") and "transparency" not in picture.info
    opaque = picture.mode == "1" and "transparency" not in picture.info
    mode = picture.mode if plain else "L" if opaque else "RGBA"
    small = Image.new(mode, (-(-picture.width // factor), -(-picture.height // factor)))
    small.info = {k: v for k, v in picture.info.items() if k != "transparency"}
    lines = factor * max(1, 2_000_000 // (picture.width * factor))
    for top in range(0, picture.height, lines):
        strip = _crop(picture, top, min(top + lines, picture.height))
        if strip.mode != mode:
            strip = strip.convert("LA" if strip.mode == "La" else strip.mode).convert(mode)
        small.paste(strip.reduce(factor), (0, top // factor))
    return small


def _crop(picture: Image.Image, top: int, bottom: int) -> Image.Image:
    return picture.crop((0, top, picture.width, bottom))


def _floats(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float32) / np.float32(255)


def _with_alpha(image: Image.Image, convert: _Convert) -> np.ndarray:
    if image.mode in ("La", "RGBa"):  # stored premultiplied
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA")
    rgba = image.convert("RGBA")
    colors = image.getchannel("L") if image.mode == "LA" else rgba.convert("RGB")
    return np.concatenate([_floats(convert(colors)), _floats(rgba.getchannel("A"))[..., None]], -1)


def _number_rows(picture: Image.Image) -> Rows:
    """Grey pictures of 16- and 32-bit numbers: white is 65535 for integers and 1 for floats, more where they are."""
    high = float(np.nan_to_num(np.asarray(picture.getextrema()[1], np.float64), posinf=1.0))
    white = max(1.0 if picture.mode == "F" else 65535.0, high)
    key = picture.info.get("transparency")

    def rows(top: int, bottom: int) -> np.ndarray:
        values = np.asarray(_crop(picture, top, bottom))
        grey = np.clip(np.nan_to_num(values.astype(np.float64) / white), 0, 1).astype(np.float32)
        return np.stack([grey] * 3 + ([(values != key).astype(np.float32)] if isinstance(key, int) else []), -1)

    return rows


# ---- 16 bits a channel -----------------------------------------------------------------------------------------------

def _low_bytes(stream: BinaryIO, picture: Image.Image, named: str) -> Image.Image | None:
    """The low bytes of a picture with 16 bits a channel, of which Pillow keeps the high ones; None for others.

    Read with the opposite byte order, "the high byte" is the low one. Grey with opacity is read as four plain bytes a
    pixel instead: high, low, high, low.
    """
    modes = {_raw_mode(tile) for tile in getattr(picture, "tile", [])}
    raw = modes.pop() if len(modes) == 1 else ""
    if raw == "LA;16B":
        swapped = "RGBA"
    elif raw[:-1] in ("RGB;16", "RGBA;16"):
        swapped = raw[:-1] + {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}[raw[-1]]
    else:
        return None
    stream.seek(0)
    again = open_picture(io.BytesIO(stream.read()), named, picture.width * picture.height)
    assert isinstance(again, ImageFile.ImageFile)
    again.tile = [_with_raw_mode(tile, swapped) for tile in again.tile]
    again.load()
    again.info["sixteen"] = raw
    return again


def _grey_alpha_16(low: Image.Image) -> bool:
    return low.info.get("sixteen") == "LA;16B"


def _raw_mode(tile: Any) -> str:
    """The raw mode of a decoder's tile: its arguments are the mode, or begin with it."""
    first = tile[3][0] if isinstance(tile[3], tuple) and tile[3] else tile[3]
    return first if isinstance(first, str) else ""


def _with_raw_mode(tile: Any, raw: str) -> Any:
    arguments = (raw, *tile[3][1:]) if isinstance(tile[3], tuple) else raw
    return tile._replace(args=arguments) if hasattr(tile, "_replace") else (*tile[:3], arguments)


def _sixteen_grey(high: Image.Image, low: Image.Image, convert: _Convert) -> np.ndarray:
    pair = np.asarray(low, np.float32)
    value = (pair[..., 0::2] * 256 + pair[..., 1::2]) / np.float32(65535)
    return np.stack([value[..., 0]] * 3 + [value[..., 1]], -1)


def _sixteen(high: Image.Image, low: Image.Image, convert: _Convert) -> np.ndarray:
    """Channels from their high and low bytes. Profiles work on 8 bits: what one changes is added to all 16."""
    number = np.asarray(high, np.int32) * 256 + np.asarray(low, np.int32)
    value = number.astype(np.float32) / np.float32(65535)
    eight = high.convert("RGB")
    rgb = np.clip(value[..., :3] + (_floats(convert(eight)) - _floats(eight)), 0, 1)
    key = high.info.get("transparency")
    if high.mode == "RGB" and isinstance(key, tuple):
        return np.concatenate([rgb, (number != np.array(key)).any(-1)[..., None].astype(np.float32)], -1)
    return np.concatenate([rgb, value[..., 3:]], -1)


# ---- colour ----------------------------------------------------------------------------------------------------------

def _to_srgb(picture: Image.Image) -> _Convert:
    """From strips of ``picture``'s mode (or of its RGB or L part) to RGB in sRGB."""
    transform = _profile_transform(picture)
    if transform is None:
        return lambda image: image if image.mode == "RGB" else image.convert("RGB")
    mode, apply = transform

    def convert(image: Image.Image) -> Image.Image:
        return apply(image if image.mode == mode else image.convert(mode))

    return convert


def _profile_transform(picture: Image.Image) -> tuple[str, _Convert] | None:
    """(mode it wants, conversion) for the embedded profile; None without one, with a useless one, and for sRGB."""
    try:
        from PIL import ImageCms
    except ImportError:
        return None
    mode = {"1": "L", "LA": "L", "La": "L", "L": "L", "CMYK": "CMYK", "LAB": "LAB"}.get(picture.mode, "RGB")
    data = picture.info.get("icc_profile")
    if not data and mode != "LAB":
        return None
    try:
        profile = ImageCms.createProfile("LAB") if mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(data or b""))
        if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(profile):
            return None
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB",
                                            ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                            ImageCms.Flags.BLACKPOINTCOMPENSATION)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a damaged profile, or one for another kind of picture: viewers ignore it too

    def apply(image: Image.Image) -> Image.Image:
        result = ImageCms.applyTransform(image, transform)
        assert result is not None
        return result

    return mode, apply
