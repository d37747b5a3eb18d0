"""Whole optimization steps under a CUDA graph: forward, loss, backward and optimizer replayed in one launch.

A step of a few hundred small strokes takes the card less time than Python takes to ask for it; a graph asks once.
engine.py times it with --graph. No stage runs on it before a card has shown that it is right and what it gains.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch
from gradvec.render.cuda import render_with
from gradvec.render.scene import Scene

_LOG = logging.getLogger("gradvec.render")
#: Steps run before capture: kernels compile, the optimizer makes its state, allocators settle.
WARM_UP = 3
#: Room for entries (outlines in tiles) beyond those at capture: outlines move and grow.
SLACK = 1.5


class DeviceAdam:
    """Adam (Kingma and Ba 2015) whose every number lies on the device, so that a graph may replay it.

    A number of Python's would be baked into the graph: the step's number and what follows from it (the corrections of
    the moments), and the share of the full rates, are tensors of one number that a step reads and moves on.

    leaves: tensors with grad. rates: broadcast against them. share: of the full rates; set it with :meth:`go_at`.
    """

    def __init__(self, leaves: Sequence[torch.Tensor], rates: Sequence[torch.Tensor],
                 betas: tuple[float, float] = (0.8, 0.9)) -> None:
        self.leaves, self.rates, self.betas = list(leaves), list(rates), betas
        self.first = [torch.zeros_like(leaf) for leaf in leaves]
        self.second = [torch.zeros_like(leaf) for leaf in leaves]
        home = self.leaves[0].device
        self.steps = torch.zeros((), dtype=torch.float64, device=home)
        self.share = torch.ones((), dtype=torch.float64, device=home)

    def go_at(self, share: float) -> None:
        """The steps from now on go at ``share`` of the full rates; nothing waits for the device."""
        self.share.fill_(share)

    def state(self) -> list[torch.Tensor]:
        """What a step changes."""
        return [*self.leaves, *self.first, *self.second, self.steps]

    def clear(self) -> None:
        """Forgets the derivatives."""
        for leaf in self.leaves:
            leaf.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step of all leaves that have a derivative."""
        b1, b2 = self.betas
        self.steps += 1
        scale = self.share / (1 - torch.pow(b1, self.steps))
        root = (1 - torch.pow(b2, self.steps)).rsqrt()
        for leaf, rate, m, v in zip(self.leaves, self.rates, self.first, self.second, strict=True):
            if leaf.grad is None:
                continue
            m.lerp_(leaf.grad, 1 - b1)
            v.mul_(b2).addcmul_(leaf.grad, leaf.grad, value=1 - b2)
            # A derivative that is exactly zero so far (a hidden stroke) must not divide by zero.
            leaf.sub_(m * rate * scale.to(m) / (v.sqrt() * root.to(v) + 1e-12))


class GraphedStep:
    """One optimization step of a scene as a callable that replays a CUDA graph.

    Every call does what these lines do, on the same memory each time::

        adam.clear()
        value = loss(render_flat(make_scene()))
        value.backward()
        adam.step()
        after()

    make_scene, loss and after must be fit for capture: no waiting for the device, no shapes that change, no number of
    Python's that should change. Where strokes come to reach into more tiles than there is room for, the topmost of the
    last tiles are left out of the one or two steps until this is noticed, and the step is captured anew with more room.

    Without a CUDA device (under Triton's interpreter) the lines run as they are.
    """

    def __init__(self, make_scene: Callable[[], Scene], loss: Callable[[torch.Tensor], torch.Tensor],
                 adam: DeviceAdam, after: Callable[[], None] = lambda: None) -> None:
        self._make_scene, self._loss, self._adam, self._after = make_scene, loss, adam, after
        with torch.no_grad():
            scene = make_scene()
            scene.check()
            self._needed = int(render_with(scene)[1])
        self._on_card = scene.points.is_cuda
        self._told = torch.zeros(1, dtype=torch.int32, pin_memory=self._on_card)
        self.captures = 0
        self._prepare()

    def __call__(self, share: float = 1.0) -> torch.Tensor:
        """Runs one step at ``share`` of the full rates. Returns the loss before it, a scalar on the device that the
        next call overwrites."""
        needed = int(self._told)
        if needed > self.capacity:
            _LOG.info("Strokes reach into %d tiles, %d were expected; capturing the step again.", needed, self.capacity)
            self._needed = needed
            self._prepare()
        self._adam.go_at(share)
        if self._graph is None:
            self._value = self._step()
        else:
            self._graph.replay()
        return self._value

    def _prepare(self) -> None:
        self.capacity = int(self._needed * SLACK) + 256
        self._told.zero_()
        self.captures += 1
        self._graph: torch.cuda.CUDAGraph | None = None
        self._value = torch.zeros(())
        if self._on_card:
            self._capture()

    def _capture(self) -> None:
        # Warming up must not move the strokes: what it changes is put back.
        before = [tensor.detach().clone() for tensor in self._adam.state()]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        self._adam.clear()
        with torch.cuda.graph(graph):
            self._value = self._step()
        self._graph = graph
        with torch.no_grad():
            for tensor, value in zip(self._adam.state(), before, strict=True):
                tensor.copy_(value)

    def _step(self) -> torch.Tensor:
        self._adam.clear()
        picture, needed = render_with(self._make_scene(), self.capacity)
        value = self._loss(picture)
        value.backward()
        self._adam.step()
        with torch.no_grad():
            self._after()
        self._told.copy_(needed, non_blocking=True)
        return value.detach()
