"""Fewer nodes on smooth outlines: circles, lines and corners whose best answers are known."""

import numpy as np
import pytest
from gradvec.geometry.cubics import flatten, split
from gradvec.geometry.merging import merged, turns
from gradvec.model import Outline


def arcs(segments, radius=20.0):
    """A circle around (50, 40) as equal arcs; each of quarter turn or less is right to 3e-4 of the radius."""
    reach = 4 / 3 * np.tan(np.pi / 2 / segments)
    angle = 2 * np.pi * np.arange(segments) / segments
    out = np.stack([np.cos(angle), np.sin(angle)], 1)
    along = np.stack([-out[:, 1], out[:, 0]], 1)
    after, along_after = np.roll(out, -1, 0), np.roll(along, -1, 0)
    loop = np.stack([out, out + reach * along, after - reach * along_after], 1).reshape(-1, 2)
    return Outline((loop * radius + (50.0, 40.0),))


SQUARE = np.array([[10, 10], [50, 10], [50, 50], [10, 50]], float)


def square():
    after = np.roll(SQUARE, -1, 0)
    return Outline((np.stack([SQUARE, SQUARE + (after - SQUARE) / 3, after + (SQUARE - after) / 3], 1).reshape(-1, 2),))


def off_circle(outline, radius=20.0):
    """Largest distance of an outline from that circle."""
    return np.abs(np.hypot(*(flatten(outline.loops[0], 64) - (50.0, 40.0)).T) - radius).max()


@pytest.mark.parametrize(("accuracy", "most"), [(0.001, 9), (0.01, 5), (0.1, 3)])
def test_a_circle_of_many_arcs_needs_few(accuracy, most):
    [simple] = merged([arcs(16)], accuracy)
    assert 3 <= simple.segments <= most
    # Root mean square distance is what is promised; along a circle the largest is about twice that.
    assert off_circle(simple) < 3 * accuracy + off_circle(arcs(16))
    assert turns(simple.loops[0]).max() < 1e-6


def test_halves_of_one_cubic_become_it_again():
    """The joints of what was split are corners, which stay; so only halves can go together."""
    few = Outline((np.array([[0, 0], [60, -40], [160, 0], [120, 60], [150, 90], [90, 60], [20, 140], [-20, 130],
                             [-30, 50]], float),))
    corners = np.degrees(turns(few.loops[0])) > 20
    assert corners.all()
    [again] = merged([split(few, 6)], 0.02)
    assert again.segments == 3
    np.testing.assert_allclose(again.loops[0], few.loops[0], atol=0.5)


def test_corners_stay_where_they_are():
    [simple] = merged([split(square(), 16)], 0.5)
    corners = simple.loops[0][0::3][turns(simple.loops[0]) > 1.0]
    assert simple.segments == 4
    np.testing.assert_allclose(sorted(map(tuple, corners)), sorted(map(tuple, SQUARE)), atol=1e-9)


def test_outlines_do_not_share_what_they_may_cost_and_keep_their_loops():
    ring = Outline((arcs(12).loops[0], arcs(12, 8.0).loops[0][::-1].copy()))
    alone, together = merged([ring], 0.05), merged([arcs(16), ring, square()], 0.05)
    assert [len(loop) for loop in alone[0].loops] == [len(loop) for loop in together[1].loops]
    np.testing.assert_array_equal(alone[0].loops[0], together[1].loops[0])
    assert merged([], 0.1) == []


def test_turns_of_a_square_are_right_angles_and_those_of_a_circle_none():
    np.testing.assert_allclose(turns(square().loops[0]), np.pi / 2)
    np.testing.assert_allclose(turns(arcs(7).loops[0]), 0.0, atol=1e-12)
