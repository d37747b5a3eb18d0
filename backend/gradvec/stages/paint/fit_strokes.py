"""Moves all strokes at once so that the picture comes closer to its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ...model import Stamp
from ...optimize.derivative import run_back
from ...render import render
from . import transport
from .canvas import Goal
from .stroke_variables import Limits, SceneMaker, StrokeVariables

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
        self._rates = torch.tensor([r for r, n in zip(rates, self._columns, strict=True) for _ in range(n)])
        self._first = torch.zeros(len(variables), 19)
        self._second = torch.zeros(len(variables), 19)
        self._time = 0
        for tensor in variables.tensors():
            tensor.requires_grad_(True)

    def step(self, factor: float = 1.0) -> None:
        """Moves everything against its grad, ``factor`` times as far as its rate, and clears the grads."""
        b1, b2 = self._betas
        tensors = self._variables.tensors()
        with torch.no_grad():
            if self._time % SIZES_EVERY == 0:
                self._sizes = self._variables.step_sizes() * self._rates
            self._time += 1
            grad = torch.cat([t.grad.reshape(len(t), -1) for t in tensors], 1)  # type: ignore[union-attr]
            self._first.lerp_(grad, 1 - b1)
            self._second.mul_(b2).addcmul_(grad, grad, value=1 - b2)
            rate = factor / (1 - b1**self._time)
            scale = (self._second / (1 - b2**self._time)).sqrt_().add_(1e-8)
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
    """``steps`` steps of Adam on the weighted squared error of premultiplied RGBA, in place.

    decay: factors on the rates of the first and the last step; between them they fall geometrically.
    on_step: called with the step's number and the picture before it (h, w, 4); true ends the optimization.
    """
    maker = settings.maker(variables, goal)
    rates = (*RATES[:3], 0.0 if settings.opaque else RATES[3])
    adam = Adam(variables, rates)
    try:
        for i in range(steps):
            picture = render(maker.scene(variables), settings.engine, settings.device)
            now = picture.detach().permute(2, 0, 1)
            slope = 2 * (now - goal.rgba) * goal.weight
            if settings.transport > 0:
                slope = _with_transport(slope, now, goal.rgba, settings.transport)
            run_back(picture, slope.permute(1, 2, 0))
            adam.step(decay[0] * (decay[1] / decay[0]) ** (i / max(1, steps - 1)))
            variables.project(settings.limits)
            if on_step(i, picture.detach()):
                break
    finally:
        for tensor in variables.tensors():
            tensor.requires_grad_(False)
            tensor.grad = None


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
