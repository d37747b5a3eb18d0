"""How much a miss of an outline shows: hidden edges and edges against a like colour show little."""

from __future__ import annotations

import numpy as np

from ...geometry.trace import picture_bounds
from ...model import StrokePatch

#: What a miss counts where nothing shows it: an artist may still move the strokes that lie above.
FLOOR = 0.01

#: Contrast against a bare ground, whose colour is not known.
_BARE_CONTRAST = 0.3

#: Above this distance between colours (root mean square over the channels) an edge cannot show any better.
_FULL_CONTRAST = 0.6


def importance(patches: list[StrokePatch]) -> list[np.ndarray]:
    """Per patch (h, w) float32 in (0, 1]: what a wrong opacity of that stroke changes in the finished picture.

    Visibility (what the strokes above let through, squared, as an error of opacity enters the picture's squared
    error) times contrast against what lies below. Contrast counts once, not squared: structural similarity looks at
    faint edges too. The patches are taken to be one picture in paint order.
    """
    left, top, right, bottom = (int(v) for v in picture_bounds(patches))
    visible = visibility(patches)
    below = np.zeros((bottom - top, right - left, 4), np.float32)
    result = []
    for patch, seen in zip(patches, visible, strict=True):
        window = _window(patch, left, top)
        alpha = patch.alpha[..., None]
        painted = patch.alpha > 0.05
        mean = patch.color[painted].mean(0) if painted.any() else np.zeros(3)
        color = np.where(painted[..., None], patch.color, mean.astype(np.float32))
        ground = below[window]
        apart = np.sqrt(np.square(color * ground[..., 3:] - ground[..., :3]).mean(-1))
        contrast = (apart + _BARE_CONTRAST * (1.0 - ground[..., 3])) / _FULL_CONTRAST
        result.append((FLOOR + (1.0 - FLOOR) * seen * seen * np.minimum(contrast, 1.0)).astype(np.float32))
        below[window] = ground * (1.0 - alpha) + np.concatenate([patch.color * alpha, alpha], -1)
    return result


def visibility(patches: list[StrokePatch]) -> list[np.ndarray]:
    """Per patch (h, w) float32 in [0, 1]: the share of light that the strokes above it let through."""
    left, top, right, bottom = (int(v) for v in picture_bounds(patches))
    through = np.ones((bottom - top, right - left), np.float32)
    visible = []
    for patch in reversed(patches):
        window = _window(patch, left, top)
        visible.append(through[window].copy())
        through[window] *= 1.0 - patch.alpha
    return visible[::-1]


def _window(patch: StrokePatch, left: int, top: int) -> tuple[slice, slice]:
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    return slice(y - top, y - top + h), slice(x - left, x - left + w)
