"""The cuda engine against the reference: on a graphics card where there is one, else under Triton's interpreter.

The interpreter takes about a tenth of a second for an outline in a tile, so the scenes here are small; those marked
gpu are the large ones.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradvec.render import cuda, reference
from gradvec.render.scene import Scene, scene_from_shapes
from render_scenes import (
    assert_agrees,
    circle,
    hard_scenes,
    joined,
    painted,
    random_scene,
    random_shapes,
)

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
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


def test_without_triton_the_reference_runs_on_the_device(monkeypatch):
    scene = random_scene(3, count=3, width=12, height=9)
    monkeypatch.setattr(cuda, "triton_present", lambda: False)
    assert (engine(scene) - reference.render_flat(scene)).abs().max() <= 1e-6


class TestLarge:
    pytestmark = gpu

    @pytest.mark.parametrize("name", SLOW)
    def test_hard_scenes(self, name):
        assert_agrees(engine, HARD[name])

    @pytest.mark.parametrize("seed", range(4))
    def test_random_scenes(self, seed):
        assert_agrees(engine, random_scene(seed, count=60, width=300, height=200, size=40))
