"""Path data: closed forms, the inverse, and a renderer that we did not write."""

import math

import numpy as np
import pytest
from gradvec.errors import EngineError, InputError
from gradvec.io.svg.path import arc_cubics, commands, number, parse_path, path_data, segment_count
from gradvec.model import Outline
from hypothesis import given
from hypothesis import strategies as st

SQUARE = Outline((np.array([[10, 10], [13.3333, 10], [16.6667, 10], [20, 10], [20, 13.3333], [20, 16.6667], [20, 20],
                            [16.6667, 20], [13.3333, 20], [10, 20], [10, 16.6667], [10, 13.3333]]),))


@pytest.mark.parametrize(("hundredths", "text"), [
    (0, "0"), (1, "0.01"), (10, "0.1"), (100, "1"), (-5, "-0.05"), (1250, "12.5"), (-100000, "-1000")])
def test_numbers_carry_no_useless_digit(hundredths, text):
    assert number(hundredths) == text


def test_written_form():
    loop = np.array([[1, 2], [1.5, 2], [3, 1.004], [4, 1], [4, 3], [2, 3]])
    assert path_data(Outline((loop,))) == "M1 2C1.5 2 3 1 4 1 4 3 2 3 1 2z"
    assert path_data(Outline((loop,)), relative=True) == "M1 2c0.5 0 2-1 3-1 0 2-2 2-3 1z"


@pytest.mark.parametrize("relative", [False, True])
@given(st.lists(st.lists(st.tuples(*[st.floats(-5000, 5000)] * 6), min_size=1, max_size=5), min_size=1, max_size=3))
def test_reading_is_the_inverse_of_writing(relative, loops):
    outline = Outline(tuple(np.array(loop).reshape(-1, 2) for loop in loops))
    back = parse_path(path_data(outline, relative))
    assert [len(loop) for loop in back.loops] == [len(loop) for loop in outline.loops]
    for read, written in zip(back.loops, outline.loops, strict=True):
        assert np.abs(read - written).max() <= 0.005 + 1e-9
    assert path_data(back, relative) == path_data(outline, relative)


def test_rounding_does_not_drift_along_a_path():
    steps = np.linspace(0, 100, 300 * 3, endpoint=False)
    loop = np.stack([steps, steps / 3], 1)
    assert np.abs(parse_path(path_data(Outline((loop,)), relative=True)).loops[0] - loop).max() <= 0.005 + 1e-9


@pytest.mark.parametrize("d", [
    "M10 10L20 10L20 20L10 20Z", "m10,10 10,0 0,10 -10,0 z", "M10 10H20V20H10z", "M10 10h10v10h-10Z",
    "M10 10 20 10 20 20 10 20", "M10 10L20 10L20 20L10 20L10 10Z", "M 1e1 10 h1e+1v.1e2h-10z"])
def test_every_spelling_of_a_square(d):
    loop, = parse_path(d).loops
    assert np.allclose(loop, SQUARE.loops[0], atol=1e-3)


def test_smooth_and_quadratic_segments():
    spelled = parse_path("M0 0C0 5 5 10 10 10C15 10 20 5 20 0Z").loops[0]
    assert np.allclose(parse_path("M0 0C0 5 5 10 10 10S20 5 20 0z").loops[0], spelled)
    assert np.allclose(parse_path("m0 0c0 5 5 10 10 10s10-5 10-10z").loops[0], spelled)
    quadratic = parse_path("M0 0Q5 10 10 0T20 0Z").loops[0]
    assert np.allclose(quadratic[:7], [[0, 0], [10 / 3, 20 / 3], [20 / 3, 20 / 3], [10, 0], [40 / 3, -20 / 3],
                                       [50 / 3, -20 / 3], [20, 0]])


def test_several_loops_and_moves_after_close():
    outline = parse_path("M0 0h4v4h-4zm10 0h2v2h-2z M30 0zM5 5")
    assert [loop[0].tolist() for loop in outline.loops] == [[0, 0], [10, 0]]
    assert parse_path("M0 0h4v4zh9v9z").loops[1][0].tolist() == [0, 0]


def test_arcs_lie_on_their_circle():
    for flags in ("0 0", "0 1", "1 0", "1 1", "01", "1,1"):
        loop, = parse_path(f"M10 0A10 10 0 {flags} 0 10Z").loops
        ends = loop[::3]
        centers = [np.array([0, 0]), np.array([10, 10])]
        assert min(np.abs(np.hypot(*(ends - c).T) - 10).max() for c in centers) < 1e-9


def test_arc_middle_and_too_small_radius():
    cubics = arc_cubics(complex(-5, 0), complex(5, 0), [1, 1, 0, 0, 1])
    assert len(cubics) == 2
    assert abs(cubics[0][2] - complex(0, -5)) < 1e-9
    out, into, end = arc_cubics(5 + 0j, 5j, [5, 5, 30, 0, 1])[0]
    middle = 5 / 8 + 3 / 8 * out + 3 / 8 * into + end / 8
    assert abs(abs(middle) - 5) < 5 * 3e-4
    assert arc_cubics(1j, 1j, [5, 5, 0, 0, 1]) == []
    assert len(arc_cubics(0j, 3 + 0j, [0, 5, 0, 0, 1])) == 1


@pytest.mark.parametrize(("d", "count"), [
    ("M1 2c0.5 0 2-1 3-1 0 2-2 2-3 1z", 2), ("M0 0L1 1 2 2z", 2), ("M0 0 1 1 2 2z", 2), ("", 0), ("M0 0H1V2z", 2),
    ("M0 0a1 1 0 0110 10", 1)])
def test_segments_are_counted_with_implicit_repetition(d, count):
    assert segment_count(d) == count


@pytest.mark.parametrize("d", ["L0 0", "M1", "M0 0C1 2 3z", "M0 0K1 2", "M0 0L1 x", "hello",
                               "M0 0A1 1 0 2 0 3 3", "M0 0z1"])
def test_what_is_no_path_data_is_refused(d):
    with pytest.raises(InputError):
        list(commands(d))


def test_not_a_number_is_never_written():
    with pytest.raises(EngineError):
        path_data(Outline((np.array([[0, 0], [1, math.nan], [2, 0]]),)))
