"""Brush outlines against closed forms: areas, affine maps, offsets of circles, derivatives by finite differences."""

import math

import numpy as np
import pytest
import torch
from gradvec.brushes import outlines as brushes
from gradvec.brushes import templates
from gradvec.brushes.loop_fit import fit_loop
from gradvec.model import LinearGradient, Painting, SolidColor, Strokes

TAPE_SHAPE = (40.0, 30.0, 60.0, 20.0, 0.4, 0.0, 0.0, 0.0)
OIL_SHAPE = (40.0, 30.0, 60.0, 20.0, 0.4, 0.2, 0.0, 0.0)
SWEEP_SHAPE = (10.0, 40.0, 35.0, 5.0, 70.0, 42.0, 6.0, 9.0)
SHAPES = {brushes.OIL: OIL_SHAPE, brushes.DRY: OIL_SHAPE, brushes.TAPE: TAPE_SHAPE,
          brushes.MARKER: SWEEP_SHAPE, brushes.WATERCOLOR: SWEEP_SHAPE}
ALL = pytest.mark.parametrize("brush", range(len(brushes.NAMES)), ids=brushes.NAMES)


def strokes_of(brush, *shapes, axis=(0.0, 0.0, 10.0, 0.0), color0=(1.0, 0.0, 0.0), color1=(0.0, 0.0, 1.0), template=0):
    n = len(shapes)
    return Strokes(np.full(n, brush, np.int8), np.full(n, template, np.int16), np.array(shapes, np.float32),
                   np.tile(np.float32(axis), (n, 1)), np.tile(np.float32(color0), (n, 1)),
                   np.tile(np.float32(color1), (n, 1)), np.ones(n, np.float32), np.zeros(n, np.int16))


def loop_of(brush, shape, cubics=8, template=0):
    return brushes.outlines(strokes_of(brush, shape, template=template), cubics)[0].loops[0]


def area(polygon):
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def crosses_itself(polygon):
    """Whether two edges of a closed polygon that are no neighbours cross."""
    a, b = polygon, np.roll(polygon, -1, 0)

    def side(p, q, r):
        return (q - p)[..., 0] * (r - p)[..., 1] - (q - p)[..., 1] * (r - p)[..., 0]

    p, q = a[:, None], b[:, None]
    r, s = a[None], b[None]
    proper = (side(p, q, r) * side(p, q, s) < 0) & (side(r, s, p) * side(r, s, q) < 0)
    return bool(proper.any())


def test_tape_is_the_rectangle_asked_for():
    loop = loop_of(brushes.TAPE, TAPE_SHAPE)
    assert area(templates.flatten(loop, 4)) == pytest.approx(60 * 20, rel=1e-6)
    cos, sin = math.cos(0.4), math.sin(0.4)
    corner = [40 - 30 * cos + 10 * sin, 30 - 30 * sin - 10 * cos]
    assert loop[0] == pytest.approx(corner, abs=1e-4)


def test_shear_keeps_the_area():
    sheared = (*TAPE_SHAPE[:5], 0.6, 0.0, 0.0)
    assert area(templates.flatten(loop_of(brushes.TAPE, sheared), 4)) == pytest.approx(60 * 20, rel=1e-5)


@pytest.mark.parametrize("template", range(len(templates.OIL)))
def test_an_oil_stroke_is_an_affine_image_of_its_template(template):
    unit = brushes.template_points(brushes.OIL)[template].double().numpy()
    loop = loop_of(brushes.OIL, OIL_SHAPE, template=template)
    design = np.concatenate([unit, np.ones((len(unit), 1))], 1)
    affine, _, rank, _ = np.linalg.lstsq(design, loop, rcond=None)
    assert rank == 3
    assert np.abs(design @ affine - loop).max() < 1e-4
    assert abs(np.linalg.det(affine[:2])) == pytest.approx(60 * 20, rel=1e-4)


@pytest.mark.parametrize("template", range(len(templates.OIL)))
@pytest.mark.parametrize("segments", [4, 5, 6, 7, 8])
def test_templates_fill_their_frame_and_do_not_cross(template, segments):
    loop = templates.oil_outline(template, segments)
    assert loop.shape == (3 * segments, 2)
    dense = templates.flatten(loop, 40)
    assert dense.min(0) == pytest.approx([-0.5, -0.5], abs=2e-3)
    assert dense.max(0) == pytest.approx([0.5, 0.5], abs=2e-3)
    assert area(dense) > 0.4
    assert not crosses_itself(templates.flatten(loop, 12))


def test_the_texture_covers_what_the_outline_covers():
    for stamp in templates.oil_stamps():
        outline_area = area(templates.flatten(stamp.outline.loops[0], 40))
        painted = float((stamp.texture > 0.3).mean())
        assert painted == pytest.approx(outline_area, abs=0.12)
        assert 0 <= stamp.texture.min() <= stamp.texture.max() <= 1


def test_a_straight_sweep_has_the_area_of_a_capsule():
    loop = loop_of(brushes.MARKER, (10, 20, 40, 20, 70, 20, 8, 0))
    assert area(templates.flatten(loop, 200)) == pytest.approx(60 * 16 + math.pi * 64, rel=4e-4)


def test_a_straight_sweep_with_two_radii_is_a_trapezium_with_round_ends():
    loop = loop_of(brushes.WATERCOLOR, (10, 20, 40, 20, 70, 20, 4, 10))
    expected = 60 * (8 + 20) / 2 + math.pi * (16 + 100) / 2
    assert area(templates.flatten(loop, 200)) == pytest.approx(expected, rel=4e-4)


def test_the_sides_of_a_gentle_sweep_keep_their_distance():
    """The true offset curve lies within 0.1 px of the cubics: 40 px long, bent by a quarter turn, radius 6."""
    p0, p1, p2, r = np.array([0.0, 0.0]), np.array([26.0, 0.0]), np.array([26.0, 26.0]), 6.0
    loop = loop_of(brushes.MARKER, (*p0, *p1, *p2, r, 0))
    t = np.linspace(0, 1, 4001)[:, None]
    middle = (1 - t) ** 2 * p0 + 2 * t * (1 - t) * p1 + t**2 * p2
    sides = templates.flatten(loop, 40).reshape(8, 40, 2)
    for side in (sides[0:2], sides[4:6]):
        distance = np.sqrt(((side.reshape(-1, 1, 2) - middle[None]) ** 2).sum(-1)).min(1)
        assert np.abs(distance - r).max() < 0.1


@pytest.mark.parametrize("radius", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("bend", [-12.0, 0.0, 7.0, 12.0])
def test_sane_sweeps_do_not_cross_themselves(radius, bend):
    loop = loop_of(brushes.WATERCOLOR, (10, 30, 35, 30 + bend, 60, 30, radius, radius * 0.6))
    assert not crosses_itself(templates.flatten(loop, 12))
    assert area(templates.flatten(loop, 12)) > 0


@ALL
@pytest.mark.parametrize("cubics", [4, 5, 6, 7, 8, 16, 64])
def test_no_outline_has_more_cubics_than_allowed(brush, cubics):
    count = brushes.segments(brush, cubics)
    assert count <= cubics
    assert len(loop_of(brush, SHAPES[brush], cubics)) == 3 * count


@ALL
def test_moving_a_stroke_moves_its_outline(brush):
    shape = np.array(SHAPES[brush])
    moved = shape.copy()
    for x in ((0,) if brush in brushes.STAMPED else (0, 2, 4)):
        moved[x] += 3.25
        moved[x + 1] -= 7.5
    assert loop_of(brush, moved) - loop_of(brush, shape) == pytest.approx(np.tile([3.25, -7.5], (
        3 * brushes.segments(brush), 1)), abs=1e-3)


@ALL
def test_derivatives_agree_with_finite_differences(brush):
    shape = torch.tensor([SHAPES[brush]], dtype=torch.float64, requires_grad=True)
    template = brushes.template_points(brush).double()[:1] if brush in brushes.STAMPED else None
    assert torch.autograd.gradcheck(lambda s: brushes.points(brush, s, template), (shape,), eps=1e-6, atol=1e-6)
    assert torch.autograd.gradcheck(lambda s: torch.cat(brushes.frame(brush, s)), (shape,), eps=1e-6, atol=1e-6)


@ALL
def test_the_outline_runs_clockwise_on_a_screen_and_is_closed(brush):
    assert area(templates.flatten(loop_of(brush, SHAPES[brush]), 8)) > 0


def test_mixed_brushes_keep_paint_order():
    parts = [strokes_of(b, SHAPES[b]) for b in (1, 0, 3, 2, 0)]
    mixed = Strokes(*(np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])))
    for outline, part in zip(brushes.outlines(mixed), parts, strict=True):
        assert outline.loops[0] == pytest.approx(brushes.outlines(part)[0].loops[0])


def test_shapes_carry_gradient_level_and_id():
    strokes = strokes_of(brushes.TAPE, TAPE_SHAPE, TAPE_SHAPE, axis=(1, 2, 30, 4))
    strokes.level[1] = 3
    strokes.color1[1] = strokes.color0[1]
    first, second = brushes.shapes(Painting(strokes, 100, 80, None))
    assert isinstance(first.fill, LinearGradient)
    assert (first.fill.x1, first.fill.y1, first.fill.x2, first.fill.y2) == (1, 2, 30, 4)
    assert [stop.color for stop in first.fill.stops] == [(1, 0, 0), (0, 0, 1)]
    assert isinstance(second.fill, SolidColor)
    assert (first.level, second.level) == (0, 3)
    assert first.id != second.id


def test_tidy_axes_change_no_colour_inside_the_stroke():
    rng = np.random.default_rng(3)
    shapes = [(50, 50, 40, 15, a, 0, 0, 0) for a in rng.uniform(0, 3, 12)]
    strokes = strokes_of(brushes.OIL, *shapes)
    strokes.axis[:] = rng.uniform(0, 100, (12, 4))
    tidy = brushes.tidy_axes(Painting(strokes, 100, 100, None))
    for i, outline in enumerate(brushes.outlines(strokes)):
        places = templates.flatten(outline.loops[0], 3)
        # The reach along the axis is measured on a polygon, so the outermost colour may be off by its sagitta.
        assert colors_at(tidy, i, places) == pytest.approx(colors_at(strokes, i, places), abs=2e-3)
        ends = tidy.axis[i].reshape(2, 2)
        assert (ends.min(0) >= places.min(0) - 12).all()
        assert (ends.max(0) <= places.max(0) + 12).all()


def colors_at(strokes, i, places):
    start, end = strokes.axis[i, :2].astype(float), strokes.axis[i, 2:].astype(float)
    span = end - start
    if span @ span < 1e-9:
        return np.tile(strokes.color1[i], (len(places), 1))
    u = np.clip((places - start) @ span / (span @ span), 0, 1)[:, None]
    return strokes.color0[i] + u * (strokes.color1[i] - strokes.color0[i])


def test_fitted_loops_lie_on_the_contour():
    angle = np.linspace(0, 2 * math.pi, 400, endpoint=False)
    ellipse = np.stack([30 * np.cos(angle), 12 * np.sin(angle)], 1)
    dense = templates.flatten(fit_loop(ellipse, 6), 20)
    assert np.abs((dense[:, 0] / 30) ** 2 + (dense[:, 1] / 12) ** 2 - 1).max() < 0.04
