"""Moves all strokes at once so that the picture comes closer to its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ...model import Stamp
from ...optimize.adam import Adam
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
    leaves = variables.tensors()[:3 if settings.opaque else 4]
    for leaf in leaves:
        leaf.requires_grad_(True)
    adam = Adam(leaves, [])
    try:
        for i in range(steps):
            if i % SIZES_EVERY == 0:
                adam.rates = _rates(variables)[:len(leaves)]
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
        for leaf in leaves:
            leaf.requires_grad_(False)
            leaf.grad = None


def _rates(variables: StrokeVariables) -> list[torch.Tensor]:
    """Full rates of each of ``variables.tensors()``."""
    outline, axis, color, opacity = RATES
    return [variables.step_sizes() * outline, *(torch.tensor(rate) for rate in (axis, color, opacity))]


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
