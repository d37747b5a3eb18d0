"""Pictures in and out: any raster file that an artist may hand over becomes a Target at working size.

What a picture means here:

- Its first frame, turned as its EXIF orientation says, in sRGB (an embedded ICC profile is applied).
- Scaled with Lanczos on sRGB-encoded values, because SVG viewers blend in those values and because results are
  compared with pictures that were scaled that way (in linear light the same photograph differs by 53 dB PSNR when
  scaled to three quarters, by 36 dB when scaled to a fifth). Colours are weighted by opacity, so that whatever hides
  under transparent pixels does not bleed into visible ones.
- Never enlarged: a picture smaller than the working size is worked at its own size. The exception are sides that come
  out below :data:`SIDE_MIN` px, on which no stroke could be placed; they are stretched to it.

Memory: the decoded picture is held once and read in bands; JPEG files are decoded at a reduced scale where that loses
nothing. Pictures of more than :data:`PIXELS_MAX` pixels are refused before they are decoded.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ..errors import InputError
from ..model import Target
from . import decode

#: A picture of more pixels is refused: decoded it would take more than 1 GB.
PIXELS_MAX = 2**28
#: No side of a Target is shorter, px.
SIDE_MIN = 8
#: Longest side that the picture of a brush dab is read at, px.
DAB_SIDE = 256
#: Below this opacity a pixel counts as fully transparent; above one minus this, as opaque.
ALPHA_EPSILON = 1 / 512

#: Above so many px a picture is first made smaller by whole steps, which is ten times as quick.
_LARGE_PIXELS = 2**25
_BAND_PIXELS = 2_000_000
_LANCZOS_LOBES = 3
#: Longest side px of a working picture, or what says it of a picture of width x height px.
Size = int | Callable[[int, int], int]


def load(source: Path | str | bytes, size: Size, name: str = "") -> Target:
    """The picture in ``source`` (a file, or a file's bytes) with its longest side at most ``size`` px.

    name: what to call the picture in messages, where ``source`` is bytes.

    Raises:
        InputError: there is no such file, it is not a picture, it is damaged, empty, too large or fully transparent.
    """
    named = name or ("The picture" if isinstance(source, bytes) else f"{Path(source).name!r}")
    with decode.opened(source, named) as stream, decode.translated(named):
        return _load(stream, size, named)


def brightness(source: Path | str | bytes, size: int, name: str = "") -> np.ndarray:
    """(h, w) in [0, 1]: how bright a picture is, black where it is transparent; a detail map. As :func:`load`."""
    seen = load(source, size, name)
    bright: np.ndarray = seen.rgb.mean(-1) * seen.alpha
    return bright


def dab(source: Path | str | bytes) -> np.ndarray:
    """(h, w) in [0, 1]: how much paint a picture of one brush dab shows, opaque on transparent ground or dark on white.
    As :func:`load`."""
    seen = load(source, DAB_SIDE, "The brush picture")
    return seen.alpha if not seen.opaque else 1 - seen.rgb.mean(-1)


def target_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Working (width, height) px of a picture of width x height px for a longest side of ``size`` px."""
    scale = min(1.0, size / max(width, height))
    return max(SIDE_MIN, round(width * scale)), max(SIDE_MIN, round(height * scale))


def png_bytes(picture: np.ndarray) -> bytes:
    """A PNG file of ``picture``: (H, W), (H, W, 3) or (H, W, 4) straight alpha; uint8, or float in [0, 1]."""
    if picture.dtype != np.uint8:
        picture = np.rint(np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _load(stream: BinaryIO, asked: Size, named: str) -> Target:
    picture = decode.open_picture(stream, named, PIXELS_MAX)
    full = picture.size
    size = asked if isinstance(asked, int) else asked(*full)
    wanted = target_size(*full, size)
    picture.draft(picture.mode, (3 * wanted[0], 3 * wanted[1]))  # Lanczos sees no more than three times the size
    rows, rows_size, factor = decode.decode_smaller(stream, picture, named, lambda w, h: _whole_steps(w, h, size))
    orientation = _orientation(picture)
    if picture.format == "TIFF":  # turns itself while it is decoded, in newer versions of Pillow before
        full, wanted = picture.size, target_size(*picture.size, size)
    extent = picture.width / factor, picture.height / factor
    rgb, alpha = _straight(_resampled(rows, rows_size, extent, wanted), named)
    rgb, alpha = (np.ascontiguousarray(_turned(plane, orientation)) for plane in (rgb, alpha))
    return Target(rgb, alpha, full[::-1] if orientation >= 5 else full)


def _whole_steps(width: int, height: int, size: int) -> int:
    """By which factor a large picture may be made smaller before it is resampled; 1 for others."""
    if width * height <= _LARGE_PIXELS:
        return 1
    wanted = target_size(width, height, size)
    return max(1, min(width // (3 * wanted[0]), height // (3 * wanted[1])))


def _resampled(rows: decode.Rows, size: tuple[int, int], extent: tuple[float, float],
               wanted: tuple[int, int]) -> np.ndarray:
    """(h, w, 3 or 4) float32, premultiplied if 4, from bands of rows.

    size: px that there are. extent: how many of them the picture is; the last ones may lie partly outside.

    Every band is read with as many rows around it as the filter reaches, so bands leave no trace.
    """
    (width, height), (to_width, to_height) = size, wanted
    step = extent[1] / to_height
    reach = int(np.ceil(_LANCZOS_LOBES * max(step, 1.0))) + 1
    lines = max(1, int(_BAND_PIXELS / width / step))
    bands = []
    for first in range(0, to_height, lines):
        last = min(first + lines, to_height)
        top, bottom = max(0, int(first * step) - reach), min(height, int(np.ceil(last * step)) + reach)
        band = rows(top, bottom)
        if band.shape[-1] == 4:
            band = np.concatenate([band[..., :3] * band[..., 3:], band[..., 3:]], -1)
        if (width, height) != (to_width, to_height):
            box = (0.0, first * step - top, extent[0], min(last * step - top, bottom - top))
            band = _scaled(band, (to_width, last - first), box)
        else:
            band = band[first - top:last - top]
        bands.append(band)
    return np.concatenate(bands)


def _scaled(band: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Lanczos where it shrinks; plain bilinear where a tiny side is stretched, which must not ring."""
    enlarges = size[0] > box[2] - box[0] or size[1] > box[3] - box[1] + 1e-6
    kind = Image.Resampling.BILINEAR if enlarges else Image.Resampling.LANCZOS
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(band, -1, 0))
    return np.stack([np.asarray(plane.resize(size, kind, box)) for plane in planes], -1)


def _straight(picture: np.ndarray, named: str) -> tuple[np.ndarray, np.ndarray]:
    """(rgb, alpha) of a resampled picture; invisible pixels take the colour of the nearest visible one."""
    if picture.shape[-1] == 3:
        return np.clip(picture, 0, 1), np.ones(picture.shape[:2], np.float32)
    alpha = np.clip(picture[..., 3], 0, 1)
    alpha[alpha > 1 - ALPHA_EPSILON] = 1
    hidden = alpha < ALPHA_EPSILON
    alpha[hidden] = 0
    if hidden.all():
        raise InputError(f"{named} is fully transparent: there is nothing to paint.",
                         "Choose a picture with something in it.", code="input.nothing")
    rgb = np.clip(picture[..., :3] / np.where(hidden, 1, picture[..., 3])[..., None], 0, 1)
    if hidden.any():
        nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
        rgb = rgb[tuple(nearest)]
    return rgb.astype(np.float32), alpha.astype(np.float32)


def _orientation(picture: Image.Image) -> int:
    try:
        value = picture.getexif().get(0x0112, 1)
    except Exception:  # a damaged EXIF block turns nothing
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """``array`` (H, W, ...) as EXIF ``orientation`` 1..8 wants it seen."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    flips = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
    rows, columns = flips.get(orientation, (1, 1))
    return array[::rows, ::columns]
