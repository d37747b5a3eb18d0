"""The reference engine against closed forms, central finite differences and plain autograd."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from gradvec.model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from gradvec.render import reference, render
from gradvec.render.build import Radial
from gradvec.render.scene import Scene, scene_from_shapes
from render_scenes import (
    PARAMETERS,
    blob,
    circle,
    derivatives,
    polygon,
    random_scene,
    rectangle,
    turned_round,
    weight_for,
    with_ellipses,
)

WHITE, BLACK = SolidColor((1, 1, 1)), SolidColor((0, 0, 0))


def coverage(*loops: np.ndarray, width: int = 24, height: int = 20, pieces: int = 8) -> np.ndarray:
    scene = scene_from_shapes([Shape(Outline(loops), WHITE)], width, height, dtype=torch.float64, pieces=pieces)
    return reference.coverage(scene, 0, width, height).numpy()


@pytest.mark.parametrize("box", [(3, 4, 9, 11), (3.25, 4.5, 9.75, 11.125), (2.3, 2.4, 2.9, 17.7), (-5, 3.3, 50, 3.6)])
def test_axis_aligned_rectangle_is_a_product_of_overlaps(box):
    x0, y0, x1, y1 = box
    columns, rows = np.arange(24), np.arange(20)
    across = np.clip(np.minimum(x1, columns + 1) - np.maximum(x0, columns), 0, 1)
    down = np.clip(np.minimum(y1, rows + 1) - np.maximum(y0, rows), 0, 1)
    for loop in (rectangle(*box), turned_round(rectangle(*box))):
        assert np.abs(coverage(loop) - np.outer(down, across)).max() < 1e-13


def test_turned_square_has_the_area_of_a_square():
    corners = [(12 + 7 * np.cos(a), 10 + 7 * np.sin(a)) for a in 0.37 + np.arange(4) * np.pi / 2]
    c = coverage(polygon(*corners))
    assert c.sum() == pytest.approx(2 * 7**2, abs=1e-12)
    assert c[8:12, 10:14] == pytest.approx(1.0, abs=1e-14)


def test_triangle_over_a_diagonal_halves_its_pixels():
    c = coverage(polygon((2, 2), (12, 12), (2, 12)))
    rows = np.arange(20)
    for r in rows[2:12]:
        assert c[r, r] == pytest.approx(0.5, abs=1e-14)
        assert c[r, 2:r] == pytest.approx(1.0, abs=1e-14)
        assert c[r, r + 1:] == pytest.approx(0.0, abs=1e-14)


def test_circle_has_the_area_of_its_chords():
    """64 chords of 4 cubics: the polygon's own area by the shoelace formula, and pi r^2 to the chords' error."""
    loop = circle(12, 10, 7.3)
    scene = scene_from_shapes([Shape(Outline((loop,)), WHITE)], 24, 20, dtype=torch.float64, pieces=16)
    begin, end = (v.numpy() for v in reference.flatten(scene))
    shoelace = abs((begin[:, 0] * end[:, 1] - begin[:, 1] * end[:, 0]).sum()) / 2
    area = coverage(loop, pieces=16).sum()
    assert area == pytest.approx(shoelace, abs=1e-11)
    assert area == pytest.approx(np.pi * 7.3**2, rel=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_coverage_adds_up_to_the_area_of_any_simple_loop(seed):
    rng = np.random.default_rng(seed)
    corners = [(12 + r * np.cos(a), 10 + r * np.sin(a))
               for r, a in zip(rng.uniform(2, 9, 9), np.arange(9) * 2 * np.pi / 9, strict=True)]
    x, y = np.array(corners).T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert coverage(polygon(*corners)).sum() == pytest.approx(area, abs=1e-11)


def test_winding_twice_covers_once_and_a_hole_not_at_all():
    twice = coverage(rectangle(2, 2, 18, 18), rectangle(6, 6, 12, 12))
    hole = coverage(rectangle(2, 2, 18, 18), turned_round(rectangle(6, 6, 12, 12)))
    assert twice[7:11, 7:11] == pytest.approx(1.0)
    assert hole[7:11, 7:11] == pytest.approx(0.0)


def test_only_the_canvas_is_seen_of_what_is_larger():
    assert coverage(rectangle(-900, -900, 900, 900)) == pytest.approx(1.0)
    assert coverage(rectangle(-30, -30, -10, -10)).max() == 0
    assert coverage(rectangle(-30, 2, -10, 9)).max() == 0  # left of the canvas: its two sides cancel


def test_source_over_of_solid_colours_is_the_formula():
    shapes = [Shape(Outline((rectangle(0, 0, 4, 4),)), SolidColor((0.2, 0.4, 0.6)), 0.5),
              Shape(Outline((rectangle(0, 0, 4, 2),)), SolidColor((1.0, 0.0, 0.5)), 0.25)]
    picture = render(scene_from_shapes(shapes, 4, 4, (0.8, 0.6, 0.4, 0.5), torch.float64), "reference").numpy()
    ground = np.array([0.4, 0.3, 0.2, 0.5])
    first = 0.5 * np.array([0.2, 0.4, 0.6, 1]) + 0.5 * ground
    second = 0.25 * np.array([1.0, 0.0, 0.5, 1]) + 0.75 * first
    assert np.abs(picture[3] - first).max() < 1e-15
    assert np.abs(picture[1] - second).max() < 1e-15


def test_gradients_interpolate_straight_colours_between_stops():
    stops = (Stop(0.25, (1, 0, 0)), Stop(0.75, (0, 0, 1), 0.5))
    linear = Shape(Outline((rectangle(0, 0, 8, 1),)), LinearGradient(0, 0, 8, 0, stops))
    row = render(scene_from_shapes([linear], 8, 1, dtype=torch.float64), "reference")[0].numpy()
    t = np.clip(((np.arange(8) + 0.5) / 8 - 0.25) / 0.5, 0, 1)
    alpha = 1 - 0.5 * t
    assert np.abs(row - np.stack([(1 - t) * alpha, 0 * t, t * alpha, alpha], 1)).max() < 1e-15
    radial = Shape(Outline((rectangle(0, 0, 8, 1),)), RadialGradient(0.5, 0.5, 8, stops))
    row = render(scene_from_shapes([radial], 8, 1, dtype=torch.float64), "reference")[0].numpy()
    t = np.clip((np.arange(8) / 8 - 0.25) / 0.5, 0, 1)
    assert np.abs(row[:, 3] - (1 - 0.5 * t)).max() < 1e-15


def test_an_ellipse_is_the_circle_that_a_matrix_takes_it_to():
    """u at each px centre is the length of what the inverse of the half axes makes of its way from the centre."""
    axes, center = np.array([[6.0, 2.0], [-1.0, 3.0]]), np.array([7.3, 5.1])
    offsets, colors = torch.tensor([0.0, 1.0]).double(), torch.tensor([[1.0, 0, 0, 1], [0, 0, 1, 1]]).double()
    full = torch.from_numpy(rectangle(0, 0, 14, 10))
    fill = Radial(torch.from_numpy(center), torch.from_numpy(axes), offsets, colors)
    picture = render(Scene.from_tensors(14, 10, [full], [fill]), "reference").numpy()
    y, x = np.mgrid[0:10, 0:14] + 0.5
    along = np.linalg.solve(axes.T, np.stack([x.ravel(), y.ravel()]) - center[:, None])
    u = np.clip(np.hypot(*along).reshape(10, 14), 0, 1)
    assert np.abs(picture[..., 2] - u).max() <= 1e-12
    assert 0.2 < u.mean() < 0.9


@pytest.mark.parametrize("fill", [LinearGradient(3, 3, 3, 3, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1)))),
                                  RadialGradient(3, 3, 0, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1))))])
def test_gradient_that_is_a_point_paints_its_last_stop(fill):
    shape = Shape(Outline((rectangle(0, 0, 6, 6),)), fill)
    picture = render(scene_from_shapes([shape], 6, 6, dtype=torch.float64), "reference")
    assert (picture == torch.tensor([0, 0, 1, 1.0], dtype=torch.float64)).all()


@pytest.mark.parametrize("seed", [1, 2, 3, "ellipses"])
def test_every_derivative_is_the_central_difference(seed):
    """float64, steps of 1e-6: the difference is good to about 1e-9 where the picture is smooth; 1e-6 leaves room for
    a pixel in thousands whose winding passes a kink within the step."""
    scene = random_scene(4 if seed == "ellipses" else seed, count=6, width=26, height=22).to(torch.float64)
    if seed == "ellipses":
        scene = with_ellipses(scene)
    weight = weight_for(scene, 4 if seed == "ellipses" else seed)
    _, grads = derivatives(scene, "reference", weight)
    step = 1e-6
    for k, (name, grad) in enumerate(zip(PARAMETERS, grads, strict=True)):
        numeric = torch.zeros_like(grad)
        for i in range(grad.numel()):
            sums = []
            for side in (step, -step):
                moved = [p.clone() for p in scene.parameters]
                moved[k].view(-1)[i] += side
                sums.append((reference.render_flat(scene.with_parameters(*moved)) * weight).sum())
            numeric.view(-1)[i] = (sums[0] - sums[1]) / (2 * step)
        # The geometry of a solid fill has no effect; an offset's derivative may be one-sided at 0 and 1.
        assert (grad - numeric).norm() <= 1e-6 * numeric.norm(), name
        assert torch.nn.functional.cosine_similarity(grad.flatten(), numeric.flatten(), dim=0) > 0.999999, name


def test_boundary_integral_is_the_derivative_of_the_dense_formula():
    """Away from ties the Function's backward equals plain autograd through the formula that its forward evaluates."""
    rng = np.random.default_rng(5)
    scene = scene_from_shapes([Shape(Outline((blob(rng, np.array([10, 9]), 14),)), WHITE)], 20, 18, dtype=torch.float64)
    weight = torch.from_numpy(rng.normal(size=(18, 20)))
    grads = []
    box = (0, 0, 20, 18)
    for cover in (lambda begin, end: reference.signed_area(begin, end, box).abs().clamp_max(1),
                  lambda begin, end: reference.Coverage.apply(begin, end, box, 1e-15, False)[0]):
        points = scene.points.clone().requires_grad_()
        begin, end = reference.flatten(scene.with_parameters(points, *scene.parameters[1:]))
        (cover(begin, end) * weight).sum().backward()
        grads.append(points.grad)
    assert (grads[0] - grads[1]).norm() <= 1e-11 * grads[0].norm()


GRID = {"a square": [rectangle(4, 4, 12, 10)], "the other way": [turned_round(rectangle(4, 4, 12, 10))],
        "a hole": [rectangle(2, 2, 16, 14), turned_round(rectangle(5, 4, 9, 11))],
        "twice": [rectangle(2, 2, 16, 14), rectangle(5, 4, 9, 11)],
        "side by side": [rectangle(2, 2, 8, 9), rectangle(8, 4, 14, 11)],
        "side by side inside a pixel": [rectangle(2, 2, 8.5, 9), rectangle(8.5, 4, 14, 11)],
        "on the canvas' border": [rectangle(0, 0, 20, 16)], "beside the canvas": [rectangle(20, 3, 25, 9)],
        "a line": [rectangle(6, 3, 6, 9)], "one px": [rectangle(6, 3, 7, 4)],
        "an L": [polygon((2, 2), (14, 2), (14, 6), (6, 6), (6, 12), (2, 12))]}


@pytest.mark.parametrize("even_odd", [False, True])
@pytest.mark.parametrize("name", GRID)
def test_a_kink_has_the_mean_of_both_sides(name, even_odd):
    """Each side by differences in float64; steps of 2^-20 keep coordinates and differences exact to 1e-9."""
    weight = torch.from_numpy(np.random.default_rng(3).normal(size=(16, 20)))
    scene = scene_from_shapes([Shape(Outline(tuple(GRID[name])), WHITE)], 20, 16, dtype=torch.float64)
    scene = dataclasses.replace(scene, topology=dataclasses.replace(scene.topology, even_odd=np.array([even_odd])))

    def loss(points):
        moved = scene.with_parameters(points, *scene.parameters[1:])
        return (reference.coverage(moved, 0, 20, 16) * weight).sum()

    points = scene.points.clone().requires_grad_()
    loss(points).backward()
    step, here = 2.0**-20, loss(scene.points)
    sides = torch.zeros(2, points.numel(), dtype=torch.float64)
    for i in range(points.numel()):
        for side, sign in enumerate((1, -1)):
            moved = scene.points.clone()
            moved.view(-1)[i] += sign * step
            sides[side, i] = sign * (loss(moved) - here) / step
    # The step turns an edge a little: what it then touches beside its border is of the order of the step.
    assert (points.grad.view(-1) - sides.mean(0)).abs().max() <= 1e-5
    assert (sides[0] - sides[1]).abs().max() > 1e-3, "no kink here"


def test_a_side_that_lies_on_the_grid_moves_when_it_alone_is_moved():
    """The right and bottom side of a square on the grid: half of what is inside and half of what is outside."""
    scene = scene_from_shapes([Shape(Outline((rectangle(4, 4, 12, 10),)), WHITE)], 20, 16, dtype=torch.float64)
    points = scene.points.clone().requires_grad_()
    reference.coverage(scene.with_parameters(points, *scene.parameters[1:]), 0, 20, 16).sum().backward()
    assert points.grad[[3, 4, 5, 6], 0].sum().item() == pytest.approx(6.0, abs=1e-12)
    assert points.grad[[6, 7, 8, 9], 1].sum().item() == pytest.approx(8.0, abs=1e-12)
    assert points.grad[[9, 10, 11, 0], 0].sum().item() == pytest.approx(-6.0, abs=1e-12)


def test_float32_stays_near_float64():
    scene = random_scene(4)
    single, double = render(scene, "reference"), render(scene.to(torch.float64), "reference")
    assert single.dtype == torch.float32
    assert (single - double).abs().max() < 1e-5


def test_large_outlines_are_worked_in_parts(monkeypatch):
    scene = random_scene(6).to(torch.float64)
    weight = weight_for(scene)
    whole = derivatives(scene, "reference", weight)
    monkeypatch.setattr(reference, "_CHUNK", 500)
    parts = derivatives(scene, "reference", weight)
    assert (whole[0] - parts[0]).abs().max() <= 1e-15
    assert (whole[1][0] - parts[1][0]).norm() <= 1e-13 * whole[1][0].norm()
