"""How steady a painted film is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from .flow import Light, flow_back, known, moved_along

#: Pixels that are less sure than this to have been seen before say nothing about flicker.
SURE = 0.7
#: Frames are compared this much smoothed, px: a sharp edge moved by a part of a px differs by that alone.
SMOOTHED = 1.0


def flicker(painted: Sequence[np.ndarray], film: Sequence[np.ndarray]) -> float:
    """Root of the mean squared difference between each painted frame and the one before, moved and lit as the film was.

    painted, film: frames (H, W, 3) in [0, 1], of one shot; where the film shows something new is left out (as Lai et
    al., "Learning Blind Video Temporal Consistency", 2018, measure it). 0 where nothing trembles.
    """
    squared = []
    for n in range(1, len(film)):
        light = Light.between(film[n - 1], film[n])
        before = light.on(film[n - 1])
        back = flow_back(before, film[n])
        sure = binary_erosion(known(before, film[n], back) > SURE, iterations=round(3 * SMOOTHED))
        apart = moved_along(light.on(painted[n - 1]), back) - painted[n]
        apart = (gaussian_filter(apart, (SMOOTHED, SMOOTHED, 0)) ** 2).mean(-1)
        squared.append(apart[sure])
    return float(np.sqrt(np.concatenate(squared).mean())) if squared else 0.0


def psnr(painted: Sequence[np.ndarray], film: Sequence[np.ndarray]) -> float:
    """dB of all frames together."""
    error = float(np.mean([np.mean((a - b) ** 2) for a, b in zip(painted, film, strict=True)]))
    return -10 * float(np.log10(max(error, 1e-12)))
