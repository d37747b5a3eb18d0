"""A painting's strokes as numbers, in NumPy's npz: written after a run, read to paint again from them.

The file holds the arrays of model.Strokes under their own names; width, height, background, cubics of the painting;
templates of own brushes (outlines of one length each, textures); the options of the run, with its seed, as JSON; and
the number of the format. It is foreign input: nothing is unpickled, sizes are known before anything is unpacked, and
every number is checked.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import GradvecError, InputError, UsageError
from ..model import Outline, Painting, Stamp, Strokes
from ..options import STROKES_FORCED_MAX, Options

FORMAT = 1
#: Bytes of one array, and of all: 50,000 strokes take 8 MB, a template's texture 0.1 MB.
ARRAY_BYTES_MAX, BYTES_MAX = 2**26, 2**28
#: Longest side of a painting, px; farthest that a number of a stroke's shape may be from 0; own templates at most.
SIDE_MAX, FARTHEST, STAMPS_MAX = 2**16, 1e6, 64
_LEVEL_MAX = 1000
_REMEDY = "Use a file that gradvec paint --save-params wrote."
#: Columns of each array of strokes, 0 for none; and what kind of numbers it holds.
_COLUMNS = {"brush": (0, "i"), "template": (0, "i"), "shape": (8, "f"), "axis": (4, "f"), "color0": (3, "f"),
            "color1": (3, "f"), "opacity": (0, "f"), "level": (0, "i")}
_TYPES = {"brush": np.int8, "template": np.int16, "level": np.int16}


@dataclass(frozen=True)
class Params:
    """painting: as it was painted, before refinement. options: of the run that painted it."""

    painting: Painting
    options: Options


def write_params(params: Params) -> bytes:
    """The file's bytes; :func:`read_params` is the inverse."""
    painting = params.painting
    arrays: dict[str, Any] = {f.name: getattr(painting.strokes, f.name) for f in fields(painting.strokes)}
    for number, stamp in enumerate(painting.stamps):
        arrays[f"stamp-{number}-outline"] = stamp.outline.loops[0].astype(np.float64)
        arrays[f"stamp-{number}-texture"] = stamp.texture.astype(np.float32)
    background = np.array(painting.background if painting.background is not None else [], np.float64)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, width=painting.width, height=painting.height, cubics=painting.cubics,
                        background=background, format=FORMAT,
                        options=json.dumps(params.options.to_dict(), sort_keys=True))
    return buffer.getvalue()


def read_params(data: bytes) -> Params:
    """The painting and options in the bytes of an npz.

    Raises:
        InputError: it is no such file; the sentence names what is wrong with it.
    """
    arrays = _arrays(data)
    if (found := _whole(arrays, "format", 0, 1_000_000)) > FORMAT:
        raise InputError(f"The strokes were saved by a later gradvec (format {found}; this one reads {FORMAT}).",
                         "Update gradvec.")
    width, height = _whole(arrays, "width", 1, SIDE_MAX), _whole(arrays, "height", 1, SIDE_MAX)
    stamps = _stamps(arrays)
    ground = _numbers(arrays, "background", "f", 1)
    if len(ground) not in (0, 3) or not _all_in(ground, 0, 1):
        raise _wrong("background", "is no colour")
    red_green_blue = ground.astype(np.float64).tolist()
    background = (red_green_blue[0], red_green_blue[1], red_green_blue[2]) if red_green_blue else None
    painting = Painting(_strokes(arrays, len(stamps)), width, height, background,
                        _whole(arrays, "cubics", 4, 64), stamps)
    return Params(painting, _options(arrays))


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an npz by name, none of them larger than allowed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
            if len(found) > len(_COLUMNS) + 2 * STAMPS_MAX + 8 or sum(one.file_size for one in found) > BYTES_MAX:
                raise InputError("The file of strokes is larger than any that gradvec writes.", _REMEDY)
            return {one.filename.removesuffix(".npy"): _array(archive, one) for one in found}
    except (GradvecError, MemoryError):
        raise
    except Exception as error:  # zipfile and NumPy let through what zlib, lzma, struct and Python's own tokenizer raise
        raise InputError("This is no file of strokes: it is not an npz of NumPy, or is damaged.", _REMEDY) from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    name = entry.filename.removesuffix(".npy")
    if entry.file_size > ARRAY_BYTES_MAX:
        raise _wrong(name, f"has {entry.file_size / 1e6:.0f} MB, more than any that gradvec writes")
    with archive.open(entry) as stream:
        content = stream.read(ARRAY_BYTES_MAX + 1)
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if header is None:
        raise _wrong(name, "is stored in another way than numbers are")
    shape, _, kind = header(file)
    # Whether the array fits is known before NumPy makes room for it.
    if kind.hasobject or kind.itemsize * math.prod(shape) != len(content) - file.tell():
        raise _wrong(name, "is cut off, or holds something else than numbers")
    return np.load(io.BytesIO(content), allow_pickle=False)


def _strokes(arrays: dict[str, np.ndarray], own: int) -> Strokes:
    from ..brushes.outlines import NAMES, OIL, template_count

    found = {}
    for name, (columns, kind) in _COLUMNS.items():
        array = _numbers(arrays, name, kind, 2 if columns else 1)
        if columns and array.shape[1] != columns:
            raise _wrong(name, f"has {array.shape[1]} columns where {columns} were expected")
        found[name] = array
    count = len(found["brush"])
    for name, array in found.items():
        if len(array) != count:
            raise _wrong(name, f"has {len(array)} strokes where the brushes have {count}")
    if count > STROKES_FORCED_MAX:
        raise _wrong("brush", f"has {count} strokes; at most {STROKES_FORCED_MAX} are read")
    limits = {"brush": (0, len(NAMES) - 1), "level": (0, _LEVEL_MAX), "color0": (0, 1), "color1": (0, 1),
              "opacity": (0, 1), "shape": (-FARTHEST, FARTHEST), "axis": (-FARTHEST, FARTHEST)}
    for name, (low, high) in limits.items():
        if not _all_in(found[name], low, high):
            raise _wrong(name, f"holds something that is not from {low:g} to {high:g}")
    most = np.array([template_count(brush) + (own if brush == OIL else 0) for brush in range(len(NAMES))])
    if ((found["template"] < 0) | (found["template"] >= most[found["brush"]])).any():
        raise _wrong("template", "names a template that its brush does not have")
    return Strokes(**{name: array.astype(_TYPES.get(name, np.float32)) for name, array in found.items()})


def _stamps(arrays: dict[str, np.ndarray]) -> tuple[Stamp, ...]:
    stamps = []
    for number in range(STAMPS_MAX):
        name = f"stamp-{number}-outline"
        if name not in arrays:
            break
        outline, texture = _numbers(arrays, name, "f", 2), _numbers(arrays, f"stamp-{number}-texture", "f", 2)
        if outline.shape[1] != 2 or len(outline) % 3 or not len(outline) or not _all_in(outline, -FARTHEST, FARTHEST):
            raise _wrong(name, "is no closed chain of cubics")
        if not texture.size or not _all_in(texture, 0, 1):
            raise _wrong(f"stamp-{number}-texture", "is no texture of numbers from 0 to 1")
        stamps.append(Stamp(Outline((outline.astype(np.float64),)), texture.astype(np.float32)))
    return tuple(stamps)


def _options(arrays: dict[str, np.ndarray]) -> Options:
    array = arrays.get("options")
    if array is None or array.dtype.kind != "U" or array.ndim:
        raise _wrong("options", "is missing, or no text")
    try:
        values = json.loads(str(array))
        if not isinstance(values, dict):
            raise ValueError
        return Options.from_dict(values)
    except (ValueError, RecursionError, UsageError) as error:
        raise _wrong("options", f"cannot be understood ({error})" if str(error) else "is no object") from error


def _numbers(arrays: dict[str, np.ndarray], name: str, kind: str, dimensions: int) -> np.ndarray:
    """kind: "i" for whole numbers, "f" for any."""
    array = arrays.get(name)
    if array is None:
        raise _wrong(name, "is missing")
    if array.ndim != dimensions or array.dtype.kind not in {"i": "iu", "f": "fiu"}[kind]:
        raise _wrong(name, "has another shape, or holds other things, than gradvec writes")
    return array


def _whole(arrays: dict[str, np.ndarray], name: str, low: int, high: int) -> int:
    value = _numbers(arrays, name, "i", 0)
    if not low <= int(value) <= high:
        raise _wrong(name, f"is {int(value)}; it must lie between {low} and {high}")
    return int(value)


def _all_in(array: np.ndarray, low: float, high: float) -> bool:
    """Whether all are from low to high; what is not a number is not."""
    return bool(((array >= low) & (array <= high)).all())


def _wrong(name: str, what: str) -> InputError:
    return InputError(f"In the file of strokes, {name[:40]!r} {what}.", _REMEDY)
