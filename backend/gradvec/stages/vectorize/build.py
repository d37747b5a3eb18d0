"""The stages of a picture built up from paths: add some where it is most wrong, refine all, add more."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from ...geometry import repair
from ...geometry.attention import Attention, importance
from ...geometry.merging import turns
from ...gradients.perceptual import simplify_all
from ...model import Color, Shape, Target
from ...optimize import Refined, Refinement, refine
from ...optimize.freeing import smooth_constraints
from ...optimize.reduced import ReducedTarget
from ...optimize.variables import Freedom
from ...optimize.visibility import UNSEEN, visible
from ...progress import Run
from .initialize import ground_color, new_paths
from .settings import VectorizeSettings
from .weights import distance_weight, patience

#: Steps after each stage, and at the end when every path is there.
STAGE_STEPS, LAST_STEPS = 60, 200
#: Between stages paths move at this share of the full rates: they should find their edges, not run into what other
#: paths are to show.
STAGE_PEAK = 0.5
#: The last refinement moves as fast as the picture is wrong: at the full rates from this error on (root mean square),
#: at this share of them at least.
ROUGH, GENTLE = 12.0 / 255.0, 0.15
#: Then joints that turn by no more degrees are made smooth, and so many more of those that turn by more that at most
#: this share stays as corners; in so many steps, at this many times those rates, for outlines have far to go; unless
#: the mean square error grows by this factor (0.5 dB).
SMOOTHED_DEGREES, SHARPEST, SMOOTHING_STEPS, SMOOTHING_PEAK, SUFFERED = 115.0, 0.18, 160, 2.4, 10**0.05
#: Where paths turned out to be hidden they are put elsewhere, so many times at most.
REPLACEMENTS = 2
#: Paths of earlier stages move at this share of the rates of new ones.
OLDER = 0.4
#: How far a step evens out control points, and the share of the rates that the last step has.
EVENNESS, LAST_SHARE = 0.02, 0.03
#: A picture of more px than this, and than this for each path, is looked at smaller.
REDUCED_AREA, REDUCED_SHAPE_AREA = 1_000_000, 3_000
#: So many px, and so many for each path that is there by then, are enough to find where paths are missing, which takes
#: 1.5 KB a px. Only the last refinement needs to see more.
SEARCHED_AREA, SEARCHED_SHAPE_AREA = 65_000, 1_000
RGBA = tuple[float, float, float, float]


@dataclass
class BuildReport:
    """What building a picture up took.

    stages, steps, seconds: how many. psnr: dB after each refinement. dropped: paths that showed nothing at the end.
    replaced: hidden ones that were put elsewhere.
    """

    stages: int
    steps: int
    psnr: list[float]
    dropped: int
    replaced: int
    seconds: float


@dataclass(frozen=True)
class Build:
    """shapes: bottom to top. stage: which stage added each, rising, 0 the first. ground: the colour under them, None
    where it is bare."""

    shapes: list[Shape]
    stage: list[int]
    ground: Color | None
    report: BuildReport


def build(target: Target, schedule: tuple[int, ...], settings: VectorizeSettings, run: Run,
          attention: Attention | None = None) -> Build:
    """The picture as paths, added stage by stage where the largest coherent error is.

    After each stage all paths so far are refined together. Fewer paths come out where nothing that is seen is wrong
    any more. "Stop and keep" ends with the paths that are there by then. Paths are looked for, and until the last
    refinement refined, on a picture that is as large as they can use.

    Args:
        schedule: how many paths each stage adds.
        attention: what draws the eye, and so counts more, by ``settings.detail``; None: all counts alike.

    Raises:
        Cancelled: the user cancelled. EngineError: the engine failed.
    """
    started = time.monotonic()
    reduced = ReducedTarget.of(target, sum(schedule), REDUCED_AREA, REDUCED_SHAPE_AREA)
    work = _Build(reduced.target, settings, run, len(schedule) * STAGE_STEPS + LAST_STEPS + SMOOTHING_STEPS, attention)
    total = 0
    for number, count in enumerate(schedule):
        total += count
        if run.keep and work.shapes:
            break
        work.see(total)
        if not work.add(total - len(work.shapes), number):
            break
        if number + 1 < len(schedule):
            work.refine(STAGE_STEPS)
            work.drop_unseen()
    work.finish(total, max(work.stage, default=0))
    work.report.seconds = round(time.monotonic() - started, 2)
    ground = work.ground[:3] if work.ground[3] > 0 else None
    return Build(reduced.back(work.finished()), work.stage, ground, work.report)


class _Build:
    """A picture under way."""

    def __init__(self, target: Target, settings: VectorizeSettings, run: Run, steps: int,
                 attention: Attention | None) -> None:
        self.whole, self.settings, self.run = target, settings, run
        self.attention = attention
        self.ground, trained = _ground(target, settings)
        self.plan = Refinement(last=LAST_SHARE, freedom=Freedom(opacity=not settings.opaque, ground=trained),
                               reseeds=0, evenness=EVENNESS, flat=settings.flat, engine=settings.engine,
                               device=settings.device)
        self.shapes: list[Shape] = []
        self.stage: list[int] = []
        self.fresh: list[bool] = []
        self.done, self.steps = 0, steps
        self.report = BuildReport(0, 0, [], 0, 0, 0.0)
        self.view = self._searched(0)
        self._look_at(self.view)

    def see(self, paths: int) -> None:
        """The picture from now on in the size in which it shows where ``paths`` paths should be."""
        view = self._searched(paths)
        if view.scale != self.view.scale:
            self._look_at(view)

    def _searched(self, paths: int) -> ReducedTarget:
        return ReducedTarget.of(self.whole, paths, SEARCHED_AREA, SEARCHED_SHAPE_AREA)

    def _look_at(self, view: ReducedTarget) -> None:
        if self.shapes:
            self.shapes = view.into(self.view.back(self.shapes))
        self.view, self.target = view, view.target
        alpha = self.target.alpha[..., None]
        self.wanted = np.concatenate([self.target.rgb * alpha, alpha], -1).astype(np.float64)
        # (H, W) how much each px counts; None: all alike.
        self.importance = importance(self.attention, (self.target.height, self.target.width), self.settings.detail)
        self._take(self._refined(0))

    def add(self, count: int, number: int) -> int:
        """Adds up to ``count`` paths, on top unless they are seen in pieces behind others; returns how many."""
        if count <= 0:
            return 0
        found = new_paths(self.shapes, self.target, self.wanted, self.refined.shown, count, self.settings,
                          self.run, self.importance)
        self.fresh = [False] * len(self.shapes)
        for start in sorted((s for s in found if s.below is not None), key=lambda s: -(s.below or 0)):
            self._insert(start.below or 0, replace(start.shape, level=self.stage[start.below or 0]))
        for start in found:
            if start.below is None:
                self._insert(len(self.shapes), replace(start.shape, level=number))
        self.report.stages = number + 1 if found else self.report.stages
        return len(found)

    def _insert(self, at: int, shape: Shape) -> None:
        self.shapes.insert(at, shape)
        self.stage.insert(at, shape.level)
        self.fresh.insert(at, True)

    def refine(self, steps: int) -> None:
        """All paths together, new ones first; what is still solidly wrong is left to later paths and hardly counts."""
        weight = distance_weight([s for s, new in zip(self.shapes, self.fresh, strict=True) if new], self.target)
        weight *= patience(self._refined(0).error)
        if self.importance is not None:
            weight *= self.importance
        pace = np.where(self.fresh, 1.0, OLDER) if any(self.fresh) else None
        self._take(self._refined(steps, STAGE_PEAK, weight, pace))
        self._note()

    def refine_last(self, steps: int) -> None:
        """Everything counts and moves alike, and nothing is kept that is worse than before."""
        before, rms = self.refined, self.refined.mse**0.5
        after = self._refined(steps, min(1.0, max(GENTLE, rms / ROUGH)), self.importance)
        self._take(min(before, after, key=self._wrong))
        self._note()
        self._smooth()

    def _smooth(self) -> None:
        """Joints become smooth, but for the sharpest corners, where the picture does not suffer: shapes of emblems keep
        theirs."""
        if not self.shapes:
            return
        before, plan = self.refined, self.plan
        turned = np.degrees(np.concatenate([turns(loop) for shape in self.shapes for loop in shape.outline.loops]))
        corner = max(SMOOTHED_DEGREES, float(np.quantile(turned, 1 - SHARPEST)))
        self.plan = replace(plan, constraints=smooth_constraints(corner, turning=0.0))
        rms = before.mse**0.5
        after = self._refined(SMOOTHING_STEPS, min(1.0, SMOOTHING_PEAK * max(GENTLE, rms / ROUGH)), self.importance)
        self.plan = plan
        if self._wrong(after) < self._wrong(before) * SUFFERED:
            self._take(after)
            self._note()

    def _wrong(self, refined: Refined) -> float:
        """Mean squared error, each px as important as it is."""
        return refined.mse if self.importance is None else float((refined.error * self.importance).mean())

    def _note(self) -> None:
        self.report.psnr.append(round(-20 * float(np.log10(max(self.refined.mse**0.5, 1e-6))), 2))

    def _take(self, refined: Refined) -> None:
        self.refined, self.shapes = refined, list(refined.shapes)
        if self.plan.freedom.ground:
            self.ground = refined.ground

    def _refined(self, steps: int, peak: float = 1.0, weight: np.ndarray | None = None,
                 pace: np.ndarray | None = None) -> Refined:
        """All paths as they are after so many steps; 0 only looks at them."""
        begin = min(1.0, self.done / self.steps)
        self.done += steps
        with self.run.part(begin, min(1.0, self.done / self.steps)):
            refined = refine(self.shapes, self.target, self.ground, replace(self.plan, steps=steps, peak=peak),
                             self.run, weight, pace)
        self.report.steps += refined.steps
        return refined

    def drop_unseen(self) -> int:
        """Takes away what other paths hide; returns how many."""
        area = visible(self.shapes, self.target.width, self.target.height, self.ground, self.settings.engine,
                       self.settings.device)
        return self._keep([n for n, seen in enumerate(area) if seen >= UNSEEN])

    def _keep(self, index: list[int]) -> int:
        dropped = len(self.shapes) - len(index)
        self.shapes, self.stage = [self.shapes[n] for n in index], [self.stage[n] for n in index]
        self.fresh = [self.fresh[n] for n in index]
        return dropped

    def finish(self, total: int, number: int) -> None:
        """The last refinement: hidden paths go elsewhere, outlines are cleaned."""
        for _ in range(REPLACEMENTS):
            if self.run.keep or not self.shapes:
                break
            self.refine(STAGE_STEPS)
            self.drop_unseen()
            added = self.add(total - len(self.shapes), number)
            self.report.replaced += added
            if not added:
                break
        self._look_at(ReducedTarget(self.whole))
        self.refine_last(LAST_STEPS)
        clean = [repair.clean(shape.outline) for shape in self.shapes]
        self.shapes = [shape if outline is None else replace(shape, outline=outline)
                       for shape, outline in zip(self.shapes, clean, strict=True)]
        self.report.dropped = self._keep([n for n, outline in enumerate(clean) if outline is not None])
        self.report.dropped += self.drop_unseen()

    def finished(self) -> list[Shape]:
        """With fills as the settings ask for them."""
        if not self.settings.simplify_fills:
            return self.shapes
        return simplify_all(self.shapes, self.target.width, self.target.height)


def _ground(target: Target, settings: VectorizeSettings) -> tuple[RGBA, bool]:
    """(straight RGBA under the paths, whether it is trained)."""
    if settings.background is not None and settings.background != "auto":
        return (*settings.background, 1.0), False
    if settings.background is None or target.alpha.min() < 0.5:
        return (0.0, 0.0, 0.0, 0.0), False
    return (*ground_color(target).color, 1.0), True
