"""Oil brush templates, made by our own code from a seed: an outline of a few cubics and a bristle texture to match.

A template lives in the frame of its stroke: x along the stroke, y across, both in [-0.5, 0.5]. The outline touches
all four sides of that frame.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from ..model import Outline, Stamp

#: Half widths of a stroke at its start, middle and end, and how far its middle line bends: what tells kinds apart.
KINDS = {
    "flat": (0.47, 0.50, 0.46, 0.0),
    "tapered": (0.48, 0.46, 0.22, 0.0),
    "leaf": (0.16, 0.50, 0.14, 0.0),
    "arc": (0.30, 0.36, 0.28, 0.26),
}
#: Which kind each oil template is. Strokes name templates by index, so the order is part of the file format.
OIL = ("flat", "flat", "flat", "tapered", "tapered", "leaf", "leaf", "arc")
SEED = 20250
SEGMENTS_MAX = 8
TEXTURE_SIZE = (96, 256)


def oil_outline(template: int, segments: int = SEGMENTS_MAX) -> np.ndarray:
    """Control points (3 * segments, 2) of an oil template: two long sides of one cubic, ends of the rest, rough.

    segments: 4 to 8. Runs clockwise on a screen (y down), starting at the left end of the upper side.
    """
    start, middle, end, bend = KINDS[OIL[template]]
    rng = np.random.default_rng(SEED + template)
    roughness = rng.uniform(0.03, 0.09, (2, 8))
    right, left = (segments - 1) // 2, (segments - 2) // 2
    upper = _side(-1, start, middle, end, bend, rng)
    lower = _side(+1, start, middle, end, bend, rng)[::-1]
    points = [*upper[:-1], *_rough_end(upper[-1], lower[0], +1, right, roughness[0]),
              *lower[:-1], *_rough_end(lower[-1], upper[0], -1, left, roughness[1])]
    return _fill_frame(np.array(points))


def _side(sign: int, start: float, middle: float, end: float, bend: float, rng: np.random.Generator) -> np.ndarray:
    """One long side from left to right: 4 control points of a cubic that is ``middle`` away at its middle."""
    x0, x1 = rng.uniform(-0.47, -0.43), rng.uniform(0.42, 0.46)
    y0, y1 = sign * start + bend * 0.5, sign * end + bend * 0.5
    peak = sign * middle - bend * 0.5
    # A cubic with equal handle heights h is (y0 + 3 h + 3 h + y1) / 8 at its middle.
    h = (8 * peak - y0 - y1) / 6 + rng.uniform(-0.02, 0.02)
    return np.array([[x0, y0], [x0 + 0.3, h], [x1 - 0.3, h], [x1, y1]])


def _rough_end(a: np.ndarray, b: np.ndarray, sign: int, count: int, roughness: np.ndarray) -> np.ndarray:
    """``count`` cubics from a to b (without b) that bulge to the side ``sign``, with notches where they meet."""
    share = np.linspace(0, 1, count + 1)
    anchors = a + share[:, None] * (b - a)
    reach = np.abs(b - a)[1] * 0.10
    anchors[1:-1, 0] += sign * (reach * 0.6 - roughness[:count - 1] * 0.5)
    points = []
    for i, (p, q) in enumerate(pairwise(anchors)):
        out = sign * (0.05 + roughness[4 + i % 4]) * min(1.0, 0.25 + abs((b - a)[1]))
        bulge = np.array([out, 0.15 * (q - p)[1]])
        points += [p, p + bulge, q + bulge * (1, -1)]
    return np.array(points)


def _fill_frame(points: np.ndarray) -> np.ndarray:
    """The same outline, stretched to touch all sides of the frame."""
    dense = flatten(points, 32)
    low, high = dense.min(0), dense.max(0)
    return (points - (low + high) / 2) / (high - low)


def flatten(points: np.ndarray, pieces: int) -> np.ndarray:
    """(..., S * pieces, 2) points on closed loops of cubics given as (..., 3 S, 2) control points."""
    cubics = points.reshape(*points.shape[:-2], -1, 3, 2)
    segments = np.concatenate([cubics, np.roll(cubics, -1, -3)[..., :1, :]], -2)
    t = np.arange(pieces)[:, None] / pieces
    basis = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], 1)
    return np.einsum("tk,...skd->...std", basis, segments).reshape(*points.shape[:-2], -1, 2)


@lru_cache(maxsize=1)
def oil_stamps() -> tuple[Stamp, ...]:
    """All oil templates with their bristle textures."""
    return tuple(Stamp(Outline((oil_outline(i),)), bristles(oil_outline(i), SEED + 100 + i)) for i in range(len(OIL)))


def bristles(outline: np.ndarray, seed: int) -> np.ndarray:
    """Texture (h, w) float32 in [0, 1] of paint that a bristle brush leaves inside an outline (control points).

    Bristles run along x; each leaves more or less paint, starts and ends a little early or late and runs dry towards
    the end of the stroke.
    """
    h, w = TEXTURE_SIZE
    rng = np.random.default_rng(seed)
    load = gaussian_filter(rng.standard_normal((h, w)), (0.7, 18), mode="nearest")
    load += 0.7 * gaussian_filter(rng.standard_normal((h, w)), (1.6, 60), mode="nearest") * 2.5
    load = (load - load.mean()) / load.std()
    inside = _shifted_ends(outline, rng.normal(0, 0.012, h))
    x = np.linspace(0, 1, w)
    dry = 1.25 - 2.6 * np.clip(x - 0.72, 0, 1) ** 1.5 * 2 - 1.1 * np.clip(0.08 - x, 0, 1) * 4
    paint = np.clip(dry + 0.20 * load, 0, 1)
    return (inside * np.clip(paint * 1.15, 0, 1)).astype(np.float32)


def _shifted_ends(outline: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Inside of an outline as (h, w) in [0, 1], where each row is stretched at its ends by its own ``shift``."""
    h, w = TEXTURE_SIZE
    y = (np.arange(h) + 0.5) / h - 0.5
    x = (np.arange(w) + 0.5) / w - 0.5
    # Four times finer than the texture, then averaged, so that the edge is smooth.
    fine_y = np.repeat(y, 4) + np.tile((np.arange(4) - 1.5) / 4 / h, h)
    fine_x = (np.arange(4 * w) + 0.5) / (4 * w) - 0.5
    fine = inside_grid(flatten(outline, 24), fine_x, fine_y)
    area = fine.reshape(h, 4, w, 4).mean((1, 3))
    rows = [np.interp(x * (1 + s * 2), x, row, left=0, right=0) for s, row in zip(shift, area, strict=True)]
    return np.array(rows)


def inside_grid(polygon: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(len(y), len(x)) bool: which grid points a polygon holds, by the non-zero rule."""
    winding = np.zeros((len(y), len(x)), np.int32)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        if y0 == y1:
            continue
        rows = np.nonzero((y >= min(y0, y1)) & (y < max(y0, y1)))[0]
        crossing = x0 + (y[rows] - y0) / (y1 - y0) * (x1 - x0)
        winding[rows] += (x[None] > crossing[:, None]) * (1 if y1 > y0 else -1)
    return winding != 0
