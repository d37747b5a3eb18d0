"""Pictures under a scene. Source-over is associative: what lies under all outlines can be put there afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..errors import EngineError
from .scene import Scene


def over(picture: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
    """(H, W, 4) ``picture`` over ``ground``, both premultiplied; differentiable in both."""
    if ground.shape != picture.shape:
        raise EngineError(f"The background expects shape {tuple(picture.shape)}, got {tuple(ground.shape)}.")
    return picture + ground * (1 - picture[..., 3:])


def is_picture(background: Any) -> bool:
    return isinstance(background, torch.Tensor) and background.dim() == 3


def with_ground(scene: Scene, background: torch.Tensor | Sequence[float]) -> Scene:
    """The scene on another colour of 3 or 4 numbers, straight; on every canvas."""
    from .build import with_alpha
    color = torch.as_tensor(background, dtype=scene.points.dtype, device=scene.points.device)
    if color.dim() != 1:
        raise EngineError(f"A background is a colour of 3 or 4 numbers or a picture (H, W, 3 or 4), got "
                          f"{tuple(color.shape)}.")
    return replace(scene, background=with_alpha(color).expand(len(scene.topology.sizes), 4))


def with_rule(scene: Scene, rule: str) -> Scene:
    """The scene with one rule for all outlines, nonzero or evenodd; its topology is made once and kept."""
    from .build import RULES
    if rule not in RULES:
        raise EngineError(f"There is no rule named {rule!r}.", f"Choose one of {', '.join(RULES)}.")
    kept = vars(scene.topology).setdefault("_under_rule", {})
    if rule not in kept:
        even_odd = np.full(scene.topology.count, rule == "evenodd", np.uint8)
        kept[rule] = replace(scene.topology, even_odd=even_odd)
    return replace(scene, topology=kept[rule])
