"""Holes between opaque strokes are closed from below, and slivers of strokes go."""

import numpy as np
import pytest
from gradvec.io.images import png_bytes
from gradvec.model import Outline, Shape, SolidColor, Target
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.settings import below
from gradvec.stages import holes

BLUE, RED = (0.1, 0.2, 0.8), (0.9, 0.1, 0.1)
WIDTH, HEIGHT = 96, 64


def box(left, top, right, bottom, color=BLUE):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor(color), brush="oil")


def target(color=BLUE):
    rgb = np.broadcast_to(np.array(color, np.float32), (HEIGHT, WIDTH, 3)).copy()
    return Target(rgb, np.ones((HEIGHT, WIDTH), np.float32), (WIDTH, HEIGHT))


def bare(shapes):
    return holes._bare(shapes, target(), holes.Below("oil", 9, "reference"))


@pytest.mark.parametrize("brush", ["oil", "tape"])
def test_a_hole_of_another_colour_is_closed_from_below(brush):
    strokes = [box(-4, -4, 40, 70), box(40, -4, 100, 20), box(40, 26, 100, 70)]
    shapes, layer = holes.closed(strokes, [1, 1, 2], target(), RED, holes.Below(brush, 9, "reference"))
    assert all(a is b for a, b in zip(shapes[1:], strokes, strict=True))
    assert layer == [1, 1, 1, 2]
    assert shapes[0].fill.color == pytest.approx(BLUE, abs=1e-3)
    assert bare(strokes)[20:26, 40:].min() == 1
    assert bare(shapes)[20:26, 40:].mean() < 0.06


def test_there_are_never_more_strokes_than_wanted_and_the_worst_hole_goes_first():
    strokes = [box(-4, -4, 30, 70), box(33, -4, 70, 70), box(80, -4, 100, 70)]
    some, _layer = holes.closed(strokes, [0] * 3, target(), RED, holes.Below("oil", 4, "reference"))
    assert len(some) == 4
    assert (bare(some)[:, 70:80].mean(), bare(some)[:, 31].mean()) == pytest.approx((0, 1), abs=0.06)
    assert len(holes.closed(strokes, [0] * 3, target(), RED, holes.Below("oil", 3, "reference"))[0]) == 3


def test_what_the_ground_shows_rightly_is_no_hole():
    strokes = [box(-4, -4, 40, 70), box(50, -4, 100, 70)]
    assert len(holes.closed(strokes, [0, 0], target(), BLUE, holes.Below("oil", 9, "reference"))[0]) == 2


def test_a_stroke_of_which_a_sliver_is_left_goes():
    hidden = box(10, 10, 50.05, 30, RED)
    shapes, _layer = holes.closed([hidden, box(-4, -4, 50, 70), box(50.05, -4, 100, 70)], [0] * 3, target(), BLUE,
                                  holes.Below("oil", 3, "reference"))
    assert all(shape is not hidden for shape in shapes)
    assert len(shapes) == 2


def test_of_too_many_strokes_those_that_are_seen_most_stay_in_their_order():
    strokes = [box(0, 0, 90, 60), box(5, 5, 8, 8), box(10, 10, 40, 40), box(50, 10, 60, 12)]
    shapes, layer = holes.most_seen(strokes, [0, 0, 1, 2], target(), 2, "reference")
    assert [any(shape is one for one in shapes) for shape in strokes] == [True, False, True, False]
    assert layer == [0, 1]
    assert holes.most_seen(strokes, [0, 0, 1, 2], target(), 4)[0] == strokes
    assert holes.most_seen([], [], target(), 4) == ([], [])


def test_a_small_stroke_in_an_ink_that_belongs_elsewhere_goes():
    """What other layers left over of a red stroke lies on blue; one that is seen on red as well stays, and so does a
    large one."""
    picture = target()
    picture.rgb[:, 60:] = RED
    large = [box(-4, -4, 60, 70), box(60, -4, 100, 70, RED)]
    stray, rightly, wide = box(10, 10, 14, 20, RED), box(58, 30, 70, 36, RED), box(2, 40, 50, 60, RED)
    shapes, layer = holes.most_seen([*large, stray, rightly, wide], [0, 1, 1, 1, 1], picture, 5, "reference")
    assert [id(shape) for shape in shapes] == [id(shape) for shape in (*large, rightly, wide)]
    assert layer == [0, 1, 1, 1]


@pytest.mark.parametrize(("options", "does"), [
    ({"look": "oil"}, True), ({"look": "cut"}, True), ({"look": "photo"}, False), ({"look": "marker"}, False),
    ({"look": "print"}, False), ({"look": "paper"}, False), ({"look": "oil", "background": "#ffffff"}, False)])
def test_only_opaque_strokes_on_our_own_ground_have_holes(options, does):
    assert (below(Options.from_dict(options)) is not None) == does


def test_a_painting_keeps_to_its_number_of_strokes():
    picture = np.zeros((48, 64, 3))
    picture[:, :40], picture[:, 40:] = BLUE, RED
    options = Options.from_dict({"look": "oil", "strokes": 50, "size": 64, "texture": "none"})
    result = paint_picture(png_bytes(picture), options)
    assert 1 < len(result.document.shapes) <= 51
