"""The cuda engine against the reference: on a graphics card where there is one, else under Triton's interpreter.

The interpreter takes about a tenth of a second for an outline in a tile, so the scenes here are small; those marked
gpu are the large ones.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gradvec.render import cuda, reference, render_flat
from gradvec.render.scene import Scene, scene_from_shapes
from render_scenes import (
    assert_agrees,
    circle,
    derivatives,
    hard_scenes,
    joined,
    painted,
    random_scene,
    random_shapes,
    weight_for,
)

pytest.importorskip("triton", reason="Triton exists for Linux only")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
HARD = hard_scenes()
SLOW = ("1,000 overlapping", "many loops", "many loops, even-odd", "a tall canvas", "a wide canvas")
gpu = [pytest.mark.gpu, pytest.mark.skipif(DEVICE == "cpu", reason="needs an NVIDIA card")]


def engine(scene: Scene) -> torch.Tensor:
    """The cuda engine on a scene that lives on the processor."""
    return cuda.render_flat(scene.to(device=DEVICE)).cpu()


@pytest.mark.parametrize("seed", [0, 5])
def test_random_scenes(seed):
    assert_agrees(engine, random_scene(seed, count=6, width=26, height=18))


@pytest.mark.parametrize("name", [name for name in HARD if name not in SLOW])
def test_hard_scenes(name):
    assert_agrees(engine, HARD[name])


def test_float64():
    assert_agrees(engine, random_scene(2, count=4, width=20, height=15).to(torch.float64), value=1e-12, norm=1e-10)


def test_many_overlapping():
    shapes = random_shapes(np.random.default_rng(3), 40, 12, 10, 9)
    assert_agrees(engine, scene_from_shapes(shapes, 12, 10, (1, 1, 1, 1)))


def test_far_from_the_origin_float32_keeps_its_digits():
    """Outlines at 1,000 px, where float32 has steps of 6e-5: the tile's own coordinates are exact."""
    assert_agrees(engine, scene_from_shapes(painted([circle(1003.37, 8.1, 5.3), circle(999.2, 7.7, 3.3)]), 1010, 16))


def test_batch_of_canvases():
    scenes = [random_scene(n, count=n, width=9 + 5 * n, height=24 - 4 * n) for n in range(4)]
    assert_agrees(engine, joined(scenes))


def test_super_tiles_of_many_tiles(monkeypatch):
    """Lists of outlines a super tile are made coarser until they fit; the picture stays."""
    scene = random_scene(1, count=5, width=40, height=20)
    monkeypatch.setattr(cuda, "_SUPER_TILE", 16)
    fine = engine(scene)
    fresh = random_scene(1, count=5, width=40, height=20)
    monkeypatch.setattr(cuda, "_MOST_LISTED", 11)
    assert cuda._Tables(fresh.topology, torch.device(DEVICE)).side == 32
    assert torch.equal(engine(fresh), fine)


def out_of_memory_above(monkeypatch, most: int) -> list[int]:
    """Makes passes over more than ``most`` canvases fail as a full card does; returns the sizes that were tried."""
    tried = []
    run = cuda._Pass.__init__

    def init(self, t, *rest):
        tried.append(len(t.sizes))
        if len(t.sizes) > most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        run(self, t, *rest)

    monkeypatch.setattr(cuda._Pass, "__init__", init)
    return tried


def test_out_of_memory_works_in_halves_and_says_so(monkeypatch, caplog):
    scene = joined([random_scene(n, count=1, width=9, height=8) for n in range(4)])
    weight = weight_for(scene).float()
    want, want_grads = derivatives(scene, engine, weight)
    tried = out_of_memory_above(monkeypatch, 2)
    with caplog.at_level(logging.WARNING):
        got, grads = derivatives(scene, engine, weight)
    assert tried == [4, 2, 2, 2, 2]  # two halves forward, and each again in backward
    assert "does not hold 4 canvases" in caplog.text
    assert (got - want).abs().max() <= 1e-6
    for g, w in zip(grads, want_grads, strict=True):
        assert (g - w).norm() <= 1e-5 * w.norm() + 1e-6


def test_out_of_memory_with_one_canvas_works_on_the_processor(monkeypatch, caplog):
    scene = random_scene(3, count=3, width=12, height=9)
    out_of_memory_above(monkeypatch, 0)
    with caplog.at_level(logging.WARNING):
        got = engine(scene)
    assert "working on the processor" in caplog.text
    assert (got - render_flat(scene, "cpu")).abs().max() == 0


def test_out_of_memory_in_backward_works_on_the_processor(monkeypatch, caplog):
    scene = joined([random_scene(n, count=1, width=9, height=8) for n in range(2)])
    weight = weight_for(scene).float()
    _, want = derivatives(scene, "cpu", weight)
    moving = scene.with_parameters(*(p.to(DEVICE).clone().requires_grad_() for p in scene.parameters))
    picture, _ = cuda.render_with(moving, recompute=True)
    out_of_memory_above(monkeypatch, 0)
    with caplog.at_level(logging.WARNING):
        (picture * weight.to(DEVICE)).sum().backward()
    assert "working on the processor" in caplog.text
    for p, w in zip(moving.parameters, want, strict=True):
        assert (p.grad.cpu() - w).norm() <= 1e-5 * w.norm() + 1e-6


def test_without_triton_the_reference_runs_on_the_device(monkeypatch):
    scene = random_scene(3, count=3, width=12, height=9)
    monkeypatch.setattr(cuda, "triton_present", lambda: False)
    assert (engine(scene) - reference.render_flat(scene)).abs().max() <= 1e-6


def test_graphed_steps_are_the_plain_steps():
    from gradvec.render.cuda_graph import GraphedStep
    scene = random_scene(4, count=2, width=15, height=12).to(device=DEVICE)
    goal = random_scene(5, count=2, width=15, height=12)
    goal = reference.render_flat(goal).to(DEVICE)

    def variables():
        points = scene.points.clone().requires_grad_()
        colors = scene.stop_color.clone().requires_grad_()
        adam = torch.optim.Adam([{"params": [points], "lr": 0.1}, {"params": [colors], "lr": 0.01}],
                                capturable=DEVICE == "cuda")
        return points, colors, adam, lambda: scene.with_parameters(
            points, scene.geometry, scene.stop_offset, colors, scene.opacity, scene.background)

    points, colors, adam, make = variables()
    losses = []
    for _ in range(3):
        adam.zero_grad()
        value = ((cuda.render_flat(make()) - goal) ** 2).sum()
        value.backward()
        adam.step()
        losses.append(value.item())
    points2, colors2, adam, make = variables()
    step = GraphedStep(make, lambda picture: ((picture - goal) ** 2).sum(), adam)
    assert [step().item() for _ in range(3)] == pytest.approx(losses, rel=1e-5)
    assert losses[2] < losses[0]
    assert (points - points2).abs().max() <= 1e-4
    assert (colors - colors2).abs().max() <= 1e-5


def test_graphed_step_makes_room_when_strokes_reach_further():
    from gradvec.render.cuda_graph import GraphedStep
    small = scene_from_shapes(painted([circle(8, 8, 2)]), 33, 17).to(device=DEVICE)
    points = small.points.clone().requires_grad_()
    still = torch.optim.SGD([points], lr=0.0)
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


def test_kernels_compile_for_an_h200():
    """Compilation needs no card: every kernel, in both precisions, for compute capability 9.0."""
    code = Path(__file__).with_name("compile_kernels.py")
    plain = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_DEFAULT_FP_FUSION": "1"}
    done = subprocess.run([sys.executable, str(code)], env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 16


class TestLarge:
    pytestmark = gpu

    @pytest.mark.parametrize("name", SLOW)
    def test_hard_scenes(self, name):
        assert_agrees(engine, HARD[name])

    @pytest.mark.parametrize("seed", range(4))
    def test_random_scenes(self, seed):
        assert_agrees(engine, random_scene(seed, count=60, width=300, height=200, size=40))
