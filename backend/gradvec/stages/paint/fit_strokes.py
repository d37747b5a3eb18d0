"""Moves all strokes at once so that the picture comes closer to its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ...model import Stamp
from ...optimize.adam import Adam
from ...optimize.derivative import run_back
from ...optimize.fallback import KEEP_EVERY, replayed, run_where_it_works
from ...render import render
from ...render.scene import Scene
from . import transport
from .canvas import Goal
from .stroke_variables import Limits, Projection, SceneMaker, StrokeVariables

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
    """``steps`` steps of Adam on the weighted squared error of premultiplied RGBA, in place, on a card where that is
    chosen.

    decay: factors on the rates of the first and the last step; between them they fall geometrically.
    on_step: called with the step's number and the picture before it (h, w, 4); true ends the optimization.
    """
    state = FitState.of(variables, settings.opaque)
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

    @classmethod
    def of(cls, variables: StrokeVariables, opaque: bool) -> FitState:
        """Before the first step. opaque: opacities stay."""
        leaves = variables.tensors()[:3 if opaque else 4]
        return cls(variables, Adam([leaf.requires_grad_(True) for leaf in leaves], []))

    def copied_to(self, device: str) -> FitState:
        """The same state with its tensors on ``device``, sharing nothing that changes."""
        variables = self.variables.copied_to(device)
        leaves = variables.tensors()[:len(self.adam.leaves)]
        return FitState(variables, self.adam.copied_to(device, [leaf.requires_grad_(True) for leaf in leaves]))


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
        self._replayed = replayed(self._make, state.adam.state, home, engine,
                                  "painting" if settings.transport == 0 else "painting with transport")
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
        self._replayed = None  # it leads back to this fit, and both hold a card's memory
        return self.kept.variables if self._on_card else self._state.variables

    def step(self, factor: float) -> torch.Tensor:
        """One step at ``factor`` of the full rates. Returns the picture (h, w, 4) before it."""
        adam = self._state.adam
        if adam.steps % SIZES_EVERY == 0:
            self._look_at_sizes()
        numbers = adam.numbers(factor)
        picture = self._replayed(numbers) if self._replayed is not None else self._make(self._plain, numbers)
        adam.steps += 1
        return picture.reshape(*self._goal.shape[1:], 4)

    def _look_at_sizes(self) -> None:
        """Rates by the strokes' lengths, in place where a step that is replayed reads them."""
        adam = self._state.adam
        rates = _rates(self._state.variables)[:len(adam.leaves)]
        if adam.rates:
            adam.rates[0].copy_(rates[0])
        else:
            adam.rates = rates

    def _plain(self, scene: Scene) -> torch.Tensor:
        return render(scene, self._engine).reshape(-1, 4)

    def _make(self, draw: Callable[[Scene], torch.Tensor], numbers: tuple[float | torch.Tensor, ...]) -> torch.Tensor:
        """What a step does, fit to be replayed on a card. numbers: Adam's two. Returns the picture (h w, 4)."""
        picture = draw(self._maker.scene(self._state.variables))
        now, share = picture.detach().reshape(*self._goal.shape[1:], 4).permute(2, 0, 1), self._settings.transport
        slope = 2 * (now - self._goal) * self._weight
        if share > 0:
            slope = _with_transport(slope, now, self._goal, share)
        run_back(picture, slope.permute(1, 2, 0).reshape(-1, 4))
        self._state.adam.move(*numbers)
        self._projection.apply(self._state.variables)
        # What led to it must be gone when a step is captured: torch would go on in the stream in which it was made.
        return picture.detach()


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
