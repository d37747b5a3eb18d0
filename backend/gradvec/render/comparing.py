"""Comparing with a goal px by px: painted, compared and taken back in one go where the engine can."""

from __future__ import annotations

import math

import torch

from ..errors import EngineError
from .scene import Scene


def squared_error(scene: Scene, goal: torch.Tensor, weight: torch.Tensor | None = None, engine: str = "auto",
                  device: str = "auto") -> torch.Tensor:
    """The sum over all px of weight * (picture - goal)^2; differentiable in all that the scene holds.

    What ``((render(scene) - goal) ** 2).sum()`` is, on the processor without the picture ever being written: each band
    of rows is painted, compared and taken back while it is in a core's cache.

    Args:
        goal: (H, W, 3) or (H, W, 4), or (P, 3) or (P, 4) for all canvases one after the other; premultiplied. With 3
            planes opacity is not compared. Best kept plane by plane, for example as
            ``goal.permute(2, 0, 1).contiguous().permute(1, 2, 0)``: it is copied in each call otherwise.
        weight: (H, W) or (P,), 1 where it is not given.
        engine, device: as for render_flat().

    Raises:
        EngineError: as render_flat(); or goal or weight do not fit, hold a number that is not finite, or want a
            derivative, which this function does not give.
    """
    from . import checked_scene, choose, render_flat
    engine, device = choose(engine, device)
    scene = checked_scene(scene)
    points, pixels = scene.points, int(scene.topology.canvas_start[-1])
    shares = points.new_ones(pixels) if weight is None else weight.reshape(-1).to(points)
    if goal.shape[-1:] not in ((3,), (4,)) or goal.numel() != pixels * goal.shape[-1] or len(shares) != pixels:
        raise EngineError(f"A goal of 3 or 4 planes and a weight of {pixels} px are expected, got {tuple(goal.shape)} "
                          f"and {None if weight is None else tuple(weight.shape)}.")
    if goal.requires_grad or shares.requires_grad:
        raise EngineError("squared_error() is differentiable in the scene alone.",
                          "Render the scene and compute the loss in torch for a goal or weight that is a variable.")
    planes = goal.reshape(pixels, goal.shape[-1]).to(points).t()
    if engine == "cpu" and device == "cpu" and points.device.type == "cpu":
        from . import cpu
        error = cpu.squared_error(scene, planes.contiguous(), shares.contiguous())
    else:
        off = render_flat(scene, engine, device).t()[:len(planes)] - planes
        error = (shares * off * off).sum()
    if not bool(torch.isfinite(error)):
        raise EngineError("The goal or the weight of squared_error() is not finite everywhere.")
    return error


def squared_error_and_slopes(scene: Scene, goal: torch.Tensor,
                             weight: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    """:func:`squared_error` of a scene on the processor with its derivatives by each of ``scene.parameters``, for
    optimizers that need no graph: torch takes some milliseconds a step to make one.

    Args:
        goal: (3, P) or (4, P) premultiplied planes, contiguous, in the scene's dtype. weight: (P,), likewise.

    Returns:
        The sum, and the derivatives, each of its parameter's shape; that of a background that requires none is 0.

    Raises:
        EngineError: the scene, or goal or weight, does not fit or is not finite.
    """
    from . import checked_scene, cpu
    scene = checked_scene(scene)
    pixels, like = int(scene.topology.canvas_start[-1]), scene.points
    fitting = goal.dim() == 2 and len(goal) in (3, 4) and goal.shape[1] == pixels and tuple(weight.shape) == (pixels,)
    alike = all(part.dtype == like.dtype and part.device == like.device and part.is_contiguous()
                for part in (goal, weight))
    if not fitting or not alike or like.device.type != "cpu":
        raise EngineError(f"A goal (3 or 4, {pixels}) and a weight ({pixels},) are expected, contiguous {like.dtype} "
                          f"on the processor, got {tuple(goal.shape)} {goal.dtype} and {tuple(weight.shape)} "
                          f"{weight.dtype}.")
    error, slopes = cpu.squared_error_and_slopes(scene, goal, weight)
    if not math.isfinite(error):
        raise EngineError("The goal or the weight of squared_error_and_slopes() is not finite everywhere.")
    return error, slopes
