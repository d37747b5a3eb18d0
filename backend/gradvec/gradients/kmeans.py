"""Two-stage K-means: the control points of one stroke's gradient.

After Hsieh and Lin, "Enhanced Gradient Vectorization for Non-Photorealistic Rendering via Two-Stage K-Means
Clustering" (2025). A stroke is looked at on white ground, in hue and saturation. Its hues are split in two, then the
saturations of each part; every centre that is left is placed on the pixel nearest the middle of the largest patch of
pixels that match it.

What the paper leaves open was worked out from what its program gives for 495 strokes (docs/fidelity_gradients.md):

- hues are clustered on the circle, so that red is one colour;
- pixels that are nearly white or grey have no hue and take no part;
- two hue clusters give a point each, at the saturation that most of the cluster has; one hue cluster gives a point for
  each of its two saturations, or the same point twice where one saturation dominates;
- a stroke of fewer than about 200 coloured pixels gets one point.

One-dimensional two-means is solved exactly, by trying every split of the sorted values: no start, no seed, no ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..model import Color, StrokePatch

#: Hue in half degrees and saturation in levels, as the paper counts them.
HUES, LEVELS = 180.0, 255.0
#: A hue cluster with a larger share stands alone; likewise a saturation cluster.
HUE_SHARE, SATURATION_SHARE = 0.9, 0.8
#: How far a pixel's hue and saturation may be from a centre to match it.
HUE_REACH, SATURATION_REACH = 6.0, 5.0
#: Strokes with fewer coloured pixels get one point.
PIXELS_FOR_TWO = 205
#: Two groups of hues whose centres are apart by more than this many times the sum of their sigmas are two colours; in
#: evenly spread hues it is 1.7 times.
APART = 2.5
_WHITE = 250 / 255
_GREY = 2.0


@dataclass(frozen=True)
class ControlPoint:
    """x, y: px in the picture (a pixel's centre). color: the paint's colour there."""

    x: float
    y: float
    color: Color


def control_points(patch: StrokePatch) -> list[ControlPoint]:
    """Up to two points, the one for the larger or lower cluster first; none where nothing coloured is left.

    Two equal points mean that the stroke has one colour.
    """
    seen = _on_white(patch)
    hue, saturation = hue_saturation(seen)
    colored = (seen.min(-1) < _WHITE) & (saturation > _GREY)
    points = (_place(hue, saturation, colored, center) for center in _centers(hue[colored], saturation[colored]))
    left, top = patch.offset
    return [ControlPoint(left + x + 0.5, top + y + 0.5, _color(patch.color[y, x])) for y, x in filter(None, points)]


def hue_saturation(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hue in half degrees [0, 180), saturation in levels [0, 255]) of rgb (..., 3) in [0, 1]; grey has hue 0."""
    red, green, blue = np.moveaxis(rgb.astype(np.float32), -1, 0)
    high, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    span = high - low
    safe = np.where(span > 0, span, 1)
    sextant = np.where(high == red, (green - blue) / safe % 6,
                       np.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4))
    return np.where(span > 0, sextant * (HUES / 6), 0), span / np.where(high > 0, high, 1) * LEVELS


def two_means(values: np.ndarray) -> tuple[tuple[float, float], float] | None:
    """((lower centre, upper centre), cut) of the best split in two; None where all values are equal.

    The split with the least sum of squares within its parts, found among all n - 1 splits of the sorted values.
    """
    ordered = np.sort(values.astype(np.float64))
    n = len(ordered)
    if n < 2 or ordered[0] == ordered[-1]:
        return None
    below = np.arange(1, n)
    total = np.cumsum(ordered)
    # Less within means more between: n1 m1^2 + n2 m2^2 is to be largest.
    between = total[:-1] ** 2 / below + (total[-1] - total[:-1]) ** 2 / (n - below)
    between[ordered[1:] == ordered[:-1]] = -np.inf
    split = int(np.argmax(between))
    low = total[split] / (split + 1)
    high = (total[-1] - total[split]) / (n - split - 1)
    return (float(low), float(high)), float((ordered[split] + ordered[split + 1]) / 2)


def _on_white(patch: StrokePatch) -> np.ndarray:
    """(h, w, 3) the stroke as it looks on white; a translucent one as if its paint were opaque."""
    alpha = patch.alpha / max(float(patch.alpha.max(initial=0.0)), 1e-6)
    color = np.where(alpha[..., None] > 0, patch.color, 1)
    return 1 - alpha[..., None] * (1 - color)


def _centers(hue: np.ndarray, saturation: np.ndarray) -> list[tuple[float, float]]:
    """(hue, saturation) of the points to place."""
    if not len(hue):
        return []
    unrolled, kept = _around_mean(hue)
    unrolled, saturation = unrolled[kept], saturation[kept]
    clusters = _clusters(unrolled, HUE_SHARE)
    if len(hue) < PIXELS_FOR_TWO:
        clusters = [max(clusters, key=lambda cluster: np.count_nonzero(cluster[1]))]
    if len(hue) < PIXELS_FOR_TWO or len(clusters) == 2:
        return [(center, _dominant(saturation[members])) for center, members in clusters]
    center, members = clusters[0]
    levels = [level for level, _ in _clusters(saturation[members], SATURATION_SHARE)]
    return [(center, level) for level in (levels if len(levels) == 2 else levels * 2)]


def _around_mean(hue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hue unrolled to within 90 of its circular mean, which of them are no outliers).

    Outliers lie more than one sigma from the mean, or two where sigma is above 0.8 of the mean. Taken alone that rule
    would remove the smaller of two clean colours; where hues form two groups well apart, nothing is removed.
    """
    angle = hue * (2 * np.pi / HUES)
    mean = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * (HUES / (2 * np.pi)) % HUES
    unrolled = (hue - mean + HUES / 2) % HUES - HUES / 2 + mean
    middle, sigma = unrolled.mean(), unrolled.std()
    reach = sigma * (2 if sigma > 0.8 * middle else 1)
    return unrolled, (np.abs(unrolled - middle) <= max(reach, 1e-3)) | _two_groups(unrolled)


def _two_groups(values: np.ndarray) -> bool:
    """Whether values fall into two groups, neither negligible, whose centres are far apart against their spread."""
    result = two_means(values)
    if result is None:
        return False
    (low, high), cut = result
    below = values <= cut
    if not 1 - HUE_SHARE < below.mean() < HUE_SHARE:
        return False
    return high - low > APART * (values[below].std() + values[~below].std())


def _clusters(values: np.ndarray, share: float) -> list[tuple[float, np.ndarray]]:
    """(centre, members) of both clusters, or of one that holds more than ``share``."""
    result = two_means(values)
    if result is None:
        return [(float(values[0]), np.ones(len(values), bool))]
    (low, high), cut = result
    below = values <= cut
    part = below.mean()
    if part > share:
        return [(low, below)]
    if part < 1 - share:
        return [(high, ~below)]
    return [(low, below), (high, ~below)]


def _dominant(values: np.ndarray) -> float:
    """Centre of the larger of two clusters."""
    result = two_means(values)
    if result is None:
        return float(values[0])
    (low, high), cut = result
    return low if (values <= cut).mean() >= 0.5 else high


def _place(hue: np.ndarray, saturation: np.ndarray, colored: np.ndarray,
           center: tuple[float, float]) -> tuple[int, int] | None:
    """(row, column) for a centre: the pixel nearest the centroid of the largest connected patch that matches it."""
    apart = np.abs((hue - center[0] + HUES / 2) % HUES - HUES / 2)
    match = colored & (apart <= HUE_REACH) & (np.abs(saturation - center[1]) <= SATURATION_REACH)
    labels, count = ndimage.label(match, np.ones((3, 3)))
    if not count:
        return None
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    rows, columns = np.nonzero(labels == largest)
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return int(rows[nearest]), int(columns[nearest])


def _color(values: np.ndarray) -> Color:
    red, green, blue = (float(v) for v in np.clip(values, 0, 1))
    return red, green, blue
