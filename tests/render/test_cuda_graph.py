"""Steps as a graph are the plain steps; without a card there are no graphs, and the same steps go as they come."""

from __future__ import annotations

import pytest
import torch
from gradvec.optimize.adam import Adam
from gradvec.render import cuda, reference
from gradvec.render.cuda import graph
from gradvec.render.scene import scene_from_shapes
from render_scenes import circle, painted, random_scene

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SHARES = (1.0, 0.9, 0.7, 0.4, 0.2)


def descent():
    """Outlines and colours that move towards another scene's picture: (adam, step, losses so far)."""
    scene = random_scene(4, count=2, width=15, height=12).to(device=DEVICE)
    goal = reference.render_flat(random_scene(5, count=2, width=15, height=12)).to(DEVICE)
    points, colors = (p.clone().requires_grad_() for p in (scene.points, scene.stop_color))
    adam, losses = Adam([points, colors], [torch.tensor(rate, device=DEVICE) for rate in (0.1, 0.01)]), []

    def step(render, numbers):
        picture = render(scene.with_parameters(points, scene.geometry, scene.stop_offset, colors, scene.opacity,
                                               scene.background))
        ((picture - goal) ** 2).sum().backward()
        adam.move(*numbers)
        return picture.detach()

    def go(make):
        for share in SHARES:
            losses.append(((make(adam.numbers(share)) - goal) ** 2).sum().item())
            adam.steps += 1

    return adam, step, go, losses


def test_graphed_steps_are_the_plain_steps(monkeypatch):
    monkeypatch.setattr(graph, "trusted", {})
    adam, step, go, losses = descent()
    go(lambda numbers: step(cuda.render_flat, numbers))
    other, step, go, again = descent()
    steps = graph.ReplayedSteps(step, other.state, cuda.render_flat, "a test")
    go(steps)
    assert again == pytest.approx(losses, rel=1e-4)
    assert losses[-1] < losses[0]
    assert all((a - b).abs().max() <= 1e-4 for a, b in zip(adam.leaves, other.leaves, strict=True))
    assert steps.captures == 1
    assert (steps._graph is not None) == (DEVICE == "cuda")
    assert graph.trusted == ({"a test": True} if DEVICE == "cuda" else {})


def test_entries_beyond_the_capacity_are_left_out_and_told():
    """One dab that comes to lie in four tiles, where there is room for one."""
    small = scene_from_shapes(painted([circle(8, 8, 2)]), 33, 17).to(device=DEVICE)
    large = small.with_parameters((small.points - 8) * 5 + 8, *small.parameters[1:])
    picture, needed = cuda.render_with(large, capacity=1)
    assert needed.item() == 4
    full = cuda.render_flat(large).reshape(17, 33, 4)
    part = picture.reshape(17, 33, 4)
    assert torch.equal(part[:16, :16], full[:16, :16])
    assert (part[:16, 16:20] - full[:16, 16:20]).abs().max() > 0.1
