"""What free outlines get before their last phase."""

from __future__ import annotations

import numpy as np
from gradvec.geometry.cubics import flatten
from gradvec.model import Outline, Shape, SolidColor, Target
from gradvec.optimize import Refinement
from gradvec.optimize.freeing import FURTHER, with_nodes_where_wrong
from gradvec.progress import Run

WHITE = (1.0, 1.0, 1.0, 1.0)


def square(x: float, y: float, side: float, name: str) -> Shape:
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])
    after = np.roll(corners, -1, 0)
    loop = np.stack([corners, corners + (after - corners) / 3, after + (corners - after) / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor((0.0, 0.0, 0.0)), id=name)


def test_the_shape_that_is_wrong_gets_the_nodes_of_both() -> None:
    """One square of the picture is drawn as it is, the other 3 px too far to the right."""
    rgb = np.ones((48, 96, 3), np.float32)
    rgb[12:36, 12:36] = rgb[12:36, 57:81] = 0.0
    right, wrong = square(12, 12, 24, "right"), square(60, 12, 24, "wrong")
    same, freer = with_nodes_where_wrong([right, wrong], Target(rgb, np.ones((48, 96), np.float32), (96, 48)), WHITE,
                                         Refinement(), 16, Run())
    assert same.outline.segments == right.outline.segments
    assert freer.outline.segments == wrong.outline.segments + round(2 * FURTHER)
    on = flatten(freer.outline.loops[0], 4)
    assert np.minimum(np.abs(on - [60, 12]).min(1), np.abs(on - [84, 36]).min(1)).max() < 1e-6
