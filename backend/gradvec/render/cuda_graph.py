"""Whole optimization steps under a CUDA graph: forward, loss, backward and optimizer replayed in one launch.

A step of a few hundred small strokes takes the card less time than Python takes to ask for it; a graph asks once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from .cuda import render_with
from .scene import Scene

_LOG = logging.getLogger("gradvec.render")
#: Steps run before capture: kernels compile, the optimizer makes its state, allocators settle.
WARM_UP = 3
#: Room for entries (outlines in tiles) beyond those at capture: outlines move and grow.
SLACK = 1.5


class GraphedStep:
    """One optimization step of a scene as a callable that replays a CUDA graph.

    Every call does what these four lines do, on the same memory each time::

        optimizer.zero_grad()
        value = loss(render_flat(make_scene()))
        value.backward()
        optimizer.step()

    make_scene, loss and optimizer must be fit for capture: no waiting for the device, no shapes that change, Adam with
    ``capturable=True``. Where strokes come to reach into more tiles than there is room for, the topmost of the last
    tiles are left out of the one or two steps until this is noticed, and the step is captured anew with more room.

    Without a CUDA device (under Triton's interpreter) the four lines run as they are.
    """

    def __init__(self, make_scene: Callable[[], Scene], loss: Callable[[torch.Tensor], torch.Tensor],
                 optimizer: torch.optim.Optimizer) -> None:
        self._make_scene, self._loss, self._optimizer = make_scene, loss, optimizer
        with torch.no_grad():
            scene = make_scene()
            scene.check()
            self._needed = int(render_with(scene)[1])
        self._on_card = scene.points.is_cuda
        self._told = torch.zeros(1, dtype=torch.int32, pin_memory=self._on_card)
        self.captures = 0
        self._prepare()

    def __call__(self) -> torch.Tensor:
        """Runs one step. Returns the loss before it, a scalar on the device that the next call overwrites."""
        needed = int(self._told)
        if needed > self.capacity:
            _LOG.info("Strokes reach into %d tiles, %d were expected; capturing the step again.", needed, self.capacity)
            self._needed = needed
            self._prepare()
        if self._graph is None:
            self._value = self._step()
        else:
            self._graph.replay()
        return self._value

    def _prepare(self) -> None:
        self.capacity = int(self._needed * SLACK) + 256
        self._told.zero_()
        self.captures += 1
        self._graph = None
        self._value = torch.zeros(())
        if not self._on_card:
            return
        # Warming up must not move the strokes: what it changes is put back.
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        before = [p.detach().clone() for p in parameters]
        had_state = bool(self._optimizer.state)
        kept = {p: {k: v.clone() for k, v in s.items() if torch.is_tensor(v)} for p, s in self._optimizer.state.items()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._step()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        self._optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self._graph):
            self._value = self._step()
        with torch.no_grad():
            for p, value in zip(parameters, before, strict=True):
                p.copy_(value)
            for p, state in self._optimizer.state.items():
                for key, value in state.items():
                    if torch.is_tensor(value):
                        value.copy_(kept[p][key]) if had_state and p in kept else value.zero_()

    def _step(self) -> torch.Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        picture, needed = render_with(self._make_scene(), self.capacity)
        value = self._loss(picture)
        value.backward()
        self._optimizer.step()
        self._told.copy_(needed, non_blocking=True)
        return value.detach()
