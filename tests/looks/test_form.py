"""Strokes run along the form: closed cases of stripes, rings and lines drawn by hand."""

import numpy as np
import pytest
import torch
from gradvec.geometry.form import form_of
from gradvec.stages.paint.keeping import Keeping

SIDE = 96


def stripes(angle):
    """Stripes that run along ``angle``."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    wave = 0.5 + 0.5 * np.sin(0.6 * (y * np.cos(angle) - x * np.sin(angle)))
    return np.repeat(wave[..., None], 3, 2).astype(np.float32)


def off(a, b):
    """How far two directions are apart, radians."""
    return abs((a - b + np.pi / 2) % np.pi - np.pi / 2)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.0, np.pi / 2, 2.5])
def test_the_form_of_stripes_is_their_direction(angle):
    form = form_of(stripes(angle), 1.0)
    found, clear = form.at(torch.tensor([[48.0, 48.0], [30.0, 60.0]]))
    assert max(off(float(a), angle) for a in found) < 0.03
    assert float(clear.min()) > 0.7


def test_a_flat_picture_has_no_form():
    form = form_of(np.full((SIDE, SIDE, 3), 0.5, np.float32), 1.0)
    assert float(form.strength.max()) < 0.05


def test_a_picture_seen_smaller_has_its_form_at_the_same_places():
    form = form_of(stripes(1.0), 0.5)
    found, _ = form.at(torch.tensor([[96.0, 96.0]]))
    assert off(float(found[0]), 1.0) < 0.03


def test_lines_drawn_by_hand_count_more_than_the_picture_near_them():
    line = np.array([[10.0, 48.0], [86.0, 48.0]])
    form = form_of(stripes(np.pi / 2), 1.0, [line])
    found, clear = form.at(torch.tensor([[48.0, 50.0], [48.0, 4.0]]))
    assert off(float(found[0]), 0.0) < 0.1
    assert off(float(found[1]), np.pi / 2) < 0.1
    assert float(clear[0]) > 0.9


@pytest.mark.parametrize("brush", range(5))
def test_strokes_across_a_clear_form_are_turned_along_it(brush):
    form = form_of(stripes(0.0), 1.0)
    keeping = Keeping.of(0.0, form)
    shape = torch.tensor([[48.0, 48.0, 20.0, 5.0, 1.4, 0, 0, 0]])
    if brush in (1, 2):
        shape = torch.tensor([[48.0, 38.0, 48.0, 48.0, 48.0, 58.0, 2.0, 2.0]])
    axis, color, opacity = torch.tensor([[-5.0, 0, 5, 0]]), torch.rand(1, 6), torch.ones(1)
    before = shape.clone()
    keeping.of_strokes(np.array([brush]), shape.device).hold(shape, axis, color, opacity)
    if brush in (1, 2):
        way = float(torch.atan2(shape[0, 5] - shape[0, 1], shape[0, 4] - shape[0, 0]))
        assert (shape[0, 0:2] + shape[0, 4:6]).tolist() == pytest.approx((before[0, 0:2] + before[0, 4:6]).tolist())
    else:
        way = float(shape[0, 4])
    free = np.pi / 2 * (1 - float(form.at(torch.tensor([[48.0, 48.0]]))[1][0]))
    assert off(way, 0.0) <= keeping.rules[brush].turn + free + 1e-3
    assert off(way, 0.0) < 1.3


def test_no_rules_bind_where_fidelity_is_high_unless_lines_are_drawn():
    form = form_of(stripes(0.0), 1.0)
    assert Keeping.of(0.5, form) is None
    guided = Keeping.of(0.5, form, guided=True)
    assert guided is not None
    assert max(own.turn for own in guided.rules) < 0.5
