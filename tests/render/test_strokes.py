"""Strokes against the distance to their curve, sampled densely: a round pen covers what is within half its width."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from gradvec.errors import EngineError
from gradvec.render import render
from gradvec.render.scene import Scene
from gradvec.render.shapes import circle, polyline
from gradvec.render.strokes import finest, strokes, structures

CURVES = {
    "a wave": ([[10, 32], [20, 5], [40, 60], [54, 30]], 5, False),
    "a hairpin of radius 6 under a pen of 10": ([[10, 50], [10, -10], [22, -10], [22, 50]], 10, False),
    "a hairpin of radius 3 under a pen of 12": ([[25, 50], [25, 5], [31, 5], [31, 50]], 12, False),
    "an arc that is all bend": ([[28, 28], [28, 33], [36, 33], [36, 28]], 14, False),
    "a bend of radius 12 under a pen of 20": ([[20, 50], [20, 40], [20, 35], [20, 28], [20, 12], [44, 12], [44, 28],
                                               [44, 35], [44, 40], [44, 50]], 20, False),
    "a bend of radius 12 under a pen of 40": ([[20, 50], [20, 40], [20, 35], [20, 28], [20, 12], [44, 12], [44, 28],
                                               [44, 35], [44, 40], [44, 50]], 40, False),
    "a bend shorter than a chord": ([[37.5, 27.4], [52.3, 17.8], [38.4, 10.4], [49.3, 46.9]], 10, False),
    "a loop": ([[10, 50], [70, 5], [-6, 5], [54, 50]], 6, False),
    "a cusp": ([[10, 50], [60, 5], [4, 5], [54, 50]], 6, False),
    "a corner": ([[10, 50], [15, 40], [25, 20], [30, 10], [35, 20], [45, 40], [50, 50]], 8, False),
    "there and back": ([[10, 30], [20, 30], [30, 30], [40, 30], [30, 30], [20, 30], [15, 30]], 8, False),
    "a hair": ([[5, 10], [20, 50], [40, 5], [60, 40]], 0.6, False),
    "a closed curve": ([[20, 20], [35, 5], [50, 20], [50, 35], [50, 50], [12, 60], [15, 40]][:6], 4, True),
    "handles on their anchors": ([[10, 12], [10, 12], [50, 40], [50, 40]], 5, False),
}



def swept(points, width: float, closed: bool, samples: int = 12, size: int = 64) -> np.ndarray:
    """(size, size) share of samples no farther than half the width from the curve."""
    p = np.asarray(points, float)
    p = np.concatenate([p, p[:1]]) if closed else p
    t = np.linspace(0, 1, 81)[:, None]
    chain = np.concatenate([(1 - t)**3 * p[i] + 3 * (1 - t)**2 * t * p[i + 1] + 3 * (1 - t) * t * t * p[i + 2]
                            + t**3 * p[i + 3] for i in range(0, len(p) - 1, 3)])
    at = (np.arange(size * samples) + 0.5) / samples
    inside = np.zeros((len(at), len(at)), bool)
    for a, b in pairwise(chain):
        low, high = np.minimum(a, b) - width / 2, np.maximum(a, b) + width / 2
        (x0, y0), (x1, y1) = np.searchsorted(at, low), np.searchsorted(at, high)
        dx, dy = at[x0:x1][None] - a[0], at[y0:y1][:, None] - a[1]
        step = b - a
        u = np.clip((dx * step[0] + dy * step[1]) / max(step @ step, 1e-12), 0, 1)
        inside[y0:y1, x0:x1] |= (dx - u * step[0])**2 + (dy - u * step[1])**2 <= width**2 / 4
    return inside.reshape(size, samples, size, samples).mean((1, 3))


def drawn(points, width, closed=False, size=64, **options) -> torch.Tensor:
    points = torch.as_tensor(np.asarray(points, float)) if not isinstance(points, torch.Tensor) else points
    outline = strokes(points[None], width, closed, **options)
    return render(Scene.from_tensors(size, size, [outline], torch.ones(1, 4, dtype=points.dtype)), "cpu")[..., 3]


@pytest.mark.parametrize("name", CURVES)
def test_a_round_pen_covers_what_is_within_half_its_width(name):
    """0.006 in root mean square: 12 x 12 samples have 0.003 of their own on these pictures."""
    points, width, closed = CURVES[name]
    difference = drawn(points, width, closed).numpy() - swept(points, width, closed)
    assert np.sqrt((difference**2).mean()) <= 0.006
    assert np.abs(difference).max() <= 0.1


def random_curves(count: int):
    """Points of one to three segments, all over the picture, and a pen's width."""
    rng = np.random.default_rng(4)
    for _ in range(count):
        yield rng.uniform(6, 58, (3 * rng.integers(1, 4) + 1, 2)), float(np.exp(rng.uniform(np.log(0.8), np.log(16))))


def test_curves_that_cross_themselves_anywhere_are_covered_once():
    """Most of these do, up to ten times, at any angle, at caps and in bends tighter than the pen."""
    for points, width in random_curves(24):
        difference = drawn(points, width).numpy() - swept(points, width, False)
        assert np.sqrt((difference**2).mean()) <= 0.006
        assert np.abs(difference).max() <= 0.1


def test_a_stroke_that_runs_back_over_itself_is_covered_once():
    """Sides on sides: where edges run along each other, no one's crossing is there to be found."""
    back = polyline(torch.tensor([[10.3, 30.2], [50.1, 30.2], [20.4, 30.2], [44.6, 30.2]], dtype=torch.float64))
    once = polyline(torch.tensor([[10.3, 30.2], [50.1, 30.2]], dtype=torch.float64))
    assert torch.allclose(drawn(back, 6.3), drawn(once, 6.3), atol=1e-3)


def test_an_eight_has_both_its_holes():
    eight = torch.tensor([[32, 32], [70, -4], [70, 68], [32, 32], [-6, -4], [-6, 68]], dtype=torch.float64)
    picture = drawn(eight, 4.0, closed=True)
    assert picture[32, 32] == pytest.approx(1.0)
    assert picture[32, [14, 50]].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert np.sqrt(((picture.numpy() - swept(eight, 4.0, True))**2).mean()) <= 0.006


@pytest.mark.parametrize("name", ["a wave", "a hairpin of radius 6 under a pen of 10", "a corner", "a hair",
                                  "handles on their anchors", "a bend of radius 12 under a pen of 20"])
@pytest.mark.parametrize(("cap", "join"), [("round", "round"), ("square", "miter"), ("butt", "bevel")])
def test_kernels_draw_what_torch_does(name, cap, join):
    """Strokes on a card go through torch; the processor's kernels know only how a vertex moves across its border, which
    is all that matters to a picture."""
    points, width, closed = CURVES[name]
    given = torch.tensor(points, dtype=torch.float64) + 0.137
    y, x = np.mgrid[0:64, 0:64] / 64
    weight = torch.from_numpy(np.sin(5 * x + 1) * np.cos(4 * y) + 0.3 * x)
    found = []
    for once in (True, False):
        place, wide = given.clone().requires_grad_(), torch.tensor([float(width)]).double().requires_grad_()
        picture = drawn(place, wide, closed, cap=cap, join=join, once=once)
        (picture * weight).sum().backward()
        found.append((picture.detach(), torch.cat([place.grad.flatten(), wide.grad])))
    (ours, slope), (theirs, other) = found
    assert ((ours - theirs)**2).mean().sqrt() <= 0.002
    assert torch.nn.functional.cosine_similarity(slope, other, dim=0) >= 0.999
    assert (slope - other).norm() <= 0.05 * other.norm()


@pytest.mark.parametrize("angle", [0.3, 1.2])
def test_where_two_arms_cross_derivatives_are_those_of_what_both_cover(angle):
    """The area of a bent stroke whose arms cross at an angle: what they share, width^2 / sin, counts once."""
    half = 22 * torch.tensor([np.cos(angle / 2), np.sin(angle / 2)])
    flip = torch.tensor([1.0, -1.0])
    middle = torch.tensor([32.0, 32.0])
    corners = torch.stack([middle - half, middle + half, middle + half * flip, middle - half * flip]).double()
    width = torch.tensor([5.0], dtype=torch.float64, requires_grad=True)
    area = drawn(polyline(corners), width, cap="butt", join="bevel").sum()
    area.backward()
    step = 1e-3
    with torch.no_grad():
        more, less = (float(drawn(polyline(corners), 5 + d, cap="butt", join="bevel").sum()) for d in (step, -step))
    assert float(width.grad) == pytest.approx((more - less) / (2 * step), rel=1e-3)
    both = drawn(polyline(corners), 5.0, cap="butt", join="bevel", once=False).sum()
    assert area.item() <= both.item()


def test_a_room_for_vertices_is_kept_as_long_as_it_is_enough():
    points = torch.from_numpy(np.random.default_rng(5).uniform(5, 59, (4, 7, 2)))
    width = torch.full((4,), 5.0, dtype=torch.float64)
    first = strokes(points, width)
    structure = finest(structures(points, width))
    roomy = strokes(points, width, structure=replace(structure, vertices=first.points.shape[1] + 7))
    assert roomy.points.shape[1] == first.points.shape[1] + 7
    tight = strokes(points, width, structure=replace(structure, vertices=3))
    assert tight.points.shape == first.points.shape
    pictures = [render(Scene.from_tensors(64, 64, [p], torch.ones(4, 4).double())) for p in (first, roomy, tight)]
    assert torch.allclose(pictures[0], pictures[1], atol=1e-12)
    assert torch.equal(pictures[0], pictures[2])


@pytest.mark.parametrize("name", ["a wave", "a hairpin of radius 6 under a pen of 10", "a corner",
                                  "a bend of radius 12 under a pen of 20", "a bend of radius 12 under a pen of 40",
                                  "an arc that is all bend", "a closed curve"])
@pytest.mark.parametrize("varies", [False, True])
def test_derivatives_are_central_differences(name, varies):
    """In points and widths, with the chords' places free to move in the differences: they change second order only."""
    points, width, closed = CURVES[name]
    place = torch.tensor(points, dtype=torch.float64) + 0.137
    wide = torch.full((1, len(points)) if varies else (1,), float(width), dtype=torch.float64)
    y, x = np.mgrid[0:64, 0:64] / 64
    weight = torch.from_numpy(np.sin(5 * x + 1) * np.cos(4 * y) + 0.3 * x)
    structure = finest(structures(place[None], wide, closed))

    def loss(place, wide):
        return (drawn(place, wide, closed, structure=structure) * weight).sum()

    given = [place.clone().requires_grad_(), wide.clone().requires_grad_()]
    loss(*given).backward()
    step = 1e-3
    for k, leaf in enumerate(given):
        numeric = torch.zeros_like(leaf)
        for i in range(leaf.numel()):
            sums = []
            for sign in (1, -1):
                moved = [v.detach().clone() for v in given]
                moved[k].view(-1)[i] += sign * step
                sums.append(float(loss(*moved)))
            numeric.view(-1)[i] = (sums[0] - sums[1]) / (2 * step)
        assert torch.nn.functional.cosine_similarity(leaf.grad.flatten(), numeric.flatten(), dim=0) >= 0.999
        assert (leaf.grad - numeric).norm() <= 0.05 * numeric.norm()


def test_a_straight_stroke_has_the_derivative_of_its_area():
    """A round pen's area is length times width and a circle: in closed form, with handles that bend it."""
    points = polyline(torch.tensor([[10.2, 30.4], [50.3, 30.4]], dtype=torch.float64)).requires_grad_()
    width = torch.tensor([6.2], dtype=torch.float64, requires_grad=True)
    area = drawn(points, width).sum()
    area.backward()
    assert float(area.detach()) == pytest.approx(40.1 * 6.2 + np.pi * 3.1**2, rel=2e-3)
    assert float(width.grad) == pytest.approx(40.1 + np.pi * 3.1, rel=2e-3)
    assert points.grad[[0, 3], 0].tolist() == pytest.approx([-6.2, 6.2], rel=2e-3)
    assert points.grad[:, 1].abs().max() <= 0.02


CAPS = {"butt": 0.0, "square": 6.0 * 6.0, "round": np.pi * 9}


@pytest.mark.parametrize("cap", CAPS)
def test_caps_add_their_area(cap):
    line = polyline(torch.tensor([[12.3, 20.1], [44.1, 38.4]], dtype=torch.float64))
    length = float((line[-1] - line[0]).norm())
    assert float(drawn(line, 6.0, cap=cap).sum()) == pytest.approx(6 * length + CAPS[cap], rel=3e-3)


JOINS = {"bevel": 18.0, "miter": 36.0, "round": np.pi * 9}


@pytest.mark.parametrize("join", JOINS)
def test_joins_of_a_right_angle_have_their_area(join):
    """Both arms up to the inner corner, twice the square of half the width less, and what the join adds outside."""
    corner = polyline(torch.tensor([[10, 10], [40, 10], [40, 44]], dtype=torch.float64))
    outside = {"bevel": 3 * 3 / 2, "miter": 9.0, "round": np.pi * 9 / 4}[join]
    want = 6 * (30 + 34) - 9 + outside
    assert float(drawn(corner, 6.0, cap="butt", join=join).sum()) == pytest.approx(want, abs=0.3)


def test_a_sharp_corner_is_no_endless_miter():
    sharp = polyline(torch.tensor([[10, 30], [40, 30], [10, 33]], dtype=torch.float64))
    miter = drawn(sharp, 6.0, join="miter")
    assert torch.allclose(miter, drawn(sharp, 6.0, join="bevel"))
    assert miter[:, 50:].max() == 0


def test_a_closed_stroke_is_a_ring():
    ring = circle(torch.tensor([30.2, 31.1], dtype=torch.float64), 17.0)
    picture = drawn(ring, 5.0, closed=True)
    assert float(picture.sum()) == pytest.approx(2 * np.pi * 17 * 5, rel=3e-3)
    assert picture[31, 30] == 0


@pytest.mark.parametrize(("width", "slope"), [(0.0, 40.0), (-1.0, 0.0)])
def test_no_width_paints_nothing_and_may_grow_from_zero(width, slope):
    line = polyline(torch.tensor([[10.2, 30.4], [50.2, 33.4]], dtype=torch.float64))
    wide = torch.tensor([width], dtype=torch.float64, requires_grad=True)
    picture = drawn(line, wide)
    picture.sum().backward()
    assert picture.max() <= 0.01
    assert float(wide.grad) == pytest.approx(slope * (1 + 9 / 1600) ** 0.5, rel=2e-2)


def test_many_strokes_are_each_alone():
    rng = np.random.default_rng(1)
    points = torch.from_numpy(rng.uniform(5, 59, (5, 7, 2)))
    width = torch.from_numpy(rng.uniform(1, 8, 5))
    structure = finest(structures(points, width))
    together = strokes(points, width, structure=structure)
    structure = replace(structure, vertices=together.points.shape[1])
    for n in range(5):
        alone = strokes(points[n:n + 1], width[n:n + 1], structure=structure)
        assert torch.allclose(together.points[n], alone.points[0], atol=1e-12)


@pytest.mark.parametrize(("call", "message"), [
    (lambda p: strokes(p, 1.0, cap="flat"), "no cap named 'flat'"),
    (lambda p: strokes(p, 1.0, join="knot"), "no join named 'knot'"),
    (lambda p: strokes(p[:, :5], 1.0), r"Open strokes expect points of shape \(N, 3 S \+ 1, 2\), got \(2, 5, 2\)"),
    (lambda p: strokes(p, 1.0, closed=True), r"Closed strokes expect"),
    (lambda p: strokes(p, torch.ones(3)), r"width expects one number, \(2,\) or \(2, 7\), got \(3,\)"),
])
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises(EngineError, match=message):
        call(torch.zeros(2, 7, 2))
