"""The optimization loop of the joint refinement."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch

from ..geometry.self_intersection import Untangler
from ..model import Shape, Target
from ..progress import Run
from ..render import choose, render_flat
from .adam import Adam
from .loss import PictureLoss
from .reseed import OrientationField, place, reseed, rows_of, seeds
from .variables import Freedom, Variables, with_gradient

#: Full rates a step, decayed by a cosine: control points and gradient end points as a share of the shape's size, with
#: the least and the most px; stop colours.
POINT_RATE, AXIS_RATE, COLOR_RATE = (0.04, 0.3, 1.6), (0.1, 0.5, 4.0), 0.04
#: How far a step slides control points along their outline towards even spacing.
EVEN = 0.1
#: Seconds between two previews that are offered.
PREVIEW_EVERY = 0.3


@dataclass(frozen=True)
class Refinement:
    """What a refinement is to do.

    steps: optimization steps. peak: share of the full rates at the start. freedom: what may move. reseeds: how often
    shapes that do nothing are put elsewhere.
    tension: what a px of outline costs, in summed squared colour difference: pulls in spikes that gain nothing.
    pieces: line pieces per segment when self-crossings are looked for. flat: one colour a shape. fixed: ids of shapes
    that stay as they are and only take part in the picture. seed: of the random
    places.
    """

    steps: int = 300
    peak: float = 1.0
    freedom: Freedom = field(default_factory=Freedom)
    reseeds: int = 3
    tension: float = 0.0005
    pieces: int = 8
    flat: bool = False
    fixed: frozenset[str] = frozenset()
    seed: int = 0
    engine: str = "auto"
    device: str = "auto"


def refine(shapes: list[Shape], target: Target, background: tuple[float, ...], work: Refinement,
           run: Run) -> tuple[list[Shape], dict]:
    """All shapes together, refined to look like the picture.

    Args:
        shapes: bottom to top.
        background: straight RGBA under the shapes; alpha 0 where the ground stays bare.

    Returns:
        The shapes in paint order (ids kept; re-seeded ones on top) and a report: steps, seconds, psnr_before,
        psnr_after (dB against the picture), reseeded (how many were put elsewhere), moved (their ids), drift (how far
        outlines left the best affine image of what came in, a share of their size, on average).
    """
    if not shapes:
        return [], {"steps": 0, "reseeded": 0, "moved": set()}
    engine, device = choose(work.engine, work.device)
    if work.freedom.gradients and work.freedom.colors and not work.flat:
        shapes = [shape if shape.id in work.fixed else with_gradient(shape, work.freedom.keep)
                  for shape in shapes]
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
        self.untangler = Untangler(variables.topology, work.pieces) if work.freedom.outlines else None
        self._hold_fixed()
        self._previewed = 0.0

    def _hold_fixed(self) -> None:
        """Remembers which rows of points, geometry and stops must not move."""
        still = np.array([shape.id in self.work.fixed for shape in self.variables.meta], bool)
        self._still = rows_of(self.variables, still) if still.any() else None

    def _rates(self) -> list[torch.Tensor]:
        size = self.variables.size
        points, axis = (torch.clamp(share * size, least, most)[:, None]
                        for share, least, most in (POINT_RATE, AXIS_RATE))
        owner = torch.from_numpy(self.variables.topology.point_outline).to(size.device)
        return self._free([points[owner], axis, torch.tensor(COLOR_RATE, device=size.device)])

    def _free(self, parts: list[torch.Tensor]) -> list[torch.Tensor]:
        """Of (points, geometry, stops) those that are optimized."""
        free = (self.work.freedom.outlines, self.work.freedom.gradients, self.work.freedom.colors)
        return [part for part, on in zip(parts, free, strict=True) if on]

    def result(self) -> tuple[list[Shape], dict]:
        started = time.monotonic()
        before = None
        for step in range(self.work.steps):
            self.run.step(step / self.work.steps)
            if self.run.keep:
                break
            picture = self._step(self.work.peak * (0.05 + 0.475 * (1 + math.cos(math.pi * step / self.work.steps))))
            before = self.loss.mse if before is None else before
            if step + 1 in self._reseed_steps():
                self._reseed()
            self._preview(picture)
        after = self._measure()
        report = {"steps": self.steps, "seconds": round(time.monotonic() - started, 2), "reseeded": len(self.moved),
                  "moved": self.moved, "drift": round(float(self.variables.drift().mean()), 4),
                  "psnr_before": _psnr(before if before is not None else after), "psnr_after": _psnr(after)}
        return self.variables.shapes(), report

    def _step(self, share: float) -> torch.Tensor:
        picture = render_flat(self.variables.scene(), self.engine)
        self.loss.backward(picture)
        if self.work.freedom.outlines and self.work.tension > 0:
            self.variables.pull_taut(self.work.tension)
        before = self.variables.points.detach().cpu().numpy().copy()
        held = self._held()
        self.adam.step(share)
        if self.work.freedom.outlines and EVEN > 0:
            self.variables.even_out(EVEN * share)
        self.variables.project()
        self._put_back(held)
        self._untangle(before)
        self.steps += 1
        return picture

    def _held(self) -> list[torch.Tensor]:
        if self._still is None:
            return []
        own = self.variables
        return [leaf.detach()[rows] for leaf, rows in zip((own.points, own.geometry, own.stop_color), self._still,
                                                          strict=True)]

    @torch.no_grad()
    def _put_back(self, held: list[torch.Tensor]) -> None:
        own = self.variables
        if self._still is not None:
            for leaf, rows, values in zip((own.points, own.geometry, own.stop_color), self._still, held, strict=True):
                leaf[rows] = values

    @torch.no_grad()
    def _untangle(self, before: np.ndarray) -> None:
        if self.untangler is None:
            return
        points = self.variables.points
        if points.device.type == "cpu":
            self.untangler.hold(points.detach().numpy(), before)
        else:
            moved = points.detach().cpu().numpy()
            if self.untangler.hold(moved, before):
                points.copy_(torch.from_numpy(moved))

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
        self.untangler = Untangler(variables.topology, self.work.pieces) if self.untangler is not None else None
        size = 0.35 * math.sqrt(self.target.width * self.target.height / variables.count)
        place(variables, fresh, seeds(self.loss.error_map(), int(fresh.sum()), self.target, self.field, self.rng,
                                      max(size, 3.0)))
        self.adam.take(variables.leaves(), self._free(rows), self._free(rows_of(variables, fresh)), self._rates())
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
