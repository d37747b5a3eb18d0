"""Optimal transport between two small pictures, and its derivative.

A pixel loss is blind to a stroke that lies beside the place where its colour is wanted: no pixel tells it which way
to go. Transport does: it asks how far paint has to be carried. The entropic problem is solved by Sinkhorn's
iteration (Cuturi 2013) on each colour channel taken as a mass over the picture, and debiased (Feydy et al. 2019).
Squared distance on a grid makes the kernel separable, so one iteration costs h w (h + w).
"""

from __future__ import annotations

import torch

#: Entropies, in squared picture sides, from far-sighted to sharp, and iterations with each.
BLURS2 = (0.1, 0.03, 0.01, 0.004, 0.002)
ITERATIONS = 20
#: Mass that every pixel has besides its own, so that none is left without; as a colour value.
FLOOR = 1e-3


def divergence(picture: torch.Tensor, goal: torch.Tensor) -> float:
    """How far the mass of ``picture`` has to be carried to become ``goal``: 0 where they are alike, about the squared
    distance for one blob (Sinkhorn divergence). Arguments as for :func:`gradient`."""
    a, b, _, share, costs = _masses(picture, goal)
    f_ab, g_ab = _potentials(a, b, costs)
    f, g = f_ab - _potentials(a, a, costs)[0], g_ab - _potentials(b, b, costs)[1]
    return float((share * (a * f + b * g).sum((1, 2), keepdim=True)).sum())


def gradient(picture: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """The derivative (c, h, w) of :func:`divergence` with respect to ``picture``.

    picture, goal: (c, h, w), nonnegative; each channel is a mass of its own, scaled to one. Channels are weighted by
    how much mass the goal has in them. Distances are measured in the picture's longer side.
    """
    a, b, total, share, costs = _masses(picture, goal)
    f = _potentials(a, b, costs)[0] - _potentials(a, a, costs)[0]
    # d(a_i) = d(picture_i) / total - a_i sum d(picture) / total.
    return ((f - (a * f).sum((1, 2), keepdim=True)) / total * share).to(picture.dtype)


def _masses(picture: torch.Tensor, goal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor,
                                                               tuple[torch.Tensor, torch.Tensor]]:
    """Both as float64 masses, what the picture's were divided by, each channel's share, squared distances."""
    height, width = goal.shape[1:]
    side = max(height, width)
    now, wanted = picture.double().clamp(min=0) + FLOOR, goal.double() + FLOOR
    total = now.sum((1, 2), keepdim=True)
    share = goal.double().sum((1, 2), keepdim=True)
    share = share / share.sum().clamp(min=1e-9)
    costs = _axis_cost(height, side, goal.device), _axis_cost(width, side, goal.device)
    return now / total, wanted / wanted.sum((1, 2), keepdim=True), total, share, costs


def _axis_cost(count: int, side: int, device: torch.device) -> torch.Tensor:
    place = (torch.arange(count, dtype=torch.float64, device=device) + 0.5) / side
    return (place[:, None] - place[None, :]) ** 2


def _potentials(a: torch.Tensor, b: torch.Tensor, costs: tuple[torch.Tensor, torch.Tensor],
                ) -> tuple[torch.Tensor, torch.Tensor]:
    """Dual potentials (c, h, w) of the entropic problem; float64 holds exp(-1 / 0.002) without a logarithm.

    Both are updated at once and averaged with what they were, which converges fast where a and b are alike.
    """
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    for blur2 in BLURS2:
        rows, columns = (torch.exp(-cost / blur2) for cost in costs)
        # What one gains the other may lose: as far from 0 as each other, neither is beyond what float64 holds.
        shift = (f.amax((1, 2), keepdim=True) - g.amax((1, 2), keepdim=True)) / 2
        u, v = (m * torch.exp((p / blur2).clamp(-300, 300)) for m, p in ((a, f - shift), (b, g + shift)))
        for _ in range(ITERATIONS):
            u, v = (u * a / (rows @ v @ columns)).sqrt(), (v * b / (rows @ u @ columns)).sqrt()
        f, g = blur2 * torch.log(u / a), blur2 * torch.log(v / b)
    return f, g
