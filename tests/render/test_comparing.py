"""Squared errors that are taken back as they are made, against the reference's picture and torch's own loss."""

from __future__ import annotations

import pytest
import torch
from gradvec.errors import EngineError
from gradvec.render import render, squared_error, squared_error_and_slopes
from gradvec.render.reference import render_flat
from gradvec.render.scene import Scene
from render_scenes import hard_scenes, joined, random_scene, with_ellipses

HARD = hard_scenes()
SCENES = {"one canvas": random_scene(1, count=20, width=50, height=70),
          "many canvases, some bare": joined([random_scene(n, count=2 * n) for n in range(4)]),
          "one outline a canvas": joined([random_scene(n, count=1) for n in range(3)]),
          "ellipses": with_ellipses(random_scene(2, count=9)),
          **{name: HARD[name] for name in ("nothing at all", "out of the canvas on every side", "many loops, even-odd",
                                           "edges on pixel borders", "a canvas of one pixel", "a tall canvas")}}


def numbers(scene: Scene, planes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(planes)
    pixels = int(scene.topology.canvas_start[-1])
    return (torch.rand(pixels, planes, generator=generator, dtype=scene.points.dtype),
            torch.rand(pixels, generator=generator, dtype=scene.points.dtype))


def with_slopes(scene: Scene, call) -> tuple[float, list[torch.Tensor]]:
    moving = scene.with_parameters(*(p.detach().clone().requires_grad_() for p in scene.parameters))
    error = call(moving)
    (2 * error).backward()
    return error.item(), [torch.zeros_like(p) if p.grad is None else p.grad / 2 for p in moving.parameters]


@pytest.mark.parametrize("planes", [3, 4])
@pytest.mark.parametrize("name", SCENES)
def test_it_is_the_error_of_the_references_picture(name, planes):
    scene = SCENES[name].to(torch.float64)
    goal, weight = numbers(scene, planes)
    want, slopes = with_slopes(scene, lambda s: (weight[:, None] * (render_flat(s)[:, :planes] - goal)**2).sum())
    got, own = with_slopes(scene, lambda s: squared_error(s, goal, weight, "cpu"))
    assert got == pytest.approx(want, rel=1e-12)
    for a, b in zip(own, slopes, strict=True):
        assert (a - b).norm() <= 1e-10 * b.norm() + 1e-12


def test_single_precision_and_no_weight():
    """Against the engine's own picture, whose accuracy other tests hold: what is left is the order of sums."""
    scene = SCENES["one canvas"]
    goal = numbers(scene, 4)[0].reshape(70, 50, 4)
    want, slopes = with_slopes(scene, lambda s: ((render(s, "cpu") - goal)**2).sum())
    got, own = with_slopes(scene, lambda s: squared_error(s, goal, engine="cpu"))
    assert got == pytest.approx(want, rel=1e-5)
    for a, b in zip(own, slopes, strict=True):
        assert (a - b).norm() <= 1e-5 * b.norm()


def test_what_does_not_move_gets_nothing_and_may_be_shared():
    """Without a derivative for the background; and two errors of one topology alive at once."""
    scene = SCENES["one canvas"]
    goal, weight = numbers(scene, 3)
    points = scene.points.clone().requires_grad_()
    moving = scene.with_parameters(points, *scene.parameters[1:])
    first, second = (squared_error(moving, g, weight, "cpu") for g in (goal, 1 - goal))
    first.backward()
    alone = points.grad.clone()
    points.grad = None
    second.backward()
    assert not torch.allclose(alone, points.grad)
    assert torch.equal(with_slopes(scene, lambda s: squared_error(s, goal, weight, "cpu"))[1][0], alone)


def test_other_engines_give_the_same():
    scene = random_scene(3, count=3, width=12, height=9).to(torch.float64)
    goal, weight = numbers(scene, 3)
    want = with_slopes(scene, lambda s: squared_error(s, goal, weight, "cpu"))
    got = with_slopes(scene, lambda s: squared_error(s, goal, weight, "reference"))
    assert got[0] == pytest.approx(want[0], rel=1e-12)
    assert all((a - b).norm() <= 1e-10 * b.norm() for a, b in zip(got[1], want[1], strict=True))


def test_half_precision_is_compared_in_single():
    scene = random_scene(3, count=3, width=12, height=9)
    goal, weight = numbers(scene, 3)
    half = squared_error(scene.to(torch.float16), goal, weight, "cpu")
    assert half.item() == pytest.approx(squared_error(scene, goal, weight, "cpu").item(), rel=2e-2)


@pytest.mark.parametrize(("change", "message"), [
    (lambda goal, weight: (goal[:, :2], weight), "3 or 4 planes"),
    (lambda goal, weight: (goal[1:], weight), r"got \(107, 3\)"),
    (lambda goal, weight: (goal, weight[1:]), r"and \(107,\)"),
    (lambda goal, weight: (goal.requires_grad_(), weight), "differentiable in the scene alone"),
    (lambda goal, weight: (goal, weight * float("nan")), "not finite everywhere"),
])
def test_what_does_not_fit_is_told(change, message):
    scene = random_scene(3, count=3, width=12, height=9)
    with pytest.raises(EngineError, match=message):
        squared_error(scene, *change(*numbers(scene, 3)))


def test_it_is_differentiated_once():
    scene = random_scene(3, count=3, width=12, height=9)
    points = scene.points.clone().requires_grad_()
    error = squared_error(scene.with_parameters(points, *scene.parameters[1:]), *numbers(scene, 3), "cpu")
    (slope,) = torch.autograd.grad(error, points, create_graph=True)
    with pytest.raises(EngineError, match="differentiated once"):
        slope.sum().backward()


@pytest.mark.parametrize("name", SCENES)
def test_without_a_graph_number_and_slopes_are_the_same(name):
    scene = SCENES[name]
    goal, weight = numbers(scene, 3)
    want, slopes = with_slopes(scene, lambda s: squared_error(s, goal, weight, "cpu"))
    moving = scene.with_parameters(*scene.parameters[:5], scene.background.clone().requires_grad_())
    got, own = squared_error_and_slopes(moving, goal.t().contiguous(), weight)
    assert got == pytest.approx(want, rel=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(own, slopes, strict=True))


@pytest.mark.parametrize(("change", "message"), [
    (lambda goal, weight: (goal[:2], weight), r"got \(2, 108\)"),
    (lambda goal, weight: (goal.t().contiguous().t(), weight), "contiguous"),
    (lambda goal, weight: (goal.double(), weight), "float64"),
    (lambda goal, weight: (goal, weight[1:]), r"and \(107,\)"),
    (lambda goal, weight: (goal * float("inf"), weight), "not finite everywhere"),
])
def test_what_does_not_fit_is_told_without_a_graph_too(change, message):
    scene = random_scene(3, count=3, width=12, height=9)
    goal, weight = numbers(scene, 3)
    with pytest.raises(EngineError, match=message):
        squared_error_and_slopes(scene, *change(goal.t().contiguous(), weight))


def test_a_malformed_scene_is_refused_without_a_graph_too():
    scene = random_scene(3, count=3, width=12, height=9)
    goal, weight = numbers(scene, 3)
    bad = scene.with_parameters(scene.points * float("nan"), *scene.parameters[1:])
    with pytest.raises(EngineError, match="not a finite number"):
        squared_error_and_slopes(bad, goal.t().contiguous(), weight)
