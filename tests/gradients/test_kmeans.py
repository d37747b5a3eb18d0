"""Two-stage K-means on strokes whose clusters of hue and saturation are known."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from gradvec.gradients.kmeans import PIXELS_FOR_TWO, control_points, hue_saturation, two_means
from gradvec.model import StrokePatch
from hypothesis import given, settings
from hypothesis import strategies as st


def hsv(hue: float, saturation: float, value: float = 0.8) -> tuple[float, float, float]:
    """Hue in half degrees and saturation in levels, as the paper counts them."""
    return colorsys.hsv_to_rgb(hue % 180 / 180, saturation / 255, value)


def bands(*parts: tuple[tuple[float, float], int], height: int = 20, noise: float = 0.0,
          offset: tuple[int, int] = (100, 50)) -> StrokePatch:
    """Vertical bands of ((hue, saturation), width) side by side in a frame of two bare pixels."""
    rng = np.random.default_rng(3)
    columns = [part for part, width in parts for _ in range(width)]
    color = np.array([[hsv(h + noise * rng.normal(), s + noise * rng.normal()) for h, s in columns]
                      for _ in range(height)])
    alpha = np.pad(np.ones((height, len(columns))), 2)
    return StrokePatch(alpha.astype(np.float32), np.pad(color, ((2, 2), (2, 2), (0, 0))).astype(np.float32), offset)


def found(patch: StrokePatch) -> list[tuple[float, float]]:
    """(hue, saturation) of the control points."""
    points = control_points(patch)
    hue, saturation = hue_saturation(np.array([p.color for p in points]))
    return list(zip(hue.tolist(), saturation.tolist(), strict=True))


def test_two_hues_give_a_point_in_the_middle_of_each() -> None:
    first, second = control_points(bands(((30, 180), 20), ((70, 120), 14)))
    np.testing.assert_allclose(first.color, hsv(30, 180), atol=1e-5)
    np.testing.assert_allclose(second.color, hsv(70, 120), atol=1e-5)
    assert abs(first.x - (100 + 2 + 10)) <= 1
    assert abs(second.x - (100 + 2 + 27)) <= 1
    assert abs(first.y - (50 + 2 + 10)) <= 1


def test_noise_moves_points_little() -> None:
    clean, noisy = (control_points(bands(((30, 180), 20), ((70, 120), 14), noise=n)) for n in (0, 1.5))
    for a, b in zip(clean, noisy, strict=True):
        assert np.hypot(a.x - b.x, a.y - b.y) < 3
        assert np.abs(np.subtract(a.color, b.color)).max() < 12 / 255


@pytest.mark.parametrize("turn", [0, 3, 87, 171, 178, 179])
def test_red_is_one_colour_however_the_circle_is_cut(turn: int) -> None:
    """Hues within 3 of each other stay one cluster, and clusters 30 apart stay two, anywhere on the circle."""
    rng = np.random.default_rng(0)
    one = [((turn + h, 200.0), 1) for h in rng.uniform(-3, 3, 30)]
    for hue, _ in found(bands(*one)):
        assert min(abs(hue - turn), 180 - abs(hue - turn)) < 4
    two = found(bands(((turn - 15, 200), 15), ((turn + 15, 200), 15)))
    hues = sorted(round((h - turn + 90) % 180 - 90) for h, _ in two)
    assert hues == [-15, 15]


def test_one_hue_with_two_saturations() -> None:
    points = found(bands(((40, 80), 12), ((40, 200), 18)))
    assert sorted(round(s) for _, s in points) == [80, 200]
    assert all(abs(h - 40) < 0.5 for h, _ in points)


def test_one_colour_gives_the_same_point_twice() -> None:
    first, second = control_points(bands(((40, 150), 30)))
    assert first == second
    np.testing.assert_allclose(first.color, hsv(40, 150), atol=1e-5)


def test_a_cluster_with_more_than_nine_tenths_stands_alone() -> None:
    assert all(abs(h - 30) < 0.5 for h, _ in found(bands(((30, 200), 38), ((80, 200), 2))))
    assert {round(h) for h, _ in found(bands(((30, 200), 24), ((60, 200), 16)))} == {30, 60}


def test_white_and_transparent_pixels_take_no_part() -> None:
    patch = bands(((30, 180), 20), ((70, 120), 14))
    color, alpha = patch.color.copy(), patch.alpha.copy()
    color[5:8, 5:30] = 1  # white paint
    color[alpha == 0] = (0.1, 0.2, 0.9)  # colour under full transparency means nothing
    alpha[12:14, 5:30] = 0
    color[12:14, 5:30] = np.nan
    hues = sorted(round(h) for h, _ in found(StrokePatch(alpha, color, (0, 0))))
    assert hues == [30, 70]


def test_translucent_paint_is_seen_as_paint() -> None:
    patch = bands(((30, 180), 20), ((70, 120), 14))
    thin = StrokePatch(patch.alpha * np.float32(0.3), patch.color, patch.offset)
    assert control_points(thin) == control_points(patch)


def test_small_strokes_get_one_point() -> None:
    width = PIXELS_FOR_TWO // 20
    small = bands(((30, 180), width // 2 + 1), ((70, 120), width // 2 - 1))
    assert [round(h) for h, _ in found(small)] == [30]
    large = bands(((30, 180), width), ((70, 120), width))
    assert len(control_points(large)) == 2


@pytest.mark.parametrize("color", [(1, 1, 1), (0.5, 0.5, 0.5), (0, 0, 0)])
def test_strokes_without_a_hue_have_no_points(color: tuple) -> None:
    patch = StrokePatch(np.ones((20, 20), np.float32), np.full((20, 20, 3), color, np.float32), (0, 0))
    assert control_points(patch) == []
    assert control_points(StrokePatch(np.zeros((4, 4), np.float32), patch.color[:4, :4], (0, 0))) == []


def test_the_point_is_in_the_largest_patch_that_matches() -> None:
    """Three bands of one hue, the right one the largest; the middle one is another colour."""
    points = control_points(bands(((30, 180), 6), ((70, 120), 12), ((30, 180), 16)))
    right = next(p for p in points if abs(hue_saturation(np.array(p.color))[0] - 30) < 1)
    assert right.x > 100 + 2 + 18


def test_it_is_deterministic() -> None:
    patch = bands(((30, 180), 20), ((70, 120), 14), noise=4)
    assert control_points(patch) == control_points(patch)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 255, width=32), min_size=2, max_size=12))
def test_two_means_is_the_best_of_all_splits(values: list[float]) -> None:
    array = np.array(values)
    result = two_means(array)
    if np.ptp(array) == 0:
        assert result is None
        return
    ordered = np.sort(array)
    costs = [ordered[:k].var() * k + ordered[k:].var() * (len(array) - k) for k in range(1, len(array))]
    assert result is not None
    (low, high), cut = result
    below = array <= cut
    assert low == pytest.approx(array[below].mean(), abs=1e-4)
    assert high == pytest.approx(array[~below].mean(), abs=1e-4)
    cost = array[below].var() * below.sum() + array[~below].var() * (~below).sum()
    assert cost <= min(costs) + 1e-6 * (1 + min(costs))


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_hue_and_saturation_agree_with_colorsys(rgb: tuple[float, float, float]) -> None:
    hue, saturation = hue_saturation(np.array(rgb))
    h, s, _ = colorsys.rgb_to_hsv(*rgb)
    if max(rgb) - min(rgb) > 1e-3:
        assert abs((float(hue) - h * 180 + 90) % 180 - 90) < 0.1
        assert float(saturation) == pytest.approx(s * 255, abs=0.1)
