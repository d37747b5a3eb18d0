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
from ...render import render, squared_error_and_slopes
from ...render.scene import Scene
from . import transport
from .canvas import Goal
from .slots import BOTH, Slots, kind_of, widened
from .stroke_variables import Limits, Projection, SceneMaker, StrokeVariables

#: Steps at full rate: px for outlines and gradient axes, colour, opacity.
RATES = (1.5, 1.5, 0.03, 0.04)
#: Steps after which lengths of strokes, which steps are measured by, are looked at again.
SIZES_EVERY = 10
#: Longest side of the picture that transport is solved on, px.
TRANSPORT_SIDE = 28

#: Told of each step: its number, and what draws a picture of how far it is (h, w, 4). True ends the optimization.
OnStep = Callable[[int, Callable[[], torch.Tensor]], bool]


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
                on_step: OnStep, views: Views | None = None) -> None:
    """``steps`` steps of Adam on the weighted squared error of premultiplied RGBA, in place, on a card where that is
    chosen.

    decay: factors on the rates of the first and the last step; between them they fall geometrically.
    on_step: called with the step's number and what draws a picture of how far it is (h, w, 4); true ends the
        optimization.
    views: what a card keeps from one fit of a painting to the next.
    """
    state, kept = FitState.of(variables, settings.opaque), Views() if views is None else views

    def begin(state: FitState, engine: str, on_card: bool) -> Fit:
        if not on_card:
            kept.clear()  # a card that failed needs its memory elsewhere
        return Fit(state, goal, settings, engine, kept if on_card else None, steps, decay, on_step)

    try:
        found = run_where_it_works(state, (settings.engine, settings.device), begin)
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

    @torch.no_grad()
    def put(self, other: FitState) -> None:
        """Another's progress with as many or fewer strokes, in the same tensors."""
        for own, given in zip(self.adam.first + self.adam.second, other.adam.first + other.adam.second, strict=True):
            own.copy_(widened(given, len(own)))
        self.adam.steps = other.adam.steps

    def first(self, count: int) -> FitState:
        """That of the first ``count`` strokes, which shares its values with this."""
        variables = self.variables.first(count)
        adam = Adam(variables.tensors()[:len(self.adam.leaves)],
                    [rate[:count] if rate.dim() else rate for rate in self.adam.rates], self.adam.betas)
        adam.first, adam.second = ([m[:count] for m in ms] for ms in (self.adam.first, self.adam.second))
        adam.steps = self.adam.steps
        return FitState(variables, adam)


class Bench:
    """What a step reads and changes, on one device. scenes: makes a scene of the variables. limits: brings them back
    into their ranges."""

    def __init__(self, state: FitState, goal: Goal, transport: float, scenes: SceneMaker | Slots,
                 limits: Projection | Slots) -> None:
        self.state, self._scenes, self._limits, self._transport = state, scenes, limits, transport
        home = state.variables.shape.device
        self.size = goal.size
        self._goal, self._weight = (part.to(home).contiguous() for part in (goal.rgba, goal.weight))

    def scene(self) -> Scene:
        return self._scenes.scene(self.state.variables)

    def look_at_sizes(self) -> None:
        """Rates by the strokes' lengths, in place where a step that is replayed reads them."""
        adam = self.state.adam
        rates = _rates(self.state.variables)[:len(adam.leaves)]
        if adam.rates:
            adam.rates[0].copy_(rates[0])
        else:
            adam.rates = rates

    def make(self, draw: Callable[[Scene], torch.Tensor], numbers: tuple[float | torch.Tensor, ...]) -> torch.Tensor:
        """What a step does, fit to be replayed on a card. numbers: Adam's two. Returns the picture (h w, 4)."""
        picture = draw(self.scene())
        now, share = picture.detach().reshape(*self._goal.shape[1:], 4).permute(2, 0, 1), self._transport
        slope = 2 * (now - self._goal) * self._weight
        if share > 0:
            slope = _with_transport(slope, now, self._goal, share)
        run_back([picture], [slope.permute(1, 2, 0).reshape(-1, 4)])
        self._move(numbers)
        # What led to it must be gone when a step is captured: torch would go on in the stream in which it was made.
        return picture.detach()

    @property
    def at_once(self) -> bool:
        """Whether :meth:`make_at_once` knows the loss."""
        return self._transport == 0

    def make_at_once(self, numbers: tuple[float, ...]) -> None:
        """As :meth:`make` with the cpu engine, which compares band by band and never writes the picture."""
        scene = self.scene()
        _, slopes = squared_error_and_slopes(scene, self._goal.reshape(4, -1), self._weight.reshape(-1))
        run_back(scene.parameters, slopes)
        self._move(numbers)

    def _move(self, numbers: tuple[float | torch.Tensor, ...]) -> None:
        self.state.adam.move(*numbers)
        self._limits.apply(self.state.variables)


class View:
    """A goal on a card and a room of strokes that are fitted to it: one captured step serves all of its fits."""

    def __init__(self, state: FitState, goal: Goal, settings: FitSettings, engine: str, room: int, kind: str) -> None:
        self.goal, self.transport, self.engine = goal, settings.transport, engine
        self.slots = Slots(state.variables, room, kind, settings.limits, goal.size, settings.ground, settings.cubics,
                           settings.stamps, goal.scale)
        own = FitState.of(self.slots.variables, len(state.adam.leaves) == 3)
        self.bench = Bench(own, goal, settings.transport, self.slots, self.slots)
        self.replayed = replayed(self.bench.make, own.adam.state, state.variables.shape.device, engine,
                                 "painting" if settings.transport == 0 else "painting with transport")
        self.bench.state.put(state)

    def serves(self, state: FitState, goal: Goal, settings: FitSettings, engine: str) -> bool:
        """Whether a fit may be made here."""
        fitting = self.slots.kind in (BOTH, kind_of(state.variables.brush)) and len(state.variables) <= self.slots.room
        return fitting and (self.goal is goal and self.transport == settings.transport and self.engine == engine
                            and len(self.bench.state.adam.leaves) == len(state.adam.leaves))

    def put(self, state: FitState) -> None:
        """The strokes of another fit."""
        self.slots.put(state.variables)
        self.bench.state.put(state)
        if self.replayed is not None:
            with torch.no_grad():
                self.replayed.look_for_room(self.bench.scene())


class Views:
    """What a card keeps of a painting from fit to fit. room: for how many strokes, unless there are more. mixed:
    strokes of all brushes may come."""

    def __init__(self, room: int = 0, mixed: bool = False) -> None:
        self._room, self._mixed, self._views = room, mixed, list[View]()

    def of(self, state: FitState, goal: Goal, settings: FitSettings, engine: str) -> View:
        """The view for a fit, in which its strokes are: one that is there, or a new one."""
        for view in self._views:
            if view.serves(state, goal, settings, engine):
                view.put(state)
                return view
        brush = state.variables.brush
        kind = BOTH if self._mixed else kind_of(brush)
        self._views.append(View(state, goal, settings, engine, max(self._room, len(brush)), kind))
        return self._views[-1]

    def clear(self) -> None:
        """Keeps nothing any more."""
        self._views.clear()


class Fit:
    """A fit under way; all that a step needs lies where the strokes lie. kept: where it was, on the processor. views:
    what a card keeps, None on the processor."""

    def __init__(self, state: FitState, goal: Goal, settings: FitSettings, engine: str, views: Views | None, steps: int,
                 decay: tuple[float, float], on_step: OnStep) -> None:
        self._engine, self._steps, self._decay, self._on_step = engine, steps, decay, on_step
        self._view = None if views is None else views.of(state, goal, settings, engine)
        self._bench = self._view.bench if self._view is not None else Bench(
            state, goal, settings.transport, settings.maker(state.variables, goal),
            Projection(settings.limits, state.variables))
        self.kept = state
        self._keep()

    def _keep(self) -> None:
        if self._view is not None:
            self.kept = self._bench.state.first(self._view.slots.count).copied_to("cpu")

    def result(self) -> StrokeVariables:
        """The strokes after the last step."""
        adam, (first, last) = self._bench.state.adam, self._decay
        for i in range(adam.steps, self._steps):
            self.step(first * (last / first) ** (i / max(1, self._steps - 1)))
            if self._on_step(i, self._picture):
                break
            if adam.steps % KEEP_EVERY == 0:
                self._keep()
        self._keep()  # waits for the card: a fault in the last steps is met here
        return self.kept.variables

    def step(self, factor: float) -> None:
        """One step at ``factor`` of the full rates."""
        bench, adam = self._bench, self._bench.state.adam
        if adam.steps % SIZES_EVERY == 0:
            bench.look_at_sizes()
        numbers = adam.numbers(factor)
        if self._view is not None and self._view.replayed is not None:
            self._view.replayed(numbers)
        elif self._view is None and self._engine == "cpu" and bench.at_once:
            bench.make_at_once(numbers)
        else:
            bench.make(self._plain, numbers)
        adam.steps += 1

    def _picture(self) -> torch.Tensor:
        """(h, w, 4) what the strokes show now."""
        width, height = self._bench.size
        with torch.no_grad():
            return self._plain(self._bench.scene()).reshape(height, width, 4)

    def _plain(self, scene: Scene) -> torch.Tensor:
        return render(scene, self._engine).reshape(-1, 4)


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
