"""Very large pictures are refined at a smaller size, and nobody sees it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import resvg_py
from gradvec.io import svg
from gradvec.model import LinearGradient, Outline, Shape, SolidColor, Stop, Target
from gradvec.optimize.reduced import AREA, SHAPE_AREA, SMALL_AREA, USED_AREA, ReducedTarget
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


@pytest.mark.parametrize(("shapes", "scale"), [(20, 2.0), (19, 1.0)])
def test_a_picture_is_enlarged_where_its_shapes_can_use_that(shapes: int, scale: float) -> None:
    target = blank(150, 100)
    view = ReducedTarget.enlarged(target, shapes)
    assert USED_AREA * 20 == 4 * 150 * 100
    assert view.scale == (scale, scale)
    assert (view.target is target) == (scale == 1)
    assert (view.target.width, view.target.height) == (scale * 150, scale * 100)


@pytest.mark.parametrize(("height", "scale"), [(500, 2.0), (501, 1.0)])
def test_a_large_picture_is_not_enlarged(height: int, scale: float) -> None:
    assert SMALL_AREA == 600 * 500
    assert ReducedTarget.enlarged(blank(600, height), 10_000).scale == (scale, scale)


def test_what_is_enlarged_has_no_edges_of_its_own() -> None:
    """A wave is what it is between the pixels, too; hidden colours stay hidden, and what is opaque stays so."""
    x, y = np.meshgrid(np.arange(60) + 0.5, np.arange(40) + 0.5)
    wave = (0.5 + 0.3 * np.sin(x / 5) * np.cos(y / 6)).astype(np.float32)
    target = Target(np.repeat(wave[..., None], 3, 2), np.ones((40, 60), np.float32), (60, 40))
    view = ReducedTarget.enlarged(target, 1000)
    x, y = (np.meshgrid(np.arange(120) + 0.5, np.arange(80) + 0.5)[k] / 2 for k in (0, 1))
    inner = slice(8, -8), slice(8, -8)
    wanted = 0.5 + 0.3 * np.sin(x / 5) * np.cos(y / 6)
    np.testing.assert_allclose(view.target.rgb[inner][..., 1], wanted[inner], atol=0.005)
    assert view.target.opaque
    target.alpha[:, 30:] = 0.0
    target.rgb[:, 30:] = (1.0, 0.0, 1.0)
    target.rgb[:, :30] = 0.5
    seen = ReducedTarget.enlarged(target, 1000).target
    np.testing.assert_allclose(seen.rgb[seen.alpha > 0.01], 0.5, atol=1e-3)
    assert seen.alpha.max() <= 1.0
    assert seen.alpha[:, :50].min() > 0.99


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
