"""Strokes once more: the same ones, larger, with another brush, in other colours."""

from dataclasses import replace

import numpy as np
import pytest
from gradvec.brushes import outlines
from gradvec.brushes.again import scaled, with_brush, with_palette
from gradvec.color.oklab import oklab
from gradvec.errors import InputError
from gradvec.geometry.trace import shoelace
from gradvec.model import Painting, Strokes


def painting(brush, count=12):
    """Strokes of some 30 x 8 px in all directions on 120 x 80 px."""
    random = np.random.default_rng(5)
    x, y = random.uniform((20, 20), (100, 60), (count, 2)).T
    length, width, angle = random.uniform(24, 36, count), random.uniform(6, 10, count), random.uniform(0, 6, count)
    zero = np.zeros(count)
    if brush in outlines.STAMPED:
        shape = np.stack([x, y, length, width, angle, zero, zero, zero], 1)
    else:
        dx, dy = np.cos(angle) * (length - width) / 2, np.sin(angle) * (length - width) / 2
        second = zero if brush == outlines.MARKER else width / 2
        shape = np.stack([x - dx, y - dy, x, y, x + dx, y + dy, width / 2, second], 1)
    colors = random.uniform(0, 1, (2, count, 3)).astype(np.float32)
    strokes = Strokes(np.full(count, brush, np.int8), np.zeros(count, np.int16), shape.astype(np.float32),
                      random.uniform(0, 80, (count, 4)).astype(np.float32), *colors, np.ones(count, np.float32),
                      np.zeros(count, np.int16))
    return Painting(strokes, 120, 80, (0.5, 0.5, 0.5))


def loops(one):
    return [shape.outline.loops[0] for shape in outlines.shapes(one)]


BRUSHES = range(len(outlines.NAMES))


@pytest.mark.parametrize("brush", BRUSHES)
def test_larger_strokes_are_the_same_strokes(brush):
    before = painting(brush)
    after = scaled(before, 300, 200)
    assert (after.width, after.height) == (300, 200)
    for one, other in zip(outlines.shapes(before), outlines.shapes(after), strict=True):
        assert other.outline.loops[0] == pytest.approx(one.outline.loops[0] * 2.5, abs=2e-3)
        assert other.fill.x1 == pytest.approx(one.fill.x1 * 2.5, abs=2e-3)
    assert scaled(before, 120, 80) is before
    back = scaled(after, 120, 80).strokes
    assert back.shape == pytest.approx(before.strokes.shape, rel=1e-5)
    assert (scaled(before, 60, 41).width, scaled(before, 301, 200).height) == (60, 200)
    with pytest.raises(InputError, match="other proportions"):
        scaled(before, 120, 120)


@pytest.mark.parametrize("brush", BRUSHES)
def test_a_picture_that_was_widened_keeps_its_strokes_where_they_were(brush):
    before = painting(brush)
    after = scaled(before, 12, 16, widened=12)
    for one, other in zip(outlines.shapes(before), outlines.shapes(after), strict=True):
        middle = one.outline.loops[0][::3].mean(0) * (12 / 120, 16 / 80)
        assert other.outline.loops[0][::3].mean(0) == pytest.approx(middle, abs=0.35)
        assert [other.fill.x1, other.fill.y1] == pytest.approx([one.fill.x1 / 10, one.fill.y1 / 5], abs=0.35)
    with pytest.raises(InputError, match="other proportions"):
        scaled(before, 13, 16, widened=12)


@pytest.mark.parametrize("before", BRUSHES)
@pytest.mark.parametrize("after", BRUSHES)
def test_another_brush_lays_strokes_where_they_were(before, after):
    old = painting(before)
    new = with_brush(old, outlines.NAMES[after], seed=3)
    assert set(new.strokes.brush) == {after}
    assert new.strokes.template.max() < outlines.template_count(after)
    for one, other in zip(loops(old), loops(new), strict=True):
        assert np.linalg.norm(one[::3].mean(0) - other[::3].mean(0)) < 3.5  # templates bulge to one side
        assert np.ptp(one, 0) == pytest.approx(np.ptp(other, 0), abs=6)
        assert abs(shoelace(other)) == pytest.approx(abs(shoelace(one)), rel=0.5)
    if before == after:
        assert (new.strokes.shape == old.strokes.shape).all()
        assert (new.strokes.template == old.strokes.template).all()
    assert (new.strokes.axis == old.strokes.axis).all()


def test_mixed_brushes_stay_and_each_way_is_the_same_again():
    old = painting(outlines.OIL)
    assert with_brush(old, "mixed") is old
    there = with_brush(old, "watercolor")
    back = with_brush(there, "oil")
    angles = (back.strokes.shape[:, 4] - old.strokes.shape[:, 4] + np.pi / 2) % np.pi - np.pi / 2
    assert angles == pytest.approx(0, abs=1e-4)
    assert back.strokes.shape[:, :4] == pytest.approx(old.strokes.shape[:, :4], rel=1e-4)


def test_a_palette_is_the_nearest_colors():
    old = painting(outlines.OIL, 40)
    chosen = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.0, 0.0))
    new = with_palette(old, chosen).strokes
    own = np.concatenate([old.strokes.color0, old.strokes.color1])
    got = np.concatenate([new.color0, new.color1])
    far = np.linalg.norm(oklab(own.astype(float))[:, None] - oklab(np.array(chosen))[None], axis=-1)
    assert [chosen.index(tuple(color)) for color in got.tolist()] == far.argmin(1).tolist()
    few = with_palette(old, 5).strokes
    colors = np.unique(np.concatenate([few.color0, few.color1]), axis=0)
    assert len(colors) == 5
    assert colors * 255 == pytest.approx(np.round(colors * 255), abs=1e-4)
    grey = replace(old, strokes=replace(old.strokes, color0=np.full_like(old.strokes.color0, 0.5),
                                        color1=np.full_like(old.strokes.color1, 0.5)))
    assert len(np.unique(with_palette(grey, 5).strokes.color0)) == 1
