"""Brushes of the user's own, from pictures made here."""

import io

import numpy as np
import pytest
from gradvec.brushes import outlines as brushes
from gradvec.brushes import templates
from gradvec.brushes.stamps import stamp_from_paint
from gradvec.errors import InputError
from gradvec.io.images import dab
from gradvec.model import Target
from gradvec.options import Options
from gradvec.progress import Run
from gradvec.settings import paint_settings
from gradvec.stages.paint import paint
from PIL import Image


def drop(width=120, height=60):
    """Opacity of a drop: round at the left, pointed at the right."""
    y, x = np.mgrid[:height, :width]
    half = 24 * np.sqrt(np.clip((x - 8) / 30, 0, 1)) * np.clip((112 - x) / 75, 0, 1) ** 0.8
    return np.clip(half - np.abs(y - 30) + 0.5, 0, 1) * (half > 0.5)


def png(array, mode):
    buffer = io.BytesIO()
    Image.fromarray((array * 255).astype(np.uint8), mode).save(buffer, "PNG")
    return buffer.getvalue()


def transparent(alpha):
    return png(np.dstack([np.zeros((*alpha.shape, 3)), alpha]), "RGBA")


@pytest.mark.parametrize("data", [transparent(drop()), png(1 - drop(), "L")], ids=["transparent", "on white"])
def test_a_stamp_keeps_the_shape_of_its_picture(data):
    stamp = stamp_from_paint(dab(data))
    dense = templates.flatten(stamp.outline.loops[0], 30)
    assert len(stamp.outline.loops[0]) == 3 * templates.SEGMENTS_MAX
    assert dense.min(0) == pytest.approx([-0.5, -0.5], abs=0.03)
    assert dense.max(0) == pytest.approx([0.5, 0.5], abs=0.03)
    x, y = dense.T
    drawn = drop()
    rows, columns = np.nonzero(drawn >= 0.5)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert area == pytest.approx(drawn.sum() / box, abs=0.04)


@pytest.mark.parametrize("data", [transparent(np.zeros((20, 20))), png(np.ones((20, 20)), "L")])
def test_an_empty_brush_picture_is_a_plain_error(data):
    with pytest.raises(InputError):
        stamp_from_paint(dab(data))


@pytest.mark.parametrize("cubics", [5, 8])
def test_a_painting_with_a_stamp_uses_it_alone(cubics):
    stamp = stamp_from_paint(dab(transparent(drop())))
    y, x = np.mgrid[:32, :40]
    rgb = np.stack([x / 40, y / 32, 0.5 + 0 * x], -1).astype(np.float32)
    target = Target(rgb, np.ones((32, 40), np.float32), (40, 32))
    painting = paint(target, paint_settings(Options(strokes=6, cubics=cubics)), Run(), stamps=[stamp])
    assert set(painting.strokes.template.tolist()) == {len(templates.OIL)}
    unit = brushes.template_points(brushes.OIL, cubics, [stamp])[-1].numpy()
    design = np.concatenate([unit, np.ones((len(unit), 1))], 1)
    for shape in brushes.shapes(painting):
        loop = shape.outline.loops[0]
        affine = np.linalg.lstsq(design, loop, rcond=None)[0]
        assert np.abs(design @ affine - loop).max() < 1e-3
