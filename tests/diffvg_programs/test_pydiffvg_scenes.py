"""gradvec.pydiffvg against closed forms, gradvec's own scenes, and the real pydiffvg where one is importable."""

from __future__ import annotations

import importlib.util
import math

import gradvec.pydiffvg as pydiffvg
import numpy as np
import pytest
import torch
from gradvec.errors import InputError, UsageError
from gradvec.pydiffvg import scene as scenes
from gradvec.pydiffvg.chords import Chords
from gradvec.render import render
from gradvec.render.scene import Scene
from gradvec.render.shapes import polygon

#: Whether there is a pydiffvg; a mere folder of that name has no origin.
BUILT = getattr(importlib.util.find_spec("pydiffvg"), "origin", None) is not None
GREEN = torch.tensor([0.3, 0.6, 0.3, 1.0])


def shown(shapes, groups, width=48, height=40, background=None, size=None):
    args = pydiffvg.RenderFunction.serialize_scene(width, height, shapes, groups)
    return pydiffvg.RenderFunction.apply(*(size or (width, height)), 2, 2, 0, background, *args)


def group(ids=(0,), fill=GREEN, **more):
    return pydiffvg.ShapeGroup(torch.tensor(ids), fill, **more)


def square(low=10.0, high=30.0):
    return pydiffvg.Rect(torch.tensor([low, low]), torch.tensor([high, high]))


def area(shape, **more):
    return float(shown([shape], [group(**more)])[..., 3].sum())


def test_basic_shapes_have_their_areas():
    tensor = torch.tensor
    assert area(square()) == pytest.approx(400, rel=1e-6)
    assert area(pydiffvg.Circle(tensor(12.3), tensor([20.4, 19.2]))) == pytest.approx(math.pi * 12.3**2, rel=2e-3)
    assert area(pydiffvg.Ellipse(tensor([15.0, 7.0]), tensor([20.4, 19.2]))) == pytest.approx(math.pi * 105, rel=2e-3)
    corners = tensor([[5.0, 5], [30, 9], [14, 33]])
    assert area(pydiffvg.Polygon(corners, True)) == pytest.approx(332, rel=1e-5)
    assert area(pydiffvg.Path(tensor([0, 0, 0]), corners, True)) == pytest.approx(332, rel=1e-5)
    lens = tensor([[5.0, 20], [20, 0], [35, 20], [20, 40]])
    assert area(pydiffvg.Path(tensor([1, 1]), lens, True)) == pytest.approx(2 * 2 / 3 * 30 * 10, rel=2e-3)


def test_an_open_path_is_filled_as_if_a_line_closed_it():
    corners = torch.tensor([[5.0, 5], [30, 9], [14, 33]])
    assert area(pydiffvg.Path(torch.tensor([0, 0]), corners, False)) == pytest.approx(332, rel=1e-5)


def test_stroke_width_is_half_of_what_is_seen():
    line = pydiffvg.Path(torch.tensor([0]), torch.tensor([[10.0, 20.3], [40.0, 20.3]]), False, torch.tensor(3.0))
    picture = shown([line], [group(fill=None, stroke_color=GREEN)])
    assert float(picture[..., 3].sum()) == pytest.approx(30 * 6 + math.pi * 9, rel=5e-3)
    assert picture[20, 25].tolist() == pytest.approx(GREEN.tolist())


def test_a_width_for_each_point_is_interpolated():
    cone = pydiffvg.Path(torch.tensor([0]), torch.tensor([[10.0, 20.3], [38.0, 20.3]]), False,
                         torch.tensor([2.0, 6.0]))
    picture = shown([cone], [group(fill=None, stroke_color=GREEN)])
    assert float(picture[:, 10:38, 3].sum()) == pytest.approx(28 * 8, rel=1e-2)


def test_a_groups_stroke_lies_under_its_fill():
    shape = square()
    shape.stroke_width = torch.tensor(3.0)
    red = torch.tensor([1.0, 0, 0, 1])
    picture = shown([shape], [group(stroke_color=red)])
    assert picture[20, 28].tolist() == pytest.approx(GREEN.tolist())
    assert picture[20, 31].tolist() == pytest.approx(red.tolist())
    assert float(picture[..., 3].sum()) == pytest.approx(26**2 - (4 - math.pi) * 9, rel=1e-3)


def test_even_odd_is_the_default_rule():
    both = [square(5, 35), square(15, 25)]
    hole = shown(both, [group((0, 1))])
    full = shown(both, [group((0, 1), use_even_odd_rule=False)])
    assert (float(hole[..., 3].sum()), float(full[..., 3].sum())) == pytest.approx((800, 900))


def test_straight_colours_are_averaged_over_the_px():
    """Half of a px covered by half-transparent white: the colour is half as bright, the opacity a quarter."""
    half = pydiffvg.Rect(torch.tensor([10.0, 10.0]), torch.tensor([20.5, 20.0]))
    picture = shown([half], [group(fill=torch.tensor([1.0, 0.8, 0.4, 0.5]))])
    assert picture[15, 15].tolist() == pytest.approx([1, 0.8, 0.4, 0.5], abs=1e-6)
    assert picture[15, 20].tolist() == pytest.approx([0.5, 0.4, 0.2, 0.25], abs=1e-6)
    assert picture[15, 22].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_opacity_has_its_own_derivative_also_where_all_is_opaque(alone, opacity):
    """Straight colours do not change with their opacity where a shape lies alone: closed form."""
    fill = torch.tensor([0.9, 0.6, 0.3, opacity], requires_grad=True)
    shapes, groups = [pydiffvg.Rect(torch.tensor([10.0, 10.0]), torch.tensor([20.5, 20.0]))], [group(fill=fill)]
    if not alone:
        shapes.append(square(30, 35))
        groups.append(group((1,)))
    picture = shown(shapes, groups)
    assert picture[15, 20].tolist() == pytest.approx([0.45, 0.3, 0.15, opacity / 2], abs=1e-6)
    colors = picture[..., :3].sum()
    (slope,) = torch.autograd.grad(colors, fill, retain_graph=True)
    assert slope.tolist() == pytest.approx([105, 105, 105, 0], abs=1e-3)
    (slope,) = torch.autograd.grad(picture[..., 3].sum(), fill)
    assert slope.tolist() == pytest.approx([0, 0, 0, 105], abs=1e-3)


def test_a_background_lies_under_everything_and_has_a_derivative():
    ground = torch.full((40, 48, 3), 0.25, requires_grad=True)
    picture = shown([square()], [group(fill=torch.tensor([1.0, 0.0, 0.0, 0.5]))], background=ground)
    assert picture[20, 20].tolist() == pytest.approx([0.625, 0.125, 0.125, 1.0])
    assert picture[2, 2].tolist() == pytest.approx([0.25, 0.25, 0.25, 1.0])
    picture.sum().backward()
    assert ground.grad[20, 20, 0] == pytest.approx(0.5)
    assert ground.grad[2, 2, 0] == pytest.approx(1.0)


def test_groups_move_their_shapes_and_stretch_their_strokes():
    turned = torch.tensor([[0.0, -1, 40], [1, 0, 0], [0, 0, 1]])
    assert torch.allclose(shown([square(6, 16)], [group(shape_to_canvas=turned)])[..., 3],
                          shown([pydiffvg.Rect(torch.tensor([24.0, 6]), torch.tensor([34.0, 16]))], [group()])[..., 3],
                          atol=1e-5)
    line = pydiffvg.Path(torch.tensor([0]), torch.tensor([[2.0, 4.1], [8.0, 4.1]]), False, torch.tensor(1.0))
    wide = torch.diag(torch.tensor([4.0, 2.0, 1.0]))
    picture = shown([line], [group(fill=None, stroke_color=GREEN, shape_to_canvas=wide)])
    assert float(picture[..., 3].sum()) == pytest.approx((6 * 2 + math.pi) * 8, rel=1e-2)


def test_a_picture_of_another_size_is_stretched():
    large = shown([square()], [group()], size=(96, 80))
    assert float(large[..., 3].sum()) == pytest.approx(1600, rel=1e-6)


@pytest.mark.parametrize("kind", ["linear", "radial"])
def test_gradients_lie_in_px_of_the_canvas(kind):
    stops = torch.tensor([0.0, 1.0]), torch.tensor([[1.0, 0, 0, 1], [0, 0, 1, 1]])
    if kind == "linear":
        fill = pydiffvg.LinearGradient(torch.tensor([10.0, 0]), torch.tensor([30.0, 0]), *stops)
    else:
        fill = pydiffvg.RadialGradient(torch.tensor([10.0, 20.5]), torch.tensor([20.0, 20.0]), *stops)
    row = shown([square()], [group(fill=fill)])[20, 10:30]
    t = (torch.arange(20) + 0.5) / 20
    assert torch.allclose(row[:, 0], 1 - t, atol=1e-5)
    assert torch.allclose(row[:, 2], t, atol=1e-5)


def test_a_radial_gradient_has_two_radii():
    """u is the length of what is left of the way from the centre in radii along x and along y."""
    center, radius = torch.tensor([20.5, 19.5]), torch.tensor([14.0, 5.0], requires_grad=True)
    fill = pydiffvg.RadialGradient(center, radius, torch.tensor([0.0, 1.0]), torch.tensor([[1.0, 0, 0, 1],
                                                                                         [0, 0, 1, 1]]))
    picture = shown([square()], [group(fill=fill)])
    y, x = torch.meshgrid(torch.arange(10.0, 30) + 0.5, torch.arange(10.0, 30) + 0.5, indexing="ij")
    u = ((torch.stack([x, y], 2) - center) / radius.detach()).norm(dim=2).clamp(max=1)
    assert torch.allclose(picture[10:30, 10:30, 2], u, atol=1e-5)
    picture[19, 26, 2].backward()  # u = 6 / 14 there
    assert radius.grad.tolist() == pytest.approx([-6 / 14**2, 0], abs=1e-6)


def test_derivatives_are_those_of_gradvecs_own_scene():
    corners = torch.tensor([[5.2, 5.1], [30.3, 9.4], [14.7, 33.8]])
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(48.0), indexing="ij")
    weight = torch.sin(x / 9) * torch.cos(y / 7)
    theirs, ours = corners.clone().requires_grad_(), corners.clone().requires_grad_()
    (shown([pydiffvg.Polygon(theirs, True)], [group()])[..., 3] * weight).sum().backward()
    scene = Scene.from_tensors(48, 40, [polygon(ours)], GREEN[None])
    (render(scene, "cpu")[..., 3] * weight).sum().backward()
    assert torch.allclose(theirs.grad, ours.grad, rtol=1e-4, atol=1e-4)


def every_kind():
    """One of each shape, filled or stroked, plain or in gradients, in two groups with transforms."""
    tensor = torch.tensor
    shapes = [pydiffvg.Circle(tensor(7.3), tensor([12.1, 11.3]), tensor(1.3)),
              pydiffvg.Ellipse(tensor([9.1, 5.2]), tensor([33.4, 12.6]), tensor(0.8)),
              pydiffvg.Rect(tensor([4.3, 24.2]), tensor([18.6, 33.7]), tensor(1.1)),
              pydiffvg.Path(tensor([2, 1, 0]), tensor([[24.2, 22.1], [30, 18.3], [41.2, 20], [44.6, 28.2], [40.1, 38.3],
                                                       [30.2, 35.7]]), True, tensor(1.4)),
              pydiffvg.Path(tensor([2, 2]), tensor([[4.0, 38.3], [10, 20], [20, 44], [26.2, 30.3], [33.3, 16.1],
                                                    [38.4, 33.2], [45.1, 6.2]]), False, tensor(1.7))]
    stops = tensor([0.1, 0.9]), tensor([[0.9, 0.1, 0.2, 0.9], [0.2, 0.3, 0.8, 0.7]])
    linear = pydiffvg.LinearGradient(tensor([24.0, 20.0]), tensor([42.0, 36.0]), *stops)
    radial = pydiffvg.RadialGradient(tensor([12.0, 11.0]), tensor([8.0, 8.0]), *stops)
    turn = tensor([[0.98, -0.17, 2.0], [0.17, 0.98, -3.0], [0, 0, 1]])
    groups = [group((0,), radial, stroke_color=tensor([0.1, 0.2, 0.3, 1.0])),
              group((1, 2), tensor([0.7, 0.5, 0.1, 0.8]), shape_to_canvas=turn),
              group((3,), linear, stroke_color=tensor([0.2, 0.6, 0.4, 0.9])),
              group((4,), None, stroke_color=tensor([0.5, 0.1, 0.6, 1.0]))]
    return shapes, groups


def variables_of(shapes, groups):
    geometry = [getattr(s, name) for s in shapes for name in ("radius", "center", "p_min", "p_max", "points",
                                                              "stroke_width") if hasattr(s, name)]
    colors = []
    for g in groups:
        for color in (g.fill_color, g.stroke_color):
            colors += ([] if color is None else [color] if isinstance(color, torch.Tensor) else
                       list(vars(color).values()))
    return geometry + colors + [groups[1].shape_to_canvas]


def test_every_derivative_is_a_difference():
    """Central differences, steps of 0.02 px in single precision: a few hundredths of what kinks and rounding leave."""
    shapes, groups = every_kind()
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(48.0), indexing="ij")
    weight = torch.stack([torch.sin(x / 9), torch.cos(y / 7), torch.sin((x + y) / 11), torch.cos(x / 13)], 2)
    variables = variables_of(shapes, groups)
    for v in variables:
        v.requires_grad_()
    (shown(shapes, groups) * weight).sum().backward()
    got, want = [], []
    for v in variables:
        v.requires_grad_(False)
    for v in variables:
        grad = torch.zeros_like(v) if v.grad is None else v.grad
        for i in range(0, v.numel(), max(1, v.numel() // 3)):
            step = 1e-4 if v.shape == (3, 3) else 0.02 if v.abs().max() > 1.5 else 0.005
            sums = []
            for sign in (1, -1):
                kept = float(v.view(-1)[i])
                v.view(-1)[i] = kept + sign * step
                sums.append(float((shown(shapes, groups).double() * weight).sum()))
                v.view(-1)[i] = kept
            got.append(float(grad.reshape(-1)[i]))
            want.append((sums[0] - sums[1]) / (2 * step))
    got, want = torch.tensor(got), torch.tensor(want)
    assert (got - want).norm() <= 0.03 * want.norm()
    assert torch.nn.functional.cosine_similarity(got, want, dim=0) >= 0.999


def test_chords_lie_on_their_cubics_and_their_derivative_is_the_adjoint_of_their_map():
    generator = torch.Generator().manual_seed(0)
    control = torch.rand(9, 2, generator=generator, requires_grad=True)
    segments, counts = np.array([[0, 1, 2, 3], [3, 4, 5, 0], [8, 8, 8, 8], [6, 7, 8, 6]]), np.array([5, 1, 1, 3])
    vertices = Chords.apply(control, segments, counts)
    t = torch.tensor([0.0, 0.2, 0.4, 0.6, 0.8])[:, None]
    a, b, c, d = control.detach()[:4]
    expected = a * (1 - t) ** 3 + 3 * b * (1 - t) ** 2 * t + 3 * c * (1 - t) * t**2 + d * t**3
    assert torch.allclose(vertices[:5], expected, atol=1e-6)
    assert torch.equal(vertices[[5, 6, 7]], control[[3, 8, 6]])
    grad = torch.rand(vertices.shape, generator=generator)
    vertices.backward(grad)
    assert torch.isclose((grad * vertices).sum(), (control.grad * control).sum(), rtol=1e-5)


def test_only_segments_that_are_long_get_many_chords():
    points = torch.tensor([[2.0, 2], [60, 2], [2, 60], [40, 36], [39, 36], [38, 36], [37, 36], [36, 36],
                           [35, 35], [34, 34]])
    shape = pydiffvg.Path(torch.tensor([2, 2, 2, 0]), points, True)
    scene = scenes.scene_of(scenes.serialize(48, 40, [shape], [group()]), 48, 40)
    long = len(scene.points) // 3 - 2 * scenes.LEAST_CHORDS - 1
    assert long > 3 * scenes.LEAST_CHORDS


def test_what_is_counted_is_kept_from_call_to_call():
    shapes, groups = every_kind()
    first = scenes.scene_of(scenes.serialize(48, 40, shapes, groups), 48, 40)
    shapes[4].points = shapes[4].points + 0.01
    groups[3].stroke_color = torch.tensor([0.4, 0.2, 0.6, 0.5])
    second = scenes.scene_of(scenes.serialize(48, 40, shapes, groups), 48, 40)
    assert second.topology is first.topology
    assert not torch.equal(first.points, second.points)
    third = scenes.scene_of(scenes.serialize(48, 40, shapes[:1], groups[:1]), 48, 40)
    assert third.topology is not first.topology


def test_what_is_serialized_is_no_longer_changed():
    shape = square()
    args = pydiffvg.RenderFunction.serialize_scene(48, 40, [shape], [group()])
    shape.p_max = torch.tensor([12.0, 12.0])
    picture = pydiffvg.RenderFunction.apply(48, 40, 2, 2, 0, None, *args)
    assert float(picture[..., 3].sum()) == pytest.approx(400)


@pytest.mark.parametrize(("more", "message"), [
    ({"output_type": pydiffvg.OutputType.sdf}, "not signed distances"),
    ({"use_prefiltering": True}, "no prefiltering"),
    ({"filter": pydiffvg.PixelFilter(pydiffvg.FilterType.hann, torch.tensor(1.0))}, "box filter of radius 0.5"),
    ({"eval_positions": torch.zeros(3, 2)}, "positions of your own"),
])
def test_what_is_not_here_is_refused_in_a_sentence(more, message):
    with pytest.raises(UsageError, match=message):
        pydiffvg.RenderFunction.serialize_scene(48, 40, [square()], [group()], **more)


def test_what_else_is_not_here_is_named():
    with pytest.raises(UsageError, match="no pictures of derivatives"):
        pydiffvg.RenderFunction.render_grad(torch.ones(4, 4, 4), 4, 4, 2, 2, 0, None)
    with pytest.raises(AttributeError, match=r"has no render_tensorflow; docs/diffvg\.md"):
        pydiffvg.render_tensorflow  # noqa: B018


def test_a_card_that_is_not_there_is_named():
    missing = f"cuda:{torch.cuda.device_count()}"
    before = pydiffvg.get_device()
    with pytest.raises(UsageError, match=f"no device {missing}"):
        pydiffvg.set_device(missing)
    assert pydiffvg.get_device() == before
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="torch sees 0 graphics cards"):
            pydiffvg.set_use_gpu(True)
    pydiffvg.set_use_gpu(False)
    assert not pydiffvg.get_use_gpu()
    pydiffvg.set_device(before)


@pytest.mark.parametrize(("shapes", "groups", "message"), [
    ([pydiffvg.Path(torch.tensor([2]), torch.zeros(3, 2), False)], [group()], r"expects points of shape \(4, 2\)"),
    ([pydiffvg.Path(torch.tensor([3]), torch.zeros(5, 2), False)], [group()], "expects numbers from 0 to 2"),
    ([square()], [group((0, 1))], "names shape 1, but there are 1"),
    (["a circle"], [group()], "a str, which is none of diffvg's shapes"),
])
def test_malformed_scenes_are_told(shapes, groups, message):
    with pytest.raises(InputError, match=message):
        shown(shapes, groups)


@pytest.mark.diffvg
@pytest.mark.skipif(not BUILT, reason="no pydiffvg was built here")
def test_the_real_diffvg_shows_the_same():
    import pydiffvg as real
    shapes, groups = every_kind()
    ours = shown(shapes, groups)

    def told(thing):
        fields = {k: told(v) for k, v in vars(thing).items()} if type(thing).__module__.startswith("gradvec") else thing
        return getattr(real, type(thing).__name__)(**fields) if fields is not thing else thing

    args = real.RenderFunction.serialize_scene(48, 40, [told(s) for s in shapes], [told(g) for g in groups])
    theirs = real.RenderFunction.apply(48, 40, 8, 8, 0, None, *args)
    assert float(((ours - theirs)**2).mean().sqrt()) <= 0.015


def test_a_layout_is_kept_while_shapes_grow_and_shrink():
    """Of many shapes that move some need more chords in each step: what was counted serves until it is far too much."""
    def laid_out(scale: float) -> scenes._Layout:
        bend = torch.tensor([[20.0, 20], [20, 5], [44, 5], [44, 20], [44, 40], [20, 40]]) * scale
        curves = [pydiffvg.Path(torch.tensor([2, 2]), bend + n, True) for n in range(2)]
        groups = [pydiffvg.ShapeGroup(torch.tensor([n]), torch.ones(4)) for n in range(2)]
        pydiffvg.RenderFunction.apply(64, 64, 2, 2, 0, None,
                                      *pydiffvg.RenderFunction.serialize_scene(64, 64, curves, groups))
        return next(reversed(scenes._layouts.values()))

    first = laid_out(1.0)
    grown = laid_out(3.0)
    assert grown is not first
    assert all(more > few for more, few in zip(grown.chords, first.chords, strict=True))
    assert laid_out(2.5) is grown
    assert laid_out(3.1) is grown
    assert sum(laid_out(0.02).chords) < sum(grown.chords)


@pytest.mark.parametrize("said", ['viewBox="0 0 197.04 144.66"', 'width="197.04" height="144.66"'])
def test_a_files_size_is_cut_off_to_whole_px(said):
    """As diffvg does it: programs compare the picture with one of that size."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {said}><rect width="9" height="9"/></svg>'
    assert pydiffvg.svg_str_to_scene(svg)[:2] == (197, 144)


@pytest.mark.parametrize("width", [-1.0, 0.0])
def test_a_straight_stroke_without_width_shows_nothing(width):
    """An optimizer may take a width below 0."""
    wide = torch.tensor(width, requires_grad=True)
    line = pydiffvg.Path(torch.tensor([0]), torch.tensor([[10.0, 20.3], [40.0, 20.3]]), False, wide)
    picture = shown([line], [group(fill=None, stroke_color=GREEN)])
    assert float(picture[..., 3].sum().detach()) == pytest.approx(0, abs=0.1)
    picture.sum().backward()
    assert bool(torch.isfinite(wide.grad))


@pytest.mark.parametrize(("ids", "fill"), [((), GREEN), ((0,), None)])
def test_groups_that_paint_nothing_leave_the_background(ids, fill):
    assert float(shown([square()], [group(ids, fill)]).abs().sum()) == 0
    ground = torch.full((40, 48, 4), 0.5)
    assert torch.allclose(shown([square()], [group(ids, fill)], background=ground)[..., 3], ground[..., 3])


def _path(points=None, counts=(0, 0, 0), closed=True, width=1.0):
    points = torch.tensor([[5.0, 5], [30, 9], [14, 33]]) if points is None else points
    return pydiffvg.Path(torch.tensor(counts), points, closed, width if width is None else torch.tensor(width))


@pytest.mark.parametrize(("shape", "more", "sentence"), [
    (_path(counts=2), {}, "num_control_points of shape 0, a Path, expects numbers from 0 to 2"),
    (_path(width=[1.0, 2.0]), {"stroke_color": GREEN}, r"stroke_width .* each of 3 points, got one of shape \(2,\)"),
    (_path(width=None), {"stroke_color": GREEN}, "stroke_width of shape 0, a Path, expects a number"),
    (_path(torch.tensor([[5.0, 5], [math.nan, 9], [14, 33]])), {}, "points of shape 0, a Path, has a number"),
    (pydiffvg.Polygon(torch.zeros(5), True), {"stroke_color": GREEN}, r"points of .* .* \(K, 2\) with K from 1"),
    (pydiffvg.Polygon(torch.zeros(0, 2), False), {}, "with K from 2 on"),
    (pydiffvg.Circle(torch.tensor(math.inf), torch.zeros(2)), {}, "radius of shape 0, a Circle, has a number"),
    (square(), {"fill": [1, 0, 0, 1]}, r"fill_color of group 0 expects a tensor of shape \(4,\), a gradient or None"),
    (square(), {"fill": torch.tensor([1.0, math.nan, 0, 1])}, "fill_color of group 0 has a number that is not finite"),
    (square(), {"fill": pydiffvg.LinearGradient(stop_colors=torch.zeros(0, 4))}, r"stop_colors of shape \(T, 4\)"),
    (square(), {"fill": pydiffvg.LinearGradient(stop_colors=torch.zeros(3, 4))}, "as many offsets as stop_colors, 3"),
    (square(), {"shape_to_canvas": torch.eye(3)[:2]}, r"shape_to_canvas of group 0 expects a tensor of shape \(3, 3\)"),
])
def test_what_is_wrong_with_a_scene_is_said_of_the_programs_own_fields(shape, more, sentence):
    with pytest.raises(InputError, match=sentence):
        shown([shape], [group(**more)])


@pytest.mark.parametrize("groups", [[], [group()]])
def test_a_background_has_the_size_of_the_picture(groups):
    with pytest.raises(InputError, match=r"background_image expects shape \(40, 48, 3 or 4\), got \(3, 3, 4\)"):
        shown([square()], groups, background=torch.ones(3, 3, 4))


def test_a_canvas_of_no_size_is_refused():
    with pytest.raises(InputError, match="a width and height from 1 px, got 0 x 40"):
        shown([square()], [group()], size=(0, 40))
