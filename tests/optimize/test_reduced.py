"""Very large pictures are refined at a smaller size, and nobody sees it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import resvg_py
from gradvec.io import svg
from gradvec.model import LinearGradient, Outline, Shape, SolidColor, Stop, Target
from gradvec.optimize.reduced import AREA, SHAPE_AREA, ReducedTarget
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from PIL import Image


def blank(width: int, height: int, alpha: float = 1.0) -> Target:
    return Target(np.full((height, width, 3), 0.5, np.float32), np.full((height, width), alpha, np.float32),
                  (width, height))


def test_pictures_of_usual_size_are_taken_as_they_are() -> None:
    target = blank(1000, 1000)
    view = ReducedTarget.of(target, 1)
    assert view.target is target
    shapes = [Shape(Outline((np.zeros((3, 2)),)), SolidColor((0, 0, 0)))]
    assert view.into(shapes) == shapes
    assert view.back(shapes) == shapes


@pytest.mark.parametrize(("width", "height", "shapes"), [(3000, 1500, 10), (40000, 40, 1), (2600, 2600, 600)])
def test_a_view_has_the_pixels_that_its_shapes_can_use(width: int, height: int, shapes: int) -> None:
    view = ReducedTarget.of(blank(width, height), shapes)
    most = max(AREA, SHAPE_AREA * shapes)
    assert 0.9 * most < view.target.width * view.target.height < 1.1 * most
    assert view.target.opaque
    np.testing.assert_allclose(view.target.rgb, 0.5, atol=1e-5)
    assert view.target.width == pytest.approx(width * view.scale[0])
    assert view.target.height == pytest.approx(height * view.scale[1])


def test_hidden_colours_do_not_bleed_into_a_view() -> None:
    target = blank(2000, 1000)
    target.alpha[:, 501:] = 0.0
    target.rgb[:, 501:] = (1.0, 0.0, 1.0)
    view = ReducedTarget.of(target, 1)
    seen = view.target.alpha > 0.01
    np.testing.assert_allclose(view.target.rgb[seen], 0.5, atol=1e-4)
    assert view.target.alpha.mean() == pytest.approx(501 / 2000, abs=1e-3)


def test_shapes_come_back_where_they_were() -> None:
    view = ReducedTarget.of(blank(3000, 1500), 1)
    loop = np.random.default_rng(0).uniform(0, 1500, (9, 2))
    shape = Shape(Outline((loop,)), LinearGradient(10, 20, 900, 700, (Stop(0, (0, 0, 0)), Stop(1, (1, 1, 1)))))
    there = view.into([shape])
    assert there[0].outline.bounds()[2] == pytest.approx(shape.outline.bounds()[2] * view.scale[0], rel=1e-4)
    (back,) = view.back(there)
    np.testing.assert_allclose(back.outline.loops[0], loop, atol=1e-2)
    assert isinstance(back.fill, LinearGradient)
    assert (back.fill.x2, back.fill.y2) == pytest.approx((900, 700))


def test_a_wide_flat_gradient_shows_no_border_anywhere() -> None:
    """4096 x 512 px, through the whole pipeline: nothing is tiled, so no column and no row stands out."""
    across = np.linspace(0, 1, 4096)
    wanted = np.stack([0.2 + 0.6 * across, 0.3 + 0.2 * across, 0.8 - 0.5 * across], -1) * 255
    picture = np.broadcast_to(wanted.round().astype(np.uint8), (512, 4096, 3))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "PNG")
    result = paint_picture(file.getvalue(), Options(strokes=16, size=4096, fidelity=0.3))
    assert (result.document.width, result.document.height) == (4096, 512)
    png = resvg_py.svg_to_bytes(svg_string=svg.write(result.document).decode(), background="#ffffff", width=4096,
                                height=512)
    seen = np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB")).astype(float)
    # The gradient changes by less than 0.04 levels from column to column, eight bits by up to one, and strokes that
    # overlap agree to within two.
    assert np.abs(np.diff(seen.mean(0), axis=0)).max() < 3
    assert np.abs(np.diff(seen.mean(1), axis=0)).max() < 1
    jumps = np.concatenate([np.abs(np.diff(seen, axis=axis)).max(-1).ravel() for axis in (0, 1)])
    assert (jumps > 3).mean() < 1e-3
    assert np.abs(seen - wanted).mean() < 1.0
