"""The optimization loop of the joint refinement."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..model import Outline, Shape, Target
from ..progress import Run
from ..render import choose, render_flat
from .adam import Adam
from .loss import PictureLoss
from .reseed import OrientationField, place, reseed, rows_of, seeds
from .variables import Freedom, Variables, with_gradient

#: Full rates of control points (px), gradient end points (px) and stop colours a step; decayed by a cosine.
RATES = (2.5, 3.0, 0.04)
#: Seconds between two previews that are offered.
PREVIEW_EVERY = 0.3


@dataclass(frozen=True)
class Refinement:
    """What a refinement is to do.

    steps: optimization steps. freedom: what may move. reseeds: how often shapes that do nothing are put elsewhere.
    crossing: weight of the penalty on outlines that cross themselves. penalty: the penalty itself, from control
    points and topology to a scalar tensor; None leaves it out. flat: one colour a shape. seed: of the random places.
    """

    steps: int = 300
    freedom: Freedom = field(default_factory=Freedom)
    reseeds: int = 3
    crossing: float = 0.02
    penalty: Callable[[torch.Tensor, object], torch.Tensor] | None = None
    flat: bool = False
    seed: int = 0
    engine: str = "auto"
    device: str = "auto"


def refine(shapes: list[Shape], target: Target, background: tuple[float, ...], work: Refinement, run: Run) -> tuple[list[Shape], dict]:
    """All shapes together, refined to look like the picture.

    Args:
        shapes: bottom to top.
        background: straight RGBA under the shapes; alpha 0 where the ground stays bare.

    Returns:
        The shapes in paint order (ids kept; re-seeded ones on top) and a report: steps, seconds, psnr_before,
        psnr_after (dB against the picture), reseeded (how many were put elsewhere), moved (their ids).
    """
    if not shapes:
        return [], {"steps": 0, "reseeded": 0, "moved": set()}
    engine, device = choose(work.engine, work.device)
    if work.freedom.gradients:
        shapes = [with_gradient(shape) for shape in shapes] if not work.flat else shapes
    variables = Variables(shapes, target.width, target.height, background, work.freedom, device)
    return _Loop(variables, target, work, engine, run).result()


class _Loop:
    """One refinement under way."""

    def __init__(self, variables: Variables, target: Target, work: Refinement, engine: str, run: Run) -> None:
        self.variables, self.target, self.work, self.engine, self.run = variables, target, work, engine, run
        self.loss = PictureLoss(target, float(variables.background[0, 3]) >= 1.0, str(variables.points.device))
        self.adam = Adam(variables.leaves(), self._rates())
        self.rng = np.random.default_rng(work.seed)
        self.field = OrientationField(target) if work.reseeds else None
        self.steps, self.moved = 0, set[str]()
        self._previewed = 0.0

    def _rates(self) -> list[float]:
        free = (self.work.freedom.outlines, self.work.freedom.gradients, self.work.freedom.gradients)
        return [rate for rate, on in zip(RATES, free, strict=True) if on]

    def result(self) -> tuple[list[Shape], dict]:
        started = time.monotonic()
        before = None
        for step in range(self.work.steps):
            self.run.step(step / self.work.steps)
            if self.run.keep:
                break
            picture = self._step(0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / self.work.steps)))
            before = self.loss.mse if before is None else before
            if step + 1 in self._reseed_steps():
                self._reseed()
            self._preview(picture)
        after = self._measure()
        report = {"steps": self.steps, "seconds": round(time.monotonic() - started, 2), "reseeded": len(self.moved), "moved": self.moved,
                  "psnr_before": _psnr(before if before is not None else after), "psnr_after": _psnr(after)}
        return self.variables.shapes(), report

    def _step(self, share: float) -> torch.Tensor:
        picture = render_flat(self.variables.scene(), self.engine)
        self.loss.backward(picture)
        if self.work.penalty is not None and self.work.freedom.outlines and self.work.crossing > 0:
            (self.work.crossing * self.work.penalty(self.variables.points, self.variables.topology)).backward()
        self.adam.step(share)
        self.variables.project()
        self.steps += 1
        return picture

    def _reseed_steps(self) -> set[int]:
        """Early enough that a stroke that was put elsewhere has half of the run to settle."""
        return {round(self.work.steps * 0.5 * (k + 1) / self.work.reseeds) for k in range(self.work.reseeds)}

    def _reseed(self) -> None:
        assert self.field is not None
        variables = self.variables
        order, fresh = reseed(variables, self.loss.error_map(), self.target, self.field, self.rng, self.engine,
                              most=max(1, variables.count // 5))
        if not fresh.any():
            return
        rows = list(variables.take(order))
        size = 0.35 * math.sqrt(self.target.width * self.target.height / variables.count)
        place(variables, fresh, seeds(self.loss.error_map(), int(fresh.sum()), self.target, self.field, self.rng,
                                      max(size, 3.0)))
        free = (self.work.freedom.outlines, self.work.freedom.gradients, self.work.freedom.gradients)
        marks = rows_of(variables, fresh)
        self.adam.take(variables.leaves(), [r for r, on in zip(rows, free, strict=True) if on],
                       [m for m, on in zip(marks, free, strict=True) if on])
        self.moved |= {variables.meta[n].id for n in np.flatnonzero(fresh)}

    @torch.no_grad()
    def _measure(self) -> float:
        picture = render_flat(self.variables.scene(), self.engine)
        torch.sub(picture.detach().t()[:len(self.loss.planes)], self.loss.planes, out=self.loss.difference)
        return self.loss.mse

    def _preview(self, picture: torch.Tensor) -> None:
        now = time.monotonic()
        if now - self._previewed < PREVIEW_EVERY:
            return
        self._previewed = now
        self.run.preview(lambda: _bytes(picture.detach(), self.target.height, self.target.width))


def _psnr(mse: float) -> float:
    return round(-10 * math.log10(max(mse, 1e-12)), 3)


def _bytes(picture: torch.Tensor, height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8 on white."""
    rgb = picture[:, :3] + (1 - picture[:, 3:4])
    return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).reshape(height, width, 3).cpu().numpy()


def split_to(shapes: list[Shape], segments: int, split: Callable[[Outline, int], Outline]) -> list[Shape]:
    """Outlines cut, without changing their shape, into at least ``segments`` cubics, so that they can follow the picture."""
    return [replace(s, outline=split(s.outline, segments)) if s.outline.segments < segments else s for s in shapes]
