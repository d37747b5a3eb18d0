"""Penalties: 0 where all is well, larger where it is not, derivatives by finite differences."""

import numpy as np
import pytest
import torch
from gradvec.geometry.crossings import edge_crossings
from gradvec.render.scene import Topology
from gradvec.stages.outline import penalty
from gradvec.stages.outline.joints import Joints
from outline_shapes import blob, ellipse, polygon


def topology_of(*loops):
    """Each loop an outline of its own."""
    n = len(loops)
    return Topology(np.cumsum([0, *map(len, loops)]), np.arange(n + 1), np.arange(n + 1), np.zeros(n, np.uint8),
                    np.zeros(n, np.int64), np.array([[99, 99]]))


def value(which, *loops):
    return float(which(torch.tensor(np.concatenate(loops)), topology_of(*loops)))


def closed(cubic):
    """A cubic (4, 2) and the straight way back."""
    back = cubic[3] + (cubic[0] - cubic[3]) * np.array([[0], [1 / 3], [2 / 3]])
    return np.concatenate([cubic[:3], back])


@pytest.mark.parametrize("which", [penalty.crossing, penalty.spikes])
def test_well_behaved_outlines_cost_nothing(which):
    assert value(which, ellipse(40, 40, 20), polygon((0, 0), (30, 0), (30, 20), (0, 20)), blob(1)) == 0.0


def test_a_cubic_costs_exactly_when_it_crosses_itself():
    t = np.linspace(0, 1, 400)
    basis = np.stack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3], 1)
    crossing = 0
    for cubic in np.random.default_rng(5).normal(size=(400, 4, 2)) * 10:
        line = basis @ cubic
        _, where = edge_crossings(line, np.array([0, len(line)]), 60)
        own = sum(399 not in (int(row[0]), int(row[2])) for row in where)
        depth = value(penalty.crossing, closed(cubic))
        if own:
            crossing += 1
            assert depth > 0
        else:
            assert depth < 0.02
    assert crossing > 20


def test_an_s_and_a_bulge_cost_nothing():
    s_shape = np.array([[0, 0], [10, 20], [20, -20], [30, 0]], float)
    bulge = np.array([[0, 0], [-8, 12], [18, 12], [10, 0]], float)
    assert value(penalty.crossing, closed(s_shape), closed(bulge)) == 0.0
    loop = np.array([[0, 0], [40, 30], [-30, 30], [10, 0]], float)
    assert value(penalty.crossing, closed(loop)) > 0.1


def test_a_spike_costs():
    spiky = ellipse(40, 40, 20)
    spiky[0] = [90, 40]
    assert value(penalty.spikes, spiky) > 1.0


@pytest.mark.parametrize("which", [penalty.crossing, penalty.spikes])
def test_derivatives_by_finite_differences(which):
    """The size that each term is weighed with is held fixed in the derivative, and so it is here."""
    rng = np.random.default_rng(3)
    loops = [rng.normal(size=(3 * n, 2)) * 10 for n in (2, 4, 3)]
    topology = topology_of(*loops)
    points = torch.tensor(np.concatenate(loops), requires_grad=True)
    (grad,) = torch.autograd.grad(which(points, topology), points)
    assert grad.abs().max() > 0.01
    for k in range(0, len(points), 2):
        for axis in (0, 1):
            step = torch.zeros_like(points)
            step[k, axis] = 1e-6
            difference = per_item(which, points + step, topology) - per_item(which, points - step, topology)
            expected = (sizes(which, points, topology) * difference).sum() / 2e-6
            assert float(grad[k, axis]) == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


def sizes(which, points, topology):
    """What the terms of a penalty are weighed with."""
    points = points.detach()
    if which is penalty.crossing:
        before, inner, _ = penalty._sides(points, topology)
        return penalty._cross(before, inner).abs().sqrt()
    anchor, previous, following = penalty.neighbours(topology, points.device)
    return torch.minimum(penalty._length(points[anchor] - points[previous]),
                         penalty._length(points[following] - points[anchor]))


def per_item(which, points, topology):
    """The terms of a penalty without their weights: one outline after the other is all that counts."""
    points = points.detach()
    before, inner, after = penalty._sides(points, topology)
    if which is penalty.spikes:
        anchor, previous, following = penalty.neighbours(topology, points.device)
        a, b = points[anchor] - points[previous], points[following] - points[anchor]
        return torch.relu(-0.5 - (a * b).sum(1) / (penalty._length(a) * penalty._length(b) + 1e-6))
    area, whole = penalty._cross(before, inner), before + inner + after
    x, y = penalty._cross(before, whole) / area, penalty._cross(whole, inner) / area
    lower = torch.where(x < 0, x - x * x / 3, ((12 * x - 3 * x * x).clamp(min=0).sqrt() - x) / 2)
    depth = torch.relu(torch.minimum((3 + 2 * x - x * x) / 4 - y, y - lower)) * (x <= 1)
    return depth / (1 + depth)


def test_a_degenerate_outline_has_finite_derivatives():
    loop = np.zeros((6, 2))
    loop[3:] = [5.0, 5.0]
    points = torch.tensor(loop, requires_grad=True)
    topology = topology_of(loop)
    (penalty.crossing(points, topology) + penalty.spikes(points, topology)).backward()
    assert torch.isfinite(points.grad).all()


def test_neighbours_wrap_inside_each_loop():
    loops = [ellipse(0, 0, 1), polygon((0, 0), (3, 0), (0, 3))]
    anchor, previous, following = penalty.neighbours(topology_of(*loops), torch.device("cpu"))
    assert anchor.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert previous.tolist() == [11, 2, 5, 8, 20, 14, 17]
    assert following.tolist() == [1, 4, 7, 10, 13, 16, 19]


def test_smooth_joints_stay_smooth_whatever_their_handles_do():
    loops = [ellipse(40, 40, 20), polygon((0, 0), (30, 0), (30, 20), (0, 20))]
    points, topology = torch.tensor(np.concatenate(loops)), topology_of(*loops)
    joints = Joints.of(points, topology)
    assert joints.anchor.tolist() == [0, 3, 6, 9]
    torch.testing.assert_close(joints.apply(points), points)
    moved = joints.apply(points + torch.randn(points.shape, generator=torch.Generator().manual_seed(0)).to(points))
    arriving, leaving = moved[joints.anchor] - moved[joints.before], moved[joints.after] - moved[joints.anchor]
    assert penalty._cross(arriving, leaving).abs().max() < 1e-9
    assert (arriving * leaving).sum(1).min() > 0
