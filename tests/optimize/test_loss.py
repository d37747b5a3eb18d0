"""Compared band by band or as a written picture: one loss, one derivative."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradvec.model import Shape, SolidColor, Target
from gradvec.optimize import Refinement, loop, refine
from gradvec.optimize.loss import PictureLoss
from gradvec.optimize.previews import Previews
from gradvec.progress import Run
from gradvec.render import render_flat
from gradvec.render.scene import Scene, scene_from_shapes
from outline_shapes import blob, outline

SIDE = 60
WHITE = (1.0, 1.0, 1.0, 1.0)
BARE = (0.0, 0.0, 0.0, 0.0)


def shapes() -> list[Shape]:
    colors = np.random.default_rng(3).random((5, 3))
    return [Shape(outline(blob(n, 12 + 9 * n, 20 + 5 * n, 15)), SolidColor(tuple(color)), 0.8, id=str(n))
            for n, color in enumerate(colors)]


def target(alpha: float) -> Target:
    rgb = np.random.default_rng(5).random((SIDE, SIDE, 3), np.float32)
    return Target(rgb, np.full((SIDE, SIDE), alpha, np.float32), (SIDE, SIDE))


def variable_scene(ground: tuple[float, ...]) -> Scene:
    scene = scene_from_shapes(shapes(), SIDE, SIDE, ground)
    for tensor in scene.parameters:
        tensor.requires_grad_(True)
    return scene


@pytest.mark.parametrize(("alpha", "ground"), [(1.0, WHITE), (0.6, BARE), (0.6, WHITE)])
def test_both_ways_give_one_loss_and_one_derivative(alpha: float, ground: tuple[float, ...]) -> None:
    loss = PictureLoss(target(alpha), ground == WHITE)
    written, banded = variable_scene(ground), variable_scene(ground)
    loss.backward(render_flat(written, "cpu"))
    expected = loss.mse, loss.per_pixel
    loss.backward_of(banded)

    assert (loss.mse, loss.per_pixel) == pytest.approx(expected, rel=1e-5)
    for a, b in zip(written.parameters, banded.parameters, strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-4 * float(a.grad.abs().max()))


def test_a_measured_picture_is_what_the_loss_is_about_again() -> None:
    loss = PictureLoss(target(1.0), True)
    loss.backward_of(variable_scene(WHITE))
    with torch.no_grad():
        loss.measure(torch.zeros(SIDE * SIDE, 4))
    assert loss.mse == pytest.approx(float((target(1.0).rgb**2).mean()), rel=1e-5)
    assert loss.error_map().sum() == pytest.approx(float((target(1.0).rgb**2).sum()), rel=1e-5)


@pytest.mark.parametrize("weight", [None, np.ones((SIDE, SIDE), np.float32)])
def test_a_refinement_writes_pictures_only_to_measure_them(weight, monkeypatch) -> None:
    written = []
    monkeypatch.setattr(loop, "render_flat", lambda *args: written.append(args) or render_flat(*args))
    found = refine(shapes(), target(1.0), WHITE, Refinement(steps=12, reseeds=0, engine="cpu"), Run(), weight)
    assert len(written) == (1 if weight is None else 2)
    assert found.mse < found.mse_before


@pytest.mark.parametrize("watched", [False, True])
def test_a_picture_is_drawn_only_for_somebody_who_looks(watched: bool) -> None:
    drawn, seen = [], []
    run = Run(on_preview=lambda make: seen.append(make())) if watched else Run()
    previews = Previews(run)
    for _ in range(3):
        previews.offer(lambda: drawn.append(None) or torch.zeros(6, 4), 2, 3)
    assert len(drawn) == len(seen) == (1 if watched else 0)
    assert all(picture.shape == (2, 3, 3) for picture in seen)
