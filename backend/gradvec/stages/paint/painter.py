"""The painter: strokes added coarse to fine where they gain most, all of them optimized together, idle ones re-used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from ...brushes.manner import Manner
from ...brushes.rules import rules_of
from ...errors import InputError, UsageError
from ...geometry.attention import Attention
from ...geometry.form import form_of
from ...model import Painting, Stamp, Target
from ...optimize.previews import Previews
from ...progress import Run
from . import grid
from .canvas import Canvas, Goal
from .contribution import contributions
from .fit_strokes import FitSettings, Views, fit_strokes
from .keeping import Keeping
from .palette import palette_of
from .placement import strokes_from_seeds
from .seeds import Known, Seeds, propose
from .settings import PaintSettings
from .stroke_variables import Limits, StrokeVariables, to_painting

#: Share of the strokes that each level of a grid adds, coarse to fine; without a grid the brush's rules say it.
LEVELS = (0.10, 0.30, 0.60)
LEVEL_STEPS, ROUND_STEPS, FINAL_STEPS = 80, 30, 150
ROUNDS = 10
#: Share of all strokes that a round may move elsewhere; it does where the new place gains more than GAIN_FACTOR
#: times what the stroke is worth where it is.
ROUND_SHARE, GAIN_FACTOR = 0.12, 1.0
#: Share of the strokes that are accents, at full strength of detail, and how wide one is at most, of a usual stroke.
ACCENTS, ACCENT_WIDTH = 0.3, 0.5
#: How many pictures' areas one level's strokes cover together, and the aspect of a usual stroke.
COVER, ASPECT = 0.8, 2.2
#: Thinnest and longest strokes, of the usual ones of a painting that strokes are to be like.
THIN, LONG = 0.5, 2.0


def paint(target: Target, settings: PaintSettings, run: Run, attention: Attention | None = None,
          stamps: Sequence[Stamp] = (), guides: Sequence[np.ndarray] = ()) -> Painting:
    """Paints ``target`` with at most ``settings.strokes`` strokes.

    Args:
        attention: what draws the eye, or a detail map says does, where strokes are to be small and many, by
            ``settings.detail``; None: nothing does.
        stamps: templates of a brush of the user's own; they replace the oil brush's templates.
        guides: polylines (n, 2) px that strokes near them run along.

    Returns:
        The strokes in paint order, coarse to fine. Ends early, with what there is, once ``run.keep`` is true.
        Deterministic by ``settings.seed`` on one machine's CPU.

    Raises:
        Cancelled: through ``run.step``. UsageError: stroke limits that contradict each other. InputError: an
        empty picture.
    """
    if target.width < 1 or target.height < 1:
        raise InputError(f"The picture has no pixels ({target.width} x {target.height}).", "Choose another picture.")
    painter = Painter(Canvas(target, settings, attention), settings, run, stamps, guides)
    if settings.on_grid:
        painter.grid()
    else:
        painter.progressive()
    return painter.painting()


class _Enough(Exception):
    """The user wants what there is; what was being looked for is no longer needed."""


class Painter:
    """One painting in the making. ``variables`` holds the strokes so far, in px of the whole picture."""

    def __init__(self, canvas: Canvas, settings: PaintSettings, run: Run, stamps: Sequence[Stamp] = (),
                 guides: Sequence[np.ndarray] = ()) -> None:
        self._canvas, self._settings, self._run = canvas, settings, run
        self._rng = np.random.default_rng(settings.seed)
        self._stamps = tuple(stamps)
        self._level_steps = max(1, round(LEVEL_STEPS * settings.pace))
        self._rounds, self._final_steps = round(ROUNDS * settings.effort), round(FINAL_STEPS * settings.effort)
        self._form = form_of(canvas.coarse_colors(), canvas.coarse.scale, guides)
        self._rules = rules_of(settings.brush, settings.keep, settings.manner)
        self.limits = _limits(canvas, settings, Keeping.of(settings.keep, self._form, bool(guides), settings.manner))
        self._fit = FitSettings(self.limits, canvas.ground, settings.segments, self._stamps, settings.engine,
                                settings.device, settings.opaque)
        self._views = Views(settings.strokes, settings.brush == "mixed")
        self.variables = StrokeVariables.empty()
        self._coarse, self._fine = canvas.coarse, canvas.fine
        self._done, self._planned, self._most = 0.0, 1.0, settings.strokes
        self._known: Known = {}
        self._previews = Previews(run)

    def painting(self) -> Painting:
        """The strokes so far."""
        return to_painting(self.variables, self.limits, self._canvas.background, self._settings.segments,
                           self._stamps)

    def progressive(self) -> None:
        """Levels, rounds of moving idle strokes, a last polish."""
        goal = self._canvas.accented()
        accents = 0 if goal is None else round(ACCENTS * self._settings.detail * self._settings.strokes)
        self._most -= accents
        counts = _split(self._most, self._rules.shares)
        cost = self._fine.rgba[0].numel() / self._coarse.rgba[0].numel()
        self._planned = self._level_steps * len(counts) + ROUND_STEPS * self._rounds + self._final_steps * cost
        for level, count in enumerate(counts):
            if level > 0 and self._run.keep:
                return
            self._add(count, self._level_widths(count), level)
            self._optimize(self._coarse, self._level_steps, (1.0, 0.5), self._settings.transport)
        for _ in range(self._rounds):
            try:
                self._go_on()
                self._move_idle(level=len(counts) - 1)
            except _Enough:
                return
            self._optimize(self._coarse, ROUND_STEPS, (1.0, 0.5))
        if goal is not None and accents > 0 and not self._run.keep:
            self._accent(goal, accents, level=len(counts) - 1)
        self._optimize(self._fine, self._final_steps, (1.0, 0.08))

    def grid(self) -> None:
        """Regular blocks at each level, a stroke or more in each; all blocks of a level at once."""
        counts = _split(self._settings.strokes, LEVELS)
        cost = self._fine.rgba[0].numel() / self._coarse.rgba[0].numel()
        self._planned = 2 * self._level_steps * len(counts) + self._final_steps * cost
        for level, count in enumerate(counts):
            if level > 0 and self._run.keep:
                return
            seeds = grid.regular(self._coarse, count, self._rng, not self._settings.one_color)
            self._join(seeds, level)
            self._optimize(self._coarse, 2 * self._level_steps, (1.0, 0.4), self._settings.transport)
        self._optimize(self._fine, self._final_steps, (1.0, 0.08))

    def _add(self, count: int, widths: tuple[float, float], level: int) -> None:
        """Up to ``count`` strokes over all others, where they gain most."""
        self._join(self._propose(count, widths), level)

    def _join(self, seeds: Seeds, level: int) -> None:
        clear = self._form.at(torch.from_numpy(seeds.center))[1].numpy() if self.limits.keeping is not None else None
        new = strokes_from_seeds(seeds, self._settings.brush, level, self._rng, len(self._stamps), clear)
        new.project(self.limits)
        self.variables = self._by_ink(self.variables.join(new))

    def _by_ink(self, variables: StrokeVariables) -> StrokeVariables:
        """The strokes in the order in which their inks are printed, where there are inks."""
        palette = self.limits.palette
        if not self._settings.by_ink or palette is None:
            return variables
        ink = torch.cdist(variables.color.detach()[:, :3], palette).argmin(1).numpy()
        return variables.take(np.argsort(ink, kind="stable"))

    def _accent(self, goal: Goal, count: int, level: int) -> None:
        """The last small strokes, over all others, where the picture draws the eye: they mend little of the error, and
        are what one looks at."""
        narrowest, usual = self.limits.narrowest, math.sqrt(self._canvas.area * COVER / self._settings.strokes / ASPECT)
        self._join(self._propose(count, (narrowest, max(ACCENT_WIDTH * usual, narrowest)), goal), level)

    def _level_widths(self, count: int) -> tuple[float, float]:
        """Narrowest and widest strokes, px, of a level whose ``count`` strokes are to cover the picture."""
        return _level_widths(self._canvas.area * self._rules.size**2, count, self.limits)

    def _propose(self, count: int, widths: tuple[float, float], goal: Goal | None = None) -> Seeds:
        """Where ``count`` strokes of these widths (px) would gain most over what is painted now. goal: where that is
        looked for, if not where all levels are."""
        known, goal = (self._known, self._coarse) if goal is None else ({}, goal)
        now = self._fit.picture(self.variables, goal)
        error = ((now - goal.rgba) ** 2).sum(0) * goal.weight
        alpha = goal.rgba[3]
        # What an opaque stroke would do wrong over bare ground.
        colors = goal.rgba[:3] / alpha.clamp(min=1e-3)
        cost = (1 - alpha) ** 2 * (1 + (colors.clamp(0, 1) ** 2).sum(0)) * goal.weight
        seeds = propose(colors.clamp(0, 1).permute(1, 2, 0), error, goal.weight, cost, count,
                        (widths[0] * goal.scale, widths[1] * goal.scale), self.limits.longest * goal.scale,
                        not self._settings.one_color and self._rules.gradient != "none", self._rules.aspects,
                        self._form.planes(goal.size) if self.limits.keeping is not None else None, self._enough, known)
        return seeds.scaled(1 / goal.scale)

    def _enough(self) -> bool:
        """Whether to go on with the strokes that there are. Raises Cancelled."""
        self._run.step(self._done / self._planned)
        return self._run.keep

    def _go_on(self) -> None:
        """Raises _Enough where the user wants what there is, and Cancelled."""
        if self._run.look():
            raise _Enough

    def _move_idle(self, level: int) -> None:
        """Takes away strokes that contribute less than new ones would gain elsewhere, and paints those."""
        goal = self._coarse
        scene = self._fit.maker(self.variables, goal).scene(self.variables)
        now = contributions(scene, goal.rgba.permute(1, 2, 0).numpy(), goal.weight.numpy(), self._settings.engine,
                            self._settings.device, self._go_on) / goal.scale**2
        free = self._most - len(self.variables)
        most = free + math.ceil(ROUND_SHARE * self._settings.strokes)
        seeds = self._propose(most, self._level_widths(self._settings.strokes))
        seeds = seeds.take(np.argsort(-seeds.gain, kind="stable"))
        order = np.argsort(now, kind="stable")
        moved = 0
        while (moved < min(len(seeds) - free, len(order))
               and seeds.gain[free + moved] * GAIN_FACTOR > now[order[moved]]):
            moved += 1
        kept = np.ones(len(order), bool)
        kept[order[:moved]] = False
        self.variables = self.variables.take(kept)
        self._join(seeds.take(np.arange(min(free + moved, len(seeds)))), level)

    def _optimize(self, goal: Goal, steps: int, decay: tuple[float, float], transport: float = 0.0) -> None:
        if len(self.variables) == 0 or self._run.keep:
            return
        share = goal.rgba[0].numel() / self._coarse.rgba[0].numel()

        def on_step(_i: int, draw: Callable[[], torch.Tensor]) -> bool:
            self._done += share
            self._run.step(self._done / self._planned)
            self._previews.offer(draw, *goal.weight.shape)
            return self._run.keep

        fit_strokes(self.variables, goal, replace(self._fit, transport=transport), steps, decay, on_step,
                    self._views)


def _limits(canvas: Canvas, settings: PaintSettings, keeping: Keeping | None = None) -> Limits:
    side = max(canvas.width, canvas.height)
    narrowest, longest = min(max(2.5, 0.006 * side), side), 0.5 * side
    if settings.manner is not None:
        width, length = _usual(settings.manner, canvas, settings.strokes)
        narrowest, longest = min(max(narrowest, THIN * width), side), LONG * length
    narrowest = settings.narrowest or narrowest
    longest = settings.longest or max(longest, narrowest)
    if narrowest > longest:
        raise UsageError(f"Strokes of at least {narrowest:g} px cannot be at most {longest:g} px long.",
                         "Raise stroke-max or lower stroke-min.")
    return Limits(narrowest, longest, canvas.width, canvas.height, settings.one_color,
                  palette_of(settings.palette, canvas, settings.seed), keeping)


def _usual(manner: Manner, canvas: Canvas, strokes: int) -> tuple[float, float]:
    """Width and length, px, of a painting's usual stroke; larger in proportion where so few would not cover."""
    side = max(canvas.width, canvas.height)
    width, length = manner.width * side, manner.length * side
    grown = max(1.0, math.sqrt(COVER * canvas.area / strokes / (width * length)))
    return width * grown, length * grown


def _split(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` in parts of these shares, coarse levels first; parts that would be empty are left out."""
    edges = np.round(np.cumsum([0.0, *shares]) / sum(shares) * total).astype(int)
    return [int(n) for n in np.diff(edges) if n > 0]


def _level_widths(area: float, count: int, limits: Limits) -> tuple[float, float]:
    """Narrowest and widest strokes of a level whose ``count`` strokes are to cover the picture."""
    usual = math.sqrt(COVER * area / count / ASPECT)
    low = max(0.4 * usual, limits.narrowest)
    high = min(1.6 * usual, limits.longest / 1.2)
    return min(low, max(high, limits.narrowest)), max(high, limits.narrowest)
