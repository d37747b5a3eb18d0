"""Outlines as polygons: path data of any kind as absolute M, L, C and Z, areas, and which points lie inside."""

from __future__ import annotations

import math
import re
from typing import Any

import inkex
import numpy as np
from inkex import Transform

from . import styles, transform
from .namespaces import Element, local_name

STEPS = 6
#: Longest side of the picture in which the two fill rules are compared.
PIXELS = 512
_PLAIN = re.compile(r"(?:\s*M[^MmLlHhVvCcSsQqTtAaZz]*(?:[LC][^A-Za-z]*)+[Zz])+\s*\Z")
_TOKEN = re.compile(r"([MLCZz])([^MLCZz]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
#: Kinds of elements that are outlines, or that inkex can turn into one.
OUTLINED = ("path", "rect", "circle", "ellipse", "polygon", "polyline")


def is_outlined(element: Element) -> bool:
    return local_name(element) in OUTLINED


def is_open_line(element: Element) -> bool:
    """Whether ``element`` is a line without a fill whose end does not meet its start: it encloses nothing."""
    name, data = local_name(element), (element.get("d") or "").rstrip()
    is_open = name in ("line", "polyline") or (name == "path" and not data.endswith(("z", "Z")))
    return is_open and styles.inherited(element, "fill", "#000000") == "none"


def paint_of(element: Element) -> str:
    """Which property colours ``element``: stroke for a line without a fill, else fill."""
    return "stroke" if is_open_line(element) else "fill"


def extent(element: Element, matrix: Transform) -> float:
    """The area that ``element`` covers after ``matrix``; of a line without a fill its length times its width."""
    lines = polygons(plain_data(element, matrix, 6), 2)
    if not is_open_line(element):
        return area([line for line in lines if len(line) > 2])
    length = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines)
    a, b, c, d, _e, _f = matrix.to_hexad()
    number = _NUMBER.match(styles.inherited(element, "stroke-width", "1"))
    width = float(number.group()) if number else 1.0
    return length * width * math.sqrt(abs(a * d - b * c))


def plain_data(element: Element, matrix: Transform, places: int = 3) -> str:
    """The outline of ``element`` moved by ``matrix``: absolute M, L, C and Z, every loop closed; "" where it has none.

    An open loop is closed, as filling it would.
    """
    data = element.get("d") or ""
    if element.tag.endswith("}path") and _PLAIN.match(data):
        return transform.path_data(data, matrix, places)
    try:
        loops = inkex.Path(data if element.tag.endswith("}path") else element.get_path()).to_superpath()
    except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError):
        return ""
    a, b, c, d, e, f = matrix.to_hexad()

    def pair(point: Any) -> str:
        x, y = point
        return f"{transform.number(a * x + c * y + e, places)} {transform.number(b * x + d * y + f, places)}"

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


def polygons(data: str, least: int = 3) -> list[np.ndarray]:
    """Loops of plain path data (see :func:`plain_data`), each (n, 2); curves become :data:`STEPS` straight lines.

    least: loops of fewer points are left out.
    """
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
    return [loop for loop in loops if len(loop) >= least]


def non_zero(data: str) -> str | None:
    """Plain path data that shows by the non-zero rule what ``data`` shows by the even-odd rule.

    Loops are turned where needed, so that each runs against the one around it. Returns None where loops cross each
    other or themselves, which turning cannot mend.
    """
    parts = re.findall(r"M[^M]*", data)
    loops = [np.concatenate(polygons(part, 1) or [np.zeros((1, 2))]) for part in parts]
    wanted = _drawn(loops, True)
    if _same(_drawn(loops, False), wanted):
        return data
    for index, loop in enumerate(loops):
        depth = sum(inside(loop, [other]).mean() > 0.5 for n, other in enumerate(loops) if n != index)
        if (_signed(loop) > 0) == (depth % 2 > 0):
            parts[index], loops[index] = _turned(parts[index]), loop[::-1]
    return "".join(parts) if _same(_drawn(loops, False), wanted) else None


def _drawn(loops: list[np.ndarray], even_odd: bool) -> np.ndarray:
    """The loops as pixels, :data:`PIXELS` on their longest side."""
    left, top, right, bottom = bounds(loops)
    scale = PIXELS / max(right - left, bottom - top, 1e-9)
    width, height = (max(1, math.ceil(side * scale)) for side in (right - left, bottom - top))
    return covered([(loop - (left, top)) * scale for loop in loops], width, height, even_odd)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether no more differs than pixels whose centre lies on an edge."""
    return int((one != other).sum()) <= one.shape[0] / 100


def _turned(part: str) -> str:
    """One loop of plain path data, the other way round."""
    steps = [(command, _NUMBER.findall(text)) for command, text in _TOKEN.findall(part)]
    points, ends = [], []
    for command, numbers in steps:
        pairs = [" ".join(numbers[at:at + 2]) for at in range(0, len(numbers), 2)]
        each = 3 if command == "C" else 1
        for at in range(0, len(pairs) // each * each, each):
            points += pairs[at:at + each]
            ends.append("" if command == "M" else command)
    points.reverse()
    words, at = ["M" + points[0]], 1
    for command in reversed(ends[1:]):
        each = 3 if command == "C" else 1
        words.append(command + " ".join(points[at:at + each]))
        at += each
    return "".join(words) + "Z"


def _signed(loop: np.ndarray) -> float:
    x, y = loop[:, 0], loop[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def area(loops: list[np.ndarray]) -> float:
    """What the loops enclose, holes taken off where they run the other way."""
    return abs(sum(_signed(loop) for loop in loops))


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


def covered(loops: list[np.ndarray], width: int, height: int, even_odd: bool = False) -> np.ndarray:
    """(height, width) true where a pixel's centre lies inside the loops, which are in px, by either fill rule."""
    crossings = np.zeros((height, width + 1), np.int32)
    if loops:
        start, end = np.concatenate(loops), np.concatenate([np.roll(loop, -1, 0) for loop in loops])
        first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1]) - 0.5), 0, height).astype(int)
        count = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1]) - 0.5), 0, height).astype(int) - first
        edge = np.repeat(np.arange(len(start)), count)
        rows = np.arange(len(edge)) - np.repeat(count.cumsum() - count, count) + first[edge]
        (x0, y0), (along, down) = start[edge].T, (end - start)[edge].T
        columns = np.clip(np.ceil(x0 + (rows + 0.5 - y0) * along / down - 0.5), 0, width).astype(int)
        np.add.at(crossings, (rows, columns), np.where(down > 0, 1, -1))
    winding = crossings.cumsum(1)[:, :width]
    return winding % 2 != 0 if even_odd else winding != 0


def near(line: np.ndarray, radius: float, width: int, height: int) -> np.ndarray:
    """(height, width) true where a pixel's centre lies within ``radius`` px of an open line of points (n, 2)."""
    found = np.zeros((height, width), bool)
    for start, end in zip(line, line[1:]):
        (left, top), (right, bottom) = np.minimum(start, end) - radius, np.maximum(start, end) + radius
        rows = slice(max(math.floor(top), 0), min(max(math.ceil(bottom), 0), height))
        columns = slice(max(math.floor(left), 0), min(max(math.ceil(right), 0), width))
        y, x = np.mgrid[rows, columns] + 0.5
        along = end - start
        t = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(float(along @ along), 1e-12)
        t = np.clip(t, 0, 1)
        found[rows, columns] |= (x - start[0] - t * along[0]) ** 2 + (y - start[1] - t * along[1]) ** 2 <= radius ** 2
    return found


def _straight(before: Any, after: Any) -> bool:
    return list(before[2]) == list(before[1]) and list(after[0]) == list(after[1])
