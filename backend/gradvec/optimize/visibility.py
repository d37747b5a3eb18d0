"""How much of each shape is seen: what hides behind others costs a path and shows nothing."""

from __future__ import annotations

import numpy as np
import torch

from ..model import Shape, Target
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


def colors_behind(shapes: list[Shape], target: Target, engine: str = "auto",
                  device: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Of each shape, bottom to top: how much is seen of it, px (N,), and the mean (N, 3) of a picture's colours there.

    As :func:`visible_areas`, of a sum in which every pixel counts by its colour.
    """
    if not shapes:
        return np.zeros(0), np.zeros((0, 3))
    variables = Variables(shapes, target.width, target.height, (0.0, 0.0, 0.0, 0.0), Freedom())
    scene = variables.scene()
    sums = np.zeros((variables.count, 4))
    planes = np.concatenate([target.rgb, np.ones((*target.alpha.shape, 1))], 2) * target.alpha[..., None]
    weight = torch.from_numpy(np.ascontiguousarray(planes.reshape(-1, 4), np.float32))
    color = scene.stop_color.detach().clone().requires_grad_()
    free = scene.with_parameters(scene.points.detach(), scene.geometry.detach(), scene.stop_offset, color,
                                 scene.opacity, scene.background.detach())
    # One plane for each of the three colours at once; the area is that of a second sum.
    for columns, counted in ((slice(0, 3), weight[:, :3]), (slice(3, 4), weight[:, 3:])):
        color.grad = None
        picture = render_flat(free, engine, device)[:, :counted.shape[1]]
        (picture * counted.to(picture)).sum().backward()
        assert color.grad is not None
        np.add.at(sums[:, columns], variables.topology.stop_outline,
                  color.grad[:, :counted.shape[1]].cpu().numpy())
    return sums[:, 3], sums[:, :3] / np.maximum(sums[:, 3:], 1e-9)


def visible(shapes: list[Shape], width: int, height: int, background: tuple[float, ...], engine: str = "auto",
            device: str = "auto") -> np.ndarray:
    """(N,) how much is seen, px, of each of some shapes (bottom to top) on a ground of straight RGBA."""
    if not shapes:
        return np.zeros(0)
    return visible_areas(Variables(shapes, width, height, background, Freedom()), engine, device)
