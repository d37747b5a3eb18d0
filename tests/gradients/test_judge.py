"""What the eye sees of a gradient, and gradients that it does not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradvec.color.oklab import difference, oklab
from gradvec.geometry.inside import inside
from gradvec.gradients.handles import re_ended
from gradvec.gradients.perceptual import NOTICEABLE, colors, simplified, simplify, simplify_all
from gradvec.model import Color, LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop


def polygon(*corners: tuple[float, float]) -> np.ndarray:
    """A loop of straight cubics through the corners."""
    at = np.array(corners, float)
    after = np.roll(at, -1, 0)
    return np.stack([at, at + (after - at) / 3, after - (after - at) / 3], 1).reshape(-1, 2)


SQUARE = Outline((polygon((10, 10), (50, 10), (50, 50), (10, 50)),))


def ramp(low: Color, high: Color) -> LinearGradient:
    return LinearGradient(10, 30, 50, 30, (Stop(0, low), Stop(1, high)))


def test_oklab_of_known_colours() -> None:
    """Values published with OKLab: white has lightness 1 and no chroma; sRGB red is 0.628, 0.225, 0.126."""
    np.testing.assert_allclose(oklab(np.array([1.0, 1, 1])), [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(oklab(np.array([1.0, 0, 0])), [0.62796, 0.22486, 0.12585], atol=1e-4)
    np.testing.assert_allclose(oklab(np.zeros(3)), 0, atol=1e-9)
    assert difference(np.array([0.5, 0.5, 0.5]), np.array([0.5, 0.5, 0.5])) == 0


def test_an_unseen_gradient_becomes_its_mean() -> None:
    fill = simplify(ramp((0.50, 0.4, 0.3), (0.52, 0.41, 0.31)), SQUARE)
    assert isinstance(fill, SolidColor)
    np.testing.assert_allclose(fill.color, (0.51, 0.405, 0.305), atol=1e-3)


def test_a_seen_gradient_stays_as_it_is() -> None:
    for fill in (ramp((0.5, 0.4, 0.3), (0.7, 0.5, 0.4)), SolidColor((0.1, 0.2, 0.3)),
                 RadialGradient(30, 30, 20, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1))))):
        assert simplify(fill, SQUARE) is fill


def test_the_limit_is_one_noticeable_difference() -> None:
    """Greys on both sides of it: the gradient's ends are half its span away from its mean."""
    grey = np.linspace(0.4, 0.6, 400)
    apart = difference(np.stack([grey] * 3, -1), np.full((1, 3), 0.5))
    just = float(grey[np.argmin(np.abs(apart - NOTICEABLE) + (grey < 0.5))]) - 0.5
    for factor, kind in ((0.9, SolidColor), (1.3, LinearGradient)):
        low, high = 0.5 - just * factor, 0.5 + just * factor
        assert type(simplify(ramp((low,) * 3, (high,) * 3), SQUARE)) is kind


def test_only_what_is_visible_counts() -> None:
    fill = ramp((0.9, 0.1, 0.1), (0.1, 0.1, 0.9))
    shown = np.zeros((60, 60))
    assert isinstance(simplify(fill, SQUARE, shown), SolidColor)
    shown[20:30, 29:31] = 1  # a sliver across the ramp
    sliver = simplify(fill, SQUARE, shown)
    assert isinstance(sliver, SolidColor)
    np.testing.assert_allclose(sliver.color, (0.5, 0.1, 0.5), atol=0.02)
    shown[20:30, 15:45] = 1
    assert simplify(fill, SQUARE, shown) is fill
    assert simplify(fill, SQUARE, 1.0) is fill
    assert isinstance(simplify(fill, SQUARE, 0.01), SolidColor)
    assert isinstance(simplify(fill, SQUARE, np.zeros((5, 5))), SolidColor)  # the shape lies outside the picture


def test_fading_gradients_are_kept() -> None:
    fill = LinearGradient(10, 30, 50, 30, (Stop(0, (0.5, 0.5, 0.5), 1), Stop(1, (0.5, 0.5, 0.5), 0)))
    assert simplify(fill, SQUARE) is fill


def faint(low: Color, high: Color, first: float, last: float) -> Shape:
    fill = LinearGradient(10, 30, 50, 30, (Stop(0, low, first), Stop(1, high, last)))
    return Shape(SQUARE, fill, opacity=0.9)


def test_a_fading_gradient_that_nobody_sees_becomes_one_colour_and_opacity() -> None:
    found = simplified(faint((0.50, 0.4, 0.3), (0.52, 0.41, 0.31), 0.60, 0.61))
    assert isinstance(found.fill, SolidColor)
    np.testing.assert_allclose(found.fill.color, (0.51, 0.405, 0.305), atol=2e-3)
    assert found.opacity == pytest.approx(0.9 * 0.605, abs=2e-3)
    for seen in (faint((0.5, 0.4, 0.3), (0.7, 0.5, 0.4), 0.60, 0.61), faint((0.5, 0.4, 0.3), (0.5, 0.4, 0.3), 0.5, 0.9),
                 faint((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.5, 0.9), faint((1.0, 1, 1), (1.0, 1, 1), 0.5, 0.9)):
        assert simplified(seen) is seen
        assert isinstance(simplified(seen, np.zeros((60, 60))).fill, SolidColor)


def test_in_a_drawing_only_what_is_seen_counts() -> None:
    fill = ramp((0.9, 0.1, 0.1), (0.1, 0.1, 0.9))
    lid = Outline((polygon((9, 9), (51, 9), (51, 51), (9, 51)),))
    below, above = Shape(SQUARE, fill, id="below"), Shape(lid, SolidColor((0.0, 0.0, 0.0)), id="above")
    assert isinstance(simplify_all([below, above], 60, 60)[0].fill, SolidColor)
    assert simplify_all([above, below], 60, 60) == [above, below]
    assert simplify_all([below, replace(above, opacity=0.5)], 60, 60)[0] is below
    fading = LinearGradient(10, 30, 50, 30, (Stop(0, (0, 0, 0), 0.2), Stop(1, (0, 0, 0), 0.4)))
    assert simplify_all([below, replace(above, fill=fading)], 60, 60)[0] is below
    assert simplify_all([below, above], 60, 60, only={"above"})[0] is below
    beside = Shape(Outline((polygon((70, 10), (90, 10), (90, 30)),)), fill)  # beyond the canvas
    assert len(simplify_all([beside, below], 60, 60)) == 2


def test_shapes_smaller_than_a_pixel() -> None:
    dot = Outline((polygon((10.1, 10.1), (10.3, 10.1), (10.2, 10.3)),))
    assert isinstance(simplify(ramp((1, 0, 0), (0, 0, 1)), dot), SolidColor)
    assert isinstance(simplify(ramp((1, 0, 0), (0, 0, 1)), Outline(())), SolidColor)


def test_inside_follows_the_non_zero_rule() -> None:
    """A square with a hole wound the other way, and one with an inner square wound the same way."""
    outer = polygon((0, 0), (20, 0), (20, 20), (0, 20))
    hole, same = polygon((5, 5), (5, 15), (15, 15), (15, 5)), polygon((5, 5), (15, 5), (15, 15), (5, 15))
    assert inside(Outline((outer,)), 0, 0, 30, 30)[:20, :20].all()
    assert not inside(Outline((outer, hole)), 0, 0, 30, 30)[7:13, 7:13].any()
    assert inside(Outline((outer, same)), 0, 0, 30, 30)[7:13, 7:13].all()
    assert inside(Outline((outer,)), 10, 10, 30, 30).sum() == pytest.approx(100, abs=21)


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.9), (0.0, 0.5), (0.4, 1.0), (0.31, 0.32)])
def test_re_ending_paints_the_same(low: float, high: float) -> None:
    offsets, stops = np.array([0, 0.3, 1.0]), np.array([[1, 0, 0], [0, 1, 0], [0.2, 0.3, 1]])
    new_offsets, new_stops = re_ended(offsets, stops, low, high)
    u = np.linspace(low, high, 50)
    for c in range(3):
        before = np.interp(u, offsets, stops[:, c])
        after = np.interp((u - low) / (high - low), new_offsets, new_stops[:, c])
        np.testing.assert_allclose(after, before, atol=1e-9)
    assert new_offsets[0] == 0
    assert new_offsets[-1] == 1


def test_colors_follow_svg() -> None:
    """Clamped outside, and the last stop where the gradient has no length or radius."""
    stops = (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1)))
    at = np.array([[0, 0], [10, 0], [5, 9], [30, 0]], float)
    np.testing.assert_allclose(colors(LinearGradient(0, 0, 10, 0, stops), at)[:, 2], [0, 1, 0.5, 1])
    np.testing.assert_allclose(colors(LinearGradient(3, 3, 3, 3, stops), at)[:, 2], 1)
    np.testing.assert_allclose(colors(RadialGradient(0, 0, 10, stops), at)[:, 2], [0, 1, 1, 1], atol=0.03)
    np.testing.assert_allclose(colors(RadialGradient(0, 0, 0, stops), at)[:, 2], 1)
