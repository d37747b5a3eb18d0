"""What a brush leaves on the sheet beyond its outline: bristles, streaks, grain, pooled pigment.

Everything is sampled in the stroke's own coordinates, u along and v across it, so a stroke keeps its texture when it
is moved, turned or enlarged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from ..model import Stamp, Strokes
from . import outlines as brushes
from . import templates

#: Rows across and columns along a stroke of every texture, and how many different ones there are.
SHAPE = (96, 256)
VARIANTS = 8
SEED = 7100
#: How strongly light plays on paint of each brush (share of full brightness, standard deviation).
RELIEF = {brushes.OIL: 0.040, brushes.WATERCOLOR: 0.022, brushes.MARKER: 0.016, brushes.TAPE: 0.008,
          brushes.DRY: 0.03}


def layer(strokes: Strokes, i: int, stamps: Sequence[Stamp], x: np.ndarray, y: np.ndarray, coverage: np.ndarray,
          pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """(alpha, light), each (h, w), of stroke i at places x, y (h, w) px of the painting.

    coverage: (h, w) of its outline. pixel: distance of two places, px. alpha: paint in [0, 1], without the stroke's
    opacity. light: what to add to its colour.
    """
    brush = int(strokes.brush[i])
    u, v = (_stamped if brush in brushes.STAMPED else _swept)(np.asarray(strokes.shape[i], np.float64), brush, x, y)
    width = max(float(_width(strokes, i)), 1e-6)
    fine = pixel / width * SHAPE[0]
    light = RELIEF[brush] * _sample(_streaks(brush, i % VARIANTS), u, v, fine)
    if brush == brushes.OIL:
        return _sample(_stamp(int(strokes.template[i]), stamps).texture, u, v, fine, outside=0.0), light
    if brush == brushes.WATERCOLOR:
        rim = np.clip((np.abs(v) - 0.36) / 0.14, 0, 1) ** 2
        grain = _sample(_streaks(brush, (i + 3) % VARIANTS), u, v, fine)
        return coverage * np.clip(0.86 + 0.14 * rim + 0.04 * grain, 0, 1), light - 0.05 * rim
    if brush == brushes.MARKER:
        dry = _sample(_streaks(brush, (i + 3) % VARIANTS), u, v, fine)
        return coverage * np.clip(0.97 + 0.05 * dry, 0, 1), light
    return coverage, light


def _width(strokes: Strokes, i: int) -> float:
    shape = strokes.shape[i]
    return float(shape[3] if strokes.brush[i] in brushes.STAMPED else 2 * shape[6])


def _stamp(template: int, stamps: Sequence[Stamp]) -> Stamp:
    own = templates.oil_stamps()
    return own[template] if template < len(own) else stamps[template - len(own)]


def _stamped(shape: np.ndarray, brush: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(u, v) in [-0.5, 0.5] inside the stroke's frame: the inverse of brushes.stamped_points."""
    cx, cy, length, width, angle, shear = shape[:6]
    dx, dy = x - cx, y - cy
    v = (np.cos(angle) * dy - np.sin(angle) * dx) / width
    return (np.cos(angle) * dx + np.sin(angle) * dy) / length - shear * v, v


def _swept(shape: np.ndarray, brush: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(u, v) of the nearest place on the middle line: u its share of the way - 0.5, v distance / width."""
    t = np.linspace(0, 1, 33)
    p0, p1, p2 = shape[0:2], shape[2:4], shape[4:6]
    line = (1 - t[:, None]) ** 2 * p0 + 2 * (t * (1 - t))[:, None] * p1 + t[:, None] ** 2 * p2
    tangent = (1 - t[:, None]) * (p1 - p0) + t[:, None] * (p2 - p1)
    r1 = shape[6] if brush == brushes.MARKER else shape[7]
    dx, dy = x[..., None] - line[:, 0], y[..., None] - line[:, 1]
    nearest = np.argmin(dx * dx + dy * dy, -1)
    dx, dy = (np.take_along_axis(d, nearest[..., None], -1)[..., 0] for d in (dx, dy))
    side = np.sign(tangent[nearest, 0] * dy - tangent[nearest, 1] * dx)
    radius = np.maximum(shape[6] + t[nearest] * (r1 - shape[6]), 1e-6)
    # Beyond the ends the texture goes on, so that round ends are not smeared.
    length = max(float(np.hypot(*np.diff(line, axis=0).T).sum()), 1e-6)
    unit = tangent / np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    beyond = (dx * unit[nearest, 0] + dy * unit[nearest, 1]) / (length + shape[6] + r1)
    share = (shape[6] + t[nearest] * length) / (length + shape[6] + r1)
    return share - 0.5 + beyond, side * np.hypot(dx, dy) / (2 * radius)


def _sample(texture: np.ndarray, u: np.ndarray, v: np.ndarray, fine: float, outside: float | None = None) -> np.ndarray:
    """The texture at (u, v), blurred where one pixel spans ``fine`` > 1 of its rows; ``outside`` its frame, else its
    nearest value."""
    h, w = texture.shape
    fine = fine * h / SHAPE[0]
    if fine > 1.5:
        texture = _blurred(texture, round(float(np.log2(fine)) * 2))
    at = [(v + 0.5) * h - 0.5, (u + 0.5) * w - 0.5]
    if outside is None:
        return map_coordinates(texture, at, order=1, mode="nearest")
    return map_coordinates(texture, at, order=1, mode="constant", cval=outside)


_BLURRED: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}


def _blurred(texture: np.ndarray, halves: int) -> np.ndarray:
    """A texture blurred by 2^(halves / 2) rows; textures are few and live long, so results are kept."""
    key = (id(texture), halves)
    if key not in _BLURRED or _BLURRED[key][0] is not texture:
        if len(_BLURRED) > 512:
            _BLURRED.clear()
        _BLURRED[key] = (texture, gaussian_filter(texture, 0.4 * 2 ** (halves / 2), mode="constant"))
    return _BLURRED[key][1]


@lru_cache(maxsize=64)
def _streaks(brush: int, variant: int) -> np.ndarray:
    """Noise (h, w), mean 0, deviation 1: long along the stroke for bristles, alike in both directions for grain."""
    rng = np.random.default_rng(SEED + 10 * brush + variant)
    noise = rng.standard_normal(SHAPE)
    if brush in (brushes.OIL, brushes.MARKER, brushes.DRY):
        fine, broad, share = (0.8, 22.0), (2.5, 40.0), 1.6
    else:
        fine, broad, share = (1.2, 1.8), (6.0, 9.0), 2.0
    rough = gaussian_filter(noise, fine, mode="nearest") + share * gaussian_filter(noise, broad, mode="nearest")
    rough -= rough.mean()
    return (rough / rough.std()).astype(np.float32)
