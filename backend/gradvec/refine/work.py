"""From options to a refinement, and what is tidied afterwards: the part between the pipeline and the loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..model import Color, Shape, Target
from ..options import Options
from ..outline import cubics, repair
from ..progress import Run
from .loop import Refinement, refine
from .variables import Freedom, Variables, reach_of

#: A shape of which less than this is seen, px, is dropped: it costs a path and shows nothing.
UNSEEN = 0.75


def plan(options: Options) -> Refinement:
    """How a run with these options refines.

    The paper's K-means gradients stay as published: only outlines move. At fidelity 0 every stroke stays an affine
    image of its brush and nothing is put elsewhere.
    """
    kmeans = options.gradient == "kmeans"
    freedom = Freedom(outlines=True, reach=reach_of(options.fidelity), gradients=not kmeans, opacity=not options.opaque)
    return Refinement(steps=round(100 + 250 * options.fidelity), freedom=freedom,
                      reseeds=3 if options.fidelity >= 0.75 and not kmeans else 0,
                      flat=options.gradient == "flat" or options.one_color, seed=options.seed,
                      engine=options.engine, device=options.device)


def refine_layers(shapes: list[Shape], layer: list[int], target: Target, ground: Color | None, options: Options,
                  run: Run) -> tuple[list[Shape], list[int], dict[str, Any]]:
    """Refines all shapes together, repairs what crossed itself and drops what nobody sees.

    Args:
        layer: layer of each shape, rising; shapes that were put elsewhere end up in the topmost layer.
    """
    work = plan(options)
    if options.fidelity > 0:
        shapes = [replace(s, outline=cubics.split(s.outline, options.cubics)) for s in shapes]
    marked = [replace(s, id=str(n)) for n, s in enumerate(shapes)]
    background = (*ground, 1.0) if ground is not None else (0.0, 0.0, 0.0, 0.0)
    refined, report = refine(marked, target, background, work, run)
    refined = _repaired(refined)
    seen = visible(refined, target, background, options)
    kept = [s for s, area in zip(refined, seen, strict=True) if area >= UNSEEN]
    report["dropped"] = len(marked) - len(kept)
    top = max(layer, default=0)
    moved = report.pop("moved", set())
    layers_of = [top if s.id in moved else layer[int(s.id)] for s in kept]
    return _finished(kept, options), layers_of, report


def _repaired(shapes: list[Shape]) -> list[Shape]:
    clean = [(s, repair.clean(s.outline)) for s in shapes]
    return [replace(s, outline=outline) for s, outline in clean if outline is not None]


def visible(shapes: list[Shape], target: Target, background: tuple[float, ...], options: Options) -> np.ndarray:
    """(N,) how much of each shape is seen, px."""
    from .reseed import visible_areas

    if not shapes:
        return np.zeros(0)
    return visible_areas(Variables(shapes, target.width, target.height, background, Freedom()), options.engine)


def _finished(shapes: list[Shape], options: Options) -> list[Shape]:
    if options.gradient != "auto":
        return shapes
    from ..fills import simplify

    return [replace(s, fill=simplify(s.fill, s.outline)) for s in shapes]
