"""Where things go in a film, and strokes with them, held to motions that are known exactly."""

import films
import numpy as np
import pytest
from gradvec.film import flow, moving
from gradvec.film.figures import flicker, psnr
from gradvec.model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop

INSIDE = np.s_[8:-8, 8:-8]


def test_a_shift_is_found():
    before, after = films.moving(2, step=(2.5, -1.0))
    back = flow.flow_back(before, after)
    assert np.abs(back[0][INSIDE] - 2.5).mean() < 0.2, "what is here now was further right"
    assert np.abs(back[1][INSIDE] + 1.0).mean() < 0.2
    assert np.abs(flow.moved_along(before, back) - after)[INSIDE].mean() < 0.02


def test_forward_is_the_inverse_of_back():
    before, after = films.turning(2, step=0.08)
    back = flow.flow_back(before, after)
    forward = flow.inverted(back)
    y, x = np.mgrid[:films.HEIGHT, :films.WIDTH].astype(float)
    there = np.stack([flow.map_coordinates(plane, [y + forward[1], x + forward[0]], order=1) for plane in back])
    assert np.abs(there + forward)[:, 8:-8, 8:-8].max() < 0.05


def test_what_is_uncovered_was_not_known():
    before, after = films.covered(2)
    known = flow.known(before, after, flow.flow_back(before, after))
    assert known[5:50, 50:70].min() > 0.8, "the ground stays"
    assert known[24:32, 5:7].mean() < 0.5, "where the disc was there is ground now"


@pytest.mark.parametrize("film", [films.moving(5), films.turning(5), films.fading(5), films.covered(5)])
def test_there_is_no_cut_inside_a_shot(film):
    cuts = flow.Cuts()
    assert [cuts.begins(frame) for frame in film] == [True, False, False, False, False]


def test_a_cut_is_found():
    cuts = flow.Cuts()
    other = [frame * np.array([0.2, 0.5, 1], np.float32) for frame in films.moving(3, seed=7)]
    assert [cuts.begins(frame) for frame in [*films.moving(3), *other]] == [True, False, False, True, False, False]


def test_light_is_told_from_movement():
    first, second = films.moving(2)
    dimmed = np.float32(0.7) * second
    light = flow.Light.between(first, dimmed)
    assert light.gain == pytest.approx(np.full(3, 0.7), abs=0.05)
    assert light.on(second) == pytest.approx(dimmed, abs=0.04)
    assert flow.Light.between(first, first).same


def rectangle(left, top, right, bottom):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    step = (np.roll(corners, -1, 0) - corners) / 3
    return Outline((np.stack([corners, corners + step, corners + 2 * step], 1).reshape(-1, 2),))


def affine_flow(linear, shift):
    y, x = np.mgrid[:films.HEIGHT, :films.WIDTH] + 0.5
    at = np.stack([x, y])
    return (np.einsum("ij,jhw->ihw", linear - np.eye(2), at) + np.reshape(shift, (2, 1, 1))).astype(np.float32)


def test_a_large_stroke_turns_with_what_it_shows():
    angle = 0.05
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = affine_flow(linear, (2.0, -1.0))
    shape = Shape(rectangle(10, 10, 60, 40), SolidColor((1, 0, 0)))
    moved, = moving.moved([shape], forward, np.ones((films.HEIGHT, films.WIDTH), np.float32))
    expected = shape.outline.loops[0] @ linear.T + (2.0, -1.0)
    assert np.abs(moved.outline.loops[0] - expected).max() < 0.4


def test_a_stroke_goes_with_what_is_seen_of_it_and_not_with_what_lies_over_it():
    forward = affine_flow(np.eye(2), (0.0, 0.0))
    forward[0, :, 30:] = 5.0
    ones = np.ones((films.HEIGHT, films.WIDTH), np.float32)
    under, over = Shape(rectangle(5, 10, 50, 40), SolidColor((1, 0, 0))), Shape(rectangle(30, 5, 55, 50),
                                                                                SolidColor((0, 0, 1)))
    below, above = moving.moved([under, over], forward, ones)
    assert below.outline.loops[0] == pytest.approx(under.outline.loops[0], abs=0.2)
    assert above.outline.loops[0] == pytest.approx(over.outline.loops[0] + (5, 0), abs=0.2)


def test_a_gradient_goes_with_its_stroke():
    matrix = np.array([[0.0, -2.0, 3.0], [2.0, 0.0, 1.0]])
    stops = (Stop(0, (0, 0, 0)), Stop(1, (1, 1, 1)))
    shape = Shape(rectangle(0, 0, 4, 2), LinearGradient(0, 0, 4, 0, stops))
    turned = moving.transformed(shape, matrix)
    assert (turned.fill.x1, turned.fill.y1, turned.fill.x2, turned.fill.y2) == (3, 1, 3, 9)
    round_one = moving.transformed(Shape(shape.outline, RadialGradient(1, 1, 2, stops)), matrix)
    assert (round_one.fill.cx, round_one.fill.cy, round_one.fill.r) == (1, 3, 4)


def test_flicker_is_what_does_not_move_with_the_film():
    film = films.moving(4)
    noise = np.random.default_rng(0)
    trembling = [frame + noise.normal(0, 0.1, frame.shape).astype(np.float32) for frame in film]
    assert flicker(film, film) < 0.01
    assert flicker(trembling, film) > 5 * flicker(film, film)
    assert psnr(trembling, film) == pytest.approx(20.0, abs=0.2)
