"""What a viewer shows of a document, by our own engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry.scaling import scaled
from ..model import Document, Layer, Shape
from . import render
from .lines import outlined
from .scene import scene_from_shapes

#: Pictures of more px are rendered in strips.
STRIP_PIXELS = 4_000_000
WHITE = (1.0, 1.0, 1.0, 1.0)


def predict(document: Document, background: tuple[float, ...] = WHITE, engine: str = "auto",
            device: str = "auto") -> np.ndarray:
    """(H, W, 3) float32: what a viewer shows of the document on an opaque background.

    In strips, so that a large picture takes little more memory than itself.
    """
    picture = np.empty((document.height, document.width, 3), np.float32)
    drawn = [shape for layer in document.layers for shape in (*layer.shapes, *outlined(layer.lines))]
    for rows in strips(document.width, document.height):
        shapes = drawn
        if rows.stop - rows.start < document.height:
            shapes = [scaled(s, (1.0, 1.0), (0.0, -float(rows.start))) for s in shapes if _reaches(s, rows)]
        scene = scene_from_shapes(shapes, document.width, rows.stop - rows.start, background)
        picture[rows] = render(scene, engine, device)[..., :3].cpu().numpy()
    if document.mask:
        alone = replace(document, layers=(Layer("", document.mask),), mask=())
        grey = predict(alone, (0.0, 0.0, 0.0, 1.0), engine, device)
        ground = np.asarray(background[:3], np.float32)
        picture = ground + grey * (picture - ground)
    return picture


def strips(width: int, height: int) -> list[slice]:
    """The rows of a picture in strips of :data:`STRIP_PIXELS` px at most, but of 64 rows at least."""
    step = max(64, STRIP_PIXELS // width)
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def _reaches(shape: Shape, rows: slice) -> bool:
    _, above, _, below = shape.outline.bounds()
    return bool(below > rows.start and above < rows.stop)
