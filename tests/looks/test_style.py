"""Style from a reference: colours by optimal transport, strokes by what is measured of a painting made by code."""

import math

import numpy as np
import pytest
from gradvec.brushes.manner import Manner, manner_of
from gradvec.brushes.rules import rules_of
from gradvec.color.oklab import oklab, srgb
from gradvec.color.transfer import ColorMap, in_colors_of, sliced_distance, sliced_transport
from gradvec.io.images import png_bytes
from gradvec.model import Target
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import Run
from gradvec.stages.paint import paint
from gradvec.stages.paint.settings import PaintSettings
from PIL import Image, ImageDraw

SIDE = 160


def target(rgb):
    return Target(rgb.astype(np.float32), np.ones(rgb.shape[:2], np.float32), rgb.shape[1::-1])


def painted(width, length, spread=0.1, opacity=1.0, seed=0):
    """Strokes in random colours over each other (dead leaves), about one direction."""
    rng, picture = np.random.default_rng(seed), Image.new("RGB", (SIDE, SIDE), "gray")
    for _ in range(int(6 * SIDE * SIDE / (width * length))):
        x, y = rng.uniform(-length, SIDE + length, 2)
        angle = 0.5 + rng.normal() * spread
        cos, sin = math.cos(angle) / 2, math.sin(angle) / 2
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon([(x + cos * a * length - sin * b * width, y + sin * a * length + cos * b * width)
                                      for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))], fill=round(255 * opacity))
        picture.paste(tuple(int(v) for v in rng.integers(0, 256, 3)), mask=mask)
    return target(np.asarray(picture) / 255)


def test_oklab_goes_back_to_srgb():
    colors = np.random.default_rng(0).random((500, 3))
    assert np.abs(srgb(oklab(colors)) - colors).max() < 1e-6
    assert srgb(np.array([[1.2, 0.4, 0.0]])).max() <= 1.0


def test_along_one_line_transport_is_sorting():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(400, 1))
    goal = 3 * rng.normal(size=(400, 1)) + 5
    moved = sliced_transport(points, goal, rng, rounds=1)
    assert np.argsort(moved[:, 0]).tolist() == np.argsort(points[:, 0]).tolist()
    assert np.sort(moved[:, 0])[4:-4] == pytest.approx(np.sort(goal[:, 0])[4:-4], abs=0.2)


def test_transport_brings_one_cloud_into_the_place_of_another():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(1500, 3))
    goal = rng.normal(size=(1200, 3)) @ np.array([[2.0, 0.5, 0], [0, 0.3, 0.8], [0.2, 0, 1]]) + [4, -1, 2]
    moved = sliced_transport(points, goal, rng)
    assert moved.mean(0) == pytest.approx(goal.mean(0), abs=0.05)
    assert np.cov(moved.T) == pytest.approx(np.cov(goal.T), abs=0.25)
    assert sliced_distance(moved, goal, rng) < 0.05 * sliced_distance(points, goal, rng)


def gradient(low, high):
    ramp = np.linspace(0, 1, 64)[:, None, None] * np.linspace(0.5, 1, 48)[None, :, None]
    return target(np.asarray(low) + ramp * (np.asarray(high) - np.asarray(low)))


def test_a_picture_gets_the_colours_of_another_and_keeps_its_gradients():
    own, other = gradient((0.1, 0.1, 0.1), (0.9, 0.9, 0.9)), gradient((0.1, 0.2, 0.5), (0.9, 0.7, 0.3))
    changed = in_colors_of(own, other)
    rng = np.random.default_rng(0)
    lab = [oklab(one.rgb.reshape(-1, 3).astype(float)) for one in (own, other, changed)]
    assert sliced_distance(lab[2], lab[1], rng) < 0.2 * sliced_distance(lab[0], lab[1], rng)
    steps = np.abs(np.diff(changed.rgb, axis=0))
    assert steps.max() < 3 * np.abs(np.diff(other.rgb, axis=0)).max(), "no bands"


def test_its_own_colours_change_nothing_and_one_colour_is_no_trouble():
    own = painted(12, 30)
    assert np.abs(in_colors_of(own, own).rgb - own.rgb).mean() < 0.03
    one = target(np.full((20, 20, 3), 0.25))
    assert in_colors_of(one, target(np.full((9, 9, 3), 0.75))).rgb == pytest.approx(0.75, abs=0.02)


def test_one_map_serves_all_frames():
    colors = ColorMap.between(painted(12, 30), gradient((0, 0, 0.2), (1, 0.9, 0.5)))
    frame = painted(12, 30, seed=1)
    assert colors.applied(frame).rgb[::2] == pytest.approx(colors.applied(target(frame.rgb[::2])).rgb)


@pytest.mark.parametrize("width", [5, 10])
def test_widths_are_measured_and_lengths_told_apart(width):
    short, long = (manner_of(painted(width, factor * width)) for factor in (1.5, 4))
    assert short.width * SIDE == pytest.approx(width, rel=0.3)
    assert long.width * SIDE == pytest.approx(width, rel=0.3)
    assert long.aspect > 1.4 * short.aspect


def test_a_larger_scan_of_a_painting_has_the_same_manner():
    small = painted(8, 24)
    large = target(np.kron(small.rgb, np.ones((2, 2, 1))))
    first, second = manner_of(small), manner_of(large)
    assert second.width == pytest.approx(first.width, rel=0.15)
    assert second.length == pytest.approx(first.length, rel=0.15)


def test_directions_that_agree_and_strokes_that_hide_are_told():
    assert manner_of(painted(8, 24, 0.1)).spread < 0.7 * manner_of(painted(8, 24, 1.5)).spread
    assert manner_of(painted(10, 30)).opacity > 0.9
    assert manner_of(painted(10, 30, opacity=0.4)).opacity < 0.75


def test_a_picture_of_nothing_has_a_manner():
    assert manner_of(target(np.full((20, 30, 3), 0.5))) == Manner(1.0, 1.0, 0.0, 1.0)


def test_fidelity_loosens_a_manner_as_it_does_a_brush():
    manner = Manner(0.03, 0.12, 0.2, 0.5)
    held = rules_of("oil", 0.0, manner)
    assert held.opacity == (0.4, 0.6)
    assert held.aspect == pytest.approx((4 / 1.5, 6))
    assert held.turn == pytest.approx(0.3)
    assert rules_of("oil", 0.5, manner) == rules_of("oil", 0.5)


def test_strokes_are_painted_in_the_manner():
    manner = Manner(0.08, 0.32, 0.1, 0.5)
    picture = gradient((0.1, 0.3, 0.5), (0.9, 0.6, 0.2))
    settings = PaintSettings(strokes=20, keep=0.0, effort=0.0, pace=0.3)
    plain, held = (paint(picture, one, Run()).strokes for one in (
        settings, PaintSettings(**{**vars(settings), "manner": manner})))
    aspect = held.shape[:, 2] / held.shape[:, 3]
    assert aspect.min() > manner.aspect / 1.5 - 0.01
    assert aspect.max() < manner.aspect * 1.5 + 0.01
    assert 0.39 < held.opacity.min() <= held.opacity.max() < 0.61
    assert plain.opacity.min() == 1.0


def test_a_painting_in_a_style_says_so_and_has_its_colours():
    own, style = png_bytes(gradient((0.1, 0.1, 0.1), (0.9, 0.9, 0.9)).rgb), png_bytes(painted(12, 30).rgb * (1, 0.5, 0))
    options = Options(strokes=6, size=64, fidelity=0.0)
    result = paint_picture(own, options, style=style)
    assert len(result.document.meta["style_sha256"]) == 64
    assert result.predicted[..., 0].mean() > result.predicted[..., 2].mean() + 0.2
    assert "style_sha256" not in paint_picture(own, options).document.meta
