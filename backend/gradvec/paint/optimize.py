"""Moves all strokes at once so that the picture comes closer to its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..model import Stamp
from ..render import render
from . import transport
from .canvas import View
from .variables import Limits, SceneMaker, Variables

#: Steps at full rate: px for outlines and gradient axes, colour, opacity.
RATES = (0.8, 0.8, 0.02, 0.015)
#: Longest side of the picture that transport is solved on, px.
TRANSPORT_SIDE = 28


class Adam:
    """Adam (Kingma and Ba 2015) whose steps are in units of Variables.step_sizes."""

    def __init__(self, variables: Variables, rates: tuple[float, float, float, float],
                 betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.variables, self.rates, self._betas = variables, rates, betas
        self._first = [torch.zeros_like(t) for t in variables.tensors()]
        self._second = [torch.zeros_like(t) for t in variables.tensors()]
        self._time = 0
        for tensor, rate in zip(variables.tensors(), rates, strict=True):
            tensor.requires_grad_(rate > 0)

    def step(self, factor: float = 1.0) -> None:
        """Moves everything against its grad, ``factor`` times as far as its rate, and clears the grads."""
        self._time += 1
        b1, b2 = self._betas
        correct1, correct2 = 1 - b1**self._time, 1 - b2**self._time
        with torch.no_grad():
            sizes = self.variables.step_sizes()
            for tensor, rate, size, m, s in zip(self.variables.tensors(), self.rates, sizes, self._first, self._second,
                                                strict=True):
                if tensor.grad is None or rate == 0:
                    continue
                m.lerp_(tensor.grad, 1 - b1)
                s.mul_(b2).addcmul_(tensor.grad, tensor.grad, value=1 - b2)
                tensor.sub_(size * m / ((s / correct2).sqrt() + 1e-8) * (rate * factor / correct1))
                tensor.grad = None


@dataclass(frozen=True)
class Settings:
    """What stays the same over a whole painting. transport: share of the transport loss. opaque: no opacities."""

    limits: Limits
    ground: tuple[float, float, float, float]
    cubics: int = 8
    stamps: Sequence[Stamp] = ()
    engine: str = "auto"
    device: str = "auto"
    opaque: bool = True
    transport: float = 0.0

    def maker(self, variables: Variables, view: View) -> SceneMaker:
        return SceneMaker(variables, view.size, self.ground, self.cubics, self.stamps, view.scale, self.limits.palette)

    def picture(self, variables: Variables, view: View) -> torch.Tensor:
        """(4, h, w) premultiplied RGBA of the strokes at a view's size."""
        with torch.no_grad():
            scene = self.maker(variables, view).scene(variables)
            return render(scene, self.engine, self.device).permute(2, 0, 1)


def optimize(variables: Variables, view: View, settings: Settings, steps: int, decay: tuple[float, float],
             on_step: Callable[[int, torch.Tensor], bool]) -> None:
    """``steps`` steps of Adam on the weighted squared error of premultiplied RGBA, in place.

    decay: factors on the rates of the first and the last step; between them they fall geometrically.
    on_step: called with the step's number and the picture before it (4, h, w); true ends the optimization.
    """
    maker = settings.maker(variables, view)
    rates = (*RATES[:3], 0.0 if settings.opaque else RATES[3])
    adam = Adam(variables, rates)
    try:
        for i in range(steps):
            picture = render(maker.scene(variables), settings.engine, settings.device)
            now = picture.detach().permute(2, 0, 1)
            slope = 2 * (now - view.goal) * view.weight
            if settings.transport > 0:
                slope = _with_transport(slope, now, view.goal, settings.transport)
            picture.backward(slope.permute(1, 2, 0))
            adam.step(decay[0] * (decay[1] / decay[0]) ** (i / max(1, steps - 1)))
            variables.project(settings.limits)
            if on_step(i, now):
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
    _, pull = transport.gradient(*small)
    pull = F.interpolate(pull[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    strength = slope.norm() / pull.norm().clamp(min=1e-12)
    return (1 - share) * slope + share * strength * pull
