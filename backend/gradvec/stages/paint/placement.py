"""From places to strokes of a brush."""

from __future__ import annotations

import numpy as np
import torch

from ...brushes import outlines as brushes
from .seeds import Seeds
from .stroke_variables import StrokeVariables

#: Length over width from which a mixed painting takes a swept brush.
LONG = 3.0


def strokes_from_seeds(seeds: Seeds, brush: str, level: int, rng: np.random.Generator,
                       stamps: int = 0) -> StrokeVariables:
    """Strokes where the seeds say. brush: a name of brushes.NAMES, or mixed. stamps: how many templates the user's own
    brush has; if any, oil strokes use those alone."""
    n = len(seeds)
    kind = _kinds(seeds, brush, rng)
    first, count = (len_oil(), stamps) if stamps else (0, len_oil())
    template = np.where(kind == brushes.OIL, first + rng.integers(0, count, n), 0)
    center, angle = torch.from_numpy(seeds.center), torch.from_numpy(seeds.angle)
    length, width = torch.from_numpy(seeds.length)[:, None], torch.from_numpy(seeds.width)[:, None]
    none = torch.zeros(n, 1)
    stamped = torch.cat([center, length, width, angle[:, None], none, none, none], 1)
    half = torch.stack([angle.cos(), angle.sin()], 1) * (length - width).clamp(min=1.0) / 2
    swept = torch.cat([center - half, center, center + half, width / 2, width / 2], 1)
    is_stamped = torch.from_numpy(np.isin(kind, brushes.STAMPED))[:, None]
    return StrokeVariables(torch.where(is_stamped, stamped, swept).float(), torch.from_numpy(seeds.axis).float(),
                     torch.from_numpy(np.concatenate([seeds.color0, seeds.color1], 1)).float(), torch.ones(n), kind,
                     template.astype(np.int64), np.full(n, level, np.int64))


def len_oil() -> int:
    return brushes.template_count(brushes.OIL)


def _kinds(seeds: Seeds, brush: str, rng: np.random.Generator) -> np.ndarray:
    n = len(seeds)
    if brush != "mixed":
        return np.full(n, brushes.NAMES.index(brush), np.int64)
    chance = rng.random(n)
    long = np.where(chance < 0.5, brushes.MARKER, brushes.WATERCOLOR)
    short = np.select([chance < 0.7, chance < 0.85], [brushes.OIL, brushes.TAPE], brushes.WATERCOLOR)
    return np.where(seeds.length > LONG * seeds.width, long, short).astype(np.int64)
