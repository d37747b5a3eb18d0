"""The colour under the strokes: which one there is, and what the picture looks like on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from ..model import Color, Target

#: A picture with a pixel that is less opaque than this is bare there, and so is its ground.
BARE = 0.5


#: A colour, none (bare), or what the picture itself gives.
Wanted = Color | Literal["auto"] | None


def choose_ground(wanted: Wanted, alpha: np.ndarray, automatic: Callable[[], Color]) -> Color | None:
    """The ground that is asked for; None where it stays bare.

    Args:
        alpha: (H, W) the picture's opacity. automatic: gives the colour that auto stands for where the picture is not
            bare anywhere.
    """
    if wanted != "auto":
        return wanted
    return None if alpha.min() < BARE else automatic()


def mean_color(rgb: np.ndarray) -> Color:
    """The mean of colours (H, W, 3)."""
    red, green, blue = rgb.reshape(-1, 3).mean(0, dtype=np.float64).tolist()
    return red, green, blue


def white() -> Color:
    """Paper, on which strokes from a folder are painted."""
    return 1.0, 1.0, 1.0


def on_ground(target: Target, ground: Color | None) -> Target:
    """What is to be seen where a colour lies under the strokes: it shows wherever the picture is transparent."""
    if ground is None or target.opaque:
        return target
    alpha = target.alpha[..., None]
    rgb = target.rgb * alpha + np.asarray(ground, np.float32) * (1 - alpha)
    return Target(rgb, np.ones_like(target.alpha), target.source_size)
