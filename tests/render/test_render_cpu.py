"""The cpu engine against the reference, in value and derivative."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradvec.model import Outline, Shape, SolidColor
from gradvec.render.cpu import Renderer
from gradvec.render.scene import scene_from_shapes
from render_scenes import assert_agrees, hard_scenes, random_scene

HARD = hard_scenes()


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed):
    assert_agrees("cpu", random_scene(seed))


@pytest.mark.parametrize("name", HARD)
def test_hard_scenes(name):
    assert_agrees("cpu", HARD[name])


@pytest.mark.parametrize("name", [name for name in HARD if name != "1,000 overlapping"])
def test_hard_scenes_in_float64(name):
    assert_agrees("cpu", HARD[name].to(torch.float64), value=1e-12, norm=1e-10)


def test_large_coordinates_keep_their_digits():
    """At 900 px float32 has steps of 6e-5 px; the engine must not lose more than the coordinates themselves have."""
    assert_agrees("cpu", random_scene(3, count=30, width=1000, height=70, size=30))


def test_nothing_is_read_that_nobody_wrote():
    """Buffers are not cleared; edges on the lines between pixels look at cells where nothing is painted."""
    corners = np.array([[2, 2], [14, 2], [14, 6], [6, 6], [6, 12], [2, 12]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    scene = scene_from_shapes([Shape(Outline((loop,)), SolidColor((0.2, 0.4, 0.6)))], 16, 16)
    results = []
    for before in (0.0, float("nan")):
        renderer = Renderer(scene.topology, np.float32)
        picture = renderer.forward(*(p.numpy() for p in scene.parameters))
        renderer._buffer("d_winding", (int(renderer._crop[-1]),))[:] = before
        results.append(renderer.backward(np.ones_like(picture)))
    for clean, poisoned in zip(*results, strict=True):
        np.testing.assert_array_equal(clean, poisoned)
