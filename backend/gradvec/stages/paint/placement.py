"""From places to strokes of a brush."""

from __future__ import annotations

import numpy as np
import torch

from ...brushes import outlines as brushes
from .seeds import Seeds
from .stroke_variables import StrokeVariables

#: Length over width from which a mixed painting takes a swept brush.
LONG = 3.0
#: How clear the form is at most where an area is calm, and at least along an edge.
CALM, CLEAR = 0.45, 0.6


def strokes_from_seeds(seeds: Seeds, brush: str, level: int, rng: np.random.Generator, stamps: int = 0,
                       clear: np.ndarray | None = None) -> StrokeVariables:
    """Strokes where the seeds say. brush: a name of brushes.NAMES, or mixed. stamps: how many templates the user's own
    brush has; if any, oil strokes use those alone. clear: (n,) how clear the form is at each seed."""
    n = len(seeds)
    kind = _kinds(seeds, brush, rng) if clear is None or brush != "mixed" else _by_place(seeds, clear)
    built_in = brushes.template_count(brushes.OIL)
    first, count = (built_in, stamps) if stamps else (0, built_in)
    template = np.where(kind == brushes.OIL, first + rng.integers(0, count, n), 0)
    dry = kind == brushes.DRY
    template[dry] = rng.integers(0, brushes.template_count(brushes.DRY), int(dry.sum()))
    center, angle = torch.from_numpy(seeds.center), torch.from_numpy(seeds.angle)
    length, width = torch.from_numpy(seeds.length)[:, None], torch.from_numpy(seeds.width)[:, None]
    none = torch.zeros(n, 1)
    stamped = torch.cat([center, length, width, angle[:, None], none, none, none], 1)
    half = torch.stack([angle.cos(), angle.sin()], 1) * (length - width).clamp(min=1.0) / 2
    swept = torch.cat([center - half, center, center + half, width / 2, width / 2], 1)
    is_stamped = torch.from_numpy(brushes.is_stamped(kind))[:, None]
    colors = torch.from_numpy(np.concatenate([seeds.color0, seeds.color1], 1))
    return StrokeVariables(torch.where(is_stamped, stamped, swept).float(), torch.from_numpy(seeds.axis).float(),
                           colors.float(), torch.ones(n), kind, template.astype(np.int64),
                           np.full(n, level, np.int64))


def _kinds(seeds: Seeds, brush: str, rng: np.random.Generator) -> np.ndarray:
    n = len(seeds)
    if brush != "mixed":
        return np.full(n, brushes.NAMES.index(brush), np.int64)
    chance = rng.random(n)
    long = np.where(chance < 0.5, brushes.MARKER, brushes.WATERCOLOR)
    short = np.select([chance < 0.7, chance < 0.85], [brushes.OIL, brushes.TAPE], brushes.WATERCOLOR)
    return np.where(seeds.length > LONG * seeds.width, long, short).astype(np.int64)


def _by_place(seeds: Seeds, clear: np.ndarray) -> np.ndarray:
    """Washes on large calm areas, markers along clear edges, oil where there is detail, dry strokes in between."""
    usual = float(np.median(seeds.width)) if len(seeds) else 1.0
    large, long = seeds.width > 1.15 * usual, seeds.length > LONG * seeds.width
    kind = np.select([large & (clear < CALM), long & (clear > CLEAR), seeds.width < 0.8 * usual, long],
                     [brushes.WATERCOLOR, brushes.MARKER, brushes.OIL, brushes.DRY], brushes.OIL)
    return kind.astype(np.int64)
