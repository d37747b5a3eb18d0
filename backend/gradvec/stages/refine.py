"""From options to a refinement, and what is tidied afterwards: the part between the pipeline and the loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..geometry import cubics, repair
from ..model import Color, Shape, SolidColor, Target
from ..optimize.loop import Refinement, refine
from ..optimize.variables import Freedom, Variables, reach_of
from ..optimize.view import View
from ..options import Options
from ..progress import Run

#: A shape of which less than this is seen, px, is dropped: it costs a path and shows nothing.
UNSEEN = 0.75
#: Steps that settle the shapes after outlines were repaired, and their share of the full rates.
SETTLE_STEPS, SETTLE_PEAK, SETTLE_PIECES = 30, 0.12, 16


def plan(options: Options, traced: bool = False) -> Refinement:
    """How a run with these options refines; strokes that were traced begin close to where they end.

    The paper's K-means gradients stay as published and a palette stays a palette: then outlines move, colours do not.
    At fidelity 0 every stroke stays an affine image of its brush and nothing is put elsewhere.
    """
    published = options.gradient == "kmeans"
    freedom = Freedom(outlines=True, reach=reach_of(options.fidelity), gradients=not published,
                      colors=not published and not options.palette, opacity=not options.opaque and not options.palette,
                      keep=None if traced else options.fidelity)
    steps = (20 + 130 * options.fidelity) if traced else (100 + 350 * options.fidelity)
    reseeds = 3 if options.fidelity >= 0.75 and freedom.colors and not traced else 0
    return Refinement(steps=round(steps), freedom=freedom, reseeds=reseeds, flat=is_flat(options), seed=options.seed,
                      engine=options.engine, device=options.device,
                      peak=0.4 if traced else 1.0, tension=0.0002 if traced else 0.0005)


def is_flat(options: Options) -> bool:
    return options.gradient == "flat" or options.one_color


def refine_layers(shapes: list[Shape], layer: list[int], target: Target, ground: Color | None, options: Options,
                  run: Run, traced: bool = False) -> tuple[list[Shape], list[int], dict[str, Any]]:
    """Refines all shapes together, repairs what crossed itself and drops what nobody sees.

    Very large pictures are looked at on a view that is as large as their shapes can use (see :mod:`.view`).

    Args:
        layer: layer of each shape, rising; shapes that were put elsewhere end up in the topmost layer.
        traced: outlines came from pictures of strokes, with as many cubics as they need.

    Returns:
        The shapes that are left, their layers, and a report (see :func:`gradvec.optimize.refine`; dropped: how many
        shapes showed nothing).
    """
    work = plan(options, traced)
    view = View.of(target, len(shapes))
    shapes, target = view.into(shapes), view.target
    if options.fidelity > 0 and not traced:
        shapes = [replace(s, outline=cubics.split(s.outline, options.segments)) for s in shapes]
    if work.flat:
        shapes = [one_colored(s, mix=not options.palette) for s in shapes]
    marked = [replace(s, id=str(n)) for n, s in enumerate(shapes)]
    background = (*ground, 1.0) if ground is not None else (0.0, 0.0, 0.0, 0.0)
    with run.part(0.0, 0.9):
        refined, report = refine(marked, target, background, work, run)
    refined = _repaired(refined, options) if traced else _as_simple_as_they_go(refined, options)
    refined = _kept(refined, target, background, options)
    settle = replace(work, steps=SETTLE_STEPS, peak=SETTLE_PEAK, pieces=SETTLE_PIECES, reseeds=0)
    with run.part(0.9, 1.0):
        settled, last = refine(refined, target, background, settle, run)
    settled = _kept(_repaired(settled, options), target, background, options)
    moved = report.pop("moved")
    last.pop("moved")
    report.update(dropped=len(marked) - len(settled), psnr_after=last.get("psnr_after", report.get("psnr_after")))
    top = max(layer, default=0)
    finished = view.back(_finished(settled, options, target))
    return finished, [top if s.id in moved else layer[int(s.id)] for s in settled], report


def one_colored(shape: Shape, mix: bool = True) -> Shape:
    """The shape in the mean of its stops' colours, or in that of its first stop where colours must not be mixed."""
    if isinstance(shape.fill, SolidColor):
        return shape
    if not mix:
        return replace(shape, fill=SolidColor(shape.fill.stops[0].color))
    r, g, b = np.mean([stop.color for stop in shape.fill.stops], axis=0)
    return replace(shape, fill=SolidColor((float(r), float(g), float(b))))


def _kept(shapes: list[Shape], target: Target, background: tuple[float, ...], options: Options) -> list[Shape]:
    seen = visible(shapes, target, background, options)
    return [s for s, area in zip(shapes, seen, strict=True) if area >= UNSEEN]


def _repaired(shapes: list[Shape], options: Options) -> list[Shape]:
    """At fidelity 0 an outline is its brush's, which is simple; freed ones are made fit to be handed out."""
    if options.fidelity == 0:
        return shapes
    # An artist's own path may have more segments than ours get.
    clean = [(s, repair.clean(s.outline, most=max(options.segments, s.outline.segments))) for s in shapes]
    return [replace(s, outline=outline) for s, outline in clean if outline is not None]


def _as_simple_as_they_go(shapes: list[Shape], options: Options) -> list[Shape]:
    """Repaired, with the segments that they need of those that they were free to use. Outlines that came with more keep
    them."""
    if options.fidelity == 0:
        return shapes
    shapes = _repaired(shapes, options)
    ours = [n for n, s in enumerate(shapes) if s.outline.segments <= options.segments]
    result = list(shapes)
    outlines = cubics.fewer([shapes[n].outline for n in ours], options.segments, options.accuracy)
    for n, outline in zip(ours, outlines, strict=True):
        result[n] = replace(result[n], outline=outline)
    return _repaired(result, options)


def tidy(shapes: list[Shape], drawing: list[Shape], target: Target, background: tuple[float, ...],
         options: Options, outlines: bool = True) -> list[Shape]:
    """Some shapes of a refined drawing, without those that nobody sees in it.

    outlines: whether those moved; then they are repaired, with as many segments as they need.
    """
    seen = dict(zip((s.id for s in drawing), visible(drawing, target, background, options), strict=True))
    shapes = [s for s in shapes if seen[s.id] >= UNSEEN]
    if outlines:
        shapes = _as_simple_as_they_go(shapes, options)
    return _finished(shapes, options, target, drawing)


def visible(shapes: list[Shape], target: Target, background: tuple[float, ...], options: Options) -> np.ndarray:
    """(N,) how much of each shape is seen, px."""
    from ..optimize.reseed import visible_areas

    if not shapes:
        return np.zeros(0)
    return visible_areas(Variables(shapes, target.width, target.height, background, Freedom()), options.engine)


def _finished(shapes: list[Shape], options: Options, target: Target,
              drawing: list[Shape] | None = None) -> list[Shape]:
    """Handles inside their strokes; with auto, one colour where nobody sees the gradient. With a palette gradients
    stay as they are, between two of its colours.

    drawing: all that there is to see, bottom to top, if ``shapes`` are only some of it.
    """
    from ..gradients.handles import drawn_in
    from ..gradients.perceptual import simplify_all

    if options.palette:
        return shapes
    shapes = [drawn_in(s) for s in shapes]
    if options.gradient != "auto":
        return shapes
    own = {s.id: s for s in shapes}
    whole = shapes if drawing is None else [own.get(s.id, s) for s in drawing]
    simple = simplify_all(whole, target.width, target.height, own.keys())
    return [s for s in simple if s.id in own]
