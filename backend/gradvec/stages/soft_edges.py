"""Soft opacity kept as it is: where a picture fades out widely, its strokes are painted whole and lie under a mask.

Strokes have hard edges, so a shadow that fades made of them shows rings. A mask of nested contours of the picture's own
opacity, in steps that nobody sees, does not; it is paths, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import binary_dilation
from skimage.measure import find_contours

from ..brushes.loop_fit import fit_loop
from ..model import Outline, Shape, SolidColor, Target

#: Steps of the mask's opacity.
STEPS = 40
#: Opacities between these are soft; so are edges only where neither is within REACH px: others are antialiased.
CLEAR, FULL, REACH = 0.03, 0.97, 2
#: Least share of the picture that has to be soft for a mask.
SHARE = 0.004
#: Points of a contour for each cubic, and how many cubics a contour has.
POINTS, LEAST, MOST = 10, 4, 40


def soft_mask(target: Target) -> tuple[Shape, ...]:
    """Nested grey shapes, bottom to top, whose brightness is the picture's opacity; none where no part fades widely."""
    if target.opaque or not _is_soft(target.alpha):
        return ()
    padded = np.pad(target.alpha.astype(np.float64), 1)
    shapes = []
    for step in range(STEPS):
        loops = [_fitted(contour) for contour in find_contours(padded, (step + 0.5) / STEPS) if len(contour) > LEAST]
        grey = (step + 1) / STEPS
        if loops:
            shapes.append(Shape(Outline(tuple(loops)), SolidColor((grey, grey, grey))))
    return tuple(shapes)


def whole(target: Target) -> Target:
    """The picture as it is painted under its mask: opaque wherever anything of it is seen."""
    seen = target.alpha >= 0.5 / STEPS
    return replace(target, alpha=binary_dilation(seen, iterations=1).astype(np.float32))


def _is_soft(alpha: np.ndarray) -> bool:
    middle = (alpha > CLEAR) & (alpha < FULL)
    near = [binary_dilation(part, iterations=REACH) for part in (alpha <= CLEAR, alpha >= FULL)]
    return bool((middle & ~(near[0] & near[1])).mean() > SHARE)


def _fitted(contour: np.ndarray) -> np.ndarray:
    """A closed contour (n, 2) of rows and columns of the padded picture as control points in px."""
    points = contour[:-1, ::-1] - 1 + 0.5
    return fit_loop(points, int(np.clip(len(points) / POINTS, LEAST, MOST))).astype(np.float32)
