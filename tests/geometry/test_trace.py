"""Contours against shapes that are known in closed form."""

from itertools import pairwise

import numpy as np
import pytest
from gradvec.geometry.contours import march, thin
from gradvec.geometry.trace import contours, peak, picture_bounds, shoelace
from gradvec.model import StrokePatch
from outline_shapes import ellipse, outline, patch_of, polygon


def from_alpha(alpha, offset=(0, 0)):
    alpha = np.asarray(alpha, np.float32)
    return StrokePatch(alpha, np.zeros((*alpha.shape, 3), np.float32), offset)


@pytest.mark.parametrize("radius", [1.5, 4.0, 20.0])
def test_a_disc_gives_its_circle(radius):
    (contour,) = contours(patch_of(outline(ellipse(40.3, 39.8, radius)), offset=(5, 7)))
    distance = np.hypot(*(contour.points - [45.3, 46.8]).T)
    assert np.abs(distance - radius).max() < 0.2
    # A polygon with corners on a curve lies inside of it: by up to 0.1 px where the curve is as tight as a pixel.
    assert contour.area == pytest.approx(np.pi * radius**2, abs=0.1 * 2 * np.pi * radius)
    # The points stand for the whole length between them.
    assert contour.weight.sum() == pytest.approx(2 * np.pi * radius, rel=0.05)


def test_outer_contours_run_clockwise_and_holes_the_other_way():
    ring = outline(ellipse(40, 40, 30), ellipse(40, 40, 15, hole=True))
    outer, hole = contours(patch_of(ring))
    assert outer.area == pytest.approx(np.pi * 900, rel=0.01)
    assert hole.area == pytest.approx(-np.pi * 225, rel=0.01)
    assert [c.area > 0 for c in contours(patch_of(ring), holes=False)] == [True]


def test_pieces_are_kept_and_specks_are_not():
    pieces = outline(ellipse(25, 40, 16), ellipse(60, 40, 12), ellipse(44, 70, 0.7), ellipse(70, 70, 2.5))
    found = contours(patch_of(pieces))
    assert [round(c.points[:, 0].mean()) for c in found] == [25, 60, 70]
    assert len(contours(patch_of(pieces), min_size_px=6.0)) == 2


def test_a_further_loop_is_worth_the_error_without_it():
    shape = outline(ellipse(30, 40, 22), ellipse(68, 40, 8), ellipse(30, 40, 6, hole=True))
    weight = np.full((80, 80), 0.5, np.float32)
    main, piece, hole = contours(patch_of(shape), weight)
    assert main.worth == np.inf
    assert piece.worth == pytest.approx(0.5 * np.pi * 64, rel=0.05)
    assert hole.worth == pytest.approx(0.5 * np.pi * 36, rel=0.1)


def test_a_faint_stroke_has_the_same_edge():
    disc = outline(ellipse(40, 40, 20))
    full, faint = (contours(patch_of(disc, opacity=o))[0] for o in (1.0, 0.3))
    np.testing.assert_allclose(faint.points, full.points, atol=1e-3)
    assert peak(patch_of(disc, opacity=0.3).alpha) == pytest.approx(0.3, abs=1e-3)


def test_nothing_visible_gives_no_contour():
    assert contours(from_alpha(np.zeros((5, 5)))) == []
    assert contours(from_alpha(np.full((5, 5), 1e-4))) == []
    assert contours(from_alpha([[1.0]])) == []


def test_a_line_of_one_pixel_is_a_contour():
    alpha = np.zeros((5, 30))
    alpha[2, 3:27] = 1
    (contour,) = contours(from_alpha(alpha))
    assert np.ptp(contour.points, axis=0) == pytest.approx([24, 1], abs=0.01)


def test_a_stroke_cut_off_by_the_picture_runs_along_its_border():
    square = outline(polygon((-20, -20), (30, -20), (30, 25), (-20, 25)))
    patch = patch_of(square, 40, 40)
    other = from_alpha(np.ones((40, 40)))
    (contour,) = contours(patch, bounds=picture_bounds([patch, other]))
    assert contour.points.min() == 0.0
    corners = contour.points[contour.fixed]
    np.testing.assert_allclose(corners[np.lexsort(corners.T)], [[0, 0], [30, 0], [0, 25]], atol=0.3)
    assert contour.area == pytest.approx(30 * 25, abs=0.5)


def test_what_matters_is_weighed():
    patch = patch_of(outline(ellipse(40, 40, 20)))
    importance = np.where(np.arange(80)[None, :] < 40, 0.25, 1.0) * np.ones((80, 1))
    plain, weighed = contours(patch)[0], contours(patch, importance)[0]
    share = weighed.weight / plain.weight
    np.testing.assert_allclose(share[plain.points[:, 0] < 39.9], 0.25)
    np.testing.assert_allclose(share[plain.points[:, 0] > 40.1], 1.0)


@pytest.mark.parametrize("joined", [True, False])
def test_cells_that_touch_at_a_corner_follow_the_mean(joined):
    grid = np.zeros((6, 6))
    grid[2, 2] = grid[3, 3] = 0.9
    grid[2, 3] = grid[3, 2] = 0.3 if joined else 0.0
    points, start = march(grid, 0.5)
    assert len(start) - 1 == (1 if joined else 2)
    assert all(shoelace(points[a:b]) > 0 for a, b in pairwise(start))


def test_march_closes_every_contour_of_noise():
    grid = np.zeros((40, 40))
    grid[1:-1, 1:-1] = np.random.default_rng(0).random((38, 38))
    points, start = march(grid, 0.5)
    for a, b in pairwise(start):
        loop = points[a:b]
        assert np.hypot(*(loop - np.roll(loop, 1, axis=0)).T).max() <= np.sqrt(2) + 1e-9
    # Signed areas tell inside from outside: together they are what lies above the level, to half a cell each.
    assert sum(shoelace(points[a:b]) for a, b in pairwise(start)) == pytest.approx(
        (grid >= 0.5).sum(), rel=0.05)


def test_thinning_keeps_the_corners_of_a_polygon():
    corners = np.array([[0, 0], [30, 0], [30, 12], [8, 20]], float)
    edge = np.linspace(0, 1, 20, endpoint=False)[:, None]
    dense = np.concatenate([a + (b - a) * edge for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    keep = np.zeros(len(dense), bool)
    assert thin(dense, 4, keep).tolist() == [0, 20, 40, 60]
    keep[[5, 50]] = True
    assert {5, 50} <= set(thin(dense, 2, keep).tolist())
