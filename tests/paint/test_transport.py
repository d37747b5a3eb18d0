"""Optimal transport: zero at the goal, the right derivative, and a pull where a pixel loss feels nothing."""

import numpy as np
import pytest
import torch
from gradvec.model import Target
from gradvec.stages.paint import transport
from gradvec.stages.paint.canvas import Canvas
from gradvec.stages.paint.fit_strokes import FitSettings, fit_strokes
from gradvec.stages.paint.settings import PaintSettings
from gradvec.stages.paint.stroke_variables import Limits, StrokeVariables

WIDTH, HEIGHT = 64, 32


def blob(x, y, height=20, width=28):
    yy, xx = np.mgrid[:height, :width]
    return torch.tensor(np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8.0), dtype=torch.float64)[None]


def test_nothing_to_carry_costs_nothing():
    assert transport.divergence(blob(9, 9), blob(9, 9)) == pytest.approx(0, abs=1e-9)
    assert transport.gradient(blob(9, 9), blob(9, 9)).abs().max() < 1e-9


def test_the_cost_is_about_the_squared_distance():
    near = transport.divergence(blob(9, 10), blob(12, 10))
    far = transport.divergence(blob(9, 10), blob(18, 10))
    # The floor under every mass keeps a part of it in place on both sides, and a picture's side is one.
    assert far / near == pytest.approx(9, rel=0.15)
    assert far == pytest.approx((9 / 28) ** 2, rel=0.25)


def test_the_derivative_agrees_with_finite_differences():
    picture, goal = blob(8, 9) + 0.05, blob(15, 11)
    slope = transport.gradient(picture, goal)
    rng = np.random.default_rng(2)
    for y, x in rng.integers(0, 20, (6, 2)):
        up, down = picture.clone(), picture.clone()
        up[0, y, x] += 1e-4
        down[0, y, x] -= 1e-4
        numeric = (transport.divergence(up, goal) - transport.divergence(down, goal)) / 2e-4
        assert float(slope[0, y, x]) == pytest.approx(numeric, rel=0.05, abs=2e-6)


def white_stroke_beside_its_place(share):
    """Where a white 12 px stroke at x = 14 ends up whose place is at x = 48, on black."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    rgb[10:22, 42:54] = 1
    target = Target(rgb, np.ones((HEIGHT, WIDTH), np.float32), (WIDTH, HEIGHT))
    canvas = Canvas(target, PaintSettings(background=(0.0, 0.0, 0.0)))
    shape = torch.tensor([[14.0, 16.0, 12.0, 12.0, 0.0, 0.0, 0.0, 0.0]])
    none = np.zeros(1, np.int64)
    stroke = StrokeVariables(shape, torch.tensor([[-6.0, 0.0, 6.0, 0.0]]), torch.ones(1, 6), torch.ones(1),
                       none + 3, none, none)
    settings = FitSettings(Limits(8.0, 16.0, WIDTH, HEIGHT), canvas.ground, transport=share)
    fit_strokes(stroke, canvas.fine, settings, 200, (1.0, 0.3), lambda i, draw: False)
    return float(stroke.shape[0, 0])


def test_transport_carries_a_stroke_over_a_gap_that_a_pixel_loss_cannot_see_across():
    assert white_stroke_beside_its_place(share=0.0) < 24
    assert white_stroke_beside_its_place(share=0.7) == pytest.approx(48, abs=1.5)


def test_mass_in_the_opposite_corner_of_a_small_picture_has_a_derivative():
    """A nearly empty picture and a goal whose mass fades away towards the only px that the picture has."""
    goal = torch.zeros(1, 8, 8)
    goal[0, :6, :6] = torch.tensor([0.5352, 0.5352, 0.4683, 0.3345, 0.2007, 0.0669])
    picture = torch.zeros(1, 8, 8)
    for at in (0, 3, 7):
        picture.zero_()[0, -1, at] = 1
        assert bool(torch.isfinite(transport.gradient(picture, goal)).all())
