"""Open curves as B-splines: their Bezier form, its inverse, and fits."""

import numpy as np
import pytest
from gradvec.geometry import spline
from scipy.interpolate import BSpline


@pytest.mark.parametrize("segments", [1, 2, 5])
def test_bezier_points_draw_the_b_spline(segments):
    vertices = np.random.default_rng(segments).normal(size=(segments + 3, 2))
    points = spline.to_bezier(segments) @ vertices
    known = BSpline(np.arange(-3, segments + 4), vertices, 3)
    for n in range(segments):
        for u in (0.0, 0.3, 1.0):
            b = np.array([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u**3])
            assert np.allclose(b @ points[3 * n:3 * n + 4], known(n + u))
    assert np.allclose(spline.vertices_of(points), vertices)


def test_a_fit_uses_as_few_segments_as_it_needs():
    t = np.linspace(0, 1, 200)
    straight = np.stack([100 * t, 40 * t], 1)
    wave = np.stack([100 * t, 12 * np.sin(12 * t)], 1)
    few, many = (spline.fit_within(line, 0.8, (1, 2, 3, 5, 8)) for line in (straight, wave))
    assert len(few) == 4
    assert 3 < len(many) - 3 <= 8
    assert np.allclose((spline.to_bezier(1) @ few)[[0, -1]], straight[[0, -1]], atol=1e-6)
    _, stray = spline.fit(wave, len(many) - 3)
    assert stray <= 0.8
