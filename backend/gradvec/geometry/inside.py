"""Outlines as polygons, and which pixels lie inside."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ..model import Outline

#: Line pieces a segment when pixels inside are looked for.
PIECES = 6


def polygons(outline: Outline, pieces: int = PIECES) -> list[np.ndarray]:
    """Each loop as a polygon, (S pieces, 2) px."""
    t = np.arange(pieces) / pieces
    basis = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
    result = []
    for loop in outline.loops:
        closed = np.concatenate([loop, loop[:1]])
        cubics = np.stack([closed[k:k + len(loop):3] for k in range(4)], 1)
        result.append(np.einsum("kt,skd->std", basis, cubics).reshape(-1, 2))
    return result


def inside(outline: Outline, left: int, top: int, width: int, height: int) -> np.ndarray:
    """(height, width) bool: pixels of a rectangle of the picture whose centres the outline covers (non-zero rule)."""
    winding = np.zeros((height, width), np.int32)
    for polygon in polygons(outline):
        mask = Image.new("1", (width, height))
        points = [(float(x), float(y)) for x, y in polygon - (left + 0.5, top + 0.5)]
        ImageDraw.Draw(mask).polygon(points, fill=1)
        x, y = polygon.T
        winding += np.asarray(mask) * int(np.sign(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
    return winding != 0


def box_of(mask: np.ndarray) -> tuple[slice, slice]:
    """(rows, columns) of the px that are set in a mask (H, W), of which there has to be one."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
