"""The stages of a picture built up from paths: add some where it is most wrong, refine all, add more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...geometry import repair
from ...gradients.perceptual import simplify_all
from ...model import Color, Shape, Target
from ...optimize.view import View
from ...options import Options
from ...progress import Run
from ..refine import UNSEEN, visible
from .initialize import ground_color, new_paths
from .loop import RGBA, Refined, Setting, refine_together

#: Steps after each stage, and at the end when every path is there.
STAGE_STEPS, LAST_STEPS = 60, 240
#: Between stages paths move at this share of the full rates: they should find their edges, not run into what other
#: paths are to show.
STAGE_PEAK = 0.5
#: The last refinement moves as fast as the picture is wrong: at the full rates from this error on (root mean square),
#: at this share of them at least.
ROUGH, GENTLE = 12.0 / 255.0, 0.15
#: Where paths turned out to be hidden they are put elsewhere, so many times at most.
REPLACEMENTS = 2
#: A picture of more px than this, and than this for each path, is looked at smaller: finding regions takes 1.5 KB a px.
VIEW_AREA, VIEW_SHAPE_AREA = 1_000_000, 3_000


@dataclass(frozen=True)
class Build:
    """shapes: bottom to top. stage: which stage added each, rising, 0 the first. ground: the colour under them, None
    where it is bare. report: stages, steps, psnr (dB per stage), dropped, replaced."""

    shapes: list[Shape]
    stage: list[int]
    ground: Color | None
    report: dict[str, Any] = field(default_factory=dict)


def build(target: Target, schedule: tuple[int, ...], options: Options, run: Run) -> Build:
    """The picture as paths, added stage by stage where the largest coherent error is.

    After each stage all paths so far are refined together. Fewer paths come out where nothing that is seen is wrong
    any more. "Stop and keep" ends with the paths that are there by then. Very large pictures are looked at on a view.

    Args:
        schedule: how many paths each stage adds.
        options: gradient (kmeans counts as refined), cubics, accuracy, holes, background, opaque, one_color, engine
            and device are used.

    Raises:
        Cancelled: the user cancelled. EngineError: the engine failed.
    """
    started = time.monotonic()
    view = View.of(target, sum(schedule), VIEW_AREA, VIEW_SHAPE_AREA)
    work = _Work(view.target, options, run, len(schedule) * STAGE_STEPS + LAST_STEPS)
    total = 0
    for number, count in enumerate(schedule):
        total += count
        if run.keep and work.shapes:
            break
        if not work.add(total - len(work.shapes), number):
            break
        if number + 1 < len(schedule):
            work.refine(STAGE_STEPS)
            work.drop_unseen()
    work.finish(total, max(work.stage, default=0))
    work.report["seconds"] = round(time.monotonic() - started, 2)
    ground = work.ground[:3] if work.ground[3] > 0 else None
    return Build(view.back(work.finished()), work.stage, ground, work.report)


class _Work:
    """A picture under way."""

    def __init__(self, target: Target, options: Options, run: Run, steps: int) -> None:
        self.target, self.options, self.run = target, options, run
        self.ground, trained = _ground(target, options)
        self.setting = Setting(flat=options.gradient == "flat" or options.one_color, opacity=not options.opaque,
                               train_ground=trained, engine=options.engine, device=options.device)
        self.shapes: list[Shape] = []
        self.stage: list[int] = []
        self.fresh: list[bool] = []
        self.done, self.steps = 0, steps
        self.report: dict[str, Any] = {"stages": 0, "steps": 0, "psnr": [], "dropped": 0, "replaced": 0}
        alpha = target.alpha[..., None]
        self.wanted = np.concatenate([target.rgb * alpha, alpha], -1).astype(np.float64)
        self._take(self._refined(0, False, 1.0))

    def add(self, count: int, number: int) -> int:
        """Adds up to ``count`` paths, on top unless they are seen in pieces behind others; returns how many."""
        if count <= 0:
            return 0
        found = new_paths(self.shapes, self.target, self.wanted, self.shown, count, self.options, self.run)
        self.fresh = [False] * len(self.shapes)
        for start in sorted((s for s in found if s.below is not None), key=lambda s: -(s.below or 0)):
            self._insert(start.below or 0, replace(start.shape, level=self.stage[start.below or 0]))
        for start in found:
            if start.below is None:
                self._insert(len(self.shapes), replace(start.shape, level=number))
        self.report["stages"] = number + 1 if found else self.report["stages"]
        return len(found)

    def _insert(self, at: int, shape: Shape) -> None:
        self.shapes.insert(at, shape)
        self.stage.insert(at, shape.level)
        self.fresh.insert(at, True)

    def refine(self, steps: int, last: bool = False) -> None:
        """All paths together; the last time everything counts, and nothing is kept that is worse than before."""
        if not last:
            self._take(self._refined(steps, True, STAGE_PEAK))
        else:
            before, peak = self.refined, min(1.0, max(GENTLE, self.rms / ROUGH))
            self._take(min(before, self._refined(steps, False, peak), key=lambda refined: refined.mse))
        self.report["psnr"].append(round(-20 * float(np.log10(max(self.rms, 1e-6))), 2))

    def _take(self, refined: Refined) -> None:
        self.refined, self.rms = refined, refined.mse**0.5
        self.shapes, self.shown = list(refined.shapes), refined.shown
        if self.setting.train_ground:
            self.ground = refined.ground

    def _refined(self, steps: int, patient: bool, peak: float) -> Refined:
        return refine_together(self.shapes, self.fresh, self.target, self.ground, self.setting, steps,
                               patient, peak, self._goes_on(self.done), self.run.preview)

    def _goes_on(self, before: int) -> Callable[[int], bool]:
        def goes_on(step: int) -> bool:
            self.done = before + step + 1
            self.run.step(min(1.0, self.done / self.steps))
            self.report["steps"] += not self.run.keep
            return not self.run.keep

        return goes_on

    def drop_unseen(self) -> int:
        """Takes away what other paths hide; returns how many."""
        area = visible(self.shapes, self.target, self.ground, self.options)
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
            self.report["replaced"] += added
            if not added:
                break
        self.fresh = [False] * len(self.shapes)
        self._take(self._refined(0, False, 1.0))
        self.refine(LAST_STEPS, last=True)
        clean = [repair.clean(shape.outline) for shape in self.shapes]
        self.shapes = [shape if outline is None else replace(shape, outline=outline)
                       for shape, outline in zip(self.shapes, clean, strict=True)]
        self.report["dropped"] = self._keep([n for n, outline in enumerate(clean) if outline is not None])
        self.report["dropped"] += self.drop_unseen()

    def finished(self) -> list[Shape]:
        """Fills as the options ask for them."""
        if self.options.gradient != "auto":
            return self.shapes
        return simplify_all(self.shapes, self.target.width, self.target.height)


def _ground(target: Target, options: Options) -> tuple[RGBA, bool]:
    """(straight RGBA under the paths, whether it is trained)."""
    if options.background.startswith("#"):
        red, green, blue = (int(options.background[k:k + 2], 16) / 255 for k in (1, 3, 5))
        return (red, green, blue, 1.0), False
    if options.background == "none" or target.alpha.min() < 0.5:
        return (0.0, 0.0, 0.0, 0.0), False
    return (*ground_color(target).color, 1.0), True
