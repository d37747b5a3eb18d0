"""The picture as the painter sees it: what is to be matched, where it matters how much, at any size."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from ...color.ground import choose_ground, mean_color
from ...geometry.attention import Attention, weights
from ...geometry.scaling import averaged
from ...model import Target
from .settings import PaintSettings

#: Below this opacity a pixel's own colour is not trusted.
VISIBLE = 0.02
#: Paint over bare ground counts this many times as much as a wrong colour.
BARE_WEIGHT = 3.0
#: Picture areas, px: of coarse steps and of the final ones, and how many px each stroke gets at least. More would make
#: a large picture's painting slow and no better: strokes are found on the reduced picture and fit the whole.
COARSE_AREA, FINE_AREA = 65_000, 400_000
COARSE_STROKE, FINE_STROKE = 100, 400
#: px of the picture on which places of accents are looked for.
ACCENT_AREA = 200_000


@dataclass(frozen=True)
class Goal:
    """The picture at one size. rgba: (4, h, w) premultiplied. weight: (h, w). scale: px of it per px of the
    whole."""

    rgba: torch.Tensor
    weight: torch.Tensor
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px."""
        return self.rgba.shape[2], self.rgba.shape[1]


class Canvas:
    """Goal of the painting, at most as large as its strokes can use, and a smaller one for coarse steps.

    width, height: of the whole picture, px. background: straight colour under the strokes or None for bare ground.
    attention: what draws the eye in it, at any size; None: nothing does.
    """

    def __init__(self, target: Target, settings: PaintSettings, attention: Attention | None = None) -> None:
        self.width, self.height = target.width, target.height
        scale = self._scale(FINE_AREA, FINE_STROKE, settings.strokes)
        rgb, alpha = _reduced(target, scale)
        self.background = choose_ground(settings.background, alpha, lambda: mean_color(rgb))
        if settings.background not in (None, "auto"):
            # A ground that the user chose shows through the picture's bare parts and is painted with it.
            ground = np.array(self.background, np.float32)
            rgb = rgb * alpha[..., None] + ground * (1 - alpha[..., None])
            alpha = np.ones_like(alpha)
        self.colors = torch.from_numpy(np.ascontiguousarray(_filled(rgb, alpha).transpose(2, 0, 1)))
        rgba = torch.cat([self.colors * torch.from_numpy(alpha), torch.from_numpy(alpha)[None]])
        drawn = None if attention is None else attention.resized((alpha.shape[0], alpha.shape[1]))
        weight = torch.from_numpy(_weight(None if drawn is None else drawn.drawn, alpha, settings.detail))
        self.fine = Goal(rgba, weight, alpha.shape[1] / self.width)
        self._drawn, self._strokes = drawn, settings.strokes
        self.coarse = self._smaller(self._scale(COARSE_AREA, COARSE_STROKE, settings.strokes))

    @property
    def ground(self) -> tuple[float, float, float, float]:
        """What the engine puts under the strokes, straight RGBA."""
        return (0.0, 0.0, 0.0, 0.0) if self.background is None else (*self.background, 1.0)

    def accented(self) -> Goal | None:
        """The picture as accents see it: larger than the coarse one, and only what draws the eye counts."""
        if self._drawn is None:
            return None
        goal = self._smaller(self._scale(ACCENT_AREA, COARSE_STROKE, self._strokes))
        weight = torch.from_numpy(_weight(self._drawn.spots, self.fine.rgba[3].numpy(), 1.0))
        return replace(goal, weight=F.interpolate(weight[None, None], size=tuple(goal.weight.shape), mode="area")[0, 0])

    def coarse_colors(self) -> np.ndarray:
        """(h, w, 3) straight colours at the coarse view's size."""
        size = tuple(self.coarse.weight.shape)
        return F.interpolate(self.colors[None], size=size, mode="area")[0].permute(1, 2, 0).numpy()

    @property
    def area(self) -> int:
        return self.width * self.height

    def _scale(self, area: int, per_stroke: int, strokes: int) -> float:
        """How much the picture is reduced to ``area`` px, or to ``per_stroke`` px for each stroke if that is more."""
        return min(1.0, math.sqrt(max(area, per_stroke * strokes) / self.area))

    def _smaller(self, scale: float) -> Goal:
        """The picture ``scale`` times as large as the whole, averaged over areas."""
        size = (max(1, round(self.height * scale)), max(1, round(self.width * scale)))
        if size == tuple(self.fine.weight.shape):
            return self.fine
        rgba = F.interpolate(self.fine.rgba[None], size=size, mode="area")[0]
        weight = F.interpolate(self.fine.weight[None, None], size=size, mode="area")[0, 0]
        return Goal(rgba, weight, size[1] / self.width)


def _reduced(target: Target, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Colours (h, w, 3) and opacity (h, w) of a picture ``scale`` times as large; colours weighted by opacity."""
    rgb, alpha = np.asarray(target.rgb, np.float32), np.asarray(target.alpha, np.float32)
    size = (max(1, round(target.height * scale)), max(1, round(target.width * scale)))
    if size == alpha.shape:
        return rgb, alpha
    color, small = averaged(rgb * alpha[..., None], size), averaged(alpha[..., None], size)[..., 0]
    return np.clip(color / np.maximum(small[..., None], 1e-6), 0, 1), np.where(small > 1 - 1e-5, np.float32(1), small)


def _filled(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) in which what cannot be seen takes the colour of the nearest pixel that can."""
    hidden = alpha < VISIBLE
    if not hidden.any() or hidden.all():
        return rgb
    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    return rgb[tuple(nearest)]


def _weight(drawn: np.ndarray | None, alpha: np.ndarray, strength: float) -> np.ndarray:
    """How much an error counts, (H, W), 1 on average where there is paint."""
    weight = np.ones(alpha.shape, np.float32) if drawn is None else weights(drawn, strength)
    return np.where(alpha < VISIBLE, BARE_WEIGHT, weight).astype(np.float32)
