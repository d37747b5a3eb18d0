"""Optimal transport between two small pictures, and its derivative.

A pixel loss is blind to a stroke that lies beside the place where its colour is wanted: no pixel tells it which way
to go. Transport does: it asks how far paint has to be carried. The entropic problem is solved by Sinkhorn's
iteration (Cuturi 2013) on each colour channel taken as a mass over the picture, and debiased (Feydy et al. 2019).
Squared distance on a grid makes the kernel separable, so one iteration costs h w (h + w).
"""

from __future__ import annotations

import torch

#: Entropy, in squared picture sides: about how sharply transport sees.
BLUR2 = 0.002
ITERATIONS = 40


def gradient(picture: torch.Tensor, goal: torch.Tensor) -> tuple[float, torch.Tensor]:
    """The Sinkhorn divergence and its derivative (c, h, w) with respect to ``picture``.

    picture, goal: (c, h, w), nonnegative; each channel is a mass of its own, scaled to one. Channels are weighted by
    how much mass the goal has in them.
    """
    height, width = goal.shape[1:]
    floor = 1e-3
    total = picture.sum((1, 2)) + floor * height * width
    a = (picture + floor) / total[:, None, None]
    b = (goal + floor) / (goal + floor).sum((1, 2), keepdim=True)
    weight = goal.mean((1, 2)) / goal.mean((1, 2)).sum().clamp(min=1e-9)
    costs = _axis_cost(height, max(height, width)), _axis_cost(width, max(height, width))
    f_ab, g_ab = _potentials(a, b, costs)
    f_aa, _ = _potentials(a, a, costs)
    _, g_bb = _potentials(b, b, costs)
    f = f_ab - f_aa
    value = ((a * f).sum((1, 2)) + (b * (g_ab - g_bb)).sum((1, 2))) * weight
    # d(a_i) = d(picture_i) / total - a_i sum d(picture) / total.
    slope = (f - (a * f).sum((1, 2), keepdim=True)) / total[:, None, None] * weight[:, None, None]
    return float(value.sum()), slope


def _axis_cost(count: int, side: int) -> torch.Tensor:
    place = (torch.arange(count) + 0.5) / side
    return (place[:, None] - place[None, :]) ** 2


def _potentials(a: torch.Tensor, b: torch.Tensor, costs: tuple[torch.Tensor, torch.Tensor],
                ) -> tuple[torch.Tensor, torch.Tensor]:
    """Dual potentials (c, h, w) of the entropic problem, by Sinkhorn's iteration in the log domain with averaging and
    an entropy that falls from the picture's size to BLUR2."""
    log_a, log_b = a.log(), b.log()
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    for i in range(ITERATIONS):
        epsilon = max(BLUR2, 0.5 * 0.6**i)
        f_new = -epsilon * _smooth(log_b + g / epsilon, costs, epsilon)
        g_new = -epsilon * _smooth(log_a + f / epsilon, costs, epsilon)
        f, g = (f + f_new) / 2, (g + g_new) / 2
    return (-BLUR2 * _smooth(log_b + g / BLUR2, costs, BLUR2), -BLUR2 * _smooth(log_a + f / BLUR2, costs, BLUR2))


def _smooth(log_mass: torch.Tensor, costs: tuple[torch.Tensor, torch.Tensor], epsilon: float) -> torch.Tensor:
    """log of the mass blurred by exp(-distance^2 / epsilon), one axis after the other."""
    rows = torch.logsumexp(log_mass[:, None] - costs[0][None, :, :, None] / epsilon, 2)
    return torch.logsumexp(rows[:, :, None, :] - costs[1][None, None] / epsilon, 3)
