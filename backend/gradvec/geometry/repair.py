"""Outlines made fit to be handed out: no crossings, no specks, no degenerate loops, one orientation.

What is checked is what a file holds: control points rounded to 1/100 px, cubics as 16 straight pieces each.
"""

from __future__ import annotations

import numpy as np

from ..model import Outline
from .crossings import edge_crossings, rounded_as_it_is
from .cubics import flatten, halve, polyline_basis, refit
from .trace import inside, shoelace

#: Decimals of a px that an SVG of ours keeps.
DECIMALS = 2

_PIECES = 16
_BASIS = polyline_basis(_PIECES)

#: A part that a crossing cuts off and that shows stays, as a loop of its own, from this share of the whole on.
_OWN_LOOP_SHARE = 0.1

#: How far, px, two parts that met in a crossing are moved apart.
_GAP_PX = 0.06

#: Handles longer than this many times chord + 1 px are shortened: they only make bumps nobody asked for.
_LONGEST_HANDLE = 3.0


def crossings(outline: Outline) -> int:
    """How often the outline crosses itself: inside its loops and between them. A figure eight has one crossing."""
    return _find(list(outline.loops), 0)[0]


def clean(outline: Outline, min_size_px: float = 2.0, most: int | None = None) -> Outline | None:
    """The outline without crossings, specks and degenerate segments; None where nothing is left of it.

    Small loops that a curve makes on its way are cut off; a larger part beyond a crossing, or beyond a neck whose sides
    have crossed, becomes a loop of its own; loops that still cross larger ones are dropped. Every loop that is left
    runs clockwise on the screen, holes the other way.

    Args:
        min_size_px: loops whose larger side is shorter are specks, and so are those that cover less than a quarter
            of that, squared.
        most: most segments that the outline may have; None sets no limit (a loop parted from another adds up to two).
    """
    if len(outline.loops) == 1 and (most is None or outline.segments <= most):
        fit, rounded = rounded_as_it_is(np.ascontiguousarray(outline.loops[0], np.float64), _BASIS, 10.0**DECIMALS,
                                        _LONGEST_HANDLE, min_size_px)
        if fit:  # as a rule
            return Outline((rounded,))
    loops: list[np.ndarray] = []
    for loop in outline.loops:
        sane = _sane(loop)
        if sane is not None:
            loops += _untangle(sane)
    result = _assembled(loops, min_size_px)
    if result is None or most is None or result.segments <= most:
        return result
    shorter = refit(result, most)
    again = [piece for loop in shorter.loops for piece in _untangle(_rounded(loop))]
    return _assembled(again, min_size_px, most)


def _assembled(loops: list[np.ndarray], min_size_px: float, most: int | None = None) -> Outline | None:
    """What of ``loops``, none of which crosses itself, can stand together, the largest first, rightly oriented."""
    polygons = [flatten(loop, _PIECES) for loop in loops]
    sizes = [_visible_size(polygon, min_size_px) for polygon in polygons]
    kept: list[int] = []
    for n in sorted((n for n, size in enumerate(sizes) if size > 0), key=lambda n: -sizes[n]):
        together = [loops[k] for k in (*kept, n)]
        fits = most is None or sum(map(len, together)) <= 3 * most
        if fits and (not kept or _find(together, 0)[0] == 0):
            kept.append(n)
    whole = _oriented([loops[n] for n in kept], [polygons[n] for n in kept])
    return Outline(tuple(whole)) if whole else None


def _find(loops: list[np.ndarray], most: int) -> tuple[int, np.ndarray]:
    if not loops:
        return 0, np.zeros((0, 4))
    polygons = [flatten(np.asarray(loop, np.float64), _PIECES) for loop in loops]
    start = np.cumsum([0, *(len(p) for p in polygons)]).astype(np.int64)
    return edge_crossings(np.concatenate(polygons), start, most)


def _visible_size(polygon: np.ndarray, min_size_px: float) -> float:
    """Area px^2 of a loop, 0 for a speck."""
    area = abs(shoelace(polygon))
    if area < 0.25 * min_size_px**2 or (polygon.max(0) - polygon.min(0)).max() < min_size_px:
        return 0.0
    return area


def _rounded(loop: np.ndarray) -> np.ndarray:
    return np.round(loop, DECIMALS) + 0.0


def _sane(loop: np.ndarray) -> np.ndarray | None:
    """Finite, rounded, without segments that are no more than a point, handles of a sensible length."""
    loop = np.asarray(loop, np.float64)
    if len(loop) < 6 or not np.isfinite(loop).all():
        return None
    cubics = loop.reshape(-1, 3, 2)
    ends = np.roll(cubics[:, 0], -1, axis=0)
    size = np.abs(np.stack([cubics[:, 1], cubics[:, 2], ends], 1) - cubics[:, :1]).max((1, 2))
    cubics = cubics[size > 0.5 * 10.0**-DECIMALS].copy()
    if len(cubics) < 2:
        return None
    ends = np.roll(cubics[:, 0], -1, axis=0)
    longest = _LONGEST_HANDLE * (np.hypot(*(ends - cubics[:, 0]).T) + 1.0)
    for handle, anchor in ((1, cubics[:, 0]), (2, ends)):
        away = cubics[:, handle] - anchor
        length = np.hypot(*away.T)
        cubics[:, handle] = anchor + away * np.minimum(1.0, longest / np.maximum(length, 1e-9))[:, None]
    return _rounded(cubics.reshape(-1, 2))


def _untangle(loop: np.ndarray) -> list[np.ndarray]:
    """Loops that do not cross themselves and cover what ``loop`` covers, but for what its crossings made."""
    todo, done = [loop], []
    budget = 4 * (len(loop) // 3) + 16
    while todo:
        piece = todo.pop()
        count, where = _find([piece], 1)
        if count == 0:
            done.append(piece)
        elif budget <= 0:
            done.append(_simple_polygon(piece))
        else:
            budget -= 1
            todo += _cut(piece, where[0])
    return done


def _cut(loop: np.ndarray, where: np.ndarray) -> list[np.ndarray]:
    """One crossing taken out of a loop: one loop, or two where both parts show."""
    (i, s), (j, t) = sorted(((where[0], where[1]), (where[2], where[3])))
    first, second = int(i) // _PIECES, int(j) // _PIECES
    if first == second:
        return [_pulled_in(loop, first)]
    u = (int(i) % _PIECES + s) / _PIECES
    v = (int(j) % _PIECES + t) / _PIECES
    cubics = _cubics(loop)
    before, after = halve(cubics[first], u)
    ahead, behind = halve(cubics[second], v)
    between = [after, *cubics[first + 1:second], ahead]
    around = [behind, *cubics[second + 1:], *cubics[:first], before]
    parts = [_closed(between), _closed(around)]
    areas = [shoelace(flatten(part, _PIECES)) for part in parts]
    main = int(abs(areas[1]) >= abs(areas[0]))
    other = 1 - main
    eight = areas[main] * areas[other] < 0
    own_loop = (abs(areas[other]) >= _OWN_LOOP_SHARE * abs(areas[main])
                and (eight or _is_beside(parts[other], parts[main])))
    kept = [parts[main], _reversed(parts[other]) if eight else parts[other]] if own_loop else [parts[main]]
    sane = (_sane(_moved_in(part) if own_loop else part) for part in kept)
    return [part for part in sane if part is not None]


def _is_beside(loop: np.ndarray, other: np.ndarray) -> bool:
    """Whether more of the loop's anchors lie outside of the other one than in it: two parts of one direction are joined
    by a neck whose sides cross, or one winds on inside the other."""
    polygon, anchors = flatten(other, _PIECES), loop[3::3]
    return 2 * sum(inside(polygon, anchor) for anchor in anchors) < len(anchors)


def _cubics(loop: np.ndarray) -> list[np.ndarray]:
    return [loop[np.arange(a, a + 4) % len(loop)] for a in range(0, len(loop), 3)]


def _closed(cubics: list[np.ndarray]) -> np.ndarray:
    """The loop of a chain of cubics that ends where it began (to rounding)."""
    loop = np.concatenate([cubic[:3] for cubic in cubics])
    loop[0] = 0.5 * (cubics[0][0] + cubics[-1][3])
    return loop


def _moved_in(loop: np.ndarray) -> np.ndarray:
    """The loop with its first anchor moved a little into the wedge that it forms there."""
    into = (loop[1] - loop[0]) / max(np.hypot(*(loop[1] - loop[0])), 1e-9)
    into = into + (loop[-1] - loop[0]) / max(np.hypot(*(loop[-1] - loop[0])), 1e-9)
    length = float(np.hypot(*into))
    if length > 1e-6:
        loop = loop.copy()
        loop[0] += into * (_GAP_PX / length)
    return loop


def _pulled_in(loop: np.ndarray, segment: int) -> np.ndarray:
    """The loop with one cubic's handles shortened until that cubic does not cross itself."""
    loop = loop.copy()
    a, h, g, b = 3 * segment, 3 * segment + 1, 3 * segment + 2, (3 * segment + 3) % len(loop)
    for _ in range(12):
        loop[h] = loop[a] + 0.75 * (loop[h] - loop[a])
        loop[g] = loop[b] + 0.75 * (loop[g] - loop[b])
        edges = _find([loop], 4 * _PIECES)[1][:, [0, 2]] // _PIECES
        if not (edges == segment).all(1).any():
            return _rounded(loop)
    loop[h], loop[g] = loop[a] + (loop[b] - loop[a]) / 3, loop[b] + (loop[a] - loop[b]) / 3
    return _rounded(loop)


def _simple_polygon(loop: np.ndarray) -> np.ndarray:
    """A polygon through the loop's anchors that does not cross itself, as straight cubics.

    Turning round the way between two crossing edges makes the polygon shorter, so that this comes to an end.
    """
    corners = loop[0::3].copy()
    start = np.array([0, len(corners)])
    for _ in range(len(corners) ** 2):
        count, where = edge_crossings(corners, start, 1)
        if count == 0:
            break
        i, j = sorted((int(where[0, 0]), int(where[0, 2])))
        corners[i + 1:j + 1] = corners[i + 1:j + 1][::-1].copy()
    following = np.roll(corners, -1, axis=0)
    lines = np.stack([corners, corners + (following - corners) / 3, following + (corners - following) / 3], 1)
    return _rounded(lines.reshape(-1, 2))


def _reversed(loop: np.ndarray) -> np.ndarray:
    """The same loop the other way round, from the same first anchor."""
    return np.roll(loop[::-1], 1, axis=0)


def _oriented(loops: list[np.ndarray], polygons: list[np.ndarray]) -> list[np.ndarray]:
    """Loops that cover the same under the non-zero rule: outer ones clockwise on the screen, holes the other way.

    The loops do not cross. One that changes nothing, for it lies inside another of its own direction, is dropped.
    """
    direction = [1 if shoelace(polygon) > 0 else -1 for polygon in polygons]
    result = []
    for k, loop in enumerate(loops):
        outside = sum(direction[i] for i, polygon in enumerate(polygons)
                      if i != k and inside(polygon, polygons[k][0]))
        within = outside + direction[k]
        if (outside == 0) == (within == 0):
            continue
        wanted = 1 if outside == 0 else -1
        result.append(loop if direction[k] == wanted else _reversed(loop))
    return result
