"""Steps as a graph are the plain steps; without a card what would be captured runs as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from gradvec.optimize.adam import Adam
from gradvec.render import cuda, reference
from gradvec.render.scene import scene_from_shapes
from render_scenes import circle, painted, random_scene

pytest.importorskip("triton", reason="Triton exists for Linux only")
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from cuda_graph import DeviceAdam, GraphedStep

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SHARES = (1.0, 0.7, 0.2)


def descent():
    """Outlines and colours that move towards another scene's picture: (leaves, rates, make_scene, loss)."""
    scene = random_scene(4, count=2, width=15, height=12).to(device=DEVICE)
    goal = reference.render_flat(random_scene(5, count=2, width=15, height=12)).to(DEVICE)
    points, colors = (p.clone().requires_grad_() for p in (scene.points, scene.stop_color))
    rates = [torch.tensor(rate, device=DEVICE) for rate in (0.1, 0.01)]
    return [points, colors], rates, lambda: scene.with_parameters(
        points, scene.geometry, scene.stop_offset, colors, scene.opacity, scene.background), lambda picture: (
        (picture - goal) ** 2).sum()


def test_graphed_steps_are_the_plain_steps():
    leaves, rates, make, loss = descent()
    adam = Adam(leaves, rates)
    losses = []
    for share in SHARES:
        value = loss(cuda.render_flat(make()))
        value.backward()
        adam.step(share)
        losses.append(value.item())
    graphed, rates, make, loss = descent()
    after = []
    step = GraphedStep(make, loss, DeviceAdam(graphed, rates), lambda: after.append(torch.is_grad_enabled()))
    assert [step(share).item() for share in SHARES] == pytest.approx(losses, rel=1e-5)
    assert losses[2] < losses[0]
    assert all((a - b).abs().max() <= 1e-5 for a, b in zip(leaves, graphed, strict=True))
    if DEVICE == "cpu":
        assert after == [False] * 3


def test_adam_on_the_device_is_adam():
    """Every number that changes from step to step is a tensor: the same call, replayed, must go on."""
    start = torch.linspace(-1, 1, 12, device=DEVICE).reshape(6, 2)
    one, two = (start.clone().requires_grad_() for _ in range(2))
    rate = torch.linspace(0.01, 0.2, 6, device=DEVICE)[:, None]
    plain, own = Adam([one], [rate]), DeviceAdam([two], [rate])
    for k in range(8):
        for leaf in (one, two):
            leaf.grad = torch.sin(5 * leaf.detach() + k)
        plain.step(1 / (1 + k))
        own.go_at(1 / (1 + k))
        own.step()
    assert (one - two).abs().max() <= 2e-7
    assert own.steps.item() == plain.steps == 8


def test_a_leaf_without_a_derivative_stays():
    still, moving = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    adam = DeviceAdam([still, moving], [torch.tensor(0.1)] * 2)
    moving.grad = torch.ones(3)
    adam.step()
    assert torch.equal(still, torch.ones(3))
    assert torch.allclose(moving, torch.full((3,), 0.9))


def test_graphed_step_makes_room_when_strokes_reach_further():
    small = scene_from_shapes(painted([circle(8, 8, 2)]), 33, 17).to(device=DEVICE)
    points = small.points.clone().requires_grad_()
    still = DeviceAdam([points], [torch.tensor(0.0, device=DEVICE)])
    step = GraphedStep(lambda: small.with_parameters(points, *small.parameters[1:]), lambda p: p.sum(), still)
    step.capacity = step._needed  # no slack
    assert step.capacity == 1
    with torch.no_grad():
        points.sub_(8).mul_(5).add_(8)  # now in four tiles
    for _ in range(3):
        value = step()
    full = cuda.render_flat(small.with_parameters(points.detach(), *small.parameters[1:]))
    assert step.captures == 2
    assert value.item() == pytest.approx(full.sum().item(), rel=1e-5)
