"""What the painter sees: grounds, weights, bare parts, reduced views."""


import io

import numpy as np
import pytest
from gradvec.errors import InputError
from gradvec.geometry.attention import Attention, attention_of, weights
from gradvec.io import images
from gradvec.model import Target
from gradvec.stages.paint.canvas import Canvas
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


def eye_and_contour() -> np.ndarray:
    """A small dark disc in a calm light area, a contour beside it, and a busy part at the right."""
    y, x = np.mgrid[0:160, 0:240]
    rgb = np.full((160, 240, 3), 0.7, np.float32)
    rgb[:, :40] = 0.3
    rgb[np.hypot(x - 100, y - 80) < 4] = 0.2
    busy = np.random.default_rng(3).uniform(0, 1, (160, 60, 3)).astype(np.float32)
    rgb[:, 180:] = busy
    return rgb


def test_small_things_in_calm_surroundings_draw_the_eye():
    rgb = eye_and_contour()
    found = attention_of(rgb, np.ones(rgb.shape[:2], np.float32))
    drawn, spots = found.drawn, found.spots
    assert min(drawn.min(), spots.min()) >= 0
    assert max(drawn.max(), spots.max()) <= 1
    assert drawn[80, 100] > 0.5 > drawn[20:40, 130:150].max()
    assert spots[80, 100] > 2 * spots[60:100, 38:42].max(), "a contour is no spot"
    blank = attention_of(np.full((30, 50, 3), 0.4, np.float32), np.ones((30, 50), np.float32))
    assert not blank.drawn.any()
    assert not blank.spots.any()
    assert attention_of(np.zeros((1, 1, 3), np.float32), np.ones((1, 1), np.float32)).drawn.shape == (1, 1)


def test_weights_are_one_on_average_and_rise_with_what_draws_the_eye():
    found = np.linspace(0, 1, 50, dtype=np.float32).reshape(5, 10)
    for strength in (0.0, 0.3, 1.0):
        weight = weights(found, strength)
        assert weight.mean() == pytest.approx(1, abs=1e-5)
        assert (np.diff(weight.ravel()) >= 0).all()
    assert weights(found, 0.0) == pytest.approx(1)
    assert weights(found, 1.0)[-1, -1] > 4 * weights(found, 0.3)[0, 0]


@pytest.mark.parametrize("bad", [np.zeros((3, 3, 3)), np.full((3, 3), np.nan), np.zeros((0, 4))])
def test_a_detail_map_that_is_none_is_a_plain_error(bad):
    with pytest.raises(InputError, match="one grey picture"):
        Attention.marked(bad)


def test_a_detail_map_is_read_from_a_picture():
    buffer = io.BytesIO()
    ramp = np.tile(np.arange(0, 240, 15, dtype=np.uint8), (16, 1))
    Image.fromarray(ramp).save(buffer, "PNG")
    assert images.brightness(buffer.getvalue(), 512) == pytest.approx(ramp / 255, abs=0.01)
