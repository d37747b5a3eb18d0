"""Faces are drawn finer than the rest: their lines are shorter, nearer to each other and thinner, as far as px go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...geometry.faces import Face, around, faces, shown
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
        return replace(edges, strength=np.where(self.inside, 0.0, edges.strength))

    def together(self, edges: Edges) -> Edges:
        """Edges of the whole picture, inside faces the finer ones."""
        return replace(edges, strength=np.where(self.inside, self.strength, edges.strength))


def portraits_of(rgb: np.ndarray, unit: float, most: int) -> Portraits:
    """The faces of a picture (H, W, 3) in [0, 1].

    unit: px that stand for one of a 512 px picture in the rest of it. most: lines of the whole drawing.
    """
    size = (rgb.shape[0], rgb.shape[1])
    found = Portraits([], np.zeros(size, bool), np.zeros(size))
    own_most = min(MOST, round(SHARE * most))
    if own_most < LEAST:
        return found
    for face in faces(rgb):
        own = max(1 / FINEST, face.width / WIDE)
        if own < unit:
            _add(found, rgb, face, own, own_most)
    return found


def _add(found: Portraits, rgb: np.ndarray, face: Face, unit: float, most: int) -> None:
    part, here = around(rgb, face, AROUND * face.width)
    left, top = round(face.x - here.x), round(face.y - here.y)
    inside = shown([replace(here, width=INSIDE * face.width)], (part.shape[0], part.shape[1])) > 0.5
    edges = edges_of(part, unit)
    fine = replace(edges, strength=np.where(inside, edges.strength, 0.0))
    found.lines.extend((line + np.array([left, top]), unit) for line in contours(fine, most))
    window = slice(top, top + part.shape[0]), slice(left, left + part.shape[1])
    found.inside[window] |= inside
    found.strength[window] = np.where(inside, edges.strength, found.strength[window])
