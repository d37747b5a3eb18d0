"""A large picture seen smaller, a small one larger: strokes need some thousand px each, and no more."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..geometry.scaling import Pair, averaged, scaled
from ..model import Shape, Target

#: A picture of more px than this, and than this for each shape, is refined at a smaller size.
AREA, SHAPE_AREA = 1_000_000, 4_000
#: A copy that would be nearly as large as the picture is not worth the loss.
LEAST_GAIN = 1.3
#: Shapes can use so many px each: a picture that would not have more of them at twice its size is settled at that size.
USED_AREA, TWICE = 3_000, 2
#: A picture of more px is looked at in its own size, and what is closest there counts more.
SMALL_AREA = 300_000


@dataclass(frozen=True)
class ReducedTarget:
    """target: what is refined against. Its px = the picture's px * scale (x, y), uneven only by rounding."""

    target: Target
    scale: Pair = (1.0, 1.0)

    @classmethod
    def of(cls, target: Target, shapes: int, least: int = AREA, each: int = SHAPE_AREA) -> ReducedTarget:
        """The picture itself, or a smaller one where it is larger than ``shapes`` shapes can use: ``each`` px for a
        shape, at least ``least`` px."""
        area, most = target.width * target.height, max(least, each * shapes)
        if area < LEAST_GAIN * most:
            return cls(target)
        share = math.sqrt(most / area)
        size = max(1, round(target.height * share)), max(1, round(target.width * share))
        alpha = np.ascontiguousarray(target.alpha, np.float32)
        rgb, small = averaged(target.rgb * alpha[..., None], size), averaged(alpha[..., None], size)
        # Sums of 1 come out a little less than 1: an opaque picture stays opaque.
        small = np.where(small > 1 - 1e-5, np.float32(1), small)
        reduced = Target(np.clip(rgb / np.maximum(small, 1e-6), 0, 1), small[..., 0], target.source_size)
        return cls(reduced, (size[1] / target.width, size[0] / target.height))

    @classmethod
    def enlarged(cls, target: Target, shapes: int) -> ReducedTarget:
        """The picture itself, or one of twice its size without new edges (Lanczos) where ``shapes`` shapes can use
        that and the picture is small.

        Seen at its own size an outline may put an edge anywhere inside a pixel and be as hard as it likes; seen larger,
        where the picture is soft, that is an error.
        """
        area = target.width * target.height
        if area > SMALL_AREA or TWICE**2 * area > USED_AREA * shapes:
            return cls(target)
        size, alpha = (TWICE * target.width, TWICE * target.height), np.asarray(target.alpha, np.float32)
        planes = [*np.moveaxis(np.asarray(target.rgb, np.float32) * alpha[..., None], 2, 0), alpha]
        *rgb, opacity = (np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, Image.Resampling.LANCZOS))
                         for plane in planes)
        straight = np.stack(rgb, 2) / np.maximum(opacity, 1e-6)[..., None]
        # What is opaque stays opaque.
        opacity = np.ones_like(opacity) if target.opaque else np.clip(opacity, 0, 1)
        return cls(Target(np.clip(straight, 0, 1), opacity, target.source_size), (float(TWICE), float(TWICE)))

    def into(self, shapes: Iterable[Shape]) -> list[Shape]:
        """From the picture's px to those of :attr:`target`."""
        return list(shapes) if self.scale == (1.0, 1.0) else [scaled(s, self.scale) for s in shapes]

    def back(self, shapes: Iterable[Shape]) -> list[Shape]:
        """From the px of :attr:`target` to the picture's."""
        (x, y) = self.scale
        return list(shapes) if self.scale == (1.0, 1.0) else [scaled(s, (1 / x, 1 / y)) for s in shapes]
