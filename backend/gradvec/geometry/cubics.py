"""Closed cubic Bezier loops fitted to contours: as few segments as reach the accuracy asked for, least squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np

from ..model import Outline
from ..render.threads import side_by_side
from .contours import thin
from .fit_kernels import best_breaks, split_longest
from .joint_kernels import fit_closed
from .trace import Contour, shoelace

#: Fewest segments of an outline's largest loop, which three cubics close for any blob, and of the others.
FEWEST, FEWEST_MORE = 3, 2

#: Joints that turn by less than this are never corners.
SMOOTH_DEGREES = 25.0

#: A corner has to mend a miss as large as the accuracy along this many px of plainly visible edge.
CORNER_PX = 25.0

#: Candidates for the ends of segments, per contour: more gains nothing measurable and costs quadratically.
_KNOTS = 48

_ROUNDS = 8

#: A further segment has to mend a miss as large as the accuracy along this many px of plainly visible edge.
_WORTH_PX = 8.3

#: Ranges that contours are shared out in: more than threads as a rule, so that none has much more than the others.
_RANGES = 16

#: Largest number of segments that the search for ends looks at; more are found by splitting.
_SEARCHED = 64


def fit_contours(groups: Sequence[Sequence[Contour]], most: int, accuracy_px: float) -> list[tuple[np.ndarray, ...]]:
    """Per group of contours (one outline each) its loops (3 S, 2), picture px, in the order of the contours.

    A loop gets the fewest segments whose root mean square distance to the contour, weighted, is ``accuracy_px``; it
    stops earlier where a further segment mends less than that accuracy is worth, and at ``most`` segments for all
    loops of an outline together. Further pieces and holes are dropped where they are not worth their segments.

    The segment ends are the best ones there are (dynamic programming over the contour's most prominent points, each
    span judged by its own least-squares cubic); then all control points of a loop are solved for together, with
    re-parametrization. A joint is smooth unless it turns by more than :data:`SMOOTH_DEGREES` and is worth it: as a
    corner it mends a miss as large as the accuracy along :data:`CORNER_PX` of edge. Where a contour is cut off at the
    picture's border its corners stay.
    """
    most = min(most, _SEARCHED)
    flat = [contour for group in groups for contour in group]
    if not flat:
        return [() for _ in groups]
    breaks, error = _search(flat, most)
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    total = np.array([contour.weight.sum() for contour in flat])
    counts = share_segments(error, total, np.array([contour.worth for contour in flat]), owner, most, accuracy_px)
    kept = np.nonzero(counts)[0]
    chosen = [breaks[i, counts[i], :counts[i]] for i in kept]
    loops = _solve([flat[i] for i in kept], chosen, accuracy_px)
    for i, cut, loop in zip(kept, chosen, loops, strict=True):
        if flat[i].fixed.any():
            _straighten_cut_edges(flat[i], cut, loop)
    ends = np.searchsorted(owner[kept], np.arange(len(groups) + 1))
    return [tuple(loops[a:b]) for a, b in pairwise(ends)]


def share_segments(error: np.ndarray, total: np.ndarray, worth: np.ndarray, owner: np.ndarray, most: int,
                   accuracy_px: float) -> np.ndarray:
    """How many segments each loop gets.

    Args:
        error: (L, most + 1) weighted squared distance of loop l with s segments, px^2; infinite where impossible.
        total: (L,) sum of the weights of a loop's contour. owner: (L,) outline of each loop, rising.
        worth: (L,) what leaving a loop out costs, px^2; infinite for exactly one loop of each outline.

    Returns:
        (L,) int, 0 for a loop that is left out, at most ``most`` per outline together.
    """
    segments = np.arange(error.shape[1])
    fewest = np.where(np.isinf(worth), FEWEST, FEWEST_MORE)
    allowed = np.where(segments >= fewest[:, None], error, np.inf)
    good = allowed <= accuracy_px**2 * total[:, None]
    # Beyond the first count that is good enough nothing more is asked for.
    first_good = np.where(good.any(1), good.argmax(1), error.shape[1] - 1)
    allowed = np.where(segments > first_good[:, None], np.inf, allowed)
    allowed[:, 0] = worth
    price = np.full(len(error), _WORTH_PX * accuracy_px**2)
    counts = np.argmin(allowed + price[:, None] * segments, 1)
    for _ in range(80):
        over = (np.bincount(owner, counts) > most)[owner]
        if not over.any():
            return counts
        price[over] *= 1.5
        counts[over] = np.argmin(allowed[over] + price[over, None] * segments, 1)
    return np.where(over, np.where(np.isinf(worth), FEWEST, 0), counts)


def refit(outline: Outline, segments: int) -> Outline:
    """The outline with at most ``segments`` cubics in all its loops together, by least squares.

    An outline that has no more than that already is handed back as it is. Loops that are not worth the segments that
    they would take from others are dropped.
    """
    if outline.segments <= segments:
        return outline
    return Outline(fit_contours([_as_contours(outline)], max(segments, FEWEST), 1e-3)[0])


def fewer(outlines: Sequence[Outline], most: int, accuracy_px: float) -> list[Outline]:
    """Every outline with as few cubics as follow it to within ``accuracy_px`` (see :func:`fit_contours`), or as it
    was where that saves none."""
    fitted = [Outline(loops) for loops in fit_contours([_as_contours(o) for o in outlines], most, accuracy_px)]
    return [new if 0 < new.segments < old.segments else old for new, old in zip(fitted, outlines, strict=True)]


def _as_contours(outline: Outline) -> list[Contour]:
    """Its loops, the largest first, which stays whatever happens."""
    loops = sorted(outline.loops, key=lambda loop: -abs(shoelace(flatten(loop))))
    return [replace(as_contour(loop), worth=abs(shoelace(flatten(loop))) if number else np.inf)
            for number, loop in enumerate(loops)]


def split(outline: Outline, segments: int) -> Outline:
    """The same shape with ``segments`` cubics: the longest is halved (de Casteljau) until there are that many."""
    if segments <= outline.segments:
        return Outline(tuple(loop.copy() for loop in outline.loops))
    counts = [len(loop) // 3 for loop in outline.loops]
    cubics = np.empty((segments, 4, 2), np.result_type(*outline.loops))
    number = np.empty(segments, np.int64)
    number[:outline.segments] = np.repeat(np.arange(len(counts)), counts)
    at = 0
    for loop in outline.loops:
        own = cubics[at:at + len(loop) // 3]
        own[:, :3], own[:, 3] = loop.reshape(-1, 3, 2), np.concatenate([loop[3::3], loop[:1]])
        at += len(own)
    split_longest(cubics, number, outline.segments, cubics.dtype.type(0.5))
    return Outline(tuple(cubics[number == k, :3].reshape(-1, 2) for k in range(len(counts))))


def halve(cubic: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """The two parts of cubics (..., 4, 2) before and after parameter ``t``, exactly."""
    a, b, c, d = np.moveaxis(cubic, -2, 0)
    ab, bc, cd = a + (b - a) * t, b + (c - b) * t, c + (d - c) * t
    abc, bcd = ab + (bc - ab) * t, bc + (cd - bc) * t
    mid = abc + (bcd - abc) * t
    return np.stack([a, ab, abc, mid], -2), np.stack([mid, bcd, cd, d], -2)


def flatten(loop: np.ndarray, pieces: int = 16) -> np.ndarray:
    """(S * pieces, 2) points on a closed loop (3 S, 2), beginning at its first anchor."""
    cubics = np.empty((len(loop) // 3, 4, 2))
    cubics[:, :3] = loop.reshape(-1, 3, 2)
    cubics[:-1, 3], cubics[-1, 3] = loop[3::3], loop[0]
    return (polyline_basis(pieces) @ cubics).reshape(-1, 2)


@cache
def polyline_basis(pieces: int) -> np.ndarray:
    """(pieces, 4) Bernstein polynomials at equal steps from 0."""
    t = np.arange(pieces) / pieces
    s = 1.0 - t
    return np.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], 1)


def as_contour(loop: np.ndarray, pieces: int = 16) -> Contour:
    """A loop as the contour of its own shape, all of it counting alike."""
    points = flatten(loop, pieces)
    step = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    return Contour(points, 0.5 * (step + np.roll(step, 1)) + 1e-9, np.zeros(len(points), bool))


def _search(flat: list[Contour], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Best cuts (L, most + 1, most) for every number of segments, and their errors (L, most + 1)."""
    breaks = np.zeros((len(flat), most + 1, most), np.int64)
    error = np.full((len(flat), most + 1), np.inf)

    def work(a: int, b: int) -> None:
        part = flat[a:b]
        knots = [_knots(contour, most) for contour in part]
        must = [c.fixed[k % len(c.fixed)] for c, k in zip(part, knots, strict=True)]
        best_breaks(np.concatenate([c.points for c in part]), _starts(c.points for c in part),
                    np.concatenate([c.weight for c in part]), np.concatenate(knots), _starts(knots),
                    np.concatenate(must), most, breaks[a:b], error[a:b])

    _in_threads(work, [len(contour.points) for contour in flat])
    return breaks, error


def _knots(contour: Contour, most: int) -> np.ndarray:
    """Where segments may end: beginning at the most prominent point, counted on past the contour's end."""
    first = int(thin(contour.points, 1, contour.fixed)[0])
    knots = thin(contour.points, max(_KNOTS, 2 * most), contour.fixed)
    return np.concatenate([knots[knots >= first], knots[knots < first] + len(contour.points)])


def _solve(flat: list[Contour], chosen: list[np.ndarray], accuracy_px: float) -> list[np.ndarray]:
    loops = [np.zeros((3 * len(cut), 2)) for cut in chosen]

    def work(a: int, b: int) -> None:
        part = flat[a:b]
        controls = np.zeros((3 * sum(len(cut) for cut in chosen[a:b]), 2))
        start = _starts(chosen[a:b])
        fit_closed(np.concatenate([c.points for c in part]), _starts(c.points for c in part),
                   np.concatenate([c.weight for c in part]), np.concatenate([c.fixed for c in part]),
                   np.concatenate(chosen[a:b]), start, _ROUNDS, np.cos(np.radians(SMOOTH_DEGREES)),
                   CORNER_PX * accuracy_px**2, controls)
        for i in range(a, b):
            loops[i] = controls[3 * start[i - a]:3 * start[i - a + 1]].copy()

    _in_threads(work, [len(contour.points) for contour in flat])
    return loops


def _straighten_cut_edges(contour: Contour, cut: np.ndarray, loop: np.ndarray) -> None:
    """Segments between two corners at the picture's border lie on it exactly."""
    n, size = len(contour.points), len(loop)
    for s, first in enumerate(cut):
        last = cut[s + 1] if s + 1 < len(cut) else cut[0] + n
        if not (contour.fixed[first % n] and contour.fixed[last % n]):
            continue
        run = contour.points[np.arange(first, last + 1) % n]
        for axis in (0, 1):
            if np.ptp(run[:, axis]) == 0.0:
                loop[np.arange(3 * s, 3 * s + 4) % size, axis] = run[0, axis]


def _starts(parts: object) -> np.ndarray:
    return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)  # type: ignore[attr-defined]


def _in_threads(work: Callable[[int, int], None], sizes: list[int]) -> None:
    """Runs work(a, b) on contiguous ranges of about equal size, on all threads."""
    if sum(sizes) < 2000:
        work(0, len(sizes))
        return
    ends = np.searchsorted(np.cumsum(sizes), np.linspace(0, sum(sizes), _RANGES + 1)[1:-1])
    cuts = np.unique([0, *ends.tolist(), len(sizes)]).tolist()
    side_by_side(lambda cut: work(*cut), list(pairwise(cuts)))
