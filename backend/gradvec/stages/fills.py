"""Outlined strokes get their fills: a gradient or one colour each, and how opaque they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from ..geometry.trace import peak
from ..gradients.fills import fit
from ..model import Outline, Shape, StrokePatch
from ..progress import Run

#: A stroke whose paint is at least so opaque is taken to be opaque: its edges alone make it seem thinner.
OPAQUE = 0.95


@dataclass(frozen=True)
class FillSettings:
    """method: refined, kmeans, auto or flat (see :func:`gradvec.gradients.fills.fit`). opaque: whether every shape is
    opaque, whatever its stroke was."""

    method: str = "refined"
    opaque: bool = False


def fill(parts: Sequence[Sequence[StrokePatch]], outlines: Sequence[Sequence[Outline]], settings: FillSettings,
         run: Run) -> list[Shape]:
    """Every outline as a shape, in paint order.

    Args:
        parts: per stroke, for each of its outlines, the patch that the outline shows.

    Raises:
        Cancelled: the run was cancelled.
    """
    patches, flat = list(chain.from_iterable(parts)), list(chain.from_iterable(outlines))
    found = fit(patches, flat, settings.method, run)
    return [Shape(outline, paint, 1.0 if settings.opaque else _opacity(patch), patch.level)
            for patch, outline, paint in zip(patches, flat, found, strict=True)]


def fill_further(shapes: Sequence[Shape], layer: Sequence[int], parts: Sequence[Sequence[StrokePatch]],
                 outlines: Sequence[Sequence[Outline]], settings: FillSettings,
                 run: Run) -> tuple[list[Shape], list[int]]:
    """Shapes and, right above each and in its layer, a shape for each of its outlines but the first."""
    further = [paths[1:] for paths in outlines]
    found = iter(fit(list(chain.from_iterable(own[1:] for own in parts)), list(chain.from_iterable(further)),
                     settings.method, run))
    pairs = [(one, at) for shape, paths, at in zip(shapes, further, layer, strict=True)
             for one in (shape, *(Shape(path, next(found), shape.opacity, shape.level) for path in paths))]
    return [one for one, _ in pairs], [at for _, at in pairs]


def _opacity(patch: StrokePatch) -> float:
    """How opaque a stroke is where it is painted at all; one that is all but opaque counts as that."""
    full = peak(patch.alpha)
    return full if 0.0 < full < OPAQUE else 1.0
