"""Outlines freed in phases: few segments on a small picture first, all of them then, only those they need last."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..geometry import cubics, repair
from ..geometry.cubics import flatten
from ..geometry.growing import grown
from ..geometry.merging import CORNER_DEGREES, merged
from ..geometry.sizes import HAIR, compactness
from ..geometry.trace import shoelace
from ..model import Outline, Shape, Target
from ..progress import Run
from .loop import Refined, Refinement, refine
from .reduced import ReducedTarget
from .smooth import EVERY_TURN, RESTLESS, HairPrice, SmoothJoints, TurningPrice

#: Share of the steps after which outlines get all their segments, and keep only those that they need.
GROWN, MERGED = 0.3, 0.65
#: Segments at first.
FEW = 8
#: px a shape that the first two phases look at: where there are more, the picture is looked at smaller.
AREAS = (350, 900)
#: Nodes taken out before the last phase may move an outline by this many times what a finished one may be off; further
#: ones for a shape, on average, are then put where the picture differs most.
LOOSER, FURTHER = 1.33, 2.5
#: Outlines whose nodes are taken out in one call, and repairs between two looks at whether the user wants an end.
AT_ONCE, LOOK_EVERY = 256, 32
#: Line pieces of a segment as compactness is measured.
HAIR_PIECES = 16
#: A hair becomes a line that is this much more compact than a hair has to be, where that makes it at most so many times
#: as wide.
BEYOND_A_HAIR, MOST_WIDER, WIDENINGS = 1.04, 2.5, 6
#: What a radian of turning inwards costs (see TurningPrice), at first and once nodes are merged, what a hair costs (see
#: HairPrice), and how far a step slides control points towards even spacing. Most joints that may become corners, and
#: the last phase's steps before that is decided.
TURNING_COST, LAST_TURNING_COST, HAIR_COST, EVENNESS = 4.0, 24.0, 1.0, 0.03
CORNERS, EARN_AFTER = 0.18, 30
#: What turning costs on traced outlines, calm or not.
TRACED_TURNING_COST = 1.9


@dataclass(frozen=True)
class Freed:
    """shapes; moved: ids of those that were put elsewhere; drift: sum over the phases (see Refined); steps, seconds;
    psnr_before, psnr: dB before the first step and after the last."""

    shapes: list[Shape]
    moved: frozenset[str]
    drift: float
    steps: int
    seconds: float
    psnr_before: float
    psnr: float


def smooth_constraints(corner_degrees: float = 180.0, corners: float = 0.0, polygons: bool = False,
                       turning: float = TURNING_COST, turns: tuple[float, float] = RESTLESS, scale: float = 1.0
                       ) -> tuple[TurningPrice, HairPrice, SmoothJoints]:
    """What keeps outlines smooth, without wiggles and no hairs; see :class:`SmoothJoints` and :class:`TurningPrice`.
    scale: px that the picture is looked at for one of its own, to each side: prices are then as they are at its own
    size."""
    return (TurningPrice(turning * scale**2, turns), HairPrice(HAIR_COST * scale),
            SmoothJoints(corner_degrees, corners, EARN_AFTER, polygons))


def traced_constraints(corners: float = 0.0) -> tuple[TurningPrice, HairPrice, SmoothJoints]:
    """As :func:`smooth_constraints`, for outlines that were traced: every turn costs, and no more than is worth a
    corner. corners: share of joints that may become corners."""
    return smooth_constraints(CORNER_DEGREES, corners, turning=TRACED_TURNING_COST, turns=EVERY_TURN)


def free_outlines(shapes: list[Shape], target: Target, background: tuple[float, ...], plan: Refinement, segments: int,
                  accuracy: float, run: Run) -> Freed:
    """All shapes refined in three phases with at most ``segments`` segments each; in the last they have the nodes that
    they need, and some more where the picture is most wrong. ``accuracy``: px that a finished outline may be off. A run
    that is to keep what there is ends with the phase that it is in."""
    done: list[Refined] = []
    phases = ((0.0, GROWN, min(FEW, segments), AREAS[0]), (GROWN, MERGED, segments, AREAS[1]), (MERGED, 1.0, 0, 0))
    for begin, end, most, area in phases:
        if done and run.keep:
            break
        if most:
            shapes = [replace(s, outline=cubics.split(s.outline, most)) for s in shapes]
            smooth, reseeds = smooth_constraints(), plan.reseeds
        else:
            shapes = simplified(shapes, segments, LOOSER * accuracy, run)
            shapes = with_nodes_where_wrong(shapes, target, background, plan, segments, run)
            smooth, reseeds = smooth_constraints(CORNER_DEGREES, CORNERS, turning=LAST_TURNING_COST), 0
        view = ReducedTarget.of(target, len(shapes), 1, area) if area else ReducedTarget(target)
        part = replace(plan, steps=round(plan.steps * end) - round(plan.steps * begin), span=(begin, end),
                       reseeds=reseeds, evenness=EVENNESS, constraints=(*smooth, *plan.constraints))
        with run.part(begin, end):
            done.append(refine(view.into(shapes), view.target, background, part, run))
        shapes = view.back(done[-1].shapes)
    return Freed(shapes, frozenset[str]().union(*(d.moved for d in done)), sum(d.drift for d in done),
                 sum(d.steps for d in done), sum(d.seconds for d in done), done[0].psnr_before, done[-1].psnr)


def simplified(shapes: list[Shape], segments: int, accuracy: float, run: Run) -> list[Shape]:
    """Repaired, with the nodes that they need; outlines that came with more than ``segments`` keep theirs, and so do
    those that a kept run has no time for."""
    shapes = repaired(shapes, segments, run)
    ours = [n for n, s in enumerate(shapes) if s.outline.segments <= segments]
    result = list(shapes)
    for some in (ours[start:start + AT_ONCE] for start in range(0, len(ours), AT_ONCE)):
        if run.hurry():
            break
        for n, outline in zip(some, merged([shapes[n].outline for n in some], accuracy), strict=True):
            result[n] = replace(result[n], outline=outline)
    return result


def with_nodes_where_wrong(shapes: list[Shape], target: Target, background: tuple[float, ...], plan: Refinement,
                           segments: int, run: Run) -> list[Shape]:
    """The same shapes with :data:`FURTHER` more nodes each, on average, and ``segments`` at most, shared out by how
    wrong the picture is along their edges."""
    if run.hurry():
        return shapes
    error = refine(shapes, target, background, replace(plan, steps=0, reseeds=0, constraints=()), run).error
    outlines = grown([shape.outline for shape in shapes], error, round(FURTHER * len(shapes)), segments)
    return [replace(shape, outline=outline) for shape, outline in zip(shapes, outlines, strict=True)]


def repaired(shapes: list[Shape], segments: int, run: Run) -> list[Shape]:
    """Fit to be handed out, with at most ``segments`` segments or as many as they came with; what is left of nothing
    is dropped. Those that a kept run has no time for stay as they are, crossings and all."""
    result: list[Shape] = []
    for n, shape in enumerate(shapes):
        if n % LOOK_EVERY == 0 and run.hurry():
            return result + shapes[n:]
        outline = repair.clean(shape.outline, most=max(segments, shape.outline.segments))
        if outline is not None:
            result.append(replace(shape, outline=outline))
    return result


def without_hairs(shapes: list[Shape]) -> list[Shape]:
    """The shapes with those loops that are next to nothing but length widened until they are lines (a mast, a wire, the
    edge of a roof is worth much for the little that it covers), or left out where that would make them another thing;
    without shapes of which nothing is left. If that is all of them, they are what there is to see, and stay."""
    kept = [(shape, tuple(loop for given in shape.outline.loops if (loop := _no_hair(given)) is not None))
            for shape in shapes]
    return [replace(shape, outline=Outline(loops)) for shape, loops in kept if loops] or shapes


def _no_hair(loop: np.ndarray) -> np.ndarray | None:
    """The loop, pushed out on all sides until it is no hair; None where it would have to be far too wide."""
    polygon = flatten(np.asarray(loop, np.float64), HAIR_PIECES)
    if compactness([polygon]) >= HAIR:
        return loop
    first = abs(shoelace(polygon))
    wider = np.asarray(loop, np.float64)
    for _ in range(WIDENINGS):
        length = float(np.hypot(*(np.roll(polygon, -1, 0) - polygon).T).sum())
        lacking = BEYOND_A_HAIR * HAIR * length**2 / (4 * math.pi) - abs(shoelace(polygon))
        wider = _pushed_out(wider, lacking / max(length, 1e-9))
        polygon = flatten(wider, HAIR_PIECES)
        if abs(shoelace(polygon)) > MOST_WIDER * first:
            return None
        if compactness([polygon]) >= HAIR:
            outline = repair.clean(Outline((wider,)))
            clean = None if outline is None else outline.loops[0]
            return clean if clean is not None and compactness([flatten(clean, HAIR_PIECES)]) >= HAIR else None
    return None


def _pushed_out(loop: np.ndarray, distance: float) -> np.ndarray:
    """The loop with every control point ``distance`` px further out."""
    span = np.roll(loop, -1, 0) - np.roll(loop, 1, 0)
    normal = np.stack([span[:, 1], -span[:, 0]], 1) / np.maximum(np.hypot(*span.T), 1e-9)[:, None]
    return loop + normal * math.copysign(distance, shoelace(loop))
