"""How much of each shape is seen: what hides behind others costs a path and shows nothing."""

from __future__ import annotations

import numpy as np

from ..model import Shape
from ..render import render_flat
from .variables import Freedom, Variables

#: A shape of which less than this is seen, px, shows nothing.
UNSEEN = 0.75


def visible_areas(variables: Variables, engine: str, device: str = "auto") -> np.ndarray:
    """(N,) how much of each shape is seen, px: its alpha times what the shapes above let through, summed.

    It is exactly the derivative of a colour plane's sum with respect to the shape's own colour.
    """
    scene = variables.scene()
    color = scene.stop_color.detach().clone().requires_grad_()
    free = scene.with_parameters(scene.points.detach(), scene.geometry.detach(), scene.stop_offset, color,
                                 scene.opacity, scene.background.detach())
    render_flat(free, engine, device)[:, 0].sum().backward()
    assert color.grad is not None
    seen = np.zeros(variables.count)
    np.add.at(seen, variables.topology.stop_outline, color.grad[:, 0].cpu().numpy())
    return seen


def visible(shapes: list[Shape], width: int, height: int, background: tuple[float, ...], engine: str = "auto",
            device: str = "auto") -> np.ndarray:
    """(N,) how much is seen, px, of each of some shapes (bottom to top) on a ground of straight RGBA."""
    if not shapes:
        return np.zeros(0)
    return visible_areas(Variables(shapes, width, height, background, Freedom()), engine, device)
