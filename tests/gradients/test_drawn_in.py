"""Handles drawn into their stroke: nothing that is painted changes."""

from __future__ import annotations

import numpy as np
import pytest
from gradvec.gradients.handles import drawn_in
from gradvec.model import LinearGradient, Outline, Shape, SolidColor, Stop
from gradvec.render import render
from gradvec.render.scene import scene_from_shapes

SIZE = 64


def square(fill: object, opacity: float = 1.0) -> Shape:
    corners = np.array([[20, 12], [52, 20], [44, 50], [14, 40]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), fill, opacity, id="a")  # type: ignore[arg-type]


def shown(shape: Shape) -> np.ndarray:
    return render(scene_from_shapes([shape], SIZE, SIZE), "cpu").numpy()


@pytest.mark.parametrize("seed", range(12))
def test_the_picture_stays_and_the_handles_come_in(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x1, y1, x2, y2 = rng.uniform(-60, 120, 4)
    offsets = np.sort(rng.uniform(0, 1, 2 + seed % 2))
    stops = tuple(Stop(float(o), tuple(rng.uniform(0, 1, 3)), float(rng.uniform(0.3, 1))) for o in offsets)
    before = square(LinearGradient(x1, y1, x2, y2, stops), 0.8)
    after = drawn_in(before)
    assert np.abs(shown(after) - shown(before)).max() < 2e-3
    if isinstance(after.fill, LinearGradient):
        left, top, right, bottom = after.outline.bounds()
        middle = np.array([after.fill.x1 + after.fill.x2, after.fill.y1 + after.fill.y2]) / 2
        assert left < middle[0] < right
        assert top < middle[1] < bottom
        assert np.hypot(after.fill.x2 - after.fill.x1, after.fill.y2 - after.fill.y1) < 60


def test_a_shape_on_one_side_of_the_ramp_becomes_one_colour() -> None:
    stops = (Stop(0.0, (1.0, 0.0, 0.0), 0.5), Stop(1.0, (0.0, 0.0, 1.0), 1.0))
    before = drawn_in(square(LinearGradient(-40, 0, -20, 0, stops)))
    assert before.fill == SolidColor((0.0, 0.0, 1.0))
    after = drawn_in(square(LinearGradient(100, 0, 120, 0, stops), 0.6))
    assert after.fill == SolidColor((1.0, 0.0, 0.0))
    assert after.opacity == pytest.approx(0.3)


def test_equal_stops_are_one_colour() -> None:
    stops = (Stop(0.0, (0.2, 0.4, 0.6)), Stop(1.0, (0.2, 0.4, 0.6)))
    assert isinstance(drawn_in(square(LinearGradient(10, 0, 40, 0, stops))).fill, SolidColor)
