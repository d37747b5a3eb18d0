"""Painting with few colours."""

from __future__ import annotations

import numpy as np
import torch

from ...color.inks import seen
from ...color.oklab import oklab
from ...model import Color
from .canvas import Canvas

SAMPLES = 6000
LAB_WEIGHT = np.array([0.6, 1.0, 1.0])


def palette_of(palette: int | tuple[Color, ...], canvas: Canvas, seed: int) -> torch.Tensor | None:
    """Colours (k, 3): none where the palette is 0, those it lists, or so many that stand for the picture best."""
    if not palette:
        return None
    if not isinstance(palette, int):
        return torch.tensor(palette, dtype=torch.float32)
    # A second of import that few paintings need.
    from sklearn.cluster import KMeans

    visible = canvas.colors.numpy()[:, seen(canvas.fine.rgba[3].numpy())].T
    if len(visible) == 0:
        return torch.zeros(1, 3)
    rng = np.random.default_rng(seed)
    sample = visible[rng.choice(len(visible), min(SAMPLES, len(visible)), replace=False)].astype(np.float64)
    count = min(palette, len(np.unique(sample, axis=0)))
    # In OKLab distance is what the eye sees; lightness counts less, so that small strong colours get their place.
    found = KMeans(count, n_init=2, random_state=seed % 2**32).fit(oklab(sample) * LAB_WEIGHT)
    centers = np.array([sample[found.labels_ == i].mean(0) for i in range(count)])
    # As they will be written: eight bits a channel.
    return torch.tensor(np.round(centers * 255) / 255, dtype=torch.float32).clamp(0, 1)


def snapped(color: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """(..., 3) the nearest palette colour of each, with the derivative of the colour itself (straight-through)."""
    flat = color.detach().reshape(-1, 3)
    nearest = palette[torch.cdist(flat, palette).argmin(1)].reshape(color.shape)
    return color + (nearest - color.detach())
