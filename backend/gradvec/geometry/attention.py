"""Where a picture draws the eye: small sharp things in calm surroundings, as eyes in a face.

Squared error does not know them: an eye is some hundred px that cost no more than a fold of the curtain behind it.
What tells it apart is that it is sharp, as a photographer's subject is and its background is not, and that there is
more contrast in it than around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

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
#: How many Gaussian deviations filters reach.
REACH = 3.0


@dataclass(frozen=True)
class Attention:
    """(H, W) float32 in [0, 1] each. drawn: how much a place draws the eye. spots: as far as it is a thing of its own
    there, an eye and no contour, whose edges all run one way."""

    drawn: np.ndarray
    spots: np.ndarray


def attention(rgb: np.ndarray, alpha: np.ndarray) -> Attention:
    """Of straight colours (H, W, 3) and opacity (H, W) in [0, 1]."""
    height, width = alpha.shape
    share = min(1.0, math.sqrt(AREA / (height * width)))
    size = (max(1, round(height * share)), max(1, round(width * share)))
    seen = averaged(np.asarray(rgb, np.float32) * np.asarray(alpha, np.float32)[..., None], size)
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
    both = interpolated(np.stack([np.maximum(drawn, spots), spots], -1), (height, width))
    return Attention(both[..., 0], both[..., 1])


def _scaled(found: np.ndarray) -> np.ndarray:
    """With the brightest share of the picture at 1."""
    return np.clip(found / max(float(np.quantile(found, 1 - BRIGHTEST)), 1e-6), 0, 1)


def weights(found: np.ndarray, strength: float) -> np.ndarray:
    """(H, W) float32: how much an error counts, 1 on average, where ``found`` (H, W) in [0, 1] draws the eye.

    strength: 0 (all alike) to 1.
    """
    weight = (1 - strength) + strength * (CALM + DRAWN * found**1.5)
    return (weight / max(float(weight.mean()), 1e-6)).astype(np.float32)
