"""Outlines as polygons: path data of any kind as absolute M, L, C and Z, areas, and which points lie inside."""

from __future__ import annotations

import re
from typing import Any

import inkex
import numpy as np
from inkex import Transform

from .. import bake

STEPS = 6
_PLAIN = re.compile(r"(?:\s*M[^MmLlHhVvCcSsQqTtAaZz]*(?:[LC][^A-Za-z]*)+[Zz])+\s*\Z")
_TOKEN = re.compile(r"([MLCZz])([^MLCZz]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
#: Kinds of elements that are outlines, or that inkex can turn into one.
OUTLINED = ("path", "rect", "circle", "ellipse", "polygon", "polyline")


def is_outlined(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2] in OUTLINED


def plain_data(element: Any, matrix: Transform, places: int = 3) -> str:
    """The outline of ``element`` moved by ``matrix``: absolute M, L, C and Z, every loop closed; "" where it has none.

    An open loop is closed, as filling it would.
    """
    data = element.get("d") or ""
    if element.tag.endswith("}path") and _PLAIN.match(data):
        return bake.path_data(data, matrix, places)
    try:
        loops = inkex.Path(data if element.tag.endswith("}path") else element.get_path()).to_superpath()
    except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError):
        return ""
    a, b, c, d, e, f = matrix.to_hexad()

    def pair(point: Any) -> str:
        x, y = point
        return f"{bake.number(a * x + c * y + e, places)} {bake.number(b * x + d * y + f, places)}"

    words = []
    for loop in loops:
        if len(loop) < 2:
            continue
        words.append("M" + pair(loop[0][1]))
        for before, after in zip(loop, loop[1:]):
            if _straight(before, after):
                words.append("L" + pair(after[1]))
            else:
                words.append(f"C{pair(before[2])} {pair(after[0])} {pair(after[1])}")
        words.append("Z")
    return "".join(words)


def encloses(data: str) -> bool:
    """Whether plain path data has points enough to enclose anything."""
    return len(_NUMBER.findall(data)) >= 6


def polygons(data: str) -> list[np.ndarray]:
    """Loops of plain path data (see :func:`plain_data`), each (n, 2); curves become :data:`STEPS` straight lines."""
    loops, points = [], []
    t = np.arange(1, STEPS + 1)[:, None] / STEPS
    for command, text in _TOKEN.findall(data):
        numbers = np.array([float(n) for n in _NUMBER.findall(text)]).reshape(-1, 2)
        if command == "M":
            points = [numbers]
        elif command == "L":
            points.append(numbers)
        elif command == "C":
            for triple in numbers[:len(numbers) // 3 * 3].reshape(-1, 3, 2):
                start = points[-1][-1]
                points.append((1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * triple[0]
                              + 3 * (1 - t) * t ** 2 * triple[1] + t ** 3 * triple[2])
        elif points:
            loops.append(np.concatenate(points))
            points = []
    return [loop for loop in loops if len(loop) > 2]


def area(loops: list[np.ndarray]) -> float:
    """What the loops enclose, holes taken off where they run the other way."""
    total = 0.0
    for loop in loops:
        x, y = loop[:, 0], loop[:, 1]
        total += float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    return abs(total)


def bounds(loops: list[np.ndarray]) -> tuple[float, float, float, float]:
    """(left, top, right, bottom)."""
    points = np.concatenate(loops)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(left), float(top), float(right), float(bottom)


def inside(points: np.ndarray, loops: list[np.ndarray]) -> np.ndarray:
    """(n,) true where a point lies inside, by the non-zero rule."""
    winding = np.zeros(len(points), int)
    x, y = points[:, :1], points[:, 1:]
    for loop in loops:
        start, end = loop, np.roll(loop, -1, 0)
        up = (start[:, 1] <= y) & (end[:, 1] > y)
        down = (start[:, 1] > y) & (end[:, 1] <= y)
        side = (end[:, 0] - start[:, 0]) * (y - start[:, 1]) - (x - start[:, 0]) * (end[:, 1] - start[:, 1])
        winding += (up & (side > 0)).sum(1) - (down & (side < 0)).sum(1)
    return winding != 0


def share_inside(loops: list[np.ndarray], region: list[np.ndarray]) -> float:
    """About how much of an outline lies in ``region``: the share of points that are spread over it."""
    border = np.concatenate(loops)
    middle = border.mean(0)
    points = np.concatenate([middle + (border - middle) * part for part in (0.35, 0.7, 0.95)])
    return float(inside(points, region).mean())


def _straight(before: Any, after: Any) -> bool:
    return list(before[2]) == list(before[1]) and list(after[0]) == list(after[1])
