"""What the painter sees: grounds, weights, bare parts, reduced views."""


import io

import numpy as np
import pytest
from gradvec.errors import InputError
from gradvec.io import images
from gradvec.model import Target
from gradvec.stages.paint.canvas import Canvas, saliency
from gradvec.stages.paint.settings import PaintSettings
from PIL import Image


def target_of(rgb, alpha=None):
    rgb = np.asarray(rgb, np.float32)
    alpha = np.ones(rgb.shape[:2], np.float32) if alpha is None else np.asarray(alpha, np.float32)
    return Target(rgb, alpha, (rgb.shape[1], rgb.shape[0]))


def test_an_opaque_picture_gets_its_mean_colour_as_ground():
    rgb = np.zeros((10, 20, 3))
    rgb[:, :5] = (1, 0.5, 0)
    assert Canvas(target_of(rgb), PaintSettings()).background == pytest.approx((0.25, 0.125, 0))
    assert Canvas(target_of(rgb), PaintSettings(background=None)).ground == (0, 0, 0, 0)


def test_hidden_colours_never_count():
    alpha = np.zeros((12, 12))
    alpha[3:9, 3:9] = 1
    rgb = np.where(alpha[..., None] > 0, 0.6, 0.0) * np.ones(3)
    canvas = Canvas(target_of(rgb, alpha), PaintSettings())
    assert canvas.background is None
    assert canvas.colors.numpy() == pytest.approx(0.6)
    assert canvas.fine.rgba[:3, 0].abs().max() == 0


def test_a_reduced_view_keeps_the_mean():
    rgb = np.random.default_rng(0).random((900, 1100, 3))
    canvas = Canvas(target_of(rgb), PaintSettings(strokes=20))
    width, height = canvas.coarse.size
    assert width * height == pytest.approx(65_000, rel=0.02)
    assert canvas.coarse.scale == pytest.approx(width / 1100)
    assert canvas.coarse.rgba[:3].mean((1, 2)).numpy() == pytest.approx(rgb.mean((0, 1)), abs=2e-3)
    assert canvas.fine.size[0] * canvas.fine.size[1] == pytest.approx(400_000, rel=0.02)


def test_a_small_picture_is_seen_whole():
    canvas = Canvas(target_of(np.zeros((30, 40, 3))), PaintSettings())
    assert canvas.coarse is canvas.fine
    assert canvas.fine.scale == 1


def test_colours_at_soft_edges_are_averaged_by_opacity():
    alpha = np.tile([1.0, 0.0], (1200, 600))
    rgb = np.where(alpha[..., None] > 0, 0.8, 0.0) * np.ones(3)
    canvas = Canvas(target_of(rgb, alpha), PaintSettings(strokes=1))
    assert canvas.colors.numpy() == pytest.approx(0.8, abs=1e-4)


def test_saliency_finds_what_stands_out():
    rgb = np.full((80, 80, 3), 0.5, np.float32)
    rgb[20:30, 50:60] = (1, 0, 0)
    found = saliency(rgb, np.ones((80, 80), np.float32))
    assert np.unravel_index(found.argmax(), found.shape) == pytest.approx((25, 55), abs=6)
    assert found[60:, :20].max() < 0.1


@pytest.mark.parametrize("bad", [np.zeros((3, 3, 3)), np.full((3, 3), np.nan), np.zeros((0, 4))])
def test_a_detail_map_that_is_none_is_a_plain_error(bad):
    with pytest.raises(InputError, match="one grey picture"):
        Canvas(target_of(np.zeros((5, 5, 3))), PaintSettings(), bad)


def test_a_detail_map_is_read_from_a_picture():
    buffer = io.BytesIO()
    ramp = np.tile(np.arange(0, 240, 15, dtype=np.uint8), (16, 1))
    Image.fromarray(ramp).save(buffer, "PNG")
    assert images.brightness(buffer.getvalue(), 512) == pytest.approx(ramp / 255, abs=0.01)
