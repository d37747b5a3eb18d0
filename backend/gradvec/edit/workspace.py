"""A part of the picture at working size, and the way from the picture's px into it and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..geometry.scaling import scaled
from ..io import images
from ..model import Shape, Target

#: The working picture never gets larger than this, px: an area is not worth more than the whole.
LARGEST = 4096
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Workspace:
    """target: the part of the picture that is worked on. Its px = picture px * scale - offset.

    scale, offset: (x, y); uneven only by the rounding of the working picture's size.
    """

    target: Target
    scale: tuple[float, float]
    offset: tuple[float, float]

    @classmethod
    def open(cls, picture: bytes, size: images.Size, width: int, height: int, box: Box | None = None) -> Workspace:
        """The part ``box`` (left, top, right, bottom; picture px) of a picture that the drawing takes to be
        width x height px, at a scale that makes the part's longest side ``size`` px where the picture has as many.

        Without a box, or with one outside the picture, the whole picture.
        """
        if box is not None:
            box = max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height))
        if box is None or box[2] - box[0] < 1 or box[3] - box[1] < 1:
            box = 0.0, 0.0, float(width), float(height)
        across, down = max(box[2] - box[0], 1.0), max(box[3] - box[1], 1.0)
        side = size if isinstance(size, int) else size(math.ceil(across), math.ceil(down))
        whole = images.load(picture, max(16, min(LARGEST, math.ceil(side * max(width, height) / max(across, down)))))
        sx, sy = whole.width / width, whole.height / height
        left, top = math.floor(box[0] * sx), math.floor(box[1] * sy)
        right, bottom = min(math.ceil(box[2] * sx), whole.width), min(math.ceil(box[3] * sy), whole.height)
        part = np.s_[top:max(bottom, top + 1), left:max(right, left + 1)]
        rgb, alpha = (np.ascontiguousarray(plane[part]) for plane in (whole.rgb, whole.alpha))
        target = Target(rgb, alpha, whole.source_size)
        return cls(target, (sx, sy), (float(left), float(top)))

    def into(self, shapes: Iterable[Shape]) -> list[Shape]:
        """From picture px to working px."""
        return [scaled(s, self.scale, (-self.offset[0], -self.offset[1])) for s in shapes]

    def back(self, shapes: Iterable[Shape]) -> list[Shape]:
        """From working px to picture px."""
        (sx, sy), (ox, oy) = self.scale, self.offset
        return [scaled(s, (1 / sx, 1 / sy), (ox / sx, oy / sy)) for s in shapes]

    def touches(self, shape: Shape) -> bool:
        """Whether a shape in working px reaches into the part."""
        left, top, right, bottom = shape.outline.bounds()
        return right > 0 and bottom > 0 and left < self.target.width and top < self.target.height


def bounds(shapes: Iterable[Shape], margin: float = 0.0) -> Box | None:
    """(left, top, right, bottom) around all control points, widened by ``margin`` times the longer side."""
    boxes = np.array([s.outline.bounds() for s in shapes])
    if not len(boxes):
        return None
    (left, top), (right, bottom) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    wide = margin * max(right - left, bottom - top)
    return float(left - wide), float(top - wide), float(right + wide), float(bottom + wide)
