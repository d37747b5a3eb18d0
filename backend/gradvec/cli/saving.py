"""What ``gradvec paint`` can write beside the SVG: the painting, its strokes, their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import EngineError
from ..io.images import png_bytes
from ..io.params import Params, write_params
from ..model import Painting, StrokePatch
from ..options import Options
from .output import check_painting

if TYPE_CHECKING:
    from ..pipeline import Result


def painting_png(result: Result, options: Options, scale: float = 1.0) -> bytes:
    """The painting with the brush's bristles, ``scale`` times the size at which it was painted, as PNG.

    Raises:
        UsageError: that is too large; with an automatic size it is not known before.
    """
    from ..stages.isolate import textured

    painting = _painting(result)
    check_painting(max(painting.width, painting.height), scale)
    return png_bytes(textured(painting, scale, options.engine, options.device))


def stroke_pngs(result: Result, options: Options) -> Iterator[tuple[str, bytes]]:
    """(name, PNG) of each stroke alone on a transparent ground of the picture's size, in paint order."""
    from ..stages.isolate import isolate

    painting = _painting(result)
    patches = isolate(painting, engine=options.engine, device=options.device)
    digits = max(4, len(str(len(patches))))
    for number, patch in enumerate(patches, 1):
        yield f"{number:0{digits}d}.png", png_bytes(on_canvas(patch, painting.width, painting.height))


def on_canvas(patch: StrokePatch, width: int, height: int) -> np.ndarray:
    """(height, width, 4) straight RGBA of one stroke where it is in the picture; what lies outside is cut off."""
    canvas = np.zeros((height, width, 4), np.float32)
    x, y = patch.offset
    h, w = patch.alpha.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if left < right and top < bottom:
        rows, columns = slice(top - y, bottom - y), slice(left - x, right - x)
        alpha = patch.alpha[rows, columns]
        canvas[top:bottom, left:right, :3] = np.where(alpha[..., None] > 0, patch.color[rows, columns], 0)
        canvas[top:bottom, left:right, 3] = alpha
    return canvas


def params_npz(result: Result, options: Options) -> bytes:
    """The painting's strokes as numbers, see io.params."""
    return write_params(Params(_painting(result), options))


def _painting(result: Result) -> Painting:
    if result.painting is None:
        raise EngineError("This run made no painting that could be saved.")
    return result.painting
