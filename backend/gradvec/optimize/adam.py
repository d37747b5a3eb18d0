"""Adam (Kingma and Ba 2015) on a few leaf tensors whose rows may be dropped or reordered on the way."""

from __future__ import annotations

import math

import torch


def cosine_decay(step: float, steps: float, last: float) -> float:
    """Share of the full rates at ``step`` of ``steps``: from 1 down to ``last`` along half a cosine."""
    return last + (1 - last) / 2 * (1 + math.cos(math.pi * step / steps))


class Adam:
    """Rates broadcast against their leaf; rows of the state follow the leaves through :meth:`take`.

    The moments forget within ten steps: a run has some hundred steps, what a stroke should do changes as its neighbours
    move, and on 500 shapes this gains 1.1 dB over (0.9, 0.99) in 200 steps.
    """

    def __init__(self, leaves: list[torch.Tensor], rates: list[torch.Tensor],
                 betas: tuple[float, float] = (0.8, 0.9)) -> None:
        self.leaves, self.rates, self.betas = leaves, rates, betas
        self.first = [torch.zeros_like(leaf) for leaf in leaves]
        self.second = [torch.zeros_like(leaf) for leaf in leaves]
        self.steps = 0

    def step(self, share: float) -> None:
        """One step with ``share`` of the full rates."""
        self.move(*self.numbers(share))
        self.steps += 1

    def numbers(self, share: float) -> tuple[float, float]:
        """What the next step depends on besides the derivatives, as :meth:`move` takes it."""
        b1, b2 = self.betas
        return share * (1 / (1 - b1**(self.steps + 1))), 1 / (1 - b2**(self.steps + 1)) ** 0.5

    @torch.no_grad()
    def move(self, scale: float | torch.Tensor, root: float | torch.Tensor) -> None:
        """Moves the leaves; who calls it counts the step. scale: share of the full rates, times the first moment's
        correction; root: the root of the second one's. Numbers, or tensors of one number on the leaves' device."""
        b1, b2 = self.betas
        for leaf, rate, m, v in zip(self.leaves, self.rates, self.first, self.second, strict=True):
            if leaf.grad is None:
                continue
            m.lerp_(leaf.grad, 1 - b1)
            v.mul_(b2).addcmul_(leaf.grad, leaf.grad, value=1 - b2)
            # A derivative that is exactly zero so far (a hidden stroke) must not divide by zero.
            size = v.sqrt().mul_(root).add_(1e-12)
            if isinstance(scale, torch.Tensor):
                leaf.sub_((m * rate).mul_(scale).div_(size))
            else:
                leaf.addcdiv_(m * rate, size, value=-scale)
            leaf.grad = None

    def state(self) -> list[torch.Tensor]:
        """What a step changes."""
        return [*self.leaves, *self.first, *self.second]

    def copied_to(self, device: str, leaves: list[torch.Tensor]) -> Adam:
        """The same state for ``leaves``, copies of the leaves on another device (or this one)."""
        other = Adam(leaves, [rate.to(device, copy=True) for rate in self.rates], self.betas)
        other.first, other.second = ([m.to(device, copy=True) for m in ms] for ms in (self.first, self.second))
        other.steps = self.steps
        return other

    @torch.no_grad()
    def take(self, leaves: list[torch.Tensor], rows: list[torch.Tensor], fresh: list[torch.Tensor],
             rates: list[torch.Tensor]) -> None:
        """The leaves are now ``leaves`` = old rows ``rows``; rows marked in ``fresh`` (bool) forget their past.

        A fresh row starts with the median of the second moments, so that its first step is an ordinary one.
        """
        self.leaves, self.rates = leaves, rates
        for k, (index, new) in enumerate(zip(rows, fresh, strict=True)):
            self.first[k], self.second[k] = self.first[k][index], self.second[k][index]
            if bool(new.any()) and not bool(new.all()):
                self.first[k][new] = 0.0
                self.second[k][new] = self.second[k][~new].median(0).values
