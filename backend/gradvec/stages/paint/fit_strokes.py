"""Moves all strokes at once so that the picture comes closer to its goal."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ...model import Stamp
from ...optimize.derivative import run_back
from ...optimize.fallback import KEEP_EVERY, run_where_it_works
from ...render import render
from . import transport
from .canvas import Goal
from .stroke_variables import Limits, Projection, SceneMaker, StrokeVariables

#: Steps at full rate: px for outlines and gradient axes, colour, opacity.
RATES = (1.5, 1.5, 0.03, 0.04)
#: Steps after which lengths of strokes, which steps are measured by, are looked at again.
SIZES_EVERY = 10
#: Longest side of the picture that transport is solved on, px.
TRANSPORT_SIDE = 28


class Adam:
    """Adam (Kingma and Ba 2015) on all numbers of some strokes, with steps in units of StrokeVariables.step_sizes."""

    def __init__(self, variables: StrokeVariables, rates: Sequence[float],
                 betas: tuple[float, float] = (0.8, 0.9)) -> None:
        self._variables, self._betas = variables, betas
        self._columns = [8, 4, 6, 1]
        device = variables.shape.device
        self._rates = torch.tensor([r for r, n in zip(rates, self._columns, strict=True) for _ in range(n)]).to(device)
        self._first = torch.zeros(len(variables), 19, device=device)
        self._second = torch.zeros(len(variables), 19, device=device)
        self._sizes = torch.ones(len(variables), 19, device=device)
        self.steps = 0
        for tensor in variables.tensors():
            tensor.requires_grad_(True)

    def copied_to(self, device: str, variables: StrokeVariables) -> Adam:
        """The same state for ``variables``, copies of these on another device (or this one)."""
        other = copy.copy(self)
        other._variables = variables
        for name in ("_rates", "_first", "_second", "_sizes"):
            setattr(other, name, getattr(self, name).to(device, copy=True))
        for tensor in variables.tensors():
            tensor.requires_grad_(True)
        return other

    def step(self, factor: float = 1.0) -> None:
        """Moves everything against its grad, ``factor`` times as far as its rate, and clears the grads."""
        b1, b2 = self._betas
        tensors = self._variables.tensors()
        with torch.no_grad():
            if self.steps % SIZES_EVERY == 0:
                self._sizes = self._variables.step_sizes() * self._rates
            self.steps += 1
            grad = torch.cat([t.grad.reshape(len(t), -1) for t in tensors], 1)  # type: ignore[union-attr]
            self._first.lerp_(grad, 1 - b1)
            self._second.mul_(b2).addcmul_(grad, grad, value=1 - b2)
            rate = factor / (1 - b1**self.steps)
            scale = (self._second / (1 - b2**self.steps)).sqrt_().add_(1e-8)
            move = (self._first * self._sizes).div_(scale).mul_(rate)
            for tensor, part in zip(tensors, move.split(self._columns, 1), strict=True):
                tensor.sub_(part.reshape(tensor.shape))
                tensor.grad = None


@dataclass(frozen=True)
class FitSettings:
    """What stays the same over a whole painting. transport: share of the transport loss. opaque: no opacities."""

    limits: Limits
    ground: tuple[float, float, float, float]
    cubics: int = 8
    stamps: Sequence[Stamp] = ()
    engine: str = "auto"
    device: str = "auto"
    opaque: bool = True
    transport: float = 0.0

    def maker(self, variables: StrokeVariables, goal: Goal) -> SceneMaker:
        return SceneMaker(variables, goal.size, self.ground, self.cubics, self.stamps, goal.scale, self.limits.palette)

    def picture(self, variables: StrokeVariables, goal: Goal) -> torch.Tensor:
        """(4, h, w) premultiplied RGBA of the strokes at a goal's size."""
        with torch.no_grad():
            scene = self.maker(variables, goal).scene(variables)
            return render(scene, self.engine, self.device).permute(2, 0, 1)


def fit_strokes(variables: StrokeVariables, goal: Goal, settings: FitSettings, steps: int, decay: tuple[float, float],
                on_step: Callable[[int, torch.Tensor], bool]) -> None:
    """``steps`` steps of Adam on the weighted squared error of premultiplied RGBA, in place, on a card where that is
    chosen.

    decay: factors on the rates of the first and the last step; between them they fall geometrically.
    on_step: called with the step's number and the picture before it (h, w, 4); true ends the optimization.
    """
    rates = (*RATES[:3], 0.0 if settings.opaque else RATES[3])
    state = FitState(variables, Adam(variables, rates))
    try:
        found = run_where_it_works(state, (settings.engine, settings.device), lambda state, engine, on_card: Fit(
            state, goal, settings, engine, on_card, steps, decay, on_step))
    finally:
        for tensor in variables.tensors():
            tensor.requires_grad_(False)
            tensor.grad = None
    for own, result in zip(variables.tensors(), found.tensors(), strict=True):
        if own is not result:
            own.copy_(result.detach())


@dataclass(frozen=True)
class FitState:
    """Where a fit is; its Adam has counted the steps."""

    variables: StrokeVariables
    adam: Adam

    def copied_to(self, device: str) -> FitState:
        """The same state with its tensors on ``device``, sharing nothing that changes."""
        variables = self.variables.copied_to(device)
        return FitState(variables, self.adam.copied_to(device, variables))


class Fit:
    """A fit under way; all that a step needs lies where the strokes lie. kept: where it was, on the processor."""

    def __init__(self, state: FitState, goal: Goal, settings: FitSettings, engine: str, on_card: bool, steps: int,
                 decay: tuple[float, float], on_step: Callable[[int, torch.Tensor], bool]) -> None:
        self._state, self._settings, self._engine, self._on_card = state, settings, engine, on_card
        self._steps, self._decay, self._on_step = steps, decay, on_step
        self._maker = settings.maker(state.variables, goal)
        self._projection = Projection(settings.limits, state.variables)
        home = state.variables.shape.device
        self._goal, self._weight = goal.rgba.to(home), goal.weight.to(home)
        self.kept = state
        self._keep()

    def _keep(self) -> None:
        if self._on_card:
            self.kept = self._state.copied_to("cpu")

    def result(self) -> StrokeVariables:
        """The strokes after the last step."""
        adam, (first, last) = self._state.adam, self._decay
        for i in range(adam.steps, self._steps):
            picture = self.step(first * (last / first) ** (i / max(1, self._steps - 1)))
            if self._on_step(i, picture):
                break
            if adam.steps % KEEP_EVERY == 0:
                self._keep()
        self._keep()  # waits for the card: a fault in the last steps is met here
        return self.kept.variables if self._on_card else self._state.variables

    def step(self, factor: float) -> torch.Tensor:
        """One step at ``factor`` of the full rates. Returns the picture (h, w, 4) before it."""
        picture = render(self._maker.scene(self._state.variables), self._engine)
        now, share = picture.detach().permute(2, 0, 1), self._settings.transport
        slope = 2 * (now - self._goal) * self._weight
        if share > 0:
            slope = _with_transport(slope, now, self._goal, share)
        run_back(picture, slope.permute(1, 2, 0))
        self._state.adam.step(factor)
        self._projection.apply(self._state.variables)
        return picture.detach()


def _with_transport(slope: torch.Tensor, now: torch.Tensor, goal: torch.Tensor, share: float) -> torch.Tensor:
    """The pixel loss's derivative mixed with that of transport, brought to the same strength."""
    height, width = goal.shape[1:]
    factor = min(1.0, TRANSPORT_SIDE / max(height, width))
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    small = [F.interpolate(p[None], size=size, mode="area")[0] for p in (now, goal)]
    pull = transport.gradient(*small)
    pull = F.interpolate(pull[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    strength = slope.norm() / pull.norm().clamp(min=1e-12)
    return (1 - share) * slope + share * strength * pull
