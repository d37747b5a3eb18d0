"""What a loaded and a dry brush leave on the sheet: outlines made by our own code from a seed, finer than the templates
that are painted with.

Both live in the frame of a stamped stroke (x along it, y across, both in [-0.5, 0.5]), so they take the place of its
template under the same affine map once the painting is done.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from skimage.measure import find_contours

from .loop_fit import fit_loop
from .templates import SEED, flatten, inside_grid, oil_outline

#: Rows across and columns along of the pictures that dabs are traced from.
GRID = (160, 400)
#: How many different dry dabs there are.
DRY = 6
#: Segments of a loaded stroke's outline; of a dry dab's largest loop, of its smaller ones, and how many loops it has.
LOADED_SEGMENTS = 18
DRY_SEGMENTS, SPECK_SEGMENTS, DRY_LOOPS = 16, 5, 9
#: A loop of less than this share of the frame is too small to be drawn.
SPECK = 0.0022
#: How many times finer the streaks of a wide brush are in its frame, and how many times as many segments they take.
FINER, MORE = 2.0, 1.75


@lru_cache(maxsize=64)
def loaded(template: int) -> tuple[np.ndarray, ...]:
    """An oil template with bristle ends along the stroke: loops of (3 S, 2) control points."""
    h, w = GRID
    rng = np.random.default_rng(SEED + 400 + template)
    x, y = _grid()
    body = inside_grid(flatten(oil_outline(template), 24), x, y).astype(np.float32)
    reach = _bristles(rng, h, 0.035, 2.2), _bristles(rng, h, 0.055, 2.6)
    start, end = (np.array([_limit(row, side) for row in body]) for side in (0, 1))
    columns = np.arange(w)[None]
    keep = (columns >= (start + reach[0] * w)[:, None]) & (columns <= (end - reach[1] * w)[:, None])
    return _traced(gaussian_filter((body * keep).astype(np.float32), 1.2), (LOADED_SEGMENTS,), holes=False)


@lru_cache(maxsize=2 * DRY)
def broken(variant: int, wide: bool = False) -> tuple[np.ndarray, ...]:
    """A dab of a brush that runs dry: whole where it sets down, torn into streaks where it leaves. As :func:`loaded`.

    wide: of a wide brush, whose streaks are no wider than those of others.
    """
    h, w = GRID
    finer, more = (FINER, MORE) if wide else (1.0, 1.0)
    rng = np.random.default_rng(SEED + 900 + variant)
    x = np.linspace(0, 1, w)[None]
    streak = gaussian_filter(rng.standard_normal((h, w)), (3.4 / finer, 70), mode="nearest")
    grain = gaussian_filter(rng.standard_normal((h, w)), (2.4 / finer, 16), mode="nearest")
    load = streak / streak.std() + 0.45 * grain / grain.std()
    # Dry paper takes paint from the brush: what is left falls from start to end.
    paint = (1.5 if wide else 1.35) - 1.75 * np.clip(x - 0.25, 0, 1) ** 0.8 + 0.62 * load
    across = np.abs(np.linspace(-1, 1, h))[:, None]
    ragged = 1 - 0.10 * gaussian_filter1d(rng.standard_normal((h, w)), 40, axis=1) * 3
    paint -= 4.5 * np.clip(across - 0.84 * ragged, 0, 1)
    early, late = _bristles(rng, h, 0.05, 3.0)[:, None], _bristles(rng, h, 0.22, 3.0)[:, None]
    paint[(x < early) | (x > 1 - late)] = -1.0
    segments = (round(more * DRY_SEGMENTS), *[SPECK_SEGMENTS] * (round(more * DRY_LOOPS) - 1))
    return _traced(gaussian_filter(paint, 1.6 / finer), segments, True, SPECK / finer**2)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    h, w = GRID
    return (np.arange(w) + 0.5) / w - 0.5, (np.arange(h) + 0.5) / h - 0.5


def _bristles(rng: np.random.Generator, rows: int, reach: float, clump: float) -> np.ndarray:
    """(rows,) how far each row of bristles falls short of the stroke's end: clumps and some single hairs."""
    lengths = np.abs(gaussian_filter1d(rng.standard_normal(rows), clump * rows / 90))
    return reach * lengths / max(float(lengths.max()), 1e-9)


def _limit(row: np.ndarray, side: int) -> float:
    painted = np.nonzero(row)[0]
    if not len(painted):
        return float(len(row)) if side == 0 else -1.0
    return float(painted[0] if side == 0 else painted[-1])


def _traced(paint: np.ndarray, segments: tuple[int, ...], holes: bool, speck: float = SPECK) -> tuple[np.ndarray, ...]:
    """The largest loops of a picture's half-way contour, in the frame, outer ones clockwise and holes against it.

    speck: share of the frame that each has at least.
    """
    h, w = paint.shape
    level = 0.5 if paint.max() > 0.5 else 0.0
    found = [c[:-1, ::-1] for c in find_contours(np.pad(paint, 2, constant_values=-1.0), level)]
    found = [c for c in found if abs(_area(c)) > speck * h * w and (holes or _area(c) == max(map(_area, found)))]
    found.sort(key=lambda c: -abs(_area(c)))
    outer = np.sign(_area(found[0]))
    scale = np.array([w, h], float)
    loops = [fit_loop((c - 1.5) / scale - 0.5, count) for c, count in zip(found, segments, strict=False)]
    loops = loops if outer > 0 else [np.roll(loop[::-1], 1, 0) for loop in loops]
    dense = np.concatenate([flatten(loop, 24) for loop in loops])
    low, high = dense.min(0), dense.max(0)
    return tuple((loop - (low + high) / 2) / (high - low) for loop in loops)


def _area(contour: np.ndarray) -> float:
    x, y = contour.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
