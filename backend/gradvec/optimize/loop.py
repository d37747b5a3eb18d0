"""The optimization loop of the joint refinement."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..geometry.scaling import averaged
from ..model import Shape, Target
from ..progress import Run
from ..render import render_flat
from ..render.scene import Scene
from .adam import Adam, cosine_decay
from .constraints import Constraint, Share, constraints_for
from .fallback import KEEP_EVERY, replayed, run_where_it_works
from .loss import PictureLoss
from .previews import Previews
from .reduced import ReducedTarget
from .reseed import OrientationField, idle_last, places_by_error
from .variables import Freedom, Variables, with_gradient

#: Full rates a step, decayed by a cosine: control points and gradient end points as a share of the shape's size, with
#: the least and the most px; stop colours; the ground's colour.
POINT_RATE, AXIS_RATE, COLOR_RATE, GROUND_RATE = (0.04, 0.3, 1.6), (0.1, 0.5, 4.0), 0.04, 0.01


@dataclass(frozen=True)
class Refinement:
    """What a refinement is to do.

    steps: optimization steps. peak: share of the full rates at the start, and last: at the end, of that share.
    stride: times the usual rates of control points alone. span: which part of a longer run this is; rates fall, and
    shapes are put elsewhere, as they do in the whole.
    coarse: the share of the steps, at least half, that look at a smaller picture, and its px a shape; what is in px
    is then meant in that picture's. None: all steps see the whole.
    freedom: what may move. reseeds: how often shapes that do nothing are put elsewhere.
    tension: what a px of outline costs, in summed squared colour difference. evenness: how far a step slides control
    points along their outline towards even spacing.
    pieces: line pieces per segment when self-crossings are looked for. flat: one colour a shape. fixed: ids of shapes
    that stay as they are and only take part in the picture. constraints: further ones, which act before the check for
    self-crossings. seed: of the random places.
    """

    steps: int = 300
    peak: float = 1.0
    last: float = 0.05
    stride: float = 1.0
    span: tuple[float, float] = (0.0, 1.0)
    freedom: Freedom = field(default_factory=Freedom)
    reseeds: int = 3
    coarse: tuple[float, int] | None = None
    tension: float = 0.0005
    evenness: float = 0.1
    pieces: int = 8
    flat: bool = False
    fixed: frozenset[str] = frozenset()
    constraints: tuple[Constraint, ...] = ()
    seed: int = 0
    engine: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class Refined:
    """What a refinement found.

    shapes: in paint order (ids kept; re-seeded ones on top). ground: straight RGBA under them. shown: (H, W, 4)
    premultiplied RGBA, what they show. error: (H, W) squared difference to the picture, summed over the planes that
    are compared. mse_before, mse: mean of it before the first step and after the last. steps: how many were made, in
    seconds. moved: ids of the shapes that were put elsewhere. drift: how far outlines left the best affine image of
    what came in, a share of their size, on average.
    """

    shapes: list[Shape]
    ground: tuple[float, float, float, float]
    shown: np.ndarray
    error: np.ndarray
    mse_before: float
    mse: float
    steps: int
    seconds: float
    moved: frozenset[str]
    drift: float

    @property
    def psnr_before(self) -> float:
        """dB, before the first step."""
        return _psnr(self.mse_before)

    @property
    def psnr(self) -> float:
        """dB against the picture."""
        return _psnr(self.mse)


@dataclass
class State:
    """Where a refinement is: all that it takes to go on from there, on another device too.

    pace: (N,) share of the rates at which each shape moves. moved: ids of shapes that were put elsewhere. started:
    time.monotonic() then.
    """

    variables: Variables
    adam: Adam
    pace: np.ndarray
    rng: np.random.Generator
    moved: set[str] = field(default_factory=set)
    steps: int = 0
    mse_before: float | None = None
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, variables: Variables, pace: np.ndarray, seed: int, stride: float = 1.0) -> State:
        """The state before the first step. stride: see Refinement."""
        return cls(variables, Adam(variables.leaves(), rates(variables, pace, stride)), pace,
                   np.random.default_rng(seed))

    def copied_to(self, device: str) -> State:
        """The same state, sharing nothing that changes, with its tensors on ``device``."""
        variables = self.variables.copied_to(device)
        return replace(self, variables=variables, adam=self.adam.copied_to(device, variables.leaves()),
                       rng=copy.deepcopy(self.rng), moved=set(self.moved))


def rates(variables: Variables, pace: np.ndarray, stride: float = 1.0) -> list[torch.Tensor]:
    """Full rates of each leaf, broadcasting against it, with the shapes at their pace (N,); those of control points
    times ``stride``."""
    home = variables.points.device
    share, stops = (torch.from_numpy(array).to(home) for array in (pace.astype(np.float32),
                                                                   variables.topology.stop_outline))
    points, axis = (torch.clamp(part * variables.size, least, most) * share
                    for part, least, most in (POINT_RATE, AXIS_RATE))
    return variables.of_leaves(stride * points[variables.owner, None], axis[:, None], (COLOR_RATE * share)[stops, None],
                               torch.tensor(GROUND_RATE, device=home))


def refine(shapes: list[Shape], target: Target, background: tuple[float, ...], plan: Refinement, run: Run,
           weight: np.ndarray | None = None, pace: np.ndarray | None = None) -> Refined:
    """All shapes together, refined to look like the picture; with 0 steps only measured.

    A card that fails on the way costs at most KEEP_EVERY steps: the processor goes on from what was kept.

    Args:
        shapes: bottom to top.
        background: straight RGBA under the shapes; alpha 0 where the ground stays bare.
        weight: (H, W) how much each pixel's difference counts; None: all alike.
        pace: (N,) share of the rates at which each shape moves; None: all alike.
    """
    if plan.freedom.gradients and plan.freedom.colors and not plan.flat:
        shapes = [shape if shape.id in plan.fixed or any(constraint.flat(shape) for constraint in plan.constraints)
                  else with_gradient(shape) for shape in shapes]
    view = ReducedTarget(target)
    if plan.coarse is not None and plan.steps:
        view = ReducedTarget.of(target, len(shapes), 1, plan.coarse[1])
    state = State.of(Variables(view.into(shapes), view.target.width, view.target.height, background, plan.freedom),
                     np.ones(len(shapes)) if pace is None else pace, plan.seed, plan.stride)
    return run_where_it_works(state, (plan.engine, plan.device), lambda state, engine, on_card: _Loop(
        state, target, view, plan, engine, run, weight, on_card))


class _Loop:
    """One refinement under way. kept: where it was when it last looked, on the processor, to go on from if the card
    fails."""

    def __init__(self, state: State, whole: Target, view: ReducedTarget, plan: Refinement, engine: str, run: Run,
                 weight: np.ndarray | None, on_card: bool) -> None:
        self.state, self.plan, self.engine, self.run = state, plan, engine, run
        self.on_card, self.kept, self.whole, self.view = on_card, state, whole, view
        variables = state.variables
        self.target = whole if variables.canvas == (whole.width, whole.height) else view.target
        self.weight = weight
        self._compare()
        self.field = OrientationField(self.target) if plan.reseeds else None
        self.constraints = constraints_for(plan.freedom, plan.fixed, plan.tension, plan.evenness, plan.pieces,
                                           plan.constraints)
        self.previews = Previews(run)
        self._begin()
        self._keep()

    def _compare(self) -> None:
        """From now on with the target as it is."""
        own, size = self.state.variables, (self.target.height, self.target.width)
        weight = self.weight
        if weight is not None and weight.shape != size:
            weight = averaged(weight[..., None], size)[..., 0]
        self.loss = PictureLoss(self.target, own.opaque_ground, own.points.device, weight)

    def _begin(self) -> None:
        for constraint in self.constraints:
            constraint.begin(self.state.variables)
        self._replay()

    def _replay(self) -> None:
        """From now on steps are on other tensors."""
        self._replayed = replayed(self._make, self.state.adam.state, self.state.variables.points.device, self.engine,
                                  "refinement")

    def _keep(self) -> None:
        if self.on_card:
            self.kept = self.state.copied_to("cpu")

    def result(self) -> Refined:
        state, plan = self.state, self.plan
        if self.weight is not None and state.mse_before is None and plan.steps and state.variables.count:
            self._measured()  # a step's own error is a weighted one
            state.mse_before = self.loss.mse
        for step in range(state.steps, plan.steps if state.variables.count else 0):
            self.run.step(step / plan.steps)
            if self.run.keep:
                break
            if plan.coarse is not None and step >= plan.coarse[0] * plan.steps:
                self._see_the_whole()
            self._step(plan.peak * cosine_decay(self._done(step), 1.0, plan.last))
            state.mse_before = self.loss.mse if state.mse_before is None else state.mse_before
            if step + 1 in self._reseed_steps():
                self._reseed()
            if state.steps % KEEP_EVERY == 0:
                self._keep()
            self.previews.offer(self._picture, self.target.height, self.target.width)
        self._see_the_whole()
        self._replayed = None  # it leads back to this loop, and both hold a card's memory
        state.variables.topology.forget()  # what derivatives were worked out with is most of a large picture's memory
        shown = self._measured()
        own, mse = state.variables, self.loss.mse
        red, green, blue, alpha = own.background.detach()[0].tolist()
        return Refined(own.shapes(), (red, green, blue, alpha),
                       shown.cpu().numpy().reshape(self.target.height, self.target.width, 4), self.loss.error_map(),
                       mse if state.mse_before is None else state.mse_before, mse, state.steps,
                       time.monotonic() - state.started, frozenset(state.moved),
                       float(own.drift().mean()) if own.count else 0.0)

    def _see_the_whole(self) -> None:
        """From the smaller picture to the whole one, where that was not done yet."""
        if self.target is self.whole:
            return
        state, variables, (x, y) = self.state, self.state.variables, self.view.scale
        self.target = self.whole
        variables.enlarge((1 / x, 1 / y), self.whole.width, self.whole.height)
        state.adam = Adam(variables.leaves(), self._rates())
        self._compare()
        for constraint in self.constraints:
            constraint.enlarged((1 / x, 1 / y))
        self._replay()

    def _rates(self) -> list[torch.Tensor]:
        return rates(self.state.variables, self.state.pace, self.plan.stride)

    def _done(self, step: int) -> float:
        """Share of the whole run that lies behind."""
        begin, end = self.plan.span
        return begin + (end - begin) * step / self.plan.steps

    def _step(self, share: float) -> None:
        adam = self.state.adam
        numbers = (share, *adam.numbers(share))
        if self._replayed is not None and all(constraint.replayable for constraint in self.constraints):
            self._replayed(numbers)
        elif self.engine == "cpu" and not self.on_card:
            self.loss.backward_of(self.state.variables.scene())
            self._move(numbers)
        else:
            self._make(lambda scene: render_flat(scene, self.engine), numbers)
        adam.steps += 1
        self.state.steps += 1

    def _make(self, render: Callable[[Scene], torch.Tensor], numbers: tuple[Share, ...]) -> torch.Tensor:
        """What a step does, fit to be replayed on a card. numbers: share of the full rates, and Adam's two. Returns the
        picture before it."""
        picture = render(self.state.variables.scene())
        self.loss.backward(picture)
        self._move(numbers)
        # What led to it must be gone when a step is captured: torch would go on in the stream in which it was made.
        return picture.detach()

    def _move(self, numbers: tuple[Share, ...]) -> None:
        """The variables, by the derivative that they have; numbers: as for :meth:`_make`."""
        share, *pace = numbers
        variables = self.state.variables
        variables.wrong = self.loss.per_pixel
        with torch.no_grad():
            for constraint in self.constraints:
                constraint.before_step(variables)
            self.state.adam.move(*pace)
            for constraint in self.constraints:
                constraint.after_step(variables, share)

    def _reseed_steps(self) -> set[int]:
        """Early enough that a shape that was put elsewhere has half of the run to settle."""
        begin, end = self.plan.span
        whole = self.plan.steps / (end - begin)
        return {round(whole * (0.5 * (k + 1) / self.plan.reseeds - begin)) for k in range(self.plan.reseeds)}

    def _reseed(self) -> None:
        """Puts shapes that are hardly seen on top, where the error is largest."""
        assert self.field is not None
        state, target, variables = self.state, self.target, self.state.variables
        order, fresh = idle_last(variables, self.engine, most=max(1, variables.count // 5))
        if not fresh.any():
            return
        self._measured()
        rows = variables.take(order)
        size = 0.35 * math.sqrt(target.width * target.height / variables.count)
        variables.place(np.flatnonzero(fresh), places_by_error(self.loss.error_map(), int(fresh.sum()), target,
                                                               self.field, state.rng, max(size, 3.0)))
        state.pace = state.pace[order]
        self._begin()
        state.adam.take(variables.leaves(), rows, variables.rows_of(fresh), self._rates())
        state.moved |= {variables.meta[n].id for n in np.flatnonzero(fresh)}

    def _picture(self) -> torch.Tensor:
        """(P, 4) what the variables show now."""
        with torch.no_grad():
            return render_flat(self.state.variables.scene(), self.engine)

    def _measured(self) -> torch.Tensor:
        """(P, 4) what the variables show now; the loss is then about that."""
        picture = self._picture()
        self.loss.measure(picture)
        return picture


def _psnr(mse: float) -> float:
    return round(-10 * math.log10(max(mse, 1e-12)), 3)
