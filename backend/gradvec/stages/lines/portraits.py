"""Faces are drawn finer than the rest: their lines are shorter, nearer to each other and thinner, as far as px go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...geometry.faces import Face, faces, shown
from .contours import contours
from .edges import Edges, edges_of

#: A face is looked at as if it were so many px of a 512 px picture wide, but one px as at most so many of them: faces
#: ask for more than is sure between pixels.
WIDE, FINEST = 260.0, 4.0
#: How much of the picture around a face's centre is looked at, shares of its width; what of its oval is drawn finer.
AROUND, INSIDE = 0.8, 0.9
#: Share of all lines that a face gets at most; of how many it takes at least; and the most.
SHARE, LEAST, MOST = 0.12, 6, 40


@dataclass(frozen=True)
class Portraits:
    """lines: polylines (n, 2) px of the picture, and for each how many px stand for one of a 512 px picture there.
    inside: (H, W) bool, where faces are drawn finer. strength: (H, W) as Edges have it, but only there."""

    lines: list[tuple[np.ndarray, float]]
    inside: np.ndarray
    strength: np.ndarray

    def left_out(self, edges: Edges) -> Edges:
        """Edges of the whole picture without those inside faces."""
        return Edges(np.where(self.inside, 0.0, edges.strength), edges.tangent, edges.light, edges.unit)

    def together(self, edges: Edges) -> Edges:
        """Edges of the whole picture, inside faces the finer ones."""
        return Edges(np.where(self.inside, self.strength, edges.strength), edges.tangent, edges.light, edges.unit)


def portraits_of(rgb: np.ndarray, unit: float, most: int) -> Portraits:
    """The faces of a picture (H, W, 3) in [0, 1].

    unit: px that stand for one of a 512 px picture in the rest of it. most: lines of the whole drawing.
    """
    size = (rgb.shape[0], rgb.shape[1])
    found = Portraits([], np.zeros(size, bool), np.zeros(size))
    own_most = min(MOST, round(SHARE * most))
    for face in faces(rgb) if own_most >= LEAST else []:
        own = max(1 / FINEST, face.width / WIDE)
        if own < unit:
            _add(found, rgb, face, own, own_most)
    return found


def _add(found: Portraits, rgb: np.ndarray, face: Face, unit: float, most: int) -> None:
    half = AROUND * face.width
    left, top = max(0, math.floor(face.x - half)), max(0, math.floor(face.y - half))
    part = rgb[top:math.ceil(face.y + half), left:math.ceil(face.x + half)]
    here = Face(face.x - left, face.y - top, INSIDE * face.width)
    inside = shown([here], (part.shape[0], part.shape[1])) > 0.5
    edges = edges_of(part, unit)
    fine = Edges(np.where(inside, edges.strength, 0.0), edges.tangent, edges.light, unit)
    found.lines.extend((line + np.array([left, top]), unit) for line in contours(fine, most))
    window = slice(top, top + part.shape[0]), slice(left, left + part.shape[1])
    found.inside[window] |= inside
    found.strength[window] = np.where(inside, edges.strength, found.strength[window])
