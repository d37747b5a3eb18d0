"""Steps of an optimization on a card, asked for once and then replayed as one CUDA graph.

A step is about a hundred small launches, and for a few hundred strokes asking for them takes longer than doing them.
The first steps go as they come; then one is captured and replayed. A graph is trusted once its first replay did what
the step does; where it did not, or where a step cannot be captured, steps go on as they come.
"""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache

import torch

from ..scene import Scene
from . import render_with

_LOG = logging.getLogger("gradvec.render")
#: Steps that go as they come before one is captured: kernels compile, libraries and allocators settle.
WARM_UP = 2
#: Room for entries (outlines in tiles) beyond those at capture, as outlines move and grow: a factor, and so many.
SLACK, SLACK_ENTRIES = 1.5, 256
#: Replays that may be under way when another one is asked for.
AHEAD = 2
#: How far the first replay may be from the step itself, as a share of what the step changes: the order in which
#: derivatives are added up changes their last bits, and of a derivative that is all but zero its sign.
TRUST = 0.25

Render = Callable[[Scene], torch.Tensor]
Numbers = tuple[float, ...] | tuple[torch.Tensor, ...]
Step = Callable[[Render, Numbers], torch.Tensor]
#: By a step's name: whether its graphs may be used.
trusted: dict[str, bool] = {}


@cache
def _stream() -> torch.cuda.Stream:
    """Where steps are captured; not where others are at work."""
    return torch.cuda.Stream()


class Graph:
    """One captured step."""

    def __init__(self) -> None:
        self._graph, self._under_way = torch.cuda.CUDAGraph(), deque[torch.cuda.Event]()

    def capture(self, work: Callable[[], None]) -> None:
        """Notes what ``work`` asks of the card; the card does not do it yet.

        As torch.cuda.graph does, but for the search for garbage and the return of memory, which take longer than all
        the rest where a step is captured every now and then.
        """
        torch.cuda.synchronize()
        collects = gc.isenabled()
        gc.disable()  # what is thrown away now may ask the card for something that a capture forbids
        try:
            with torch.cuda.stream(_stream()):
                # Another thread may use the card meanwhile.
                self._graph.capture_begin(capture_error_mode="thread_local")
                try:
                    work()
                finally:
                    self._graph.capture_end()
        finally:
            if collects:
                gc.enable()

    def wait(self) -> None:
        """Until no more than AHEAD - 1 replays are under way."""
        while len(self._under_way) >= AHEAD:
            self._under_way.popleft().synchronize()

    def replay(self) -> None:
        self._graph.replay()
        done = torch.cuda.Event()
        done.record()
        self._under_way.append(done)


class ReplayedSteps:
    """Steps on tensors that stay where they are; make a new one where they change.

    step: called as step(render, numbers), it makes one step and returns its picture. Fit for capture: it waits for
        nothing, its shapes stay, and what changes from step to step is in ``numbers``, which are Python's where the
        step goes as it comes and tensors of one number where it is captured.
    state: the tensors that a step changes in place.
    plain: renders where steps go as they come.
    name: of the kind of step, which is trusted or not.

    Where outlines come to reach into more tiles than there is room for, the topmost of the last tiles are left out of
    the AHEAD steps until this is noticed, and the step is captured anew.
    """

    def __init__(self, step: Step, state: Callable[[], Sequence[torch.Tensor]], plain: Render, name: str) -> None:
        self._step, self._state, self._plain, self._name = step, state, plain, name
        self._graph: Graph | None = None
        self._made, self._refused, self._replays = 0, False, 0
        self._needed = self._capacity = 0
        self._seen: Scene | None = None
        self._home = torch.device("cpu")
        self.captures = 0

    def __call__(self, numbers: tuple[float, ...]) -> torch.Tensor:
        """Makes one step. Returns its picture, which the next call may overwrite."""
        if self._made < WARM_UP or self._refused or not trusted.get(self._name, True):
            self._made += 1
            return self._as_it_comes(numbers)
        if self._graph is not None and int(self._told) > self._capacity:
            self._needed, self._graph = int(self._told), None
        if self._graph is None and not self._captured(numbers):
            return self._as_it_comes(numbers)
        return self._replay(numbers) if self._name in trusted else self._compared(numbers)

    @torch.no_grad()
    def look_for_room(self, scene: Scene) -> None:
        """To be called where what a step reads was given other values: whether there is room for this scene of them."""
        if self._graph is not None:
            needed = int(render_with(scene)[1])
            if needed > self._capacity:
                self._needed, self._graph = needed, None

    def _as_it_comes(self, numbers: tuple[float, ...]) -> torch.Tensor:
        def render(scene: Scene) -> torch.Tensor:
            self._home = scene.points.device
            self._seen = scene.with_parameters(*(p.detach() for p in scene.parameters))
            return self._plain(scene)

        return self._step(render, numbers)

    def _captured(self, numbers: tuple[float, ...]) -> bool:
        """Whether a step could be captured."""
        try:
            self._capture(len(numbers))
        except Exception as error:  # whatever torch, its libraries or a full card make of it: steps go on as before
            _LOG.info("Steps are not replayed: %s", error)
            self._refused, self._graph = True, None
            for tensor in self._state():
                tensor.grad = None
            return False
        return True

    def _capture(self, count: int) -> None:
        home = self._home
        if not self._needed:
            assert self._seen is not None
            with torch.no_grad():
                self._needed = int(render_with(self._seen)[1])
        self._seen = None
        self._capacity = int(self._needed * SLACK) + SLACK_ENTRIES
        pinned = home.type == "cuda"
        self._told = torch.zeros(1, dtype=torch.int32, pin_memory=pinned)
        self._sent = torch.zeros(AHEAD + 2, count, pin_memory=pinned)
        self._numbers = torch.zeros(count, device=home)
        numbers = tuple(self._numbers.unbind())

        def render(scene: Scene) -> torch.Tensor:
            picture, needed = render_with(scene, self._capacity)
            self._told.copy_(needed, non_blocking=True)
            return picture

        def work() -> None:
            self._picture = self._step(render, numbers)

        self.captures += 1
        self._graph = Graph()
        self._graph.capture(work)

    def _replay(self, numbers: tuple[float, ...]) -> torch.Tensor:
        assert self._graph is not None
        self._graph.wait()
        # Where numbers are read from is not written to while a replay may still read it.
        sent = self._sent[self._replays % len(self._sent)]
        sent.copy_(torch.tensor(numbers))
        self._numbers.copy_(sent, non_blocking=True)
        self._graph.replay()
        self._replays += 1
        return self._picture

    @torch.no_grad()
    def _compared(self, numbers: tuple[float, ...]) -> torch.Tensor:
        """The step both ways; whichever is right remains, and says whether the others are replayed."""
        state = list(self._state())
        before = [tensor.detach().clone() for tensor in state]
        with torch.enable_grad():
            picture = self._as_it_comes(numbers).detach().clone()
        wanted = [tensor.detach().clone() for tensor in state]
        _put(state, before)
        replayed = self._replay(numbers)
        alike = bool((replayed - picture).abs().max() <= 1e-3) and all(
            bool((got - want).norm() <= TRUST * (want - was).norm() + 1e-6 * want.norm())
            for got, want, was in zip(state, wanted, before, strict=True))
        trusted[self._name] = alike
        if alike:
            return replayed
        _LOG.info("A replayed step does not do what the step does; steps are not replayed.")
        self._graph = None
        _put(state, wanted)
        return picture


def _put(tensors: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> None:
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value)
