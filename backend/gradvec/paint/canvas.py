"""The picture as the painter sees it: what is to be matched, where it matters how much, at any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt, gaussian_filter

from ..errors import InputError
from ..model import Color, Target
from ..options import Options

#: Below this opacity a pixel's own colour is not trusted.
VISIBLE = 0.02
#: Paint over bare ground counts this many times as much as a wrong colour.
BARE_WEIGHT = 3.0


@dataclass(frozen=True)
class View:
    """The picture at one size. goal: (4, h, w) premultiplied RGBA. weight: (h, w). scale: px of it per px of the
    whole."""

    goal: torch.Tensor
    weight: torch.Tensor
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px."""
        return self.goal.shape[2], self.goal.shape[1]


class Canvas:
    """Goal of the painting at full size, and reduced views of it.

    background: straight colour under the strokes or None for bare ground.
    colors: (3, H, W), the picture's colours with bare parts filled from their nearest visible pixel.
    """

    def __init__(self, target: Target, options: Options, detail_map: np.ndarray | None = None) -> None:
        self.width, self.height = target.width, target.height
        rgb, alpha = np.asarray(target.rgb, np.float32), np.asarray(target.alpha, np.float32)
        self.background = _background(rgb, alpha, options)
        if options.background not in ("none", "auto"):
            # A ground that the user chose shows through the picture's bare parts and is painted with it.
            ground = np.array(self.background, np.float32)
            rgb = rgb * alpha[..., None] + ground * (1 - alpha[..., None])
            alpha = np.ones_like(alpha)
        self.opaque = bool(alpha.min() >= 1)
        self.colors = torch.from_numpy(np.ascontiguousarray(_filled(rgb, alpha).transpose(2, 0, 1)))
        self.alpha = torch.from_numpy(np.ascontiguousarray(alpha))
        goal = torch.cat([self.colors * self.alpha, self.alpha[None]])
        weight = torch.from_numpy(_weight(rgb, alpha, options, detail_map))
        self._views: dict[float, View] = {1.0: View(goal, weight, 1.0)}

    @property
    def ground(self) -> tuple[float, float, float, float]:
        """What the engine puts under the strokes, straight RGBA."""
        return (0.0, 0.0, 0.0, 0.0) if self.background is None else (*self.background, 1.0)

    @property
    def area(self) -> int:
        return self.width * self.height

    def view(self, scale: float) -> View:
        """The picture ``scale`` times as large, scale at most 1; averaged over areas."""
        size = (max(1, round(self.height * scale)), max(1, round(self.width * scale)))
        if size == (self.height, self.width):
            return self._views[1.0]
        if scale not in self._views:
            whole = self._views[1.0]
            goal = F.interpolate(whole.goal[None], size=size, mode="area")[0]
            weight = F.interpolate(whole.weight[None, None], size=size, mode="area")[0, 0]
            self._views[scale] = View(goal, weight, size[1] / self.width)
        return self._views[scale]


def _background(rgb: np.ndarray, alpha: np.ndarray, options: Options) -> Color | None:
    if options.background.startswith("#"):
        return hex_color(options.background)
    if options.background == "none" or alpha.min() < 1:
        return None
    red, green, blue = rgb.reshape(-1, 3).mean(0, dtype=np.float64).tolist()
    return (red, green, blue)


def hex_color(text: str) -> Color:
    """#rrggbb as a colour."""
    return (int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255)


def _filled(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) in which what cannot be seen takes the colour of the nearest pixel that can."""
    hidden = alpha < VISIBLE
    if not hidden.any() or hidden.all():
        return rgb
    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    return rgb[tuple(nearest)]


def _weight(rgb: np.ndarray, alpha: np.ndarray, options: Options, detail_map: np.ndarray | None) -> np.ndarray:
    """How much an error counts, (H, W), 1 on average where there is paint."""
    weight: np.ndarray = np.ones(alpha.shape, np.float32)
    if detail_map is not None or options.detail > 0:
        importance = saliency(rgb, alpha) if detail_map is None else _fitting_map(detail_map, alpha.shape)
        strength = options.detail if options.detail > 0 else 1.0
        weight = (1 - strength) + strength * (0.04 + 2 * importance**1.5)
        weight = (weight / max(float(weight.mean()), 1e-6)).astype(np.float32)
    return np.where(alpha < VISIBLE, BARE_WEIGHT, weight).astype(np.float32)


def _fitting_map(detail_map: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A detail map in [0, 1], brought to the picture's size.

    Raises:
        InputError: it is not a two-dimensional array of finite numbers.
    """
    if detail_map.ndim != 2 or detail_map.size == 0 or not np.isfinite(detail_map).all():
        raise InputError(f"A detail map is expected as one grey picture, got shape {tuple(detail_map.shape)}.",
                         "Hand in a grey picture: bright where small strokes belong.")
    grey = torch.from_numpy(np.clip(detail_map, 0, 1).astype(np.float32))[None, None]
    return F.interpolate(grey, size=tuple(shape), mode="bilinear", align_corners=False)[0, 0].numpy()


def saliency(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H, W) in [0, 1]: how far a place stands out from its surroundings, at three sizes (centre minus surround, after
    Itti, Koch and Niebur 1998)."""
    side = max(alpha.shape)
    seen = rgb * alpha[..., None]
    total: np.ndarray = np.zeros(alpha.shape, np.float32)
    for sigma in (side / 170, side / 85, side / 42):
        center = gaussian_filter(seen, (sigma, sigma, 0))
        around = gaussian_filter(seen, (4 * sigma, 4 * sigma, 0))
        total += np.sqrt(((center - around) ** 2).sum(-1))
    total = gaussian_filter(total, side / 100)
    return np.clip(total / max(float(np.quantile(total, 0.98)), 1e-6), 0, 1)
