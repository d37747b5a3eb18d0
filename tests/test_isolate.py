"""Isolated strokes: composited in order they are the painting; textures thin paint, keep their place and look alike at
every scale."""

import numpy as np
import pytest
import torch
from gradvec.brushes import outlines as brushes
from gradvec.model import Painting, Strokes
from gradvec.render import render
from gradvec.render.scene import scene_from_shapes
from gradvec.stages import isolate


def painting_of(brush_list, width=90, height=70, background=(0.9, 0.85, 0.8), opacity=0.8):
    rng = np.random.default_rng(5)
    n = len(brush_list)
    x, y = rng.uniform(10, width - 10, n), rng.uniform(10, height - 10, n)
    shape = np.zeros((n, 8), np.float32)
    for i, brush in enumerate(brush_list):
        if brush in brushes.STAMPED:
            shape[i, :6] = x[i], y[i], 40, 16, rng.uniform(0, 3), 0.1
        else:
            shape[i] = x[i] - 14, y[i], x[i], y[i] - 8, x[i] + 14, y[i] + 3, 6, 8
    axis = np.stack([x - 15, y, x + 15, y + 4], 1).astype(np.float32)
    colors = rng.random((2, n, 3)).astype(np.float32)
    strokes = Strokes(np.array(brush_list, np.int8), np.arange(n, dtype=np.int16) % 8 * (np.array(brush_list) == 0),
                      shape, axis, colors[0], colors[1], np.full(n, opacity, np.float32), np.arange(n, dtype=np.int16))
    return Painting(strokes, width, height, background)


MIXED = [0, 1, 2, 3, 0, 1, 2, 3, 0]


def composited(painting, patches, scale=1):
    height, width = round(painting.height * scale), round(painting.width * scale)
    picture = np.zeros((height, width, 4), np.float32)
    if painting.background:
        picture[:] = (*painting.background, 1)
    for patch in patches:
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        part, alpha = picture[y:y + h, x:x + w], patch.alpha[..., None]
        part *= 1 - alpha
        part += np.dstack([patch.color * alpha, alpha])
    return picture


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_patches_without_texture_are_the_painting(scale):
    painting = painting_of(MIXED)
    scene = scene_from_shapes(brushes.shapes(painting), 90, 70, (*painting.background, 1), pieces=12)
    scene = scene.with_parameters(scene.points * scale, scene.geometry * scale, *scene.parameters[2:])
    scene.topology.sizes[:] = round(90 * scale), round(70 * scale)
    with torch.no_grad():
        expected = render(scene).numpy()
    found = composited(painting, isolate.isolate(painting, scale, texture=False), scale)
    assert np.abs(found - expected).max() < 3e-3


def test_patches_know_outline_level_and_place():
    painting = painting_of(MIXED)
    patches = isolate.isolate(painting, scale=2.0)
    assert [p.level for p in patches] == list(range(len(MIXED)))
    for patch, outline in zip(patches, brushes.outlines(painting.strokes), strict=True):
        assert patch.outline.loops[0] == pytest.approx(outline.loops[0] * 2)
        assert patch.color.shape == (*patch.alpha.shape, 3)
        assert patch.offset[0] + patch.alpha.shape[1] <= 180
        assert patch.offset[1] + patch.alpha.shape[0] <= 140
        assert 0 <= patch.alpha.min() <= patch.alpha.max() <= 0.8 + 1e-6


@pytest.mark.parametrize("brush", range(len(brushes.NAMES)), ids=brushes.NAMES)
def test_texture_thins_the_paint_but_keeps_the_stroke(brush):
    painting = painting_of([brush] * 4, opacity=1.0)
    for bare, rough in zip(isolate.isolate(painting, texture=False), isolate.isolate(painting), strict=True):
        assert bare.offset == rough.offset
        assert 0.75 * bare.alpha.sum() < rough.alpha.sum() < 1.1 * bare.alpha.sum()
        agree = (bare.alpha > 0.5) == (rough.alpha > 0.5)
        assert agree.mean() > 0.9
    if brush not in (brushes.TAPE, brushes.DRY):  # tape is smooth, and a dry dab's streaks are in its outline
        assert any(np.abs(bare.alpha - rough.alpha).max() > 0.03 for bare, rough in
                   zip(isolate.isolate(painting, texture=False), isolate.isolate(painting), strict=True))


def test_a_stroke_outside_the_picture_is_a_bare_pixel():
    painting = painting_of([3])
    painting.strokes.shape[0, :2] = -500
    (patch,) = isolate.isolate(painting)
    assert patch.alpha.shape == (1, 1)
    assert patch.alpha.sum() == 0


@pytest.mark.parametrize("background", [(0.9, 0.85, 0.8), None])
def test_the_textured_picture_is_finite_and_lies_near_the_plain_one(background):
    painting = painting_of(MIXED, background=background, opacity=1.0)
    picture = isolate.textured(painting)
    assert picture.shape == (70, 90, 4)
    assert np.isfinite(picture).all()
    assert 0 <= picture.min() <= picture.max() <= 1
    plain = composited(painting, isolate.isolate(painting, texture=False))
    premultiplied = np.dstack([picture[..., :3] * picture[..., 3:], picture[..., 3:]])
    assert np.abs(premultiplied - plain).mean() < 0.06
    if background is None:
        assert (picture[..., 3] == 0).any()
    else:
        assert (picture[..., 3] > 0.999).all()


def test_a_larger_textured_picture_shows_the_same():
    painting = painting_of(MIXED, opacity=1.0)
    small, large = isolate.textured(painting), isolate.textured(painting, 3.0)
    assert large.shape == (210, 270, 4)
    reduced = large.reshape(70, 3, 90, 3, 4).mean((1, 3))
    assert np.abs(reduced - small).mean() < 0.02


def test_an_empty_painting_is_its_ground():
    painting = painting_of([])
    assert isolate.isolate(painting) == []
    assert isolate.textured(painting)[..., :3] == pytest.approx(np.broadcast_to(painting.background, (70, 90, 3)))
