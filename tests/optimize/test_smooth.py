"""Smooth joints and the price on wiggles: derivatives against finite differences, closed forms of angles."""

import numpy as np
import pytest
import torch
from gradvec.geometry.merging import turns
from gradvec.model import LinearGradient, Outline, Shape, Stop
from gradvec.optimize.smooth import COMPACT, EVERY_TURN, RESTLESS, HairPrice, SmoothJoints, TurningPrice
from gradvec.optimize.variables import Freedom, Variables

FILL = LinearGradient(0, 0, 1, 1, (Stop(0.0, (0.2, 0.4, 0.6)), Stop(1.0, (0.2, 0.4, 0.6))))


def variables(*loops):
    shapes = [Shape(Outline((np.asarray(loop, float),)), FILL, id=str(n)) for n, loop in enumerate(loops)]
    own = Variables(shapes, 100, 100, (0.0, 0.0, 0.0, 1.0), Freedom())
    own.points = own.points.detach().double().requires_grad_()
    return own


def blob(seed=0, segments=6, radius=20.0, noise=3.0):
    """A loop around (50, 50) whose control points lie unevenly, but in order."""
    angle = 2 * np.pi * np.arange(3 * segments) / (3 * segments)
    points = 50 + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return points + np.random.default_rng(seed).normal(0, noise, points.shape)


def smoothed(loop, **settings):
    """(variables, rule) after a rule has put the anchors in place."""
    own, rule = variables(loop), SmoothJoints(**settings)
    rule.begin(own)
    with torch.no_grad():
        rule.after_step(own, 1.0)
    return own, rule


def test_every_joint_is_smooth_and_handles_stay():
    loop = blob()
    own, _ = smoothed(loop)
    points = own.points.detach().numpy()
    assert np.degrees(turns(loop)).max() > 30
    assert np.degrees(turns(points)).max() < 1e-5
    handles = np.arange(len(loop)) % 3 != 0
    np.testing.assert_allclose(points[handles], loop[handles], atol=1e-5)


def test_anchors_go_to_the_nearest_place_on_their_line():
    loop = blob(3, noise=1.0)
    own, _ = smoothed(loop)
    anchor, before, after = (np.roll(loop, k, 0)[0::3] for k in (0, 1, -1))
    along = (after - before) / np.hypot(*(after - before).T)[:, None]
    foot = before + along * ((anchor - before) * along).sum(1, keepdims=True)
    np.testing.assert_allclose(own.points.detach().numpy()[0::3], foot, atol=1e-4)


def test_a_corner_is_left_as_it_is():
    square = np.array([[10, 10], [20, 10], [40, 10], [50, 10], [50, 20], [50, 40], [50, 50], [40, 50], [20, 50],
                       [10, 50], [10, 40], [10, 20]], float)
    kept, _ = smoothed(square, corner_degrees=60.0)
    np.testing.assert_array_equal(kept.points.detach().numpy(), square)
    rounded, _ = smoothed(square)
    assert np.degrees(turns(rounded.points.detach().numpy())).max() < 1e-5


def test_handles_get_the_derivative_of_an_outline_whose_anchors_follow_them():
    """The chain rule against finite differences of the whole way: move a handle, put the anchors back on their lines at
    the same share, look at any function of all control points."""
    own, rule = smoothed(blob(1))
    before, after, share = rule._before.numpy(), rule._after.numpy(), rule._shares(own.points.detach()).numpy()
    factors = torch.randn(own.points.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def cost(points):
        points = points.copy()
        points[0::3] = points[before] * (1 - share) + points[after] * share
        return float((factors.numpy() * np.sin(points / 10)).sum())

    own.points.grad = factors * torch.cos(own.points.detach() / 10) / 10
    with torch.no_grad():
        rule.before_step(own)
    here, step = own.points.detach().numpy(), 1e-4
    for k in (1, 2, 4, 8, 11, 17):
        for axis in (0, 1):
            up, down = here.copy(), here.copy()
            up[k, axis] += step
            down[k, axis] -= step
            slope = (cost(up) - cost(down)) / (2 * step)
            assert float(own.points.grad[k, axis]) == pytest.approx(slope, abs=1e-7)


def test_anchors_only_slide():
    own, rule = smoothed(blob(2))
    own.points.grad = torch.ones_like(own.points)
    with torch.no_grad():
        rule.before_step(own)
    line = (own.points[rule._after] - own.points[rule._before]).detach()
    moves = own.points.grad[0::3]
    cross = moves[:, 0] * line[:, 1] - moves[:, 1] * line[:, 0]
    assert float(cross.abs().max()) < 1e-5
    assert float(moves.norm(dim=1).max()) > 0.5


def test_those_that_are_pulled_most_become_corners():
    own = variables(blob(4, noise=0.0))
    rule = SmoothJoints(corners=1 / 6, earn_after=3)
    rule.begin(own)
    for _ in range(3):
        assert not bool(rule.corner.any())
        own.points.grad = torch.zeros_like(own.points)
        out = own.points.detach()[6] - 50
        own.points.grad[6] = out / out.norm()
        with torch.no_grad():
            rule.before_step(own)
            rule.after_step(own, 1.0)
    assert rule.corner.tolist() == [False, False, True, False, False, False]


def priced(loop, cost=1.0, turns=RESTLESS):
    own, rule = variables(loop), TurningPrice(cost, turns)
    own.wrong = 1.0
    rule.begin(own)
    own.points.grad = torch.zeros_like(own.points)
    with torch.no_grad():
        rule.before_step(own)
    return own.points.grad.numpy()


@pytest.mark.parametrize("way", [1, -1])
def test_what_is_convex_costs_nothing_whichever_way_it_runs(way):
    angle = np.linspace(0, 2 * np.pi, 13)[:-1]
    ellipse = np.stack([50 + 30 * np.cos(angle), 50 + 8 * np.sin(angle)], 1)[::way]
    np.testing.assert_array_equal(priced(ellipse), 0.0)


def turned(loop):
    """Full turns of a polygon, both ways counted."""
    edge = np.roll(loop, -1, 0) - loop
    back = np.roll(edge, 1, 0)
    turn = np.arctan2(back[:, 0] * edge[:, 1] - back[:, 1] * edge[:, 0], (back * edge).sum(1))
    return np.abs(turn).sum() / (2 * np.pi)


def cost(loop, turns):
    """The price on a radian turned inwards, summed from none to as many as the loop has; a full turn more is half of it
    inwards."""
    calm, restless = turns
    x = (turned(loop) - calm) / (restless - calm)
    return np.pi * (restless - calm) * (0.0 if x < 0 else x * x / 2 if x < 1 else x - 0.5)


def star(rays, inner):
    """A polygon around (0, 0) whose every other corner is a dent."""
    angle = np.pi * np.arange(2 * rays) / rays + 0.1
    radius = 300 * np.where(np.arange(2 * rays) % 2, inner, 1.0)
    return np.stack([radius * np.cos(angle), 1.2 * radius * np.sin(angle)], 1)


@pytest.mark.parametrize(("rays", "inner", "turns", "low", "high"),
                         [(3, 0.25, RESTLESS, 1.2, 2.0), (6, 0.6, RESTLESS, 2.0, 3.5), (9, 0.25, RESTLESS, 3.5, 9.0),
                          (3, 0.25, EVERY_TURN, 1.2, 2.0)])
def test_dents_cost_their_turning_unless_the_outline_is_calm(rays, inner, turns, low, high):
    """Finite differences; long edges and sharp dents, so that nothing is softened."""
    own = star(rays, inner)
    assert low < turned(own) < high
    got, step = priced(own, turns=turns), 1e-3
    for k in range(4):
        for axis in (0, 1):
            up, down = own.copy(), own.copy()
            up[k, axis] += step
            down[k, axis] -= step
            slope = (cost(up, turns) - cost(down, turns)) / (2 * step)
            assert got[k, axis] == pytest.approx(slope, rel=1e-3, abs=1e-9)
    assert (np.abs(got).max() > 0) == (turned(own) > turns[0])


def hair(width=1.0, length=60.0):
    """A lens from (20, 50) on, of two cubics a side."""
    x = np.linspace(0, 1, 7)
    side = np.stack([20 + length * x, 50 - 2 * width * x * (1 - x)], 1)
    return np.concatenate([side, (side * [1, -1] + [0, 100])[-2:0:-1]])


def compactness(points):
    edge = np.roll(points, -1, 0) - points
    area = 0.5 * (points[:, 0] * np.roll(points[:, 1], -1) - np.roll(points[:, 0], -1) * points[:, 1]).sum()
    return 4 * np.pi * abs(area) / np.hypot(*edge.T).sum() ** 2


def widening(loop, cost=1.0):
    own, rule = variables(loop), HairPrice(cost)
    own.wrong = 1.0
    rule.begin(own)
    own.points.grad = torch.zeros_like(own.points)
    with torch.no_grad():
        rule.before_step(own)
    return own, rule


@pytest.mark.parametrize("way", [1, -1])
def test_what_a_hair_costs_has_its_derivative(way):
    loop = hair()[::way]
    own, _ = widening(loop, 0.5)
    length = np.hypot(*(np.roll(loop, -1, 0) - loop).T).sum()
    for k in range(len(loop)):
        for axis in (0, 1):
            up, down = loop.copy(), loop.copy()
            up[k, axis] += 1e-5
            down[k, axis] -= 1e-5
            slope = -0.5 * length * (np.log(compactness(up)) - np.log(compactness(down))) / 2e-5
            assert float(own.points.grad[k, axis]) == pytest.approx(slope, rel=0.02, abs=2e-3)


def test_compact_loops_are_left_alone_and_hairs_get_wider_until_they_are_none():
    own, _ = widening(blob())
    assert float(own.points.grad.abs().max()) == 0
    own, rule = widening(hair(0.5))
    assert compactness(own.points.detach().numpy()) < COMPACT / 2
    with torch.no_grad():
        for _ in range(2000):
            own.points.grad.zero_()
            rule.before_step(own)
            if not bool(own.points.grad.any()):
                break
            own.points.sub_(0.05 * own.points.grad / own.points.grad.abs().max())
    assert compactness(own.points.detach().numpy()) >= COMPACT
