"""The painter: strokes added coarse to fine where they gain most, all of them optimized together, idle ones re-used."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ...brushes.rules import rules_of
from ...errors import InputError, UsageError
from ...model import Painting, Stamp, Target
from ...options import Options
from ...progress import Run
from . import grid
from .canvas import Canvas, View
from .contribution import worth
from .form import form_of
from .keeping import Keeping
from .optimize import Settings, optimize
from .palette import palette_of
from .placement import strokes_from_seeds
from .seeds import Seeds, propose
from .variables import Limits, Variables, to_painting

#: Share of the strokes that each level of a grid adds, coarse to fine; without a grid the brush's rules say it.
LEVELS = (0.10, 0.30, 0.60)
LEVEL_STEPS, ROUND_STEPS, FINAL_STEPS = 80, 30, 150
ROUNDS = 10
#: Share of all strokes that a round may move elsewhere; it does where the new place gains more than GAIN_FACTOR
#: times what the stroke is worth where it is.
ROUND_SHARE, GAIN_FACTOR = 0.12, 1.0
#: Segments of brush outlines that a refinement will free.
FREED_CUBICS = 8
PREVIEW_SECONDS = 0.3
#: How many pictures' areas one level's strokes cover together, and the aspect of a usual stroke.
COVER, ASPECT = 0.8, 2.2


def paint(target: Target, options: Options, run: Run, detail_map: np.ndarray | None = None,
          stamps: Sequence[Stamp] = (), effort: float = 1.0, guides: Sequence[np.ndarray] = ()) -> Painting:
    """Paints ``target`` with at most ``options.strokes`` strokes.

    Args:
        detail_map: (h, w) in [0, 1] of any size, bright where strokes are to be small and many.
        stamps: templates of a brush of the user's own; they replace the oil brush's templates.
        effort: how many of the usual rounds and last steps are made, from 0; less where a refinement follows.
        guides: polylines (n, 2) px that strokes near them run along.

    Returns:
        The strokes in paint order, coarse to fine. Ends early, with what there is, once ``run.keep`` is true.
        Deterministic by ``options.seed`` on one machine's CPU.

    Raises:
        Cancelled: through ``run.step``. UsageError: stroke limits that contradict each other. InputError: a detail
        map that is none, or an empty picture.
    """
    if target.width < 1 or target.height < 1:
        raise InputError(f"The picture has no pixels ({target.width} x {target.height}).", "Choose another picture.")
    painter = Painter(Canvas(target, options, detail_map), options, run, stamps, effort, guides)
    if options.mode == "grid":
        painter.grid()
    else:
        painter.progressive()
    return painter.painting()


class Painter:
    """One painting in the making. ``variables`` holds the strokes so far, in px of the whole picture."""

    def __init__(self, canvas: Canvas, options: Options, run: Run, stamps: Sequence[Stamp] = (),
                 effort: float = 1.0, guides: Sequence[np.ndarray] = ()) -> None:
        self._canvas, self._options, self._run = canvas, options, run
        self._rng = np.random.default_rng(options.seed)
        self._stamps = tuple(stamps)
        self._rounds, self._final_steps = round(ROUNDS * effort), round(FINAL_STEPS * effort)
        self._form = form_of(canvas.coarse_colors(), canvas.coarse.scale, guides)
        self._rules = rules_of(options.brush, options.fidelity)
        self.limits = _limits(canvas, options, Keeping.of(options.fidelity, self._form, bool(guides)))
        # Outlines that will be freed are given their further segments by the refinement.
        self._cubics = min(options.segments, FREED_CUBICS) if options.fidelity > 0 else options.segments
        self._settings = Settings(self.limits, canvas.ground, self._cubics, self._stamps, options.engine,
                                  options.device, bool(options.opaque))
        self.variables = Variables.empty()
        self._coarse, self._fine = canvas.coarse, canvas.fine
        self._done, self._planned = 0.0, 1.0
        self._shown = 0.0

    def painting(self) -> Painting:
        """The strokes so far."""
        return to_painting(self.variables, self.limits, self._canvas.background, self._cubics, self._stamps)

    def progressive(self) -> None:
        """Levels, rounds of moving idle strokes, a last polish."""
        counts = _split(self._options.strokes, self._rules.shares)
        cost = self._fine.goal[0].numel() / self._coarse.goal[0].numel()
        self._planned = LEVEL_STEPS * len(counts) + ROUND_STEPS * self._rounds + self._final_steps * cost
        for level, count in enumerate(counts):
            if level > 0 and self._run.keep:
                return
            self._add(count, self._level_widths(count), level)
            self._optimize(self._coarse, LEVEL_STEPS, (1.0, 0.5), self._options.transport)
        for _ in range(self._rounds):
            if self._run.keep:
                return
            self._move_idle(level=len(counts) - 1)
            self._optimize(self._coarse, ROUND_STEPS, (1.0, 0.5))
        self._optimize(self._fine, self._final_steps, (1.0, 0.08))

    def grid(self) -> None:
        """Regular blocks at each level, a stroke or more in each; all blocks of a level at once."""
        counts = _split(self._options.strokes, LEVELS)
        cost = self._fine.goal[0].numel() / self._coarse.goal[0].numel()
        self._planned = 2 * LEVEL_STEPS * len(counts) + self._final_steps * cost
        for level, count in enumerate(counts):
            if level > 0 and self._run.keep:
                return
            seeds = grid.regular(self._coarse, count, self._rng, not self._options.one_color)
            self._join(seeds, level)
            self._optimize(self._coarse, 2 * LEVEL_STEPS, (1.0, 0.4), self._options.transport)
        self._optimize(self._fine, self._final_steps, (1.0, 0.08))

    def _add(self, count: int, widths: tuple[float, float], level: int) -> None:
        """Up to ``count`` strokes over all others, where they gain most."""
        self._join(self._propose(count, widths), level)

    def _join(self, seeds: Seeds, level: int) -> None:
        clear = self._form.at(torch.from_numpy(seeds.center))[1].numpy() if self.limits.keeping is not None else None
        new = strokes_from_seeds(seeds, self._options.brush, level, self._rng, len(self._stamps), clear)
        new.project(self.limits)
        self.variables = self._by_ink(self.variables.join(new))

    def _by_ink(self, variables: Variables) -> Variables:
        """The strokes in the order in which their inks are printed, where there are inks."""
        palette = self.limits.palette
        if not self._options.inks or palette is None:
            return variables
        ink = torch.cdist(variables.color.detach()[:, :3], palette).argmin(1).numpy()
        return variables.take(np.argsort(ink, kind="stable"))

    def _propose(self, count: int, widths: tuple[float, float]) -> Seeds:
        """Where ``count`` strokes of these widths (px) would gain most over what is painted now."""
        view = self._coarse
        now = self._settings.picture(self.variables, view)
        error = ((now - view.goal) ** 2).sum(0) * view.weight
        alpha = view.goal[3]
        # What an opaque stroke would do wrong over bare ground.
        colors = view.goal[:3] / alpha.clamp(min=1e-3)
        cost = (1 - alpha) ** 2 * (1 + (colors.clamp(0, 1) ** 2).sum(0)) * view.weight
        seeds = propose(colors.clamp(0, 1).permute(1, 2, 0), error, cost, count,
                        (widths[0] * view.scale, widths[1] * view.scale), self.limits.longest * view.scale,
                        not self._options.one_color and self._rules.gradient != "none", self._rules.aspects,
                        self._form.planes() if self.limits.keeping is not None else None)
        return seeds.scaled(1 / view.scale)

    def _level_widths(self, count: int) -> tuple[float, float]:
        """Narrowest and widest strokes, px, of a level whose ``count`` strokes are to cover the picture."""
        return _level_widths(self._canvas.area * self._rules.size**2, count, self.limits)

    def _move_idle(self, level: int) -> None:
        """Takes away strokes that are worth less than new ones would gain elsewhere, and paints those."""
        view = self._coarse
        scene = self._settings.maker(self.variables, view).scene(self.variables)
        worths = worth(scene, view.goal.permute(1, 2, 0).numpy(), view.weight.numpy(), self._options.engine,
                       self._options.device) / view.scale**2
        free = self._options.strokes - len(self.variables)
        most = free + math.ceil(ROUND_SHARE * self._options.strokes)
        seeds = self._propose(most, self._level_widths(self._options.strokes))
        seeds = seeds.take(np.argsort(-seeds.gain, kind="stable"))
        order = np.argsort(worths, kind="stable")
        moved = 0
        while (moved < min(len(seeds) - free, len(order))
               and seeds.gain[free + moved] * GAIN_FACTOR > worths[order[moved]]):
            moved += 1
        kept = np.ones(len(order), bool)
        kept[order[:moved]] = False
        self.variables = self.variables.take(kept)
        self._join(seeds.take(np.arange(min(free + moved, len(seeds)))), level)

    def _optimize(self, view: View, steps: int, decay: tuple[float, float], transport: float = 0.0) -> None:
        if len(self.variables) == 0 or self._run.keep:
            return
        share = view.goal[0].numel() / self._coarse.goal[0].numel()

        def on_step(i: int, picture: torch.Tensor) -> bool:
            self._done += share
            self._run.step(self._done / self._planned)
            now = time.monotonic()
            if now - self._shown > PREVIEW_SECONDS:
                self._shown = now
                self._run.preview(lambda: _eight_bit(picture))
            return self._run.keep

        optimize(self.variables, view, replace(self._settings, transport=transport), steps, decay, on_step)


def _limits(canvas: Canvas, options: Options, keeping: Keeping | None = None) -> Limits:
    side = max(canvas.width, canvas.height)
    narrowest = options.stroke_min or min(max(2.5, 0.006 * side), side)
    longest = options.stroke_max or max(0.5 * side, narrowest)
    if narrowest > longest:
        raise UsageError(f"Strokes of at least {narrowest:g} px cannot be at most {longest:g} px long.",
                         "Raise stroke-max or lower stroke-min.")
    return Limits(narrowest, longest, canvas.width, canvas.height, options.one_color,
                  palette_of(options.palette, canvas, options.seed), keeping)


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


def _eight_bit(picture: torch.Tensor) -> np.ndarray:
    """(H, W, 3) uint8 of a premultiplied (4, H, W) picture, on white."""
    on_white = picture[:3] + (1 - picture[3:])
    return (on_white.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).numpy()
