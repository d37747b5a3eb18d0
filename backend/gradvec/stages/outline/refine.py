"""All strokes' outlines refined at once through the engine: each stroke alone on a small canvas of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from ...geometry.trace import Bounds, peak
from ...model import Outline, StrokePatch
from ...optimize.adam import Adam, cosine_decay
from ...optimize.fallback import run_where_it_works
from ...progress import Run
from ...render import render_flat
from ...render.scene import SOLID, Scene, Topology
from . import penalty
from .joints import Joints

STEPS = 20
_RATE_PX = 0.35
_MARGIN = 2

#: Canvases of larger strokes are scaled down by a whole factor to about this side, px: a stroke has at most a few
#: dozen segments, which more pixels do not place any better.
_SIDE = 96

#: Strokes are refined in batches of about this many pixels, so that memory stays small for any number of them.
_BATCH_PIXELS = 1_500_000

#: Line pieces per segment: a stroke of few segments has long ones, and 8 pieces a quarter circle would let it grow by
#: half a percent of its radius.
_PIECES = 16

_CROSSING, _SPIKES, _STAY = 0.1, 0.02, 0.0005


@dataclass(frozen=True)
class _Canvas:
    """One stroke to fit: target and weight (h, w), and the way from picture px to its own: (p - origin) / scale."""

    target: np.ndarray
    weight: np.ndarray
    origin: np.ndarray
    scale: int


def refine(patches: Sequence[StrokePatch], outlines: Sequence[Outline], importance: Sequence[np.ndarray] | None,
           bounds: Bounds | None, run: Run, *, span: tuple[float, float] = (0.0, 1.0), steps: int = STEPS,
           engine: str = "auto", device: str = "auto") -> list[Outline]:
    """Outlines (picture px) whose coverage comes closest to their patch's opacity, in the same order.

    Loss per stroke: squared difference of coverage and opacity (relative to the stroke's full opacity), weighted by
    ``importance``, plus penalties on cubics that cross themselves, spikes and leaving the traced shape. Smooth joints
    stay smooth; control points on the picture's border ``bounds`` stay on it, and none leaves the picture. LIVE's
    weight by distance to the outline has nothing to add here: exact coverage passes derivatives to edge pixels only,
    and the start lies within a pixel or two of its goal.

    Args:
        importance: per patch (h, w); None counts all pixels alike.
        span: which part of the run's present stage this is.
        steps: Adam steps; "stop and keep" ends earlier with what there is.

    Raises:
        Cancelled: the run was cancelled.
        EngineError: the engine or device asked for is not at hand.
    """
    result: list[Outline] = []
    pixels = [min(p.alpha.size, _SIDE**2) for p in patches]
    batches = _batches(pixels)
    begin, end = span
    for number, (a, b) in enumerate(batches):
        share = (end - begin) / len(batches)
        canvases = [_canvas(patch, None if importance is None else importance[i])
                    for i, patch in enumerate(patches[a:b], a)]
        result += _refine_batch(canvases, outlines[a:b], bounds, run, (begin + share * number, share), steps, engine,
                                device)
    return result


def _batches(pixels: list[int]) -> list[tuple[int, int]]:
    number = (np.cumsum(pixels) // _BATCH_PIXELS).astype(int) if pixels else np.zeros(0, int)
    cuts = np.concatenate([[0], np.nonzero(np.diff(number))[0] + 1, [len(pixels)]])
    return [(int(a), int(b)) for a, b in pairwise(cuts) if b > a]


def _canvas(patch: StrokePatch, importance: np.ndarray | None) -> _Canvas:
    full = max(peak(patch.alpha), 1e-3)
    alpha = np.minimum(patch.alpha / full, 1.0)
    scale = max(1, math.ceil(math.sqrt(alpha.size) / _SIDE))
    target = _block_mean(alpha, scale)
    weight = np.ones_like(target) if importance is None else _block_mean(importance, scale)
    weight = np.pad(weight * scale**2, _MARGIN, mode="edge")
    origin = np.array(patch.offset, float) - _MARGIN * scale
    return _Canvas(np.pad(target, _MARGIN), weight, origin, scale)


def _block_mean(values: np.ndarray, side: int) -> np.ndarray:
    if side == 1:
        return values
    h, w = values.shape
    padded = np.pad(values, ((0, -h % side), (0, -w % side)))
    return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side).mean((1, 3))


def _refine_batch(canvases: list[_Canvas], outlines: Sequence[Outline], bounds: Bounds | None, run: Run,
                  place: tuple[float, float], steps: int, engine: str, device: str) -> list[Outline]:
    start, scale, origin = _to_canvas(canvases, outlines)
    scene = stroke_scene(outlines, start, [c.target.shape for c in canvases])
    free, low, high = (torch.from_numpy(v).to(scene.points) for v in _limits(start, scale, origin, bounds))
    # Not torch.optim: constructing one of its optimizers loads three seconds of compiler first.
    points = scene.points.clone().requires_grad_(True)
    state = _State(points, Adam([points], [torch.tensor(_RATE_PX).to(points)], betas=(0.85, 0.9)))
    planes = torch.stack([_flat([c.target for c in canvases]), _flat([c.weight for c in canvases])])
    work = _Work(scene, Joints.of(scene.points, scene.topology), planes, (free, low, high))
    final = run_where_it_works(state, (engine, device), lambda state, engine, on_card: _Batch(
        state, work, engine, on_card, steps, run, place))
    return _rebuilt(outlines, final * scale + origin)


@dataclass(frozen=True)
class _Work:
    """What a batch is about, on the processor. planes: (2, P) target and weight. bounds: where points are free (0 or
    1), and how far they may go, low and high, (K, 2) each."""

    scene: Scene
    joints: Joints
    planes: torch.Tensor
    bounds: tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class _State:
    """Where a batch is: its control points, and an Adam that has counted the steps."""

    points: torch.Tensor
    adam: Adam

    def copied_to(self, device: str) -> _State:
        """The same state with its tensors on ``device``, sharing nothing that changes."""
        points = self.points.detach().to(device, copy=True).requires_grad_(True)
        return _State(points, self.adam.copied_to(device, [points]))


class _Batch:
    """A batch under way. kept: where it began; its few steps are made again where a card fails."""

    def __init__(self, state: _State, work: _Work, engine: str, on_card: bool, steps: int, run: Run,
                 place: tuple[float, float]) -> None:
        home = state.points.device
        self.kept = state.copied_to("cpu") if on_card else state
        self._state, self._engine, self._steps, self._run, self._place = state, engine, steps, run, place
        self._scene, self._joints = work.scene.to(device=home), work.joints.to(home)
        self._target, self._weight = work.planes.to(home)
        self._free, self._low, self._high = (part.to(home) for part in work.bounds)
        self._d_picture = torch.zeros(4, len(self._target), device=home)

    def result(self) -> np.ndarray:
        """(K, 2) float64 control points after the last step, px of their canvases."""
        for step in range(self._state.adam.steps, self._steps):
            self._run.step(self._place[0] + self._place[1] * step / self._steps)
            if self._run.keep:
                break
            self.step(cosine_decay(step, self._steps, 0.05))
        final = self._joints.apply(self._state.points.detach()).clamp(self._low, self._high)
        return final.where(self._free > 0, self._scene.points).cpu().numpy().astype(np.float64)

    def step(self, share: float) -> None:
        """One step at ``share`` of the full rate."""
        points, scene = self._state.points, self._scene
        shaped = self._joints.apply(points)
        picture = render_flat(scene.with_parameters(shaped, *scene.parameters[1:]), self._engine)
        loss = _AlphaError.apply(picture, self._target, self._weight, self._d_picture)
        loss = loss + _regularity(shaped, scene.points, scene.topology)
        loss.backward()
        assert points.grad is not None
        points.grad *= self._free
        self._state.adam.step(share)
        with torch.no_grad():
            points.clamp_(self._low, self._high)


def _regularity(points: torch.Tensor, traced: torch.Tensor, topology: Topology) -> torch.Tensor:
    return (_CROSSING * penalty.crossing(points, topology) + _SPIKES * penalty.spikes(points, topology)
            + _STAY * (points - traced).square().sum())


class _AlphaError(torch.autograd.Function):
    """Sum of weight * (alpha - target)^2 of a picture (P, 4); only the alpha plane's derivative is ever not 0.

    d_picture: (4, P) zeros, used again from step to step: going through a picture-sized graph would cost more than
    the rendering.
    """

    @staticmethod
    def forward(ctx: Any, picture: torch.Tensor, target: torch.Tensor, weight: torch.Tensor,
                d_picture: torch.Tensor) -> torch.Tensor:
        alpha = picture[:, 3]
        plane = d_picture[3]
        torch.sub(alpha, target, out=plane)
        plane *= weight
        loss = torch.dot(plane, alpha) - torch.dot(plane, target)
        plane *= 2.0
        ctx.d_picture = d_picture
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        # The loss enters the total with factor 1, which is what reaches this place.
        return ctx.d_picture.t(), None, None, None


def _to_canvas(canvases: list[_Canvas], outlines: Sequence[Outline]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Control points (K, 2) in their canvas's px, and per point scale (K, 1) and origin (K, 2)."""
    counts = [3 * outline.segments for outline in outlines]
    scale = np.repeat([float(c.scale) for c in canvases], counts)[:, None]
    origin = np.repeat([c.origin for c in canvases], counts, axis=0).reshape(-1, 2)
    points = np.concatenate([loop for outline in outlines for loop in outline.loops])
    return (points - origin) / scale, scale, origin


def stroke_scene(outlines: Sequence[Outline], points: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> Scene:
    """White strokes on transparent ground, each on a canvas of its own.

    points: (K, 2) control points of all outlines, px of their own canvas. shapes: (h, w) of each canvas.
    """
    n = len(outlines)
    topology = Topology(
        loop_points=np.cumsum([0, *(len(loop) for outline in outlines for loop in outline.loops)]).astype(np.int64),
        outline_loops=np.cumsum([0, *(len(outline.loops) for outline in outlines)]).astype(np.int64),
        stop_index=np.arange(n + 1, dtype=np.int64),
        kind=np.full(n, SOLID, np.uint8),
        canvas=np.arange(n, dtype=np.int64),
        sizes=np.array([shape[::-1] for shape in shapes], np.int64).reshape(n, 2),
        pieces=_PIECES,
    )
    return Scene(topology, torch.from_numpy(points.astype(np.float32)), torch.zeros(n, 4), torch.zeros(n),
                 torch.ones(n, 4), torch.ones(n), torch.zeros(n, 4))


def _flat(planes: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([plane.ravel() for plane in planes]).astype(np.float32))


def _limits(points: np.ndarray, scale: np.ndarray, origin: np.ndarray,
            bounds: Bounds | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which coordinates may move, (K, 2) of 0 and 1, and how far they may go, in canvas px."""
    free = np.ones_like(points)
    if bounds is None:
        return free, np.full_like(points, -np.inf), np.full_like(points, np.inf)
    low = (np.array(bounds[:2]) - origin) / scale
    high = (np.array(bounds[2:]) - origin) / scale
    free[(np.abs(points - low) < 1e-6) | (np.abs(points - high) < 1e-6)] = 0.0
    return free, low, high


def _rebuilt(outlines: Sequence[Outline], points: np.ndarray) -> list[Outline]:
    result, at = [], 0
    for outline in outlines:
        loops = []
        for loop in outline.loops:
            loops.append(points[at:at + len(loop)].copy())
            at += len(loop)
        result.append(Outline(tuple(loops)))
    return result
