"""Brushes keep to their rules, while they are painted and while they are refined; fidelity loosens them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gradvec.brushes import outlines as brushes
from gradvec.brushes.rules import FREE, GONE, HELD, RULES, rules_of
from gradvec.geometry.inside import polygons
from gradvec.model import LinearGradient, SolidColor, Target
from gradvec.optimize import Refinement, refine
from gradvec.optimize.brush_constraint import BrushConstraint
from gradvec.optimize.variables import Freedom, Variables, reach_of
from gradvec.progress import Run
from gradvec.stages.paint import paint
from gradvec.stages.paint.settings import PaintSettings

BRUSHES = sorted(RULES)


def picture(side=40):
    """A slanted edge over a ramp, with a dot: something for every brush to follow."""
    y, x = np.mgrid[0:side, 0:side] / side
    rgb = np.stack([0.2 + 0.6 * x, 0.3 + 0.4 * y, np.where(x + 0.5 * y > 0.8, 0.8, 0.1)], -1)
    rgb[(x - 0.3) ** 2 + (y - 0.3) ** 2 < 0.02] = (0.9, 0.1, 0.1)
    return Target(rgb.astype(np.float32), np.ones((side, side), np.float32), (side, side))


def painting_of(brush, strokes, effort=0.0):
    return paint(picture(), PaintSettings(strokes=strokes, brush=brush, effort=effort, keep=0.0), Run())


@pytest.fixture(scope="module", params=BRUSHES)
def painted(request):
    return request.param, painting_of(request.param, 14, 0.2)


def length_to_width(painting):
    shape = painting.strokes.shape
    if painting.strokes.brush[0] in brushes.STAMPED:
        return shape[:, 2] / shape[:, 3]
    chord, widest = np.hypot(*(shape[:, 4:6] - shape[:, 0:2]).T), 2 * shape[:, 6:8].max(1)
    return (chord + widest) / widest


def test_painted_strokes_keep_to_their_brush(painted):
    brush, painting = painted
    rules, strokes = RULES[brush], painting.strokes
    assert len(strokes) > 5
    assert strokes.opacity.min() >= rules.opacity[0] - 1e-6
    assert strokes.opacity.max() <= rules.opacity[1] + 1e-6
    if rules.gradient == "none":
        assert np.allclose(strokes.color0, strokes.color1, atol=1e-6)
    if brush in ("oil", "tape", "dry"):
        aspect = length_to_width(painting)
        # Limits of length and width come after the rule and may cut a stroke that was as long as it may be.
        assert (aspect >= rules.aspect[0] * 0.99).mean() > 0.9
        assert aspect.max() <= rules.aspect[1] * 1.01


def test_gradients_of_oil_run_along_the_stroke(painted):
    brush, painting = painted
    if RULES[brush].gradient != "along":
        assert RULES[brush].gradient in ("none", "any")
        return
    axis, angle = painting.strokes.axis, painting.strokes.shape[:, 4]
    span = axis[:, 2:] - axis[:, :2]
    # Where the colour does not change within the stroke the axis is drawn in to a point.
    long = np.hypot(*span.T) > 0.5
    assert long.sum() > 5
    assert np.abs(np.sin(np.arctan2(span[:, 1], span[:, 0]) - angle))[long].max() < 1e-2


def test_refined_strokes_keep_to_their_brush(painted):
    brush, painting = painted
    rules = RULES[brush]
    shapes = [replace(s, id=str(n)) for n, s in enumerate(brushes.shapes(painting))]
    work = Refinement(steps=25, reseeds=0, freedom=Freedom(reach=reach_of(0.0)), constraints=(BrushConstraint(0.0),))
    ground = (*painting.background, 1.0)
    refined = refine(shapes, picture(), ground, work, Run()).shapes
    for before, after in zip(shapes, refined, strict=True):
        alphas = [1.0] if isinstance(after.fill, SolidColor) else [stop.opacity for stop in after.fill.stops]
        assert min(alphas) * after.opacity >= rules.opacity[0] - 1e-5
        assert max(alphas) * after.opacity <= rules.opacity[1] + 1e-5
        assert (rules.gradient != "none") or isinstance(after.fill, SolidColor)
        assert drawn_out(before, after) <= rules.stretch * 1.01
        came, went = proportions(before, after)
        assert min(rules.aspect[0], came) * 0.98 <= went <= max(rules.aspect[1], came) * 1.02
        if rules.straight:
            assert bend(after) < 1e-3
        if rules.gradient == "along" and isinstance(before.fill, LinearGradient):
            assert same_place(before, after) < 0.05


def drawn_out(before, after):
    """How many times more one principal direction of the best affine map grew than the other."""
    a, b = (np.concatenate(s.outline.loops).astype(float) for s in (before, after))
    matrix = np.linalg.lstsq(a - a.mean(0), b - b.mean(0), rcond=None)[0]
    s = np.linalg.svd(matrix)[1]
    return s[0] / s[1]


def proportions(before, after):
    """Length to width along the principal axes of a shape, and what the best affine map has made of that."""
    a, b = (np.concatenate(s.outline.loops).astype(float) for s in (before, after))
    a, b = a - a.mean(0), b - b.mean(0)
    axes = np.linalg.eigh(a.T @ a)[1]
    width, length = np.ptp(a @ axes, 0)
    across, along = np.linalg.norm(axes.T @ np.linalg.lstsq(a, b, rcond=None)[0], axis=1)
    return length / width, length / width * along / across


def bend(shape):
    """How far handles lie from their chords, px."""
    worst = 0.0
    for loop in shape.outline.loops:
        a, out, back, b = loop[0::3], loop[1::3], loop[2::3], np.roll(loop[0::3], -1, 0)
        worst = max(worst, np.abs(out - (a + (b - a) / 3)).max(), np.abs(back - (a + (b - a) * 2 / 3)).max())
    return worst


def same_place(before, after):
    """How far the gradient's ends left the outline's affine map, as a share of the shape's size."""
    a, b = (np.concatenate(s.outline.loops).astype(float) for s in (before, after))
    home = np.column_stack([a, np.ones(len(a))])
    matrix = np.linalg.lstsq(home, b, rcond=None)[0]
    ends = [np.array([[f.x1, f.y1, 1], [f.x2, f.y2, 1]]) for f in (before.fill, after.fill)]
    return np.abs(ends[0] @ matrix - ends[1][:, :2]).max() / np.ptp(b, 0).max()


@pytest.mark.parametrize("brush", BRUSHES)
def test_fidelity_loosens_rules_until_none_are_left(brush):
    assert rules_of(brush, 0.0) == rules_of(brush, HELD) == RULES[brush]
    half = rules_of(brush, (HELD + GONE) / 2)
    assert half.opacity[0] < RULES[brush].opacity[0]
    assert half.opacity[1] >= RULES[brush].opacity[1]
    assert half.aspect[0] <= RULES[brush].aspect[0]
    assert half.stretch > RULES[brush].stretch
    assert rules_of(brush, GONE) == rules_of(brush, 1.0) == FREE


def test_brushes_differ_in_opacity_and_shape():
    middle = {name: sum(rules.opacity) / 2 for name, rules in RULES.items()}
    assert middle["watercolor"] + 0.25 < middle["marker"] < middle["dry"] < middle["oil"]
    oil, marker, dry = (RULES[name].aspect for name in ("oil", "marker", "dry"))
    assert marker[0] > 1.8 * oil[0]
    assert dry[1] < 0.5 * marker[0] < oil[1]


@pytest.mark.parametrize("turned", [0.0, 0.5, 1.2])
def test_a_stroke_that_is_drawn_out_too_far_comes_back_with_its_area(turned):
    kept = BrushConstraint(0.0)
    kept.begin(Variables(brushes.shapes(painting_of("tape", 1)), 40, 40, (1.0,) * 4, Freedom()))
    c, s = np.cos(turned), np.sin(turned)
    wild = torch.tensor([[6.0, 0.0], [0.0, 0.5]]) @ torch.tensor([[c, s], [-s, c]], dtype=torch.float32)
    matrix = torch.cat([wild, torch.tensor([[7.0, 9.0]])])[None]
    tame = kept.unstretched(matrix, torch.arange(12)[None])[0]
    sizes = np.linalg.svd(tame[:2].numpy())[1]
    assert sizes[0] / sizes[1] == pytest.approx(RULES["tape"].stretch, rel=1e-4)
    assert sizes.prod() == pytest.approx(3.0, rel=1e-4)
    assert tame[2].tolist() == [7.0, 9.0]


def test_all_that_is_drawn_out_too_far_is_taken_back_as_by_singular_values():
    """Maps that mirror, that are a multiple of a turn, flat ones and none at all among random ones."""
    kept = BrushConstraint(0.0)
    kept.begin(Variables(brushes.shapes(painting_of("tape", 1)), 40, 40, (1.0,) * 4, Freedom()))
    matrix = torch.from_numpy(np.random.default_rng(1).normal(0, 1, (200, 3, 2)).astype(np.float32))
    matrix[:3, :2] = torch.tensor([[[0.0, 0], [0, 0]], [[0, -2], [2, 0]], [[1, 2], [2, 4]]])
    u, sizes, v = np.linalg.svd(matrix[:, :2].numpy().astype(float))
    ratio, area = sizes[:, 0] / np.maximum(sizes[:, 1], 1e-9), sizes.prod(1)
    wanted = np.minimum(ratio, RULES["tape"].stretch)
    tamed = u * np.sqrt(area[:, None] * np.stack([wanted, 1 / np.maximum(wanted, 1e-9)], 1))[:, None] @ v
    tamed = np.where((ratio > RULES["tape"].stretch)[:, None, None], tamed, matrix[:, :2])
    assert 20 < (ratio > RULES["tape"].stretch).sum() < 190
    got = kept.unstretched(matrix, torch.zeros(200, 1, dtype=torch.long))
    assert np.allclose(got[:, :2], tamed, atol=2e-5)
    assert torch.equal(got[:, 2], matrix[:, 2])


def test_a_dry_dab_is_torn_and_a_loaded_one_whole():
    from gradvec.brushes import dabs

    for variant in range(dabs.DRY):
        loops = dabs.broken(variant)
        assert len(loops) >= 3
        assert sum(len(loop) // 3 for loop in loops) <= 16 + 5 * 8
        wide = dabs.broken(variant, True)
        assert len(loops) < len(wide) <= 16 or sum(map(len, loops)) < sum(map(len, wide)), "its streaks are finer"
        assert sum(len(loop) // 3 for loop in wide) <= 28 + 5 * 15
    for template in range(len(brushes.templates.OIL)):
        (loop,) = dabs.loaded(template)
        assert len(loop) == 3 * dabs.LOADED_SEGMENTS
        points = brushes.templates.flatten(loop, 24)
        assert points.min(0) == pytest.approx([-0.5, -0.5], abs=1e-6)
        assert points.max(0) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_polygons_close():
    for shape in brushes.shapes(painting_of("dry", 3), fine=True):
        areas = [float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 for x, y in (p.T for p in polygons(shape.outline))]
        # The largest loop is paint; holes wind against it.
        assert abs(areas[0]) == max(map(abs, areas))
