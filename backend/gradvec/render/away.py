"""A scene that lives on the processor, rendered on the card: whatever happens to the card, the picture comes.

The parameters stay where they are; the card works on copies. When it fails, in the middle of a step too, the processor
computes the same picture or the same derivative, and :mod:`.card` remembers not to ask the card again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from . import card
from .scene import Scene, Topology

Render = Callable[[Scene], torch.Tensor]


def render_away(scene: Scene, device: str, there: Render, here: Render) -> torch.Tensor:
    """(P, 4) on the scene's own device, by ``there`` on ``device``, or by ``here`` where that fails."""
    wanted = torch.is_grad_enabled() and any(p.requires_grad for p in scene.parameters)
    try:
        return _Away.apply(scene.topology, device, there, here, wanted, *scene.parameters)
    except Exception as error:
        if not card.is_fault(error):
            raise
        card.lose(error)
    return here(scene)


class _Away(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, t: Topology, device: str, there: Render, here: Render, wanted: bool,
                *parameters: torch.Tensor) -> torch.Tensor:
        if not wanted:
            return there(Scene(t, *(p.to(device) for p in parameters))).to(parameters[0].device)
        copies = [p.detach().to(device).requires_grad_(needed)
                  for p, needed in zip(parameters, ctx.needs_input_grad[5:], strict=True)]
        with torch.enable_grad():
            picture = there(Scene(t, *copies))
        ctx.save_for_backward(*parameters)
        ctx.topology, ctx.here, ctx.graph = t, here, (picture, copies)
        return picture.detach().to(parameters[0].device)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        graph, ctx.graph = ctx.graph, None
        home = grads[0].device
        if graph is not None:
            picture, copies = graph
            try:
                found = _derivatives(picture, copies, grads[0].to(picture.device))
                return (None,) * 5 + tuple(d if d is None else d.to(home) for d in found)
            except Exception as error:
                if not card.is_fault(error):
                    raise
                card.lose(error)
        moving = [p.detach().requires_grad_(needed)
                  for p, needed in zip(ctx.saved_tensors, ctx.needs_input_grad[5:], strict=True)]
        with torch.enable_grad():
            picture = ctx.here(Scene(ctx.topology, *moving))
        return (None,) * 5 + _derivatives(picture, moving, grads[0])


def _derivatives(picture: torch.Tensor, moving: list[torch.Tensor], slope: torch.Tensor) -> tuple[Any, ...]:
    """One for each tensor that requires grad, None for the others."""
    wanted = [p for p in moving if p.requires_grad]
    found = iter(torch.autograd.grad(picture, wanted, slope))
    return tuple(next(found) if p.requires_grad else None for p in moving)
