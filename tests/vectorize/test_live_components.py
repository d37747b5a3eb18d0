"""Regions to start paths from: found whole, larger first, also where they lie behind others."""

import numpy as np
from gradvec.model import Outline, Shape, SolidColor, Target
from gradvec.stages.vectorize.error_regions import components, fit_planes, mended, quantized
from gradvec.stages.vectorize.initialize import circle, ground_color
from gradvec.stages.vectorize.occlusion import distinct, owners, whole

WHITE = np.ones(3)
BLUE, RED, GREEN = np.array([0.1, 0.2, 0.7]), np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.6, 0.2])


def picture(*boxes, size=60):
    """Boxes (top, bottom, left, right, colour) on white: premultiplied RGBA, opaque."""
    result = np.ones((size, size, 4))
    for top, bottom, left, right, color in boxes:
        result[top:bottom, left:right, :3] = color
    return result


def best(wanted, shown, flat=True, most=8):
    return components(wanted, shown, most, flat)


def test_a_flat_region_is_found_whole():
    wanted = picture((10, 30, 12, 50, BLUE))
    found = best(wanted, picture())[0]
    assert found.box == (slice(10, 30), slice(12, 50))
    assert found.mask.all()
    assert np.allclose(found.color[:3], BLUE)
    assert np.isclose(found.gain, np.square(WHITE - BLUE).sum() * 20 * 38)


def test_the_larger_error_comes_first():
    wanted = picture((5, 15, 5, 15, BLUE), (20, 50, 20, 50, BLUE))
    first, second = best(wanted, picture())[:1] + [p for p in best(wanted, picture()) if p.area == 100][:1]
    assert (first.area, second.area) == (900, 100)


def test_what_counts_more_comes_first():
    wanted = picture((5, 15, 5, 15, BLUE), (20, 50, 20, 50, BLUE))
    importance = np.ones(wanted.shape[:2])
    importance[:18, :18] = 10
    first = components(wanted, picture(), 8, True, importance)[0]
    assert first.area == 100
    assert np.isclose(first.gain, 10 * np.square(WHITE - BLUE).sum() * 100)


def test_what_is_right_already_is_no_region():
    wanted = picture((10, 30, 12, 50, BLUE))
    assert best(wanted, wanted) == []
    half = picture((10, 30, 12, 30, BLUE))
    assert best(wanted, half)[0].box == (slice(10, 30), slice(30, 50))


def test_two_colors_are_two_regions_though_both_are_far_from_the_ground():
    wanted = picture((10, 30, 10, 50, BLUE), (30, 50, 10, 50, GREEN))
    assert {(p.box[0].start, p.box[0].stop) for p in distinct(best(wanted, picture()), 2)} == {(10, 30), (30, 50)}
    assert best(wanted, picture())[0].area == 800


def test_a_ramp_is_one_region_where_paths_may_have_gradients():
    wanted = picture((5, 55, 10, 50, BLUE))
    wanted[5:55, 10:50, 0] = np.linspace(0.1, 0.9, 50)[:, None]
    assert best(wanted, picture(), flat=False)[0].area == 50 * 40
    assert best(wanted, picture(), flat=True)[0].area < 50 * 40


def test_transparent_pixels_are_no_region():
    wanted = picture()
    wanted[:, :30] = 0.0
    assert best(wanted, np.zeros_like(wanted))[0].box == (slice(0, 60), slice(30, 60))


def test_quantizing_is_by_color():
    colors = picture((10, 30, 12, 50, BLUE), (40, 50, 12, 50, RED))[..., :3]
    labels = quantized(colors, np.ones((60, 60), bool), 3)
    assert len({labels[0, 0], labels[20, 20], labels[45, 20]}) == 3
    assert len(np.unique(labels)) == 3


def test_planes_are_least_squares():
    rows, columns = np.indices((12, 9)).reshape(2, -1)
    owner = (columns > 4).astype(int)
    values = np.stack([0.2 + 0.03 * rows, 0.5 - 0.02 * columns], 1)
    values[owner == 1] += 0.3
    coefficients, basis = fit_planes(owner, rows, columns, values, 2, False)
    assert np.allclose(np.einsum("pb,pbc->pc", basis, coefficients[owner]), values, atol=2e-3)
    coefficients, basis = fit_planes(owner, rows, columns, values, 2, True)
    assert np.allclose(coefficients[:, 0, 0], [values[owner == k, 0].mean() for k in (0, 1)])


def test_harm_counts_in_full_and_a_poor_fit_little():
    perfect, poor, harm = mended(np.array([0.3, 0.3, 0.0]), np.array([0.0, 0.2, 0.2]))
    assert perfect == 0.3
    assert 0 < poor < 0.1 * 0.1
    assert harm == -0.2


def behind(wanted, shown, shapes):
    parts = components(wanted, shown, 8, True)
    return [w for w in whole(parts, wanted, shown, owners(shapes, *wanted.shape[:2]), 8) if w.bridge.any()]


def box_shape(top, bottom, left, right, color):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    step = np.roll(corners, -1, 0) - corners
    return Shape(Outline((np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2),)),
                 SolidColor(tuple(color)))


def test_two_pieces_of_a_bar_are_one_region_under_the_bar_that_hides_it():
    upright, across = (5, 55, 25, 35, GREEN), (25, 35, 5, 55, RED)
    wanted = picture(upright, across)
    found = behind(wanted, picture(across), [box_shape(*across)])
    bar = max(found, key=lambda w: w.gain)
    assert bar.below == 0
    assert (bar.mask | bar.bridge).sum() == 50 * 10
    assert bar.bridge[25:35, 25:35].all()


def test_pieces_with_the_ground_between_them_stay_pieces():
    wanted = picture((5, 25, 25, 35, GREEN), (35, 55, 25, 35, GREEN))
    assert not any(w.bridge[25:35].any() for w in behind(wanted, picture(), []))


def test_spots_on_a_shape_are_not_joined_under_it():
    disc = (5, 55, 5, 55, BLUE)
    wanted = picture(disc, (10, 20, 10, 20, RED), (10, 20, 40, 50, RED))
    assert not any(w.bridge[:, 21:39].any() for w in behind(wanted, picture(disc), [box_shape(*disc)]))


def test_owners_are_topmost():
    found = owners([box_shape(5, 50, 5, 50, BLUE), Shape(circle(30, 30, 8), SolidColor((0, 0, 0)))], 60, 60)
    assert (found[2, 2], found[10, 10], found[30, 30], found[30, 45]) == (-1, 0, 1, 0)


def target(wanted):
    return Target(wanted[..., :3].astype(np.float32), wanted[..., 3].astype(np.float32), (60, 60))


def test_the_ground_is_what_the_border_shows_most():
    assert np.allclose(ground_color(target(picture((5, 55, 5, 55, BLUE)))).color, 1.0)
    assert np.allclose(ground_color(target(picture((0, 40, 0, 60, BLUE)))).color, BLUE)


def test_the_ground_of_a_picture_without_a_common_color_is_its_mean():
    wanted = picture()
    wanted[..., 0], wanted[..., 1] = np.linspace(0, 1, 60)[:, None], np.linspace(0, 1, 60)[None, :]
    assert np.allclose(ground_color(target(wanted)).color, [0.5, 0.5, 1.0], atol=0.01)
