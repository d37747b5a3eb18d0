"""The engine as a library: scenes from tensors, basic shapes, backgrounds, rules, crops and batches."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from gradvec.errors import EngineError
from gradvec.model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from gradvec.render import render, render_flat
from gradvec.render.build import Linear, Radial, crop_scene, half_axes, join_scenes, transformed_fill
from gradvec.render.scene import Scene, scene_from_shapes
from gradvec.render.shapes import circle, ellipse, polygon, polyline, quadratics, rectangle, transformed
from gradvec.render.strokes import strokes
from render_scenes import random_scene, under_even_odd, with_ellipses

WHITE = torch.ones(1, 4, dtype=torch.float64)
CENTER = torch.tensor([20.3, 18.9], dtype=torch.float64)


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def area(loop, width=44, height=40):
    return float(render(Scene.from_tensors(width, height, [loop], WHITE, pieces=32), "cpu")[..., 3].sum())


def test_shapes_have_their_areas():
    assert area(circle(CENTER, 13.0)) == pytest.approx(math.pi * 169, rel=3e-3)
    assert area(ellipse(CENTER, numbers(15.0, 6.0))) == pytest.approx(math.pi * 90, rel=3e-3)
    low, high = numbers(5.3, 4.1), numbers(33.7, 30.2)
    assert area(rectangle(low, high)) == pytest.approx(28.4 * 26.1, rel=1e-9)
    assert area(rectangle(low, high, 4.0)) == pytest.approx(28.4 * 26.1 - (4 - math.pi) * 16, rel=1e-3)
    assert area(rectangle(low, high, 99.0)) == pytest.approx(
        28.4 * 26.1 - (4 - math.pi) * 13.05**2, rel=1e-3)
    assert area(polygon(torch.stack([low, high, numbers(5.3, 30.2)]))) == pytest.approx(28.4 * 26.1 / 2, rel=1e-9)


def test_quadratics_are_the_cubics_that_equal_them():
    points = numbers(*[[2, 3], [20, 1], [30, 20], [25, 33], [5, 30]])
    cubics = quadratics(points)
    t = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
    for i in range(2):
        a, q, b = points[2 * i:2 * i + 3]
        p = cubics[3 * i:3 * i + 4]
        want = (1 - t)**2 * a + 2 * t * (1 - t) * q + t * t * b
        got = (1 - t)**3 * p[0] + 3 * t * (1 - t)**2 * p[1] + 3 * t * t * (1 - t) * p[2] + t**3 * p[3]
        assert torch.allclose(got, want, atol=1e-12)


def test_transforms_move_what_they_are_given():
    turn = numbers([0, -1, 40], [1, 0, 2], [0, 0, 1])
    square = rectangle(numbers(5.0, 6.0), numbers(9.0, 12.0))
    assert torch.allclose(transformed(square, turn), transformed(square, turn[:2]))
    corners = transformed(square, turn)[::3]
    assert torch.allclose(corners, numbers([34, 7], [34, 11], [28, 11], [28, 7]))
    depth = numbers([1, 0, 0], [0, 1, 0], [0.1, 0, 1])
    assert transformed(numbers([10.0, 4.0]), depth).tolist() == [[5.0, 2.0]]


@pytest.mark.parametrize("make", [
    lambda p: circle(p[:2], p[2]), lambda p: ellipse(p[:2], p[2:4]),
    lambda p: rectangle(p[:2] - p[2:4], p[:2] + p[2:4]),
    lambda p: rectangle(p[:2] - p[2:4], p[:2] + p[2:4], p[4]),
    lambda p: transformed(circle(p[:2], 8.0), torch.stack([torch.stack([p[4], p[2] / 30, p[3]]),
                                                           torch.stack([-p[2] / 30, p[4], p[3]])]) / 3)])
def test_shapes_are_differentiable_in_what_makes_them(make):
    y, x = np.mgrid[0:40, 0:44] / 9
    weight = torch.from_numpy(np.sin(x) + np.cos(y))
    made_of = numbers(20.31, 18.73, 11.17, 9.41, 3.3)

    def loss(p):
        return (render(Scene.from_tensors(44, 40, [make(p)], WHITE), "cpu")[..., 3] * weight).sum()

    given = made_of.clone().requires_grad_()
    loss(given).backward()
    steps = torch.eye(5, dtype=torch.float64) * 1e-5
    numeric = torch.stack([(loss(made_of + s) - loss(made_of - s)) / 2e-5 for s in steps])
    assert (given.grad - numeric).norm() <= 1e-4 * numeric.norm()


def test_tensors_give_the_scene_that_shapes_give():
    loops = [circle(CENTER, 9.0), rectangle(numbers(3, 4), numbers(30.5, 20))]
    stops = (Stop(0.2, (1, 0, 0)), Stop(0.7, (0, 1, 0), 0.5))
    offsets, colors = numbers(0.2, 0.7), numbers([1, 0, 0, 1], [0, 1, 0, 0.5])
    fills = [SolidColor((0.1, 0.2, 0.3)), LinearGradient(1, 2, 30, 20, stops), RadialGradient(9, 8, 12, stops)]
    outlines = [[loops[0]], loops, [loops[1]]]
    shapes = [Shape(Outline(tuple(loop.numpy() for loop in o)), f, a)
              for o, f, a in zip(outlines, fills, (1.0, 0.5, 0.7), strict=True)]
    want = scene_from_shapes(shapes, 44, 40, (0.5, 0.4, 0.3, 1.0), torch.float64)
    got = Scene.from_tensors(44, 40, [loops[0], loops, [loops[1]]], [
        numbers(0.1, 0.2, 0.3), Linear(numbers(1, 2), numbers(30, 20), offsets, colors),
        Radial(numbers(9, 8), numbers(12), offsets, colors)], numbers(1.0, 0.5, 0.7), (0.5, 0.4, 0.3))
    assert got == want


STOPS = numbers(0.1, 0.8), numbers([1, 0, 0, 1], [0, 1, 0, 0.5])
SQUARE = rectangle(numbers(2.0, 3), numbers(41, 37))


def filled(fill, engine="cpu"):
    return render(Scene.from_tensors(44, 40, [SQUARE], [fill]), engine)


def test_equal_half_axes_are_a_circle():
    want = filled(Radial(CENTER, numbers(12.0), *STOPS))
    for radius in (numbers(12.0, 12.0), half_axes(numbers(12.0, 12.0), 0.7), half_axes(numbers(12.0, 12.0), -2.0)):
        for engine in ("cpu", "reference"):
            assert (filled(Radial(CENTER, radius, *STOPS), engine) - want).abs().max() <= 1e-12


def test_fills_move_with_their_shapes():
    """A picture in which all is transformed, against the fill looked up where each px centre came from."""
    for fill in (Radial(CENTER, numbers(9.0, 5.0), *STOPS), Radial(CENTER, numbers(8.0), *STOPS),
                 Linear(numbers(8, 9), numbers(30, 22), *STOPS)):
        matrix = numbers([1.1, 0.4, -3], [-0.3, 0.8, 9], [0, 0, 1])
        inverse = torch.linalg.inv(matrix)
        y, x = torch.meshgrid(torch.arange(40) + 0.5, torch.arange(44) + 0.5, indexing="ij")
        came_from = transformed(torch.stack([x, y], -1).double(), inverse)
        if isinstance(fill, Linear):
            way = fill.end - fill.start
            u = ((came_from - fill.start) @ way) / (way @ way)
        else:
            u = ((came_from - fill.center) / fill.radius).norm(dim=-1)
        t = ((u - 0.1) / 0.7).clamp(0, 1)[4:36, 3:40]
        got = filled(transformed_fill(fill, matrix))[4:36, 3:40]
        assert (got[..., 3] - (1 - 0.5 * t)).abs().max() <= 1e-9
        assert (got[..., 0] - (1 - t) * (1 - 0.5 * t)).abs().max() <= 1e-9
    assert torch.equal(transformed_fill(STOPS[1][0], matrix), STOPS[1][0])


def test_a_crop_and_a_batch_keep_ellipses():
    scene = with_ellipses(random_scene(4, count=20).to(torch.float64))
    part = render(crop_scene(scene, 7, 5, 21, 18), "cpu")
    assert (part - render(scene, "cpu")[5:23, 7:28]).abs().max() <= 1e-9
    plain = random_scene(2, count=3).to(torch.float64)
    batch = join_scenes([scene, plain])
    assert torch.equal(render_flat(batch, "cpu"), torch.cat([render_flat(s, "cpu") for s in (scene, plain)]))


def test_ellipses_are_differentiable_in_half_axes_and_angle():
    y, x = np.mgrid[0:40, 0:44] / 9
    weight = torch.from_numpy(np.sin(x) + np.cos(y))
    made_of = numbers(20.31, 18.73, 17.17, 9.41, 0.6)

    def loss(p):
        return (filled(Radial(p[:2], half_axes(p[2:4], p[4]), *STOPS))[..., 0] * weight).sum()

    given = made_of.clone().requires_grad_()
    loss(given).backward()
    steps = torch.eye(5, dtype=torch.float64) * 1e-6
    numeric = torch.stack([(loss(made_of + s) - loss(made_of - s)) / 2e-6 for s in steps])
    assert (given.grad - numeric).norm() <= 1e-5 * numeric.norm()


def test_a_training_step_meets_the_topology_of_the_last_one():
    loops = [circle(CENTER, 9.0), circle(CENTER + 4, 5.0)]
    first = Scene.from_tensors(44, 40, loops, WHITE.expand(2, 4))
    second = Scene.from_tensors(44, 40, [loop + 1 for loop in loops], WHITE.expand(2, 4) * 0.5)
    other = Scene.from_tensors(44, 41, loops, WHITE.expand(2, 4))
    assert first.topology is second.topology
    assert first.topology is not other.topology


def test_strokes_and_fills_share_a_scene():
    line = polyline(numbers([5, 30.3], [38, 30.3]))
    pair = strokes(torch.stack([line, line - numbers(0, 20)]), 4.0, cap="butt")
    scene = Scene.from_tensors(44, 40, [circle(CENTER, 9.0), pair], torch.stack([
        numbers(1, 0, 0), numbers(0, 1, 0), numbers(0, 0, 1)]))
    picture = render(scene, "cpu")
    assert scene.topology.count == 3
    assert picture[30, 20].tolist() == pytest.approx([0, 1, 0, 1])
    assert picture[10, 20].tolist() == pytest.approx([0, 0, 1, 1])
    assert picture[19, 20].tolist() == pytest.approx([1, 0, 0, 1])
    assert float((picture - render(scene, "reference")).abs().max()) <= 1e-9


def test_a_background_picture_is_what_shows_through():
    scene = random_scene(3, background=(0, 0, 0, 0)).to(torch.float64)
    ground = torch.rand(32, 40, 3, dtype=torch.float64, requires_grad=True)
    picture = render(scene, "cpu", background=ground)
    alone = render(scene, "cpu")
    assert torch.allclose(picture[..., :3], alone[..., :3] + ground * (1 - alone[..., 3:]))
    assert torch.allclose(picture[..., 3], torch.ones(32, 40, dtype=torch.float64))
    picture[..., :3].sum().backward()
    assert torch.allclose(ground.grad, (1 - alone[..., 3:]).expand(-1, -1, 3))


def test_a_background_colour_is_a_picture_of_it():
    scene = random_scene(3).to(torch.float64)
    color = numbers(0.2, 0.4, 0.6)
    flat = render(scene, "cpu", background=color)
    assert torch.allclose(flat, render(scene, "cpu", background=color.expand(32, 40, 3)))
    assert torch.equal(flat, render(scene, "cpu", background=(0.2, 0.4, 0.6, 1.0)))


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_one_rule_for_all(engine):
    loops = [rectangle(numbers(4.0, 4), numbers(24.0, 24)), rectangle(numbers(9.0, 9), numbers(14.0, 14))]
    scene = Scene.from_tensors(30, 30, [loops], WHITE)
    assert float(render(scene, engine, rule="evenodd")[..., 3].sum()) == pytest.approx(375)
    assert float(render(scene, engine)[..., 3].sum()) == pytest.approx(400)
    assert torch.equal(render(scene, engine, rule="evenodd"), render(under_even_odd(scene), engine))
    assert Scene.from_tensors(30, 30, [loops], WHITE, rule=["evenodd"]) == under_even_odd(scene)


def test_a_crop_is_a_part_of_the_picture():
    scene = random_scene(4, count=20).to(torch.float64)
    whole = render(scene, "cpu")
    part = render(crop_scene(scene, 7, 5, 21, 18), "cpu")
    assert (part - whole[5:23, 7:28]).abs().max() <= 1e-9


def test_joined_scenes_are_each_alone():
    alone = [random_scene(n, count=n + 1, width=10 + n) for n in range(3)]
    batch = join_scenes(alone)
    assert torch.equal(render_flat(batch, "cpu"), torch.cat([render_flat(s, "cpu") for s in alone]))
    assert join_scenes(alone).topology is batch.topology


LOOP = numbers(*[[1.0, 1]] * 3)
WRONG = {
    "an open loop": (lambda: Scene.from_tensors(8, 8, [LOOP[:2]], WHITE), r"Outline 0 expects loops of shape"),
    "three radii": (lambda: Scene.from_tensors(8, 8, [LOOP], [Radial(LOOP[0], LOOP[:, 0], numbers(0.0), WHITE)]),
                    r"a radius of one number, \(2,\) or \(2, 2\), got \(3,\)"),
    "a fill too many": (lambda: Scene.from_tensors(8, 8, [LOOP], WHITE.expand(2, 4)), "1 outlines, but 2 fills"),
    "a colour of two": (lambda: Scene.from_tensors(8, 8, [LOOP], WHITE[:, :2]), "A colour expects 3 or 4 numbers"),
    "an offset too few": (lambda: Scene.from_tensors(8, 8, [LOOP], [Linear(LOOP[0], LOOP[1], numbers(0.0), numbers(
        [1, 1, 1], [0, 0, 0]))]), "as many offsets as colours"),
    "another rule": (lambda: Scene.from_tensors(8, 8, [LOOP], WHITE, rule="odd"), "rule expects nonzero or evenodd"),
    "a rule of render's": (lambda: render(random_scene(1), rule="odd"), "no rule named 'odd'"),
    "a background of another size": (lambda: render(random_scene(1), background=torch.zeros(3, 3, 3)),
                                     r"background expects shape \(32, 40, 4\)"),
    "a background that is a table": (lambda: render(random_scene(1), background=torch.zeros(3, 3)), "A background is"),
    "a crop of many": (lambda: crop_scene(join_scenes([random_scene(1)] * 2), 0, 0, 4, 4), "one canvas, got 2"),
    "nothing to join": (lambda: join_scenes([]), "same number of line pieces"),
    "a line of one point": (lambda: polyline(LOOP[:1]), "at least two"),
    "half a quadratic": (lambda: quadratics(LOOP[:2]), r"shape \(2 S \+ 1, 2\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told(name):
    call, message = WRONG[name]
    with pytest.raises(EngineError, match=message):
        call()


def blocks_of(page: str) -> list[str]:
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_training_loop_of_the_documentation_trains():
    """Every block of the page, one after the other as it stands, with few steps."""
    blocks = blocks_of("engine.md")
    assert any("for step in range(200)" in b for b in blocks)
    space: dict = {}
    for block in blocks:
        exec(block.replace("range(200)", "range(40)"), space)
    assert space["losses"][-1] < 0.3 * space["losses"][0]


def test_the_page_for_users_of_diffvg_shows_programs_that_run():
    space: dict = {}
    for block in blocks_of("diffvg.md"):
        exec(block, space)
    difference = space["theirs"] - space["ours"].detach()
    assert difference.abs().max() <= 0.02  # chords of 32 pieces a segment against as many as each segment needs
