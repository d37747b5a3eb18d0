"""Edges as soft as the picture's: how soft that is, and the filter that shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradvec.io import svg
from gradvec.io.images import png_bytes
from gradvec.model import Document, Layer, Outline, Shape, SolidColor, Target
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.stages.soft_focus import LEAST, STEP, softness
from gradvec.tools.render_svg import render_svg
from scipy.ndimage import gaussian_filter

SIDE = 64


def half(width: float) -> Shape:
    loop = np.array([[0, 0], [width / 3, 0], [2 * width / 3, 0], [width, 0], [width, SIDE / 3], [width, 2 * SIDE / 3],
                     [width, SIDE], [2 * width / 3, SIDE], [width / 3, SIDE], [0, SIDE], [0, 2 * SIDE / 3],
                     [0, SIDE / 3]])
    return Shape(Outline((loop,)), SolidColor((0.1, 0.2, 0.6)))


def disc() -> np.ndarray:
    y, x = np.mgrid[:8 * SIDE, :8 * SIDE] / 8
    inside = np.hypot(x - 30, y - 34) < 17
    return np.where(inside[..., None], (0.8, 0.3, 0.2), (0.95, 0.9, 0.8)).reshape(SIDE, 8, SIDE, 8, 3).mean((1, 3))


def target(rgb: np.ndarray) -> Target:
    return Target(rgb.astype(np.float32), np.ones(rgb.shape[:2], np.float32), (SIDE, SIDE))


@pytest.mark.parametrize("blurred", [0.5, 1.0, 2.0, 3.5])
def test_a_blurred_picture_is_told_by_how_far(blurred: float) -> None:
    soft = gaussian_filter(disc(), (blurred, blurred, 0), mode="nearest")
    found = softness(disc(), target(soft))
    assert blurred / STEP**0.6 < found < blurred * STEP**0.6


def test_a_sharp_picture_gets_the_least() -> None:
    assert softness(disc(), target(disc())) == LEAST


def test_what_nobody_sees_does_not_count() -> None:
    """Colours under full transparency are anything."""
    wild = target(disc())
    wild.rgb[:, :20] = np.random.default_rng(3).uniform(0, 1, (SIDE, 20, 3))
    wild.alpha[:, :20] = 0
    shown = disc()
    shown[:, :20] = 1.0
    assert softness(shown, wild) == LEAST


@pytest.mark.parametrize("scale", [1, 4])
def test_the_filter_is_a_gaussian_that_grows_with_the_drawing(scale: int) -> None:
    """By resvg, along a row, against the integral of a Gaussian."""
    document = Document(SIDE, SIDE, (Layer("one", (half(SIDE), half(24.0))),), texture="soft", softness=1.5)
    ground = replace(document.layers[0].shapes[0], fill=SolidColor((1.0, 1.0, 1.0)))
    document = replace(document, layers=(Layer("one", (ground, document.layers[0].shapes[1])),))
    row = render_svg(svg.write(document), scale * SIDE, scale * SIDE)[scale * SIDE // 2, :, 0] / 255
    x = (np.arange(scale * SIDE) + 0.5) / scale
    edge = gaussian_filter(np.where(np.arange(0, SIDE, 0.01) < 24, 0.1, 1.0), 150, mode="nearest")
    np.testing.assert_allclose(row, np.interp(x, np.arange(0, SIDE, 0.01), edge), atol=0.03)


def test_the_border_stays_opaque() -> None:
    document = Document(SIDE, SIDE, (Layer("one", (half(SIDE),)),), texture="soft", softness=3.0)
    shown = render_svg(svg.write(document), SIDE, SIDE)
    assert np.abs(shown.astype(float) - shown[SIDE // 2, SIDE // 2]).max() <= 2


def test_a_soft_picture_is_painted_softly_and_a_drawing_says_so() -> None:
    soft = gaussian_filter(disc(), (2.5, 2.5, 0), mode="nearest")
    options = Options.from_dict({"strokes": 12, "size": SIDE, "texture": "soft", "opaque": True})
    result = paint_picture(png_bytes(soft), options)
    assert result.document.softness > 0.6
    data = svg.write(result.document)
    assert b"texture: soft" in data
    assert data.count(b"<feGaussianBlur") == 1
    plain = svg.write(replace(result.document, texture="none"))
    assert b"<filter" not in plain
    off, still_off = (float(np.square(render_svg(one, SIDE, SIDE) / 255 - soft).mean()) for one in (data, plain))
    assert off < still_off
