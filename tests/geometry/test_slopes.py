"""Slopes and the structure tensor against pictures whose slopes are known."""

import math

import numpy as np
import pytest
from gradvec.geometry.slopes import slopes, structure_tensor


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 155.0])
def test_a_ramp_is_as_steep_as_it_was_made_along_its_own_way(degrees):
    way = math.radians(degrees)
    down, across = np.mgrid[0:12, 0:20].astype(float)
    ramp = 0.03 * (np.cos(way) * across + np.sin(way) * down)
    dx, dy = slopes(ramp)
    assert np.allclose(dx, 0.03 * math.cos(way))
    assert np.allclose(dy, 0.03 * math.sin(way))
    cos, sin, squared = structure_tensor(np.stack([ramp, 2 * ramp], -1))
    assert np.allclose(squared, 0.03**2 * (1 + 4))
    assert np.allclose(cos, squared * math.cos(2 * way))
    assert np.allclose(sin, squared * math.sin(2 * way))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
def test_a_picture_of_one_row_or_column_has_no_slopes(shape):
    assert not structure_tensor(np.random.default_rng(0).random((*shape, 3))).any()
