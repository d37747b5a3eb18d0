"""All shapes refined together, prepared before and tidied after: the stage around the optimization loop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..geometry import cubics
from ..geometry.attention import Attention, importance
from ..geometry.merging import CORNER_DEGREES
from ..gradients.handles import drawn_in
from ..gradients.perceptual import simplify_all
from ..model import Color, Shape, SolidColor, Target
from ..optimize import Refinement, refine
from ..optimize.constraints import Constraint
from ..optimize.freeing import (
    EVENNESS,
    LAST_TURNING_COST,
    Freed,
    free_outlines,
    repaired,
    simplified,
    smooth_constraints,
    traced_constraints,
    without_hairs,
)
from ..optimize.reduced import ReducedTarget
from ..optimize.visibility import UNSEEN, visible
from ..progress import Run

#: Steps that settle the shapes after outlines were repaired, and their share of the full rates.
SETTLE_STEPS, SETTLE_PEAK, SETTLE_PIECES = 30, 0.12, 16


@dataclass(frozen=True)
class RefineSettings:
    """How shapes are refined.

    plan: what the loop does. of_brushes: constraints that hold strokes to their brushes' rules, in every loop. freed:
    outlines may leave their brush: they get ``segments`` before and only those that they need after, within
    ``accuracy`` px, and are repaired. traced: outlines came from pictures of strokes, with as many segments as they
    need. hairs: loops that are next to nothing but length may stay, as an artist's thin strokes and a brush's bristles.
    palette: colours are never mixed, gradients stay as they are. simplify_fills: one colour where the eye sees no
    gradient. detail: 0 to 1, how much more counts what draws the eye. settle: steps after outlines were repaired.
    """

    plan: Refinement
    of_brushes: tuple[Constraint, ...] = ()
    freed: bool = True
    segments: int = 8
    accuracy: float = 0.15
    traced: bool = False
    hairs: bool = False
    palette: bool = False
    simplify_fills: bool = False
    detail: float = 0.0
    settle: int = SETTLE_STEPS


@dataclass(frozen=True)
class RefineReport:
    """What a refinement did: steps in seconds; psnr_before, psnr_after: dB against the picture; reseeded: how many
    shapes were put elsewhere; dropped: how many showed nothing; drift: how far outlines left the best affine image of
    what came in, a share of their size, on average over the shapes; of freed outlines the sum over their phases, each
    measured from what it began with. None where a kept run had no time to measure."""

    steps: int
    seconds: float
    reseeded: int
    drift: float
    psnr_before: float | None
    psnr_after: float | None
    dropped: int

    @classmethod
    def none(cls) -> RefineReport:
        """Of a run that refined nothing."""
        return cls(0, 0.0, 0, 0.0, None, None, 0)


def refine_layers(shapes: list[Shape], layer: list[int], target: Target, ground: Color | None,
                  settings: RefineSettings, run: Run,
                  attention: Attention | None = None) -> tuple[list[Shape], list[int], RefineReport]:
    """Refines all shapes together, repairs what crossed itself and drops what nobody sees.

    Very large pictures are looked at in a size that is as large as their shapes can use (see
    :mod:`gradvec.optimize.reduced`).

    Args:
        layer: layer of each shape, rising; shapes that were put elsewhere end up in the topmost layer.
        attention: what draws the eye, and so counts more, by ``settings.detail``; None: all counts alike.

    Returns:
        The shapes that are left, their layers, and what was done.
    """
    if run.look():
        return as_they_came(shapes, target, settings, run), list(layer), RefineReport.none()
    reduced = ReducedTarget.of(target, len(shapes))
    shapes, target = reduced.into(shapes), reduced.target
    marked = [replace(s, id=str(n)) for n, s in enumerate(shapes)]
    background = (*ground, 1.0) if ground is not None else (0.0, 0.0, 0.0, 0.0)
    with run.part(0.0, 0.9):
        weight = importance(attention, (target.height, target.width), settings.detail)
        freed = _freed(marked, target, background, settings, run, weight)
    if run.keep:
        settled, psnr = freed.shapes, freed.psnr
    else:
        with run.part(0.9, 1.0):
            settled, psnr = _settled(freed.shapes, target, background, settings, run, weight, attention)
    top = max(layer, default=0)
    report = RefineReport(freed.steps, round(freed.seconds, 2), len(freed.moved), round(freed.drift, 4),
                          freed.psnr_before, psnr, len(marked) - len(settled))
    return (reduced.back(_finished(settled, settings, target, run)),
            [top if s.id in freed.moved else layer[int(s.id)] for s in settled], report)


def as_they_came(shapes: list[Shape], target: Target, settings: RefineSettings, run: Run) -> list[Shape]:
    """The shapes with no more than what it takes to hand them out."""
    flat = [one_colored(s, mix=not settings.palette) for s in shapes] if settings.plan.flat else shapes
    return _finished(flat, settings, target, run)


def _settled(shapes: list[Shape], target: Target, background: tuple[float, ...], settings: RefineSettings,
             run: Run, weight: np.ndarray | None, attention: Attention | None) -> tuple[list[Shape], float]:
    """(the shapes that show something, settled after their outlines were repaired; dB against the picture). Painted
    strokes see a small picture enlarged, and hairs among them are left out."""
    plan = settings.plan
    hairless = not settings.hairs and settings.settle > 0
    if hairless:
        shapes = without_hairs(shapes)
    view = ReducedTarget(target) if settings.traced else ReducedTarget.enlarged(target, len(shapes))
    scale = view.scale[0]
    smooth: tuple[Constraint, ...] = ()
    if settings.freed:
        smooth = (traced_constraints() if settings.traced
                  else smooth_constraints(CORNER_DEGREES, turning=LAST_TURNING_COST, scale=scale))
    settle = replace(plan, steps=settings.settle, peak=SETTLE_PEAK, pieces=SETTLE_PIECES, reseeds=0, coarse=None,
                     tension=plan.tension * scale, constraints=(*smooth, *settings.of_brushes),
                     evenness=EVENNESS if settings.freed and not settings.traced else plan.evenness)
    last = refine(view.into(_seen(shapes, target, background, plan)), view.target, background, settle, run,
                  weight if view.target is target
                  else importance(attention, (view.target.height, view.target.width), settings.detail))
    settled = view.back(last.shapes)
    psnr = last.psnr if view.target is target else refine(settled, target, background, replace(settle, steps=0),
                                                          run).psnr
    if last.steps == 0:  # what did not move crossed nothing
        return settled, psnr
    repaired_ones = _repaired(settled, settings, run)
    if hairless:
        repaired_ones = without_hairs(repaired_ones)
    return (repaired_ones if run.hurry() else _seen(repaired_ones, target, background, plan)), psnr


def _freed(shapes: list[Shape], target: Target, background: tuple[float, ...], settings: RefineSettings,
           run: Run, weight: np.ndarray | None) -> Freed:
    """Refined and repaired. Outlines that stay near their brush are measured against it, and so go in one phase."""
    plan = settings.plan
    if settings.freed and not settings.traced and plan.freedom.reach == float("inf"):
        if plan.flat:
            shapes = [one_colored(s, mix=not settings.palette) for s in shapes]
        freed = free_outlines(shapes, target, background, replace(plan, constraints=settings.of_brushes),
                              settings.segments, settings.accuracy, run)
        return replace(freed, shapes=_repaired(freed.shapes, settings, run))
    first = refine([prepared(s, settings) for s in shapes], target, background, plan, run, weight)
    tidied = (_repaired(first.shapes, settings, run) if settings.traced
              else _as_simple_as_they_go(first.shapes, settings, run))
    return Freed(tidied, first.moved, first.drift, first.steps, first.seconds, first.psnr_before, first.psnr)


def prepared(shape: Shape, settings: RefineSettings) -> Shape:
    """The shape with all the segments that it may use and the fill that it may have."""
    if settings.freed and settings.plan.freedom.outlines and not settings.traced:
        shape = replace(shape, outline=cubics.split(shape.outline, settings.segments))
    return one_colored(shape, mix=not settings.palette) if settings.plan.flat else shape


def one_colored(shape: Shape, mix: bool = True) -> Shape:
    """The shape in the mean of its stops' colours, or in that of its first stop where colours must not be mixed."""
    if isinstance(shape.fill, SolidColor):
        return shape
    if not mix:
        return replace(shape, fill=SolidColor(shape.fill.stops[0].color))
    r, g, b = np.mean([stop.color for stop in shape.fill.stops], axis=0)
    return replace(shape, fill=SolidColor((float(r), float(g), float(b))))


def _seen(shapes: list[Shape], target: Target, background: tuple[float, ...], plan: Refinement) -> list[Shape]:
    """Those that show something."""
    areas = visible(shapes, target.width, target.height, background, plan.engine, plan.device)
    return [s for s, area in zip(shapes, areas, strict=True) if area >= UNSEEN]


def _repaired(shapes: list[Shape], settings: RefineSettings, run: Run) -> list[Shape]:
    """At fidelity 0 an outline is its brush's, which is simple; freed ones are made fit to be handed out."""
    if not settings.freed:
        return shapes
    return repaired(shapes, settings.segments, run)


def _as_simple_as_they_go(shapes: list[Shape], settings: RefineSettings, run: Run) -> list[Shape]:
    """Repaired, with the segments that they need of those that they were free to use. Outlines that came with more keep
    them."""
    if not settings.freed:
        return shapes
    return _repaired(simplified(shapes, settings.segments, settings.accuracy, run), settings, run)


def tidy(shapes: list[Shape], drawing: list[Shape], target: Target, background: tuple[float, ...],
         settings: RefineSettings, run: Run) -> list[Shape]:
    """Some shapes of a refined drawing, without those that nobody sees in it; outlines that could move are repaired,
    with as many segments as they need."""
    seen = {s.id for s in _seen(drawing, target, background, settings.plan)}
    shapes = [s for s in shapes if s.id in seen]
    if settings.plan.freedom.outlines:
        shapes = _as_simple_as_they_go(shapes, settings, run)
    return _finished(shapes, settings, target, run, drawing)


def _finished(shapes: list[Shape], settings: RefineSettings, target: Target, run: Run,
              drawing: list[Shape] | None = None) -> list[Shape]:
    """Handles inside their strokes; with auto, one colour where nobody sees the gradient. With a palette gradients
    stay as they are, between two of its colours.

    drawing: all that there is to see, bottom to top, if ``shapes`` are only some of it. A kept run that has no time for
    more leaves the rest as it is.
    """
    if settings.palette:
        return shapes
    shapes = [s if run.hurry() else drawn_in(s) for s in shapes]
    if not settings.simplify_fills or run.hurry():
        return shapes
    own = {s.id: s for s in shapes}
    whole = shapes if drawing is None else [own.get(s.id, s) for s in drawing]
    simple = simplify_all(whole, target.width, target.height, own.keys(), run.hurry)
    return [s for s in simple if s.id in own]
