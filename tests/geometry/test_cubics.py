"""Closed cubic fits: inverses, exactness of splitting, and how segments are shared out."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from gradvec.geometry import cubics
from gradvec.geometry.fit_kernels import _span_error
from gradvec.geometry.trace import Contour, contours, shoelace
from gradvec.model import Outline
from outline_shapes import apart, blob, ellipse, outline, patch_of, polygon
from scipy.spatial import cKDTree

SQUARE = polygon((15, 20), (62, 20), (62, 58), (15, 58))


def traced(shape, most=16, accuracy=0.15, **kw):
    return Outline(cubics.fit_contours([contours(patch_of(shape, **kw))], most, accuracy)[0])


@pytest.mark.parametrize("radius", [3.0, 10.0, 30.0])
def test_a_circle_takes_few_cubics(radius):
    circle = outline(ellipse(40.4, 39.7, radius))
    rough, fine = traced(circle, accuracy=0.15), traced(circle, accuracy=0.1)
    assert rough.segments <= 5
    assert apart(rough, circle) < 0.2
    assert fine.segments <= 6
    assert apart(fine, circle) < 0.12


def test_the_corners_of_a_square_stay():
    fitted = traced(outline(SQUARE))
    assert fitted.segments == 4
    for corner in [(15, 20), (62, 20), (62, 58), (15, 58)]:
        assert np.hypot(*(fitted.loops[0][0::3] - corner).T).min() < 0.35
    assert apart(fitted, outline(SQUARE)) < 0.4


@pytest.mark.parametrize("sides", [5, 6, 7])
def test_a_polygon_takes_one_cubic_a_side(sides):
    angle = 0.3 + np.arange(sides) * 2 * np.pi / sides
    shape = outline(polygon(*np.stack([40 + 30 * np.cos(angle), 40 + 30 * np.sin(angle)], 1)))
    fitted = traced(shape, accuracy=0.2)
    assert fitted.segments == sides
    assert apart(fitted, shape) < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_known_outline_comes_back(seed):
    shape = outline(blob(seed))
    assert apart(traced(shape, accuracy=0.05), shape) < 0.25


def test_less_accuracy_takes_fewer_segments_and_never_more_than_allowed():
    rough = outline(blob(3, segments=24, roughness=0.35, radius=28))
    counts = [traced(rough, 24, accuracy).segments for accuracy in (0.05, 0.3, 1.0, 3.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] >= 3
    for most in (3, 5, 9):
        assert traced(rough, most, 0.02).segments <= most


def test_smooth_joints_are_straight_and_corners_are_not():
    loop = traced(outline(ellipse(40, 40, 30, 18)), accuracy=0.05).loops[0]
    assert (np.abs(turns(loop)) < 1e-6).all()
    assert (np.abs(turns(traced(outline(SQUARE)).loops[0])) > np.radians(60)).all()


def noisy(loop, seed=0, px=0.15):
    """The contour of a loop whose points lie up to some tenths of a px beside it."""
    contour = cubics.as_contour(loop)
    noise = np.random.default_rng(seed).normal(0, px, contour.points.shape)
    return replace(contour, points=contour.points + noise)


@pytest.mark.parametrize("seed", range(4))
def test_noise_earns_no_corners_however_few_segments_there_are(seed):
    contour = noisy(blob(seed, radius=28), seed)
    for most in (8, 24):
        (loop,) = cubics.fit_contours([[contour]], most, 0.15)[0]
        assert (np.abs(turns(loop)) < 1e-6).mean() >= 0.8


@pytest.mark.parametrize("degrees", [90, 60, 45])
def test_corners_of_a_shape_are_earned_through_noise(degrees):
    """A lens of two arcs that meet at two tips: each arc turns by half of what is left of a full turn."""
    half = np.radians(90 - degrees / 2)
    along = np.linspace(-half, half, 60)[:-1]
    arc = np.stack([np.sin(along) / np.sin(half), (np.cos(half) - np.cos(along)) / np.sin(half)], 1)
    points = 50 + 30 * np.concatenate([arc, -arc])
    points += np.random.default_rng(1).normal(0, 0.05, points.shape)
    step = np.hypot(*(np.roll(points, -1, 0) - points).T)
    contour = Contour(points, 0.5 * (step + np.roll(step, 1)), np.zeros(len(points), bool))
    (loop,) = cubics.fit_contours([[contour]], 12, 0.15)[0]
    turned = np.degrees(np.abs(turns(loop)))
    tips = [np.hypot(*(loop[0::3] - tip).T).argmin() for tip in ((20, 50), (80, 50))]
    np.testing.assert_allclose(turned[tips], degrees, atol=12)
    assert (np.delete(turned, tips) < 1e-6).all()


def turns(loop):
    """Angle in radians by which each joint turns."""
    arriving, leaving = loop[0::3] - np.roll(loop, 1, axis=0)[0::3], loop[1::3] - loop[0::3]
    cross = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    return np.arctan2(cross, (arriving * leaving).sum(1))


def test_segments_go_where_a_miss_shows():
    shape = patch_of(outline(blob(5, segments=20, roughness=0.35, radius=28)))
    shown = np.where(np.arange(80)[None, :] < 40, 1.0, 0.01) * np.ones((80, 1))
    loop = cubics.fit_contours([contours(shape, shown)], 16, 0.15)[0][0]
    assert (loop[0::3, 0] < 40).sum() >= 1.5 * (loop[0::3, 0] > 40).sum()


def test_a_ring_shares_its_segments_between_its_loops():
    ring = outline(ellipse(40, 40, 30), ellipse(40, 40, 15, hole=True))
    fitted = traced(ring, 8, 0.05)
    assert len(fitted.loops) == 2
    assert fitted.segments <= 8
    assert [np.sign(shoelace(cubics.flatten(loop))) for loop in fitted.loops] == [1, -1]
    assert apart(fitted, ring) < 0.45
    assert len(traced(ring, 4, 0.05).loops) == 1


def test_a_hole_that_is_not_worth_its_segments_is_left_out():
    pinhole = outline(ellipse(40, 40, 30), ellipse(40, 40, 2, hole=True))
    assert [len(traced(pinhole, 16, accuracy).loops) for accuracy in (0.2, 2.0)] == [2, 1]


def test_segments_are_shared_by_what_they_mend():
    error = np.array([[np.inf, 90, 60, 30, 20, 10, 5], [np.inf, 9, 6, 3, 2.95, 2.9, 2.85]], float)
    total, must = np.array([100.0, 100.0]), np.array([np.inf, np.inf])
    assert cubics.share_segments(error, total, must, np.array([0, 1]), 6, 0.1).tolist() == [6, 3]
    # Both in one outline that may have 9: the first gains more from every further one.
    assert cubics.share_segments(error, total, np.array([np.inf, 50]), np.array([0, 0]), 9, 0.01).tolist() == [6, 3]
    # With room for 7 the second would take more from the first than it is worth.
    assert cubics.share_segments(error, total, np.array([np.inf, 7.0]), np.array([0, 0]), 7, 0.01).tolist() == [6, 0]
    # Good enough at 4 segments: 20 is within 0.45^2 of 100.
    assert cubics.share_segments(error[:1], total[:1], must[:1], np.array([0]), 6, 0.45).tolist() == [4]


def test_groups_without_contours_stay_empty():
    contour = contours(patch_of(outline(SQUARE)))
    fitted = cubics.fit_contours([[], contour, []], 8, 0.2)
    assert [len(loops) for loops in fitted] == [0, 1, 0]
    assert cubics.fit_contours([], 8, 0.2) == []


def test_the_search_for_ends_finds_the_best_ones():
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * (10 + 4 * rng.random((14, 1)))
    contour = Contour(points, np.ones(14), np.zeros(14, bool))
    breaks, error = cubics._search([contour], 5)
    first = breaks[0, 4, 0]

    def cost(cuts):
        ends = [*cuts[1:], cuts[0] + 14]
        arc = np.concatenate([[0], np.cumsum(np.hypot(*(np.roll(points, -1, axis=0) - points).T))])
        return sum(_span_error(points, np.ones(14), a, b, arc, 1.0) for a, b in zip(cuts, ends, strict=True))

    best = min(cost([first, *(first + np.array(rest))]) for rest in combinations(range(1, 14), 3))
    assert error[0, 4] == pytest.approx(best)
    assert cost(list(breaks[0, 4, :4])) == pytest.approx(best)


@pytest.mark.parametrize("segments", [5, 9, 16])
def test_splitting_is_exact(segments):
    shape = outline(blob(7, segments=4), ellipse(40, 40, 8, hole=True))
    parts = cubics.split(shape, segments + 4)
    assert parts.segments == segments + 4
    for before, after in zip(shape.loops, parts.loops, strict=True):
        fine = np.concatenate([cubics.flatten(before, 4096)])
        assert cKDTree(fine).query(cubics.flatten(after, 16))[0].max() < 0.02
        assert exact_area(after) == pytest.approx(exact_area(before), rel=1e-12)


def exact_area(loop):
    """Signed area of a closed cubic loop, by Green's theorem with quadrature exact for degree five."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    t, w = (nodes + 1) / 2, weights / 2
    c = loop[(np.arange(0, len(loop), 3)[:, None] + np.arange(4)) % len(loop)]
    s = 1 - t
    at = np.einsum("ti,sid->std", np.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], 1), c)
    d = 3 * np.einsum("ti,sid->std", np.stack([s * s, 2 * s * t, t * t], 1), np.diff(c, axis=1))
    return float(0.5 * ((at[..., 0] * d[..., 1] - at[..., 1] * d[..., 0]) * w).sum())


def test_splitting_halves_the_longest_first_and_never_merges():
    wide = outline(polygon((0, 0), (90, 0), (90, 10), (0, 10)))
    assert np.diff(np.sort(np.unique(cubics.split(wide, 6).loops[0][0::3, 0]))).tolist() == [45, 45]
    assert cubics.split(wide, 2).segments == 4


def test_halves_meet_on_the_curve():
    cubic = np.array([[0, 0], [3, 9], [12, -4], [10, 2]], float)
    one, other = cubics.halve(cubic, 0.3)
    np.testing.assert_array_equal(one[3], other[0])
    t, s = 0.3 * 0.5, 1 - 0.15
    expected = s**3 * cubic[0] + 3 * s * s * t * cubic[1] + 3 * s * t * t * cubic[2] + t**3 * cubic[3]
    np.testing.assert_allclose(cubics.halve(one, 0.5)[0][3], expected, atol=1e-12)


def test_fewer_cubics_follow_what_more_drew():
    """Halving segments adds none to the shape, so they can go again; those that it needs stay."""
    few = [traced(outline(blob(seed)), accuracy=0.05) for seed in (1, 2, 3)]
    many = [cubics.split(one, one.segments + 6) for one in few]
    for one, split, again in zip(few, many, cubics.fewer(many, 64, 0.05), strict=True):
        assert again.segments <= one.segments + 1 < split.segments
        assert apart(again, one) < 0.15
    square = outline(SQUARE)
    assert cubics.fewer([square], 64, 0.05)[0].segments == 4


def test_refitting_takes_away_segments_that_say_nothing():
    shape = outline(blob(2, segments=6))
    busy = cubics.split(shape, 20)
    again = cubics.refit(busy, 6)
    assert again.segments <= 6
    assert apart(again, shape) < 0.6
    assert cubics.refit(shape, 8) is shape
    assert cubics.refit(outline(ellipse(40, 40, 30), ellipse(40, 40, 10, hole=True)), 6).segments == 6
