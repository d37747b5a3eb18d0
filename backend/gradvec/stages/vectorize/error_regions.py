"""Where the picture is wrong in one piece: the regions that further paths should show.

LIVE takes connected components of the quantized error map, by size. Here several maps are looked at, from coarse to
fine, and a component is worth what a path in its best colours would mend: the squared error there now, less the one
that the best fill of the region leaves, as far as that fill is right and the region therefore coherent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

#: Differences below this, root mean square over the channels, are not seen.
SEEN = 3.0 / 255.0
#: Pixels whose 3 x 3 neighbourhood spans less than this in every channel belong to one zone with their neighbours.
ZONES = (0.02, 0.06)
#: Numbers of clusters that colours and errors are quantized to.
CLUSTERS = (2, 4, 8, 16)
#: A pixel that the best fill misses by this squared error counts half: it hardly belongs to the region.
COHERENT = 3 * (12.0 / 255.0) ** 2
#: Regions of fewer pixels are no start for a path.
LEAST_PX = 6
_SAMPLES, _ROUNDS = 4096, 8


@dataclass(frozen=True)
class Component:
    """A region of the picture: mask (h, w) bool, box = (rows, columns) slices, gain = squared error it would mend.

    color: (4,) mean premultiplied RGBA.
    """

    mask: np.ndarray
    box: tuple[slice, slice]
    gain: float
    color: np.ndarray

    @property
    def area(self) -> int:
        return int(self.mask.sum())


def components(wanted: np.ndarray, shown: np.ndarray, most: int, flat: bool,
               importance: np.ndarray | None = None) -> list[Component]:
    """Up to ``most`` regions of each map by what they would mend, best first; they overlap.

    Args:
        wanted, shown: (H, W, 4) premultiplied RGBA of the picture and of what the paths show so far.
        flat: a path has one colour; otherwise it may run evenly over the region.
        importance: (H, W) how much each px counts; None: all alike.
    """
    error = np.square(wanted - shown).sum(-1)
    wrong = (error > 3 * SEEN**2) & (wanted[..., 3] > 0.5)
    if not wrong.any():
        return []
    found = [part for labels in _maps(wanted, shown, wrong)
             for part in _regions(labels, wanted, error, most, flat, importance)]
    return sorted(found, key=lambda part: (-part.gain, part.box[0].start, part.box[1].start, -part.area))


def _maps(wanted: np.ndarray, shown: np.ndarray, wrong: np.ndarray) -> Iterator[np.ndarray]:
    """Label maps (H, W), 0 where there is nothing to do."""
    colors = wanted[..., :3]
    span = (ndimage.maximum_filter(colors, (3, 3, 1)) - ndimage.minimum_filter(colors, (3, 3, 1))).max(-1)
    for limit in ZONES:
        yield _grown(ndimage.label((span < limit) & wrong)[0], wrong)
    soft = ndimage.gaussian_filter(colors, (1, 1, 0))
    residual = ndimage.gaussian_filter(colors - shown[..., :3], (1, 1, 0))
    for features in (soft, residual):
        for count in CLUSTERS:
            yield _connected(quantized(features, wrong, count))


def _grown(labels: np.ndarray, wrong: np.ndarray, reach_px: float = 1.5) -> np.ndarray:
    """Zones take in the wrong pixels of their soft edges: each goes to the zone next to it."""
    if not labels.any():
        return labels
    distance, (rows, columns) = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    return np.where(wrong & (distance <= reach_px), labels[rows, columns], 0)


def quantized(features: np.ndarray, where: np.ndarray, count: int) -> np.ndarray:
    """(H, W) int: 1 + the cluster of each pixel's features (H, W, C) by K-means, 0 outside ``where``.

    Starts at quantiles of the occurring features along their main direction, so that the same picture gives the same
    clusters.
    """
    points = features[where].astype(np.float64)
    sample = points[(np.arange(min(_SAMPLES, len(points))) * len(points)) // min(_SAMPLES, len(points))]
    # Every colour that occurs is as good a start as the most common one: small areas count, too.
    _, first = np.unique(np.round(sample * 15), axis=0, return_index=True)
    kinds = sample[np.sort(first)]
    main = np.linalg.eigh(np.cov(kinds.T, bias=True))[1][:, -1]
    order = np.argsort(kinds @ main, kind="stable")
    centers = kinds[order[((np.arange(count) + 0.5) * len(kinds) / count).astype(int)]]
    for _ in range(_ROUNDS):
        nearest = cKDTree(centers).query(sample)[1]
        size = np.bincount(nearest, minlength=len(centers))
        sums = np.stack([np.bincount(nearest, sample[:, c], len(centers)) for c in range(sample.shape[1])], 1)
        centers = sums[size > 0] / size[size > 0, None]
    result = np.zeros(where.shape, np.int64)
    result[where] = 1 + cKDTree(centers).query(points)[1]
    return result


def _connected(labels: np.ndarray) -> np.ndarray:
    """Connected pieces of equal label, numbered through."""
    result, last = np.zeros(labels.shape, np.int64), 0
    for value in np.unique(labels[labels > 0]):
        pieces, count = ndimage.label(labels == value)
        result[pieces > 0] = pieces[pieces > 0] + last
        last += count
    return result


def _regions(labels: np.ndarray, wanted: np.ndarray, error: np.ndarray, most: int, flat: bool,
             importance: np.ndarray | None) -> list[Component]:
    """The best ``most`` regions of a label map."""
    inside = labels > 0
    rows, columns = np.nonzero(inside)
    owner = labels[inside]
    count = int(owner.max(initial=0)) + 1
    size = np.bincount(owner, minlength=count)
    values = wanted[inside]
    coefficients, basis = fit_planes(owner, rows, columns, values, count, flat)
    left = np.square(values - np.einsum("pb,pbc->pc", basis, coefficients[owner])).sum(1)
    worth = mended(error[inside], left)
    gain = np.bincount(owner, worth if importance is None else worth * importance[inside], count)
    gain[size < LEAST_PX] = 0.0
    boxes = ndimage.find_objects(labels)
    best = [k for k in np.argsort(-gain, kind="stable")[:most] if gain[k] > 0]
    mean = np.stack([np.bincount(owner, values[:, c], count) for c in range(4)], 1) / np.maximum(size, 1)[:, None]
    return [Component(labels[boxes[k - 1]] == k, boxes[k - 1], float(gain[k]), mean[k]) for k in best]


def mended(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(P,) what changing the squared error of pixels from ``before`` to ``after`` is worth; harm counts in full."""
    gain = before - after
    return np.where(gain > 0, gain * (COHERENT / (COHERENT + after)), gain)


def fit_planes(owner: np.ndarray, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, count: int,
               flat: bool) -> tuple[np.ndarray, np.ndarray]:
    """(coefficients (count, B, C), basis (P, B)) of the least-squares fill of each region; B = 1 or 3."""
    size = np.maximum(np.bincount(owner, minlength=count), 1)
    one = np.ones(len(owner))
    if flat:
        basis = one[:, None]
    else:
        x, y = (v - (np.bincount(owner, v, count) / size)[owner] for v in (columns, rows))
        spread = np.sqrt(np.bincount(owner, x * x + y * y, count) / size + 1e-6)[owner]
        basis = np.stack([one, x / spread, y / spread], 1)
    width = basis.shape[1]
    normal = np.empty((count, width, width))
    right = np.empty((count, width, values.shape[1]))
    for i in range(width):
        for j in range(width):
            normal[:, i, j] = np.bincount(owner, basis[:, i] * basis[:, j], count)
        for c in range(values.shape[1]):
            right[:, i, c] = np.bincount(owner, basis[:, i] * values[:, c], count)
    normal += 1e-3 * size[:, None, None] * np.eye(width)[None] * (np.arange(width) > 0) + 1e-9 * np.eye(width)
    return np.linalg.solve(normal, right), basis
