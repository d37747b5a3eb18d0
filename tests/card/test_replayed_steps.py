"""Steps that a card is asked for once and replayed do what steps do that go as they come. What a graph would note is
noted by torch's own means; a renderer of soft blobs, in torch alone, plays the engine."""

from __future__ import annotations

import contextlib
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from gradvec import render
from gradvec.model import Target
from gradvec.optimize import Refinement, constraints, fallback, loop
from gradvec.optimize.adam import Adam
from gradvec.optimize.smooth import HairPrice, SmoothJoints, TurningPrice
from gradvec.optimize.variables import Freedom, Variables, reach_of
from gradvec.progress import Run
from gradvec.render import quicker
from gradvec.render.cuda import graph
from gradvec.render.scene import Scene
from gradvec.stages.paint import canvas, transport
from gradvec.stages.paint import fit_strokes as fitting
from gradvec.stages.paint.canvas import Goal
from gradvec.stages.paint.painter import paint
from gradvec.stages.paint.settings import PaintSettings
from gradvec.stages.paint.stroke_variables import Limits
from painted_strokes import painted
from recorded import RecordedGraph
from refined_shapes import SIDE, some_shapes

WHITE = (1.0, 1.0, 1.0, 1.0)


def blobs(scene: Scene, *asked: str) -> torch.Tensor:
    """(P, 4): a soft spot in the middle of each outline, which all of its numbers move or colour."""
    t = scene.topology
    owner = torch.from_numpy(t.point_outline)
    middle = torch.zeros(t.count, 2).index_add(0, owner, scene.points) / torch.bincount(owner)[:, None]
    spread = torch.zeros(t.count).index_add(0, owner, (scene.points - middle[owner]).square().sum(1)).sqrt()
    color = torch.zeros(t.count, 4).index_add(0, torch.from_numpy(t.stop_outline), scene.stop_color) / 2
    width, height = t.sizes[0].tolist()
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    square = (x.flatten()[:, None] - middle[:, 0]) ** 2 + (y.flatten()[:, None] - middle[:, 1]) ** 2
    cover = torch.exp(-square / (4 + spread)) * scene.opacity * (1 + 0.01 * torch.tanh(scene.geometry.mean(1)))
    return scene.background + cover @ (color - scene.background)


@pytest.fixture
def replays(monkeypatch):
    """Turns replaying on, as on a card; a list of all that replay."""
    made: list[graph.ReplayedSteps] = []

    def replayed(step, state, home, engine, name):
        RecordedGraph.state = state
        made.append(graph.ReplayedSteps(step, state, blobs, name))
        return made[-1]

    def render_with(scene: Scene, capacity: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        return blobs(scene), torch.ones(1, dtype=torch.int32)

    monkeypatch.setattr(graph, "Graph", RecordedGraph)
    monkeypatch.setattr(graph, "render_with", render_with)
    monkeypatch.setattr(graph, "trusted", {})
    monkeypatch.setattr(RecordedGraph, "replays", 0)

    def turn_on():
        monkeypatch.setattr(loop, "replayed", replayed)
        monkeypatch.setattr(fitting, "replayed", replayed)
        return made

    monkeypatch.setattr(fallback, "choose", lambda *asked: ("cuda", "cpu"))
    monkeypatch.setattr(loop, "render_flat", blobs)
    monkeypatch.setattr(fitting, "render",
                        lambda scene, *asked: blobs(scene).reshape(*scene.topology.sizes[0, ::-1], 4))
    monkeypatch.setattr(Variables, "on_processor", False)  # rules in the form that a card replays
    # The processor's check for self-crossings is none of torch's; the card's kernel is.
    monkeypatch.setattr(constraints.NoSelfIntersection, "replayable", True)
    for name in ("before_step", "after_step"):
        monkeypatch.setattr(constraints.NoSelfIntersection, name, lambda *args: None)
    return turn_on


def refined(plan: Refinement):
    rng = np.random.default_rng(1)
    target = Target(rng.random((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32), (SIDE, SIDE))
    return loop.refine(some_shapes(6), target, WHITE, replace(plan, engine="cpu"), Run())


def apart(a, b) -> float:
    """px, the furthest that two results' control points are."""
    return max(float(np.abs(p - q).max()) for s, t in zip(a.shapes, b.shapes, strict=True)
               for p, q in zip(s.outline.loops, t.outline.loops, strict=True))


WAYS = {
    "fidelity 0": Refinement(steps=20, freedom=Freedom(reach=reach_of(0.0)), reseeds=0),
    "fidelity .5": Refinement(steps=20, freedom=Freedom(reach=reach_of(0.5)), reseeds=0),
    "fidelity 1": Refinement(steps=20, reseeds=0),
    "fixed ones": Refinement(steps=20, fixed=frozenset({"1"}), freedom=Freedom(ground=True), reseeds=0),
    "smooth joints": Refinement(steps=24, constraints=(TurningPrice(0.01), HairPrice(1.0), SmoothJoints(30.0, 0.2, 10)),
                                reseeds=0),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_refinement_that_is_replayed_ends_where_the_other_does(way, replays):
    plain = refined(WAYS[way])
    made = replays()
    again = refined(WAYS[way])
    assert apart(plain, again) < 2e-3  # rates as tensors have seven digits
    assert (again.steps, again.mse) == (plain.steps, pytest.approx(plain.mse, rel=1e-4))
    assert again.mse < again.mse_before
    assert [steps.captures for steps in made] == [1]
    waits = 10 if way == "smooth joints" else 0  # before it is decided which joints are corners
    assert RecordedGraph.replays == WAYS[way].steps - graph.WARM_UP - waits


def test_what_changes_tensors_is_captured_anew(replays, monkeypatch):
    """Shapes that are put elsewhere, and the whole picture after the smaller one."""
    made = replays()
    monkeypatch.setattr(loop, "idle_last", lambda own, engine, most: (np.arange(6)[::-1].copy(), np.arange(6) >= 4))
    assert len(refined(Refinement(steps=30, reseeds=1)).moved) == 2
    assert [steps.captures for steps in made] == [1, 1]
    whole = Refinement(steps=30, reseeds=0, coarse=(0.5, 20))
    made.clear()
    assert refined(whole).steps == 30
    assert [steps.captures for steps in made] == [1, 1]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_painting_that_is_replayed_ends_where_the_other_does(share, replays, monkeypatch):
    monkeypatch.setattr(transport, "ITERATIONS", 2)

    def painting():
        variables = painted("mixed")
        rgba = torch.from_numpy(np.random.default_rng(2).random((4, SIDE, SIDE), np.float32))
        settings = fitting.FitSettings(Limits(2.5, 30.0, SIDE, SIDE), WHITE, engine="cpu", opaque=False,
                                       transport=share)
        fitting.fit_strokes(variables, Goal(rgba, torch.ones(SIDE, SIDE), 1.0), settings, 25, (1.0, 0.5),
                            lambda i, draw: False)
        return variables

    plain = painting()
    made = replays()
    again = painting()
    assert made[0].captures == 1
    assert RecordedGraph.replays == 25 - graph.WARM_UP
    for a, b in zip(plain.tensors(), again.tensors(), strict=True):
        assert (a - b).abs().max() < 2e-3


@pytest.mark.parametrize(("brush", "transport_share"), [("oil", 0.0), ("oil", 0.5), ("mixed", 0.0)])
def test_a_painting_is_captured_once_a_view(brush, transport_share, replays, monkeypatch):
    """Levels, rounds in which strokes come and go, and the last steps on the larger picture."""
    monkeypatch.setattr(transport, "ITERATIONS", 2)
    monkeypatch.setattr(canvas, "COARSE_AREA", 150)
    monkeypatch.setattr(canvas, "COARSE_STROKE", 1)
    target = Target(np.random.default_rng(3).random((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32),
                    (SIDE, SIDE))
    settings = PaintSettings(9, brush, pace=0.1, effort=0.2, engine="cpu", transport=transport_share)
    plain = paint(target, settings, Run()).strokes
    made = replays()
    again = paint(target, settings, Run()).strokes
    views = 3 if transport_share else 2  # steps with transport are others
    assert [steps.captures for steps in made] == [1] * views
    assert RecordedGraph.replays > 80
    assert np.array_equal(plain.brush, again.brush)
    assert np.array_equal(plain.level, again.level)
    for name in ("shape", "color0", "color1", "opacity"):
        assert np.abs(getattr(plain, name) - getattr(again, name)).max() < 2e-3


def test_a_step_that_cannot_be_captured_goes_on(replays, monkeypatch):
    plain = refined(WAYS["fidelity .5"])
    made = replays()

    def half(self, work):
        for tensor in type(self).state():
            if tensor.requires_grad:
                tensor.grad = torch.ones_like(tensor)  # as a step leaves them that is broken off
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    monkeypatch.setattr(RecordedGraph, "capture", half)
    again = refined(WAYS["fidelity .5"])
    assert made[0].captures == 1, "it is not tried at every step"
    assert RecordedGraph.replays == 0
    assert apart(plain, again) == 0
    assert again.mse == plain.mse


def test_a_graph_that_does_something_else_is_not_used(replays, monkeypatch):
    plain = refined(WAYS["fidelity .5"])
    made = replays()
    run = RecordedGraph.replay

    def wrong(self):
        run(self)
        type(self).state()[0].data.add_(0.3)

    monkeypatch.setattr(RecordedGraph, "replay", wrong)
    again = refined(WAYS["fidelity .5"])
    assert RecordedGraph.replays == 1
    assert apart(plain, again) == 0
    refined(WAYS["fidelity .5"])
    assert [steps.captures for steps in made] == [1, 0], "nor tried again in this process"


def plain_steps():
    """(steps that can be replayed, their Adam, its leaf, the scene that they render): three numbers go down at 2."""
    leaf = torch.ones(3, requires_grad=True)
    adam = Adam([leaf], [torch.tensor(0.1)])
    scene = loop.Variables(some_shapes(2), SIDE, SIDE, WHITE, Freedom()).scene()

    def step(render, numbers):
        picture = render(scene)
        (leaf * 2).sum().backward()
        adam.move(*numbers)
        return picture.detach()

    return loop.replayed(step, adam.state, leaf.device, "cuda", "a test"), adam, leaf, scene


def test_a_step_is_captured_anew_where_there_is_no_room(replays, monkeypatch):
    """The number of tiles is what the last replay told."""
    needed = torch.ones(1, dtype=torch.int32)
    made = replays()
    monkeypatch.setattr(graph, "render_with", lambda scene, capacity=0: (blobs(scene), needed))
    steps, adam, leaf, _ = plain_steps()
    for _ in range(6):
        steps(adam.numbers(1.0))
        adam.steps += 1
    assert (steps.captures, made) == (1, [steps])
    needed.fill_(steps._capacity + 1)
    for _ in range(3):
        steps(adam.numbers(1.0))
        adam.steps += 1
    assert steps.captures == 2
    assert steps._capacity > graph.SLACK * int(needed)
    assert torch.allclose(leaf, torch.full((3,), 1 - 9 * 0.1), atol=1e-5)


@pytest.mark.parametrize("known", [False, True], ids=["first of its kind", "trusted"])
def test_other_values_are_given_room_before_they_are_replayed(known, replays, monkeypatch):
    """As strokes that are put into a view whose steps were captured with fewer."""
    needed = torch.ones(1, dtype=torch.int32)
    replays()
    monkeypatch.setattr(graph, "trusted", {"a test": True} if known else {})
    monkeypatch.setattr(graph, "render_with", lambda scene, capacity=0: (blobs(scene), needed.clone()))
    steps, adam, leaf, scene = plain_steps()
    room = []
    for more in (1, 100, 100_000, 200):
        needed.fill_(more)
        steps.look_for_room(scene)
        for _ in range(4):
            steps(adam.numbers(1.0))
            adam.steps += 1
        room.append(steps._capacity)
    assert steps.captures == 2
    assert room[0] == room[1] >= 100
    assert room[2] == room[3] >= 100_000
    assert torch.allclose(leaf, torch.full((3,), 1 - 16 * 0.1), atol=1e-5)


class TorchGraph:
    """In the place of torch's, which needs a card: what is asked of it, in order."""

    asked: list[str]

    def __init__(self):
        type(self).asked = []

    def __getattr__(self, name):
        return lambda **how: self.asked.append(name)


class Event:
    waited = 0

    def record(self):
        """Nothing to be done."""

    def synchronize(self):
        Event.waited += 1


@pytest.fixture
def torch_graph(monkeypatch):
    monkeypatch.setattr(torch.cuda, "CUDAGraph", TorchGraph)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(graph, "_stream", lambda: None)
    monkeypatch.setattr(Event, "waited", 0)


@pytest.mark.parametrize("collects", [True, False])
def test_a_capture_ends_whatever_happens(torch_graph, collects):
    def fail():
        assert not gc.isenabled()
        raise ZeroDivisionError

    if not collects:
        gc.disable()
    try:
        with pytest.raises(ZeroDivisionError):
            graph.Graph().capture(fail)
        assert gc.isenabled() == collects
    finally:
        gc.enable()
    assert TorchGraph.asked == ["capture_begin", "capture_end"]


def test_no_more_replays_are_asked_for_than_may_be_under_way(torch_graph):
    captured = graph.Graph()
    captured.capture(lambda: None)
    for n in range(5):
        captured.wait()
        captured.replay()
        assert n + 1 - Event.waited <= graph.AHEAD
    assert TorchGraph.asked.count("replay") == 5


def test_what_is_over_holds_no_memory(replays, monkeypatch):
    """Neither a refinement nor a painting waits for Python to look for cycles; nor does a picture lead back to leaves,
    which torch would then go on with in the stream in which they were first used."""
    made = replays()
    pictures = []
    make = loop._Loop._make
    monkeypatch.setattr(loop._Loop, "_make", lambda *args: pictures.append(make(*args)) or pictures[-1])
    gc.collect()
    gc.disable()
    try:
        refined(Refinement(steps=5, reseeds=0))
        variables = painted("oil")
        settings = fitting.FitSettings(Limits(2.5, 30.0, SIDE, SIDE), WHITE, engine="cpu")
        fitting.fit_strokes(variables, Goal(torch.ones(4, SIDE, SIDE), torch.ones(SIDE, SIDE), 1.0), settings, 5,
                            (1.0, 0.5), lambda i, draw: pictures.append(draw()) or False)
        alive = [weakref.ref(steps) for steps in made]
        made.clear()
        assert len(alive) == 2
        assert [steps() for steps in alive] == [None, None]
    finally:
        gc.enable()
    assert not any(picture.requires_grad for picture in pictures)


def test_a_card_is_measured_as_it_is_used(replays, monkeypatch):
    """Else a large processor would seem to be quicker than a card that is asked for every launch."""
    monkeypatch.setattr(render, "render_flat", blobs)
    monkeypatch.setattr(RecordedGraph, "state", list)
    assert quicker.step_ms("cuda", "cpu", strokes=3, side=16, runs=4) > 0
    assert RecordedGraph.replays == 1 + 4  # the first one is held to the step
    assert graph.trusted == {"measuring": True}


def test_adam_by_tensors_is_adam():
    start = torch.linspace(-1, 1, 12).reshape(6, 2)
    one, two = (start.clone().requires_grad_() for _ in range(2))
    still = torch.ones(3, requires_grad=True)
    rate = torch.linspace(0.01, 0.2, 6)[:, None]
    plain, own = Adam([one], [rate]), Adam([two, still], [rate, torch.tensor(1.0)])
    for k in range(8):
        for leaf in (one, two):
            leaf.grad = torch.sin(5 * leaf.detach() + k)
        numbers = own.numbers(1 / (1 + k))
        plain.step(1 / (1 + k))
        own.move(*(torch.tensor(n) for n in numbers))
        own.steps += 1
    assert (one - two).abs().max() <= 5e-7
    assert torch.equal(still, torch.ones(3))
