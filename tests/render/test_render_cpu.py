"""The cpu engine against the reference, in value and derivative."""

from __future__ import annotations

import pytest
import torch
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
