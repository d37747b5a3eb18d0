"""True inks: few colours, chosen as the eye sees them, and strokes in nothing but these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry.inside import polygons
from ..geometry.sizes import HAIR, compactness
from ..model import Color, Shape, SolidColor, Target
from .oklab import oklab

#: Pixels that inks are chosen by, at most.
SAMPLES = 6000
#: Small strong colours get an ink of their own: lightness counts less than the two hue axes, and a colour of chroma c
#: (in OKLab, where the strongest have .3) counts 1 + CHROMA c times.
LIGHTNESS, CHROMA = 0.6, 10.0


def choose(target: Target, count: int, seed: int = 0) -> np.ndarray:
    """(k, 3) the ``count`` inks (or fewer, where there are fewer colours) that stand for a picture best in OKLab."""
    return standing_for(target.rgb[seen(target.alpha)], count, seed)


def standing_for(colors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(k, 3) the ``count`` colours, or fewer, that stand best for (n, 3), n > 0, as they will be written: eight bits a
    channel."""
    # A second of import that few paintings need.
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    sample = colors[rng.choice(len(colors), min(SAMPLES, len(colors)), replace=False)].astype(np.float64)
    lab = oklab(sample)
    worth = 1 + CHROMA * np.hypot(lab[:, 1], lab[:, 2])
    found = KMeans(min(count, len(np.unique(sample, axis=0))), n_init=4, random_state=seed % 2**32)
    found.fit(lab * np.array([LIGHTNESS, 1.0, 1.0]), sample_weight=worth)
    means = [np.average(sample[own], axis=0, weights=worth[own])
             for own in (found.labels_ == k for k in range(found.n_clusters))]
    return np.round(np.array(means) * 255) / 255


def seen(alpha: np.ndarray) -> np.ndarray:
    """Where colours count, bool: where opacities (...) in [0, 1] are above half, or above half of the highest one where
    that is lower."""
    clear: np.ndarray = alpha > 0.5 * min(1.0, float(alpha.max()))
    return clear


def by_area(inks: np.ndarray, target: Target) -> np.ndarray:
    """The same inks (k, 3), that of the largest area first: the order in which they are printed."""
    areas = np.bincount(nearest(target.rgb, inks)[seen(target.alpha)].ravel(), minlength=len(inks))
    return inks[np.argsort(-areas, kind="stable")]


def nearest(rgb: np.ndarray, inks: np.ndarray) -> np.ndarray:
    """(...) index of the ink that the eye finds closest to colours (..., 3)."""
    apart = np.stack([np.square(oklab(rgb) - oklab(ink.astype(rgb.dtype))).sum(-1) for ink in inks])
    index: np.ndarray = apart.argmin(0)
    return index


def ink_of(color: Color, inks: np.ndarray) -> int:
    """Which of the inks (k, 3) a colour is."""
    return int(np.square(inks - np.array(color)).sum(1).argmin())


def in_order(shapes: list[Shape], inks: np.ndarray) -> tuple[list[Shape], list[int]]:
    """Flat, opaque shapes sorted by ink, which keeps their order within each, and the ink of each (rising)."""
    numbers = [ink_of(_color(shape), inks) for shape in shapes]
    order = np.argsort(numbers, kind="stable")
    flat = [replace(shape, fill=SolidColor(_tuple(inks[ink])), opacity=1.0)
            for shape, ink in zip(shapes, numbers, strict=True)]
    return [flat[i] for i in order], [numbers[i] for i in order]


def _color(shape: Shape) -> Color:
    return shape.fill.color if isinstance(shape.fill, SolidColor) else shape.fill.stops[0].color


def _tuple(color: np.ndarray) -> Color:
    red, green, blue = color.tolist()
    return red, green, blue


def without_hairs(shapes: list[Shape], layer: list[int]) -> tuple[list[Shape], list[int]]:
    """Shapes and their layers, without the shapes that are hairs."""
    kept = [k for k, shape in enumerate(shapes) if compactness(polygons(shape.outline)) >= HAIR]
    return [shapes[k] for k in kept], [layer[k] for k in kept]
