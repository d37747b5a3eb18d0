"""Where a picture draws the eye: faces, and small sharp things in calm surroundings.

Squared error does not know them: an eye is some hundred px that cost no more than a fold of the curtain behind it.
What tells it apart is that it lies in a face, or that it is sharp, as a photographer's subject is and its background is
not, and has more contrast than there is around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import InputError
from .faces import AREAS, ONE_AREA, faces, shown
from .scaling import averaged, interpolated
from .slopes import slopes

#: Area, px, of the picture that is looked at; nothing smaller than its px draws the eye.
AREA = 120_000
#: Shares of the picture's longest side: what counts as sharp, a thing's size, and that of its surroundings.
SHARP, THING, AROUND = 1 / 400, 1 / 90, 1 / 16
#: Contrast over a 512th of the picture's side that does not count yet.
FAINT = 0.02
#: Share of the picture that draws the eye as much as anything can.
BRIGHTEST = 0.01
#: What an error weighs where nothing draws the eye, and how much more where all does, at full strength.
CALM, DRAWN = 0.04, 8.0
#: How much is left of what else draws the eye where faces are FACES of the picture or more; small ones take less.
BESIDE, FACES = 0.2, 0.01
#: How many Gaussian deviations filters reach.
REACH = 3.0


@dataclass(frozen=True)
class Attention:
    """(h, w) float32 in [0, 1] each, of any size. drawn: how much a place draws the eye. spots: as far as it is a thing
    of its own there, an eye and no contour, whose edges all run one way."""

    drawn: np.ndarray
    spots: np.ndarray

    @classmethod
    def marked(cls, detail_map: np.ndarray) -> Attention:
        """What an artist's detail map (h, w) in [0, 1] says in place of the picture.

        Raises:
            InputError: it is not a two-dimensional array of finite numbers.
        """
        if detail_map.ndim != 2 or detail_map.size == 0 or not np.isfinite(detail_map).all():
            raise InputError(f"A detail map is expected as one grey picture, got shape {tuple(detail_map.shape)}.",
                             "Hand in a grey picture: bright where small strokes belong.")
        bright = np.clip(detail_map, 0, 1).astype(np.float32)
        return cls(bright, bright)

    def resized(self, size: tuple[int, int]) -> Attention:
        """At (height, width) px."""
        both = interpolated(np.stack([self.drawn, self.spots], -1), size)
        return Attention(both[..., 0], both[..., 1])


def attention_of(rgb: np.ndarray, alpha: np.ndarray) -> Attention:
    """Of straight colours (H, W, 3) and opacity (H, W) in [0, 1]; at most :data:`AREA` px large."""
    size = _looked_at(alpha)
    premultiplied = _premultiplied(rgb, alpha)
    seen = averaged(premultiplied, size)
    side = max(size)
    smooth = gaussian_filter(seen, (SHARP * side, SHARP * side, 0), truncate=REACH)
    across, down = slopes(smooth)
    # The structure tensor as its three entries; steepness is per 512th of the side, so that it is the same at any size.
    xx, yy, xy = (gaussian_filter((a * b).sum(-1) * np.float32((side / 512) ** 2), THING * side, truncate=REACH)
                  for a, b in ((across, across), (down, down), (across, down)))
    steep = xx + yy
    around = gaussian_filter(steep, AROUND * side, truncate=REACH)
    drawn = _scaled(np.sqrt(steep) / (np.sqrt(around) + FAINT))
    one_way = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(steep, 1e-12)
    spots = _scaled(drawn * (1 - np.minimum(one_way, 1)))
    face = _faces(premultiplied, size, AREAS)
    beside = 1 - (1 - BESIDE) * min(1.0, float(face.mean()) / FACES)
    return Attention(np.maximum(beside * np.maximum(drawn, spots), face), np.maximum(beside * spots, face))


def faces_alone(rgb: np.ndarray, alpha: np.ndarray) -> Attention | None:
    """As :func:`attention_of`, of nothing but faces an eighth of the picture wide and more; None: it has none."""
    face = _faces(_premultiplied(rgb, alpha), _looked_at(alpha), ONE_AREA)
    return Attention(face, face) if face.any() else None


def _looked_at(alpha: np.ndarray) -> tuple[int, int]:
    """(h, w) at which a picture is looked at."""
    share = min(1.0, math.sqrt(AREA / alpha.size))
    return max(1, round(alpha.shape[0] * share)), max(1, round(alpha.shape[1] * share))


def _premultiplied(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.asarray(np.asarray(rgb, np.float32) * np.asarray(alpha, np.float32)[..., None])


def _faces(premultiplied: np.ndarray, size: tuple[int, int], areas: tuple[int, ...]) -> np.ndarray:
    """(h, w) of ``size``: as :func:`shown` has them."""
    return shown([one.scaled(size[1] / premultiplied.shape[1]) for one in faces(premultiplied, areas)], size)


def _scaled(found: np.ndarray) -> np.ndarray:
    """With the brightest share of the picture at 1."""
    return np.clip(found / max(float(np.quantile(found, 1 - BRIGHTEST)), 1e-6), 0, 1)


def weights(found: np.ndarray, strength: float) -> np.ndarray:
    """(H, W) float32: how much an error counts, 1 on average, where ``found`` (H, W) in [0, 1] draws the eye.

    strength: 0 (all alike) to 1.
    """
    weight = (1 - strength) + strength * (CALM + DRAWN * found**1.5)
    return (weight / max(float(weight.mean()), 1e-6)).astype(np.float32)


def importance(attention: Attention | None, size: tuple[int, int], strength: float) -> np.ndarray | None:
    """How much an error counts in a picture of (height, width) px, as :func:`weights` has it; None: all alike."""
    return None if attention is None or strength <= 0 else weights(attention.resized(size).drawn, strength)
