"""The rules' kernels for the processor against their form for a card."""

import numpy as np
import pytest
import torch
from gradvec.model import LinearGradient, Outline, Shape, Stop
from gradvec.optimize.constraints import EvenSpacing, Tension, WithinReach
from gradvec.optimize.smooth import EVERY_TURN, HairPrice, SmoothJoints, TurningPrice
from gradvec.optimize.variables import Freedom, Variables

FILL = LinearGradient(0, 0, 1, 1, (Stop(0.0, (0.2, 0.4, 0.6)), Stop(1.0, (0.2, 0.4, 0.6))))
RULES = {
    "tension": lambda: Tension(0.3), "spacing": lambda: EvenSpacing(0.4), "reach": lambda: WithinReach(0.1),
    "turning": lambda: TurningPrice(2.0), "every turn": lambda: TurningPrice(2.0, EVERY_TURN),
    "hairs": lambda: HairPrice(1.5), "smooth": SmoothJoints, "corners kept": lambda: SmoothJoints(60.0),
    "corners earned": lambda: SmoothJoints(corners=0.2, earn_after=2),
}


def loop(rng, segments, squeeze, way):
    """Control points around an ellipse, unevenly, so that it turns both ways, thin where ``squeeze`` is small."""
    angle = 2 * np.pi * np.arange(3 * segments) / (3 * segments)
    radius = 20 * (1 + 0.25 * rng.normal(size=len(angle)))
    return np.stack([radius * np.cos(angle), squeeze * radius * np.sin(angle)], 1)[::way] + rng.uniform(50, 400, 2)


def variables():
    rng = np.random.default_rng(3)
    outlines = [Outline((loop(rng, 8, 1.0, 1),)), Outline((loop(rng, 5, 0.02, -1), loop(rng, 3, 1.0, 1))),
                Outline((loop(rng, 1, 0.6, 1),)), Outline((loop(rng, 16, 0.3, -1),)), Outline((np.full((6, 2), 9.0),))]
    own = Variables([Shape(outline, FILL, id=str(n)) for n, outline in enumerate(outlines)], 500, 500,
                    (0.0, 0.0, 0.0, 1.0), Freedom())
    own.wrong = 0.7
    return own


def after_steps(make, dtype):
    """Control points and derivatives after some steps under a rule."""
    own, rule, generator = variables(), make(), torch.Generator().manual_seed(1)
    own.points, own.origin, own.size = own.points.detach().to(dtype), own.origin.to(dtype), own.size.to(dtype)
    rule.begin(own)
    slopes = []
    with torch.no_grad():
        for _ in range(4):
            push = torch.randn(own.points.shape, generator=generator, dtype=torch.float64).to(dtype)
            own.points.grad = push.clone()
            rule.before_step(own)
            slopes.append(own.points.grad.clone())
            own.points.sub_(own.points.grad)
            rule.after_step(own, 0.8)
    return own.points, torch.stack(slopes)


@pytest.mark.parametrize("name", RULES)
def test_both_forms_of_a_rule_do_the_same(name, monkeypatch):
    points, slopes = after_steps(RULES[name], torch.float64)
    single, _ = after_steps(RULES[name], torch.float32)
    monkeypatch.setattr(Variables, "on_processor", False)
    expected_points, expected_slopes = after_steps(RULES[name], torch.float64)

    torch.testing.assert_close(points, expected_points, atol=1e-6, rtol=0)
    torch.testing.assert_close(slopes, expected_slopes, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(single.double(), expected_points, atol=0.02, rtol=0)
    free = after_steps(lambda: Tension(0.0), torch.float64)
    assert float((points - free[0]).abs().max()) > 0.01
