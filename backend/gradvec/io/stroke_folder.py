"""Reads a folder of stroke pictures, one stroke each in paint order, on white or transparent ground.

On transparent ground a picture says itself what its stroke covers. On white ground, edges and the holes that bristles
leave are mixed with white: :func:`unmix` recovers how much of each pixel is paint, and its colour.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops
from scipy.ndimage import binary_erosion, gaussian_filter, maximum_filter

from ..errors import InputError
from ..model import StrokePatch
from ..progress import Run
from . import decode
from .images import PIXELS_MAX

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".avif", ".jp2", ".tga"}
_LOSSY = {".jpg", ".jpeg", ".webp", ".avif", ".jp2"}
_MARGIN = 2
_log = logging.getLogger(__name__)
_REMEDY = "Put one picture per stroke, all of the same size, on white or transparent ground, in paint order by name."


@dataclass(frozen=True)
class _Crop:
    """What is not ground in one picture: straight RGBA uint8 (h, w, 4) at offset (x, y) of a picture of size px."""

    rgba: np.ndarray
    offset: tuple[int, int]
    size: tuple[int, int]
    transparent: bool
    covered: bool


def read_folder(directory: Path | str, run: Run | None = None) -> tuple[list[StrokePatch], tuple[int, int]]:
    """(strokes in natural name order, each cropped to its content; (width, height) px of the pictures).

    Hidden files, folders and files that are not named as pictures are passed over, and so are empty files (with a
    note) and pictures with nothing on them. In a folder where most pictures have transparent pixels, an opaque one is
    a stroke that covers everything.

    Raises:
        InputError: no folder, no stroke in it, a picture that cannot be decoded, or one of another size.
        Cancelled: the run was cancelled.
    """
    run = run or Run()
    paths = _picture_paths(Path(directory))
    crops: list[_Crop] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")
        for index, crop in enumerate(pool.map(_read, paths)):
            if crop.size != (crops[0].size if crops else crop.size):
                pool.shutdown(wait=False, cancel_futures=True)
                raise InputError(f"{paths[index].name!r} is {crop.size[0]} x {crop.size[1]} px, but "
                                 f"{paths[0].name!r} is {crops[0].size[0]} x {crops[0].size[1]} px.", _REMEDY)
            crops.append(crop)
            run.step(0.5 * (index + 1) / len(paths))
        transparent = sum(c.transparent for c in crops) * 2 > len(crops)
        if not transparent and sum(c.covered for c in crops) * 2 > len(crops):
            raise InputError(f"The pictures in {str(directory)!r} stand on neither white nor transparent ground.",
                             _REMEDY)
        jobs = [(path, crop, transparent) for path, crop in zip(paths, crops, strict=True)]
        patches = []
        for index, patch in enumerate(pool.map(_patch, jobs)):
            patches += [patch] if patch is not None else []
            run.step(0.5 + 0.5 * (index + 1) / len(paths))
    if not patches:
        raise InputError(f"The pictures in {str(directory)!r} are all blank.", _REMEDY)
    return patches, crops[0].size


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorts "stroke 2" before "stroke 10"."""
    parts = [part for part in re.split(r"([0-9]+)", name.casefold()) if part]
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts), name


def _picture_paths(directory: Path) -> list[Path]:
    try:
        if not directory.exists():
            raise InputError(f"There is no folder {str(directory)!r}.", "Check the name.")
        if not directory.is_dir():
            raise InputError(f"{str(directory)!r} is a file, not a folder of stroke pictures.", _REMEDY)
        entries = [entry for entry in os.scandir(directory) if entry.is_file() and not entry.name.startswith(".")
                   and Path(entry.name).suffix.lower() in _SUFFIXES]
        empty = sorted((entry.name for entry in entries if not entry.stat().st_size), key=natural_key)
    except OSError as error:
        raise InputError(f"{str(directory)!r} cannot be read: {error.strerror}.",
                         "Check that you may read it.") from error
    pictures = sorted({entry.name for entry in entries} - set(empty), key=natural_key)
    if pictures and empty:
        _log.warning("Passed over because they are empty (0 bytes): %s.", ", ".join(empty[:5]))
    if not pictures:
        raise InputError(f"There are no pictures in {str(directory)!r}.", _REMEDY)
    return [directory / name for name in pictures]


# ---- one picture -----------------------------------------------------------------------------------------------------

def _read(path: Path, keep_all: bool = False) -> _Crop:
    """The content of one picture: what is opaque where anything is transparent, else what is not white.

    keep_all: white counts as paint.
    """
    picture = _decoded(path)
    opacity = picture.getchannel("A") if picture.mode == "RGBA" else None
    transparent = opacity is not None and opacity.getextrema()[0] == 0
    if opacity is not None and transparent:
        box = opacity.getbbox()
    elif keep_all:
        box = (0, 0, *picture.size)
    else:
        box = _ink_box(picture, 255 - _ground_noise(path))
    if box is None:
        return _Crop(np.zeros((0, 0, 4), np.uint8), (0, 0), picture.size, transparent, False)
    left, top = max(0, box[0] - _MARGIN), max(0, box[1] - _MARGIN)
    right, bottom = min(picture.width, box[2] + _MARGIN), min(picture.height, box[3] + _MARGIN)
    rgba = np.asarray(picture.crop((left, top, right, bottom)).convert("RGBA"))
    covered = not transparent and (right - left, bottom - top) == picture.size \
        and bool((rgba[..., :3].min(-1) < 255 - _ground_noise(path)).all())
    return _Crop(rgba, (left, top), picture.size, transparent, covered)


def _decoded(path: Path) -> Image.Image:
    """RGB or RGBA, 8 bits, sRGB."""
    named = repr(path.name)
    with decode.opened(path, named) as stream, decode.translated(named, silence=False):
        picture = decode.open_picture(stream, named, PIXELS_MAX)
        rows = decode.decode(stream, picture, named)
        if picture.mode in ("RGB", "RGBA") and not {"icc_profile", "transparency"} & set(picture.info):
            return picture
        return Image.fromarray(np.rint(rows(0, picture.height) * 255).astype(np.uint8))


def _ink_box(picture: Image.Image, level: int) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the pixels with a channel below ``level``."""
    ink = ImageChops.invert(picture if picture.mode == "RGB" else picture.convert("RGB"))
    box = ink.getbbox()  # whatever is not exactly white: most pictures are that clean, so little is left to look at
    if box is None:
        return None
    seen = np.asarray(ink.crop(box)).max(-1) > 255 - level
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not len(rows):
        return None
    return box[0] + int(columns[0]), box[1] + int(rows[0]), box[0] + int(columns[-1]) + 1, box[1] + int(rows[-1]) + 1


def _ground_noise(path: Path) -> int:
    """By how many levels of 255 white may be off: lossy files ring around edges."""
    return 12 if path.suffix.lower() in _LOSSY else 2


def _patch(job: tuple[Path, _Crop, bool]) -> StrokePatch | None:
    path, crop, on_transparent = job
    if on_transparent and not crop.transparent:
        crop = _read(path, keep_all=True)
    if not crop.rgba.size:
        return None
    rgba = crop.rgba.astype(np.float32) / np.float32(255)
    if crop.transparent or on_transparent:
        return StrokePatch(rgba[..., 3], rgba[..., :3], crop.offset)
    over_white = 1 - rgba[..., 3:] * (1 - rgba[..., :3])
    alpha, color = unmix(over_white, _ground_noise(path) / 255)
    return StrokePatch(alpha, color, crop.offset)


# ---- un-mixing -------------------------------------------------------------------------------------------------------

#: A pixel this far towards the colour of the paint around it is paint through and through: the rest is texture.
_FULL = 0.92
#: Well inside the stroke, texture is likelier than a hole: there this share of the bar is enough.
_INSIDE = 0.95
#: Pixels of at least this share of the strongest colour near them tell what colour the paint has there.
_CORE = 0.75
_CORE_WINDOW, _CORE_SIGMA = 7, 2.5


def unmix(rgb: np.ndarray, noise: float = 2 / 255) -> tuple[np.ndarray, np.ndarray]:
    """(alpha (h, w), color (h, w, 3)) float32 of one stroke seen on white, rgb (h, w, 3) in [0, 1].

    A pixel mixed with white lies on the line from white to the paint's own colour, which is told by the pixels around
    that are farthest from white. How far along the line it lies is its opacity. Texture moves pixels along that line
    too, so whatever reaches what the inside of the stroke reaches counts as opaque; that bar is measured per stroke,
    because in pale paint texture is large against the distance from white. alpha * color + 1 - alpha gives rgb back.

    noise: below this distance from white a pixel is ground.
    """
    ink = np.ascontiguousarray(np.moveaxis(1 - rgb.astype(np.float32), -1, 0))
    deepest = ink.max(0)
    seen = deepest > noise
    if not seen.any():
        return np.zeros(seen.shape, np.float32), np.ones(rgb.shape, np.float32)
    paint = _paint_color(ink, seen)
    share = (ink * paint).sum(0) / np.maximum((paint * paint).sum(0), 1e-6)
    alpha = np.where(share >= _opaque_bar(share, seen), 1, np.clip(share, 0, 1))
    alpha = np.where(seen, np.maximum(alpha, deepest), 0).astype(np.float32)  # or the colour would leave [0, 1]
    color = np.clip(1 - ink / np.maximum(alpha, 1e-3), 0, 1)
    return alpha, np.ascontiguousarray(np.moveaxis(color, 0, -1))


def _paint_color(ink: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(3, h, w) distance from white of unmixed paint: a smooth average of nearby pixels that are surely paint.

    Which ones are is judged against the strongest pixel near, but not against more than the stroke's overall gradient
    has there, or the white end of a gradient would count as mixed.
    """
    overall = _color_plane(ink, seen)
    strength, expected = (np.sqrt((a * a).sum(0)) for a in (ink, overall))
    core = seen & (strength >= _CORE * np.minimum(maximum_filter(strength, _CORE_WINDOW), expected))
    weight = core.astype(np.float32)
    stack = np.concatenate([ink * weight, weight[None]])
    smooth = gaussian_filter(stack, (0, _CORE_SIGMA, _CORE_SIGMA), truncate=3)
    return (smooth[:3] + 1e-3 * overall) / (smooth[3] + 1e-3)


def _color_plane(ink: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(3, h, w) the linear gradient that fits the paint, not the pixels mixed with white (reweighted four times)."""
    height, width = seen.shape
    y, x = np.nonzero(seen)
    step = max(1, len(y) // 2000)
    y, x = y[::step], x[::step]
    scale = 1 / max(height, width)
    basis = np.stack([np.ones(len(x)), (x - width / 2) * scale, (y - height / 2) * scale]).astype(np.float32)
    values = ink[:, y, x]
    weight = np.ones(len(x), np.float32)
    ridge = np.diag([1e-9, 1e-3, 1e-3]).astype(np.float32)
    for _ in range(4):
        weighted = basis * weight
        solution = np.linalg.solve(weighted @ basis.T + ridge * weight.sum(), weighted @ values.T)
        fitted = np.maximum(solution.T @ basis, 1 / 255)
        share = (values * fitted).sum(0) / (fitted * fitted).sum(0)
        weight = np.where(share > 0.8, np.float32(1), np.float32(0.02))
    across = (np.arange(width) - width / 2) * scale
    down = (np.arange(height)[:, None] - height / 2) * scale
    plane = [at + right * across + below * down for at, right, below in solution.T]
    return np.maximum(np.stack(plane), 1 / 255).astype(np.float32)


def _opaque_bar(share: np.ndarray, seen: np.ndarray) -> np.ndarray | float:
    """From which share on a pixel counts as opaque: what nearly all pixels well inside the stroke reach."""
    deep = binary_erosion(seen, np.ones((5, 5)))
    if np.count_nonzero(deep) < 20:
        return _FULL
    bar = float(np.clip(np.percentile(share[deep], 8) - 0.02, 0.4, _FULL))
    return np.where(deep, _INSIDE * bar, bar)
