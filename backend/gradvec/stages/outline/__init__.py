"""Strokes as outlines: contour -> closed cubics -> refinement of all strokes at once -> repair.

    StrokePatches -> importance -> trace -> cubics -> refine -> repair -> Outlines
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...model import Outline, StrokePatch
from ...progress import Run

MIN_SIZE_PX = 2.0
#: Contours are followed to within this share of the accuracy: a smooth joint takes five numbers in place of six, and
#: what it saves goes into segments.
CLOSER = 0.8


@dataclass(frozen=True)
class OutlineSettings:
    """segments: most cubics an outline may have. accuracy: px that an outline may be away from its contour. holes:
    whether real holes are kept. paths: most paths a stroke may become; by_size: all of them only for the largest
    strokes. flat: whether a path has one colour. engine, device: see :func:`gradvec.render.choose`."""

    segments: int = 8
    accuracy: float = 0.15
    holes: bool = True
    paths: int = 1
    by_size: bool = False
    flat: bool = False
    engine: str = "auto"
    device: str = "auto"


def fit(patches: list[StrokePatch], settings: OutlineSettings, run: Run) -> list[tuple[Outline, ...]]:
    """The outlines of each stroke, picture px, in the order of the patches.

    Usually one outline a stroke, which may have several loops (pieces, holes); more where settings.paths
    allows it and what one gradient leaves wrong inside the stroke is worth it. Nothing for a patch in which nothing
    of at least :data:`MIN_SIZE_PX` is to be seen. What comes back does not cross itself and has at most
    settings.segments segments an outline. The patches are taken to lie in one picture, in paint order: edges that later
    strokes hide, or that hardly differ from what is below, get fewer segments.

    Reports progress in [0, 1] of the run's present stage; "stop and keep" skips what is left of the refinement.

    Raises:
        Cancelled: the run was cancelled.
        EngineError: the engine or device asked for is not at hand.
    """
    from .importance import importance

    run.step(0.0)
    if not patches:
        return []
    several = settings.paths > 1
    first = outlines(patches, importance(patches), settings, run, span=(0.02, 0.4 if several else 1.0))
    result: list[tuple[Outline, ...]] = [() if outline is None else (outline,) for outline in first]
    if not several or run.keep:
        return result
    return add_paths(patches, result, settings, run, span=(0.4, 1.0))


def add_paths(patches: list[StrokePatch], first: Sequence[tuple[Outline, ...]], settings: OutlineSettings, run: Run,
              span: tuple[float, float] = (0.0, 1.0)) -> list[tuple[Outline, ...]]:
    """Per stroke its paths from bottom to top: ``first`` and up to settings.paths - 1 more that pay.

    Raises:
        Cancelled: the run was cancelled.
    """
    from .further_paths import add_paths as further

    return further(patches, first, settings, run, span)


def parts(patches: list[StrokePatch], outlines: Sequence[Sequence[Outline]],
          settings: OutlineSettings) -> list[list[StrokePatch]]:
    """Per stroke a patch for each of its outlines: the stroke itself, or the part that each of several paths shows."""
    from .further_paths import shown_parts

    return shown_parts(patches, outlines, settings)


def outlines(patches: Sequence[StrokePatch], importance: Sequence[np.ndarray] | None, settings: OutlineSettings,
             run: Run, span: tuple[float, float] = (0.0, 1.0), in_picture: bool = True) -> list[Outline | None]:
    """One outline per patch, or None where nothing is to be seen.

    Args:
        importance: per patch (h, w) how much a miss shows at a pixel; None counts all pixels alike.
        span: which part of the run's present stage this is.
        in_picture: whether strokes that reach the borders of all patches together are cut off there.
    """
    from ...geometry import cubics, repair, trace
    from .refine import refine

    begin, end = span
    bounds = trace.picture_bounds(list(patches)) if in_picture and patches else None
    groups = []
    for i, patch in enumerate(patches):
        if i % 32 == 0:
            run.step(begin + 0.1 * (end - begin) * i / len(patches))
        groups.append(trace.contours(patch, None if importance is None else importance[i], bounds,
                                     holes=settings.holes, min_size_px=MIN_SIZE_PX))
    traced = [Outline(loops) for loops in cubics.fit_contours(groups, settings.segments,
                                                                  CLOSER * settings.accuracy)]
    run.step(begin + 0.2 * (end - begin))
    seen = [i for i, outline in enumerate(traced) if outline.loops]
    refined = refine([patches[i] for i in seen], [traced[i] for i in seen],
                     None if importance is None else [importance[i] for i in seen], bounds, run,
                     span=(begin + 0.2 * (end - begin), end), engine=settings.engine, device=settings.device)
    result: list[Outline | None] = [None] * len(patches)
    for i, outline in zip(seen, refined, strict=True):
        result[i] = (repair.clean(outline, MIN_SIZE_PX, settings.segments)
                     or repair.clean(traced[i], MIN_SIZE_PX, settings.segments))
    return result
