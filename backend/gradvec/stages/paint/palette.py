"""Painting with few colours."""

from __future__ import annotations

import torch

from ...color.inks import seen, standing_for
from ...model import Color
from .canvas import Canvas


def palette_of(palette: int | tuple[Color, ...], canvas: Canvas, seed: int) -> torch.Tensor | None:
    """Colours (k, 3): none where the palette is 0, those it lists, or so many that stand for the picture best."""
    if not palette:
        return None
    if not isinstance(palette, int):
        return torch.tensor(palette, dtype=torch.float32)
    visible = canvas.colors.numpy()[:, seen(canvas.fine.rgba[3].numpy())].T
    if len(visible) == 0:
        return torch.zeros(1, 3)
    return torch.tensor(standing_for(visible, palette, seed), dtype=torch.float32).clamp(0, 1)


def snapped(color: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """(..., 3) the nearest palette colour of each, with the derivative of the colour itself (straight-through)."""
    flat = color.detach().reshape(-1, 3)
    nearest = palette[torch.cdist(flat, palette).argmin(1)].reshape(color.shape)
    return color + (nearest - color.detach())
